"""The journal's disk: real SQLite in memory whose statements fail, stall or crash the process as scripted."""

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from storage.database import Synchronous, open_for_writing
from storage.journal_schema import JOURNAL

PATH = Path("memory/journal.db")
_FAULTS = (
    ("sqlite_busy", sqlite3.SQLITE_BUSY, "database is locked"),
    ("sqlite_full", sqlite3.SQLITE_FULL, "database or disk is full"),
    ("sqlite_ioerr", sqlite3.SQLITE_IOERR, "disk I/O error"),
)


class Crash(BaseException):
    """The process ends here."""


@dataclass(frozen=True, slots=True)
class DiskMix:
    """Shares of statements and commits that suffer."""

    fails: float = 0.0
    slow: float = 0.0
    crashes: float = 0.0


class Disk:
    """Decides what happens to each statement. Once crashed, nothing is written until `revive`."""

    def __init__(self, mix: DiskMix, random: Random, stall: Callable[[float], None]) -> None:
        self.mix = mix
        self.random = random
        self.stall = stall
        self.active = False
        self.is_dead = False
        self.counts: Counter[str] = Counter()
        self.on_crash: Callable[[], None] = lambda: None
        self.crash_at_commit: tuple[int, bool] | None = None
        """The number of a commit, and whether the process ends after it."""
        self.commits = 0
        self._bad_until = 0
        self._statements = 0

    def before(self, connection: sqlite3.Connection, sql: str) -> None:
        """Raises Crash, or what SQLite would raise."""
        if self.is_dead:
            raise Crash
        if not self.active or sql.startswith("PRAGMA"):
            return
        self._statements += 1
        if self.mix.fails and (self._statements < self._bad_until or self._breaks()):
            self._fail(connection)
        if sql == "COMMIT":
            self.commits += 1
            if self.mix.slow and self.random.random() < self.mix.slow:
                self.counts["slow_disk"] += 1
                self.stall(0.05 + 3 * self.random.random() ** 3)
            if self.crash_at_commit == (self.commits, False) or self._dies():
                self.crash("crash_before_commit")

    def after(self, sql: str) -> None:
        """The statement was carried out. Raises Crash."""
        if not self.active or sql != "COMMIT":
            return
        if self.crash_at_commit == (self.commits, True) or self._dies():
            self.crash("crash_after_commit")

    def crash(self, name: str) -> None:
        """Now."""
        self.counts[name] += 1
        self.is_dead = True
        self.on_crash()
        raise Crash

    def revive(self) -> None:
        """A new process opens the journal."""
        self.is_dead = False

    def _dies(self) -> bool:
        return self.mix.crashes > 0 and self.random.random() < self.mix.crashes / 2

    def _breaks(self) -> bool:
        if self.random.random() >= self.mix.fails:
            return False
        # Now and then the trouble lasts: a full disk does not mend itself with the next statement.
        self._bad_until = self._statements + (self.random.randint(1, 60) if self.random.random() < 0.3 else 0)
        return True

    def _fail(self, connection: sqlite3.Connection) -> None:
        name, code, text = self.random.choice(_FAULTS)
        self.counts[name] += 1
        if code == sqlite3.SQLITE_FULL and connection.in_transaction:
            sqlite3.Connection.execute(connection, "ROLLBACK")  # as SQLite does by itself
        error = sqlite3.OperationalError(text)
        error.sqlite_errorcode = code
        raise error


class Connection(sqlite3.Connection):
    """A connection on a disk. Rolling back always works."""

    disk: Disk | None = None

    def execute(self, sql: str, parameters: object = ()) -> sqlite3.Cursor:  # type: ignore[override]
        disk = self.disk
        if disk is None or sql == "ROLLBACK":
            return super().execute(sql, parameters)  # type: ignore[arg-type]
        disk.before(self, sql)
        cursor = super().execute(sql, parameters)  # type: ignore[arg-type]
        disk.after(sql)
        return cursor


def new_connection() -> Connection:
    """An empty journal in memory, made as the product makes it on a disk."""
    connection = Connection(":memory:", isolation_level=None, cached_statements=256)
    _template().backup(connection)
    sqlite3.Connection.execute(connection, "PRAGMA foreign_keys=ON")
    return connection


@cache
def _template() -> sqlite3.Connection:
    with tempfile.TemporaryDirectory() as folder:
        made = open_for_writing(Path(folder) / "journal.db", JOURNAL, Synchronous.NORMAL)
        made.execute("PRAGMA journal_mode=DELETE")
        copy = sqlite3.connect(":memory:")
        made.backup(copy)
        made.close()
    return copy
