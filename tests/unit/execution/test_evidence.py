"""Each row of the order state machine (RELIABILITY 5.2), and what else facts do to a bracket."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.execution.bracket import Bracket, open_bracket
from engine.execution.evidence import (
    FIRST_ASK_US,
    Accepted,
    AnswerLost,
    ExitWanted,
    Found,
    NotFound,
    Refused,
    Restatement,
    SessionOver,
    apply,
    restated,
)
from engine.model.ids import ClientOrderId, VenueOrderId
from engine.model.market import CorporateAction, CorporateActionKind
from engine.model.orders import Fill, OrderSide, OrderState, VenueOrder
from engine.model.positions import ExitReason

NOW = 1_451_917_801_000_000
SENDING, WORKING, UNKNOWN = OrderState.SENDING, OrderState.WORKING, OrderState.UNKNOWN
FILLED, CANCELED, EXPIRED = OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED
REJECTED, NOTPLACED = OrderState.REJECTED, OrderState.NOTPLACED


@pytest.fixture
def bracket(world: ModuleType) -> Bracket:
    return open_bracket(world.make_ticket(), world.OPEN_US)


def held_for(bracket: Bracket, sessions: int | None) -> Bracket:
    return replace(bracket, exit_plan=replace(bracket.exit_plan, max_sessions=sessions))


def in_state(bracket: Bracket, state: OrderState, attempts: int = 1, cum: int = 0) -> Bracket:
    """The bracket with its stop in a state."""
    stop = replace(bracket.legs[1], state=state, attempts=attempts, cum=Decimal(cum), parent=None)
    return bracket.with_leg(stop)


def report(bracket: Bracket, state: OrderState, cum: int = 0, quantity: int = 10) -> VenueOrder:
    stop = bracket.legs[1]
    return VenueOrder(
        stop.id,
        VenueOrderId("V-1"),
        bracket.instrument,
        OrderSide.SELL,
        state,
        Decimal(quantity),
        Decimal(cum),
        reason="in words",
    )


def execution(bracket: Bracket, quantity: int, name: str = "X1", ts: int = NOW, leg: int = 1) -> Fill:
    order = bracket.legs[leg]
    return Fill(
        name, order.id, bracket.instrument, order.spec.side, Decimal(quantity), Decimal(92), Decimal(0), ts
    )


@pytest.mark.parametrize(
    ("state", "attempts", "event", "after"),
    [
        (SENDING, 1, "accepted", WORKING),
        (SENDING, 1, "working", WORKING),
        (SENDING, 1, "refused", REJECTED),
        (SENDING, 2, "refused", UNKNOWN),
        (SENDING, 1, "rejected", REJECTED),
        (SENDING, 2, "rejected", UNKNOWN),
        (SENDING, 2, "found rejected", REJECTED),
        (SENDING, 1, "answer lost", UNKNOWN),
        (SENDING, 1, "not found", SENDING),
        (SENDING, 1, "fill", WORKING),
        (UNKNOWN, 1, "accepted", WORKING),
        (UNKNOWN, 1, "refused", REJECTED),
        (UNKNOWN, 2, "refused", UNKNOWN),
        (UNKNOWN, 2, "rejected", UNKNOWN),
        (UNKNOWN, 2, "found rejected", REJECTED),
        (UNKNOWN, 1, "found working", WORKING),
        (UNKNOWN, 1, "canceled", CANCELED),
        (UNKNOWN, 1, "expired", EXPIRED),
        (UNKNOWN, 1, "filled", FILLED),
        (UNKNOWN, 1, "fill", WORKING),
        (UNKNOWN, 1, "not found", UNKNOWN),
        (UNKNOWN, 1, "answer lost", UNKNOWN),
        (NOTPLACED, 1, "working", WORKING),
        (NOTPLACED, 1, "fill", WORKING),
        (NOTPLACED, 1, "accepted", NOTPLACED),
        (NOTPLACED, 1, "not found", NOTPLACED),
        (WORKING, 1, "working", WORKING),
        (WORKING, 1, "not found", WORKING),
        (WORKING, 1, "accepted", WORKING),
        (WORKING, 1, "refused", WORKING),
        (WORKING, 1, "answer lost", WORKING),
        (WORKING, 1, "fill", WORKING),
        (WORKING, 1, "last fill", FILLED),
        (WORKING, 2, "rejected", UNKNOWN),
        (CANCELED, 1, "fill", CANCELED),
        (CANCELED, 1, "last fill", FILLED),
        (CANCELED, 1, "working", CANCELED),
        (EXPIRED, 1, "fill", EXPIRED),
        (EXPIRED, 1, "last fill", FILLED),
        (FILLED, 1, "working", FILLED),
        (FILLED, 1, "canceled", FILLED),
        (REJECTED, 1, "working", WORKING),
        (REJECTED, 1, "fill", WORKING),
        (REJECTED, 1, "last fill", FILLED),
        (REJECTED, 2, "rejected", REJECTED),
    ],
)
def test_row_of_the_order_state_machine(
    bracket: Bracket, state: OrderState, attempts: int, event: str, after: OrderState
) -> None:
    before = in_state(bracket, state, attempts)
    order = before.legs[1].id
    facts: dict[str, Any] = {
        "accepted": Accepted(order),
        "refused": Refused(order, "no"),
        "answer lost": AnswerLost(order, "timeout"),
        "not found": NotFound(order),
        "working": report(before, WORKING),
        "rejected": report(before, REJECTED),
        "canceled": report(before, CANCELED),
        "expired": report(before, EXPIRED),
        "filled": report(before, FILLED, 10),
        "found rejected": Found(report(before, REJECTED)),
        "found working": Found(report(before, WORKING)),
        "fill": execution(before, 4),
        "last fill": execution(before, 10),
    }
    moved = apply(facts[event], before, NOW)
    assert moved.legs[1].state is after
    assert moved.legs[1].changed_us == (NOW if after is not state else before.legs[1].changed_us)


def test_first_question_comes_half_a_second_after_the_answer_is_lost(bracket: Bracket) -> None:
    before = in_state(bracket, SENDING)
    lost = apply(AnswerLost(before.legs[1].id, "timeout"), before, NOW).legs[1]
    assert (lost.ask_us, lost.asked, lost.not_found, lost.reason) == (NOW + FIRST_ASK_US, 0, 0, "timeout")


def test_a_working_order_not_found_three_times_is_unknown(bracket: Bracket) -> None:
    current = in_state(bracket, WORKING)
    for state in (WORKING, WORKING, UNKNOWN):
        current = apply(NotFound(current.legs[1].id), current, NOW)
        assert current.legs[1].state is state


def test_a_report_ends_the_count_of_not_found(bracket: Bracket) -> None:
    current = in_state(bracket, WORKING)
    for fact in (NotFound(current.legs[1].id),) * 2:
        current = apply(fact, current, NOW)
    current = apply(report(current, WORKING), current, NOW)
    assert current.legs[1].not_found == 0


def test_cumulative_quantity_never_shrinks(bracket: Bracket) -> None:
    current = apply(report(bracket, WORKING, 6), in_state(bracket, WORKING), NOW)
    assert current.legs[1].cum == 6
    current = apply(report(bracket, WORKING, 2), current, NOW)
    assert current.legs[1].cum == 6
    current = apply(execution(bracket, 4), current, NOW)
    assert current.legs[1].cum == 6


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (1, 2, 0)])
def test_fills_and_their_report_may_come_in_any_order(bracket: Bracket, order: tuple[int, ...]) -> None:
    before = in_state(bracket, WORKING)
    facts = (
        execution(before, 4, "B", NOW - 1),
        execution(before, 6, "A", NOW),
        report(before, FILLED, 10),
    )
    current = before
    for index in (*order, *order):
        current = apply(facts[index], current, NOW)
    stop = current.legs[1]
    assert (stop.state, stop.cum, stop.unbooked) == (FILLED, 10, 0)
    assert [fill.exec_id for fill in stop.fills] == ["B", "A"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (SENDING, UNKNOWN),
        (WORKING, UNKNOWN),
        (UNKNOWN, UNKNOWN),
        (NOTPLACED, WORKING),
        (REJECTED, WORKING),
        (CANCELED, CANCELED),
    ],
)
def test_filled_with_less_than_the_whole_order_counts_no_more_and_is_asked(
    bracket: Bracket, before: OrderState, after: OrderState
) -> None:
    stop = apply(report(bracket, FILLED, 3), in_state(bracket, before), NOW).legs[1]
    assert (stop.state, stop.cum) == (after, 3)
    assert stop.reason == "the venue says filled and counts 3 of 10"
    assert stop.ask_us == NOW + FIRST_ASK_US
    whole = apply(report(bracket, FILLED, 10), bracket.with_leg(stop), NOW).legs[1]
    assert (whole.state, whole.cum) == (FILLED, 10)


def test_a_venue_that_shrinks_an_order_is_believed(bracket: Bracket) -> None:
    stop = apply(report(bracket, WORKING, 0, quantity=6), in_state(bracket, WORKING), NOW).legs[1]
    assert stop.remaining == 6


def test_a_quantity_that_makes_no_sense_is_not_taken_over(bracket: Bracket) -> None:
    stop = apply(report(bracket, WORKING, 0, quantity=0), in_state(bracket, WORKING), NOW).legs[1]
    assert (stop.remaining, stop.state) == (10, WORKING)


def test_the_first_fill_of_the_entry_is_noted_once(bracket: Bracket) -> None:
    first = apply(execution(bracket, 4, leg=0), bracket, NOW)
    again = apply(execution(bracket, 2, "X2", leg=0), first, NOW + 5)
    assert first.first_fill_us == again.first_fill_us == NOW
    other = apply(execution(first, 1, "X3"), replace(first, first_fill_us=None), NOW + 9)
    assert other.first_fill_us is None


def test_sessions_are_counted_once_and_end_in_a_time_exit(bracket: Bracket) -> None:
    current = held_for(bracket, 2)
    for day, held, wanted in ((4, 1, None), (4, 1, None), (3, 1, None), (5, 2, ExitReason.TIME)):
        current = apply(SessionOver(date(2016, 1, day)), current, NOW)
        assert (current.sessions_held, current.exit_wanted) == (held, wanted)


def test_a_session_before_the_entry_is_not_counted(bracket: Bracket) -> None:
    fresh = held_for(replace(bracket, last_session=None, sessions_held=0, session=date(2016, 1, 5)), 1)
    assert apply(SessionOver(date(2016, 1, 4)), fresh, NOW) == fresh
    assert apply(SessionOver(date(2016, 1, 5)), fresh, NOW).exit_wanted is ExitReason.TIME


def test_without_a_time_exit_sessions_only_count(bracket: Bracket) -> None:
    current = apply(SessionOver(date(2016, 1, 4)), held_for(bracket, None), NOW)
    assert (current.sessions_held, current.exit_wanted) == (1, None)


def test_the_first_reason_to_leave_is_kept(bracket: Bracket) -> None:
    current = apply(ExitWanted(ExitReason.MANUAL), held_for(bracket, 1), NOW)
    current = apply(ExitWanted(ExitReason.EMERGENCY), current, NOW)
    current = apply(SessionOver(date(2016, 1, 4)), current, NOW)
    assert current.exit_wanted is ExitReason.MANUAL


def action(
    ratio: float, kind: CorporateActionKind = CorporateActionKind.SPLIT, close: float = 100
) -> CorporateAction:
    return CorporateAction("ABC.US", kind, ratio, close, date(2016, 1, 5), 0)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("held", "ratio", "shares", "cash"),
    [
        (10, 0.5, 20, "0"),
        (10, 0.3333333432674408, 30, "0"),
        (7, 1.5, 4, "100.00"),
        (25, 10.0, 2, "500.00"),
        (5, 10.0, 0, "500.00"),
    ],
)
def test_a_split_divides_shares_and_pays_the_fraction(
    held: int, ratio: float, shares: int, cash: str
) -> None:
    assert restated(Decimal(held), action(ratio)) == (Decimal(shares), Decimal(cash))


def test_a_dividend_pays_cash_and_keeps_the_shares() -> None:
    paid = restated(Decimal(10), action(0.98, CorporateActionKind.DIVIDEND))
    assert paid == (Decimal(10), Decimal("20.00"))


def test_a_corporate_action_restates_what_is_held_once(bracket: Bracket) -> None:
    held = bracket.with_leg(replace(bracket.entry, state=FILLED, cum=Decimal(10)))
    fact = Restatement(action(0.5), Decimal(0))
    after = apply(fact, held, NOW)
    assert (after.position, after.stop_now, after.target_now, after.restating) == (20, 46, 53, True)
    assert apply(fact, after, NOW) == after


def test_brackets_of_one_instrument_share_the_rounding_of_a_split(bracket: Bracket) -> None:
    held = bracket.with_leg(replace(bracket.entry, state=FILLED, cum=Decimal(5)))
    older = apply(Restatement(action(10.0), Decimal(0)), held, NOW)
    newer = apply(Restatement(action(10.0), Decimal(5)), held, NOW)
    assert (older.position, newer.position) == (0, 1)
    assert older.cash_adjustment + newer.cash_adjustment == 0


def test_a_corporate_action_is_nothing_to_an_unfilled_bracket(bracket: Bracket) -> None:
    assert apply(Restatement(action(0.5), Decimal(0)), bracket, NOW) is bracket


@pytest.mark.parametrize("fact", [Accepted, NotFound])
def test_an_order_of_another_bracket_is_refused(bracket: Bracket, fact: Any) -> None:
    with pytest.raises(KeyError):
        apply(fact(ClientOrderId("tdX")), bracket, NOW)


def test_what_is_no_fact_is_refused(bracket: Bracket) -> None:
    with pytest.raises(TypeError, match="not a fact"):
        apply("rumor", bracket, NOW)  # type: ignore[arg-type]
