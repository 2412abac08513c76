"""One look at the venue: what is asked, in which order it is told, and what the two books disagree about."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import BrokerUnavailable, ConfigError, StorageError
from engine.execution.bracket import BracketPhase
from engine.execution.reconcile import ASKED_AT_ONCE, Reconciliation
from engine.model.ids import AccountId, ClientOrderId, InstrumentId
from engine.model.market import CorporateAction, corporate_action_kind
from engine.model.orders import Fill, OrderRole, OrderSide, OrderSpec, OrderState, OrderType
from engine.model.positions import AccountKind

E, S, T = OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET
XYZ = InstrumentId("XYZ.US")
S_US = 1_000_000
WEB = ClientOrderId("web-1")


@pytest.fixture
def looking(rig: Any) -> Reconciliation:
    """A reconciliation that has not looked yet."""
    return Reconciliation(rig.post)


@pytest.fixture
def foreign_fill(rig: Any) -> Callable[..., Fill]:
    """Somebody else trades on the account."""

    def fill(quantity: int, instrument: str = XYZ, side: OrderSide = OrderSide.BUY, order: str = WEB) -> Fill:
        now = rig.clock.now_us()
        name = f"F{len(rig.venue.executed)}"
        done = Fill(
            name, ClientOrderId(order), InstrumentId(instrument), side, Decimal(quantity), Decimal(5),
            Decimal(0), now,
        )  # fmt: skip
        rig.venue.executed.append(done)
        rig.venue.position[instrument] += side.sign * Decimal(quantity)
        return done

    return fill


def placed(
    rig: Any, world: Any, order: str, side: OrderSide = OrderSide.BUY, instrument: str = "ABC.US"
) -> Any:
    """An order that works at the venue and that no row knows."""
    spec = replace(
        world.make_ticket(7).order.entry,
        client_order_id=ClientOrderId(order),
        side=side,
        instrument=InstrumentId(instrument),
    )
    rig.venue.orders[spec.client_order_id] = world.Placed(spec, Decimal(10))
    return spec


@pytest.mark.parametrize("call", ["time", "executions", "open", "ask", "account"])
async def test_a_failed_question_aborts_the_look_and_changes_nothing(rig: Any, call: str) -> None:
    await rig.begin()
    rig.kill()
    rig.streaming = False
    rig.venue.fill(rig.now().entry.id)
    await rig.recover()
    rig.kill()
    before, commits = tuple(rig.brackets), rig.journal.commits
    rig.venue.fill(rig.now().of_role(T)[0].id)
    rig.venue.faults[call].extend(["unavailable"] * 6)
    with pytest.raises(BrokerUnavailable):
        await rig.recover()
    assert (tuple(rig.brackets), rig.journal.commits) == (before, commits)


@pytest.mark.parametrize("call", ["time", "executions", "open", "ask", "account"])
async def test_a_question_that_got_no_answer_is_put_once_more(rig: Any, call: str) -> None:
    await rig.begin()
    rig.kill()
    rig.streaming = False
    rig.venue.fill(rig.now().entry.id)
    rig.venue.faults[call].append("unavailable")
    await rig.recover()
    assert rig.now().position == 10


@pytest.mark.parametrize(
    "identity", [(AccountId("OTHER-9"), AccountKind.SIMULATION), (AccountId("SIM-1"), AccountKind.LIVE)]
)
async def test_another_account_is_told_nothing(rig: Any, identity: Any) -> None:
    await rig.begin()
    rig.kill()
    rig.venue.identity = identity
    rig.venue.fill(rig.now().entry.id)
    before = rig.now()
    with pytest.raises(ConfigError, match=str(identity[0])) as caught:
        await rig.recover()
    assert caught.value.exit_code == 78
    assert rig.now() == before
    assert rig.journal.rows("cursor") == []


async def test_a_bracket_gets_all_of_its_facts_in_one_commit(rig: Any) -> None:
    bracket = await rig.begin()
    rig.streaming = False
    rig.venue.fill(bracket.entry.id, 4)
    rig.venue.fill(bracket.entry.id, 6)
    rig.kill()
    await rig.recover()
    kinds = [entry.kind for entry in rig.journal.entries]
    assert kinds.count("Reconciled") == 1
    body = next(entry.body for entry in rig.journal.entries if entry.kind == "Reconciled")
    told = [fact["fact"] for fact in body["facts"]]
    assert told == ["Fill", "Fill", "Found", "Found", "Found"]
    assert rig.now().phase is BracketPhase.PROTECTED
    assert rig.venue.sent("S") == []


async def test_orders_in_the_list_of_working_ones_are_not_asked_about(rig: Any, looking: Any) -> None:
    await rig.begin()
    rig.venue.calls.clear()
    findings = await looking.look(0)
    assert findings.asked == 0
    assert ("ask", rig.now().entry.id) not in rig.venue.calls


async def test_an_order_that_is_not_listed_is_asked_about_by_itself(rig: Any, looking: Any) -> None:
    bracket = await rig.begin()
    rig.venue.hidden.add(bracket.entry.id)
    findings = await looking.look(0)
    assert findings.asked == 1
    assert rig.now().entry.not_found == 1
    assert rig.now().entry.state is OrderState.WORKING


async def test_an_order_that_was_proved_absent_is_asked_about_in_each_look(rig: Any, looking: Any) -> None:
    rig.venue.faults["send"].append("arrives late")
    bracket = await rig.begin()
    await rig.advance(20)
    assert rig.legs(E) == [OrderState.NOTPLACED]
    rig.streaming = False
    rig.venue.arrive_late()
    rig.venue.end(bracket.entry.id, OrderState.EXPIRED)
    await looking.look(0)
    assert rig.legs(E) == [OrderState.EXPIRED]


async def test_single_questions_go_out_a_few_at_a_time(rig: Any, world: Any) -> None:
    for number in range(1, 9):
        await rig.begin(number=number)
        rig.venue.hidden.update(leg.id for leg in rig.now(world.ticket_id(number)).legs)
    rig.kill()
    real, out, most = rig.venue.order, set(), []

    async def counted(order: Any) -> Any:
        out.add(order)
        most.append(len(out))
        await world.asyncio.sleep(0)
        out.discard(order)
        return await real(order)

    rig.venue.order = counted
    findings = await rig.recover()
    assert findings.asked == len(most) == 24
    assert max(most) == ASKED_AT_ONCE


async def test_one_failed_question_of_many_leaves_no_task_behind(rig: Any, world: Any) -> None:
    for number in range(1, 5):
        await rig.begin(number=number)
        rig.venue.hidden.update(leg.id for leg in rig.now(world.ticket_id(number)).legs)
    rig.kill()
    rig.venue.faults["ask"].extend([None, *["unavailable"] * 8])
    before = world.asyncio.all_tasks()
    with pytest.raises(BrokerUnavailable):
        await rig.recover()
    await world.asyncio.sleep(0)
    assert world.asyncio.all_tasks() == before


async def test_an_order_that_moved_just_now_is_left_out(rig: Any, looking: Any) -> None:
    bracket = await rig.begin()
    rig.venue.hidden.add(bracket.entry.id)
    await rig.advance(1)
    await looking.look(2 * S_US)
    assert rig.now().entry.not_found == 0
    await rig.advance(2)
    await looking.look(2 * S_US)
    assert rig.now().entry.not_found == 1


async def test_what_the_stream_shows_while_the_answers_come_is_newer_than_they_are(rig: Any) -> None:
    bracket = await rig.begin()
    looking = Reconciliation(rig.post)
    await rig.advance(10)
    real = rig.venue.open_orders

    async def slow() -> Any:
        listed = await real()
        rig.clock.advance_to(rig.clock.now_us() + 1000)
        rig.venue.end(bracket.entry.id, OrderState.CANCELED)
        while rig.venue.outbox:
            update = rig.venue.outbox.popleft()
            looking.touched(update.client_order_id)
            rig.brackets.tell_venue(update)
        return listed

    rig.venue.open_orders = slow
    before = rig.now()
    await looking.look(0)
    assert rig.now().entry.state is OrderState.CANCELED
    assert before.entry.state is OrderState.WORKING


async def test_executions_are_read_again_from_ten_minutes_before_the_newest(rig: Any, looking: Any) -> None:
    bracket = await rig.begin()
    opened = rig.clock.now_us()
    await looking.look(0)
    assert rig.venue.since[-1] == opened - 600 * S_US
    await rig.advance(30)
    rig.venue.fill(bracket.entry.id)
    filled = rig.clock.now_us()
    await rig.advance(3000)
    await looking.look(0)
    assert [row["value"] for row in rig.journal.rows("cursor")] == [str(filled)]
    await rig.advance(300)
    again = Reconciliation(rig.post)
    await again.look(0)
    assert rig.venue.since[-1] == filled - 600 * S_US


async def test_a_cursor_that_a_wrong_clock_wrote_is_bounded_by_the_venues(rig: Any, looking: Any) -> None:
    rig.venue.skew_us = 3600 * S_US
    await looking.look(0)
    rig.venue.skew_us = 0
    await looking.look(0)
    assert rig.venue.since[-1] == rig.clock.now_us() - 600 * S_US


async def test_the_cursor_follows_the_fills_it_covers(rig: Any, looking: Any) -> None:
    bracket = await rig.begin()
    await looking.look(0)
    stored = rig.journal.rows("cursor")
    await rig.advance(5)
    rig.streaming = False
    rig.venue.fill(bracket.entry.id)
    rig.journal.failures = 1
    with pytest.raises(StorageError):
        await looking.look(0)
    assert rig.journal.rows("cursor") == stored
    await looking.look(0)
    assert rig.now().position == 10
    assert rig.journal.rows("cursor") != stored


async def test_a_late_fill_of_a_closed_bracket_is_found_by_the_cursor(rig: Any, looking: Any) -> None:
    bracket = await rig.begin()
    await looking.look(0)
    await rig.advance(601)
    await rig.advance(100)
    rig.assert_over()
    rig.streaming = False
    rig.venue.fill(bracket.entry.id, 3)
    rig.venue.outbox.clear()
    rig.kill()
    await rig.recover()
    assert rig.now().position == 3
    assert rig.now().phase is not BracketPhase.CLOSED


async def test_what_was_there_first_is_external_and_kept_over_a_restart(rig: Any, looking: Any) -> None:
    rig.venue.position[XYZ] = Decimal(5)
    findings = await looking.look(0)
    assert findings.clean
    assert looking.external == {XYZ: Decimal(5)}
    assert rig.alarms == [("XYZ.US: 5 held that are not ours, 0 before: never traded", False, "external")]
    assert [entry.kind for entry in rig.journal.entries] == ["account first seen"]
    await rig.begin()
    rig.kill()
    again = Reconciliation(rig.post)
    assert again.external == {XYZ: Decimal(5)}
    assert (await again.look(0)).clean


async def test_with_brackets_of_our_own_nothing_found_first_is_external(rig: Any) -> None:
    await rig.hold()
    rig.venue.position["ABC.US"] = Decimal(7)
    rig.venue.position[XYZ] = Decimal(1)
    findings = await rig.recover()
    assert [difference.text for difference in findings.differences] == [
        "ABC.US: we hold 10, the venue says 7",
        "XYZ.US: we hold 0, the venue says 1",
    ]
    assert not findings.clean


async def test_foreign_executions_explain_a_position_once(rig: Any, looking: Any, foreign_fill: Any) -> None:
    rig.venue.position[XYZ] = Decimal(5)
    await looking.look(0)
    foreign_fill(3)
    assert (await looking.look(0)).clean
    assert looking.external == {XYZ: Decimal(8)}
    assert (await looking.look(0)).clean
    again = Reconciliation(rig.post)
    assert (await again.look(0)).clean
    await rig.advance(60)
    foreign_fill(8, side=OrderSide.SELL)
    assert (await again.look(0)).clean
    assert again.external == {}


async def test_foreign_executions_are_forgotten_when_they_are_not_read_again(
    rig: Any, looking: Any, foreign_fill: Any
) -> None:
    await looking.look(0)
    first = foreign_fill(3)
    await rig.advance(1000)
    foreign_fill(4)
    await looking.look(0)
    assert first.exec_id not in rig.journal.meta("external")
    rig.venue.skew_us = -2000 * S_US
    assert (await looking.look(0)).clean
    assert looking.external == {XYZ: Decimal(7)}


async def test_a_foreign_sale_of_our_shares_is_a_difference(
    rig: Any, looking: Any, foreign_fill: Any
) -> None:
    await looking.look(0)
    await rig.hold()
    foreign_fill(4, "ABC.US", OrderSide.SELL)
    (difference,) = (await looking.look(0)).differences
    assert (difference.ours, difference.external, difference.theirs) == (10, 0, 6)


async def test_a_foreign_short_position_stays_external(rig: Any, looking: Any) -> None:
    rig.venue.position["ABC.US"] = Decimal(-5)
    await looking.look(0)
    await rig.begin()
    rig.venue.fill(rig.now().entry.id)
    await rig.settle()
    assert (await looking.look(0)).clean


async def test_who_trades_while_the_account_is_first_seen_is_looked_at_again(
    rig: Any, looking: Any, foreign_fill: Any
) -> None:
    real = rig.venue.account

    async def slow() -> Any:
        account = await real()
        foreign_fill(3)
        return account

    rig.venue.account = slow
    with pytest.raises(BrokerUnavailable, match="others trade"):
        await looking.look(0)
    assert rig.journal.rows("cursor") == []
    rig.venue.account = real
    assert (await looking.look(0)).clean
    assert looking.external == {XYZ: Decimal(3)}


@pytest.mark.parametrize("text", ["{", "[]", '{"held": {"XYZ.US": "many"}, "seen": {}}', '{"held": {}}'])
async def test_a_note_of_what_is_not_ours_that_makes_no_sense_is_refused(
    rig: Any, world: Any, text: str
) -> None:
    await Reconciliation(rig.post).look(0)
    rig.journal.commit([world.JournalRow("meta", {"k": "external", "v": text})], ())
    with pytest.raises(StorageError, match="makes no sense"):
        Reconciliation(rig.post)


async def test_a_fill_that_comes_while_the_account_is_read_is_no_difference(rig: Any, looking: Any) -> None:
    bracket = await rig.begin()
    await looking.look(0)
    real = rig.venue.account

    async def slow() -> Any:
        account = await real()
        if rig.now().position == 0:
            rig.venue.fill(bracket.entry.id)
            rig.deliver()
        return account

    rig.venue.account = slow
    assert (await looking.look(0)).clean


async def test_a_fill_that_the_stream_has_not_told_yet_is_no_difference(rig: Any, looking: Any) -> None:
    bracket = await rig.begin()
    await looking.look(0)
    rig.streaming = False
    real, asked = rig.venue.account, []

    async def filling() -> Any:
        if not asked:
            rig.venue.fill(bracket.entry.id)
        asked.append("account")
        return await real()

    rig.venue.account = filling
    assert (await looking.look(0)).clean
    assert len(asked) == 2
    assert rig.now().position == 10


async def test_a_difference_of_an_instrument_whose_order_is_unknown_is_not_settled(
    rig: Any, looking: Any
) -> None:
    await looking.look(0)
    rig.venue.faults["send"].append("request lost")
    await rig.begin()
    rig.venue.position["ABC.US"] = Decimal(2)
    (difference,) = (await looking.look(0)).differences
    assert not difference.settled
    await rig.advance(20)
    (difference,) = (await looking.look(0)).differences
    assert difference.settled


async def test_the_oldest_brackets_keep_their_shares_when_the_venue_holds_fewer(
    rig: Any, world: Any, looking: Any
) -> None:
    await looking.look(0)
    for number in (1, 2, 3):
        bracket = await rig.begin(number=number)
        rig.venue.fill(bracket.entry.id)
        await rig.settle()
    other = await rig.begin(number=4, instrument=XYZ)
    rig.venue.fill(other.entry.id)
    await rig.settle()
    rig.venue.position["ABC.US"] = Decimal(14)
    (difference,) = (await looking.look(0)).differences
    looking.correct(difference)
    held = [rig.now(world.ticket_id(number)).held for number in (1, 2, 3)]
    assert held == [10, 4, 0]
    assert rig.now(other.ticket).held == 10
    await rig.settle()
    assert (await looking.look(0)).clean
    rig.venue.position["ABC.US"] = Decimal(30)
    (difference,) = (await looking.look(0)).differences
    looking.correct(difference)
    assert [rig.now(world.ticket_id(number)).held for number in (1, 2, 3)] == [10, 10, 10]


async def test_a_person_may_say_that_what_is_too_much_is_not_ours(rig: Any, looking: Any) -> None:
    await looking.look(0)
    await rig.hold()
    rig.venue.position["ABC.US"] = Decimal(12)
    (difference,) = (await looking.look(0)).differences
    looking.accept(difference, "ann on pts/1")
    assert (await looking.look(0)).clean
    assert Reconciliation(rig.post).external == {"ABC.US": Decimal(2)}
    assert ("difference accepted", "ann on pts/1") in [(e.kind, e.actor) for e in rig.journal.entries]


async def test_the_venues_clock_is_compared_with_ours(rig: Any, looking: Any) -> None:
    rig.venue.skew_us = -300_000
    assert (await looking.look(0)).skew_us == -300_000
    rig.venue.skew_us = None
    assert (await looking.look(0)).skew_us is None


async def test_an_orphan_entry_is_journalled_told_and_cancelled(rig: Any, world: Any, looking: Any) -> None:
    await looking.look(0)
    spec = world.make_ticket(7).order.entry
    rig.venue.orders[spec.client_order_id] = world.Placed(spec, Decimal(10))
    findings = await looking.look(0)
    assert (findings.ending, findings.kept, findings.clean) == ((spec.client_order_id,), (), False)
    assert rig.venue.orders[spec.client_order_id].state is OrderState.CANCELED
    (entry,) = [entry for entry in rig.journal.entries if entry.kind == "orphan"]
    assert entry.body["order"] == spec.client_order_id
    ((text, page, kind),) = rig.alarms
    assert (page, kind) == (True, "orphan")
    assert "the journal does not know it: canceled" in text
    assert (await looking.look(0)).clean


async def test_a_leg_that_its_bracket_does_not_know_is_an_orphan(rig: Any, world: Any, looking: Any) -> None:
    bracket = await rig.begin()
    order = bracket.entry.id[:-2] + "77"
    placed(rig, world, order)
    assert (await looking.look(0)).ending == (order,)


async def test_an_orphan_that_cannot_be_cancelled_is_asked_again(rig: Any, world: Any, looking: Any) -> None:
    spec = world.make_ticket(7).order.entry
    rig.venue.orders[spec.client_order_id] = world.Placed(spec, Decimal(10))
    rig.venue.faults["cancel"].append("unavailable")
    assert not (await looking.look(0)).clean
    assert rig.venue.orders[spec.client_order_id].is_live
    assert [kind for _, _, kind in rig.alarms] == ["orphan", "orphan"]
    await looking.look(0)
    assert not rig.venue.orders[spec.client_order_id].is_live
    assert len([entry for entry in rig.journal.entries if entry.kind == "orphan"]) == 1


async def test_an_orphan_stop_is_kept_only_for_shares_beyond_those_of_our_brackets(
    rig: Any, world: Any, looking: Any
) -> None:
    await looking.look(0)
    await rig.hold()
    order = world.make_ticket(7).order.stop.client_order_id
    placed(rig, world, order, OrderSide.SELL)
    rig.venue.position["ABC.US"] = Decimal(15)
    findings = await looking.look(0)
    assert (findings.kept, findings.ending) == ((order,), ())
    assert "kept, it protects what is held" in rig.alarms[0][0]
    rig.venue.position["ABC.US"] = Decimal(10)
    assert (await looking.look(0)).ending == (order,)


async def test_an_orphan_purchase_is_never_kept(rig: Any, world: Any, looking: Any) -> None:
    await looking.look(0)
    rig.venue.position["ABC.US"] = Decimal(15)
    order = world.make_ticket(7).order.entry.client_order_id
    placed(rig, world, order)
    assert (await looking.look(0)).ending == (order,)


async def test_orders_of_others_are_shown_once_and_left_alone(rig: Any, world: Any, looking: Any) -> None:
    placed(rig, world, WEB, OrderSide.SELL)
    for _ in range(2):
        findings = await looking.look(0)
        assert findings.clean
        assert findings.foreign == {WEB: "ABC.US: sell 10, order web-1"}
    assert rig.alarms == [("ABC.US: sell 10, order web-1 is not ours: left alone", False, "foreign")]
    assert rig.venue.orders[WEB].is_live


async def test_the_sweep_ends_no_order_of_another_account_of_ours(rig: Any, world: Any, looking: Any) -> None:
    """Two accounts behind one login give their orders the same prefix."""
    spec = world.make_ticket(7).order.stop
    rig.venue.orders[spec.client_order_id] = world.Placed(spec, Decimal(10))
    real = rig.venue.open_orders

    async def both_accounts() -> Any:
        return tuple(replace(report, account=AccountId("OTHER-9")) for report in await real())

    rig.venue.open_orders = both_accounts
    findings = await looking.look(0)
    assert (findings.kept, findings.ending) == ((), ())
    assert list(findings.foreign) == [spec.client_order_id]
    assert rig.venue.orders[spec.client_order_id].is_live


async def test_a_full_disk_stops_the_sweep_before_it_ends_anything(
    rig: Any, world: Any, looking: Any
) -> None:
    await looking.look(0)
    spec = world.make_ticket(7).order.entry
    rig.venue.orders[spec.client_order_id] = world.Placed(spec, Decimal(10))
    rig.journal.failures = 1
    with pytest.raises(StorageError):
        await looking.look(0)
    assert rig.venue.orders[spec.client_order_id].is_live
    await looking.look(0)
    assert not rig.venue.orders[spec.client_order_id].is_live


async def test_an_execution_with_our_name_that_no_row_knows_moves_nothing(
    rig: Any, world: Any, looking: Any, foreign_fill: Any
) -> None:
    await looking.look(0)
    foreign_fill(3, "ABC.US", order=world.make_ticket(7).order.entry.client_order_id)
    (difference,) = (await looking.look(0)).differences
    assert (difference.ours, difference.external, difference.theirs) == (0, 0, 3)


async def test_shares_of_before_and_after_a_split_are_not_compared(
    rig: Any, world: Any, looking: Any
) -> None:
    await looking.look(0)
    await rig.hold()
    day = world.date(2016, 1, 5)
    action = CorporateAction(world.ABC, corporate_action_kind(10.0), 10.0, 100.0, day, 0)
    rig.brackets.restate((action,))
    assert rig.now().restating
    assert (await looking.look(0)).clean
    rig.picture.seed(world.ABC, 1000.0)
    await rig.settle()
    assert not rig.now().restating
    assert (await looking.look(0)).clean
    await rig.open_session(day)
    (difference,) = (await looking.look(0)).differences
    assert (difference.ours, difference.theirs) == (1, 10)


def sold_unknown(rig: Any, world: Any, **terms: Any) -> Any:
    """An order under a name of the bracket's executed, and the journal has no row of it."""
    name = rig.now().entry.id[:-3]
    known: dict[str, Any] = {
        "client_order_id": ClientOrderId(f"{name}{terms.pop('place', 'X00')}"),
        "instrument": InstrumentId("ABC.US"),
        "side": OrderSide.SELL,
        "type": OrderType.MARKET,
        "quantity": Decimal(10),
    }
    spec = OrderSpec(**{**known, **terms})
    rig.venue.orders[spec.client_order_id] = world.Placed(spec, spec.quantity)
    rig.venue.fill(spec.client_order_id, 4)
    rig.venue.fill(spec.client_order_id)
    rig.venue.end(rig.now().of_role(S)[0].id, OrderState.CANCELED)
    rig.venue.outbox.clear()
    return spec


@pytest.mark.parametrize(
    ("place", "terms"),
    [
        ("X00", {"type": OrderType.MARKET}),
        ("T01", {"type": OrderType.LIMIT, "limit_price": Decimal(99)}),
        ("S01", {"type": OrderType.STOP, "stop_price": Decimal(92)}),
    ],
)
async def test_a_sale_whose_intent_was_lost_with_the_process_is_adopted(
    rig: Any, world: Any, looking: Any, place: str, terms: dict[str, Any]
) -> None:
    await looking.look(0)
    await rig.hold()
    spec = sold_unknown(rig, world, place=place, **terms)
    await looking.look(0)
    leg = rig.now().leg(spec.client_order_id)
    assert (leg.spec.type, leg.cum, len(leg.fills)) == (spec.type, 10, 2)
    assert "was not in the journal: it is now" in rig.alarms[-1][0]
    await rig.advance(5)
    rig.assert_over()


@pytest.mark.parametrize(
    "terms",
    [
        {"place": "E01"},
        {"place": "X7a"},
        {"side": OrderSide.BUY},
        {"instrument": XYZ},
        {"quantity": Decimal(11)},
    ],
)
async def test_what_was_never_an_exit_of_the_bracket_is_not_adopted(
    rig: Any, world: Any, looking: Any, terms: dict[str, Any]
) -> None:
    await looking.look(0)
    await rig.hold()
    spec = sold_unknown(rig, world, **terms)
    await looking.look(0)
    assert not rig.now().has_leg(spec.client_order_id)


async def test_an_execution_whose_order_is_not_found_waits_for_the_next_look(
    rig: Any, world: Any, looking: Any
) -> None:
    await looking.look(0)
    await rig.hold()
    spec = sold_unknown(rig, world)
    rig.venue.hidden.add(spec.client_order_id)
    await looking.look(0)
    assert not rig.now().has_leg(spec.client_order_id)
    rig.venue.hidden.clear()
    await looking.look(0)
    assert rig.now().position == 0
