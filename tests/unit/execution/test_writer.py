"""The one writer of brackets: nothing is sent before it is durable; what is not durable did not happen."""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.errors import InvariantBroken, StorageError
from engine.execution import orders as orders_module
from engine.execution.bracket import BracketPhase, open_bracket
from engine.execution.records import changed_rows
from engine.execution.steps import Step
from engine.model.events import Alarm, BracketChanged, FillRecorded
from engine.model.ids import ClientOrderId
from engine.model.orders import OrderRole, OrderState
from engine.model.positions import ExitReason
from engine.ports import JournalRow

E, S, T, X = OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT


async def test_a_start_that_cannot_be_journalled_sends_nothing(rig: Any, world: ModuleType) -> None:
    rig.journal.failures = 1
    with pytest.raises(StorageError):
        rig.brackets.start(world.make_ticket(), (), ())
    await rig.settle()
    assert rig.brackets.get(world.ticket_id()) is None
    assert (list(rig.brackets), rig.brackets.open(), rig.venue.calls) == ([], (), [])
    assert rig.halts == ["the journal cannot be written: the disk is full"]


async def test_a_ticket_starts_one_bracket(rig: Any, world: ModuleType) -> None:
    await rig.begin()
    with pytest.raises(InvariantBroken, match="sent once"):
        rig.brackets.start(world.make_ticket(), (), ())
    assert len(rig.venue.sent("E")) == 1


async def test_intents_are_durable_before_the_first_send(rig: Any, world: ModuleType) -> None:
    rig.brackets.start(world.make_ticket(), (JournalRow("meta", {"k": "a", "v": "b"}),), ())
    assert rig.venue.calls == []
    assert {row["state"] for row in rig.journal.rows("ord")} == {"sending"}
    assert rig.journal.meta("a") == "b"
    assert [entry.kind for entry in rig.journal.entries] == ["intent"]
    await rig.settle()


async def test_a_fact_that_cannot_be_journalled_changes_nothing_and_halts(rig: Any) -> None:
    bracket = await rig.hold()
    rig.venue.fill(bracket.of_role(S)[0].id, price="91")
    fill = rig.venue.outbox.popleft()
    calls, cash, events = list(rig.venue.calls), rig.books.cash, list(rig.events)
    rig.journal.failures = 1
    with pytest.raises(StorageError):
        rig.brackets.tell_venue(fill)
    assert rig.now() == bracket
    assert (rig.venue.calls, rig.books.cash, rig.events) == (calls, cash, events)
    assert rig.halts == ["the journal cannot be written: the disk is full"]
    rig.brackets.tell_venue(fill)
    await rig.settle()
    rig.assert_over()


async def test_rows_of_others_are_told_only_once_durable(rig: Any) -> None:
    bracket = await rig.hold()
    told: list[BracketPhase] = []
    rig.brackets.on_changed = lambda changed: (JournalRow("meta", {"k": "phase", "v": changed.phase.value}),)
    rig.brackets.on_committed = lambda changed: told.append(rig.now().phase)
    rig.venue.fill(bracket.of_role(S)[0].id)
    rig.journal.failures = 1
    with pytest.raises(StorageError):
        rig.brackets.tell_venue(rig.venue.outbox[0])
    assert (told, rig.journal.meta("phase")) == ([], None)
    await rig.settle()
    assert told[-1] is BracketPhase.CLOSED
    assert rig.journal.meta("phase") == "closed"


async def test_an_answer_that_cannot_be_journalled_is_asked_for_again(rig: Any, world: ModuleType) -> None:
    rig.streaming = False
    rig.brackets.start(world.make_ticket(), (), ())
    rig.journal.failures = 1
    await rig.settle()
    rig.venue.outbox.clear()
    rig.streaming = True
    assert rig.legs(E) == [OrderState.SENDING]
    assert rig.halts[0] == "the journal cannot be written: the disk is full"
    rig.halted = False
    await rig.advance(11)
    assert rig.legs(E) == rig.legs(S) == [OrderState.WORKING]


async def test_a_timer_that_cannot_be_journalled_comes_again(rig: Any) -> None:
    await rig.begin()
    rig.clock.advance_to(rig.clock.now_us() + 600_000_000)
    rig.journal.failures = 1
    later: list[str] = []
    rig.scheduler.call_at(rig.clock.now_us(), lambda: later.append("another timer"))
    rig.scheduler.run_due()
    assert later == ["another timer"]
    assert rig.halts == ["the journal cannot be written: the disk is full"]
    rig.halted = False
    assert rig.legs(E) == [OrderState.WORKING]
    await rig.advance(1.1)
    rig.assert_over()


async def test_a_question_that_cannot_be_journalled_is_asked_later(rig: Any) -> None:
    rig.venue.faults["send"].append("request lost")
    await rig.begin()
    rig.halted = True  # so that the halt itself plans nothing
    rig.clock.advance_to(rig.clock.now_us() + 500_000)
    rig.journal.failures = 1
    rig.scheduler.run_due()
    assert ("ask", rig.now().entry.id) not in rig.venue.calls
    await rig.advance(1)
    assert ("ask", rig.now().entry.id) in rig.venue.calls


async def test_a_plan_that_does_not_settle_is_our_own_bug(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bracket = await rig.hold()

    def restless(current: Any, now: Any) -> Step:
        return Step(replace(current, retry_exit_us=current.retry_exit_us + 1))

    monkeypatch.setattr(orders_module, "plan", restless)
    with pytest.raises(InvariantBroken, match="does not settle"):
        rig.brackets.review(bracket.ticket)


async def test_a_broken_rule_in_a_task_halts(rig: Any) -> None:
    bracket = await rig.hold()

    async def broken(order: ClientOrderId) -> None:
        raise InvariantBroken("an adapter's own bug")

    rig.venue.cancel = broken
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await rig.settle()
    assert rig.halts == ["InvariantBroken: an adapter's own bug"] * len(rig.halts)
    assert rig.halted


async def test_reports_about_others_are_left_alone(rig: Any, world: ModuleType) -> None:
    bracket = await rig.begin()
    fill = rig.venue.fill(bracket.entry.id)
    rig.venue.outbox.clear()
    for other in ("web-1", bracket.entry.id[:-2] + "77", "td" + world.ticket_id(9) + "E00"):
        assert not rig.brackets.tell_venue(replace(fill, client_order_id=ClientOrderId(other)))
    assert rig.brackets.tell_venue(fill)


async def test_a_rejected_order_that_works_is_adopted_with_an_alarm(rig: Any) -> None:
    rig.venue.faults["send"].append("rejected and recorded")
    bracket = await rig.begin()
    rig.assert_over()
    placed = rig.venue.orders[bracket.entry.id]
    placed.state = OrderState.WORKING
    rig.venue.outbox.append(placed.report())
    await rig.settle()
    pages = [event.text for event in rig.events if isinstance(event, Alarm) and event.page]
    assert pages == [
        f"ABC.US: the venue works order {bracket.entry.id} that it rejected: no shares",
    ]
    rig.assert_over()


@pytest.mark.parametrize(("what", "looks"), [("entry", False), ("stop", True), ("exit", True)])
async def test_a_refused_exit_has_the_books_compared_with_the_venue(rig: Any, what: str, looks: bool) -> None:
    if what == "entry":
        rig.venue.faults["send"].append("rejected and recorded")
        await rig.begin()
    else:
        bracket = await rig.hold()
        rig.venue.faults["send"].append("rejected without a record")
        if what == "stop":
            rig.venue.end(bracket.of_role(OrderRole.STOP)[0].id, OrderState.CANCELED)
        else:
            rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
        await rig.settle()
    assert (rig.looks > 0) is looks


async def test_a_listener_that_fails_leaves_no_share_without_its_stop(rig: Any) -> None:
    rig.venue.faults["send"] = deque([None, "rejected and recorded"])
    bracket = await rig.begin()

    def broken(event: Any) -> None:
        raise ValueError("a listener's own bug")

    rig.streaming = False
    rig.venue.fill(bracket.entry.id, 4)
    rig.venue.end(bracket.entry.id, OrderState.CANCELED)
    rig.brackets._desk = replace(rig.brackets._desk, publish=broken)
    while rig.venue.outbox:
        with suppress(ValueError):
            rig.brackets.tell_venue(rig.venue.outbox.popleft())
    rig.brackets._desk = replace(rig.brackets._desk, publish=rig.events.append)
    rig.streaming = True
    await rig.settle()
    rig.assert_covered()


async def test_stopping_waits_also_for_what_follows_from_an_answer(rig: Any) -> None:
    bracket = await rig.hold()
    rig.venue.faults["send"].append("no answer until released")
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    stopping = asyncio.create_task(rig.brackets.idle())
    for _ in range(20):
        await asyncio.sleep(0)
    assert rig.legs(X) == [OrderState.SENDING]
    assert not stopping.done()
    rig.venue.gate.set()
    await stopping
    assert rig.legs(X) == [OrderState.WORKING]


async def test_what_did_not_change_is_not_written_again(rig: Any) -> None:
    bracket = await rig.hold()
    stop = bracket.leg(bracket.legs[1].id)
    changed = bracket.with_leg(replace(stop, cancel_us=1))
    assert [row.table for row in changed_rows(bracket, changed)] == ["ord"]
    held = replace(bracket, sessions_held=1)
    assert [row.table for row in changed_rows(bracket, held)] == ["bracket"]


async def test_events_follow_the_state(rig: Any) -> None:
    bracket = await rig.hold()
    phases = [event.text for event in rig.events if isinstance(event, BracketChanged) and event.text]
    assert phases == ["entering", "protected"]
    fills = [event.fill.quantity for event in rig.events if isinstance(event, FillRecorded)]
    assert fills == [10]
    assert {event.correlation for event in rig.events} == {bracket.correlation}


async def test_the_audit_names_fact_phase_and_actions(rig: Any) -> None:
    bracket = await rig.hold()
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    entry = rig.journal.entries[-1]
    assert (entry.kind, entry.correlation) == ("ExitWanted", bracket.correlation)
    assert entry.body["phase"] == "exiting"
    assert [action["do"] for action in entry.body["actions"]] == ["CancelOrder", "CancelOrder"]
    await rig.settle()


async def test_every_order_at_the_venue_has_an_earlier_intent(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    await rig.advance(5)
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await rig.settle()
    known = {row["cid"] for row in rig.journal.rows("ord")}
    assert set(rig.venue.orders) <= known


async def test_brackets_by_session_and_what_is_under_way(rig: Any, world: ModuleType) -> None:
    rig.brackets.start(world.make_ticket(1), (), ())
    rig.brackets.start(world.make_ticket(2), (), ())
    assert rig.brackets.in_flight == 2
    await rig.brackets.idle()
    assert rig.brackets.in_flight == 0
    await rig.brackets.idle()
    assert [bracket.number for bracket in rig.brackets.of_session(world.MONDAY)] == [1, 2]
    assert rig.brackets.of_session(world.MONDAY.replace(day=5)) == ()
    assert [bracket.number for bracket in rig.brackets] == [1, 2]


async def test_a_ticket_without_prices_is_no_bracket(world: ModuleType) -> None:
    ticket = world.make_ticket()
    order = ticket.order
    market = replace(order.entry, type="market", limit_price=None)
    for broken in (replace(order, entry=None), replace(order, entry=market)):
        with pytest.raises(ValueError, match="no limit entry"):
            open_bracket(replace(ticket, order=broken), 0)


async def test_an_order_that_differs_from_its_exit_plan_is_no_bracket(world: ModuleType) -> None:
    ticket = world.make_ticket()
    other = replace(ticket.exit_plan, stop_price=ticket.exit_plan.stop_price - 1)
    with pytest.raises(ValueError, match="differs from its exit plan"):
        open_bracket(replace(ticket, exit_plan=other), 0)


async def test_what_is_sent_is_what_was_approved(rig: Any, world: ModuleType) -> None:
    ticket = world.make_ticket()
    sent: list[Any] = []

    async def record(spec: Any) -> None:
        sent.append(spec)

    rig.venue.submit_bracket = record
    rig.brackets.start(ticket, (), ())
    await rig.settle()
    assert sent == [ticket.order]


async def test_canceled_tasks_are_no_trouble(rig: Any, world: ModuleType) -> None:
    rig.venue.faults["send"].append("no answer until released")
    rig.brackets.start(world.make_ticket(), (), ())
    await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (rig.brackets.in_flight, rig.halts) == (0, [])


async def test_cash_follows_the_fills(rig: Any) -> None:
    bracket = await rig.begin()
    assert rig.books.reserved(rig.brackets.open()) == 1000
    rig.venue.fill(bracket.entry.id, 4, "99")
    await rig.settle()
    assert rig.books.cash == Decimal("100000") - 4 * 99 - Decimal("0.01")
    assert rig.books.reserved(rig.brackets.open()) == 600
    rig.brackets.restore([rig.now()])
    assert rig.books.cash == Decimal("100000") - 4 * 99 - Decimal("0.01")


async def test_a_fill_without_a_price_stays_reserved(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id)
    rig.venue.outbox.popleft()
    rig.deliver()
    assert rig.books.reserved(rig.brackets.open()) == 1000
    await rig.advance(1)
    assert rig.books.reserved(rig.brackets.open()) == 0


async def test_equity_needs_a_price_for_what_is_held(rig: Any) -> None:
    await rig.begin()
    assert rig.books.equity(rig.brackets.open(), rig.picture) == 100_000
    rig.venue.fill(rig.now().entry.id)
    await rig.settle()
    assert rig.books.equity(rig.brackets.open(), rig.picture) is None
    await rig.price(101.0)
    assert rig.books.equity(rig.brackets.open(), rig.picture) == Decimal("100009.99")
