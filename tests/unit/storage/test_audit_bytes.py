"""No byte of the audit log can be changed, no row removed, moved or added, without its place being named."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from engine.model.positions import AccountKind
from engine.ports import AuditEntry
from storage.audit import FIRST_PREVIOUS, chain, row_text, verify_rows
from storage.journal import open_journal

ROWS = 5
CLASSES = (b"7", b"q", b"Q", b" ", b'"', b"\\", b"}", b"\x00", b"\x1b", b"\xc3", b"\xff")
"""One byte of each class: digit, letters, space, JSON's own, control, half a character, none at all."""
TEXTS = ("actor", "kind", "correlation", "body", "prev", "h")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A log of five rows without its triggers, as somebody with the file in hand has it."""
    path = tmp_path / "journal.db"
    with open_journal(path, "paper", AccountKind.PAPER) as journal:
        for number in range(1, ROWS + 1):
            body = {"px": "8.37", "n": number, "name": "Zoë"}
            journal.commit([], [AuditEntry(number, "ann on pts/1", "fill", "01C", body)])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for trigger in ("audit_no_update", "audit_no_delete"):
            connection.execute(f"DROP TRIGGER {trigger}")
        yield connection


@contextmanager
def tampered(log: sqlite3.Connection) -> Iterator[None]:
    log.execute("BEGIN")
    try:
        yield
    finally:
        log.execute("ROLLBACK")


@pytest.mark.parametrize("seq", [1, 3, ROWS])
@pytest.mark.parametrize("column", TEXTS)
def test_every_byte_of_every_column_counts(log: sqlite3.Connection, column: str, seq: int) -> None:
    select = f"SELECT CAST({column} AS BLOB) FROM audit WHERE seq = ?"  # noqa: S608 - of the list above
    (stored,) = log.execute(select, (seq,)).fetchone()
    changed = 0
    for place in range(len(stored)):
        for byte in CLASSES:
            if stored[place : place + 1] == byte:
                continue
            forged = stored[:place] + byte + stored[place + 1 :]
            with tampered(log):
                update = f"UPDATE audit SET {column} = CAST(? AS TEXT) WHERE seq = ?"  # noqa: S608 - as above
                log.execute(update, (forged, seq))
                verdict = verify_rows(log)
            assert (verdict.first_broken_seq, verdict.rows) == (seq, seq - 1), (column, place, byte)
            changed += 1
    assert changed >= len(stored) * (len(CLASSES) - 1)


@pytest.mark.parametrize("column", TEXTS)
def test_a_byte_added_or_taken_is_found(log: sqlite3.Connection, column: str) -> None:
    for change in (f"{column} || ' '", f"' ' || {column}", f"substr({column}, 2)", "''"):
        with tampered(log):
            log.execute(f"UPDATE audit SET {column} = {change} WHERE seq = 3")  # noqa: S608 - as above
            assert verify_rows(log).first_broken_seq == 3, change


@pytest.mark.parametrize("ts", [0, -3, 4, 1 << 40])
def test_a_changed_time_is_found(log: sqlite3.Connection, ts: int) -> None:
    with tampered(log):
        log.execute("UPDATE audit SET ts_us = ? WHERE seq = 3", (ts,))
        assert verify_rows(log).first_broken_seq == 3


@pytest.mark.parametrize("seq", range(1, ROWS))
def test_a_deleted_row_is_found(log: sqlite3.Connection, seq: int) -> None:
    with tampered(log):
        log.execute("DELETE FROM audit WHERE seq = ?", (seq,))
        assert verify_rows(log).first_broken_seq == seq


@pytest.mark.parametrize("seq", range(1, ROWS))
def test_a_deleted_row_whose_place_is_closed_is_found(log: sqlite3.Connection, seq: int) -> None:
    with tampered(log):
        log.execute("DELETE FROM audit WHERE seq = ?", (seq,))
        log.execute("UPDATE audit SET seq = -seq WHERE seq > ?", (seq,))
        log.execute("UPDATE audit SET seq = -seq - 1 WHERE seq < 0")
        assert verify_rows(log).first_broken_seq == seq


@pytest.mark.parametrize(("one", "other"), [(1, 2), (2, 4), (4, 5), (1, 5)])
def test_two_rows_that_changed_places_are_found(log: sqlite3.Connection, one: int, other: int) -> None:
    with tampered(log):
        for before, after in ((one, -1), (other, one), (-1, other)):
            log.execute("UPDATE audit SET seq = ? WHERE seq = ?", (after, before))
        assert verify_rows(log).first_broken_seq == min(one, other)


@pytest.mark.parametrize("seq", [0, 6, 9])
def test_a_row_added_without_its_hash_is_found(log: sqlite3.Connection, seq: int) -> None:
    with tampered(log):
        log.execute(
            "INSERT INTO audit SELECT ?, ts_us, actor, kind, correlation, body, prev, h FROM audit"
            " WHERE seq = 5",
            (seq,),
        )
        assert verify_rows(log).first_broken_seq == (1 if seq == 0 else 6)


def test_rows_cut_off_or_written_anew_leave_a_whole_chain_that_only_an_anchored_head_tells(
    log: sqlite3.Connection,
) -> None:
    head = verify_rows(log).head
    with tampered(log):
        log.execute("DELETE FROM audit WHERE seq > 3")
        cut = verify_rows(log)
        assert (cut.ok, cut.rows) == (True, 3)
        assert cut.head != head
    with tampered(log):
        previous = FIRST_PREVIOUS
        for seq in range(1, ROWS + 1):
            text = row_text(seq, seq, "bob", "fill", "", "{}")
            forged = (text, previous, chain(previous, text))
            log.execute(
                "UPDATE audit SET actor = 'bob', correlation = '', body = '{}', prev = ?, h = ?"
                " WHERE seq = ?",
                (*forged[1:], seq),
            )
            previous = forged[2]
        anew = verify_rows(log)
        assert (anew.ok, anew.rows) == (True, ROWS)
        assert anew.head != head
