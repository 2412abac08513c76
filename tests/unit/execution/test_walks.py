"""Whole lives of a bracket at a venue that behaves: each ends closed, flat, with nothing left resting."""

from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.errors import OrderRejected
from engine.execution.bracket import BracketPhase
from engine.execution.evidence import VenueHolds
from engine.model.events import Alarm, RoundTripClosed
from engine.model.orders import BracketKind, OrderRole, OrderState
from engine.model.positions import ExitReason

E, S, T, X = OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT


def trip(rig: Any) -> Any:
    closed = [event.round_trip for event in rig.events if isinstance(event, RoundTripClosed)]
    assert len(closed) == 1
    return closed[0]


def pages(rig: Any) -> list[str]:
    return [event.text for event in rig.events if isinstance(event, Alarm) and event.page]


@pytest.mark.parametrize(("role", "price", "reason"), [(S, "91", "stop"), (T, "106", "target")])
async def test_full_fill_then_an_exit_leg(rig: Any, role: OrderRole, price: str, reason: str) -> None:
    bracket = await rig.hold()
    rig.assert_covered()
    (leg,) = bracket.of_role(role)
    rig.venue.fill(leg.id, price=price)
    await rig.settle()
    rig.assert_over()
    assert trip(rig).exit_reason == ExitReason(reason)
    assert trip(rig).exit_price == Decimal(price)
    assert len(rig.venue.sent("E")) == 1


async def test_unfilled_entry_is_canceled_at_its_deadline(rig: Any) -> None:
    await rig.begin()
    await rig.advance(599)
    assert rig.legs(E) == [OrderState.WORKING]
    await rig.advance(2)
    rig.assert_over()
    assert rig.events[-1] is not None
    assert not [event for event in rig.events if isinstance(event, RoundTripClosed)]


async def test_partial_fill_cancels_the_rest_and_places_an_own_stop(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    assert rig.now().phase is BracketPhase.ENTERING
    await rig.advance(3.9)
    assert rig.legs(E) == [OrderState.WORKING]
    await rig.advance(0.2)
    assert rig.legs(E) == [OrderState.CANCELED]
    rig.assert_covered()
    assert rig.now().phase is BracketPhase.PROTECTED
    stop = rig.now().of_role(S)[-1]
    assert stop.spec.quantity == 4
    rig.venue.fill(stop.id, price="92")
    await rig.settle()
    rig.assert_over()


async def test_a_partial_fill_that_completes_in_time_keeps_the_venues_legs(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    await rig.advance(2)
    rig.venue.fill(bracket.entry.id)
    await rig.settle()
    rig.assert_covered()
    assert rig.now().phase is BracketPhase.PROTECTED
    assert len(rig.now().legs) == 3


async def test_synthetic_venue_protects_a_partial_fill_at_once(rig_of: Any) -> None:
    rig = rig_of(bracket_kind=BracketKind.SYNTHETIC)
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    rig.assert_covered()
    await rig.advance(19)
    assert rig.legs(E) == [OrderState.WORKING]
    await rig.advance(1.1)
    assert rig.legs(E) == [OrderState.CANCELED]
    rig.assert_covered()
    assert rig.now().phase is BracketPhase.PROTECTED


async def test_additional_fill_gets_an_additional_stop(rig_of: Any) -> None:
    rig = rig_of(bracket_kind=BracketKind.SYNTHETIC)
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    rig.venue.fill(bracket.entry.id, 3)
    await rig.settle()
    rig.assert_covered()
    assert [leg.spec.quantity for leg in rig.now().of_role(S)] == [4, 3]


@pytest.mark.parametrize(("newest_fills", "shrunk"), [(0, 1), (1, 0)])
async def test_the_newest_stop_that_did_not_fill_shrinks_first(
    rig_of: Any, newest_fills: int, shrunk: int
) -> None:
    rig = rig_of(bracket_kind=BracketKind.SYNTHETIC)
    bracket = await rig.begin()
    for quantity in (5, 5):
        rig.venue.fill(bracket.entry.id, quantity)
        await rig.settle()
    stops = rig.now().of_role(S)
    if newest_fills:
        rig.venue.fill(stops[1].id, newest_fills, "92")
        await rig.settle()
    rig.venue.calls.clear()
    rig.brackets.tell(bracket.ticket, VenueHolds(rig.now().position - 2))
    await rig.settle()
    assert [order for what, order in rig.venue.calls if what == "cancel"] == [stops[shrunk].id]


async def test_time_exit_at_the_close_of_the_last_session(rig: Any) -> None:
    await rig.hold(max_sessions=2)
    await rig.close_session(date(2016, 1, 4))
    assert rig.now().phase is BracketPhase.PROTECTED
    await rig.open_session(date(2016, 1, 5))
    await rig.close_session(date(2016, 1, 5), traded=False)
    assert rig.now().sessions_held == 1
    await rig.open_session(date(2016, 1, 6))
    await rig.close_session(date(2016, 1, 6))
    (exit_leg,) = rig.now().of_role(X)
    assert exit_leg.spec.tif == "cls"
    assert rig.venue.live() == [exit_leg.id]
    rig.venue.fill(exit_leg.id, price="101")
    await rig.settle()
    rig.assert_over()
    assert (trip(rig).exit_reason, trip(rig).sessions) == (ExitReason.TIME, 2)


async def test_a_session_counts_once(rig: Any) -> None:
    await rig.hold()
    await rig.close_session(date(2016, 1, 4))
    await rig.close_session(date(2016, 1, 4))
    assert rig.now().sessions_held == 1


async def test_a_time_exit_that_comes_late_takes_the_next_price(rig: Any) -> None:
    await rig.hold(max_sessions=1)
    rig.venue.faults["send"].append("rejected and recorded")
    await rig.close_session()
    assert rig.now().phase is BracketPhase.PROTECTED
    rig.assert_covered()
    await rig.open_session(date(2016, 1, 5))
    await rig.advance(2.1)
    exit_leg = rig.now().of_role(X)[-1]
    assert (exit_leg.n, exit_leg.spec.tif) == (1, "day")
    rig.venue.fill(exit_leg.id)
    await rig.settle()
    rig.assert_over()


async def test_manual_exit_of_a_position(rig: Any) -> None:
    bracket = await rig.hold()
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    rig.brackets.want_exit(bracket.ticket, ExitReason.EMERGENCY)
    await rig.settle()
    assert rig.legs(S) == rig.legs(T) == [OrderState.CANCELED]
    rig.venue.fill(rig.now().of_role(X)[0].id, price="99")
    await rig.settle()
    rig.assert_over()
    assert trip(rig).exit_reason is ExitReason.MANUAL


async def test_an_exit_wanted_before_the_entry_fills_cancels_it(rig: Any) -> None:
    bracket = await rig.begin()
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await rig.settle()
    rig.assert_over()


async def test_price_through_the_stop_while_uncovered_exits_at_once(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.price(91.5)
    assert rig.now().phase is BracketPhase.EXITING
    assert rig.now().exit_wanted is ExitReason.STOP
    (exit_leg,) = rig.now().of_role(X)
    assert exit_leg.spec.quantity == 4
    rig.venue.fill(exit_leg.id, price="91")
    await rig.settle()
    rig.assert_over()


@pytest.mark.parametrize("price", [92.0, 106.0])
async def test_price_beyond_the_levels_cancels_an_unfilled_entry(rig: Any, price: float) -> None:
    await rig.begin()
    await rig.price(99.0)
    assert rig.legs(E) == [OrderState.WORKING]
    await rig.price(price)
    rig.assert_over()


@pytest.mark.parametrize("how", ["halt", "session end"])
async def test_halt_and_session_end_cancel_an_unfilled_entry(rig: Any, how: str) -> None:
    await rig.begin()
    if how == "halt":
        rig.halt("by hand")
        await rig.settle()
    else:
        await rig.close_session()
    rig.assert_over()


async def test_halted_while_partly_entered_protects_what_is_held(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    rig.halt("by hand")
    await rig.settle()
    assert rig.legs(E) == [OrderState.CANCELED]
    rig.assert_covered()
    stop = rig.now().of_role(S)[-1]
    rig.venue.fill(stop.id, price="92")
    await rig.settle()
    rig.assert_over()


async def test_halted_while_sending_cancels_once_the_entry_is_known(rig: Any, world: ModuleType) -> None:
    rig.venue.faults["send"].append("no answer until released")
    rig.brackets.start(world.make_ticket(), (), ())
    rig.halt("by hand")
    assert rig.legs(E) == [OrderState.SENDING]
    rig.venue.gate.set()
    await rig.settle()
    rig.assert_over()


async def test_rejected_entry_closes_and_never_comes_again(rig: Any) -> None:
    rig.venue.faults["send"].append("rejected and recorded")
    await rig.begin()
    await rig.advance(300)
    rig.assert_over()
    assert rig.legs(E) == [OrderState.REJECTED]
    assert len(rig.venue.sent("E")) == 1


async def test_stop_rejected_twice_leaves_at_market(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    rig.venue.faults["send"].extend(["rejected and recorded"] * 2)
    await rig.advance(4.1)
    assert rig.legs(S)[1:] == [OrderState.REJECTED] * 2
    assert rig.now().exit_wanted is ExitReason.EMERGENCY
    rig.venue.fill(rig.now().of_role(X)[0].id, price="97")
    await rig.settle()
    rig.assert_over()


async def test_a_venue_that_rejects_the_legs_it_had_accepted(rig: Any) -> None:
    bracket = await rig.begin()
    for leg in bracket.legs[1:]:
        rig.venue.orders[leg.id].state = OrderState.REJECTED
        rig.venue.outbox.append(rig.venue.orders[leg.id].report())
    rig.venue.fill(bracket.entry.id)
    await rig.settle()
    rig.assert_covered()
    assert rig.legs(S) == [OrderState.REJECTED, OrderState.WORKING]
    rig.venue.fill(rig.now().of_role(S)[1].id)
    await rig.settle()
    rig.assert_over()


async def test_one_rejected_stop_is_placed_anew(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    rig.venue.faults["send"].append("rejected and recorded")
    await rig.advance(4.1)
    rig.assert_covered()
    assert rig.now().phase is BracketPhase.PROTECTED


async def test_rejected_exits_back_off_and_stay_protected(rig: Any) -> None:
    bracket = await rig.hold()
    for tries, pause in enumerate((2, 4, 8, 16, 32, 60, 60)):
        rig.venue.faults["send"].append("rejected and recorded")
        if tries == 0:
            rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
            await rig.settle()
        else:
            await rig.advance(0.2)
        assert rig.legs(X) == [OrderState.REJECTED] * (tries + 1)
        rig.assert_covered()
        await rig.advance(pause - 0.2)
        assert len(rig.legs(X)) == tries + 1
    assert len(pages(rig)) == 5
    await rig.advance(0.2)
    rig.venue.fill(rig.now().of_role(X)[-1].id)
    await rig.settle()
    rig.assert_over()


async def test_refused_stops_and_exits_do_not_spin(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    rig.venue.faults["send"].extend(["rejected and recorded"] * 100_000)
    await rig.advance(60)
    assert len(rig.venue.sent("S")) + len(rig.venue.sent("X")) < 30
    rig.venue.faults["send"].clear()
    await rig.advance(61)
    rig.venue.fill(rig.now().of_role(X)[-1].id)
    await rig.settle()
    rig.assert_over()


async def test_when_order_numbers_run_out_the_last_stop_rests(rig: Any) -> None:
    bracket = await rig.hold()
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    refuse_exits(rig)
    await rig.settle()
    await rig.advance(100 * 60)
    assert len(rig.legs(X)) == 99
    assert "by hand" in pages(rig)[-1]
    rig.assert_covered()
    assert rig.now().phase is BracketPhase.PROTECTED
    await rig.advance(3600)
    assert len(rig.legs(X)) == 99
    stop = next(leg for leg in rig.now().of_role(S) if leg.is_live)
    rig.venue.fill(stop.id)
    await rig.settle()
    rig.assert_over()


async def test_when_stop_numbers_run_out_the_position_is_left(rig: Any) -> None:
    bracket = await rig.hold()
    for _ in range(99):
        rig.venue.end(rig.now().of_role(S)[-1].id, OrderState.CANCELED)
        await rig.settle()
        rig.assert_covered()
    rig.venue.end(rig.now().of_role(S)[-1].id, OrderState.CANCELED)
    await rig.settle()
    assert rig.now().exit_wanted is ExitReason.EMERGENCY
    rig.venue.fill(rig.now().of_role(X)[0].id)
    await rig.settle()
    rig.assert_over(bracket.ticket)


def refuse_exits(rig: Any) -> None:
    """Every market sale is refused, everything else is accepted."""
    accept = rig.venue._accept

    def guarded(specs: list[Any], parent: Any) -> None:
        if specs[0].type == "market":
            raise OrderRejected("halted", "trading is halted")
        accept(specs, parent)

    rig.venue._accept = guarded


async def test_exit_ended_by_the_venue_unasked_backs_off(rig: Any) -> None:
    bracket = await rig.hold()
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await rig.settle()
    rig.venue.end(rig.now().of_role(X)[0].id, OrderState.EXPIRED)
    await rig.settle()
    rig.assert_covered()
    await rig.advance(2.1)
    rig.venue.fill(rig.now().of_role(X)[1].id)
    await rig.settle()
    rig.assert_over()


async def test_partly_filled_exit_that_expires_is_completed(rig: Any) -> None:
    bracket = await rig.hold()
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await rig.settle()
    first = rig.now().of_role(X)[0].id
    rig.venue.fill(first, 3)
    rig.venue.end(first, OrderState.EXPIRED)
    await rig.settle()
    second = rig.now().of_role(X)[1]
    assert second.spec.quantity == 7
    rig.venue.fill(second.id)
    await rig.settle()
    rig.assert_over()


async def test_target_fills_in_parts_and_the_stop_shrinks_with_it(rig: Any) -> None:
    bracket = await rig.hold()
    (target,) = bracket.of_role(T)
    rig.venue.fill(target.id, 4, "106")
    await rig.settle()
    rig.assert_covered()
    assert rig.now().position == 6
    rig.venue.fill(target.id, 6, "106")
    await rig.settle()
    rig.assert_over()


async def test_leg_canceled_by_someone_else_is_placed_anew(rig: Any) -> None:
    bracket = await rig.hold()
    rig.venue.end(bracket.of_role(S)[0].id, OrderState.CANCELED)
    await rig.settle()
    rig.assert_covered()
    assert [leg.n for leg in rig.now().of_role(S)] == [0, 1]
    assert [leg.n for leg in rig.now().of_role(T)] == [0, 1]


async def test_a_target_that_lost_its_stop_makes_room_for_a_new_pair(rig: Any) -> None:
    bracket = await rig.hold()
    lose_stop(rig, bracket)
    await rig.settle()
    rig.assert_covered()
    assert rig.legs(T) == [OrderState.CANCELED, OrderState.WORKING]
    rig.venue.fill(rig.now().of_role(T)[1].id, price="106")
    await rig.settle()
    rig.assert_over()


async def test_a_target_that_cannot_be_canceled_does_not_hold_up_the_stop(rig: Any) -> None:
    bracket = await rig.hold()
    lose_stop(rig, bracket)
    rig.venue.faults["cancel"].extend(["request lost"] * 3)
    await rig.settle()
    assert len(rig.now().of_role(S)) == 1
    await rig.advance(2.1)
    rig.assert_covered()
    assert len(rig.now().of_role(S)) == 2
    rig.venue.fill(bracket.of_role(T)[0].id, price="106")
    await rig.settle()
    await rig.advance(5)
    rig.assert_over()


def lose_stop(rig: Any, bracket: Any) -> None:
    """The venue ends the stop alone."""
    stop = rig.venue.orders[bracket.of_role(S)[0].id]
    stop.state = OrderState.EXPIRED
    rig.venue.outbox.append(stop.report())


async def test_more_cover_than_position_shrinks_the_newest_stop(rig: Any) -> None:
    bracket = await rig.hold()
    target = rig.venue.orders[bracket.of_role(T)[0].id]
    target.group = ()  # a venue that does not link the legs it reported as linked
    rig.venue.fill(bracket.of_role(T)[0].id, 4, "106")
    await rig.settle()
    await rig.advance(3.9)
    assert rig.legs(S) == [OrderState.WORKING]
    await rig.advance(0.2)
    rig.assert_covered()
    assert rig.now().position == 6


async def test_where_pairs_are_not_reduced_the_stop_shrinks_at_once(rig_of: Any) -> None:
    rig = rig_of(reduces_pairs=False)
    bracket = await rig.hold()
    stop, target = bracket.of_role(S)[0].id, bracket.of_role(T)[0].id
    rig.venue.orders[stop].group = rig.venue.orders[target].group = ()
    rig.venue.fill(target, 4, "106")
    await rig.settle()
    assert ("cancel", stop) in rig.venue.calls
    await rig.advance(2.5)
    rig.assert_covered()
    assert rig.now().position == 6


async def test_oversold_buys_back_once_and_halts(rig: Any) -> None:
    bracket = await rig.hold()
    rig.venue.orders[bracket.of_role(T)[0].id].group = ()
    rig.venue.fill(bracket.of_role(T)[0].id, price="106")
    rig.venue.fill(bracket.of_role(S)[0].id, price="92")
    await rig.settle()
    assert rig.halts == ["ABC.US: sold 10 more than held"]
    (buy,) = rig.now().of_role(X)
    assert (buy.spec.side, buy.spec.quantity) == ("buy", 10)
    await rig.advance(120)
    assert len(rig.now().of_role(X)) == 1
    rig.venue.fill(buy.id, price="93")
    await rig.settle()
    assert rig.now().phase is BracketPhase.CLOSED
    assert rig.venue.position["ABC.US"] == 0
    assert rig.venue.live() == []
    assert not rig.now().alarmed
    rig.assert_restores()
    last = [event.round_trip for event in rig.events if isinstance(event, RoundTripClosed)][-1]
    assert last.pnl == Decimal(10 * (106 + 92 - 93 - 100)) - last.fees
    assert last.exit_price == 99


async def test_oversold_after_the_close_opens_the_bracket_again(rig: Any) -> None:
    bracket = await rig.hold()
    stop, target = bracket.of_role(S)[0].id, bracket.of_role(T)[0].id
    rig.venue.fill(target, price="106")
    await rig.settle()
    rig.assert_over()
    placed = rig.venue.orders[stop]
    placed.cum, placed.state = Decimal(0), OrderState.WORKING
    rig.venue.fill(stop, price="92")
    await rig.settle()
    assert rig.now().phase is BracketPhase.EXITING
    assert [b.ticket for b in rig.brackets.open()] == [bracket.ticket]
    assert len(rig.halts) == 1
    rig.venue.fill(rig.now().of_role(X)[0].id)
    await rig.settle()
    assert rig.now().phase is BracketPhase.CLOSED


async def test_a_refused_buy_back_waits_before_the_next(rig: Any) -> None:
    bracket = await rig.hold()
    rig.venue.orders[bracket.of_role(T)[0].id].group = ()
    rig.venue.fill(bracket.of_role(T)[0].id, price="106")
    rig.venue.fill(bracket.of_role(S)[0].id, 4, price="92")
    rig.venue.faults["send"].extend(["rejected and recorded"] * 3)
    await rig.settle()
    assert len(rig.now().of_role(X)) == 1
    await rig.advance(1.9)
    assert len(rig.now().of_role(X)) == 1
    await rig.advance(30)
    assert len(rig.now().of_role(X)) == 4
    rig.venue.fill(rig.now().of_role(X)[-1].id)
    await rig.settle()
    assert rig.now().phase is BracketPhase.CLOSED
    assert len(rig.halts) == 1


async def test_a_buy_back_without_an_answer_is_sent_again_under_its_id(rig: Any) -> None:
    bracket = await rig.hold()
    rig.venue.orders[bracket.of_role(T)[0].id].group = ()
    rig.venue.fill(bracket.of_role(T)[0].id, price="106")
    rig.venue.fill(bracket.of_role(S)[0].id, price="92")
    rig.venue.faults["send"].append("request lost")
    await rig.settle()
    assert rig.now().has_unknown
    await rig.advance(1)
    assert not rig.now().has_unknown
    assert rig.venue.sent("X") == [rig.now().of_role(X)[0].id] * 2
    rig.venue.fill(rig.now().of_role(X)[0].id)
    await rig.settle()
    assert rig.now().phase is BracketPhase.CLOSED


async def test_buy_backs_end_with_the_order_numbers(rig: Any) -> None:
    bracket = await rig.hold()
    rig.venue.orders[bracket.of_role(T)[0].id].group = ()
    rig.venue.fill(bracket.of_role(T)[0].id, price="106")
    rig.venue.fill(bracket.of_role(S)[0].id, price="92")
    refuse_exits(rig)
    await rig.settle()
    await rig.advance(3 * 3600)
    assert len(rig.now().of_role(X)) == 100
    assert "by hand" in pages(rig)[-1]


async def test_late_fill_after_the_close_is_protected_again(rig: Any) -> None:
    bracket = await rig.begin()
    await rig.advance(601)
    rig.assert_over()
    rig.venue.fill(bracket.entry.id, 3)
    await rig.settle()
    assert rig.now().phase is BracketPhase.PROTECTED
    rig.assert_covered()
    assert "late fill" in pages(rig)[0]
    assert rig.legs(E) == [OrderState.CANCELED]
    rig.venue.fill(rig.now().of_role(S)[-1].id, price="92")
    await rig.settle()
    rig.assert_over()


async def test_a_lost_cancel_is_sent_again(rig: Any) -> None:
    await rig.begin()
    rig.venue.faults["cancel"].extend(["request lost"] * 3)
    await rig.advance(600.1)
    assert rig.legs(E) == [OrderState.WORKING]
    await rig.advance(6)
    rig.assert_over()


async def test_cancel_that_comes_too_late_finds_the_fill(rig: Any) -> None:
    bracket = await rig.hold()
    rig.streaming = False
    rig.venue.fill(bracket.of_role(S)[0].id, price="91")
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await rig.settle()
    rig.streaming = True
    await rig.settle()
    rig.assert_over()
    assert trip(rig).exit_reason is ExitReason.STOP
    assert rig.venue.sent("X") == []


async def test_report_without_its_execution_waits_and_asks(rig: Any) -> None:
    bracket = await rig.hold()
    rig.venue.fill(bracket.of_role(S)[0].id, price="91")
    rig.venue.outbox.popleft()  # the execution is never streamed
    await rig.settle()
    assert rig.now().phase is BracketPhase.DRAINING
    assert not [event for event in rig.events if isinstance(event, RoundTripClosed)]
    await rig.advance(0.6)
    rig.assert_over()
    assert trip(rig).exit_price == 91


async def test_executions_that_stay_away_are_told_to_a_person(rig: Any) -> None:
    bracket = await rig.hold()
    rig.venue.fill(bracket.of_role(S)[0].id, price="91")
    rig.venue.outbox.popleft()
    rig.venue.faults["executions"].extend(["unavailable"] * 32)
    await rig.settle()
    await rig.advance(59)
    assert not [e for e in rig.events if isinstance(e, Alarm) and "lack executions" in e.text]
    await rig.advance(2)
    texts = [event.text for event in rig.events if isinstance(event, Alarm)]
    assert len([text for text in texts if "lack executions for a minute" in text]) == 1
    await rig.advance(10)
    rig.assert_over()
