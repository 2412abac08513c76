"""What a person asks of one bracket: carried out by its plan, once, also while halted, written with who."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.execution.bracket import BracketPhase
from engine.execution.byhand import ByHand, HandDesk
from engine.model.commands import Actor, Answer, AskVenue, CancelEntry, ClosePosition
from engine.model.events import PersonActed
from engine.model.ids import TicketId
from engine.model.orders import OrderRole, OrderState
from engine.model.positions import ExitReason

NINA = Actor("nina", "pts/7")
E, S, T, X = OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT
WORKING, FILLED, CANCELED = OrderState.WORKING, OrderState.FILLED, OrderState.CANCELED
UNKNOWN, NOTPLACED = OrderState.UNKNOWN, OrderState.NOTPLACED


class Hand:
    """One person's commands at a rig."""

    def __init__(self, rig: Any) -> None:
        self.rig = rig
        self.why_not = ""
        self.is_open = True

    def give(self, kind: Any, ticket: TicketId | None = None) -> Answer:
        return self.made().give(kind(ticket or self.rig.now().ticket, NINA))

    def made(self) -> ByHand:
        rig = self.rig
        desk = HandDesk(
            rig.brackets,
            rig.clock.now_us,
            rig.events.append,
            lambda: self.why_not,
            lambda: self.is_open,
        )
        return ByHand(desk)


@pytest.fixture
def hand(rig: Any) -> Hand:
    return Hand(rig)


def said(rig: Any) -> list[tuple[str, str]]:
    """Who is named in the audit log, and for what."""
    return [(entry.kind, entry.actor) for entry in rig.journal.entries if entry.actor != "engine"]


async def filled_partly(rig: Any, quantity: int = 4) -> Any:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, quantity)
    await rig.settle()
    return rig.now()


async def lost_entry(rig: Any) -> Any:
    rig.streaming = False
    rig.venue.faults["send"].append("answer lost")
    bracket = await rig.begin()
    rig.venue.outbox.clear()
    rig.streaming = True
    assert rig.legs(E) == [UNKNOWN]
    return bracket


async def test_the_rest_of_an_entry_is_cancelled_and_what_is_held_is_protected(rig: Any, hand: Hand) -> None:
    await filled_partly(rig)
    answer = hand.give(CancelEntry)
    assert answer == Answer(
        True, "ok", "B-1 ABC: cancelling the rest of the entry, 6 of 10. The 4 held keep stop and target."
    )
    await rig.settle()
    assert rig.legs(E) == [CANCELED]
    bracket = rig.now()
    assert (bracket.phase, bracket.held) == (BracketPhase.PROTECTED, 4)
    rig.assert_covered()
    rig.assert_restores()
    assert said(rig) == [("EntryUnwanted", "nina on pts/7")]


async def test_a_cancelled_entry_that_bought_nothing_is_over(rig: Any, hand: Hand) -> None:
    await rig.begin()
    assert hand.give(CancelEntry).text == "B-1 ABC: cancelling the rest of the entry, 10 of 10."
    await rig.settle()
    rig.assert_over()


async def test_cancelling_twice_cancels_once(rig: Any, hand: Hand) -> None:
    await filled_partly(rig)
    rig.venue.faults["cancel"].append("request lost")
    assert hand.give(CancelEntry).ok
    again = hand.give(CancelEntry)
    assert (again.ok, again.text) == (True, "B-1 ABC: the entry is being cancelled already.")
    assert said(rig) == [("EntryUnwanted", "nina on pts/7")]
    await rig.settle()
    assert rig.legs(E) == [WORKING]
    await rig.advance(3)
    assert rig.legs(E) == [CANCELED]
    rig.assert_covered()


@pytest.mark.parametrize(("held", "words"), [(10, "filled, 10 of 10"), (0, "canceled, 0 of 10")])
async def test_an_entry_that_does_not_work_is_not_cancelled(
    rig: Any, hand: Hand, held: int, words: str
) -> None:
    bracket = await rig.begin()
    if held:
        rig.venue.fill(bracket.entry.id)
    else:
        rig.venue.end(bracket.entry.id, CANCELED)
    await rig.settle()
    answer = hand.give(CancelEntry)
    assert answer == Answer(
        False, "nothing_to_cancel", f"B-1 ABC: the entry is {words}: nothing of it works."
    )
    assert said(rig) == [("command_refused", "nina on pts/7")]


async def test_an_unknown_entry_is_cancelled_once_it_is_found(rig: Any, hand: Hand) -> None:
    bracket = await lost_entry(rig)
    answer = hand.give(CancelEntry)
    assert answer.ok
    assert "once it is found" in answer.text
    assert ("cancel", bracket.entry.id) not in rig.venue.calls
    await rig.advance(1)
    assert rig.legs(E) == [CANCELED]
    rig.assert_over()
    assert len(rig.venue.sent("E")) == 1


async def test_a_crash_after_the_command_does_not_forget_it(rig: Any, hand: Hand) -> None:
    await lost_entry(rig)
    hand.give(CancelEntry)
    rig.kill()
    assert rig.now().entry_unwanted
    await rig.recover()
    await rig.settle()
    await rig.advance(1)
    rig.assert_over()


async def test_a_crash_before_the_cancel_went_out_cancels_after_the_start(rig: Any, hand: Hand) -> None:
    await filled_partly(rig)
    hand.give(CancelEntry)
    rig.kill()
    assert rig.legs(E) == [WORKING]
    await rig.recover()
    rig.brackets.review_all()
    await rig.settle()
    await rig.advance(3)
    assert rig.legs(E) == [CANCELED]
    rig.assert_covered()


async def test_a_position_is_sold_after_its_stop_and_target_ended(rig: Any, hand: Hand) -> None:
    await rig.hold()
    answer = hand.give(ClosePosition)
    assert answer == Answer(True, "ok", "B-1 ABC: selling 10, everything else of it ends first.")
    await rig.settle()
    (sale,) = rig.now().of_role(X)
    assert (sale.state, sale.spec.quantity) == (WORKING, 10)
    assert rig.legs(S) == rig.legs(T) == [CANCELED]
    rig.venue.fill(sale.id)
    await rig.settle()
    rig.assert_over()
    assert said(rig) == [("ExitWanted", "nina on pts/7")]
    assert rig.now().exit_wanted is ExitReason.MANUAL


async def test_closing_twice_sells_once(rig: Any, hand: Hand) -> None:
    await rig.hold()
    hand.give(ClosePosition)
    again = hand.give(ClosePosition)
    assert (again.ok, again.text) == (True, "B-1 ABC: being sold already, reason manual.")
    await rig.settle()
    again = hand.give(ClosePosition)
    assert again.ok
    assert len(rig.now().of_role(X)) == 1
    assert len(rig.venue.sent("X")) == 1


async def test_closing_is_more_urgent_than_the_end_of_the_last_session(rig: Any, hand: Hand) -> None:
    bracket = await rig.hold()
    rig.brackets.want_exit(bracket.ticket, ExitReason.TIME)
    await rig.settle()
    assert hand.give(ClosePosition).text.startswith("B-1 ABC: selling 10")
    assert rig.now().exit_wanted is ExitReason.MANUAL


async def test_closing_a_partly_filled_bracket_ends_its_entry_too(rig: Any, hand: Hand) -> None:
    await filled_partly(rig)
    assert hand.give(ClosePosition).text == "B-1 ABC: selling 4, everything else of it ends first."
    await rig.settle()
    (sale,) = rig.now().of_role(X)
    assert (sale.spec.quantity, rig.legs(E)) == (4, [CANCELED])
    rig.venue.fill(sale.id)
    await rig.settle()
    rig.assert_over()


async def test_what_an_unknown_entry_bought_is_sold_once_it_is_found(rig: Any, hand: Hand) -> None:
    bracket = await lost_entry(rig)
    answer = hand.give(ClosePosition)
    assert answer == Answer(
        True, "ok", "B-1 ABC: the entry's fate is not known yet. What it bought is sold once it is found."
    )
    rig.venue.fill(bracket.entry.id)
    await rig.settle()
    await rig.advance(1)
    (sale,) = rig.now().of_role(X)
    assert sale.spec.quantity == 10
    rig.venue.fill(sale.id)
    await rig.settle()
    rig.assert_over()
    assert len(rig.venue.sent("E")) == 1


@pytest.mark.parametrize("works", [True, False])
async def test_nothing_held_is_nothing_to_close(rig: Any, hand: Hand, works: bool) -> None:
    bracket = await rig.begin()
    tail = " Its entry works, 10 of 10: cancel that instead."
    if not works:
        rig.venue.end(bracket.entry.id, CANCELED)
        await rig.settle()
        tail = ""
    answer = hand.give(ClosePosition)
    assert answer == Answer(False, "no_position", f"B-1 ABC: 0 held, nothing to sell.{tail}")
    assert said(rig) == [("command_refused", "nina on pts/7")]


async def test_a_closed_market_is_said(rig: Any, hand: Hand) -> None:
    await rig.hold()
    hand.is_open = False
    answer = hand.give(ClosePosition)
    assert answer.text == "B-1 ABC: the market is closed. The 10 held are sold when it opens."


async def test_the_venue_is_asked_at_once_and_nothing_is_sent(rig: Any, hand: Hand) -> None:
    bracket = await lost_entry(rig)
    asked = [call for call in rig.venue.calls if call == ("ask", bracket.entry.id)]
    assert asked == []
    answer = hand.give(AskVenue)
    text = "B-1 ABC: the venue is asked about 3 orders now. Nothing is sent again."
    assert answer == Answer(True, "ok", text)
    await rig.settle()
    assert rig.legs(E) == [WORKING]
    assert len(rig.venue.sent("E")) == 1
    assert said(rig) == [("AskWanted", "nina on pts/7")]
    assert hand.give(AskVenue) == Answer(False, "nothing_unknown", "B-1 ABC: no order's fate is unknown.")


async def test_one_unknown_order_is_one_order(rig: Any, hand: Hand) -> None:
    bracket = await rig.hold()
    rig.venue.faults["send"].append("answer lost")
    rig.streaming = False
    rig.brackets.want_exit(bracket.ticket, ExitReason.NEWS)
    rig.streaming = True
    await rig.settle()
    rig.streaming = False
    found = rig.now()
    sale = replace(found.of_role(X)[0], state=UNKNOWN, ask_us=rig.clock.now_us() + 400_000)
    rig.brackets._keep(found.with_leg(sale))
    assert "about 1 order now" in hand.give(AskVenue).text


async def test_a_key_held_down_asks_once_in_half_a_second(rig: Any, hand: Hand) -> None:
    rig.venue.faults["ask"].extend(["unavailable"] * 6)
    await lost_entry(rig)
    assert hand.give(AskVenue).ok
    await rig.advance(0.2)
    before = len(rig.venue.calls)
    answer = hand.give(AskVenue)
    assert answer == Answer(False, "asked_already", "B-1 ABC: the venue was asked 0.2 s ago, limit 0.5 s.")
    assert len(rig.venue.calls) == before


async def test_an_order_under_way_is_not_unknown_yet(rig: Any, hand: Hand, world: Any) -> None:
    rig.venue.faults["send"].append("no answer until released")
    rig.brackets.start(world.make_ticket(), (), ())
    await asyncio.sleep(0)
    rig.clock.advance_to(rig.clock.now_us() + 400_000)
    answer = hand.give(AskVenue)
    text = "B-1 ABC: the answer to what was sent is waited for, 0.4 s of at most 10 s."
    assert answer == Answer(False, "nothing_unknown", text)
    rig.venue.gate.set()
    await rig.settle()


async def test_questions_by_hand_prove_no_absence_early(rig_of: Any) -> None:
    rig = rig_of(request_expiry_us=5_000_000, visibility_lag_us=1_000_000)
    rig.venue.faults["send"].append("request lost")
    await rig.begin()
    hand = Hand(rig)
    asked = 0
    for _ in range(10):
        asked += hand.give(AskVenue).ok
        await rig.advance(0.6)
        assert rig.legs(E) == [UNKNOWN]
    assert asked > 3
    assert rig.now().entry.not_found >= 3
    await rig.advance(2)
    assert rig.legs(E) == [NOTPLACED]


async def test_what_arrived_between_the_last_question_and_the_proof_is_found(rig_of: Any) -> None:
    rig = rig_of(request_expiry_us=5_000_000, visibility_lag_us=1_000_000)
    rig.venue.faults["send"].append("arrives late")
    await rig.begin()
    hand = Hand(rig)
    await rig.advance(6.9)
    hand.give(AskVenue)
    await rig.settle()
    rig.venue.arrive_late()
    rig.venue.outbox.clear()
    await rig.advance(0.2)
    assert rig.legs(E) == [WORKING]


async def test_everything_is_carried_out_while_halted(rig: Any, hand: Hand) -> None:
    await rig.hold()
    rig.halt("by you", None)
    assert hand.give(ClosePosition).ok
    await rig.settle()
    assert [leg.state for leg in rig.now().of_role(X)] == [WORKING]


async def test_nothing_is_done_before_the_books_are_recovered(rig: Any, hand: Hand) -> None:
    await rig.hold()
    hand.why_not = "the venue is being compared with the books"
    for kind in (AskVenue, CancelEntry, ClosePosition):
        answer = hand.give(kind)
        assert (answer.ok, answer.code) == (False, "not_ready")
        assert hand.why_not in answer.text
    assert said(rig) == [("command_refused", "nina on pts/7")] * 3
    written = [entry for entry in rig.journal.entries if entry.kind == "command_refused"]
    assert [entry.body["command"] for entry in written] == ["AskVenue", "CancelEntry", "ClosePosition"]
    assert {(entry.correlation, entry.body["ticket"]) for entry in written} == {
        (rig.now().correlation, rig.now().ticket)
    }


async def test_a_key_held_down_is_one_line_of_the_log(rig: Any, hand: Hand) -> None:
    await rig.begin()
    by_hand, again = hand.made(), ClosePosition(rig.now().ticket, NINA)
    for _ in range(9):
        assert not by_hand.give(again).ok
    assert len(said(rig)) == 1
    assert not by_hand.give(replace(again, actor=Actor("bob", "pts/2"))).ok
    assert said(rig)[-1] == ("command_refused", "bob on pts/2")
    await rig.advance(1)
    by_hand.give(again)
    by_hand.give(again)
    assert len(said(rig)) == 3


async def test_a_refusal_that_cannot_be_written_is_an_answer_all_the_same(rig: Any, hand: Hand) -> None:
    await rig.begin()
    rig.journal.failures = 1
    assert hand.give(ClosePosition).code == "no_position"
    assert said(rig) == []
    assert rig.halted


async def test_an_id_that_is_none_is_written_short_and_without_what_a_terminal_obeys(
    rig: Any, hand: Hand
) -> None:
    await rig.hold()
    assert not hand.give(ClosePosition, TicketId("\x1b[2J" + "9" * 10_000)).ok
    (entry,) = [entry for entry in rig.journal.entries if entry.kind == "command_refused"]
    assert entry.body["ticket"] == "9" * 26
    assert entry.body["text"].startswith("No bracket has the id 999")
    assert len(entry.body["text"]) == 300
    assert entry.correlation == ""


async def test_an_id_that_has_no_bracket_is_refused(rig: Any, hand: Hand, world: Any) -> None:
    await rig.hold()
    answer = hand.give(ClosePosition, world.ticket_id(9))
    assert (answer.ok, answer.code) == (False, "unknown_bracket")
    assert world.ticket_id(9) in answer.text


async def test_a_command_that_cannot_be_written_down_does_nothing(rig: Any, hand: Hand) -> None:
    before = await rig.hold()
    rig.journal.failures = 2
    answer = hand.give(ClosePosition)
    assert (answer.ok, answer.code) == (False, "not_journalled")
    assert "the disk is full" in answer.text
    assert rig.now().exit_wanted is None is before.exit_wanted
    assert rig.halts


async def test_others_hear_who_acted(rig: Any, hand: Hand) -> None:
    bracket = await rig.hold()
    answer = hand.give(ClosePosition)
    (event,) = [event for event in rig.events if isinstance(event, PersonActed)]
    assert (event.text, event.by, event.ticket) == (answer.text, "nina on pts/7", bracket.ticket)
    assert event.correlation == bracket.correlation


async def test_shares_in_parts_keep_their_digits(rig: Any, hand: Hand) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, Decimal("0.5"))
    await rig.settle()
    assert "9.5 of 10. The 0.5 held" in hand.give(CancelEntry).text
