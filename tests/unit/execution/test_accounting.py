"""The books of a journal agree with its audit log, its orders and its trades, or say where they do not."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.execution.accounting import disagreements
from engine.model.positions import AccountKind
from engine.ports import JournalRow
from storage.journal import SqliteJournal, open_journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    with open_journal(tmp_path / "journal.db", "SIM-1", AccountKind.SIMULATION) as found:
        yield found


@pytest.fixture
async def kept(rig: Any, journal: SqliteJournal, world: ModuleType) -> Any:
    """A rig on a real journal, with one trade that ended at its target and one that is held."""
    rig.journal = journal
    rig._boot()
    booth = world.Booth(rig)
    for number, instrument in ((1, world.ABC), (2, "XYZ.US")):
        entry = booth.propose(number, instrument=instrument)
        assert booth.approve(entry, f"n{number}").ok
        await rig.settle()
        bracket = rig.now(entry.ticket.id)
        rig.venue.fill(bracket.entry.id)
        await rig.settle()
        if number == 1:
            rig.venue.fill(bracket.legs[2].id, price="106")
            await rig.settle()
    return rig


def change(journal: SqliteJournal, sql: str) -> None:
    journal._connection.execute(sql)


async def test_what_was_traded_agrees(kept: Any, journal: SqliteJournal) -> None:
    assert len(journal.rows("fill")) == 3
    assert disagreements(journal) == ()


@pytest.mark.parametrize(
    ("column", "value"),
    [("px", "106.01"), ("qty", "11"), ("fee", "0.02"), ("side", "buy"), ("ts_us", 7), ("cid", "tdX")],
)
async def test_a_changed_fill_is_held_against_the_log(
    kept: Any, journal: SqliteJournal, column: str, value: str | int
) -> None:
    sold = next(row for row in journal.rows("fill") if row["side"] == "sell")
    if column == "cid":
        value = next(row["cid"] for row in journal.rows("fill") if row["cid"] != sold["cid"])  # type: ignore[assignment]
    key = {"venue": sold["venue"], "exec_id": sold["exec_id"]}
    journal.commit([JournalRow("fill", {**key, column: value})], [])
    found = disagreements(journal)
    assert found[0].startswith(f"fill {sold['exec_id']}: {column} is {value}, the audit log says")


async def test_the_same_number_written_otherwise_is_the_same(kept: Any, journal: SqliteJournal) -> None:
    change(journal, "UPDATE fill SET px = px || '.00' WHERE px NOT LIKE '%.%'")
    assert disagreements(journal) == ()


async def test_a_fill_that_the_log_does_not_tell_is_named(kept: Any, journal: SqliteJournal) -> None:
    columns = "cid, correlation, instrument, side, qty, px, fee, ts_us FROM fill LIMIT 1"
    change(journal, f"INSERT INTO fill SELECT venue, 'forged', {columns}")
    assert "fill forged is not in the audit log" in disagreements(journal)


async def test_a_fill_that_was_removed_is_missed(kept: Any, journal: SqliteJournal) -> None:
    gone = str(journal.rows("fill")[0]["exec_id"])
    change(journal, f"DELETE FROM fill WHERE exec_id = '{gone}'")  # noqa: S608 - an id of this test
    assert f"fill {gone} of the audit log is missing" in disagreements(journal)


async def test_an_order_that_counts_otherwise_than_its_executions_is_named(
    kept: Any, journal: SqliteJournal
) -> None:
    change(journal, "UPDATE ord SET cum = '9' WHERE role = 'E'")
    found = disagreements(journal)
    assert len(found) == 2
    assert all("9 filled, its executions say 10" in text for text in found)
    change(journal, "UPDATE ord SET cum = '11' WHERE role = 'E'")
    (only,) = disagreements(journal)
    assert "11 filled, its executions say 10" in only


async def test_a_stored_profit_that_the_fills_do_not_give_is_named(kept: Any, journal: SqliteJournal) -> None:
    change(journal, "UPDATE round_trip SET pnl = '60.98'")
    assert disagreements(journal) == ("B-1: stored profit 60.98, its fills say 59.98",)
    change(journal, "UPDATE bracket SET missing = '1'")
    assert disagreements(journal) == ()
