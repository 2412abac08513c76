"""What a venue may say and not be believed: parsed, typed, and still impossible (RELIABILITY 9, 10).

Such a report changes no position, no cash and no order; a person is told, nothing new may begin in the
symbol, the venue is asked again, and the bracket ends as well as any other.
"""

from dataclasses import replace
from decimal import Decimal as D
from types import ModuleType
from typing import Any

import pytest

from engine.errors import BrokerUnavailable, OrderOutcomeUnknown, OrderRejected, StorageError
from engine.execution.bracket import BracketPhase
from engine.execution.evidence import Found
from engine.execution.screening import MAX_PRICE, MAX_TIME_US, MIN_TIME_US, problem
from engine.model.events import Alarm
from engine.model.ids import ClientOrderId, InstrumentId, VenueOrderId
from engine.model.market import CorporateAction, CorporateActionKind
from engine.model.orders import Fill, OrderRole, OrderSide, OrderState, VenueOrder
from engine.model.positions import ExitReason

E, S, T, X = OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT
HUGE = D(10) ** 30
XYZ = InstrumentId("XYZ.US")

ORDERS: list[dict[str, Any]] = [
    {"cum_filled": D(-1)},
    {"cum_filled": D(11)},
    {"cum_filled": HUGE},
    {"cum_filled": D("NaN")},
    {"cum_filled": D("sNaN")},
    {"cum_filled": D("Infinity")},
    {"quantity": D(-10)},
    {"quantity": D(11)},
    {"quantity": HUGE},
    {"quantity": D("NaN")},
    {"quantity": D("Infinity")},
    {"quantity": D(4), "cum_filled": D(5)},
    {"quantity": D(0), "cum_filled": D(11)},
    {"instrument": XYZ},
    {"side": OrderSide.SELL},
]
FILLS: list[dict[str, Any]] = [
    {"price": D(0)},
    {"price": D(-1)},
    {"price": HUGE},
    {"price": D("NaN")},
    {"price": D("Infinity")},
    {"fee": D("-0.01")},
    {"fee": HUGE},
    {"fee": D("NaN")},
    {"fee": D("1100.01")},
    {"quantity": D(0)},
    {"quantity": D(-5)},
    {"quantity": D(11)},
    {"quantity": HUGE},
    {"quantity": D("NaN")},
    {"instrument": XYZ},
    {"side": OrderSide.SELL},
    {"ts_event": 0},
    {"ts_event": -1},
    {"ts_event": 1_451_917_800},
    {"ts_event": 10**30},
]


def order_report(rig: Any, order: ClientOrderId, **changes: Any) -> VenueOrder:
    report: VenueOrder = rig.venue.orders[order].report()
    return replace(report, **changes)


def execution(rig: Any, order: ClientOrderId, **changes: Any) -> Fill:
    spec = rig.venue.orders[order].spec
    fill = Fill("H1", order, spec.instrument, spec.side, D(10), D(100), D("0.01"), rig.clock.now_us())
    return replace(fill, **changes)


def doubts(rig: Any) -> list[str]:
    """What a person was told of unbelievable reports."""
    return [event.text for event in rig.events if isinstance(event, Alarm) and "not believed" in event.text]


def facts_of(rig: Any) -> tuple[Any, ...]:
    """Everything that a hostile report could have changed."""
    bracket = rig.now()
    orders = tuple((leg.id, leg.spec, leg.cum, leg.fills) for leg in bracket.legs)
    return bracket.position, rig.books.cash, orders, rig.journal.rows("fill")


class TestReportsOfOrders:
    @pytest.mark.parametrize("changes", ORDERS, ids=str)
    @pytest.mark.parametrize("state", [OrderState.WORKING, OrderState.FILLED, OrderState.CANCELED])
    async def test_impossible_report_of_an_entry(
        self, rig: Any, changes: dict[str, Any], state: OrderState
    ) -> None:
        bracket = await rig.begin()
        before = facts_of(rig)
        assert rig.brackets.tell_venue(order_report(rig, bracket.entry.id, state=state, **changes))
        await rig.settle()
        assert facts_of(rig) == before
        assert len(doubts(rig)) == 1
        assert rig.halts == doubts(rig)
        assert [entry.kind for entry in rig.journal.entries].count("distrusted") == 1
        assert ("ask", bracket.entry.id) in rig.venue.calls

    @pytest.mark.parametrize("changes", ORDERS, ids=str)
    async def test_impossible_report_of_a_stop_leaves_the_position_protected(
        self, rig: Any, changes: dict[str, Any]
    ) -> None:
        bracket = await rig.hold()
        stop = bracket.of_role(S)[0].id
        if "side" in changes:
            changes = {"side": OrderSide.BUY}
        rig.brackets.tell_venue(order_report(rig, stop, **changes))
        await rig.settle()
        rig.assert_covered()
        assert len(doubts(rig)) == 1
        rig.venue.fill(stop, price="92")
        await rig.settle()
        rig.assert_over()

    async def test_count_that_shrinks_is_not_taken_back(self, rig: Any) -> None:
        """An older report that comes late is no lie: the count only grows, and nobody is alarmed."""
        bracket = await rig.begin()
        rig.venue.fill(bracket.entry.id, 6)
        await rig.settle()
        rig.brackets.tell_venue(order_report(rig, bracket.entry.id, cum_filled=D(2)))
        await rig.settle()
        assert rig.now().position == 6
        assert doubts(rig) == []

    async def test_smaller_order_than_we_sent_is_believed(self, rig: Any) -> None:
        """As the sibling of an exit that filled in part."""
        bracket = await rig.hold()
        rig.venue.fill(bracket.of_role(T)[0].id, 4, price="106")
        await rig.settle()
        assert rig.now().leg(bracket.of_role(S)[0].id).spec.quantity == 6
        assert doubts(rig) == []
        rig.assert_covered()

    async def test_answer_to_a_question_is_screened_too(self, rig: Any) -> None:
        bracket = await rig.begin()
        before = facts_of(rig)
        report = order_report(rig, bracket.entry.id, cum_filled=HUGE, state=OrderState.FILLED)
        rig.brackets.tell(bracket.ticket, Found(report))
        await rig.settle()
        assert facts_of(rig) == before
        assert len(doubts(rig)) == 1

    async def test_good_facts_beside_a_bad_one_count(self, rig: Any) -> None:
        bracket = await rig.begin()
        good = execution(rig, bracket.entry.id, quantity=D(10))
        bad = order_report(rig, bracket.entry.id, quantity=HUGE)
        rig.brackets.tell_all(bracket.ticket, [bad, good])
        await rig.settle()
        assert rig.now().position == 10
        assert len(doubts(rig)) == 1

    async def test_venue_that_repeats_itself_is_told_of_once_and_not_asked_in_a_circle(
        self, rig: Any
    ) -> None:
        bracket = await rig.hold()
        stop = bracket.of_role(S)[0].id
        lie = order_report(rig, stop, quantity=HUGE)
        for _ in range(100):
            rig.brackets.tell(bracket.ticket, Found(lie))
        assert len(doubts(rig)) == 1
        assert rig.brackets.in_flight == 1
        await rig.advance(11)
        rig.brackets.tell(bracket.ticket, Found(lie))
        assert len(doubts(rig)) == 2
        assert rig.venue.calls.count(("ask", stop)) == 1
        await rig.settle()

    async def test_lying_answers_end_no_loop_and_no_bracket(self, rig: Any, monkeypatch: Any) -> None:
        """Every question is answered with an impossible count, until the venue tells the truth again."""
        bracket = await rig.hold()
        truth = rig.venue.order

        async def lie(order: ClientOrderId) -> VenueOrder | None:
            report = await truth(order)
            return None if report is None else replace(report, cum_filled=HUGE)

        monkeypatch.setattr(rig.venue, "order", lie)
        rig.brackets.tell_venue(order_report(rig, bracket.of_role(S)[0].id, cum_filled=D(-3)))
        await rig.advance(120)
        rig.assert_covered()
        assert len(doubts(rig)) <= 13
        monkeypatch.undo()
        rig.venue.fill(bracket.of_role(T)[0].id, price="106")
        await rig.settle()
        await rig.advance(600)
        rig.assert_over()

    async def test_order_that_is_not_ours_is_nobodys(self, rig: Any) -> None:
        bracket = await rig.begin()
        report = order_report(rig, bracket.entry.id)
        for order in ("", "td", "other", f"{bracket.entry.id[:-2]}77", "td" + "Z" * 29):
            assert not rig.brackets.tell_venue(replace(report, client_order_id=ClientOrderId(order)))
        assert doubts(rig) == []


class TestExecutions:
    @pytest.mark.parametrize("changes", FILLS, ids=str)
    async def test_impossible_execution(self, rig: Any, changes: dict[str, Any]) -> None:
        bracket = await rig.begin()
        before = facts_of(rig)
        assert rig.brackets.tell_venue(execution(rig, bracket.entry.id, **changes))
        await rig.settle()
        assert facts_of(rig) == before
        assert len(doubts(rig)) == 1
        assert rig.halts == doubts(rig)

    async def test_more_than_the_order_in_parts(self, rig: Any) -> None:
        bracket = await rig.begin()
        rig.brackets.tell_venue(execution(rig, bracket.entry.id, quantity=D(6)))
        rig.brackets.tell_venue(execution(rig, bracket.entry.id, quantity=D(5), exec_id="H2"))
        assert rig.now().position == 6
        assert "within the 4 that are left" in doubts(rig)[0]
        await rig.settle()

    async def test_same_execution_again_is_no_doubt(self, rig: Any) -> None:
        bracket = await rig.begin()
        fill = execution(rig, bracket.entry.id)
        rig.brackets.tell_venue(fill)
        rig.brackets.tell_venue(replace(fill, fee=D("0.02"), ts_event=fill.ts_event + 1))
        assert doubts(rig) == []
        assert rig.now().position == 10
        assert rig.now().entry.fills == (fill,)
        await rig.settle()

    @pytest.mark.parametrize("changes", [{"price": D(1)}, {"quantity": D(9)}], ids=str)
    async def test_execution_with_other_contents(self, rig: Any, changes: dict[str, Any]) -> None:
        bracket = await rig.begin()
        fill = execution(rig, bracket.entry.id)
        rig.brackets.tell_venue(fill)
        before = facts_of(rig)
        rig.brackets.tell_venue(replace(fill, **changes))
        assert facts_of(rig) == before
        assert "execution H1 was 10 at 100" in doubts(rig)[0]
        await rig.settle()

    async def test_execution_of_another_order_under_a_used_id(self, rig: Any, world: ModuleType) -> None:
        """It would overwrite the first one in the journal, where the id of an execution is the key."""
        first = await rig.begin()
        second = await rig.begin(world.make_ticket(2))
        rig.brackets.tell_venue(execution(rig, first.entry.id))
        rig.brackets.tell_venue(execution(rig, second.entry.id))
        assert rig.now(second.ticket).position == 0
        assert len(doubts(rig)) == 1
        await rig.settle()
        rig.assert_restores()

    async def test_used_ids_are_known_after_a_restart(self, rig: Any, world: ModuleType) -> None:
        first = await rig.begin()
        second = await rig.begin(world.make_ticket(2))
        rig.brackets.tell_venue(execution(rig, first.entry.id))
        await rig.settle()
        rig.kill()
        rig.brackets.tell_venue(execution(rig, second.entry.id))
        assert rig.now(second.ticket).position == 0
        assert len(doubts(rig)) == 1
        await rig.settle()

    async def test_both_exits_filling_is_believed(self, rig: Any) -> None:
        """A race is no lie: an oversold position must be seen to be bought back."""
        bracket = await rig.hold()
        for role, number in ((S, "H1"), (T, "H2")):
            rig.brackets.tell_venue(execution(rig, bracket.of_role(role)[0].id, exec_id=number))
        assert doubts(rig) == []
        assert rig.now().position == -10
        assert rig.halts

    async def test_highest_that_can_be_meant_is_believed(self, rig: Any) -> None:
        bracket = await rig.begin()
        fill = execution(rig, bracket.entry.id, fee=D(1100))
        rig.brackets.tell_venue(fill)
        assert doubts(rig) == []
        await rig.settle()

    async def test_distrust_that_cannot_be_journalled_halts_the_account(self, rig: Any) -> None:
        bracket = await rig.begin()
        rig.journal.failures = 1
        with pytest.raises(StorageError):
            rig.brackets.tell_venue(execution(rig, bracket.entry.id, price=D(0)))
        assert "the journal cannot be written" in rig.halts[0]


class TestProblem:
    """The pure rule."""

    async def test_bounds(self, rig: Any) -> None:
        bracket = await rig.begin()
        fill = execution(rig, bracket.entry.id)
        for changes in ({"price": MAX_PRICE}, {"ts_event": MIN_TIME_US}, {"ts_event": MAX_TIME_US - 1}):
            assert problem(replace(fill, **changes), bracket) == ""
        for changes in ({"price": MAX_PRICE + 1}, {"ts_event": MIN_TIME_US - 1}, {"ts_event": MAX_TIME_US}):
            assert problem(replace(fill, **changes), bracket) != ""
        report = order_report(rig, bracket.entry.id)
        assert problem(replace(report, quantity=D(0), cum_filled=D(10)), bracket) == ""

    async def test_orders_grow_with_a_split(self, rig: Any, world: ModuleType) -> None:
        """A venue that restates resting orders shows twice as many shares after two for one."""
        bracket = await rig.hold()
        action = CorporateAction(
            bracket.instrument, CorporateActionKind.SPLIT, 0.5, 100.0, world.MONDAY, rig.clock.now_us()
        )
        report = order_report(rig, bracket.of_role(S)[0].id, quantity=D(20))
        assert problem(report, bracket) != ""
        rig.brackets.restate([action])
        assert problem(report, rig.now()) == ""
        assert problem(replace(report, quantity=D(21)), rig.now()) != ""
        await rig.settle()


class TestWords:
    """The venue's own words are cleaned before they are kept; an id is refused instead."""

    HOSTILE = "no\x1b[2J \x9b31mmoney\x00\u202e\ud800" + "!" * 500
    CLEAN = "no money" + "!" * 192

    async def test_reason_of_a_report(self, rig: Any) -> None:
        bracket = await rig.hold()
        stop = bracket.of_role(S)[0].id
        rig.brackets.tell_venue(order_report(rig, stop, reason=self.HOSTILE))
        assert rig.now().leg(stop).reason == self.CLEAN
        target = bracket.of_role(T)[0].id
        rig.brackets.tell(bracket.ticket, Found(order_report(rig, target, reason=self.HOSTILE)))
        assert rig.now().leg(target).reason == self.CLEAN
        assert doubts(rig) == []

    async def test_words_of_a_refusal_and_of_a_lost_answer(
        self, rig: Any, world: ModuleType, monkeypatch: Any
    ) -> None:
        errors = [OrderRejected(self.HOSTILE, self.HOSTILE), OrderOutcomeUnknown(self.HOSTILE)]

        async def fail(spec: Any) -> None:
            raise errors.pop(0)

        monkeypatch.setattr(rig.venue, "submit_bracket", fail)
        refused = await rig.begin()
        assert refused.entry.state is OrderState.REJECTED
        assert refused.entry.reason == self.CLEAN
        lost = await rig.begin(world.make_ticket(2))
        assert lost.entry.reason == self.CLEAN

    async def test_words_in_an_alarm(self, rig: Any, monkeypatch: Any) -> None:
        bracket = await rig.hold()

        async def fail(order: ClientOrderId) -> None:
            raise BrokerUnavailable(self.HOSTILE)

        monkeypatch.setattr(rig.venue, "cancel", fail)
        rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
        await rig.settle()
        alarms = [event.text for event in rig.events if isinstance(event, Alarm)]
        assert any("no money!!!" in text for text in alarms)
        assert all(text.isprintable() and len(text) <= 500 for text in alarms)

    @pytest.mark.parametrize("bad", ["V\x1b", "\ud800", "\u202e1", "x" * 201])
    async def test_id_that_cannot_be_shown(self, rig: Any, bad: str) -> None:
        bracket = await rig.begin()
        before = facts_of(rig)
        rig.brackets.tell_venue(order_report(rig, bracket.entry.id, venue_order_id=VenueOrderId(bad)))
        rig.brackets.tell_venue(execution(rig, bracket.entry.id, exec_id=bad))
        await rig.settle()
        assert facts_of(rig) == before
        assert "cannot be shown" in doubts(rig)[0]


async def test_phase_stays_where_it_was(rig: Any) -> None:
    bracket = await rig.hold()
    for role in (E, S, T):
        leg = bracket.of_role(role)[0]
        rig.brackets.tell_venue(order_report(rig, leg.id, cum_filled=D(-1), state=OrderState.CANCELED))
    await rig.settle()
    assert rig.now().phase is BracketPhase.PROTECTED
    rig.assert_covered()
