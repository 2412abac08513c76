"""A journal that goes on protecting positions when its file cannot be written (RELIABILITY 4, R7).

A protective commit that the file refuses is tried again on the bytes of the reserve, and is kept in memory
when that does not help either. Kept commits are written through in their order, each in its own transaction,
before anything else may be written; until then, and until the reserve is whole again, everything that is not
protective is refused, so nothing new can begin. What is in memory when the process ends is lost: the next
start asks the venue, as after every end.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.errors import StorageError
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow
from storage.audit import canonical, chain, row_text
from storage.database import BUSY_TIMEOUT_S, is_out_of_room
from storage.journal import SqliteJournal, Value, connect_journal, opened
from storage.reserve import Reserve, reserve_path

IMPATIENT_MS = 50
"""How long each try waits for a lock while commits are in memory: the engine must not stand still."""


class _Trouble(StrEnum):
    MEMORY = "memory"
    RESERVE = "reserve"


@dataclass(frozen=True, slots=True)
class _Kept:
    rows: tuple[JournalRow, ...]
    audit: tuple[AuditEntry, ...]


class LastingJournal(SqliteJournal):
    """`engine.ports.Journal` with a memory for the bad hour. `reserve` None: a simulation holds none."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        path: Path,
        epoch: int,
        reserve: Reserve | None = None,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        super().__init__(connection, path, epoch)
        self._reserve = reserve
        self._patient_ms = round(busy_timeout_s * 1000)
        self._kept: deque[_Kept] = deque()
        self._refusal = ""
        """What the disk said last against the oldest kept commit."""
        self._gap = "" if reserve is None else reserve.hold()
        """Why the reserve is not whole; "" when it is."""
        self._told: frozenset[_Trouble] = frozenset()
        self._tell: Callable[[str], None] = lambda why: None

    @property
    def kept(self) -> int:
        """Commits that are only in memory."""
        return len(self._kept)

    @property
    def trouble(self) -> str:
        """Why nothing new may be written, in words; "" while all is well."""
        if self._kept:
            return f"{len(self._kept)} changes are only in memory: {self._refusal}"
        return self._gap

    def watch(self, tell: Callable[[str], None]) -> None:
        """`tell` is told of each trouble once, also of one that began before, and "" when all of it is over.

        It is called in the middle of a commit: whoever halts and pages does so in a later call.
        """
        self._tell, self._told = tell, frozenset()
        self._report()

    def commit(
        self, rows: Sequence[JournalRow], audit: Sequence[AuditEntry], protective: bool = False
    ) -> None:
        """One durable transaction; one that is `protective` and finds no disk is kept in memory.

        Raises StorageError for what is not protective while there is any trouble: nothing is written then.
        """
        trouble = self.mend()
        if protective:
            self._protect(_Kept(tuple(rows), tuple(audit)))
        elif trouble:
            raise StorageError(
                f"the order journal takes nothing new: {trouble}",
                "Make room on the disk, or end what holds the journal; then resume",
            )
        else:
            super().commit(rows, audit)

    def mend(self) -> str:
        """Write through what is in memory and make the reserve whole; what is left of the trouble.

        Called before each commit, and from time to time by whoever runs the engine.
        """
        while self._kept and not self._refused(self._kept[0]):
            self._kept.popleft()
            if not self._kept:
                self._wait_for_locks(self._patient_ms)
        if self._reserve is not None and not self._kept:
            self._gap = self._reserve.hold()
        self._report()
        return self.trouble

    def rows(self, table: str, **equal: str) -> tuple[Mapping[str, Value], ...]:
        """A table in key order as `SqliteJournal.rows` reads it, with what is still in memory."""
        changes = [row for kept in self._kept for row in kept.rows if row.table == table]
        if not changes:
            return super().rows(table, **equal)
        found = super().rows(table)
        known = self._table(table)
        by_key = {tuple(row[name] for name in known.key): dict(row) for row in found}
        for change in changes:
            key = tuple(change.values[name] for name in known.key)
            by_key.setdefault(key, dict(known.blank)).update(change.values)
        # One key column never mixes texts and numbers, and SQLite orders texts by their code points too.
        keys = sorted(by_key, key=lambda key: tuple(map(_order, key)))
        return tuple(by_key[key] for key in keys if equal.items() <= by_key[key].items())

    def audit(self, correlation: str | None = None) -> tuple[Mapping[str, str | int], ...]:
        """Lines of the audit log in order, with those still in memory as they will be written."""
        found = super().audit(correlation)
        wanted = (line for line in self._kept_lines() if correlation in (None, line["correlation"]))
        return (*found, *wanted)

    def audit_page(self, before: int | None, count: int) -> tuple[Mapping[str, str | int], ...]:
        """A page of the audit log, newest first, with what is still in memory."""
        kept = [line for line in self._kept_lines() if before is None or int(line["seq"]) < before]
        newest = kept[::-1][:count]
        return (*newest, *super().audit_page(before, count - len(newest)))

    def meta(self, key: str) -> str | None:
        """A value of the `meta` table; None where it was never set."""
        for kept in reversed(self._kept):
            for row in reversed(kept.rows):
                if row.table == "meta" and row.values["k"] == key:
                    value = row.values["v"]
                    return None if value is None else str(value)
        return super().meta(key)

    def latest_us(self) -> int | None:
        """When the newest audit line was written, int microseconds UTC; None for an empty log."""
        kept = [entry.ts for kept in self._kept for entry in kept.audit]
        return kept[-1] if kept else super().latest_us()

    def close(self) -> None:
        """A last try to write through what is in memory, and the end of it."""
        try:
            self.mend()
        finally:
            super().close()

    def _protect(self, change: _Kept) -> None:
        if self._kept:
            self._prepare(change.rows, change.audit)  # what the schema refuses is refused now, not later
        elif not self._refused(change):
            self._report()
            return
        else:
            self._wait_for_locks(IMPATIENT_MS)
        self._kept.append(change)
        self._report()

    def _refused(self, change: _Kept) -> bool:
        """Write one commit, on the bytes of the reserve where that may help; whether the disk refused it."""
        try:
            super().commit(change.rows, change.audit)
        except StorageError as error:
            self._refusal = error.message
            if self._reserve is None or not is_out_of_room(error) or not self._reserve.release():
                return True
        else:
            return False
        self._gap = "the disk is full: its reserve was given back, for exits only"
        return self._refused(change)

    def _report(self) -> None:
        """Tell what is new; what is over may be told again when it comes back."""
        if not self._kept and not self._gap and not self._told:
            return  # nearly always, twice in each commit
        now = {_Trouble.MEMORY: bool(self._kept), _Trouble.RESERVE: bool(self._gap)}
        texts = {_Trouble.MEMORY: self.trouble, _Trouble.RESERVE: self._gap}
        before, self._told = self._told, frozenset(trouble for trouble, is_so in now.items() if is_so)
        for trouble in sorted(self._told - before):
            self._tell(texts[trouble])
        if before and not self._told:
            self._tell("")

    def _wait_for_locks(self, milliseconds: int) -> None:
        self._connection.execute(f"PRAGMA busy_timeout={milliseconds:d}")

    def _kept_lines(self) -> Iterator[Mapping[str, str | int]]:
        seq, head = self.head()
        for kept in self._kept:
            for entry in kept.audit:
                seq, body = seq + 1, canonical(entry.body)
                text = row_text(seq, entry.ts, entry.actor, entry.kind, entry.correlation, body)
                previous, head = head, chain(head, text)
                yield {
                    "seq": seq,
                    "ts_us": entry.ts,
                    "actor": entry.actor,
                    "kind": entry.kind,
                    "correlation": entry.correlation,
                    "body": body,
                    "prev": previous,
                    "h": head,
                }


def open_lasting_journal(
    path: Path,
    account: str,
    kind: AccountKind,
    *,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    reserve: Reserve | None = None,
    factory: type[sqlite3.Connection] = sqlite3.Connection,
) -> LastingJournal:
    """Open the journal of one account as `storage.journal.open_journal` does, with the same errors.

    Accounts that are more than a simulation hold a reserve beside it; `reserve` replaces the usual one.
    """
    connection, epoch = connect_journal(path, account, kind, busy_timeout_s=busy_timeout_s, factory=factory)
    if reserve is None and kind is not AccountKind.SIMULATION:
        reserve = Reserve(reserve_path(path))
    return opened(connection, path, lambda: LastingJournal(connection, path, epoch, reserve, busy_timeout_s))


def _order(value: Value) -> tuple[str, int]:
    return (value, 0) if isinstance(value, str) else ("", value or 0)
