"""What is decided leaves memory, and nothing that it rules out becomes possible by that."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from engine.errors import StorageError
from engine.execution.approvals import unsigned
from engine.execution.ticketbook import KEPT_US, read_ticket
from engine.model.commands import RejectTicket
from engine.model.tickets import ProposalState


@pytest.fixture
async def booth(rig: Any, world: ModuleType) -> Any:
    return world.Booth(rig)


@pytest.fixture
def days_later(booth: Any, world: ModuleType) -> Callable[[], Any]:
    """Another session, two days on, and a ticket that waits in it."""

    async def go() -> Any:
        booth.rig.clock.advance_to(booth.rig.clock.now_us() + 2 * KEPT_US)
        await booth.rig.open_session(world.MONDAY + timedelta(days=2))
        return booth.propose(2, instrument="XYZ.US", session=world.MONDAY + timedelta(days=2))

    return go


async def ended(booth: Any, nonce: str = "n1") -> Any:
    """A ticket that was approved, and whose entry the venue refused."""
    booth.rig.venue.faults["send"].append("rejected and recorded")
    entry = booth.propose(1)
    assert booth.approve(entry, nonce).ok
    await booth.rig.settle()
    await booth.rig.advance(700)
    assert booth.state(entry) is ProposalState.FAILED
    return entry


async def test_a_ticket_that_left_memory_is_read_again(booth: Any, days_later: Callable[[], Any]) -> None:
    old = await ended(booth)
    await days_later()
    assert old.ticket.id not in {entry.ticket.id for entry in booth.tickets}
    assert booth.tickets.get(old.ticket.id).approved_by == "ann on pts/1"
    again = booth.approve(old, "n9")
    assert (again.code, booth.rig.venue.sent("E")) == (
        "not_pending",
        [old.ticket.order.entry.client_order_id],
    )


async def test_a_nonce_is_used_for_ever_also_when_its_ticket_left_memory(
    booth: Any, days_later: Callable[[], Any]
) -> None:
    old = await ended(booth)
    entry = await days_later()
    assert booth.approve(entry, "n1").code == "nonce_used"
    rows = {row["nonce"]: row["ticket"] for row in booth.rig.journal.rows("nonce")}
    assert rows == {"n1": old.ticket.id}
    assert booth.approve(entry, "n2").ok
    await booth.rig.settle()


async def test_the_same_key_press_days_later_is_still_the_same(
    booth: Any, days_later: Callable[[], Any]
) -> None:
    old = await ended(booth)
    await days_later()
    assert booth.approve(old, "n1").text == "T-1 was approved by this key press already."


async def test_a_journal_that_cannot_be_read_approves_nothing(
    booth: Any, days_later: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, world: ModuleType
) -> None:
    old = await ended(booth)
    entry = await days_later()

    def broken(table: str, **equal: str) -> Any:
        raise StorageError("the disk reports an error")

    monkeypatch.setattr(booth.rig.journal, "rows", broken)
    for ticket in (old, entry):
        assert booth.approve(ticket, "n2").code == "not_readable"
    assert booth.tickets.reject(RejectTicket(old.ticket.id, "no", world.ANN)).code == "not_readable"
    assert len(booth.rig.venue.sent("E")) == 1


async def test_a_ticket_of_the_session_that_is_shown_stays(booth: Any) -> None:
    old = await ended(booth)
    booth.rig.clock.advance_to(booth.rig.clock.now_us() + 2 * KEPT_US)
    booth.tickets.forget()
    assert [entry.ticket.id for entry in booth.tickets] == [old.ticket.id]


async def test_a_candidate_that_was_judged_before_keeps_its_id(booth: Any, world: ModuleType) -> None:
    first = world.make_verdict(1)
    assert booth.tickets.recall(first) == first
    booth.tickets.record((replace(first, proposal=None),))
    known = booth.tickets.recall(world.make_verdict(2))
    assert known.candidate.correlation == first.candidate.correlation == known.proposal.candidate.correlation
    bare = booth.tickets.recall(replace(world.make_verdict(2), proposal=None))
    assert bare.candidate.correlation == first.candidate.correlation


async def test_before_any_session_tickets_leave_and_decision_instants_stay(booth: Any) -> None:
    await ended(booth)
    booth.rig.clock.advance_to(booth.rig.clock.now_us() + 2 * KEPT_US)
    seen = dict(booth.tickets._book.seen)
    booth.tickets._book.forget(booth.rig.clock.now_us(), None)
    assert (list(booth.tickets), booth.tickets._book.seen) == ([], seen)


async def test_a_ticket_that_came_back_to_life_stays(booth: Any) -> None:
    old = await ended(booth)
    late = replace(booth.tickets.get(old.ticket.id), state=ProposalState.FILLED)
    booth.tickets._book.keep(late)
    booth.tickets._book.forget(booth.rig.clock.now_us() + 2 * KEPT_US, None)
    assert list(booth.tickets) == [late]


def test_a_ticket_from_before_exit_plans_is_read_with_its_one_target(world: ModuleType) -> None:
    ticket = world.make_ticket()
    plain = json.loads(ticket.canonical())
    del plain["exit_plan"]
    assert read_ticket(json.dumps(plain | {"max_sessions": 5})) == ticket


async def test_a_ticket_that_must_be_there(booth: Any, world: ModuleType) -> None:
    with pytest.raises(KeyError):
        booth.tickets._book[world.ticket_id(9)]


def test_without_a_key_nothing_is_signed() -> None:
    assert unsigned(b"text") == ""
