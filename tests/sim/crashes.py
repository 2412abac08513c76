"""Processes that die at any journal write, during their recovery too, and by SIGKILL on a durable file.

`run_matrix`, `run_pairs` and `run_sigkill` are what `./run sim --crashes` and `--kill` print.
"""

import asyncio
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from lives import ACCOUNT, LIVES, Life, Stage, faults_of, finish, new_journal, open_swift, random_life

from engine.errors import DeckError
from engine.model.positions import AccountKind
from engine.ports import AuditEntry, JournalRow
from storage.database import Synchronous
from storage.degraded import LastingJournal, open_lasting_journal
from storage.paper_book import open_paper_book
from storage.reserve import Reserve, reserve_path

BEFORE, AFTER = WHEN = ("before", "after")
Point = tuple[int, str]
"""The n-th write of a process, and whether it dies before it or after it was durable."""
KILL_LIVES = ("stopped", "partial", "sold by hand")


@dataclass(frozen=True)
class CrashReport:
    """What a set of crashes showed. `violations` name the life and the points that reproduce them."""

    runs: int
    crashes: int
    kinds: tuple[str, ...]
    """Kinds of write that a process died at, by the first audit line or table of the write."""
    violations: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        text = (
            f"{self.runs} runs, {self.crashes} crashes at {len(self.kinds)} kinds of write, "
            f"{len(self.violations)} violations, {self.seconds:.1f} s"
        )
        return "\n".join((text, *self.violations))


class Reaper:
    """Opens the journal of each process and ends the process at its point; processes beyond `points` live."""

    def __init__(self, points: Sequence[Point] = ()) -> None:
        self._points = list(points)
        self.writes: list[int] = []
        """How many writes each process came to."""
        self.kinds: set[str] = set()
        self.crashes = 0
        self.stage: Stage | None = None

    def open(self, path: Path) -> LastingJournal:
        journal = open_swift(path)
        real = journal.commit
        at, when = self._points.pop(0) if self._points else (0, "")
        self.writes.append(0)

        def commit(rows: Sequence[JournalRow], audit: Sequence[AuditEntry], protective: bool = False) -> None:
            assert self.stage is not None
            if self.stage.is_dead:
                self.stage.die()
            self.writes[-1] += 1
            is_last = self.writes[-1] == at
            if is_last:
                self.crashes += 1
                self.kinds.add(audit[0].kind if audit else rows[0].table)
            if is_last and when == BEFORE:
                self.stage.die()
            real(rows, audit, protective)
            if is_last:
                self.stage.die()

        journal.commit = commit  # type: ignore[method-assign]
        return journal


def lives_of(count: int) -> tuple[Life, ...]:
    """The first `count` lives: those that are written down, then random ones."""
    return (*LIVES[:count], *(random_life(seed) for seed in range(count - len(LIVES))))


def run_matrix(count: int = len(LIVES)) -> CrashReport:
    """Every write of `count` lives, before and after."""
    with _Run() as run:
        for life in lives_of(count):
            writes = run.live(life, ()).writes[0]
            for point in _points(writes):
                run.live(life, (point,))
    return run.report()


def run_life(life: Life) -> CrashReport:
    """Every write of one life, before and after."""
    with _Run() as run:
        for point in _points(run.live(life, ()).writes[0]):
            run.live(life, (point,))
    return run.report()


def run_pairs(pairs: int = 1000, count: int = len(LIVES)) -> CrashReport:
    """A second crash in what follows the first: `pairs` of them, drawn from all of `count` lives."""
    chance = random.Random(pairs)
    lives = lives_of(count)
    with _Run() as run:
        writes = [run.live(life, ()).writes[0] for life in lives]
        for _ in range(pairs):
            k = chance.randrange(len(lives))
            first = chance.randint(1, writes[k])
            # What follows: the start, its questions, and the rest of the life.
            second = chance.randint(1, max(2, writes[k] - first))
            points = ((first, chance.choice(WHEN)), (second, chance.choice(WHEN)))
            run.live(lives[k], points, may_miss=True)
    return run.report()


def _points(writes: int) -> Iterable[Point]:
    return ((n, when) for n in range(1, writes + 1) for when in WHEN)


class _Run:
    """Counts and collects; its files are in a folder that goes with it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="crashes-")
        self._place = Path(self._folder.name)
        self._began = time.perf_counter()
        self._runs = 0
        self._crashes = 0
        self._kinds: set[str] = set()
        self._violations: list[str] = []

    def __enter__(self) -> "_Run":
        return self

    def __exit__(self, *error: object) -> None:
        self._folder.cleanup()

    def live(self, life: Life, points: Sequence[Point], may_miss: bool = False) -> Reaper:
        path = self._place / "journal.db"
        for name in ("journal.db", "journal.db-wal", "journal.db-shm"):
            path.with_name(name).unlink(missing_ok=True)
        new_journal(path, self._place / "template.db")
        reaper = Reaper(points)
        faults = asyncio.run(_lived(path, life, reaper))
        if reaper.crashes != len(points) and not (may_miss and reaper.crashes):
            faults.append(f"only {reaper.crashes} of the crashes happened")
        if not points and not (reaper.stage and reaper.stage.sent):
            faults.append("an undisturbed life sends an entry, this one sent nothing")
        self._runs += 1
        self._crashes += reaper.crashes
        self._kinds |= reaper.kinds
        self._violations += [f"{life.name} {tuple(points)}: {fault}" for fault in faults]
        return reaper

    def report(self) -> CrashReport:
        return CrashReport(
            self._runs,
            self._crashes,
            tuple(sorted(self._kinds)),
            tuple(self._violations),
            time.perf_counter() - self._began,
        )


async def _lived(path: Path, life: Life, reaper: Reaper) -> list[str]:
    stage = reaper.stage = Stage(path, life, reaper.open)
    try:
        await finish(stage)
    except DeckError as error:
        return [f"it does not start again: {error}"]
    return await faults_of(stage)


class _Mortal(sqlite3.Connection):
    """The process is killed at its n-th statement, before it or after it."""

    left = 0
    is_after = False
    count = 0
    seen: ClassVar[list[str]] = []

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        cls = type(self)
        if sql.startswith("PRAGMA"):
            return super().execute(sql, *values)
        cls.count += 1
        cls.seen.append(" ".join(sql.split()[:3]))
        if cls.count == cls.left and not cls.is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        cursor = super().execute(sql, *values)
        if cls.count == cls.left:
            os.kill(os.getpid(), signal.SIGKILL)
        return cursor


def run_sigkill(points: int = 40) -> CrashReport:
    """SIGKILL at `points` statements, evenly spread, on a file whose commits wait for the disk (FULL)."""
    began = time.perf_counter()
    lives = [life for life in LIVES if life.name in KILL_LIVES]
    violations: list[str] = []
    kinds: set[str] = set()
    kills = runs = 0
    for number, life in enumerate(lives):
        share = points // len(lives) + (number < points % len(lives))
        with tempfile.TemporaryDirectory(prefix="kill-") as folder:
            statements = _statements(Path(folder), life)
        total = len(statements)
        for k in range(share):
            at, is_after = 1 + k * total // share, bool(k % 2)
            with tempfile.TemporaryDirectory(prefix="kill-") as folder:
                killed, faults = _killed_and_resumed(Path(folder), life, at, is_after)
            runs += 1
            kills += killed
            kinds.add(statements[at - 1])
            violations += [f"{life.name} at statement {at} ({is_after=}): {fault}" for fault in faults]
            if not killed:
                violations.append(f"{life.name} at statement {at}: it was not killed")
    return CrashReport(runs, kills, tuple(sorted(kinds)), tuple(violations), time.perf_counter() - began)


def durable(folder: Path, life: Life, factory: type[sqlite3.Connection] = sqlite3.Connection) -> Stage:
    """A stage whose journal and venue wait for the disk at every commit: FULL, a paper account."""
    store = open_paper_book(folder / "venue.db", Synchronous.FULL)

    def open_it(path: Path) -> LastingJournal:
        reserve = Reserve(reserve_path(path), size=64 * 1024, room=0)
        journal = open_lasting_journal(path, ACCOUNT, AccountKind.PAPER, reserve=reserve, factory=factory)
        if journal.meta("initial_cash") is None:
            journal.commit([JournalRow("meta", {"k": "initial_cash", "v": "100000"})], ())
        return journal

    return Stage(folder / "journal.db", life, open_it, store, AccountKind.PAPER)


def _statements(folder: Path, life: Life) -> list[str]:
    """First words of each statement of an undisturbed life."""
    _Mortal.left, _Mortal.count, _Mortal.seen = 0, 0, []
    stage = durable(folder, life, _Mortal)
    asyncio.run(finish(stage))
    if not stage.sent:
        raise AssertionError(f"{life.name}: an undisturbed life sends an entry, this one sent nothing")
    return _Mortal.seen


def _killed_and_resumed(folder: Path, life: Life, at: int, is_after: bool) -> tuple[bool, list[str]]:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _Mortal.left, _Mortal.is_after, _Mortal.count = at, is_after, 0
            asyncio.run(finish(durable(folder, life, _Mortal)))
            code = 0
        except BaseException:  # noqa: BLE001 - a child of fork must never return into its parent's code
            traceback.print_exc(file=sys.stderr)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL

    async def resumed() -> list[str]:
        stage = durable(folder, life, sqlite3.Connection)
        await finish(stage)
        return await faults_of(stage)

    return killed, asyncio.run(resumed())
