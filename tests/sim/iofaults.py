"""The journal's n-th statement fails, once or for a while, for every n (RELIABILITY 10).

`run_io` is what `./run sim --io` prints. The real engine lives through it on its lasting journal; whatever
could not be written, the venue and the books must agree once the disk works again and a process began anew.
"""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lives import ACCOUNT, LIVES, Life, Stage, Swift, faults_of, new_journal, role_of

from engine.errors import StorageError
from engine.model.orders import OrderRole, OrderSpec
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow
from storage.degraded import LastingJournal, open_lasting_journal
from storage.journal import read_journal

FAULTS = {
    "FULL": (sqlite3.SQLITE_FULL, "database or disk is full"),
    "IOERR": (sqlite3.SQLITE_IOERR_WRITE, "disk I/O error"),
    "BUSY": (sqlite3.SQLITE_BUSY, "database is locked"),
}
IO_LIVES = ("stopped", "partial", "sold by hand")
FOR_A_WHILE = 60
"""Statements that fail in a row when the trouble lasts: five commits and more."""


class Saboteur:
    """Statements `first` to `first + lasting - 1` of the processes together fail; later ones work again."""

    def __init__(self, first: int = 0, lasting: int = 1, fault: str = "FULL") -> None:
        self._first = first
        self._last = first + lasting - 1
        self._code, self._text = FAULTS[fault]
        self._looks_away = False
        self.count = 0
        self.failed = 0

    def check(self, connection: sqlite3.Connection) -> None:
        """Called before each statement."""
        if self._looks_away:
            return
        self.count += 1
        if self._first <= self.count <= self._last:
            self.failed += 1
            if self._code == sqlite3.SQLITE_FULL and connection.in_transaction:
                connection.rollback()  # SQLite does so by itself on a full disk
            error = sqlite3.OperationalError(self._text)
            error.sqlite_errorcode = self._code
            raise error

    @contextmanager
    def looking_away(self) -> Iterator[None]:
        """Nothing fails and nothing counts inside it."""
        self._looks_away = True
        try:
            yield
        finally:
            self._looks_away = False

    def lift(self) -> None:
        """A person repaired it."""
        self._last = 0


def sabotaged(saboteur: Saboteur) -> type[sqlite3.Connection]:
    """A connection class whose statements `saboteur` looks at; settings and rollbacks always work."""

    class Sabotaged(Swift):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if not sql.startswith(("PRAGMA", "ROLLBACK")):
                saboteur.check(self)
            return super().execute(sql, *values)

    return Sabotaged


@dataclass(frozen=True)
class IoReport:
    """What a set of disk faults showed. `violations` name the life, the statement and the fault."""

    runs: int
    failed: int
    """Statements that failed in all runs together."""
    kept: int
    """Commits that were in memory for a while, at most at once in each run, added up."""
    restarts: int
    """Runs in which a process died or could not start."""
    violations: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        text = (
            f"{self.runs} runs, {self.failed} failed statements, {self.kept} commits kept in memory, "
            f"{self.restarts} restarts, {len(self.violations)} violations, {self.seconds:.1f} s"
        )
        return "\n".join((text, *self.violations))


class IoStage(Stage):
    """A stage that watches what is sent while the disk fails."""

    def __init__(self, path: Path, life: Life, saboteur: Saboteur, dies_with: int | None = None) -> None:
        self.saboteur = saboteur
        self.dies_with = dies_with
        """The process ends when so many commits are only in memory."""
        self.most_kept = 0
        self.was_whole = False
        """The first process came to the end of the life."""
        super().__init__(path, life, self._open)

    def _open(self, path: Path) -> LastingJournal:
        journal = open_lasting_journal(
            path, ACCOUNT, AccountKind.SIMULATION, factory=sabotaged(self.saboteur), busy_timeout_s=0.0
        )
        real = journal.commit

        def commit(rows: Sequence[JournalRow], audit: Sequence[AuditEntry], protective: bool = False) -> None:
            if self.is_dead:
                self.die()
            real(rows, audit, protective)
            self.most_kept = max(self.most_kept, journal.kept)
            if journal.kept == self.dies_with:
                self.dies_with = None
                self.die()

        journal.commit = commit  # type: ignore[method-assign]
        return journal

    def sends(self, orders: Sequence[OrderSpec]) -> None:
        assert self.journal is not None
        if self.journal.trouble and any(role_of(o.client_order_id) is OrderRole.ENTRY for o in orders):
            self.faults.append(f"an entry was sent while {self.journal.trouble}")
        with self.saboteur.looking_away():  # the test's own look at the journal
            super().sends(orders)


def run_io(lives: Sequence[str] = IO_LIVES, stride: int = 1) -> IoReport:
    """Every statement x FULL, IOERR, BUSY x once and for a while; `stride` n tries each n-th."""
    began = time.perf_counter()
    runs = failed = kept = restarts = number = 0
    violations: list[str] = []
    with tempfile.TemporaryDirectory(prefix="iofaults-") as folder:
        place = Path(folder)
        for life in (life for life in LIVES if life.name in lives):
            calm = Saboteur()
            asyncio.run(_lived(place, life, calm))
            for first in range(1, calm.count + 1):
                for fault in FAULTS:
                    for lasting in (1, FOR_A_WHILE):
                        number += 1
                        if number % stride:
                            continue
                        saboteur = Saboteur(first, lasting, fault)
                        stage, found = asyncio.run(_lived(place, life, saboteur))
                        runs += 1
                        failed += saboteur.failed
                        kept += stage.most_kept
                        restarts += not stage.was_whole
                        violations += [f"{life.name}, {fault} x{lasting} at {first}: {f}" for f in found]
    return IoReport(runs, failed, kept, restarts, tuple(violations), time.perf_counter() - began)


def run_lost_memory(lives: Sequence[str] = IO_LIVES, stride: int = 1) -> IoReport:
    """From each statement on the disk stays full; the process dies with 1, 2, 3 or 5 commits in memory."""
    began = time.perf_counter()
    runs = failed = kept = restarts = number = 0
    violations: list[str] = []
    with tempfile.TemporaryDirectory(prefix="iofaults-") as folder:
        place = Path(folder)
        for life in (life for life in LIVES if life.name in lives):
            calm = Saboteur()
            asyncio.run(_lived(place, life, calm))
            for first in range(1, calm.count + 1):
                for dies_with in (1, 2, 3, 5):
                    number += 1
                    if number % stride:
                        continue
                    saboteur = Saboteur(first, 1_000_000)
                    stage, found = asyncio.run(_lived(place, life, saboteur, dies_with))
                    runs += 1
                    failed += saboteur.failed
                    kept += stage.most_kept
                    restarts += not stage.was_whole
                    violations += [
                        f"{life.name}, full from {first}, dies with {dies_with}: {f}" for f in found
                    ]
    return IoReport(runs, failed, kept, restarts, tuple(violations), time.perf_counter() - began)


async def _lived(
    place: Path, life: Life, saboteur: Saboteur, dies_with: int | None = None
) -> tuple[IoStage, list[str]]:
    """A life on a failing disk, and one more process on the repaired one: what is wrong then."""
    path = place / "journal.db"
    for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
        path.with_name(name).unlink(missing_ok=True)
    new_journal(path, place / "template.db")
    stage = IoStage(path, life, saboteur, dies_with)
    with suppress(StorageError):  # it could not start: a person repairs the disk and starts it again
        stage.was_whole = await stage.run()
    saboteur.lift()
    await stage.run()
    found = await faults_of(stage)
    with read_journal(path) as journal:
        known = {str(row["exec_id"]) for row in journal.rows("fill")}
    executed = {fill.exec_id for fill in await stage.venue.executions(0)}
    if known != executed:
        found.append(f"fills lost: {sorted(executed - known)}, made up: {sorted(known - executed)}")
    return stage, found
