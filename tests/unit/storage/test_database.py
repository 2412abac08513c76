"""Transactions and schema scripts."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from engine.errors import InvariantBroken
from storage.database import Schema, Synchronous, open_for_reading, open_for_writing, transaction

SCHEMA = Schema("test file", 0x1234, ("CREATE TABLE t(x INT); -- one; two\nCREATE TABLE u(x INT);",))


def test_transaction_holds_the_write_lock_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with (
        closing(open_for_writing(path, SCHEMA, Synchronous.NORMAL)) as first,
        closing(open_for_writing(path, SCHEMA, Synchronous.NORMAL, busy_timeout_s=0)) as second,
        transaction(first),
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        second.execute("BEGIN IMMEDIATE")


def test_transaction_left_by_an_error_is_undone(tmp_path: Path) -> None:
    with closing(open_for_writing(tmp_path / "a.db", SCHEMA, Synchronous.NORMAL)) as connection:

        def write_and_stop() -> None:
            with transaction(connection):
                connection.execute("INSERT INTO t VALUES (1)")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_and_stop()
        assert not connection.in_transaction
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)


def test_reader_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    open_for_writing(path, SCHEMA, Synchronous.NORMAL).close()
    with (
        closing(open_for_reading(path, SCHEMA)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("INSERT INTO t VALUES (1)")


def test_script_that_ends_inside_a_statement_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    broken = Schema("test file", 0x1234, ("CREATE TABLE t(x INT);\nCREATE TABLE u(",))
    with pytest.raises(InvariantBroken, match="ends inside"):
        open_for_writing(path, broken, Synchronous.NORMAL)
    with closing(open_for_writing(path, SCHEMA, Synchronous.NORMAL)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_file_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.touch(mode=0o644)
    open_for_writing(path, SCHEMA, Synchronous.NORMAL).close()
    assert path.stat().st_mode & 0o777 == 0o600
