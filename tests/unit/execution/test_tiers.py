"""Exit plans with tiers, breakeven and a trail at the venue: shrunk, raised, sold, and never uncovered."""

from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.execution.bracket import BracketPhase
from engine.execution.evidence import Traded, VenueHolds
from engine.execution.exits import ExitState
from engine.model.events import Alarm, RoundTripClosed
from engine.model.exits import ExitPlan, Tier
from engine.model.orders import BracketKind, OrderRole, OrderState, OrderType
from engine.model.positions import ExitReason

E, S, T, X = OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT
WORKING, CANCELED, REJECTED = OrderState.WORKING, OrderState.CANCELED, OrderState.REJECTED
THIRD = Decimal("0.33")


def tiered(**changes: Any) -> ExitPlan:
    """Stop 85, 33 % at 130 and at 175, breakeven after the first, trail at 0.80 of the high."""
    terms: dict[str, Any] = {
        "stop_price": Decimal(85),
        "targets": (Tier(Decimal(130), THIRD), Tier(Decimal(175), THIRD)),
        "max_sessions": None,
        "breakeven_after": 0,
        "trail_ratio": Decimal("0.20"),
    }
    return ExitPlan(**terms | changes)


@pytest.fixture(params=[True, False], ids=["replaces", "cancels"])
def tiers(request: pytest.FixtureRequest, rig_of: Any) -> Any:
    """A rig that can hold a tiered plan, at a venue that replaces orders and at one that does not."""
    return rig_of(can_replace=request.param)


async def hold(rig: Any, world: ModuleType, plan: ExitPlan | None = None) -> Any:
    plan = plan or tiered()
    rig.tick = Decimal("0.01")
    terms = {"stop": str(plan.stop_price), "target": str(plan.target_price), "exit_plan": plan}
    return await rig.hold(**terms)


def stops(rig: Any) -> list[tuple[Decimal, Decimal]]:
    """Quantity and price of the stops that rest."""
    return [
        (leg.remaining, leg.spec.stop_price)
        for leg in rig.now().of_role(S)
        if leg.state is OrderState.WORKING
    ]


def sales(rig: Any) -> list[Any]:
    return [leg for leg in rig.now().of_role(X) if leg.is_live]


def said(rig: Any) -> list[str]:
    return [event.text for event in rig.events if isinstance(event, Alarm)]


def trip(rig: Any) -> Any:
    (closed,) = [event.round_trip for event in rig.events if isinstance(event, RoundTripClosed)]
    return closed


async def test_the_entry_goes_alone_and_one_stop_follows_it(rig: Any, world: ModuleType) -> None:
    await hold(rig, world)
    assert [leg.role for leg in rig.now().legs] == [E, S]
    assert stops(rig) == [(10, 85)]
    rig.assert_covered()


async def test_the_path_of_the_oracle_at_a_venue(tiers: Any, world: ModuleType) -> None:
    rig = tiers
    await hold(rig, world)
    for price, resting in ((110, (10, 85)), (129, (10, 85))):
        await rig.price(price)
        assert stops(rig) == [resting]
    await rig.price(130)
    (sale,) = sales(rig)
    assert (sale.spec.quantity, sale.spec.type, sale.spec.limit_price) == (3, "limit", Decimal("127.40"))
    assert rig.now().phase is BracketPhase.PROTECTED
    assert sum(quantity for quantity, _ in stops(rig)) == 7
    rig.venue.fill(sale.id, price="130")
    await rig.settle()
    await rig.price(130.5)
    assert stops(rig) == [(7, 104)]
    assert rig.now().progress.state is ExitState.TRAILING
    await rig.price(180)
    rig.venue.fill(sales(rig)[0].id, price="180")
    await rig.settle()
    await rig.price(200)
    assert stops(rig) == [(4, 160)]
    rig.assert_covered()
    await rig.price(170)
    assert stops(rig) == [(4, 160)]
    (stop,) = [leg for leg in rig.now().of_role(S) if leg.state is WORKING]
    rig.venue.fill(stop.id, price="155")
    await rig.settle()
    rig.assert_over()
    assert trip(rig).exit_reason is ExitReason.STOP
    assert trip(rig).exit_price == (130 * 3 + 180 * 3 + 155 * 4) / Decimal(10)


async def test_a_replaced_stop_covers_at_every_moment(rig_of: Any, world: ModuleType) -> None:
    rig = rig_of(can_replace=True)
    await hold(rig, world)
    covered: list[Decimal] = []
    rig.brackets.on_committed = lambda bracket: covered.append(
        bracket.cover + sum(x.cum for x in bracket.of_role(X))
    )
    await rig.price(130)
    rig.venue.fill(sales(rig)[0].id, price="130")
    await rig.settle()
    await rig.price(150)
    assert min(covered) == 7
    assert "cancel" not in [call for call, _ in rig.venue.calls]


async def test_a_raise_that_the_venue_refuses_keeps_the_old_stop(rig_of: Any, world: ModuleType) -> None:
    rig = rig_of(can_replace=True)
    await hold(rig, world, tiered(breakeven_after=None))
    rig.venue.faults["replace"].extend([world.REFUSE] * 2)
    await rig.price(125)
    assert rig.legs(S) == [WORKING, REJECTED]
    assert stops(rig) == [(10, 85)]
    rig.assert_covered()
    assert ("ask", rig.now().of_role(S)[0].id) in rig.venue.calls
    await rig.advance(1.9)
    assert rig.legs(S) == [WORKING, REJECTED]
    await rig.advance(0.2)
    assert rig.legs(S) == [WORKING, REJECTED, REJECTED]
    await rig.advance(3.8)
    assert rig.legs(S) == [WORKING, REJECTED, REJECTED]
    await rig.advance(0.2)
    assert stops(rig) == [(10, 100)]
    assert rig.now().exit_wanted is None
    rig.assert_covered()


async def test_a_tier_is_not_sold_beside_a_stop_that_did_not_shrink(rig_of: Any, world: ModuleType) -> None:
    rig = rig_of(can_replace=True)
    await hold(rig, world)
    rig.venue.faults["replace"].append(world.REFUSE)
    await rig.price(130)
    assert rig.legs(S) == [WORKING, REJECTED]
    await rig.advance(1.5)
    assert stops(rig) == [(10, 85)]
    assert sales(rig) == []
    await rig.advance(1)
    assert stops(rig)[0][0] == 7
    assert [leg.spec.quantity for leg in sales(rig)] == [3]


async def test_a_venue_that_never_replaces_is_canceled_and_placed(rig_of: Any, world: ModuleType) -> None:
    rig = rig_of(can_replace=True)
    await hold(rig, world, tiered(breakeven_after=None))
    rig.venue.faults["replace"].extend([world.REFUSE] * 3)
    await rig.price(125)
    await rig.advance(20)
    assert rig.legs(S) == [CANCELED, REJECTED, REJECTED, REJECTED, WORKING]
    assert stops(rig) == [(10, 100)]


@pytest.mark.parametrize("fault", ["request lost", "answer lost", "unavailable", "arrives late"])
async def test_a_lost_replacement_is_asked_about_with_the_old_order(
    rig_of: Any, world: ModuleType, fault: str
) -> None:
    rig = rig_of(can_replace=True)
    bracket = await hold(rig, world, tiered(breakeven_after=None))
    first = bracket.of_role(S)[0].id
    rig.venue.faults["replace"].append(fault)
    await rig.price(125)
    second = rig.now().of_role(S)[1].id
    if fault == "answer lost":
        assert rig.legs(S) == [CANCELED, WORKING]
    else:
        assert rig.legs(S) == [WORKING, OrderState.UNKNOWN]
    assert rig.now().cover == 10
    rig.venue.arrive_late()
    await rig.advance(0.6)
    if fault != "answer lost":
        asked = [order for call, order in rig.venue.calls if call == "ask"]
        assert {first, second} <= set(asked)
    await rig.advance(30)
    assert [quantity for quantity, _ in stops(rig)] == [10]
    rig.assert_covered()
    assert stops(rig) == [(10, 100)]


async def test_a_replacement_lost_in_a_crash_is_counted_once(rig_of: Any, world: ModuleType) -> None:
    from engine.execution.evidence import AnswerLost

    rig = rig_of(can_replace=True)
    await hold(rig, world, tiered(breakeven_after=None))
    rig.venue.faults["replace"].append("answer lost")
    rig.streaming = False
    await rig.price(125)
    rig.kill()
    rig.streaming = True
    for leg in rig.now().legs:
        if leg.state in (OrderState.SENDING, OrderState.UNKNOWN):
            rig.brackets.tell(rig.now().ticket, AnswerLost(leg.id, "restart"))
    await rig.advance(2)
    assert rig.legs(S) == [CANCELED, WORKING]
    rig.assert_covered()


async def test_the_stop_fills_while_it_is_to_be_replaced(rig_of: Any, world: ModuleType) -> None:
    rig = rig_of(can_replace=True)
    bracket = await hold(rig, world, tiered(breakeven_after=None))
    rig.venue.faults["replace"].append("request lost")
    await rig.price(125)
    rig.venue.fill(bracket.of_role(S)[0].id, price="84")
    await rig.settle()
    assert rig.now().held == 0
    await rig.advance(120)
    rig.assert_over()


async def test_a_stop_that_filled_in_part_is_not_replaced_for_more_than_it_has_left(
    rig_of: Any, world: ModuleType
) -> None:
    rig = rig_of(can_replace=True)
    bracket = await hold(rig, world, tiered(breakeven_after=None))
    rig.venue.fill(bracket.of_role(S)[0].id, 4, "85")
    await rig.settle()
    await rig.price(125)
    assert stops(rig) == [(6, 100)]
    rig.assert_covered()


async def test_a_trail_moves_the_stop_by_one_percent_or_more(rig_of: Any, world: ModuleType) -> None:
    rig = rig_of(can_replace=True)
    await hold(rig, world, tiered(breakeven_after=None))
    await rig.price(125)
    commits = rig.journal.commits
    for price in (125.4, 125.9, 126.2):
        await rig.price(price)
    assert rig.journal.commits == commits
    assert stops(rig) == [(10, 100)]
    await rig.price(126.25)
    assert stops(rig) == [(10, 101)]


async def test_when_numbers_grow_scarce_the_engine_holds_the_raised_stop(
    tiers: Any, world: ModuleType
) -> None:
    rig = tiers
    await hold(rig, world, tiered(breakeven_after=None, targets=(Tier(Decimal(900), THIRD),)))
    price = 110.0
    for _ in range(90):
        price *= 1.0131
        await rig.price(price)
    assert rig.now().of_role(S)[-1].n == 79
    ((_, resting),) = stops(rig)
    held_stop = rig.now().stop_now
    assert resting < held_stop
    assert [text for text in said(rig) if "order numbers" in text] == [
        f"ABC.US: order numbers grow scarce: the venue's stop stays at {resting}. "
        "Higher stops hold only while this process runs, and no further tier is sold"
    ]
    await rig.price(float(held_stop) - 0.01)
    assert rig.now().phase is BracketPhase.EXITING
    assert rig.now().exit_wanted is ExitReason.STOP
    rig.venue.fill(sales(rig)[0].id, price=str(held_stop))
    await rig.settle()
    rig.assert_over()


async def test_a_price_through_the_raised_stop_before_it_rests_sells(tiers: Any, world: ModuleType) -> None:
    rig = tiers
    await hold(rig, world)
    rig.venue.faults["replace"].append("request lost")
    rig.venue.faults["cancel"].append("unavailable")
    await rig.price(180)
    rig.streaming = True
    await rig.price(100)
    assert rig.now().exit_wanted is ExitReason.STOP
    await rig.advance(40)
    for _ in range(4):
        for sale in sales(rig):
            rig.venue.fill(sale.id, price="99")
        await rig.settle()
        await rig.advance(40)
    rig.assert_over()


async def test_a_tier_that_the_venue_refuses_is_covered_again(tiers: Any, world: ModuleType) -> None:
    rig = tiers
    await hold(rig, world, tiered(breakeven_after=None, trail_ratio=None))
    rig.venue.faults["send"].extend([None] * (0 if rig.venue.capabilities.can_replace else 1))
    rig.venue.faults["send"].append("rejected and recorded")
    await rig.price(130)
    assert rig.legs(X) == [REJECTED]
    assert rig.now().phase is BracketPhase.PROTECTED
    rig.assert_covered()
    assert sum(quantity for quantity, _ in stops(rig)) == 10
    await rig.advance(2.1)
    assert sum(quantity for quantity, _ in stops(rig)) == 7
    (sale,) = sales(rig)
    assert sale.spec.quantity == 3
    rig.venue.fill(sale.id, price="130")
    await rig.settle()
    rig.assert_covered()


async def test_an_exit_beside_a_tier_sells_what_the_tier_leaves(tiers: Any, world: ModuleType) -> None:
    rig = tiers
    bracket = await hold(rig, world, tiered(breakeven_after=None, trail_ratio=None))
    await rig.price(130)
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await rig.settle()
    assert [leg.spec.quantity for leg in sales(rig)] == [3, 7]
    for sale in sales(rig):
        rig.venue.fill(sale.id, price="129")
    await rig.settle()
    rig.assert_over()
    assert trip(rig).exit_reason is ExitReason.MANUAL


async def test_a_tier_that_rests_is_sold_at_market(tiers: Any, world: ModuleType) -> None:
    rig = tiers
    await hold(rig, world, tiered(breakeven_after=None, trail_ratio=None))
    await rig.price(130)
    await rig.advance(4.9)
    assert rig.legs(X) == [WORKING]
    await rig.advance(0.2)
    assert rig.legs(X) == [CANCELED, WORKING]
    assert rig.now().of_role(X)[1].spec.type is OrderType.MARKET
    rig.venue.fill(rig.now().of_role(X)[1].id, price="131")
    await rig.settle()
    rig.assert_covered()
    assert rig.now().held == 7


async def test_a_partly_filled_tier_sells_only_its_rest(tiers: Any, world: ModuleType) -> None:
    rig = tiers
    await hold(rig, world, tiered(breakeven_after=None, trail_ratio=None))
    await rig.price(130)
    rig.venue.fill(sales(rig)[0].id, 2, "130")
    await rig.settle()
    await rig.advance(5.1)
    (sale,) = sales(rig)
    assert sale.spec.quantity == 1
    rig.venue.fill(sale.id, price="130")
    await rig.settle()
    rig.assert_covered()


async def test_the_last_of_all_tiers_is_an_exit(tiers: Any, world: ModuleType) -> None:
    rig = tiers
    half = Decimal("0.5")
    plan = tiered(targets=(Tier(Decimal(110), half), Tier(Decimal(120), half)), trail_ratio=None)
    await hold(rig, world, plan)
    await rig.price(110)
    rig.venue.fill(sales(rig)[0].id, price="110")
    await rig.settle()
    assert stops(rig) == [(5, 100)]
    await rig.price(120)
    assert rig.now().phase is BracketPhase.EXITING
    assert rig.now().exit_wanted is ExitReason.TARGET
    rig.venue.fill(sales(rig)[0].id, price="120")
    await rig.settle()
    rig.assert_over()
    assert trip(rig).exit_reason is ExitReason.TARGET


async def test_a_stop_that_fills_beside_a_tier_leaves_less_to_sell(tiers: Any, world: ModuleType) -> None:
    rig = tiers
    await hold(rig, world, tiered(breakeven_after=None, trail_ratio=None))
    await rig.price(130)
    (sale,) = sales(rig)
    (stop,) = [leg for leg in rig.now().of_role(S) if leg.state is WORKING]
    rig.venue.fill(stop.id, price="85")
    await rig.settle()
    assert rig.now().held == 3
    rig.venue.fill(sale.id, price="84")
    await rig.settle()
    rig.assert_over()


async def test_tiers_wait_until_the_entry_is_over(tiers: Any, world: ModuleType) -> None:
    rig = tiers
    plan = tiered()
    bracket = await rig.begin(stop="85", target="130", exit_plan=plan)
    rig.venue.fill(bracket.entry.id, 6)
    await rig.settle()
    rig.assert_covered()
    await rig.price(130)
    assert rig.legs(E) == [CANCELED]
    (sale,) = sales(rig)
    assert sale.spec.quantity == 1
    rig.venue.fill(sale.id, price="130")
    await rig.settle()
    rig.assert_covered()


async def test_tiers_of_a_bar_are_touched_by_its_high(tiers: Any, world: ModuleType) -> None:
    rig = tiers
    bracket = await hold(rig, world)
    rig.brackets.tell(bracket.ticket, Traded(Decimal(84), Decimal(140)))
    assert rig.now().progress.tiers_done == 0
    rig.brackets.tell(bracket.ticket, Traded(Decimal(90), Decimal(140)))
    await rig.settle()
    assert rig.now().progress.tiers_done == 1
    assert sales(rig)[0].spec.quantity == 3
    await rig.hold(number=2)
    rig.brackets.tell(world.ticket_id(2), Traded(Decimal(90), Decimal(140)))
    assert rig.now(world.ticket_id(2)).progress.tiers_done == 0


async def test_a_split_keeps_what_tiers_still_have_to_sell(tiers: Any, world: ModuleType) -> None:
    from datetime import date

    from engine.model.market import CorporateAction, CorporateActionKind

    rig = tiers
    await hold(rig, world, tiered(breakeven_after=None, trail_ratio=None))
    await rig.price(130)
    rig.venue.fill(sales(rig)[0].id, price="130")
    await rig.settle()
    action = CorporateAction(world.ABC, CorporateActionKind.SPLIT, 0.5, 130.0, date(2016, 1, 5), 0)
    rig.brackets.restate((action,))
    rig.picture.restate((action,))
    rig.venue.split(Decimal("0.5"))
    await rig.settle()
    await rig.price(65)
    assert stops(rig) == [(14, Decimal("42.50"))]
    rig.assert_covered()
    await rig.price(87.5)
    (sale,) = sales(rig)
    assert sale.spec.quantity == 6
    assert sum(quantity for quantity, _ in stops(rig)) == 8


async def test_a_touched_target_of_a_synthetic_venue_is_sold_by_us(rig_of: Any) -> None:
    rig = rig_of(bracket_kind=BracketKind.SYNTHETIC)
    await rig.hold()
    await rig.price(105.9)
    assert rig.now().phase is BracketPhase.PROTECTED
    await rig.price(106)
    assert rig.now().phase is BracketPhase.EXITING
    rig.venue.fill(sales(rig)[0].id, price="106")
    await rig.settle()
    rig.assert_over()
    assert trip(rig).exit_reason is ExitReason.TARGET


async def test_a_touched_target_of_a_native_pair_is_the_venues(rig: Any) -> None:
    await rig.hold()
    await rig.price(108)
    assert rig.now().phase is BracketPhase.PROTECTED
    assert rig.now().progress.tiers_done == 0
    assert not rig.legs(X)


async def test_a_native_pair_that_lost_its_target_is_sold_by_us(rig: Any) -> None:
    bracket = await rig.hold()
    target = rig.venue.orders[bracket.of_role(T)[0].id]
    stop = rig.venue.orders[bracket.of_role(S)[0].id]
    target.group = stop.group = ()
    rig.venue.end(bracket.of_role(T)[0].id, CANCELED)
    await rig.settle()
    await rig.price(106)
    assert rig.now().exit_wanted is ExitReason.TARGET


async def test_an_oco_venue_gets_the_entry_alone_then_pairs(rig_of: Any) -> None:
    rig = rig_of(bracket_kind=BracketKind.OCO)
    bracket = await rig.begin()
    assert [leg.role for leg in bracket.legs] == [E]
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    rig.assert_covered()
    rig.venue.fill(bracket.entry.id)
    await rig.settle()
    rig.assert_covered()
    assert [(leg.role, leg.n, leg.spec.quantity) for leg in rig.now().legs[1:]] == [
        (S, 0, 4),
        (S, 1, 6),
        (T, 0, 4),
        (T, 1, 6),
    ]
    assert rig.now().phase is BracketPhase.PROTECTED
    for leg in rig.now().of_role(T):
        rig.venue.fill(leg.id, price="106")
    await rig.settle()
    rig.assert_over()


@pytest.mark.parametrize("quantity", [4, 0])
async def test_the_venue_holds_less_than_we_count(tiers: Any, world: ModuleType, quantity: int) -> None:
    rig = tiers
    bracket = await hold(rig, world)
    rig.venue.position[world.ABC] = Decimal(quantity)
    rig.brackets.tell(bracket.ticket, VenueHolds(Decimal(quantity)))
    rig.brackets.tell(bracket.ticket, VenueHolds(Decimal(quantity)))
    await rig.settle()
    assert (rig.now().position, rig.now().held, rig.now().cover) == (10, quantity, quantity)
    assert rig.scopes == [world.ABC]
    assert f"the venue holds {quantity}, our orders say 10" in rig.halts[0]
    if quantity:
        (stop,) = [leg for leg in rig.now().of_role(S) if leg.state is WORKING]
        rig.venue.fill(stop.id, price="85")
        await rig.settle()
    assert rig.now().phase is BracketPhase.DRAINING
    rig.halted = False
    rig.brackets.review_all()
    await rig.settle()
    assert rig.now().phase is BracketPhase.CLOSED
    assert rig.venue.live() == []
    assert rig.venue.position[world.ABC] == 0
    rig.assert_restores()
    trips = [event.round_trip for event in rig.events if isinstance(event, RoundTripClosed)]
    assert [trip.quantity for trip in trips] == ([4] if quantity else [])
    if trips:
        # Six shares of unknown whereabouts are left out with what they cost.
        assert trips[0].pnl == (85 - 100) * 4 - trips[0].fees


async def test_shares_that_come_back_are_protected_again(rig: Any, world: ModuleType) -> None:
    bracket = await rig.hold()
    rig.brackets.tell(bracket.ticket, VenueHolds(Decimal(4)))
    await rig.settle()
    assert rig.now().cover == 4
    rig.brackets.tell(bracket.ticket, VenueHolds(Decimal(10)))
    await rig.settle()
    assert rig.now().cover == rig.now().held == 10
    assert "holds the 10 shares of our orders again" in said(rig)[-1]
    rig.brackets.tell(bracket.ticket, VenueHolds(Decimal(12)))
    assert rig.now().held == 10


async def test_a_late_execution_explains_what_was_missing(rig: Any, world: ModuleType) -> None:
    bracket = await rig.hold()
    rig.streaming = False
    rig.venue.fill(bracket.of_role(S)[0].id, 6, "92")
    rig.venue.outbox.clear()
    await rig.advance(5)
    rig.brackets.tell(bracket.ticket, VenueHolds(Decimal(4)))
    await rig.settle()
    rig.streaming = True
    (late,) = [fill for fill in rig.venue.executed if fill.side == "sell"]
    rig.brackets.tell_venue(late)
    await rig.settle()
    assert (rig.now().missing, rig.now().held) == (0, 4)


async def test_the_lower_count_of_the_venue_bounds_an_exit(rig: Any, world: ModuleType) -> None:
    bracket = await rig.hold()
    rig.venue.position[world.ABC] = Decimal(4)
    rig.brackets.tell(bracket.ticket, VenueHolds(Decimal(4)))
    await rig.settle()
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await rig.settle()
    (sale,) = sales(rig)
    assert sale.spec.quantity == 4
    rig.venue.fill(sale.id)
    await rig.settle()
    rig.halted = False
    rig.brackets.review_all()
    assert rig.now().phase is BracketPhase.CLOSED
    assert rig.venue.position[world.ABC] == 0


async def test_bars_after_the_entry_touch_tiers_that_we_hold(tiers: Any, world: ModuleType) -> None:
    from engine.model.market import Bar, Provenance

    rig = tiers
    bracket = await hold(rig, world)
    since = bracket.first_fill_us

    def bar(ts_open: int, instrument: Any = world.ABC, low: float = 90, high: float = 140) -> Bar:
        return Bar(instrument, 100, high, low, 135, 1e6, ts_open, ts_open + 60, Provenance.REPLAY)

    no_price = (bar(since, low=float("nan")), bar(since, high=float("inf")))
    for unusable in (bar(since - 1), bar(since, "XYZ.US"), *no_price):
        rig.brackets.take_bars([unusable])
        assert rig.now().progress.tiers_done == 0
    rig.brackets.take_bars([bar(since)])
    await rig.settle()
    assert rig.now().progress.tiers_done == 1
    await rig.begin(number=2)
    await rig.hold(number=3)
    rig.brackets.take_bars([bar(since)])
    assert [rig.now(world.ticket_id(n)).progress.tiers_done for n in (2, 3)] == [0, 0]


async def in_three_parts(rig: Any, world: ModuleType) -> None:
    """Ten shares held under stops for 6, 2 and 2; half of them are to go at 130."""
    rig.tick = Decimal("0.01")
    plan = tiered(targets=(Tier(Decimal(130), Decimal("0.5")),), breakeven_after=None, trail_ratio=None)
    bracket = await rig.begin(stop="85", target="130", exit_plan=plan)
    for part in (6, 2, 2):
        rig.venue.fill(bracket.entry.id, part)
        await rig.settle()
    assert stops(rig) == [(6, 85), (2, 85), (2, 85)]


async def test_stops_that_are_on_their_way_out_count_when_the_next_one_shrinks(
    tiers: Any, world: ModuleType
) -> None:
    rig = tiers
    await in_three_parts(rig, world)
    rig.venue.faults["cancel"].extend(["unavailable"] * 2)
    await rig.price(130)
    await rig.advance(0.1)
    assert sum(quantity for quantity, _ in stops(rig)) >= 5
    await rig.advance(5)
    assert sum(quantity for quantity, _ in stops(rig)) == 5
    assert [sale.remaining for sale in sales(rig)] == [5]


async def test_a_cancel_that_was_lost_does_not_hold_up_a_tier_for_ever(rig: Any, world: ModuleType) -> None:
    await in_three_parts(rig, world)
    rig.venue.faults["cancel"].extend(["request lost"] * 20)
    await rig.price(130)
    last = rig.now().of_role(S)[0].id
    rig.venue.end(last, CANCELED)
    await rig.settle()
    await rig.advance(5)
    held = rig.now().held - sum(sale.remaining for sale in sales(rig))
    assert sum(quantity for quantity, _ in stops(rig)) == held
    assert sales(rig)
