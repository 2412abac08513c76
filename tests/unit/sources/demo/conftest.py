"""A calendar without holidays, and the demo market on it."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from engine.model.market import Session
from engine.sources.demo.market import DemoMarket
from engine.sources.demo.stocks import StockStream
from engine.sources.demo.walk import DemoWalk

FIRST = date(2026, 3, 2)
_US = 1_000_000


class Weekdays:
    """Monday to Friday, 14:30 to 21:00 UTC; `short` days close at `noon`. It ends with `last`."""

    def __init__(
        self, last: date, short: Sequence[date] = (), first: date = date(2024, 6, 3), noon: int = 18
    ) -> None:
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        self._sessions = [
            Session(day, _at(day, 14, 30), _at(day, noon if day in short else 21, 0))
            for day in days
            if day.weekday() < 5
        ]
        self._closes = [session.close_us for session in self._sessions]

    def between(self, first: date, last: date) -> list[Session]:
        return [session for session in self._sessions if first <= session.day <= last]

    def next_after(self, ts: int) -> Session | None:
        place = bisect_right(self._closes, ts)
        return self._sessions[place] if place < len(self._sessions) else None


def _at(day: date, hour: int, minute: int) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC).timestamp()) * _US


@pytest.fixture
def weekdays() -> type[Weekdays]:
    return Weekdays


@pytest.fixture(scope="session")
def calendar() -> Weekdays:
    """Knows 2024-06-03 to 2026-06-30."""
    return Weekdays(date(2026, 6, 30))


@pytest.fixture(scope="session")
def first() -> date:
    """The first session shown."""
    return FIRST


@pytest.fixture
def make_stocks(calendar: Weekdays) -> Callable[[int], StockStream]:
    return lambda seed: StockStream(seed, calendar, FIRST)


@pytest.fixture
def make_market(calendar: Weekdays) -> Callable[[int], DemoMarket]:
    return lambda seed: DemoMarket(seed, calendar, FIRST, DemoWalk())
