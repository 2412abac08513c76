"""The order journal: the only truth of an account, written by one process (RELIABILITY 5.1).

Columns are listed in `storage.journal_schema`; `JournalRow` upserts name them and are checked against them.
"""

import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from engine.errors import ConfigError, InvariantBroken, StorageError
from engine.metrics import Timings
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow
from storage.audit import FIRST_PREVIOUS, AuditVerdict, canonical, chain, row_text, verify_rows
from storage.database import (
    BUSY_TIMEOUT_S,
    Synchronous,
    open_for_reading,
    open_for_writing,
    storage_errors,
    transaction,
)
from storage.journal_schema import JOURNAL

AUDIT = "audit"
TAIL_ROWS = 10_000
"""How many of the newest audit rows are checked at each start (RELIABILITY 7)."""
IDENTITY = frozenset({"schema_version", "account_id", "kind", "instance_uuid", "epoch"})
"""Keys of `meta` that only opening the journal may write."""

_TIMES = {
    "ticket": "created_us",
    "bracket": "t_open_us",
    "ord": "first_send_us",
    "fill": "ts_us",
    "nonce": "used_us",
    "round_trip": "exit_us",
    "audit": "ts_us",
}
"""The column that says when a row of a table happened."""

Value = str | int | None


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """One of a schema; there is one object for each, see `_read_tables`."""

    name: str
    columns: frozenset[str]
    key: tuple[str, ...]
    blank: Mapping[str, Value]
    """A row of which nothing was set: each column with its default."""


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One row that carries a correlation id. `ts` is int microseconds UTC, None where the row has no time."""

    ts: int | None
    table: str
    values: Mapping[str, Value]


class JournalReader:
    """Reads a journal; what the commands use while a daemon owns it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection
        with storage_errors(path, "opening the order journal"):
            self._tables = _read_tables(connection)

    def rows(self, table: str, **equal: str) -> tuple[Mapping[str, Value], ...]:
        """A table in key order: all of it, or the rows whose columns have these texts.

        Raises InvariantBroken for a table or a column that the journal does not have.
        """
        known = self._table(table)
        if not equal.keys() <= known.columns:
            raise InvariantBroken(f"the journal's table {table!r} has no column {sorted(equal)}")
        where = f" WHERE {' AND '.join(f'{name} = ?' for name in equal)}" if equal else ""
        sql = f"SELECT * FROM {known.name}{where} ORDER BY {_list(known.key)}"  # noqa: S608
        return self._select(sql, tuple(equal.values()))

    def audit(self, correlation: str | None = None) -> tuple[Mapping[str, str | int], ...]:
        """Lines of the audit log in order: all, or those of one correlation id."""
        # The index leaves lines of no candidate out, and is only used where the query says so too.
        named = " AND correlation <> ''" if correlation else ""
        where, values = (
            ("", ()) if correlation is None else (f" WHERE correlation = ?{named}", (correlation,))
        )
        found = self._select(f"SELECT * FROM {AUDIT}{where} ORDER BY seq", values)  # noqa: S608
        return tuple(
            {key: value for key, value in row.items() if value is not None} for row in found
        )  # its columns are NOT NULL

    def audit_page(self, before: int | None, count: int) -> tuple[Mapping[str, str | int], ...]:
        """The newest `count` lines of the audit log, newest first; `before`: with lower numbers only."""
        where, values = ("", ()) if before is None else (" WHERE seq < ?", (before,))
        sql = f"SELECT * FROM {AUDIT}{where} ORDER BY seq DESC LIMIT ?"  # noqa: S608
        found = self._select(sql, (*values, count))
        return tuple({key: value for key, value in row.items() if value is not None} for row in found)

    def meta(self, key: str) -> str | None:
        """A value of the `meta` table; None where it was never set."""
        found = self._select("SELECT v FROM meta WHERE k = ?", (key,))
        return None if not found else _text(found[0]["v"])

    def latest_us(self) -> int | None:
        """When the newest audit line was written, int microseconds UTC; None for an empty log."""
        found = self._select("SELECT ts_us FROM audit ORDER BY seq DESC LIMIT 1")
        return None if not found else int(found[0]["ts_us"] or 0)

    def head(self) -> tuple[int, str]:
        """Number and hash of the newest audit line: kept elsewhere too, it shows a log that was cut short."""
        found = self._select("SELECT seq, h FROM audit ORDER BY seq DESC LIMIT 1")
        return (int(found[0]["seq"] or 0), str(found[0]["h"])) if found else (0, FIRST_PREVIOUS)

    def verify(self, last: int | None = None) -> AuditVerdict:
        """Check the audit chain: all of it, or the newest `last` rows."""
        with storage_errors(self.path, "checking the audit log"):
            return verify_rows(self._connection, last)

    def trace(self, identifier: str) -> tuple[TraceLine, ...]:
        """Every row and audit line of one candidate, by time; at one instant the audit lines come last.

        `identifier`: a correlation id, or the id of a ticket or an order. Empty when nothing carries it.
        """
        correlation = self._correlation_of(identifier)
        lines = []
        for name, table in self._tables.items():
            if "correlation" in table.columns:
                sql = f"SELECT * FROM {name} WHERE correlation = ? ORDER BY {_list(table.key)}"  # noqa: S608
                for row in self._select(sql, (correlation,)):
                    ts = row.get(_TIMES.get(name, ""))
                    lines.append(TraceLine(ts if isinstance(ts, int) else None, name, row))
        return tuple(sorted(lines, key=lambda line: (line.ts or 0, line.table == AUDIT)))

    def close(self) -> None:
        """Close the file; SQLite folds its write-ahead log in."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _correlation_of(self, identifier: str) -> str:
        found = self._select(
            "SELECT correlation FROM ticket WHERE id = ? UNION SELECT correlation FROM ord WHERE cid = ?",
            (identifier, identifier),
        )
        return (_text(found[0]["correlation"]) or identifier) if found else identifier

    def _table(self, name: str) -> _Table:
        table = self._tables.get(name)
        if table is None:
            raise InvariantBroken(f"the order journal has no table {name!r}")
        return table

    def _select(self, sql: str, values: Sequence[Value] = ()) -> tuple[Mapping[str, Value], ...]:
        with storage_errors(self.path, "reading the order journal"):
            cursor = self._connection.execute(sql, values)
            names = [column[0] for column in cursor.description]
            return tuple(dict(zip(names, row, strict=True)) for row in cursor)


class SqliteJournal(JournalReader):
    """The one writer. `engine.ports.Journal`."""

    def __init__(self, connection: sqlite3.Connection, path: Path, epoch: int) -> None:
        super().__init__(connection, path)
        self.epoch = epoch
        self.writes = Timings(time.perf_counter)
        """How long transactions took, and how many were refused: for a person, nothing is decided by it."""

    def commit(
        self, rows: Sequence[JournalRow], audit: Sequence[AuditEntry], protective: bool = False
    ) -> None:
        """Upsert `rows` and append `audit` in one durable transaction.

        Raises StorageError, InvariantBroken for values that break the schema; nothing is written then. What
        is `protective` is written or refused like all else here: `storage.degraded` keeps it.
        """
        upserts, bodies = self._prepare(rows, audit)
        with (
            self.writes.measured(),
            storage_errors(self.path, "writing the order journal"),
            transaction(self._connection),
        ):
            self._check_epoch()
            for sql, values in upserts:
                self._connection.execute(sql, values)
            if audit:
                self._append(audit, bodies)

    def set_meta(self, key: str, value: str) -> None:
        """Set one value of the `meta` table, durably."""
        self.commit([JournalRow("meta", {"k": key, "v": value})], [])

    def _prepare(
        self, rows: Sequence[JournalRow], audit: Sequence[AuditEntry]
    ) -> tuple[list[tuple[str, tuple[Value, ...]]], list[str]]:
        """Statements of `rows` and texts of `audit`. Raises InvariantBroken for what the schema refuses."""
        for row in rows:
            if row.table == "meta" and row.values.get("k") in IDENTITY:
                raise InvariantBroken(
                    f"the journal's {row.values['k']} is set when it is opened, never later"
                )
        return [self._upsert(row) for row in rows], [canonical(entry.body) for entry in audit]

    def _upsert(self, row: JournalRow) -> tuple[str, tuple[Value, ...]]:
        if row.table == AUDIT:
            raise InvariantBroken("audit lines are entries of a commit, never rows")
        table = self._table(row.table)
        sql = _upsert_of(table, tuple(row.values))
        if missing := [key for key in table.key if row.values.get(key) is None]:
            raise InvariantBroken(f"a row of {table.name} lacks its key {', '.join(missing)}")
        return sql, tuple(row.values.values())

    def _append(self, audit: Sequence[AuditEntry], bodies: Sequence[str]) -> None:
        last = self._connection.execute("SELECT seq, h FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
        seq, head = (0, FIRST_PREVIOUS) if last is None else (int(last[0]), str(last[1]))
        for entry, body in zip(audit, bodies, strict=True):
            seq += 1
            text = row_text(seq, entry.ts, entry.actor, entry.kind, entry.correlation, body)
            previous, head = head, chain(head, text)
            self._connection.execute(
                "INSERT INTO audit (seq, ts_us, actor, kind, correlation, body, prev, h)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (seq, entry.ts, entry.actor, entry.kind, entry.correlation, body, previous, head),
            )

    def _check_epoch(self) -> None:
        found = self._connection.execute("SELECT v FROM meta WHERE k = 'epoch'").fetchone()
        if found is None or found[0] != str(self.epoch):
            raise InvariantBroken(
                f"another process took over {self.path} (epoch {found and found[0]}, ours {self.epoch})"
            )


def open_journal(
    path: Path,
    account: str,
    kind: AccountKind,
    *,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    new_instance: Callable[[], str] = lambda: uuid.uuid4().hex,
    factory: type[sqlite3.Connection] = sqlite3.Connection,
) -> SqliteJournal:
    """Open the journal of one account for writing, making it where it is missing; its epoch rises by one.

    The caller holds the state folder's lock. Commits wait for the disk, except in a simulation. Raises
    StorageError, and ConfigError when the file belongs to another account or another kind of account.
    """
    connection, epoch = connect_journal(
        path, account, kind, busy_timeout_s=busy_timeout_s, new_instance=new_instance, factory=factory
    )
    return opened(connection, path, lambda: SqliteJournal(connection, path, epoch))


T = TypeVar("T", bound=JournalReader)


def opened(connection: sqlite3.Connection, path: Path, make: Callable[[], T]) -> T:
    """What `make` makes of a connection, which is closed when it cannot. Raises StorageError."""
    try:
        with storage_errors(path, "opening the order journal"):
            return make()
    except BaseException:
        connection.close()
        raise


def connect_journal(
    path: Path,
    account: str,
    kind: AccountKind,
    *,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    new_instance: Callable[[], str] = lambda: uuid.uuid4().hex,
    factory: type[sqlite3.Connection] = sqlite3.Connection,
) -> tuple[sqlite3.Connection, int]:
    """The checked connection and its new epoch: what a journal's writer is made of."""
    synchronous = Synchronous.NORMAL if kind is AccountKind.SIMULATION else Synchronous.FULL
    connection = open_for_writing(path, JOURNAL, synchronous, busy_timeout_s=busy_timeout_s, factory=factory)
    try:
        return connection, claim_journal(connection, path, account, kind, new_instance)
    except BaseException:
        connection.close()
        raise


def claim_journal(
    connection: sqlite3.Connection,
    path: Path,
    account: str,
    kind: AccountKind,
    new_instance: Callable[[], str] = lambda: uuid.uuid4().hex,
) -> int:
    """Check whose journal it is and its newest audit lines, and raise its epoch: the new one.

    Raises StorageError, and ConfigError for another account's; nothing is changed then.
    """
    with storage_errors(path, "opening the order journal"), transaction(connection):
        stored: dict[str, str] = dict(connection.execute("SELECT k, v FROM meta"))
        _check_owner(path, stored, account, kind)
        _check_tail(path, connection)
        identity = {
            "schema_version": str(JOURNAL.version),
            "account_id": account,
            "kind": kind.value,
            "instance_uuid": stored.get("instance_uuid") or new_instance(),
            "epoch": str(_epoch(path, stored) + 1),
        }
        connection.executemany("INSERT OR REPLACE INTO meta (k, v) VALUES (?, ?)", identity.items())
    return int(identity["epoch"])


def read_journal(path: Path) -> JournalReader:
    """Open an existing journal for queries, beside the daemon that may own it. Raises StorageError."""
    connection = open_for_reading(path, JOURNAL)
    return opened(connection, path, lambda: JournalReader(connection, path))


def read_meta(path: Path, key: str) -> str | None:
    """A value of the `meta` table, which every version has: also of a journal that is not brought up yet.

    Raises StorageError.
    """
    connection = open_for_reading(path, JOURNAL, least=1)
    with opened(connection, path, lambda: JournalReader(connection, path)) as journal:
        return journal.meta(key)


def verify_audit(path: Path) -> AuditVerdict:
    """Check the whole audit chain of the journal at `path`. Raises StorageError where it cannot be read."""
    with read_journal(path) as journal:
        return journal.verify()


def _check_owner(path: Path, stored: Mapping[str, str], account: str, kind: AccountKind) -> None:
    for key, wanted in (("account_id", account), ("kind", kind.value)):
        found = stored.get(key, wanted)
        if found != wanted:
            raise ConfigError(
                f"{path} belongs to {key.removesuffix('_id')} {found!r}, not {wanted!r}",
                "Use the state folder of this account; nothing was changed",
            )


def _check_tail(path: Path, connection: sqlite3.Connection) -> None:
    verdict = verify_rows(connection, TAIL_ROWS)
    if not verdict.ok:
        raise StorageError(
            f"{path}: audit row {verdict.first_broken_seq} does not fit the chain: the journal was changed",
            "Keep the file, look at it with tradedeck audit verify, and restore the last backup",
        )


def _epoch(path: Path, stored: Mapping[str, str]) -> int:
    text = stored.get("epoch", "0")
    if not text.isdecimal():
        raise StorageError(
            f"{path} holds no epoch but {text!r}", "Keep the file, and restore the last backup"
        )
    return int(text)


@cache
def _upsert_of(table: _Table, names: tuple[str, ...]) -> str:
    """The statement for these columns: few kinds of rows are written again and again."""
    if unknown := set(names) - table.columns:
        raise InvariantBroken(f"{table.name} has no column {', '.join(sorted(unknown))}")
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in table.key)
    return (
        f"INSERT INTO {table.name} ({_list(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608
        f" ON CONFLICT ({_list(table.key)}) DO {f'UPDATE SET {changes}' if changes else 'NOTHING'}"
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


_TABLES: dict[tuple[str, ...], dict[str, _Table]] = {}
"""By the scripts of a schema: it takes longer to read its columns than to write an order down."""


def _read_tables(connection: sqlite3.Connection) -> dict[str, _Table]:
    scripts = connection.execute("SELECT sql FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    key = tuple(script for (script,) in scripts)
    if key not in _TABLES:
        _TABLES[key] = _columns_of(connection)
    return _TABLES[key]


def _columns_of(connection: sqlite3.Connection) -> dict[str, _Table]:
    columns: dict[str, list[tuple[str, int, Value]]] = {}
    for table, column, position, default in connection.execute(
        "SELECT t.name, c.name, c.pk, c.dflt_value FROM sqlite_schema AS t, pragma_table_info(t.name) AS c"
        " WHERE t.type = 'table' ORDER BY t.name, c.cid"
    ):
        columns.setdefault(table, []).append((column, position, _default(default)))
    return {
        table: _Table(
            table,
            frozenset(name for name, _, _ in found),
            tuple(name for name, pk, _ in sorted(found, key=lambda column: column[1]) if pk),
            {name: default for name, _, default in found},
        )
        for table, found in columns.items()
    }


def _default(text: str | None) -> Value:
    """A default as the schema writes it: a quoted text or a whole number."""
    if text is None or text == "NULL":
        return None
    return text[1:-1] if text.startswith("'") else int(text)


def _text(value: Value) -> str | None:
    if value is not None and not isinstance(value, str):
        raise StorageError(f"expected text in the order journal, found {value!r}")
    return value
