"""The account's limits as they stand at one instant: for gates, faces and sizing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.model.ids import InstrumentId
from engine.risk.drawdown import ONE, Level


@dataclass(frozen=True, slots=True)
class RiskView:
    """Measured numbers. Ratios are fractions, money in account currency; None: not known now."""

    equity: Decimal | None
    """Cash plus positions at their last prices."""
    high_water: Decimal
    level: Level
    drawdown: Decimal | None
    day_start: Decimal
    day_loss: Decimal | None
    """Of the day's start; negative is a gain."""
    is_day_over: bool
    """The daily loss limit was reached today."""
    entries_minute: int
    entries_today: int
    orders_minute: int
    rejects_in_a_row: int


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """What the account lets a strategy size; the default limits nothing."""

    multiplier: Decimal = ONE
    """Of the drawdown breaker, 0 to 1."""
    is_conservative: bool = False
    """Only the strategy's cautious sizes and thresholds."""
    correlation_room: Callable[[InstrumentId, Mapping[InstrumentId, Decimal]], Decimal] | None = None
    """What one more position of an instrument may be worth, with the values that were proposed before it at
    the same instant; None: not limited."""
    liquidity: bool = False
    """Whether a position is limited by what trades on a mean day."""


UNLIMITED = SizeLimits()
