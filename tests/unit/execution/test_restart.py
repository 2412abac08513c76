"""The process may end at any time: the journal gives back every bracket, the venue says what became of it."""

from typing import Any

import pytest

from engine.errors import StorageError
from engine.execution.bracket import BracketPhase
from engine.execution.orders import lost_at_restart, ticket_of, unfinished
from engine.execution.records import restore_brackets, restore_round_trip
from engine.model.events import RoundTripClosed
from engine.model.ids import ClientOrderId
from engine.model.orders import OrderRole, OrderState
from engine.model.positions import ExitReason

E, S, T, X = OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT


async def restart(rig: Any) -> Any:
    rig.kill()
    findings = await rig.recover()
    rig.brackets.review_all()
    await rig.settle()
    return findings


async def finish(rig: Any) -> None:
    """Whatever is held is sold through its stop."""
    rig.venue.fill(next(leg for leg in rig.now().of_role(S) if leg.is_live).id, price="92")
    await rig.settle()
    rig.assert_over()


async def entering_unsent(rig: Any) -> None:
    rig.venue.faults["send"].append("no answer until released")
    rig.brackets.start(rig.ticket, (), ())


async def entering_working(rig: Any) -> None:
    await rig.begin()


async def entering_partly(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()


async def protected(rig: Any) -> None:
    await rig.hold()


async def exiting(rig: Any) -> None:
    bracket = await rig.hold()
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await rig.settle()


async def exiting_unanswered(rig: Any) -> None:
    rig.venue.faults["send"].extend([None, "answer lost"])
    await exiting(rig)


async def draining(rig: Any) -> None:
    rig.venue.faults["send"].append("request lost")
    await rig.begin()
    await rig.advance(20)


async def closed(rig: Any) -> None:
    await rig.begin()
    await rig.advance(601)


@pytest.fixture
def ticketed(rig: Any, world: Any) -> Any:
    rig.ticket = world.make_ticket()
    return rig


@pytest.mark.parametrize(
    "phase",
    [
        entering_unsent,
        entering_working,
        entering_partly,
        protected,
        exiting,
        exiting_unanswered,
        draining,
        closed,
    ],
)
async def test_restart_in_each_phase_ends_flat(ticketed: Any, phase: Any) -> None:
    rig = ticketed
    await phase(rig)
    before = rig.now()
    rig.kill()
    assert rig.now() == before
    findings = await restart(rig)
    assert findings.clean
    await rig.advance(700)
    if rig.now().phase is BracketPhase.PROTECTED:
        rig.assert_covered()
        await finish(rig)
    for leg in rig.now().of_role(X):
        if leg.is_live:
            rig.venue.fill(leg.id)
    await rig.settle()
    await rig.advance(100)
    rig.assert_over()
    assert len(rig.venue.sent("E")) == (0 if phase is entering_unsent else 1)


async def test_what_was_on_its_way_is_unknown_at_once(ticketed: Any) -> None:
    rig = ticketed
    await entering_unsent(rig)
    rig.kill()
    await rig.recover()
    assert rig.legs(E) == rig.legs(S) == rig.legs(T) == [OrderState.UNKNOWN]
    await rig.advance(5)
    assert rig.now().phase is BracketPhase.DRAINING


async def test_what_happened_meanwhile_is_taken_over(rig: Any) -> None:
    bracket = await rig.begin()
    rig.streaming = False
    rig.venue.fill(bracket.entry.id, price="99")
    rig.venue.fill(bracket.of_role(T)[0].id, price="106")
    findings = await restart(rig)
    assert findings.clean
    rig.assert_over()
    (closed_trip,) = [event.round_trip for event in rig.events if isinstance(event, RoundTripClosed)]
    assert (closed_trip.entry_price, closed_trip.exit_price) == (99, 106)
    (row,) = rig.journal.rows("round_trip")
    assert restore_round_trip(row) == closed_trip


async def test_an_entry_that_filled_alone_is_protected_before_anything_else(rig: Any) -> None:
    bracket = await rig.begin()
    rig.streaming = False
    rig.venue.fill(bracket.entry.id, 4)
    rig.venue.end(bracket.entry.id, OrderState.CANCELED)
    await restart(rig)
    rig.streaming = True
    await rig.settle()
    rig.assert_covered()
    await finish(rig)


async def test_absent_orders_are_asked_for_again_after_a_restart(rig: Any) -> None:
    rig.venue.faults["send"].append("arrives late")
    await rig.begin()
    await rig.advance(20)
    assert rig.now().phase is BracketPhase.DRAINING
    rig.kill()
    rig.venue.arrive_late()
    rig.venue.outbox.clear()
    await rig.recover()
    await rig.settle()
    assert rig.legs(E) == [OrderState.CANCELED]


async def test_which_orders_a_restart_asks_for(rig: Any) -> None:
    bracket = await rig.begin()
    assert unfinished(bracket) == tuple(leg.id for leg in bracket.legs)
    assert lost_at_restart(bracket) == ()
    rig.venue.fill(bracket.entry.id)
    await rig.settle()
    assert unfinished(rig.now()) == tuple(leg.id for leg in bracket.legs[1:])


def test_ticket_of_an_order_id(world: Any) -> None:
    entry = world.make_ticket().order.entry
    assert ticket_of(entry.client_order_id) == world.ticket_id()
    assert ticket_of(ClientOrderId("web-1")) is None
    assert ticket_of(ClientOrderId("td123")) is None


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("bracket", "phase", "asleep"),
        ("bracket", "qty", "many"),
        ("bracket", "number", "1"),
        ("ord", "state", "lost"),
        ("ord", "bracket", "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        ("fill", "qty", "1,0"),
    ],
)
async def test_a_row_that_makes_no_sense_is_refused(rig: Any, table: str, column: str, value: Any) -> None:
    await rig.hold()
    rows = {name: [dict(row) for row in rig.journal.rows(name)] for name in ("bracket", "ord", "fill")}
    rows[table][0][column] = value
    with pytest.raises(StorageError, match="makes no sense"):
        restore_brackets(rows["bracket"], rows["ord"], rows["fill"])


async def test_legs_and_fills_are_restored_in_their_own_order(rig: Any) -> None:
    """Row keys say nothing about order: a later fill may have the smaller id, an exit an earlier time."""
    bracket = await rig.begin()
    for quantity in (3, 3, 4):
        rig.venue.fill(bracket.entry.id, quantity)
        await rig.settle()
        await rig.advance(0.5)
    for _ in range(3):
        rig.venue.end(rig.now().of_role(S)[-1].id, OrderState.CANCELED)
        await rig.settle()
    rig.assert_restores()
    assert rig.now().legs[0].role is E
    first = rig.now().entry.fills
    assert [fill.ts_event for fill in first] == sorted(fill.ts_event for fill in first)
    rig.kill()
    assert rig.now().entry.fills == first
