"""An order whose answer was lost is asked about: an entry is never sent again, a protective one may be."""

import asyncio
from types import ModuleType
from typing import Any

import pytest

from engine.execution.bracket import BracketPhase
from engine.execution.evidence import NotFound
from engine.model.events import Alarm
from engine.model.orders import OrderRole, OrderState
from engine.model.positions import ExitReason

E, S, T, X = OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT
UNKNOWN, WORKING, NOTPLACED = OrderState.UNKNOWN, OrderState.WORKING, OrderState.NOTPLACED


def alarms(rig: Any) -> list[str]:
    return [event.text for event in rig.events if isinstance(event, Alarm)]


async def partly_entered(rig: Any, *faults: str) -> None:
    """Four of ten are held, the next sends meet the faults."""
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    rig.venue.faults["send"].extend(faults)
    await rig.advance(4.01)


async def test_entry_that_arrived_is_found_and_goes_on(rig: Any) -> None:
    rig.streaming = False
    rig.venue.faults["send"].append("answer lost")
    bracket = await rig.begin()
    assert rig.legs(E) == [UNKNOWN]
    rig.venue.outbox.clear()
    await rig.advance(0.6)
    assert rig.legs(E) == rig.legs(S) == rig.legs(T) == [WORKING]
    rig.streaming = True
    rig.venue.fill(bracket.entry.id)
    await rig.settle()
    rig.assert_covered()
    assert len(rig.venue.sent("E")) == 1


async def test_entry_that_never_arrived_is_proved_absent_and_never_sent_again(rig_of: Any) -> None:
    rig = rig_of(request_expiry_us=5_000_000, visibility_lag_us=1_000_000)
    rig.venue.faults["send"].append("request lost")
    await rig.begin()
    await rig.advance(6.9)
    assert rig.now().entry.not_found >= 3
    assert rig.legs(E) == [UNKNOWN]
    await rig.advance(1)
    assert rig.legs(E) == rig.legs(S) == rig.legs(T) == [NOTPLACED]
    assert rig.now().phase is BracketPhase.DRAINING
    await rig.advance(88)
    assert rig.now().phase is BracketPhase.DRAINING
    await rig.advance(3)
    rig.assert_over()
    assert len(rig.venue.sent("E")) == 1


async def test_three_questions_are_needed_however_old_the_entry_is(rig: Any) -> None:
    rig.venue.faults["send"].append("request lost")
    await rig.begin()
    rig.venue.faults["ask"].extend(["unavailable"] * 60)
    await rig.advance(33)
    assert rig.legs(E) == [UNKNOWN]
    assert rig.now().entry.not_found == 0
    rig.venue.faults["ask"].clear()
    await rig.advance(4)
    assert rig.legs(E) == [UNKNOWN]
    assert 0 < rig.now().entry.not_found < 3
    await rig.advance(20)
    assert rig.legs(E) == [NOTPLACED]


async def test_what_was_answered_before_the_request_could_arrive_proves_nothing(rig_of: Any) -> None:
    rig = rig_of(request_expiry_us=5_000_000)
    rig.venue.faults["send"].append("arrives late")
    await rig.begin()
    await rig.advance(5.9)
    assert rig.now().entry.not_found >= 3
    rig.streaming = False
    rig.venue.arrive_late()
    rig.venue.faults["ask"].extend(["unavailable"] * 9)
    await rig.advance(2)
    assert rig.legs(E) == [UNKNOWN]
    rig.venue.faults["ask"].clear()
    await rig.advance(2)
    assert rig.legs(E) == rig.legs(S) == rig.legs(T) == [WORKING]


async def test_the_proof_is_asked_for_as_soon_as_there_can_be_one(rig_of: Any) -> None:
    rig = rig_of(request_expiry_us=3_500_000, visibility_lag_us=500_000)
    rig.venue.faults["send"].append("request lost")
    await rig.begin()
    await rig.advance(4.9)
    assert rig.legs(E) == [UNKNOWN]
    await rig.advance(0.2)
    assert rig.legs(E) == [NOTPLACED]


async def test_a_venue_without_a_bound_gets_eight_seconds(rig_of: Any) -> None:
    rig = rig_of(request_expiry_us=None)
    rig.venue.faults["send"].append("request lost")
    await rig.begin()
    await rig.advance(8.9)
    assert rig.legs(E) == [UNKNOWN]
    await rig.advance(4)
    assert rig.legs(E) == [NOTPLACED]


@pytest.mark.parametrize("hidden_from", ["open orders", "executions"])
async def test_absence_needs_all_three_places(rig: Any, hidden_from: str) -> None:
    """The query misses the order, another place shows it."""
    rig.streaming = False
    rig.venue.faults["send"].append("answer lost")
    bracket = await rig.begin()
    order = bracket.entry.id
    rig.venue.orders[order].group = ()
    ask = rig.venue.order

    async def blind(wanted: Any) -> Any:
        return None if wanted == order else await ask(wanted)

    rig.venue.order = blind
    if hidden_from == "executions":
        rig.venue.fill(order, 10)
    rig.venue.outbox.clear()
    await rig.advance(10)
    state = WORKING if hidden_from == "open orders" else OrderState.FILLED
    assert rig.legs(E) == [state]


async def test_a_failed_question_changes_nothing(rig: Any) -> None:
    rig.venue.faults["send"].append("request lost")
    await rig.begin()
    before = rig.now().entry
    rig.venue.faults["ask"].append("unavailable")
    await rig.advance(0.6)
    assert (rig.now().entry.state, rig.now().entry.not_found) == (before.state, before.not_found)
    assert alarms(rig)[0].startswith("question about td")


async def test_entry_seen_after_its_absence_was_proved_is_canceled(rig: Any) -> None:
    rig.venue.faults["send"].append("arrives late")
    await rig.begin()
    await rig.advance(20)
    assert rig.now().phase is BracketPhase.DRAINING
    rig.venue.arrive_late()
    await rig.settle()
    assert rig.legs(E) == [OrderState.CANCELED]
    await rig.advance(95)
    rig.assert_over()


async def test_entry_that_comes_to_rest_after_the_close_is_canceled(rig: Any) -> None:
    rig.venue.faults["send"].append("arrives late")
    await rig.begin()
    await rig.advance(120)
    assert rig.now().phase is BracketPhase.CLOSED
    rig.venue.arrive_late()
    rig.venue.faults["cancel"].extend(["request lost"] * 3)
    await rig.settle()
    assert rig.now().phase is BracketPhase.DRAINING
    await rig.advance(5)
    rig.assert_over()


async def test_entry_that_filled_after_the_close_is_protected(rig: Any) -> None:
    rig.venue.faults["send"].append("arrives late")
    bracket = await rig.begin()
    await rig.advance(120)
    rig.venue.arrive_late()
    rig.venue.fill(bracket.entry.id)
    await rig.settle()
    rig.assert_covered()
    assert rig.now().phase is BracketPhase.PROTECTED
    rig.venue.fill(bracket.of_role(S)[0].id)
    await rig.settle()
    rig.assert_over()


async def test_unknown_for_a_minute_is_told_once(rig: Any) -> None:
    rig.venue.faults["send"].append("request lost")
    await rig.begin()
    rig.venue.faults["ask"].extend(["unavailable"] * 100)
    await rig.advance(59)
    assert not [text for text in alarms(rig) if "unknown for a minute" in text]
    await rig.advance(60)
    (text,) = [text for text in alarms(rig) if "unknown for a minute" in text]
    assert rig.halts == [text]
    assert rig.scopes == ["ABC.US"]


async def test_stop_and_target_are_sent_again_as_the_same_pair(rig: Any) -> None:
    await partly_entered(rig, "request lost")
    assert (rig.legs(S)[-1], rig.legs(T)[-1]) == (UNKNOWN, UNKNOWN)
    await rig.advance(0.6)
    rig.assert_covered()
    assert rig.venue.sent("S") == [rig.now().of_role(S)[-1].id] * 2
    assert rig.now().of_role(T)[-1].attempts == 2
    assert rig.now().phase is BracketPhase.PROTECTED


async def test_a_pair_waits_until_both_were_asked_for(rig: Any) -> None:
    await partly_entered(rig, "request lost")
    stop, target = rig.now().of_role(S)[-1], rig.now().of_role(T)[-1]
    rig.brackets.tell(rig.now().ticket, NotFound(stop.id))
    await rig.settle()
    assert rig.venue.sent("S") == [stop.id]
    rig.brackets.tell(rig.now().ticket, NotFound(target.id))
    await rig.settle()
    assert rig.venue.sent("S") == [stop.id] * 2
    rig.assert_covered()


async def test_pair_that_did_arrive_is_not_doubled(rig: Any) -> None:
    rig.streaming = False
    bracket = await rig.begin()
    rig.venue.outbox.clear()
    rig.venue.fill(bracket.entry.id, 4)
    rig.deliver()
    rig.venue.faults["send"].append("answer lost")
    await rig.advance(4.01)
    rig.venue.hidden.update(rig.venue.live())  # a venue that shows orders late
    await rig.advance(0.6)
    rig.venue.hidden.clear()
    rig.streaming = True
    await rig.advance(5)
    rig.assert_covered()


async def test_lone_stop_is_sent_again(rig_of: Any) -> None:
    rig = rig_of(bracket_kind="synthetic")
    bracket = await rig.begin()
    rig.venue.faults["send"].append("request lost")
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    await rig.advance(0.6)
    rig.assert_covered()
    assert rig.venue.sent("S") == [rig.now().of_role(S)[-1].id] * 2


async def test_target_alone_is_given_up(rig: Any) -> None:
    await partly_entered(rig, "answer lost")
    stop, target = rig.now().of_role(S)[-1], rig.now().of_role(T)[-1]
    assert (stop.state, target.state) == (WORKING, WORKING)
    rig.kill()
    # The venue lost the target; three questions show it.
    del rig.venue.orders[target.id]
    rig.venue.orders[stop.id].group = ()
    for _ in range(3):
        rig.brackets.tell(rig.now().ticket, NotFound(target.id))
    await rig.settle()
    await rig.advance(0.6)
    assert rig.legs(T)[-1] is NOTPLACED
    rig.assert_covered()
    assert target.id not in rig.venue.sent("T")


async def test_exit_is_sent_again_under_the_same_id(rig: Any) -> None:
    bracket = await rig.hold()
    rig.venue.faults["send"].append("request lost")
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await rig.settle()
    assert rig.legs(X) == [UNKNOWN]
    await rig.advance(0.6)
    assert rig.legs(X) == [WORKING]
    assert rig.venue.sent("X") == [rig.now().of_role(X)[0].id] * 2
    rig.venue.fill(rig.now().of_role(X)[0].id)
    await rig.settle()
    rig.assert_over()


async def test_exit_is_not_sent_again_for_shares_that_are_gone(rig: Any) -> None:
    """While its fate was unknown a canceled stop turned out to have filled."""
    bracket = await rig.hold()
    rig.venue.faults["send"].append("request lost")
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await rig.settle()
    rig.venue.fill(bracket.of_role(S)[0].id, 10, "91")
    await rig.settle()
    assert rig.now().position == 0
    await rig.advance(10)
    assert len(rig.venue.sent("X")) == 1
    assert rig.legs(X) == [NOTPLACED]
    await rig.advance(95)
    rig.assert_over()


async def test_open_only_ids_wait_for_the_proof_before_a_new_id(rig_of: Any) -> None:
    rig = rig_of(client_id_unique_for_ever=False, request_expiry_us=5_000_000)
    await partly_entered(rig, "request lost")
    await rig.advance(5.9)
    assert len(rig.venue.sent("S")) == 1
    await rig.advance(0.2)
    assert rig.legs(S)[1:] == [NOTPLACED, WORKING]
    rig.assert_covered()


async def test_refusal_after_a_second_send_proves_nothing(rig: Any) -> None:
    await partly_entered(rig, "arrives late", "rejected without a record")
    await rig.advance(0.6)
    stop = rig.now().of_role(S)[-1]
    assert (stop.state, stop.attempts) == (UNKNOWN, 2)
    rig.venue.arrive_late()
    await rig.advance(5)
    rig.assert_covered()
    assert len(rig.now().of_role(S)) == 2


async def test_refusal_on_record_after_a_second_send_is_final(rig: Any) -> None:
    await partly_entered(rig, "request lost", "rejected and recorded")
    await rig.advance(1.2)
    assert rig.legs(S)[1] is OrderState.REJECTED
    rig.assert_covered()


async def test_duplicate_id_means_it_is_there(rig: Any) -> None:
    rig.venue.faults["send"].append("duplicate id")
    await rig.begin()
    assert rig.legs(E) == [UNKNOWN]


async def test_sends_without_answers_are_told_to_a_person(rig: Any) -> None:
    await partly_entered(rig, *["request lost"] * 4)
    await rig.advance(1.2)
    assert len([text for text in alarms(rig) if "without an answer" in text]) == 1
    await rig.advance(3)
    rig.assert_covered()
    assert len([text for text in alarms(rig) if "without an answer" in text]) == 1


async def test_unreachable_venue_counts_as_unknown(rig: Any) -> None:
    rig.venue.faults["send"].append("unavailable")
    await rig.begin()
    assert rig.legs(E) == [UNKNOWN]
    await rig.advance(100)
    rig.assert_over()


async def test_a_send_that_never_answers_is_unknown_after_ten_seconds(rig: Any, world: ModuleType) -> None:
    rig.venue.faults["send"].append("no answer until released")
    rig.brackets.start(world.make_ticket(), (), ())
    await asyncio.sleep(0)
    for seconds, state in ((9.9, OrderState.SENDING), (0.2, UNKNOWN)):
        step_clock(rig, seconds)
        assert rig.legs(E) == [state]
    rig.venue.gate.set()
    await rig.settle()
    assert rig.legs(E) == [WORKING]


def step_clock(rig: Any, seconds: float) -> None:
    """Time without waiting for answers."""
    rig.clock.advance_to(rig.clock.now_us() + round(seconds * 1_000_000))
    rig.scheduler.run_due()


async def test_order_that_the_venue_forgot_is_not_waited_for_for_ever(rig: Any) -> None:
    bracket = await rig.hold()
    for leg in (*bracket.of_role(S), *bracket.of_role(T)):
        del rig.venue.orders[leg.id]
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await rig.settle()
    await rig.advance(30)
    assert rig.legs(S) == rig.legs(T) == [NOTPLACED]
    rig.venue.fill(rig.now().of_role(X)[0].id)
    await rig.settle()
    await rig.advance(95)
    rig.assert_over()


async def test_sleeping_legs_share_the_fate_of_their_entry(rig: Any) -> None:
    rig.venue.faults["send"].append("answer lost")
    rig.streaming = False
    bracket = await rig.begin()
    rig.venue.hidden.update(leg.id for leg in bracket.legs[1:])
    rig.venue.outbox.clear()
    await rig.advance(3)
    assert (rig.legs(E), rig.legs(S)) == ([WORKING], [UNKNOWN])
    rig.venue.end(bracket.entry.id, OrderState.CANCELED)
    rig.streaming = True
    rig.venue.outbox = type(rig.venue.outbox)(u for u in rig.venue.outbox if u.client_order_id[-3] == "E")
    await rig.settle()
    await rig.advance(100)
    assert rig.legs(S) == [NOTPLACED]
    rig.assert_over()


async def test_a_stop_refused_again_and_again_is_given_up_for_another(rig_of: Any) -> None:
    rig = rig_of(request_expiry_us=5_000_000)
    await partly_entered(rig, "request lost", *["rejected without a record"] * 5)
    await rig.advance(4)
    assert rig.now().of_role(S)[-1].attempts == 6
    assert rig.legs(S)[-1] is UNKNOWN
    await rig.advance(8)
    assert rig.legs(S)[1:] == [NOTPLACED, WORKING]
    assert len(rig.venue.sent("S")) == 7
    rig.assert_covered()


async def test_an_exit_keeps_its_id_through_many_refusals_of_later_sends(rig_of: Any) -> None:
    rig = rig_of(request_expiry_us=None)
    await rig.hold()
    rig.venue.faults["send"].extend(["arrives late", *["rejected without a record"] * 8])
    rig.brackets.want_exit(rig.now().ticket, ExitReason.MANUAL)
    await rig.settle()
    await rig.advance(30)
    (exit_leg,) = rig.now().of_role(X)
    assert (exit_leg.state, exit_leg.attempts) == (WORKING, 10)
    rig.venue.fill(exit_leg.id)
    rig.venue.arrive_late()
    await rig.settle()
    await rig.advance(95)
    rig.assert_over()
    assert rig.venue.lowest == 0
