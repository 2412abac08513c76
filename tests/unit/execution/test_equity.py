"""The account's value over time: which points are kept, for how long, and that a restart knows them again."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.clock import US_PER_S
from engine.errors import StorageError
from engine.execution.equity import DAY_US, MINUTE_US, EquityRecord, Point, Tier
from engine.model.commands import Actor, ReleaseBreaker
from engine.model.market import MarketBatch, SessionPhase
from engine.ports import JournalRow
from engine.risk.drawdown import Drawdown

MONDAY = date(2016, 1, 4)
NOON_US = int(datetime(2016, 1, 4, 12, tzinfo=UTC).timestamp()) * US_PER_S
ZERO = Decimal(0)


@pytest.fixture
def booth(world: Any, rig: Any) -> Any:
    """The risk book of an account of 100,000 that begins on a Monday's opening."""
    return world.Booth(rig)


@pytest.fixture
def make(world: Any) -> Callable[..., EquityRecord]:
    """A record on a journal; an account of 1,000 whose first mark was at noon."""

    def build(journal: Any = None, high: str = "1000", zone: Any = UTC) -> EquityRecord:
        record = EquityRecord(journal or world.FakeJournal(), zone)
        record.restore(Point(NOON_US, Decimal(1000), Decimal(1000)), Decimal(high))
        return record

    return build


def at(booth: Any, us: int, equity: str | None = None, phase: SessionPhase | None = None) -> None:
    """An instant is handled, so long after the last; the account is worth so much, all of it cash."""
    rig = booth.rig
    if equity is not None:
        rig.books._cash += Decimal(equity) - rig.books.cash
    rig.clock.advance_to(rig.clock.now_us() + us)
    booth.risk.finish(MarketBatch(rig.clock.now_us(), session=MONDAY, phase=phase))


def point(minute: float, equity: str = "1000", paid_in: str = "1000") -> Point:
    return Point(NOON_US + round(minute * MINUTE_US), Decimal(equity), Decimal(paid_in))


def note(record: EquityRecord, point: Point, high: str = "1000", ratio: str = "0") -> list[JournalRow]:
    return record.note(point, Drawdown(Decimal(high), ratio=Decimal(ratio)))


def tiers(rows: list[JournalRow]) -> list[str]:
    return [str(row.values["tier"]) for row in rows if row.table == "equity"]


def values(record: EquityRecord) -> list[int]:
    return [int(found.equity) for found in record.points()]


async def test_a_curve_begins_with_what_was_paid_in_and_ends_with_the_last_mark(booth: Any) -> None:
    began = booth.rig.clock.now_us()
    at(booth, 0, "99990", SessionPhase.OPEN)
    at(booth, MINUTE_US, "100100")
    record = booth.risk.record
    assert record.started_us == began
    assert [int(p.equity) for p in record.points()][-1] == 100_100
    assert [int(p.equity) for p in record.days()] == [100_000]


async def test_at_most_one_point_a_minute_beside_openings_and_closes(booth: Any) -> None:
    at(booth, MINUTE_US, "100001", SessionPhase.OPEN)
    for equity in range(100_002, 100_012):
        at(booth, 10 * US_PER_S, str(equity))
    at(booth, US_PER_S, "100020", SessionPhase.CLOSE)
    assert [int(p.equity) for p in booth.risk.record.points()] == [100_000, 100_001, 100_007, 100_020]


async def test_points_ride_along_with_the_commit_of_the_mark(booth: Any) -> None:
    commits = booth.rig.journal.commits
    at(booth, 7 * MINUTE_US, "101000", SessionPhase.OPEN)
    assert booth.rig.journal.commits == commits + 1
    assert {row["tier"] for row in booth.rig.journal.rows("equity")} == {"start", "five", "minute"}


async def test_a_restart_knows_every_point_and_the_extremes(booth: Any) -> None:
    for equity in ("100000", "104000", "98800", "99000"):
        at(booth, 4 * MINUTE_US, equity)
    before = booth.risk.record
    booth.boot()
    after = booth.risk.record
    assert after.points() == before.points()
    assert (after.worst, after.worst_us) == (before.worst, before.worst_us)
    assert after.worst == 1 - Decimal(98_800) / Decimal(104_000)
    assert (after.high_us, after.started_us) == (before.high_us, before.started_us)
    assert after.points()[2].ts == after.high_us


async def test_a_position_without_a_price_leaves_no_point(booth: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(booth.rig.books, "equity", lambda *_: None)
    at(booth, MINUTE_US)
    assert booth.rig.journal.rows("equity") == []
    assert len(booth.risk.record.points()) == 1


async def test_what_is_paid_in_stands_beside_the_value(booth: Any) -> None:
    at(booth, MINUTE_US, "100000")
    booth.rig.books.settle(Decimal(5_000))
    at(booth, MINUTE_US)
    last = booth.risk.record.points()[-1]
    assert (last.equity, last.paid_in) == (Decimal(105_000), Decimal(105_000))


async def test_a_deposit_before_the_first_mark_is_no_profit(booth: Any) -> None:
    booth.rig.books.settle(Decimal(5_000))
    booth.boot()
    assert booth.risk.record.points() == (
        Point(booth.rig.clock.now_us(), Decimal(105_000), Decimal(105_000)),
    )


def test_minutes_of_a_day_then_five_minutes_then_days(make: Callable[..., EquityRecord]) -> None:
    record = make()
    for minute in range(1, 3 * 1440 + 1):
        note(record, point(minute, str(1000 + minute)))
    found = record.points()
    steps = [(later.ts - sooner.ts) // MINUTE_US for sooner, later in pairwise(found)]
    assert found[-1].ts == NOON_US + 3 * DAY_US
    assert set(steps[:-1440]) <= {1, 4, 5}
    assert steps[-1439:] == [1] * 1439
    assert len(found) < 1440 + 2 * 288 + 8


def test_after_thirty_days_one_a_day_is_left(make: Callable[..., EquityRecord]) -> None:
    record = make()
    for hour in range(1, 40 * 24):
        note(record, point(60 * hour, str(1000 + hour)))
    old = [found for found in record.points() if found.ts < record.points()[-1].ts - 30 * DAY_US]
    # The start, and the last hour before each midnight.
    assert [(found.ts - NOON_US) // MINUTE_US // 60 for found in old] == [0, *range(11, 240, 24)]


def test_the_journal_stays_bounded(make: Callable[..., EquityRecord], world: Any) -> None:
    journal = world.FakeJournal()
    record = make(journal)
    for minute in range(1, 60 * 1440, 7):
        journal.commit(note(record, point(minute)), ())
    found = [row["tier"] for row in journal.rows("equity")]
    assert found.count("start") == 1
    assert found.count("minute") <= 1440
    assert found.count("five") <= 8640
    assert found.count("day") == 60
    assert make(journal).points() == record.points()


def test_the_last_of_five_minutes_and_of_a_day_is_written_when_it_is_over(
    make: Callable[..., EquityRecord],
) -> None:
    record = make()
    assert tiers(note(record, point(1))) == ["minute", "start"]
    assert tiers(note(record, point(2))) == ["minute"]
    assert tiers(note(record, point(6))) == ["minute", "five"]
    assert tiers(note(record, point(12 * 60))) == ["minute", "five", "day"]
    assert record.finished_days == 1


def test_a_day_ends_at_midnight_of_its_account(make: Callable[..., EquityRecord]) -> None:
    record = make(zone=ZoneInfo("America/New_York"))
    note(record, point(12 * 60))
    assert record.finished_days == 0
    note(record, point(17 * 60))
    assert record.finished_days == 1


def test_the_time_of_the_high_is_when_it_was_first_reached(make: Callable[..., EquityRecord]) -> None:
    record = make()
    note(record, point(1, "990"), "1000", "0.01")
    assert record.high_us is None
    note(record, point(2, "1010"), "1010")
    note(record, point(3, "1010"), "1010")
    assert record.high_us == point(2).ts
    note(record, point(4, "1010", "1100"), "1110", "0.09")
    assert record.high_us == point(2).ts, "a deposit lifts the high and reaches none"
    note(record, point(5, "1100", "1000"), "1100", "0")
    assert record.high_us == point(5).ts


def test_a_release_counts_the_high_anew(make: Callable[..., EquityRecord]) -> None:
    record = make()
    note(record, point(1, "1000"), "1000")
    note(record, point(2, "840"), "1000", "0.16")
    note(record, point(3, "835"), "838", "0.0035")
    assert record.high_us == point(3).ts
    assert (record.worst, record.worst_us) == (Decimal("0.16"), point(2).ts)


async def test_a_release_by_a_person_is_seen_with_the_next_mark(booth: Any) -> None:
    at(booth, MINUTE_US, "100000")
    at(booth, MINUTE_US, "84000")
    assert booth.risk.release(ReleaseBreaker(Actor("nina", "pts/7"), "SIM-1")).ok
    at(booth, MINUTE_US, "83900")
    assert booth.risk.record.high_us == booth.rig.clock.now_us()
    assert booth.risk.record.worst == Decimal("0.16")


@pytest.mark.parametrize("column", ["equity", "paid_in"])
@pytest.mark.parametrize("bad", ["NaN", "Infinity", "much"])
def test_a_stored_value_that_makes_no_sense_stops_the_start(
    make: Callable[..., EquityRecord], world: Any, column: str, bad: str
) -> None:
    journal = world.FakeJournal()
    journal.commit(note(make(journal), point(1)), ())
    journal.tables["equity"][("minute", NOON_US // MINUTE_US % 1440 + 1)][column] = bad
    with pytest.raises(StorageError, match="account values make no sense"):
        make(journal)


def test_a_stored_time_that_makes_no_sense_stops_the_start(
    make: Callable[..., EquityRecord], world: Any
) -> None:
    journal = world.FakeJournal()
    journal.commit([JournalRow("meta", {"k": "equity_high_us", "v": "noon"})], ())
    with pytest.raises(StorageError, match="account values make no sense"):
        make(journal)


def test_a_record_that_nobody_restored_begins_with_its_first_point(world: Any) -> None:
    record = EquityRecord(world.FakeJournal(), UTC)
    assert (record.points(), record.days(), record.started_us) == ((), (), None)
    assert tiers(note(record, point(1))) == ["minute", "start"]
    assert record.points() == record.days() == (point(1),)


@given(st.lists(st.tuples(st.floats(1, 2000), st.integers(1, 2000)), min_size=1, max_size=80))
def test_points_are_in_order_and_the_last_is_the_newest(steps: list[tuple[float, int]]) -> None:
    class NoRows:
        def rows(self, table: str, **equal: str) -> tuple[()]:
            return ()

        def meta(self, key: str) -> None:
            return None

    record = EquityRecord(NoRows(), UTC)  # type: ignore[arg-type]
    record.restore(point(0), Decimal(1000))
    minute = 0.0
    for step, equity in steps:
        minute += step
        note(record, point(minute, str(equity)), "2000")
    found = record.points()
    assert [p.ts for p in found] == sorted({p.ts for p in found})
    assert found[0] == point(0)
    assert found[-1] == point(minute, str(steps[-1][1]))
    assert set(record.days()) <= set(found)


def test_every_tier_has_rows_of_its_own() -> None:
    assert [tier.value for tier in Tier] == ["start", "day", "five", "minute"]
