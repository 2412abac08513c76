"""Stop and target of a pair tell their ends in any order: nothing is placed for what the other leg sold."""

from decimal import Decimal
from typing import Any

import pytest

from engine.model.orders import BracketKind, OrderRole, OrderState

E, S, T, X = OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT
WORKING, CANCELED, UNKNOWN = OrderState.WORKING, OrderState.CANCELED, OrderState.UNKNOWN


async def sell_at_target(rig: Any, quantity: int) -> Any:
    """The target sells, the venue shrinks the stop with it, and nothing of that is told yet."""
    bracket = await rig.hold()
    rig.streaming = False
    rig.venue.fill(bracket.of_role(T)[0].id, quantity, "106")
    rig.venue.outbox.clear()
    return bracket


def report(rig: Any, order: str) -> None:
    """The stream tells one order as the venue has it now."""
    rig.brackets.tell_venue(rig.venue.orders[order].report())


def sent(rig: Any) -> list[str]:
    return [order for call, order in rig.venue.calls if call == "send"]


async def test_a_stop_that_the_venue_shrank_waits_for_what_its_target_sold(rig: Any) -> None:
    bracket = await sell_at_target(rig, 7)
    before = sent(rig)
    rig.venue.faults["ask"].extend(["unavailable"] * 2)
    report(rig, bracket.of_role(S)[0].id)
    await rig.settle()
    assert rig.now().of_role(S)[0].remaining == 3
    assert rig.now().position == 10
    assert sent(rig) == before
    await rig.advance(3.9)
    assert sent(rig) == before
    assert rig.now().position == 3
    rig.streaming = True
    rig.assert_covered()


async def test_the_target_is_asked_at_once_and_again(rig: Any) -> None:
    bracket = await sell_at_target(rig, 7)
    rig.venue.faults["ask"].extend(["unavailable"] * 3)
    asked = len([order for call, order in rig.venue.calls if call == "ask"])
    report(rig, bracket.of_role(S)[0].id)
    await rig.settle()
    await rig.advance(3.9)
    target = bracket.of_role(T)[0].id
    again = [order for call, order in rig.venue.calls if call == "ask"][asked:]
    assert again[:4] == [target] * 4


async def test_a_target_that_says_nothing_gets_four_seconds_then_a_stop_alone_is_placed(rig: Any) -> None:
    bracket = await sell_at_target(rig, 7)
    rig.venue.faults["ask"].extend(["unavailable"] * 100)
    before = sent(rig)
    report(rig, bracket.of_role(S)[0].id)
    await rig.settle()
    await rig.advance(3.9)
    assert sent(rig) == before
    await rig.advance(0.2)
    stop = rig.now().of_role(S)[-1]
    assert sent(rig) == [*before, stop.id]
    assert (stop.spec.quantity, rig.now().sibling(stop)) == (Decimal(7), None)


async def test_a_stop_that_ended_waits_for_a_target_whose_fate_is_unknown(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    rig.venue.faults["send"].append("answer lost")
    rig.streaming = False
    await rig.advance(4.01)
    stop, target = rig.now().of_role(S)[-1], rig.now().of_role(T)[-1]
    assert (stop.state, target.state) == (UNKNOWN, UNKNOWN)
    rig.venue.fill(target.id, 4, "106")
    rig.venue.outbox.clear()
    before = sent(rig)
    report(rig, stop.id)
    await rig.settle()
    assert rig.now().leg(stop.id).state is CANCELED
    assert sent(rig) == before
    await rig.advance(3)
    assert rig.now().position == 0
    assert sent(rig) == before
    assert rig.venue.lowest == 0


@pytest.mark.parametrize("seconds", [1.9, 2.1])
async def test_an_unknown_target_holds_a_new_stop_up_for_two_seconds(rig: Any, seconds: float) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    rig.venue.faults["send"].append("answer lost")
    rig.streaming = False
    await rig.advance(4.01)
    rig.venue.faults["ask"].extend(["unavailable"] * 100)
    before = sent(rig)
    stop = rig.now().of_role(S)[-1]
    rig.venue.orders[stop.id].state = CANCELED
    report(rig, stop.id)
    await rig.settle()
    await rig.advance(seconds)
    assert (sent(rig) == before) is (seconds < 2)
    if seconds > 2:
        assert rig.now().sibling(rig.now().of_role(S)[-1]) is None


async def test_when_one_of_two_targets_fills_the_other_pair_stays(rig_of: Any) -> None:
    rig = rig_of(bracket_kind=BracketKind.OCO)
    bracket = await rig.begin()
    for quantity in (4, 6):
        rig.venue.fill(bracket.entry.id, quantity)
        await rig.settle()
    first, second = rig.now().of_role(S)
    rig.streaming = False
    rig.venue.fill(rig.now().of_role(T)[0].id, 4, "106")
    rig.venue.outbox.clear()
    report(rig, rig.now().of_role(T)[0].id)
    await rig.settle()
    await rig.advance(3)
    assert rig.legs(S) == [CANCELED, WORKING]
    assert ("cancel", second.id) not in rig.venue.calls
    assert ("cancel", first.id) in rig.venue.calls
