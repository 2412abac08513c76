"""The account's drawdown breaker: three levels with their releases, the third latched (SPEC 4.8.4).

Measured from the equity high-water mark. A release below its own limit, so that a level does not flicker.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import IntEnum

from engine.money import EPSILON, ZERO, to_decimal
from engine.risk.limits import RiskConfig

_TOLERANCE = to_decimal(EPSILON)
ONE = Decimal(1)
HALF = Decimal("0.5")


class Level(IntEnum):
    """How far the account fell. Each level keeps the effects of those before it."""

    NONE = 0
    HALF_SIZE = 1
    CONSERVATIVE = 2
    STOPPED = 3

    @property
    def multiplier(self) -> Decimal:
        """What new sizes are multiplied by."""
        return (ONE, HALF, HALF, ZERO)[self]

    @property
    def effect(self) -> str:
        """What it means for new entries."""
        return ("no limit", "new sizes halved", "conservative only, sizes halved", "no new orders")[self]


@dataclass(frozen=True, slots=True)
class Drawdown:
    """Where the account stands. `ratio` is the fall from `high_water` as a fraction, 0 at a new high."""

    high_water: Decimal
    level: Level = Level.NONE
    ratio: Decimal = ZERO


def step(state: Drawdown, equity: Decimal, config: RiskConfig) -> Drawdown:
    """The state after equity was marked. An account that never held money has not fallen.

    Raises ValueError for an equity that is no number.
    """
    if not equity.is_finite():
        raise ValueError(f"equity {equity} cannot be marked")
    high = max(state.high_water, equity)
    ratio = ONE - equity / high if high > ZERO else ZERO
    return Drawdown(high, _level(state.level, ratio, config), ratio)


def release(state: Drawdown, equity: Decimal) -> Drawdown:
    """A person lifted the stop: the fall is counted anew from here."""
    return replace(state, high_water=equity, level=Level.NONE, ratio=ZERO)


def _level(held: Level, ratio: Decimal, config: RiskConfig) -> Level:
    if held is Level.STOPPED:
        return held
    reached = sum(ratio >= to_decimal(limit) - _TOLERANCE for limit in config.dd_levels)
    kept = 0
    for number, limit in enumerate(config.dd_release, start=1):
        if held >= number and ratio >= to_decimal(limit) - _TOLERANCE:
            kept = number
    return Level(max(reached, kept))
