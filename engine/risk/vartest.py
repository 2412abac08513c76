"""Holds the value at risk of each close against what the next session lost, monthly (SPEC 4.8.3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from engine.model.ids import InstrumentId
from engine.money import ZERO
from engine.risk.kupiec import Kupiec, kupiec
from engine.risk.var import BARS, MIN_RETURNS

DOUBT = 0.05
"""Under this p-value the forecast does not fit what happened."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A position at a close: its value, and the price that it was marked at."""

    value: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True)
class VarTest:
    """The last 250 sessions that began with a forecast, judged by what was held then.

    Later trades, which no forecast could know, are left out. Money in account currency.
    """

    outcomes: str = ""
    """One letter a session, oldest first: 1 lost more than the forecast, 0 did not."""
    forecast: Decimal | None = None
    """The largest loss expected of the next session; None: nothing was held, or it is not known."""
    held: Mapping[InstrumentId, Holding] = field(default_factory=dict)
    """What the forecast is about."""
    month: str = ""
    """Year and month of the last verdict, `2016-01`."""

    @property
    def exceptions(self) -> int:
        """Sessions that lost more than the forecast."""
        return self.outcomes.count("1")

    def loss(self, price: Callable[[InstrumentId], Decimal | None]) -> Decimal | None:
        """What the holdings lost up to `price`, in dollars of their day; None where a price is missing."""
        lost = ZERO
        for name, holding in self.held.items():
            now = price(name)
            if now is None or holding.price <= ZERO:
                return None
            lost += holding.value * (1 - now / holding.price)
        return lost


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a month's test found."""

    days: int
    exceptions: int
    expected: float
    test: Kupiec

    @property
    def fits(self) -> bool:
        """Losses beyond the forecast came about as often as they should."""
        return self.test.p_value >= DOUBT


def close(
    state: VarTest,
    day: date,
    lost: Decimal | None,
    forecast: float | None,
    held: Mapping[InstrumentId, Holding],
    confidence: float,
) -> tuple[VarTest, Verdict | None]:
    """The state after the close of a session, and a verdict at the first close of a month with 60 sessions.

    `lost`: by what was held at the last close. `forecast`: value at risk of what is `held` now; None or not
    above 0: there is none.
    """
    outcomes = state.outcomes
    if lost is not None and state.forecast is not None:
        outcomes = (outcomes + ("1" if lost > state.forecast else "0"))[-BARS:]
    known = forecast is not None and forecast > 0
    now = Decimal(repr(forecast)) if known else None
    after = replace(state, outcomes=outcomes, forecast=now, held=held if known else {})
    month = day.strftime("%Y-%m")
    if month == state.month or len(outcomes) < MIN_RETURNS:
        return after, None
    days, tail = len(outcomes), 1 - confidence
    test = kupiec(days, after.exceptions, tail)
    return replace(after, month=month), Verdict(days, after.exceptions, days * tail, test)
