"""Halt, resume, release: what a person is answered, and what two anomalies do alone."""

from types import ModuleType
from typing import Any

import pytest

from engine.errors import StorageError
from engine.execution.emergency import Emergency, EmergencyDesk
from engine.execution.halts import HaltDesk, Halts, Scope
from engine.execution.switch import KillSwitch, SwitchDesk
from engine.model.commands import AcceptDifference, Actor, Answer, Halt, Resume, ResumeSymbol
from engine.model.events import AnomalySeen
from engine.model.ids import InstrumentId


class Scene:
    """The switch on the rig; `kept` counts how often the sequence was begun as a task."""

    def __init__(self, rig: Any) -> None:
        self.journal = rig.journal
        self.kept = 0
        self.unclean: dict[Scope, str] = {}
        self.blocked = ""
        self.full = False
        self.accepted: list[tuple[InstrumentId, str]] = []
        self.resumed_by: list[Actor] = []
        self.events = rig.events
        self.halts = Halts(
            HaltDesk(
                rig.journal,
                rig.clock,
                rig.scheduler,
                rig.events.append,
                lambda halted: None,
                lambda scope: None,
            )
        )
        self.emergency = Emergency(
            EmergencyDesk(
                rig.journal,
                rig.venue,
                rig.clock,
                rig.brackets,
                rig.books,
                self.halts,
                rig.picture.last,
                None,
                rig.events.append,
            )
        )
        self.switch = KillSwitch(
            SwitchDesk(
                self.halts,
                self.emergency,
                rig.events.append,
                self._keep,
                lambda scope: self.unclean.get(scope, ""),
                lambda: self.blocked,
                self._resumed,
                self._accept,
            )
        )

    def _keep(self) -> None:
        self.kept += 1

    def _accept(self, instrument: InstrumentId, actor: str) -> bool:
        if self.full:
            raise StorageError("the disk is full")
        self.accepted.append((instrument, actor))
        return self.unclean.pop(instrument, "") != ""

    def _resumed(self, actor: Actor) -> str:
        self.resumed_by.append(actor)
        return "Running again."


@pytest.fixture
async def scene(rig: Any) -> Scene:
    return Scene(rig)


def test_a_halt_before_the_start_runs_once_the_books_are_recovered(scene: Scene, world: ModuleType) -> None:
    assert scene.switch.give(Halt(world.ANN, "enough")) == Answer(
        True, "ok", "Halted. No new orders, stops stay."
    )
    assert (scene.halts.account is not None, scene.kept) == (True, 0)
    assert not scene.switch.is_open
    scene.switch.open_up()
    scene.switch.open_up()
    assert scene.kept == 1
    assert scene.switch.is_open


def test_a_second_halt_says_who_was_first(scene: Scene, world: ModuleType) -> None:
    scene.switch.open_up()
    scene.switch.give(Halt(world.ANN, "enough"))
    answer = scene.switch.give(Halt(world.BOB, "sell it", flatten=True))
    assert answer.text == (
        "Halted already by ann on pts/1 (enough). No new orders, every position is being sold."
    )
    assert scene.emergency.shutdown is not None
    assert scene.emergency.shutdown.flatten
    assert scene.kept == 1


def test_a_stopping_engine_begins_no_sequence(scene: Scene, world: ModuleType) -> None:
    scene.switch.open_up()
    scene.switch.close()
    scene.switch.give(Halt(world.ANN, "enough"))
    assert scene.kept == 0
    assert scene.emergency.is_due


@pytest.mark.parametrize("why", ["unclean", "blocked"])
def test_a_resume_waits_for_what_is_unsettled(scene: Scene, world: ModuleType, why: str) -> None:
    assert scene.switch.give(Resume(world.ANN)).code == "not_halted"
    scene.switch.give(Halt(world.ANN, "enough"))
    scene.unclean, scene.blocked = {None: "1 order UNKNOWN"} if why == "unclean" else {}, "the file is there"
    answer = scene.switch.give(Resume(world.ANN))
    assert (answer.ok, answer.code) == (False, "not_reconciled")
    assert answer.text == f"Not yet: {'1 order UNKNOWN' if why == 'unclean' else 'the file is there'}"
    assert scene.halts.account is not None


def test_a_resume_ends_halt_and_sequence_together(scene: Scene, world: ModuleType) -> None:
    scene.switch.give(Halt(world.ANN, "enough"))
    scene.journal.failures = 1
    assert scene.switch.give(Resume(world.ANN)).code == "not_journalled"
    assert scene.emergency.shutdown is not None
    assert scene.switch.give(Resume(world.BOB)) == Answer(True, "ok", "Running again.")
    assert scene.resumed_by == [world.BOB]
    assert (scene.halts.account, scene.emergency.shutdown) == (None, None)
    assert scene.journal.meta("shutdown") == ""


def test_a_difference_that_is_not_ours_is_accepted_and_the_symbol_released(
    scene: Scene, world: ModuleType
) -> None:
    def accept() -> Answer:
        return scene.switch.give(AcceptDifference(world.ANN, world.ABC))

    nothing = "ABC: no look proved that the venue holds more than our books. Nothing was accepted."
    assert accept() == Answer(False, "no_such_difference", nothing)
    scene.halts.halt(world.ANN, "ABC differs", world.ABC)
    scene.unclean = {world.ABC: "ABC differs"}
    scene.full = True
    assert accept().code == "not_journalled"
    scene.full = False
    so = "ABC: what the venue holds beyond our books is not ours."
    assert accept() == Answer(True, "ok", f"{so} ABC may be traded again.")
    assert scene.accepted[-1] == (world.ABC, "ann on pts/1")
    assert scene.halts.symbols() == {}
    scene.unclean = {world.ABC: "ABC differs"}
    assert accept() == Answer(False, "not_halted", f"{so} ABC is not halted.")


def test_a_symbol_is_released_by_name_and_clean(scene: Scene, world: ModuleType) -> None:
    def release() -> Answer:
        return scene.switch.give(ResumeSymbol(world.ANN, world.ABC))

    assert release() == Answer(False, "not_halted", "ABC is not halted.")
    scene.halts.halt(world.ANN, "look at it", world.ABC)
    scene.unclean = {world.ABC: "ABC differs"}
    assert release() == Answer(False, "not_reconciled", "Not yet: ABC differs")
    scene.unclean = {}
    scene.journal.failures = 1
    assert release().code == "not_journalled"
    assert release() == Answer(True, "ok", "ABC may be traded again.")
    assert scene.halts.symbols() == {}


def test_two_kinds_of_anomaly_shut_down_without_a_person(scene: Scene, world: ModuleType) -> None:
    scene.switch.open_up()
    first, second = AnomalySeen("rejects", 4, 3, 1), AnomalySeen("clock_skew", 1.5, 1, 2)
    scene.switch.see(first)
    assert scene.halts.account is None
    scene.switch.see(second)
    assert scene.halts.account_reason == (
        "by engine (anomalies: rejects 4, limit 3, clock skew 1.5, limit 1)"
    )
    assert scene.kept == 1
    assert [event for event in scene.events if isinstance(event, AnomalySeen)] == [first, second]
