"""Holds the value at risk of each close against what the next session lost, monthly (SPEC 4.8.3)."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from engine.risk.kupiec import Kupiec, kupiec
from engine.risk.var import BARS, MIN_RETURNS

DOUBT = 0.05
"""Under this p-value the forecast does not fit what happened."""


@dataclass(frozen=True, slots=True)
class VarTest:
    """The last 250 sessions that began with a forecast. Money in account currency, deposits left out."""

    outcomes: str = ""
    """One letter a session, oldest first: 1 lost more than the forecast, 0 did not."""
    worth: Decimal | None = None
    """Equity less deposits at the last close; None before the first."""
    forecast: Decimal | None = None
    """The largest loss expected of the next session; None: nothing was held, or it is not known."""
    month: str = ""
    """Year and month of the last verdict, `2016-01`."""

    @property
    def exceptions(self) -> int:
        """Sessions that lost more than the forecast."""
        return self.outcomes.count("1")


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
    state: VarTest, day: date, worth: Decimal, forecast: float | None, confidence: float
) -> tuple[VarTest, Verdict | None]:
    """The state after the close of a session, and a verdict at the first close of a month with 60 sessions.

    `forecast`: value at risk of what is held now; None or not above 0: there is none.
    """
    outcomes = state.outcomes
    if state.worth is not None and state.forecast is not None:
        outcomes = (outcomes + ("1" if state.worth - worth > state.forecast else "0"))[-BARS:]
    known = forecast is not None and forecast > 0
    after = replace(
        state,
        outcomes=outcomes,
        worth=worth,
        forecast=Decimal(repr(forecast)) if known else None,
    )
    month = day.strftime("%Y-%m")
    if month == state.month or len(outcomes) < MIN_RETURNS:
        return after, None
    days, tail = len(outcomes), 1 - confidence
    test = kupiec(days, after.exceptions, tail)
    return replace(after, month=month), Verdict(days, after.exceptions, days * tail, test)
