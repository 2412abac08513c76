"""Splits and dividends while a bracket is open: no order from before the ex-date rests or comes after it."""

from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.execution.bracket import BracketPhase
from engine.model.events import RoundTripClosed
from engine.model.ids import TicketId
from engine.model.market import CorporateAction, corporate_action_kind
from engine.model.orders import OrderRole, OrderState
from engine.model.positions import ExitReason

E, S, T, X = OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT
EX_DATE = date(2016, 1, 5)


async def ex_date(rig: Any, ratio: float, cancels: bool = True, close: float = 100.0) -> None:
    """What happens before an opening: terms, the venue, then the market."""
    action = CorporateAction("ABC.US", corporate_action_kind(ratio), ratio, close, EX_DATE, 0)  # type: ignore[arg-type]
    rig.picture.seed(action.instrument, close)
    rig.picture.restate((action,))
    rig.brackets.restate((action,))
    held = Decimal(1) if ratio == 0.98 else Decimal(str(ratio))
    rig.venue.split(held, cancels=cancels)
    await rig.settle()
    await rig.open_session(EX_DATE)


@pytest.mark.parametrize(
    ("ratio", "quantity", "position", "stop", "target"),
    [(0.5, 10, 20, "46", "53"), (10.0, 20, 2, "920", "1060"), (0.98, 10, 10, "90.16", "103.88")],
)
async def test_exits_are_placed_anew_at_restated_terms(
    rig: Any, ratio: float, quantity: int, position: int, stop: str, target: str
) -> None:
    await rig.hold(quantity=quantity)
    await rig.price(99.0)
    await rig.close_session()
    await ex_date(rig, ratio)
    bracket = rig.now()
    assert bracket.phase is BracketPhase.PROTECTED
    rig.assert_covered()
    pair = (bracket.of_role(S)[-1], bracket.of_role(T)[-1])
    assert [leg.spec.quantity for leg in pair] == [position, position]
    assert (pair[0].spec.stop_price, pair[1].spec.limit_price) == (Decimal(stop), Decimal(target))
    rig.venue.fill(pair[1].id, price=target)
    await rig.settle()
    rig.assert_over()
    (closed,) = [event.round_trip for event in rig.events if isinstance(event, RoundTripClosed)]
    assert closed.exit_price == 106


async def test_exits_that_the_venue_keeps_are_canceled_by_us(rig: Any) -> None:
    bracket = await rig.hold()
    old = bracket.of_role(S)[0].id
    await ex_date(rig, 0.5, cancels=False)
    assert rig.venue.orders[old].state is OrderState.CANCELED
    rig.assert_covered()
    assert rig.now().of_role(S)[-1].spec.stop_price == 46


async def test_a_lost_cancel_before_the_restatement_is_sent_again(rig: Any) -> None:
    await rig.hold()
    rig.venue.faults["cancel"].extend(["request lost"] * 2)
    await ex_date(rig, 0.5, cancels=False)
    assert rig.now().restating
    await rig.advance(2.1)
    assert not rig.now().restating
    rig.assert_covered()


async def test_an_unknown_stop_is_never_sent_again_at_its_old_price(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    rig.venue.faults["send"].append("request lost")
    await rig.advance(4.01)
    old = rig.now().of_role(S)[-1]
    assert old.state is OrderState.UNKNOWN
    await ex_date(rig, 0.5)
    assert rig.now().restating
    await rig.advance(10)
    assert rig.venue.sent("S") == [old.id, rig.now().of_role(S)[-1].id]
    assert rig.now().of_role(S)[-1].spec.stop_price == 46
    rig.assert_covered()


async def test_an_old_stop_that_comes_to_rest_after_the_restatement_is_canceled(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    rig.venue.faults["send"].append("arrives late")
    await rig.advance(4.01)
    await ex_date(rig, 0.5)
    await rig.advance(10)
    rig.assert_covered()
    good = rig.now().of_role(S)[-1]
    rig.venue.arrive_late()
    await rig.settle()
    await rig.advance(5)
    assert rig.now().leg(good.id).state is OrderState.WORKING
    assert [leg.id for leg in rig.now().of_role(S) if leg.is_live] == [good.id]
    rig.assert_covered()


async def test_an_exit_under_way_is_ended_and_sent_for_the_new_quantity(rig: Any) -> None:
    bracket = await rig.hold()
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await rig.settle()
    await ex_date(rig, 0.5, cancels=False)
    exits = rig.now().of_role(X)
    assert [(leg.spec.quantity, leg.state) for leg in exits] == [
        (10, OrderState.CANCELED),
        (20, OrderState.WORKING),
    ]
    rig.venue.fill(exits[1].id, price="50")
    await rig.settle()
    rig.assert_over()


async def test_prices_are_rounded_down_to_the_tick(rig: Any) -> None:
    rig.tick = Decimal("0.01")
    await rig.hold(stop="92.37", target="106.25")
    assert rig.now().of_role(S)[0].spec.stop_price == Decimal("92.37")
    await ex_date(rig, 0.5)
    bracket = rig.now()
    assert bracket.of_role(S)[-1].spec.stop_price == Decimal("46.18")
    assert bracket.of_role(T)[-1].spec.limit_price == Decimal("53.12")
    assert len(bracket.of_role(S)) == 2


async def test_a_position_that_is_paid_out_whole_ends_its_bracket(rig: Any) -> None:
    await rig.hold(quantity=5)
    await ex_date(rig, 10.0, close=99.0)
    rig.assert_over()
    (closed,) = [event.round_trip for event in rig.events if isinstance(event, RoundTripClosed)]
    assert closed.exit_reason is ExitReason.CORPORATE_ACTION
    assert closed.exit_price == 99
    assert closed.pnl == Decimal("-5.01")


async def test_the_same_action_again_changes_nothing(rig: Any) -> None:
    await rig.hold()
    await ex_date(rig, 0.5)
    before, commits = rig.now(), rig.journal.commits
    rig.brackets.restate(
        (CorporateAction("ABC.US", corporate_action_kind(0.5), 0.5, 100.0, EX_DATE, 0),)  # type: ignore[arg-type]
    )
    assert (rig.now(), rig.journal.commits) == (before, commits)


async def test_actions_of_others_are_nothing_to_us(rig: Any) -> None:
    bracket = await rig.hold()
    rig.brackets.restate((CorporateAction("XYZ.US", corporate_action_kind(0.5), 0.5, 9.0, EX_DATE, 0),))  # type: ignore[arg-type]
    assert rig.now() == bracket


async def test_two_brackets_of_one_instrument_round_as_the_venue_does(rig: Any, world: ModuleType) -> None:
    tickets: list[TicketId] = [world.ticket_id(1), world.ticket_id(2)]
    for number in (1, 2):
        await rig.hold(number=number, quantity=15)
    assert rig.venue.position["ABC.US"] == 30
    await ex_date(rig, 10.0)
    assert [rig.now(ticket).position for ticket in tickets] == [1, 2]
    assert rig.venue.position["ABC.US"] == 3
    cash = sum(rig.now(ticket).cash_adjustment for ticket in tickets)
    assert cash == 0


async def test_a_restart_in_between_goes_on_where_it_was(rig: Any) -> None:
    await rig.hold()
    action = CorporateAction("ABC.US", corporate_action_kind(0.5), 0.5, 100.0, EX_DATE, 0)  # type: ignore[arg-type]
    rig.brackets.restate((action,))
    rig.kill()
    assert rig.now().restating
    rig.brackets.restate((action,))
    rig.brackets.review_all()
    await rig.advance(5)
    assert rig.now().restating
    assert rig.venue.live() == []
    assert len(rig.now().of_role(S)) == 1, "nothing is placed before the venue carried the action out"
    rig.venue.split(Decimal("0.5"))
    await rig.price(49.0)
    rig.assert_covered()
    assert rig.now().position == 20


async def test_a_restart_in_between_ends_what_was_paid_out_whole_without_a_price(rig: Any) -> None:
    await rig.hold(quantity=5)
    action = CorporateAction("ABC.US", corporate_action_kind(10.0), 10.0, 99.0, EX_DATE, 0)  # type: ignore[arg-type]
    rig.brackets.restate((action,))
    rig.kill()
    rig.venue.split(Decimal(10))
    rig.deliver()
    await rig.settle()
    rig.assert_over()


async def test_journal_failure_restates_nothing(rig: Any) -> None:
    bracket = await rig.hold()
    rig.journal.failures = 1
    action = CorporateAction("ABC.US", corporate_action_kind(0.5), 0.5, 100.0, EX_DATE, 0)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="disk is full"):
        rig.brackets.restate((action,))
    assert rig.now() == bracket
