"""Every session of 2020-2030 against the rules that the exchange publishes, computed without any library.

Rules: nyse.com/markets/hours-calendars. Times of day come from the law's two Sundays, not from a zone file.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from engine.sources.sessions import ExchangeSessions

FIRST, LAST = 2020, 2030
DAY = timedelta(days=1)
MOURNING = {date(2025, 1, 9)}
"""Closed by a decision of its own: the day of mourning for President Carter."""
JUNETEENTH_SINCE = 2022
MONDAY, THURSDAY, SATURDAY, SUNDAY = 0, 3, 5, 6


def nth(year: int, month: int, weekday: int, count: int) -> date:
    """The count-th such weekday of a month; -1: the last."""
    if count < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - DAY
        return last - (last.weekday() - weekday) % 7 * DAY
    first = date(year, month, 1)
    return first + (weekday - first.weekday()) % 7 * DAY + (count - 1) * 7 * DAY


def easter(year: int) -> date:
    """Sunday by the anonymous Gregorian computus (Meeus, Astronomical Algorithms, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    shift = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * shift) // 451
    month, day = divmod(h + shift - 7 * m + 114, 31)
    return date(year, month, day + 1)


def observed(day: date) -> date:
    """Saturday's is kept on Friday, Sunday's on Monday."""
    return day - DAY if day.weekday() == SATURDAY else day + DAY if day.weekday() == SUNDAY else day


def holidays(year: int) -> set[date]:
    new_year = date(year, 1, 1)
    found = {
        nth(year, 1, MONDAY, 3),
        nth(year, 2, MONDAY, 3),
        easter(year) - 2 * DAY,
        nth(year, 5, MONDAY, -1),
        observed(date(year, 7, 4)),
        nth(year, 9, MONDAY, 1),
        nth(year, 11, THURSDAY, 4),
        observed(date(year, 12, 25)),
    }
    if new_year.weekday() != SATURDAY:  # else the year before would lose its last session
        found.add(observed(new_year))
    if year >= JUNETEENTH_SINCE:
        found.add(observed(date(year, 6, 19)))
    return found | {day for day in MOURNING if day.year == year}


def half_days(year: int) -> set[date]:
    """Until 13:00: the day after Thanksgiving, and the eves of two feasts where both are working days."""
    found = {nth(year, 11, THURSDAY, 4) + DAY}
    for eve in (date(year, 7, 3), date(year, 12, 24)):
        if eve.weekday() <= THURSDAY:
            found.add(eve)
    return found


def utc_hours(day: date) -> int:
    """New York behind UTC: summer time from March's second Sunday to November's first, at trading hours."""
    return 4 if nth(day.year, 3, SUNDAY, 2) <= day < nth(day.year, 11, SUNDAY, 1) else 5


def expected() -> Iterator[tuple[date, datetime, datetime]]:
    for year in range(FIRST, LAST + 1):
        closed, short = holidays(year), half_days(year)
        for number in range(366):
            day = date(year, 1, 1) + number * DAY
            if day.year != year or day.weekday() >= SATURDAY or day in closed:
                continue
            midnight = datetime(day.year, day.month, day.day, utc_hours(day), tzinfo=UTC)
            close = timedelta(hours=13 if day in short else 16)
            yield day, midnight + timedelta(hours=9, minutes=30), midnight + close


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> ExchangeSessions:
    """As a process sees it that starts in the last year but one."""
    return ExchangeSessions(tmp_path_factory.mktemp("calendar"), date(LAST - 1, 6, 1))


def test_every_open_and_close_of_eleven_years_is_as_the_rules_say(table: ExchangeSessions) -> None:
    found = [
        (
            session.day,
            datetime.fromtimestamp(session.open_us / 1e6, UTC),
            datetime.fromtimestamp(session.close_us / 1e6, UTC),
        )
        for session in table.between(date(FIRST, 1, 1), date(LAST, 12, 31))
    ]
    wanted = list(expected())
    assert len(wanted) == 2763
    assert found == wanted


def test_the_rules_here_know_the_days_that_are_easily_wrong() -> None:
    days = {day: (opens, closes) for day, opens, closes in expected()}
    assert date(2021, 12, 31) in days  # New Year's Day 2022 was a Saturday
    assert date(2027, 12, 31) in days
    assert date(2021, 6, 18) in days  # Juneteenth was no holiday of the exchange yet
    assert date(2022, 6, 20) not in days
    assert date(2026, 4, 3) not in days  # Good Friday
    assert date(2026, 7, 3) not in days
    assert days[date(2026, 7, 2)][1].hour == 20  # a whole day
    assert days[date(2026, 11, 27)][1].hour == 18
    assert days[date(2027, 11, 26)][1].hour == 18
    assert date(2027, 12, 24) not in days  # Christmas Day is a Saturday
    assert days[date(2020, 12, 24)][1].hour == 18
    assert (days[date(2026, 3, 6)][0].hour, days[date(2026, 3, 9)][0].hour) == (14, 13)
    assert (days[date(2026, 10, 30)][0].hour, days[date(2026, 11, 2)][0].hour) == (13, 14)


@pytest.mark.parametrize("year", range(FIRST, LAST + 1))
def test_no_day_is_a_session_that_the_rules_close(table: ExchangeSessions, year: int) -> None:
    for day in holidays(year):
        assert table.on(day) is None, day
    for day in half_days(year):
        session = table.on(day)
        if day not in holidays(year):
            assert session is not None
            assert session.close_us - session.open_us == 3.5 * 3600 * 1_000_000


@pytest.mark.parametrize(
    ("today", "warned"),
    [
        (date(2026, 1, 1), False),
        (date(2026, 12, 31), False),
        (date(2027, 1, 1), True),
        (date(2027, 12, 31), True),
        (date(2030, 1, 1), True),
    ],
)
def test_a_calendar_warns_before_it_ends(tmp_path: Path, today: date, warned: bool) -> None:
    calendar = ExchangeSessions(tmp_path, date(2026, 11, 20))
    assert (calendar.horizon_warning(today) is not None) is warned


def test_a_calendar_is_extended_while_its_process_runs(tmp_path: Path) -> None:
    calendar = ExchangeSessions(tmp_path, date(2026, 11, 20))
    last = calendar.between(date(2027, 12, 1), date(2027, 12, 31))[-1]
    assert calendar.next_after(last.close_us) is None
    assert calendar.extend(date(2026, 12, 31)) is False
    assert calendar.extend(date(2027, 1, 1)) is True
    assert calendar.horizon == date(2028, 12, 31)
    assert calendar.horizon_warning(date(2027, 1, 1)) is None
    following = calendar.next_after(last.close_us)
    assert following is not None
    assert following.day == date(2028, 1, 3)
    assert calendar.on(date(2016, 1, 4)) is not None
    assert calendar.extend(date(2027, 6, 1)) is False
