"""Tickets: what a person sees is what is hashed, what is hashed is what is sent, once."""

import hashlib
import json
from dataclasses import replace
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.errors import InvariantBroken, StorageError
from engine.execution.bracket import BracketPhase, open_bracket
from engine.execution.ticketbook import proposal_state, read_ticket
from engine.model.candidates import Vote
from engine.model.commands import Actor, ApproveTicket, RejectTicket
from engine.model.events import TicketChanged
from engine.model.ids import TicketId
from engine.model.orders import OrderRole, OrderState
from engine.model.positions import ExitReason
from engine.model.tickets import ProposalState
from engine.risk.limits import NONE

PENDING, SUBMITTED = ProposalState.PENDING, ProposalState.SUBMITTED


@pytest.fixture
async def booth(rig: Any, world: ModuleType) -> Any:
    return world.Booth(rig)


def tables(booth: Any) -> tuple[Any, ...]:
    """Everything that is durable."""
    return tuple(booth.rig.journal.rows(name) for name in ("ticket", "bracket", "ord", "nonce"))


async def test_a_proposal_that_passes_waits(booth: Any) -> None:
    entry = booth.propose()
    assert (entry.state, entry.ticket.number) == (PENDING, 1)
    assert [waiting.ticket.id for waiting in booth.tickets.waiting()] == [entry.ticket.id]
    assert [gate.gate for gate in entry.ticket.gates] == [f"G{number}" for number in range(1, 12)]
    (event,) = [event for event in booth.rig.events if isinstance(event, TicketChanged)]
    assert (event.state, event.actor) == (PENDING, "engine")
    assert booth.rig.venue.calls == []


async def test_a_ticket_is_found_by_its_candidate(booth: Any, world: ModuleType) -> None:
    entry = booth.propose()
    assert booth.tickets.of_candidate(entry.ticket.correlation) == entry
    assert booth.tickets.of_candidate("another") is None


async def test_a_proposal_that_fails_a_gate_says_which_and_gets_no_number(booth: Any) -> None:
    entry = booth.propose(vote=Vote.VETO)
    assert (entry.state, entry.ticket.number) == (ProposalState.GATED_OUT, 0)
    assert entry.reason.startswith("G4 agents: sentinel")
    assert booth.tickets.waiting() == ()
    answer = booth.approve(entry)
    assert (answer.ok, answer.code) == (False, "not_pending")
    assert "gated_out: G4" in answer.text


async def test_canonical_bytes_read_back_to_the_same_ticket(booth: Any) -> None:
    ticket = booth.propose(atr_pct=4.0).ticket
    canonical = ticket.canonical()
    assert read_ticket(canonical.decode()) == ticket
    assert read_ticket(canonical.decode()).canonical() == canonical
    assert (
        canonical
        == json.dumps(
            json.loads(canonical), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()
    )
    assert ticket.sha256 == hashlib.sha256(canonical).hexdigest()
    assert ticket.atr == 4.0


async def test_one_changed_character_is_another_hash(booth: Any) -> None:
    ticket = booth.propose().ticket
    other = replace(
        ticket, order=replace(ticket.order, stop=replace(ticket.order.stop, stop_price=Decimal("91")))
    )
    assert other.sha256 != ticket.sha256


async def test_a_body_that_is_no_ticket_is_refused() -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        read_ticket("{}")


async def test_what_was_hashed_is_what_is_sent(booth: Any) -> None:
    entry = booth.propose()
    sent: list[Any] = []

    async def record(spec: Any) -> None:
        sent.append(spec)

    booth.rig.venue.submit_bracket = record
    answer = booth.approve(entry)
    await booth.rig.settle()
    assert (answer.ok, answer.text) == (True, "T-1 sent, B-1.")
    assert sent == [entry.ticket.order] == [read_ticket(entry.ticket.canonical().decode()).order]


async def test_an_approval_is_written_down_with_who_when_and_what(booth: Any) -> None:
    entry = booth.propose()
    booth.approve(entry)
    (row,) = booth.rig.journal.rows("ticket")
    assert (row["state"], row["approved_by"], row["approved_us"]) == (
        "submitted",
        "ann on pts/1",
        booth.rig.clock.now_us(),
    )
    kinds = [(line.kind, line.actor) for line in booth.rig.journal.entries]
    assert kinds[-3:] == [("approved", "ann on pts/1"), ("submitted", "engine"), ("intent", "engine")]
    approved = booth.rig.journal.entries[-3]
    assert approved.body["sha256"] == entry.sha256
    (nonce,) = booth.rig.journal.rows("nonce")
    assert (nonce["nonce"], nonce["ticket"]) == ("n1", entry.ticket.id)
    await booth.rig.settle()


async def test_a_wrong_hash_sends_nothing(booth: Any) -> None:
    entry = booth.propose()
    before = tables(booth)
    answer = booth.approve(entry, sha256="0" * 64)
    assert (answer.ok, answer.code) == (False, "hash_mismatch")
    assert (tables(booth), booth.rig.venue.calls, booth.state(entry)) == (before, [], PENDING)


async def test_a_ticket_changed_in_the_journal_is_refused(booth: Any) -> None:
    entry = booth.propose()
    row = next(iter(booth.rig.journal.tables["ticket"].values()))
    row["body"] = str(row["body"]).replace('"quantity":"10"', '"quantity":"90"')
    booth.rig.kill()
    booth.boot()
    answer = booth.approve(entry)
    assert (answer.ok, answer.code) == (False, "hash_mismatch")
    assert booth.rig.venue.calls == []


async def test_an_unknown_ticket(booth: Any, world: ModuleType) -> None:
    ghost = TicketId(world.ticket_id(9))
    approve = booth.tickets.approve(ApproveTicket(ghost, "", "n", None, world.ANN))
    reject = booth.tickets.reject(RejectTicket(ghost, "no", world.ANN))
    assert approve.code == reject.code == "unknown_ticket"


async def test_the_same_key_press_twice_is_one_order(booth: Any) -> None:
    entry = booth.propose()
    first, second = booth.approve(entry), booth.approve(entry)
    await booth.rig.settle()
    assert (first.ok, second.ok, second.code) == (True, True, "ok")
    assert "already" in second.text
    assert len(booth.rig.venue.sent("E")) == 1


async def test_a_nonce_serves_one_ticket(booth: Any) -> None:
    one, two = booth.propose(1), booth.propose(2, instrument="XYZ.US")
    booth.approve(one, "n1")
    answer = booth.approve(two, "n1")
    assert (answer.ok, answer.code) == (False, "nonce_used")
    assert booth.state(two) is PENDING
    await booth.rig.settle()


async def test_the_slower_of_two_approvers_is_told_who_when_and_where(booth: Any, world: ModuleType) -> None:
    entry = booth.propose()
    booth.approve(entry, "n1")
    await booth.rig.settle()
    await booth.rig.advance(7)
    answer = booth.approve(entry, "n2", actor=world.BOB)
    assert (answer.ok, answer.code) == (False, "not_pending")
    assert answer.text == "T-1 was approved by ann on pts/1 at 14:30:00Z. Your key did nothing."
    assert len(booth.rig.venue.sent("E")) == 1
    assert [row["nonce"] for row in booth.rig.journal.rows("nonce")] == ["n1"]


async def test_expiry_runs_on_the_engines_clock(booth: Any) -> None:
    entry = booth.propose()
    await booth.rig.advance(599.9)
    assert booth.state(entry) is PENDING
    await booth.rig.advance(0.1)
    assert booth.state(entry) is ProposalState.EXPIRED
    assert booth.tickets.waiting() == ()
    answer = booth.approve(entry)
    assert (answer.code, answer.text) == (
        "not_pending",
        "T-1 is expired: nobody decided in time. Your key did nothing.",
    )


async def test_an_expired_ticket_is_refused_before_its_timer_ran(booth: Any) -> None:
    entry = booth.propose()
    booth.rig.clock.advance_to(entry.ticket.expires_us)
    answer = booth.approve(entry)
    assert (answer.ok, answer.code, answer.text) == (False, "expired", "T-1 expired at 14:40:00Z.")
    assert booth.rig.venue.calls == []


async def test_an_approved_ticket_does_not_expire(booth: Any) -> None:
    entry = booth.propose()
    booth.approve(entry)
    await booth.rig.settle()
    booth.rig.venue.fill(booth.rig.now(entry.ticket.id).entry.id)
    await booth.rig.advance(700)
    assert booth.state(entry) is ProposalState.FILLED


async def test_an_expiry_that_cannot_be_journalled_comes_again(booth: Any) -> None:
    entry = booth.propose()
    booth.rig.clock.advance_to(entry.ticket.expires_us)
    booth.rig.journal.failures = 1
    booth.rig.scheduler.run_due()
    assert booth.state(entry) is PENDING
    assert booth.rig.halts == ["the journal cannot be written: the disk is full"]
    await booth.rig.advance(1.1)
    assert booth.state(entry) is ProposalState.EXPIRED


@pytest.mark.parametrize(
    ("atr_pct", "price", "moved"),
    [
        (None, 100.5, False),
        (None, 100.51, True),
        (None, 99.49, True),
        (4.0, 100.5, False),
        (4.0, 100.51, True),
        (1.0, 100.25, False),
        (1.0, 100.26, True),
    ],
)
async def test_a_price_that_moved_asks_again(
    booth: Any, atr_pct: float | None, price: float, moved: bool
) -> None:
    """The tighter of 0.5 % and 0.25 ATR decides; 4 % ATR allows 1.00, 1 % only 0.25."""
    entry = booth.propose(atr_pct=atr_pct)
    booth.quote(price)
    answer = booth.approve(entry)
    assert (answer.code == "price_moved") is moved
    assert booth.state(entry) is (PENDING if moved else SUBMITTED)
    await booth.rig.settle()


async def test_a_move_is_measured_from_what_the_person_saw(booth: Any) -> None:
    entry = booth.propose()
    booth.quote(101.0)
    assert booth.approve(entry).code == "price_moved"
    answer = booth.approve(entry, price_shown=101.0)
    assert answer.ok
    await booth.rig.settle()


async def test_without_a_quote_the_gates_refuse(booth: Any) -> None:
    entry = booth.propose()
    booth.rig.picture._quotes.clear()
    answer = booth.approve(entry)
    assert (answer.code, booth.state(entry)) == ("gated_out", PENDING)
    assert answer.text == "T-1 refused: G2 data: there is no quote."


async def test_gates_run_again_at_approval(booth: Any) -> None:
    entry = booth.propose()
    booth.engine_state = ("HALTED", "by hand")
    answer = booth.approve(entry)
    assert (answer.code, booth.rig.venue.calls) == ("gated_out", [])
    assert "G1 engine" in answer.text


async def test_a_quote_good_enough_to_propose_may_be_too_old_to_send(booth: Any) -> None:
    entry = booth.propose()
    await booth.rig.advance(3.1)
    answer = booth.approve(entry)
    assert answer.code == "gated_out"
    assert "limit 3 s" in answer.text
    booth.quote(100.0)
    assert booth.approve(entry, "n2").ok
    await booth.rig.settle()


async def test_an_approval_passes_the_gates_of_its_send(booth: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = booth.propose()
    stages: list[str] = []
    run = type(booth.gatekeeper).run

    def recorded(self: Any, stage: Any, subject: Any, waiting: int = 0) -> Any:
        stages.append(stage.value)
        return run(self, stage, subject, waiting)

    monkeypatch.setattr(type(booth.gatekeeper), "run", recorded)
    booth.approve(entry)
    assert stages == ["send"]
    await booth.rig.settle()


async def test_one_instrument_is_not_entered_twice(booth: Any) -> None:
    one = booth.propose(1)
    two = booth.propose(2)
    assert booth.approve(one).ok
    answer = booth.approve(two, "n2")
    assert "G8 positions" in answer.text
    await booth.rig.settle()


async def test_waiting_tickets_count_against_the_entries_of_a_session(booth: Any) -> None:
    for number in range(1, 4):
        assert booth.propose(number, instrument=f"A{number}.US").state is PENDING
    assert booth.propose(4, instrument="A4.US").state is ProposalState.GATED_OUT


async def test_journal_failure_at_approval_sends_nothing_and_the_ticket_waits(booth: Any) -> None:
    entry = booth.propose()
    before = tables(booth)
    booth.rig.journal.failures = 1
    answer = booth.approve(entry)
    await booth.rig.settle()
    assert (answer.ok, answer.code) == (False, "not_journalled")
    assert "the disk is full" in answer.text
    assert (tables(booth), booth.rig.venue.calls, booth.state(entry)) == (before, [], PENDING)
    assert booth.rig.halted
    booth.rig.halted = False
    assert booth.approve(entry).ok
    await booth.rig.settle()
    assert len(booth.rig.venue.sent("E")) == 1


async def test_a_broken_rule_at_approval_leaves_the_ticket_waiting(
    booth: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = booth.propose()

    def broken(rows: Any, audit: Any, protective: bool) -> None:
        raise InvariantBroken("another process took over")

    monkeypatch.setattr(booth.rig.journal, "commit", broken)
    with pytest.raises(InvariantBroken):
        booth.approve(entry)
    assert booth.state(entry) is PENDING


async def test_journal_failure_at_proposal_keeps_nothing(booth: Any, world: ModuleType) -> None:
    booth.rig.journal.failures = 1
    with pytest.raises(StorageError):
        booth.propose()
    assert list(booth.tickets) == []
    assert booth.tickets.is_new(world.make_verdict())
    assert booth.rig.halted


async def test_a_key_that_did_nothing_is_written_down_with_its_reason(booth: Any, world: ModuleType) -> None:
    entry = booth.propose()
    assert booth.approve(entry).ok
    late = booth.approve(entry, nonce="n2", actor=world.BOB)
    assert not late.ok
    written = booth.rig.journal.entries[-1]
    assert (written.kind, written.actor) == ("approval_refused", "bob on pts/2")
    assert written.body == {
        "ticket": entry.ticket.id,
        "nonce": "n2",
        "code": "not_pending",
        "text": late.text,
    }
    booth.rig.journal.failures = 1
    assert booth.approve(entry, nonce="n3").text == late.text
    assert booth.rig.halts == ["the journal cannot be written: the disk is full"]


async def test_a_rejected_ticket_keeps_its_reason(booth: Any, world: ModuleType) -> None:
    entry = booth.propose()
    answer = booth.tickets.reject(RejectTicket(entry.ticket.id, "too wide", world.ANN))
    assert (answer.ok, answer.text) == (True, "T-1 rejected: too wide.")
    again = booth.tickets.reject(RejectTicket(entry.ticket.id, "again", world.BOB))
    assert (again.code, again.text) == ("not_pending", "T-1 is rejected: too wide. Your key did nothing.")
    (row,) = booth.rig.journal.rows("ticket")
    assert (row["state"], row["reason"]) == ("rejected", "too wide")
    assert booth.approve(entry).code == "not_pending"


async def test_a_rejection_that_cannot_be_journalled_is_told(booth: Any, world: ModuleType) -> None:
    entry = booth.propose()
    booth.rig.journal.failures = 1
    answer = booth.tickets.reject(RejectTicket(entry.ticket.id, "no", world.ANN))
    assert (answer.ok, answer.code, booth.state(entry)) == (False, "not_journalled", PENDING)


async def test_restart_keeps_waiting_tickets_and_expires_late_ones(booth: Any) -> None:
    early = booth.propose(1)
    await booth.rig.advance(300)
    late = booth.propose(2, instrument="XYZ.US")
    booth.rig.kill()
    booth.rig.clock.advance_to(early.ticket.expires_us + 1)
    booth.boot()
    assert booth.tickets.get(late.ticket.id) == late
    booth.rig.scheduler.run_due()
    assert (booth.state(early), booth.state(late)) == (ProposalState.EXPIRED, PENDING)
    booth.quote(100.0, late.ticket.instrument)
    assert booth.approve(late).ok
    await booth.rig.settle()


async def test_restart_remembers_nonces_decisions_and_numbers(booth: Any, world: ModuleType) -> None:
    entry = booth.propose()
    booth.approve(entry, "n1")
    await booth.rig.settle()
    booth.rig.kill()
    booth.boot()
    assert booth.approve(entry, "n1").text == "T-1 was approved by this key press already."
    assert "ann on pts/1" in booth.approve(entry, "n2").text
    assert not booth.tickets.is_new(world.make_verdict(1))
    assert booth.propose(2, instrument="XYZ.US").ticket.number == 2


async def test_a_stored_state_that_does_not_exist_is_refused(booth: Any) -> None:
    booth.propose()
    next(iter(booth.rig.journal.tables["ticket"].values()))["state"] = "asleep"
    with pytest.raises(StorageError, match="no known state"):
        booth.boot()


async def test_verdicts_without_a_proposal_are_recorded_once(booth: Any, world: ModuleType) -> None:
    verdicts = [replace(world.make_verdict(n, instrument=f"A{n}.US"), proposal=None) for n in (1, 2)]
    booth.tickets.record(verdicts)
    booth.tickets.record(verdicts)
    booth.tickets.record([])
    assert [line.kind for line in booth.rig.journal.entries] == ["candidate", "candidate"]
    booth.rig.kill()
    booth.boot()
    booth.tickets.record(verdicts)
    assert len(booth.rig.journal.entries) == 2


async def test_a_ticket_without_a_limit_entry_is_not_sent(booth: Any) -> None:
    entry = booth.propose()
    ticket = replace(entry.ticket, order=replace(entry.ticket.order, entry=None))
    forged = replace(entry, ticket=ticket, sha256=ticket.sha256)
    booth.tickets._book.keep(forged)
    assert booth.approve(forged).code == "hash_mismatch"


async def test_the_proposal_follows_its_bracket(booth: Any) -> None:
    entry = booth.propose()
    rig = booth.rig
    states = []

    async def seen() -> None:
        await rig.settle()
        states.append(booth.state(entry).value)

    booth.approve(entry)
    await seen()
    order = rig.now(entry.ticket.id).entry.id
    rig.venue.fill(order, 4)
    await seen()
    rig.venue.fill(order)
    await seen()
    bracket = rig.now(entry.ticket.id)
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await seen()
    rig.venue.fill(rig.now(entry.ticket.id).of_role(OrderRole.EXIT)[0].id)
    await seen()
    assert states == ["submitted", "partial", "filled", "closing", "closed"]
    stored = {row["id"]: row["state"] for row in rig.journal.rows("ticket")}
    assert stored == {entry.ticket.id: "closed"}
    events = [event.state.value for event in rig.events if isinstance(event, TicketChanged)]
    assert events == ["pending", *states]


async def test_a_fill_whose_exit_begins_at_once_is_shown_as_held(booth: Any) -> None:
    entry = booth.propose()
    booth.approve(entry)
    await booth.rig.settle()
    bracket = booth.rig.now(entry.ticket.id)
    booth.rig.venue.fill(bracket.entry.id, 4)
    await booth.rig.price(91.0)
    assert booth.rig.now(entry.ticket.id).phase is BracketPhase.EXITING
    assert booth.state(entry) in (ProposalState.FILLED, ProposalState.CLOSING)


async def test_journal_failure_in_a_fill_leaves_the_ticket_where_it_was(booth: Any) -> None:
    entry = booth.propose()
    booth.approve(entry)
    await booth.rig.settle()
    booth.rig.halted = True  # so that the halt itself plans nothing
    booth.rig.venue.fill(booth.rig.now(entry.ticket.id).entry.id)
    booth.rig.journal.failures = 1
    with pytest.raises(StorageError):
        booth.rig.deliver()
    assert booth.state(entry) is SUBMITTED
    await booth.rig.settle()
    assert booth.rig.journal.rows("ticket")[0]["state"] == booth.state(entry).value


@pytest.mark.parametrize(
    ("fault", "state"), [("rejected and recorded", "failed"), ("request lost", "failed"), (None, "closed")]
)
async def test_how_an_unfilled_ticket_ends(booth: Any, fault: str | None, state: str) -> None:
    booth.rig.venue.faults["send"].append(fault)
    entry = booth.propose()
    booth.approve(entry)
    await booth.rig.settle()
    await booth.rig.advance(700)
    assert booth.state(entry).value == state


async def test_state_of_a_bracket_below_flat_is_closing(world: ModuleType) -> None:
    bracket = open_bracket(world.make_ticket(), 0)
    sold = replace(bracket.legs[1], state=OrderState.FILLED, cum=Decimal(12))
    bought = replace(bracket.entry, state=OrderState.FILLED, cum=Decimal(10))
    assert proposal_state(bracket.with_leg(sold).with_leg(bought)) is ProposalState.CLOSING


async def test_a_policy_names_itself(booth: Any) -> None:
    entry = booth.propose()
    booth.approve(entry, actor=Actor("policy", "", "paper-auto"))
    assert booth.rig.journal.rows("ticket")[0]["approved_by"] == "policy (paper-auto)"
    await booth.rig.settle()


async def test_buying_power_excludes_what_entries_reserve(booth: Any) -> None:
    assert booth.gatekeeper.buying_power() == 100_000
    entry = booth.propose()
    assert entry.ticket.cash_after == 99_000
    booth.approve(entry)
    await booth.rig.settle()
    assert booth.gatekeeper.buying_power() == 99_000


async def test_without_limits_an_instrument_may_be_entered_again(rig: Any, world: ModuleType) -> None:
    booth = world.Booth(rig, NONE)
    for number in range(1, 6):
        entry = booth.propose(number)
        assert booth.approve(entry, f"n{number}").ok
    await rig.settle()
    assert len(rig.venue.sent("E")) == 5
