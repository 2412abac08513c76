"""What is sent was durable before: one transaction, locked from its start, on the disk itself."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.model.positions import AccountKind
from storage.degraded import LastingJournal, open_lasting_journal
from storage.journal import open_journal


@pytest.fixture
def lives(sim: Callable[[str], ModuleType]) -> ModuleType:
    return sim("lives")


class Spied(sqlite3.Connection):
    """Keeps what is executed."""

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*values, **named)
        self.statements: list[str] = []

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        self.statements.append(sql)
        return super().execute(sql, *values)


class Life:
    """One life on a paper account's real file; what each send found there, and how it was written."""

    def __init__(self, lives: ModuleType, path: Path, number: int) -> None:
        self.seen: list[tuple[str, str]] = []
        self.transactions: list[list[str]] = []

        def open_spied(path: Path) -> LastingJournal:
            journal = open_lasting_journal(path, lives.ACCOUNT, AccountKind.PAPER, factory=Spied)
            journal.commit([lives.JournalRow("meta", {"k": "initial_cash", "v": str(lives.CASH)})], ())
            return journal

        stage = lives.Stage(path, lives.LIVES[number], open_spied, None, AccountKind.PAPER)
        check = stage.sends

        def sends(orders: Any) -> None:
            check(orders)
            with sqlite3.connect(path) as second:
                for order in orders:
                    cid = order.client_order_id
                    found = second.execute("SELECT state FROM ord WHERE cid = ?", (cid,)).fetchone()
                    self.seen.append((cid[-3:], str(found and found[0])))
            second.close()
            self.transactions = transactions_of(stage.journal._connection.statements)

        stage.sends = sends
        asyncio.run(stage.run())
        self.faults = stage.faults


def transactions_of(statements: list[str]) -> list[list[str]]:
    """Statements between BEGIN and COMMIT."""
    found: list[list[str]] = []
    for sql in statements:
        if sql.startswith("BEGIN"):
            found.append([])
        if found:
            found[-1].append(sql)
    return found


@pytest.mark.parametrize(
    ("number", "sent"),
    [
        (0, ["E00", "S00", "T00"]),
        (2, ["E00", "S00", "T00", "S01", "T01"]),
        (4, ["E00", "S00", "T00", "X00"]),
        (8, ["E00", "S00", "S01", "S02"]),
    ],
)
def test_every_intent_is_readable_by_another_connection_when_its_order_is_sent(
    number: int, sent: list[str], lives: ModuleType, tmp_path: Path
) -> None:
    life = Life(lives, tmp_path / "journal.db", number)
    assert [role for role, _ in life.seen] == sent
    assert {state for _, state in life.seen} == {"sending"}
    assert life.faults == []


def test_approval_bracket_orders_and_audit_are_one_transaction(lives: ModuleType, tmp_path: Path) -> None:
    life = Life(lives, tmp_path / "journal.db", 0)
    last = life.transactions[-1]
    assert last[0] == "BEGIN IMMEDIATE"
    assert last[last.index("COMMIT") :] == ["COMMIT"] or last[last.index("COMMIT") + 1].startswith("SELECT")
    written = {sql.split()[2].split("(")[0] for sql in last if sql.startswith("INSERT")}
    assert {"ticket", "nonce", "bracket", "ord", "audit"} <= written
    assert sum(sql.startswith("INSERT INTO ord") for sql in last) == 3


@pytest.mark.parametrize("kind", [AccountKind.PAPER, AccountKind.LIVE])
def test_accounts_of_value_wait_for_the_disk(kind: AccountKind, tmp_path: Path) -> None:
    with open_journal(tmp_path / "journal.db", "a", kind) as journal:
        full = journal._connection.execute("PRAGMA synchronous").fetchone()[0]
        mode = journal._connection.execute("PRAGMA journal_mode").fetchone()[0]
    assert (full, mode) == (2, "wal")
