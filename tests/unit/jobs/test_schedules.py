"""When jobs are due: half days, holidays, summer time, and where the calendar ends."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time

import pytest

from engine.schedules import MINUTE_US, AtLocalTime, Daily, FromClose, FromOpen, Schedule, WeekEnd
from engine.sources.sessions import ExchangeSessions

HOUR_US = 60 * MINUTE_US


def utc(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).isoformat(sep=" ", timespec="minutes")[:16]


def first_of(schedule: Schedule, sessions: ExchangeSessions, start: str, count: int) -> list[str]:
    """The next due times after `start`, UTC."""
    ts = int(datetime.fromisoformat(f"{start}+00:00").timestamp()) * 1_000_000
    found = []
    for _ in range(count):
        due = schedule.after(ts, sessions)
        assert due is not None
        ts = due.ts
        found.append(utc(ts))
    return found


@pytest.mark.parametrize(
    ("schedule", "start", "dues"),
    [
        (  # the night before Thanksgiving week's half day
            FromOpen(-30 * MINUTE_US),
            "2026-11-25 15:00",
            ["2026-11-27 14:00", "2026-11-30 14:00"],
        ),
        (
            FromClose(30 * MINUTE_US),
            "2026-11-25 15:00",
            ["2026-11-25 21:30", "2026-11-27 18:30", "2026-11-30 21:30"],
        ),
        (  # a half day ends at 13:00, and 09:45 is 09:45 there all the same
            AtLocalTime(time(9, 45)),
            "2026-11-25 14:45",
            ["2026-11-27 14:45", "2026-11-30 14:45"],
        ),
        (  # summer time begins on Sunday, March 8
            AtLocalTime(time(9, 45)),
            "2026-03-05 15:00",
            ["2026-03-06 14:45", "2026-03-09 13:45"],
        ),
        (  # and ends on November 1
            FromOpen(0),
            "2026-10-29 20:00",
            ["2026-10-30 13:30", "2026-11-02 14:30"],
        ),
        (  # Good Friday: Thursday ends the week
            WeekEnd(2 * HOUR_US),
            "2026-03-30 00:00",
            ["2026-04-02 22:00", "2026-04-10 22:00"],
        ),
        (  # a half day ends the week
            WeekEnd(2 * HOUR_US),
            "2026-11-23 00:00",
            ["2026-11-27 20:00", "2026-12-04 23:00"],
        ),
        (Daily(time(6, 30)), "2026-11-20 06:29", ["2026-11-20 06:30", "2026-11-21 06:30"]),
        (Daily(time(6, 30)), "2026-11-20 06:30", ["2026-11-21 06:30"]),
        (Daily(time(0, 0)), "2026-12-31 12:00", ["2027-01-01 00:00"]),
    ],
)
def test_due_times(schedule: Schedule, sessions: ExchangeSessions, start: str, dues: list[str]) -> None:
    assert first_of(schedule, sessions, start, len(dues)) == dues


ALL = (
    FromOpen(-30 * MINUTE_US),
    FromClose(-20 * MINUTE_US),
    FromClose(30 * MINUTE_US),
    AtLocalTime(time(9, 45)),
    AtLocalTime(time(23, 59)),
    WeekEnd(2 * HOUR_US),
    Daily(time(6, 30)),
)


@pytest.mark.parametrize("schedule", ALL, ids=lambda schedule: schedule.words)
def test_after_and_newest_agree_and_every_session_has_its_own(
    schedule: Schedule, sessions: ExchangeSessions, at_new_york: Callable[[str], int]
) -> None:
    ts, end = at_new_york("2026-01-01 00:00"), at_new_york("2027-01-01 00:00")
    seen = []
    while (due := schedule.after(ts, sessions)) is not None and due.ts <= end:
        assert due.ts > ts
        assert schedule.newest(due.ts, sessions) == due
        before = schedule.newest(due.ts - 1, sessions)
        assert before is not None
        assert before.ts < due.ts
        assert schedule.after(before.ts, sessions) == due
        seen.append(due.session)
        ts = due.ts
    assert len(set(seen)) == (len(seen) if seen[0] is not None else 1)
    expected = {WeekEnd: 53, Daily: 365}.get(type(schedule), 251)
    assert len(seen) == expected


def test_past_the_calendar_there_is_none(
    sessions: ExchangeSessions, at_new_york: Callable[[str], int]
) -> None:
    end = at_new_york("2027-12-31 23:59")
    for schedule in ALL:
        if not isinstance(schedule, Daily):
            assert schedule.after(end, sessions) is None
            newest = schedule.newest(end, sessions)
            assert newest is not None
            assert newest.session is not None
            assert date(2027, 12, 23) <= newest.session <= date(2027, 12, 31)


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (FromOpen(-30 * MINUTE_US), "30 min before each open"),
        (FromClose(90 * MINUTE_US), "90 min after each close"),
        (FromClose(0), "at each close"),
        (AtLocalTime(time(9, 45)), "09:45 New York time of each session"),
        (WeekEnd(2 * HOUR_US), "2 h after the week's last close"),
        (Daily(time(6, 30)), "06:30 UTC each day"),
    ],
)
def test_words(schedule: Schedule, words: str) -> None:
    assert schedule.words == words
