"""The account's value over a period, for its curve, and the returns of its days."""

from collections.abc import Sequence

import numpy as np

from engine.core import Engine
from engine.execution.equity import DAY_US, Point
from engine.risk.daily import day_of
from engine.statistics.returns import DAYS_A_YEAR, SESSIONS_A_YEAR, drawdowns, flow_returns
from tui.shown.details import EquityDetail

PERIODS = {"1d": 1, "7d": 7, "30d": 30, "90d": 90, "1y": 365, "all": None}
"""Days; None: since the start."""
MOST_POINTS = 400
_SATURDAY = 5


def equity(engine: Engine, period: str) -> EquityDetail | None:
    """The curve up to the value of this instant, at most 400 points; None for a period that is none.

    It begins with the value that the account had when the period began. Falls are from the highest value
    ever until then, with what was paid in or taken out since.
    """
    if period not in PERIODS:
        return None
    points = [*engine.risk.record.points()]
    now, worth = engine.parts.clock.now_us(), engine.equity()
    if worth is not None:
        paid_in = engine.books.initial_cash + engine.books.deposits
        points = [point for point in points if point.ts < now] + [Point(now, worth, paid_in)]
    if not points:
        return EquityDetail(period, (), (), ())
    values = np.array([float(point.equity) for point in points])
    falls = drawdowns(values, np.array([float(point.paid_in) for point in points]))
    days = PERIODS[period]
    first_us = points[0].ts if days is None else max(points[0].ts, now - days * DAY_US)
    places = _shown([point.ts for point in points], first_us)
    return EquityDetail(
        period,
        tuple(max(points[place].ts, first_us) for place in places),
        tuple(float(values[place]) for place in places),
        tuple(float(falls[place]) for place in places),
    )


def _shown(times: Sequence[int], first_us: int) -> list[int]:
    """Places of what stood at `first_us` and of the last point of each of 399 equal spans after it."""
    before = max((place for place, ts in enumerate(times) if ts <= first_us), default=0)
    span = max(1, -(-(times[-1] - first_us) // (MOST_POINTS - 1)))
    last_of: dict[int, int] = {}
    for place in range(before + 1, len(times)):
        last_of[(times[place] - first_us - 1) // span] = place
    return [before, *last_of.values()]


def day_returns(engine: Engine) -> tuple[np.ndarray, int]:
    """Returns (T,) of the account's days that are over, and how many such days a year has.

    365 where it was marked on a weekend too, else 252 sessions (SPEC 9.1).
    """
    points = engine.risk.record.days()
    values = np.array([float(point.equity) for point in points])
    returns = flow_returns(values, np.array([float(point.paid_in) for point in points]))
    roll = engine.parts.day_roll
    weekends = any(day_of(point.ts, roll).weekday() >= _SATURDAY for point in points[1:])
    return returns, DAYS_A_YEAR if weekends else SESSIONS_A_YEAR
