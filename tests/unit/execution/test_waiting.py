"""Fewer shares, or later: what a person may do with a ticket that waits, besides deciding it."""

from dataclasses import replace
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.clock import US_PER_S
from engine.errors import StorageError
from engine.execution.policies import PaperAuto
from engine.execution.ticketbook import KEPT_US, read_ticket
from engine.execution.waiting import SNOOZE_US
from engine.model.candidates import GateStatus
from engine.model.commands import Actor, Answer, RejectTicket, ShrinkTicket, SnoozeTicket
from engine.model.events import TicketChanged, TicketSnoozed
from engine.model.ids import TicketId
from engine.model.market import Instrument
from engine.model.positions import AccountKind
from engine.model.tickets import ProposalState

PENDING, SUPERSEDED = ProposalState.PENDING, ProposalState.SUPERSEDED
POLICY = Actor("policy", "", "paper-auto")


@pytest.fixture
async def booth(rig: Any, world: ModuleType) -> Any:
    return world.Booth(rig)


@pytest.fixture
def ann(world: ModuleType) -> Actor:
    return world.ANN  # type: ignore[no-any-return]


def shrink(booth: Any, entry: Any, quantity: str, actor: Actor, **changes: Any) -> Answer:
    command = ShrinkTicket(entry.ticket.id, entry.sha256, Decimal(quantity), actor)
    return booth.tickets.shrink(replace(command, **changes))  # type: ignore[no-any-return]


def snooze(booth: Any, entry: Any, actor: Actor) -> Answer:
    return booth.tickets.snooze(SnoozeTicket(entry.ticket.id, actor))  # type: ignore[no-any-return]


def the_one(booth: Any) -> Any:
    """The only ticket that waits."""
    (entry,) = booth.tickets.waiting()
    return entry


def everything(booth: Any) -> tuple[Any, ...]:
    return tuple(booth.rig.journal.rows(name) for name in ("ticket", "bracket", "ord", "nonce", "whynot"))


async def test_fewer_shares_are_another_ticket_in_the_place_of_the_first(booth: Any, ann: Actor) -> None:
    old = booth.propose()
    await booth.rig.advance(9)
    quote = booth.quote(100.1)
    answer = shrink(booth, old, "4", ann)
    assert (answer.ok, answer.code, answer.text) == (True, "ok", "T-1 is now T-2: 4 of 10 shares.")
    new = the_one(booth)
    assert booth.state(old) is SUPERSEDED
    assert (new.ticket.number, new.replaces) == (2, old.ticket.id)
    assert new.ticket.id != old.ticket.id
    assert new.sha256 == new.ticket.sha256 != old.sha256
    legs = (new.ticket.order.entry, new.ticket.order.stop, new.ticket.order.target)
    assert {leg.quantity for leg in legs} == {Decimal(4)}
    assert all(leg.client_order_id[2:28] == new.ticket.id for leg in legs)
    assert [leg.limit_price or leg.stop_price for leg in legs] == [Decimal(100), Decimal(92), Decimal(106)]
    assert (new.ticket.size_binding, new.ticket.quote) == ("you", quote)
    assert new.ticket.cash_after == booth.gatekeeper.buying_power() - 400
    same = ("correlation", "created_us", "expires_us", "exit_plan", "features", "reports", "decision_price")
    assert all(getattr(new.ticket, name) == getattr(old.ticket, name) for name in same)
    assert booth.tickets.of_candidate(old.ticket.correlation) == new


async def test_both_tickets_are_told_with_who_and_how_many(booth: Any, ann: Actor) -> None:
    old = booth.propose()
    shrink(booth, old, "4", ann)
    events = [event for event in booth.rig.events if isinstance(event, TicketChanged)]
    assert [(event.ticket.number, event.state, event.actor) for event in events[1:]] == [
        (1, SUPERSEDED, "ann on pts/1"),
        (2, PENDING, "ann on pts/1"),
    ]
    assert events[1].reason == "4 of 10 shares by ann on pts/1 at 14:30:00Z, now T-2"
    lines = [line for line in booth.rig.journal.entries if line.kind in ("superseded", "pending")][1:]
    new = the_one(booth)
    assert [(line.kind, line.actor, line.body["ticket"]) for line in lines] == [
        ("superseded", "ann on pts/1", old.ticket.id),
        ("pending", "ann on pts/1", new.ticket.id),
    ]
    assert lines[0].body["by"] == new.ticket.id
    assert lines[1].body["replaces"] == old.ticket.id
    assert len(lines[1].body["gates"]) == 11
    (why,) = booth.rig.journal.rows("whynot")
    assert (why["outcome"], why["number"]) == ("waiting", 2)


async def test_the_smaller_ticket_is_what_is_sent(booth: Any, ann: Actor) -> None:
    old = booth.propose()
    shrink(booth, old, "4", ann)
    new = the_one(booth)
    sent: list[Any] = []

    async def record(spec: Any) -> None:
        sent.append(spec)

    booth.rig.venue.submit_bracket = record
    assert booth.approve(new).text == "T-2 sent, B-2."
    await booth.rig.settle()
    assert sent == [new.ticket.order] == [read_ticket(new.ticket.canonical().decode()).order]
    assert sent[0].entry.quantity == 4


async def test_an_approval_of_the_first_ticket_is_told_what_became_of_it(
    booth: Any, ann: Actor, world: ModuleType
) -> None:
    old = booth.propose()
    await booth.rig.advance(2)
    shrink(booth, old, "4", ann)
    answer = booth.approve(old, actor=world.BOB)
    assert (answer.ok, answer.code) == (False, "not_pending")
    assert answer.text == (
        "T-1 is superseded: 4 of 10 shares by ann on pts/1 at 14:30:02Z, now T-2. Your key did nothing."
    )
    assert booth.rig.venue.calls == []


async def test_the_first_approval_is_in_time_and_its_ticket_stays_as_it_is(
    booth: Any, ann: Actor, world: ModuleType
) -> None:
    entry = booth.propose()
    assert booth.approve(entry).ok
    answer = shrink(booth, entry, "4", world.BOB)
    assert answer.code == "not_pending"
    assert answer.text == "T-1 was approved by ann on pts/1 at 14:30:00Z. Your key did nothing."
    await booth.rig.settle()
    assert len(booth.rig.venue.sent("E")) == 1


async def test_the_same_key_press_again_changes_nothing(booth: Any, ann: Actor, world: ModuleType) -> None:
    old = booth.propose()
    shrink(booth, old, "4", ann)
    before = everything(booth)
    for actor, quantity in ((ann, "4"), (world.BOB, "4.0")):
        answer = shrink(booth, old, quantity, actor)
        assert (answer.ok, answer.text) == (True, "T-1 is T-2 already: 4 shares.")
    assert everything(booth) == before
    other = shrink(booth, old, "3", world.BOB)
    assert (other.ok, other.code) == (False, "not_pending")


async def test_smaller_and_smaller_again(booth: Any, ann: Actor) -> None:
    old = booth.propose()
    for quantity in ("9", "5", "1"):
        assert shrink(booth, the_one(booth), quantity, ann).ok
    new = the_one(booth)
    assert (new.ticket.number, new.ticket.order.entry.quantity) == (4, 1)
    assert [booth.tickets.get(entry.ticket.id).state for entry in booth.tickets] == [SUPERSEDED] * 3 + [
        PENDING
    ]
    assert new.ticket.expires_us == old.ticket.expires_us


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        ("0", "0 shares refused: use reject."),
        ("-1", "-1 is no number of shares."),
        ("NaN", "NaN is no number of shares."),
        ("sNaN", "sNaN is no number of shares."),
        ("Infinity", "Infinity is no number of shares."),
        ("10", "Shares 10, you may only go down: 10 refused."),
        ("11", "Shares 10, you may only go down: 11 refused."),
        ("1E+3", "Shares 10, you may only go down: 1000 refused."),
        ("3.5", "3.5 shares refused: whole lots of 1 only."),
        ("0.4", "0.4 shares refused: whole lots of 1 only."),
    ],
)
async def test_only_fewer_whole_lots(booth: Any, ann: Actor, quantity: str, text: str) -> None:
    entry = booth.propose()
    before = everything(booth)
    answer = shrink(booth, entry, quantity, ann)
    assert (answer.ok, answer.code, answer.text) == (False, "not_smaller", text)
    assert (everything(booth), the_one(booth)) == (before, entry)


async def test_the_size_is_written_the_same_however_it_was_typed(booth: Any, ann: Actor) -> None:
    one, two = booth.propose(1, 100.0, quantity=40), booth.propose(2, 100.0, quantity=40, instrument="XYZ.US")
    shrink(booth, one, "2E+1", ann)
    shrink(booth, two, "20.000", ann)
    texts = [entry.ticket.order.entry.quantity for entry in booth.tickets.waiting()]
    assert [format(quantity, "f") for quantity in texts] == ["20", "20"]


async def test_lots_are_those_of_the_instrument(booth: Any, ann: Actor, world: ModuleType) -> None:
    entry = booth.propose(quantity=40)
    lots = {world.ABC: Instrument(world.ABC, lot_size=Decimal(10))}
    booth.tickets._counter = replace(
        booth.tickets._counter, gatekeeper=replace(booth.gatekeeper, instruments=lots)
    )
    assert shrink(booth, entry, "15", ann).text == "15 shares refused: whole lots of 10 only."
    assert shrink(booth, entry, "30", ann).ok


async def test_an_expired_ticket_is_not_made_smaller_before_its_timer_ran(booth: Any, ann: Actor) -> None:
    entry = booth.propose()
    booth.rig.clock.advance_to(entry.ticket.expires_us)
    assert shrink(booth, entry, "4", ann).code == "expired"
    assert snooze(booth, entry, ann).code == "expired"


async def test_the_smaller_ticket_expires_when_the_first_would_have(booth: Any, ann: Actor) -> None:
    booth.propose()
    await booth.rig.advance(599)
    booth.quote(100.0)
    shrink(booth, the_one(booth), "4", ann)
    new = the_one(booth)
    await booth.rig.advance(1)
    assert booth.state(new) is ProposalState.EXPIRED
    (why,) = booth.rig.journal.rows("whynot")
    assert (why["outcome"], why["number"]) == ("expired", 2)


async def test_only_what_was_shown_is_made_smaller(booth: Any, ann: Actor) -> None:
    entry = booth.propose()
    answer = shrink(booth, entry, "4", ann, sha256="0" * 64)
    assert (answer.code, the_one(booth)) == ("hash_mismatch", entry)
    assert answer.text == "T-1: the shown text is not the ticket's. Nothing was sent."


async def test_a_ticket_without_a_limit_entry_is_left_alone(booth: Any, ann: Actor) -> None:
    entry = booth.propose()
    odd = replace(entry.ticket, order=replace(entry.ticket.order, entry=None))
    booth.tickets._book.keep(replace(entry, ticket=odd))
    answer = shrink(booth, entry, "4", ann)
    assert (answer.code, answer.text) == ("hash_mismatch", "T-1 holds no limit entry. Nothing was changed.")


async def test_gates_run_for_the_smaller_size_and_leave_the_ticket_when_one_fails(
    booth: Any, ann: Actor
) -> None:
    entry = booth.propose()
    booth.engine_state = ("HALTED", "by hand")
    before = everything(booth)
    answer = shrink(booth, entry, "4", ann)
    assert answer.code == "gated_out"
    assert answer.text == "T-1 stays as it is: G1 engine: the engine is HALTED: by hand."
    assert (everything(booth), the_one(booth)) == (before, entry)


async def test_a_quote_as_old_as_for_a_proposal_is_enough(booth: Any, ann: Actor) -> None:
    entry = booth.propose()
    await booth.rig.advance(15)
    assert shrink(booth, entry, "4", ann).ok
    await booth.rig.advance(0.1)
    answer = shrink(booth, the_one(booth), "3", ann)
    assert answer.text == "T-2 stays as it is: G2 data: the quote is 15.100 s old, limit 15 s."


async def test_the_ticket_takes_its_own_place_among_the_entries_of_a_session(booth: Any, ann: Actor) -> None:
    """Three may wait in a session: the third is made smaller although three wait."""
    entries = [booth.propose(number, instrument=f"A{number}.US") for number in (1, 2, 3)]
    assert shrink(booth, entries[2], "4", ann).ok
    assert len(booth.tickets.waiting()) == 3
    assert all(gate.status is not GateStatus.FAIL for gate in booth.tickets.waiting()[-1].ticket.gates)
    assert booth.propose(4, instrument="A4.US").state is ProposalState.GATED_OUT


async def test_a_size_from_before_the_breaker_stays_outgrown_when_made_smaller(
    booth: Any, ann: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = booth.propose()
    shrink(booth, entry, "9", ann)
    monkeypatch.setattr(type(booth.risk), "outgrown_us", entry.ticket.created_us + 1)
    new = the_one(booth)
    for answer in (shrink(booth, new, "4", ann), booth.approve(new)):
        assert answer.code == "gated_out"
        assert answer.text.startswith("T-2 refused: it was sized before the account's drawdown reached")


async def test_no_policy_decides_what_a_person_took_in_hand(booth: Any, ann: Actor) -> None:
    one, two = booth.propose(1), booth.propose(2, instrument="XYZ.US")
    shrink(booth, one, "4", ann)
    snooze(booth, two, ann)
    for number, entry in enumerate(booth.tickets.waiting()):
        answer = booth.approve(entry, f"p{number}", actor=POLICY)
        assert (answer.ok, answer.code) == (False, "manual_only")
        assert PaperAuto(AccountKind.SIMULATION).actor(entry.ticket, 0) == POLICY
    booth.rig.kill()
    booth.boot()
    assert [entry.is_in_hand for entry in booth.tickets.waiting()] == [True, True]
    assert booth.rig.venue.calls == []


async def test_unknown_tickets(booth: Any, ann: Actor, world: ModuleType) -> None:
    ghost = replace(booth.propose(), ticket=replace(booth.propose(2).ticket, id=world.ticket_id(9)))
    assert shrink(booth, ghost, "4", ann).code == "unknown_ticket"
    assert snooze(booth, ghost, ann).code == "unknown_ticket"


async def test_a_commit_that_fails_leaves_the_first_ticket_waiting(booth: Any, ann: Actor) -> None:
    entry = booth.propose()
    before, heard = everything(booth), len(booth.rig.events)
    for act in (lambda: shrink(booth, entry, "4", ann), lambda: snooze(booth, entry, ann)):
        booth.rig.journal.failures = 1
        answer = act()
        assert (answer.ok, answer.code) == (False, "not_journalled")
        assert "the disk is full" in answer.text
        assert (everything(booth), the_one(booth)) == (before, entry)
    assert len(booth.rig.events) == heard
    booth.rig.halted = False
    assert shrink(booth, entry, "4", ann).text == "T-1 is now T-2: 4 of 10 shares."


async def test_both_tickets_come_in_one_commit(booth: Any, ann: Actor) -> None:
    entry = booth.propose()
    commits = booth.rig.journal.commits
    shrink(booth, entry, "4", ann)
    assert booth.rig.journal.commits == commits + 1


async def test_after_a_crash_the_smaller_ticket_waits(booth: Any, ann: Actor) -> None:
    old = booth.propose()
    shrink(booth, old, "4", ann)
    new = the_one(booth)
    booth.rig.kill()
    booth.boot()
    assert the_one(booth) == new
    assert booth.state(old) is SUPERSEDED
    assert booth.tickets.of_candidate(old.ticket.correlation) == new
    assert booth.approve(old).code == "not_pending"
    assert shrink(booth, old, "4", ann).text == "T-1 is T-2 already: 4 shares."
    booth.quote(100.0)
    assert booth.approve(new, "n2").ok
    await booth.rig.settle()
    assert booth.rig.venue.sent("E") == [new.ticket.order.entry.client_order_id]


async def test_the_first_ticket_leaves_memory_and_the_bracket_keeps_its_candidate(
    booth: Any, ann: Actor, world: ModuleType
) -> None:
    """A position may be held for days: what is asked about its candidate is the ticket that it grew from."""
    old = booth.propose()
    shrink(booth, old, "4", ann)
    new = the_one(booth)
    booth.approve(new)
    await booth.rig.settle()
    booth.rig.venue.fill(booth.rig.now(new.ticket.id).entry.id)
    await booth.rig.settle()
    booth.rig.clock.advance_to(booth.rig.clock.now_us() + 2 * KEPT_US)
    await booth.rig.open_session(world.MONDAY.replace(day=world.MONDAY.day + 2))
    booth.tickets.forget()
    assert [entry.ticket.id for entry in booth.tickets] == [new.ticket.id]
    assert booth.tickets.of_candidate(old.ticket.correlation).ticket == new.ticket
    assert booth.tickets.get(old.ticket.id).state is SUPERSEDED
    assert booth.tickets.of_candidate(old.ticket.correlation).ticket == new.ticket


async def test_a_whole_family_leaves_memory_and_can_be_asked_for(
    booth: Any, ann: Actor, world: ModuleType
) -> None:
    old = booth.propose()
    shrink(booth, old, "4", ann)
    new = the_one(booth)
    await booth.rig.advance(600)
    booth.rig.clock.advance_to(booth.rig.clock.now_us() + 2 * KEPT_US)
    await booth.rig.open_session(world.MONDAY.replace(day=world.MONDAY.day + 2))
    booth.tickets.forget()
    assert list(booth.tickets) == []
    assert booth.tickets.of_candidate(old.ticket.correlation) is None
    assert shrink(booth, old, "4", ann).code == "not_pending"
    assert booth.tickets.get(new.ticket.id).replaces == old.ticket.id
    assert shrink(booth, old, "4", ann).text == "T-1 is T-2 already: 4 shares."


async def test_a_ticket_that_cannot_be_read_is_not_changed(
    booth: Any, ann: Actor, world: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = booth.propose()

    def fail(ticket: object) -> None:
        raise StorageError("the disk is gone")

    monkeypatch.setattr(booth.tickets._book, "get", fail)
    assert shrink(booth, entry, "4", ann).code == "not_readable"
    assert snooze(booth, entry, ann).code == "not_readable"


async def test_a_snoozed_ticket_waits_out_of_sight_and_comes_back(booth: Any, ann: Actor) -> None:
    entry = booth.propose()
    answer = snooze(booth, entry, ann)
    assert (answer.ok, answer.text) == (True, "T-1 back at 14:35:00Z.")
    assert booth.state(entry) is PENDING
    assert ([each.ticket.id for each in booth.tickets.waiting()], booth.tickets.awake()) == (
        [entry.ticket.id],
        (),
    )
    line = booth.rig.journal.entries[-1]
    assert (line.kind, line.actor, line.body["until_us"]) == (
        "snoozed",
        "ann on pts/1",
        entry.ticket.created_us + SNOOZE_US,
    )
    await booth.rig.advance(299.9)
    assert booth.tickets.awake() == ()
    await booth.rig.advance(0.1)
    assert [each.ticket.id for each in booth.tickets.awake()] == [entry.ticket.id]
    events = [event for event in booth.rig.events if isinstance(event, TicketSnoozed)]
    assert [(event.until_us, event.actor) for event in events] == [
        (entry.ticket.created_us + SNOOZE_US, "ann on pts/1"),
        (None, "engine"),
    ]
    await booth.rig.advance(300)
    assert booth.state(entry) is ProposalState.EXPIRED


async def test_a_ticket_that_would_expire_first_is_not_snoozed(booth: Any, ann: Actor) -> None:
    entry = booth.propose()
    await booth.rig.advance(300)
    before = everything(booth)
    answer = snooze(booth, entry, ann)
    assert (answer.ok, answer.code) == (False, "expires_first")
    assert answer.text == "T-1 back at 14:40:00Z, expires 14:40:00Z before that: not snoozed"
    assert (everything(booth), len(booth.tickets.awake())) == (before, 1)


async def test_snoozing_twice_is_snoozing_once(booth: Any, ann: Actor, world: ModuleType) -> None:
    entry = booth.propose()
    snooze(booth, entry, ann)
    before = everything(booth)
    await booth.rig.advance(60)
    answer = snooze(booth, entry, world.BOB)
    assert (answer.ok, answer.text) == (True, "T-1 is snoozed already, back at 14:35:00Z.")
    assert everything(booth) == before


async def test_snoozed_again_in_the_instant_that_it_comes_back(booth: Any, ann: Actor) -> None:
    booth.propose()
    booth.tickets._book.keep(
        replace(
            the_one(booth),
            ticket=replace(the_one(booth).ticket, expires_us=the_one(booth).ticket.expires_us * 2),
        )
    )
    snooze(booth, the_one(booth), ann)
    booth.rig.clock.advance_to(booth.rig.clock.now_us() + SNOOZE_US)
    assert snooze(booth, the_one(booth), ann).text == "T-1 back at 14:40:00Z."
    booth.rig.scheduler.run_due()
    events = [event for event in booth.rig.events if isinstance(event, TicketSnoozed)]
    assert [event.until_us is None for event in events] == [False, False]


async def test_a_snoozed_ticket_can_be_decided_and_made_smaller(booth: Any, ann: Actor) -> None:
    one, two = booth.propose(1), booth.propose(2, instrument="XYZ.US")
    snooze(booth, one, ann)
    snooze(booth, two, ann)
    assert shrink(booth, two, "4", ann).ok
    assert [entry.ticket.number for entry in booth.tickets.awake()] == [3]
    assert booth.approve(one).ok
    await booth.rig.settle()
    assert len(booth.rig.venue.sent("E")) == 1
    await booth.rig.advance(301)
    back = [event for event in booth.rig.events if isinstance(event, TicketSnoozed) and not event.until_us]
    assert back == []


async def test_a_ticket_stays_snoozed_over_a_crash(booth: Any, ann: Actor) -> None:
    entry = booth.propose()
    snooze(booth, entry, ann)
    await booth.rig.advance(60)
    booth.rig.kill()
    booth.boot()
    assert (len(booth.tickets.waiting()), booth.tickets.awake()) == (1, ())
    await booth.rig.advance(240)
    assert [each.ticket.id for each in booth.tickets.awake()] == [entry.ticket.id]
    assert isinstance(booth.rig.events[-1], TicketSnoozed)
    assert booth.rig.clock.now_us() == entry.ticket.created_us + 300 * US_PER_S


async def test_what_is_refused_is_written_with_who_and_why(booth: Any, ann: Actor) -> None:
    entry = booth.propose()
    answers = [shrink(booth, entry, "10", ann)]
    booth.tickets.reject(RejectTicket(entry.ticket.id, "no", ann))
    answers += [booth.tickets.reject(RejectTicket(entry.ticket.id, "no", ann)), snooze(booth, entry, ann)]
    answers.append(booth.tickets.snooze(SnoozeTicket(TicketId("01JD4Q7XK1NOTHINGOFTHATID0"), ann)))
    assert not any(answer.ok for answer in answers)
    written = [line for line in booth.rig.journal.entries if line.kind == "command_refused"]
    commands = [line.body["command"] for line in written]
    assert commands == ["ShrinkTicket", "RejectTicket", "SnoozeTicket", "SnoozeTicket"]
    assert [(line.body["code"], line.body["text"]) for line in written] == [
        (answer.code, answer.text) for answer in answers
    ]
    assert {line.actor for line in written} == {str(ann)}
    assert [line.correlation for line in written] == [entry.ticket.correlation] * 3 + [""]
