"""The exchange calendar: half days, holidays, the file it is kept in, and where it ends."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from engine.errors import DataError, UsageError
from engine.sources.sessions import ExchangeSessions

TODAY = date(2026, 11, 20)


def utc(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).isoformat(timespec="minutes")


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (date(2016, 1, 4), "2016-01-04T14:30+00:00", "2016-01-04T21:00+00:00"),
        (date(2016, 7, 5), "2016-07-05T13:30+00:00", "2016-07-05T20:00+00:00"),
        (date(2015, 11, 27), "2015-11-27T14:30+00:00", "2015-11-27T18:00+00:00"),
        (date(2026, 11, 27), "2026-11-27T14:30+00:00", "2026-11-27T18:00+00:00"),
    ],
)
def test_opens_and_closes_are_utc_and_half_days_are_known(
    sessions: ExchangeSessions, day: date, opens: str, closes: str
) -> None:
    session = sessions.on(day)
    assert session is not None
    assert (session.day, utc(session.open_us), utc(session.close_us)) == (day, opens, closes)


def test_between_includes_both_ends_and_skips_holidays(sessions: ExchangeSessions) -> None:
    days = [session.day for session in sessions.between(date(2016, 1, 15), date(2016, 1, 20))]
    assert days == [date(2016, 1, 15), date(2016, 1, 19), date(2016, 1, 20)]
    assert sessions.between(date(2016, 1, 16), date(2016, 1, 18)) == []
    assert sessions.between(date(2016, 1, 20), date(2016, 1, 19)) == []
    assert sessions.between(date(2001, 9, 11), date(2001, 9, 14)) == []


def test_next_after_is_the_session_that_is_on_or_comes_next(sessions: ExchangeSessions) -> None:
    monday = sessions.require(date(2016, 1, 4))
    tuesday = sessions.require(date(2016, 1, 5))
    assert sessions.next_after(monday.open_us - 1) == monday
    assert sessions.next_after(monday.close_us - 1) == monday
    assert sessions.next_after(monday.close_us) == tuesday
    last = sessions.between(date(2027, 12, 1), date(2027, 12, 31))[-1]
    assert sessions.next_after(last.close_us) is None


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2016, 1, 18), ["Monday", "2016-01-15 and 2016-01-19"]),
        (date(2016, 1, 3), ["Sunday", "2015-12-31 and 2016-01-04"]),
        (date(1990, 1, 1), ["Monday", "1989-12-29 and 1990-01-02"]),
        (date(2030, 1, 2), ["2027-12-31", "an earlier day"]),
    ],
)
def test_a_day_without_session_names_the_nearest(
    sessions: ExchangeSessions, day: date, words: list[str]
) -> None:
    with pytest.raises(UsageError) as raised:
        sessions.require(day)
    assert all(word in str(raised.value) for word in [str(day), *words])
    assert raised.value.exit_code == 2


def test_earlier_years_come_when_asked_for(calendar_cache: Path) -> None:
    calendar = ExchangeSessions(calendar_cache, TODAY)
    assert calendar.on(date(1975, 7, 4)) is None
    assert calendar.on(date(1975, 7, 3)) is not None
    assert calendar.on(date(1801, 1, 5)) is None
    assert calendar.require(date(2016, 1, 4)).day == date(2016, 1, 4)


def test_calendar_warns_when_it_no_longer_reaches_a_year_ahead(sessions: ExchangeSessions) -> None:
    assert sessions.horizon == date(2027, 12, 31)
    assert sessions.horizon_warning(TODAY) is None
    assert sessions.horizon_warning(date(2026, 12, 31)) is None
    warning = sessions.horizon_warning(date(2027, 1, 1))
    assert warning is not None
    assert "2027-12-31" in warning


def test_a_later_start_reads_the_file_and_imports_nothing(
    sessions: ExchangeSessions, calendar_cache: Path
) -> None:
    assert sessions.on(date(2016, 1, 4)) is not None
    code = (
        "import sys; from datetime import date; from pathlib import Path\n"
        "from engine.sources.sessions import ExchangeSessions\n"
        f"calendar = ExchangeSessions(Path({str(calendar_cache)!r}), date(2026, 11, 20))\n"
        "assert len(calendar.between(date(2015, 1, 1), date(2015, 12, 31))) == 252\n"
        "assert not {'pandas', 'exchange_calendars'} & set(sys.modules), 'imported'\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"days":[1],"opens":[],"closes":[1]}'])
def test_a_damaged_file_is_made_anew(tmp_path: Path, content: str) -> None:
    day = date(2016, 1, 4)
    good = ExchangeSessions(tmp_path, TODAY).on(day)
    (kept,) = tmp_path.iterdir()
    kept.write_text(content)
    assert ExchangeSessions(tmp_path, TODAY).on(day) == good
    assert list(tmp_path.iterdir()) == [kept]
    assert set(json.loads(kept.read_text())) == {"days", "opens", "closes"}


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        ExchangeSessions(blocked, TODAY)


def test_generated_bars_lie_on_real_sessions(sessions: ExchangeSessions, generated_market) -> None:  # type: ignore[no-untyped-def]
    days = [session.day for session in sessions.between(generated_market.days[0], generated_market.days[-1])]
    assert tuple(days) == generated_market.days
