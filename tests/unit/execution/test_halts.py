"""What is halted stays halted: by scope, over a restart, on a full disk; and every reason is told."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from engine.clock import US_PER_S, TestClock
from engine.errors import StorageError
from engine.execution.halts import MOST_REASONS, HaltDesk, Halted, Halts, Scope
from engine.model.commands import ENGINE
from engine.model.events import Alarm, SymbolHalted, SymbolReleased
from engine.ports import AuditEntry, JournalRow
from engine.scheduler import Scheduler


class Desk:
    """Halts over the fake journal; `reviewed` are the scopes whose entries the plan was asked to cancel."""

    def __init__(self, world: ModuleType) -> None:
        self.world = world
        self.clock = TestClock(world.OPEN_US)
        self.scheduler = Scheduler(self.clock)
        self.journal = world.FakeJournal()
        self.events: list[Any] = []
        self.account: list[Halted] = []
        self.reviewed: list[Scope] = []
        self.on_review: Callable[[Scope], None] = lambda scope: None
        self.halts = self.open()

    def open(self) -> Halts:
        """As a start does."""
        desk = HaltDesk(
            self.journal,
            self.clock,
            self.scheduler,
            self.events.append,
            self.account.append,
            self._review,
        )
        halts = Halts(desk)
        halts.restore()
        return halts

    def _review(self, scope: Scope) -> None:
        self.on_review(scope)
        self.reviewed.append(scope)

    def seconds(self, seconds: float) -> None:
        self.clock.advance_to(self.clock.now_us() + round(seconds * US_PER_S))
        self.scheduler.run_due()

    def alarms(self) -> list[tuple[str, bool]]:
        return [(event.text, event.page) for event in self.events if isinstance(event, Alarm)]

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.journal.entries]


@pytest.fixture
async def desk(world: ModuleType) -> Desk:
    return Desk(world)


def test_an_account_halt_holds_for_every_instrument_and_outlives_a_restart(desk: Desk) -> None:
    world = desk.world
    desk.halts.halt(world.ANN, "enough")
    assert desk.halts.account_reason == "by ann on pts/1 (enough)"
    assert desk.halts.is_halted(world.ABC)
    assert desk.halts.reason_of(world.ABC) == "by ann on pts/1 (enough)"
    assert desk.account == [desk.halts.account]
    assert (desk.reviewed, desk.halts.is_written) == ([None], True)
    again = desk.open()
    assert again.account == desk.halts.account
    assert again.symbols() == {}


def test_a_symbol_halt_holds_for_that_symbol_alone(desk: Desk) -> None:
    world = desk.world
    other = world.InstrumentId("XYZ.US")
    desk.halts.halt(ENGINE, "we hold 5, the venue says 4", world.ABC)
    assert (desk.halts.is_halted(world.ABC), desk.halts.is_halted(other)) == (True, False)
    assert (desk.halts.account, desk.halts.account_reason, desk.account) == (None, "", [])
    assert (desk.halts.reason_of(other), desk.reviewed) == ("", [world.ABC])
    told = [event for event in desk.events if isinstance(event, SymbolHalted)]
    assert told == [
        SymbolHalted(world.ABC, "by engine (we hold 5, the venue says 4)", "engine", world.OPEN_US)
    ]
    assert desk.alarms() == [("ABC HALTED: we hold 5, the venue says 4", True)]
    again = desk.open()
    assert again.symbols() == desk.halts.symbols()
    desk.halts.release(world.BOB, world.ABC)
    assert not desk.halts.is_halted(world.ABC)
    assert desk.events[-1] == SymbolReleased(world.ABC, "bob on pts/2", world.OPEN_US)
    assert desk.open().symbols() == {}
    assert desk.kinds() == ["halted", "resumed"]


def test_both_scopes_are_kept_apart(desk: Desk) -> None:
    world = desk.world
    desk.halts.halt(world.ANN, "look at it", world.ABC)
    desk.halts.halt(world.BOB, "enough")
    desk.halts.release(world.BOB)
    assert desk.halts.reason_of(world.ABC) == "by ann on pts/1 (look at it)"
    assert list(desk.open().symbols()) == [world.ABC]
    assert desk.alarms() == []


def test_further_reasons_are_listed_told_and_journalled_once(desk: Desk) -> None:
    world = desk.world
    desk.halts.halt(world.ANN, "enough")
    for _ in range(3):
        desk.halts.halt(ENGINE, "the journal cannot be written")
    desk.halts.halt(world.BOB, "me too")
    wanted = "by ann on pts/1 (enough); by engine (the journal cannot be written); by bob on pts/2 (me too)"
    assert desk.halts.account_reason == wanted == desk.account[-1].reason
    assert desk.alarms() == [
        ("the journal cannot be written (halted already)", True),
        ("me too (halted already)", False),
    ]
    assert desk.kinds() == ["halted"] * 3
    again = desk.open()
    assert again.account_reason == wanted
    again.halt(ENGINE, "the journal cannot be written")
    assert again.account_reason == wanted
    assert desk.kinds() == ["halted"] * 3


def test_a_symbol_hears_that_it_is_halted_already(desk: Desk) -> None:
    desk.halts.halt(desk.world.ANN, "look at it", desk.world.ABC)
    desk.halts.halt(ENGINE, "unexplained", desk.world.ABC)
    assert desk.alarms() == [("unexplained (ABC is halted already)", True)]


def test_what_was_told_already_is_not_told_again(desk: Desk) -> None:
    desk.halts.heard("sold 3 more than held")
    desk.halts.halt(ENGINE, "sold 3 more than held")
    desk.halts.halt(ENGINE, "sold 3 more than held", desk.world.ABC)
    assert desk.alarms() == []
    assert desk.halts.account_reason == "by engine (sold 3 more than held)"
    desk.halts.halt(ENGINE, "another")
    assert desk.alarms() == [("another (halted already)", True)]


def test_the_list_of_reasons_is_bounded_the_telling_is_not(desk: Desk) -> None:
    for number in range(MOST_REASONS + 3):
        desk.halts.halt(ENGINE, f"reason {number}.")
    assert desk.halts.account_reason.count("reason") == MOST_REASONS
    assert len(desk.alarms()) == MOST_REASONS + 3
    desk.halts.halt(ENGINE, f"reason {MOST_REASONS + 2}.")
    assert len(desk.alarms()) == MOST_REASONS + 3


def test_a_halt_that_cannot_be_written_holds_and_is_written_later(desk: Desk) -> None:
    desk.journal.failures = 3
    desk.halts.halt(desk.world.ANN, "enough")
    assert desk.halts.is_halted(desk.world.ABC)
    assert not desk.halts.is_written
    # Entries are cancelled all the same.
    assert desk.reviewed == [None]
    (alarm,) = desk.alarms()
    assert alarm == (
        "the halt is not written down yet, a restart would forget it: the disk is full. free some space",
        True,
    )
    desk.halts.halt(desk.world.BOB, "me too")
    assert desk.alarms()[1:] == [("me too (halted already)", False)]
    for _ in range(4):
        desk.seconds(1)
    assert desk.halts.is_written
    assert desk.open().account_reason == "by ann on pts/1 (enough); by bob on pts/2 (me too)"
    assert desk.kinds() == ["halted"] * 2


def test_entries_that_cannot_be_cancelled_are_tried_again(desk: Desk) -> None:
    refusals = [StorageError("the disk is full"), StorageError("the disk is full")]

    def refuse(scope: Scope) -> None:
        if refusals:
            # As the bracket writer does: it halts, and raises.
            desk.halts.halt(ENGINE, "the journal cannot be written")
            raise refusals.pop()

    desk.on_review = refuse
    desk.halts.halt(desk.world.ANN, "enough")
    assert desk.reviewed == []
    desk.seconds(1)
    desk.seconds(1)
    assert desk.reviewed[-1] is None
    assert desk.halts.is_written
    count = len(desk.reviewed)
    desk.seconds(5)
    assert len(desk.reviewed) == count


def test_a_release_that_cannot_be_written_leaves_it_halted(desk: Desk) -> None:
    desk.halts.halt(desk.world.ANN, "enough")
    desk.journal.failures = 1
    with pytest.raises(StorageError):
        desk.halts.release(desk.world.ANN)
    assert desk.halts.is_halted(desk.world.ABC)
    desk.halts.release(desk.world.ANN)
    assert desk.open().account is None


def test_a_release_ends_the_tries_to_write_the_halt(desk: Desk) -> None:
    desk.journal.failures = 1
    desk.halts.halt(desk.world.ANN, "enough")
    desk.halts.release(desk.world.ANN)
    desk.seconds(2)
    assert desk.open().account is None
    assert desk.kinds() == ["halted", "resumed"]


def test_rows_of_others_become_durable_with_the_halt(desk: Desk) -> None:
    line = AuditEntry(desk.world.OPEN_US, "ann", "shutdown", "", {})
    row = JournalRow("meta", {"k": "shutdown", "v": "x"})
    desk.journal.failures = 1
    desk.halts.halt(desk.world.ANN, "enough", rows=(row,), audit=(line,))
    assert desk.journal.meta("shutdown") is None
    desk.seconds(1)
    assert desk.journal.meta("shutdown") == "x"
    assert desk.kinds() == ["shutdown", "halted"]
    commits = desk.journal.commits
    # A reason that is known brings its rows, and is not told again.
    desk.halts.halt(desk.world.ANN, "enough", rows=(row,))
    assert (desk.journal.commits, desk.kinds()) == (commits + 1, ["shutdown", "halted"])
    desk.halts.halt(desk.world.ANN, "enough")
    assert desk.journal.commits == commits + 1
    desk.halts.release(desk.world.ANN, rows=(JournalRow("meta", {"k": "shutdown", "v": ""}),))
    assert desk.journal.meta("shutdown") == ""
