"""A running engine whose disk fails: it halts and says so, protects what it holds, and goes on by resume."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.core import Engine
from engine.model.commands import Actor, Resume
from engine.model.positions import AccountKind
from engine.parts import EngineState
from tui.wiring.disk import DiskWatch

NINA = Actor("nina", "pts/7")
MB = 1_000_000


@pytest.fixture
def lives(sim: Callable[[str], ModuleType]) -> ModuleType:
    return sim("lives")


class Desk:
    """A held position on a stage, watched as the wiring does it; the disk is a second connection's lock."""

    def __init__(self, lives: ModuleType, path: Path, kind: AccountKind = AccountKind.SIMULATION) -> None:
        self.free = 10_000 * MB
        self.states: list[tuple[str, str]] = []
        self.kind = kind
        desk = self

        class Watched(lives.Stage):  # type: ignore[misc,name-defined]
            def watch_disk(self, engine: Engine, journal: Any) -> None:
                desk.watch = DiskWatch(engine, journal, path.parent, kind, lambda folder: desk.free)

        def open_impatient(path: Path) -> Any:
            return lives.open_lasting_journal(
                path, lives.ACCOUNT, AccountKind.SIMULATION, busy_timeout_s=0.0, factory=lives.Swift
            )

        lives.new_journal(path, path.with_name("template.db"))
        self.stage = Watched(path, lives.LIVES[0], open_impatient)
        self.other = sqlite3.connect(path, isolation_level=None)
        self.watch: DiskWatch

    def run(self, deeds: dict[int, Callable[[Engine], object]]) -> None:
        """The life, with something happening before each batch."""

        def on_batch(index: int) -> None:
            engine = self.stage.engine
            if index in deeds:
                deeds[index](engine)
            self.states.append((engine.state.value, engine.reason))

        self.stage.on_batch = on_batch
        try:
            assert asyncio.run(self.stage.run())
        finally:
            self.other.close()

    def lock(self, engine: Engine) -> None:
        self.other.execute("BEGIN IMMEDIATE")

    def unlock(self, engine: Engine) -> None:
        self.other.execute("ROLLBACK")
        self.watch.look()


def test_a_stop_that_fills_while_the_journal_is_locked_is_counted_and_written_later(
    lives: ModuleType, tmp_path: Path
) -> None:
    desk = Desk(lives, tmp_path / "journal.db")
    desk.run({2: desk.lock, 3: desk.unlock})
    engine = desk.stage.engine
    (bracket,) = engine.brackets
    assert (bracket.phase.value, bracket.position) == ("closed", 0)
    assert desk.stage.faults == []
    with lives.read_journal(desk.stage.path) as journal:
        assert [row["phase"] for row in journal.rows("bracket")] == ["closed"]
        assert len(journal.rows("fill")) == 2
        assert "changes are only in memory" in str(journal.rows("halt"))
    assert lives.verify_audit(desk.stage.path).ok
    assert any("changes are only in memory" in text for text in desk.stage.alarms)
    assert "the journal is whole again, nothing is only in memory" in desk.stage.alarms


def test_nothing_new_begins_on_a_locked_journal_and_resume_waits_for_it(
    lives: ModuleType, tmp_path: Path
) -> None:
    desk = Desk(lives, tmp_path / "journal.db")
    answers: list[Any] = []

    def try_to_resume(engine: Engine) -> None:
        answers.append(engine.give(Resume(NINA)))
        answers.append(engine.state)
        desk.unlock(engine)
        answers.append(engine.give(Resume(NINA)))
        answers.append(engine.state)

    desk.run({2: desk.lock, 3: try_to_resume})
    refused, still, resumed, running = answers
    assert (refused.ok, still) == (False, EngineState.HALTED)
    assert (resumed.ok, running) == (True, EngineState.RUNNING)


@pytest.mark.parametrize(
    ("kind", "state"), [(AccountKind.PAPER, "HALTED"), (AccountKind.SIMULATION, "RUNNING")]
)
def test_a_disk_that_runs_out_halts_accounts_of_value_and_tells_a_simulation(
    kind: AccountKind, state: str, lives: ModuleType, tmp_path: Path
) -> None:
    desk = Desk(lives, tmp_path / "journal.db", kind)

    def shrink(engine: Engine) -> None:
        desk.free = 400 * MB
        desk.watch.look()
        desk.free = 100 * MB
        desk.watch.look()

    desk.run({1: shrink})
    assert desk.states[1][0] == state
    assert any("400 MB free" in text for text in desk.stage.alarms)
    told = desk.stage.alarms if kind is AccountKind.SIMULATION else [desk.states[1][1]]
    assert any("no entries below 200 MB" in text for text in told)
    assert desk.stage.faults == []
