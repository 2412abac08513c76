"""The daily loss limit: reached once, it holds until the account's next day (SPEC 4.8.5)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal

from engine.clock import US_PER_S
from engine.money import EPSILON, ZERO, to_decimal

_TOLERANCE = to_decimal(EPSILON)


@dataclass(frozen=True, slots=True)
class Day:
    """One day of an account and the equity that it began with, in account currency."""

    day: date
    start: Decimal
    loss: Decimal = ZERO
    """Fraction of the start that is lost now; negative is a gain."""
    is_over: bool = False
    """The limit was reached on this day."""


def day_of(ts: int, zone: tzinfo) -> date:
    """The account's day of an instant (int microseconds UTC): it rolls at midnight of `zone`."""
    return datetime.fromtimestamp(ts // US_PER_S, UTC).astimezone(zone).date()


def start_us(day: date, zone: tzinfo) -> int:
    """When the account's day begins, int microseconds UTC."""
    return round(datetime.combine(day, time(), zone).timestamp()) * US_PER_S


def step(state: Day, today: date, before: Decimal, equity: Decimal, limit: float) -> Day:
    """The state after equity was marked; a new day starts with `before`, the last mark of the day before.

    Raises ValueError for an equity that is no number.
    """
    if not equity.is_finite():
        raise ValueError(f"equity {equity} cannot be marked")
    if today != state.day:
        state = Day(today, before)
    loss = (state.start - equity) / state.start if state.start > ZERO else ZERO
    over = state.is_over or loss >= to_decimal(limit) - _TOLERANCE
    return Day(state.day, state.start, loss, over)
