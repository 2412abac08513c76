from datetime import date, timedelta

import pytest

from engine.errors import UsageError
from engine.sources.demo.days import HISTORY
from engine.sources.demo.diary import Diary, blocks_of
from engine.sources.demo.universe import COMPANIES, SPY

LAST = date(2026, 6, 30)
NAME = COMPANIES[3].instrument


def test_the_first_shown_session_has_320_behind_it(calendar, first) -> None:
    diary = Diary(1, calendar, first)
    session = diary.session(HISTORY)
    assert session is not None
    assert session.day == first
    days, rows = diary.before(first)
    assert len(days) == len(rows[NAME]) == len(rows[SPY]) == HISTORY
    assert days[-1] == date(2026, 2, 27)
    assert list(days) == sorted(set(days))


def test_a_day_without_a_session_means_the_next_one(calendar) -> None:
    session = Diary(1, calendar, date(2026, 2, 28)).session(HISTORY)
    assert session is not None
    assert session.day == date(2026, 3, 2)


def test_a_calendar_that_begins_late_gives_a_shorter_history_of_the_same_days(
    calendar, weekdays, first
) -> None:
    whole, late = (Diary(1, one, first) for one in (calendar, weekdays(LAST, first=date(2026, 1, 5))))
    days, rows = late.before(first)
    assert len(days) == 40
    assert rows[NAME] == whole.before(first)[1][NAME][-40:]


def test_a_calendar_without_a_session_is_refused(calendar) -> None:
    with pytest.raises(UsageError, match="no session from 2026-07-01"):
        Diary(1, calendar, date(2026, 7, 1))


def test_sessions_end_with_the_calendar(weekdays, first) -> None:
    diary = Diary(1, weekdays(first + timedelta(days=1)), first)
    assert diary.session(HISTORY + 1) is not None
    assert diary.session(HISTORY + 2) is None


def test_finished_days_join_what_was_before(calendar, first) -> None:
    diary = Diary(1, calendar, first)
    friday = first + timedelta(days=4)
    days, rows = diary.before(friday)
    assert list(days[-4:]) == [first + timedelta(days=n) for n in range(4)]
    for place, number in enumerate(range(HISTORY, HISTORY + 4)):
        made = diary.day(number)[NAME]
        nodes = made.nodes
        assert rows[NAME][HISTORY + place] == (
            nodes[0], max(nodes), min(nodes), nodes[-1], made.volume,
        )  # fmt: skip
    assert len(diary.before(first)[0]) == HISTORY


def test_an_old_day_is_made_again_as_it_was(calendar, first) -> None:
    diary = Diary(1, calendar, first)
    one = dict(diary.day(HISTORY))
    diary.day(HISTORY + 9)
    before = len(diary.before(first)[0])
    assert dict(diary.day(HISTORY)) == one
    assert len(diary.before(first)[0]) == before
    assert dict(diary.day(HISTORY + 9)) == dict(Diary(1, calendar, first).day(HISTORY + 9))


def test_the_day_of_an_instant_is_the_first_that_is_not_over(calendar, first) -> None:
    diary = Diary(1, calendar, first)
    session = diary.session(HISTORY)
    assert session is not None
    assert diary.first_after(0) == diary.first_after(session.close_us - 1) == HISTORY
    assert diary.first_after(session.close_us) == HISTORY + 1


def test_a_short_session_has_fewer_blocks(weekdays, first) -> None:
    diary = Diary(1, weekdays(LAST, short=(first,)), first)
    session = diary.session(HISTORY)
    assert session is not None
    assert blocks_of(session) == 14
    assert len(diary.day(HISTORY)[NAME].nodes) == 15
