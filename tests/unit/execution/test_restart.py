"""The process may end at any time: the journal gives back every bracket, the venue says what became of it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import BrokerUnavailable, StorageError
from engine.execution.bracket import BracketPhase
from engine.execution.orders import lost_at_restart, ticket_of, unfinished
from engine.execution.reconcile import catch_up, differing_positions, recover
from engine.execution.records import restore_brackets, restore_round_trip
from engine.model.events import RoundTripClosed
from engine.model.ids import ClientOrderId
from engine.model.orders import OrderRole, OrderState
from engine.model.positions import ExitReason

E, S, T, X = OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT


async def restart(rig: Any) -> Any:
    rig.kill()
    findings = await recover(rig.brackets, rig.venue)
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
    await recover(rig.brackets, rig.venue)
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
    await recover(rig.brackets, rig.venue)
    await rig.settle()
    assert rig.legs(E) == [OrderState.CANCELED]


@pytest.mark.parametrize("call", ["executions", "ask", "open"])
async def test_a_failed_read_aborts_the_recovery(rig: Any, call: str) -> None:
    await rig.hold()
    rig.kill()
    rig.venue.faults[call].append("unavailable")
    with pytest.raises(BrokerUnavailable):
        await recover(rig.brackets, rig.venue)


async def test_nothing_open_asks_for_no_executions(rig: Any) -> None:
    findings = await recover(rig.brackets, rig.venue)
    assert (findings.asked, findings.clean) == (0, True)
    assert ("executions", "") not in rig.venue.calls


async def test_orders_with_our_prefix_that_nobody_knows_are_strangers(rig: Any, world: Any) -> None:
    bracket = await rig.begin()
    other = world.make_ticket(7).order
    assert other.entry is not None
    rig.venue.orders[other.entry.client_order_id] = world.Placed(other.entry, Decimal(10))
    unknown_leg = ClientOrderId(bracket.entry.id[:-2] + "77")
    rig.venue.orders[unknown_leg] = world.Placed(
        replace(other.entry, client_order_id=unknown_leg), Decimal(10)
    )
    foreign = ClientOrderId("web-1")
    rig.venue.orders[foreign] = world.Placed(replace(other.entry, client_order_id=foreign), Decimal(10))
    findings = await recover(rig.brackets, rig.venue)
    assert sorted(findings.strangers) == sorted(
        [f"ABC.US order {other.entry.client_order_id}", f"ABC.US order {unknown_leg}"]
    )
    assert not findings.clean


async def test_a_fill_that_comes_while_the_account_is_read_is_no_difference(rig: Any) -> None:
    bracket = await rig.begin()
    account = rig.venue.account

    async def slow() -> Any:
        rig.venue.fill(bracket.entry.id)
        rig.deliver()
        return await account()

    rig.venue.account = slow
    assert (await recover(rig.brackets, rig.venue)).clean


async def test_a_fill_that_the_stream_has_not_told_yet_is_no_difference(rig: Any) -> None:
    bracket = await rig.begin()
    rig.streaming = False
    account, asked = rig.venue.account, []

    async def filling() -> Any:
        if not asked:
            rig.venue.fill(bracket.entry.id)
        asked.append("account")
        return await account()

    rig.venue.account = filling
    assert (await catch_up(rig.brackets, rig.venue)).clean
    assert len(asked) == 2
    assert rig.now().position == 10


async def test_positions_that_differ_are_named_with_both_numbers(rig: Any) -> None:
    bracket = await rig.hold()
    rig.venue.position["ABC.US"] = Decimal(7)
    rig.venue.position["XYZ.US"] = Decimal(1)
    account = await rig.venue.account()
    told = ("ABC.US: we hold 10, the venue says 7", "XYZ.US: we hold 0, the venue says 1")
    assert tuple(differing_positions((bracket,), account).values()) == told
    findings = await recover(rig.brackets, rig.venue)
    assert (findings.differences, findings.clean) == (told, False)


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
