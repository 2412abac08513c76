"""Sessions that ended while nobody looked count at the next start, as far as the bars say that it traded."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from engine.execution.missed import count_missed, missed, traded
from engine.model.market import Session
from engine.model.positions import ExitReason
from engine.ports import BarColumns

DAY_US = 86_400_000_000
HOURS_US = 23_400_000_000
"""Six and a half hours."""


class Weekdays:
    """Every weekday from the opening of the world's Monday on."""

    def __init__(self, open_us: int, monday: date) -> None:
        self.days = [
            Session(monday + timedelta(days=n), open_us + n * DAY_US, open_us + n * DAY_US + HOURS_US)
            for n in range(20)
            if n % 7 < 5
        ]

    def between(self, first: date, last: date) -> list[Session]:
        return [found for found in self.days if first <= found.day <= last]


@pytest.fixture
def sessions(world: Any) -> Weekdays:
    return Weekdays(world.OPEN_US, world.MONDAY)


@pytest.fixture
def bars(world: Any) -> Callable[..., BarColumns]:
    """Daily bars of the days of January 2016 that are named."""

    def make(*days: int) -> BarColumns:
        day = np.array([date(2016, 1, number) for number in days], dtype="datetime64[D]")
        ones = np.ones(len(days))
        return BarColumns(world.ABC, day, ones, ones, ones, ones, ones, ones)

    return make


def after(world: Any, days: float) -> int:
    """So many days after the opening of the Monday."""
    return world.OPEN_US + round(days * DAY_US)


async def test_each_session_that_the_instrument_traded_in_counts(
    rig: Any, world: Any, sessions: Any, bars: Any
) -> None:
    bracket = await rig.hold()
    asked: list[Any] = []

    def history(*question: Any) -> BarColumns:
        asked.append(question)
        return bars(4, 5, 7, 8)

    assert count_missed(rig.brackets, sessions, history, after(world, 4.5)) == ()
    assert rig.now().sessions_held == 4
    assert rig.now().last_session == date(2016, 1, 8)
    assert asked == [(world.ABC, date(2016, 1, 9), 30)]
    assert count_missed(rig.brackets, sessions, history, after(world, 6)) == ()
    assert len(asked) == 1
    assert bracket.sessions_held == 0


async def test_the_last_session_of_a_position_is_its_time_exit(
    rig: Any, world: Any, sessions: Any, bars: Any
) -> None:
    await rig.hold()
    count_missed(rig.brackets, sessions, lambda *_: bars(4, 5, 6, 7, 8), after(world, 4.5))
    assert rig.now().exit_wanted is ExitReason.TIME


async def test_what_the_bars_do_not_reach_is_told_and_not_counted(
    rig: Any, world: Any, sessions: Any, bars: Any
) -> None:
    await rig.hold()
    told = count_missed(rig.brackets, sessions, lambda *_: bars(4), after(world, 2.5))
    assert told == (
        "ABC.US: whether it traded on 2016-01-05 is not known yet: the session does not count for B-1",
        "ABC.US: whether it traded on 2016-01-06 is not known yet: the session does not count for B-1",
    )
    assert rig.now().sessions_held == 1


async def test_a_session_that_goes_on_or_ended_before_the_entry_is_none(
    rig: Any, world: Any, sessions: Any
) -> None:
    bracket = await rig.begin()
    assert missed(bracket, sessions, after(world, 9)) == ()
    rig.venue.fill(bracket.entry.id)
    await rig.settle()
    assert missed(rig.now(), sessions, after(world, 0.2)) == ()
    assert missed(rig.now(), sessions, after(world, 1.2)) == (world.MONDAY,)
    late = world.replace(rig.now(), first_fill_us=after(world, 0.9))
    assert missed(late, sessions, after(world, 1.9)) == (date(2016, 1, 5),)


async def test_a_session_counted_today_ends_the_list(rig: Any, world: Any, sessions: Any) -> None:
    await rig.hold()
    await rig.close_session()
    assert missed(rig.now(), sessions, after(world, 0.3)) == ()


def test_whether_it_traded_is_known_up_to_the_last_bar(bars: Any) -> None:
    assert traded(None, date(2016, 1, 4)) is None
    assert traded(bars(), date(2016, 1, 4)) is None
    assert [traded(bars(4, 6), date(2016, 1, day)) for day in (4, 5, 6, 7)] == [True, False, True, None]
