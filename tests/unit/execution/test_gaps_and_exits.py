"""How positions are left: collars, patience, news, the close; and what a person hears while no stop rests."""

from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

from engine.clock import US_PER_S
from engine.execution.bracket import BracketPhase
from engine.execution.evidence import Found
from engine.model.events import Alarm, RoundTripClosed
from engine.model.exits import ExitPlan, Tier, single_target
from engine.model.market import MarketBatch, Provenance, Quote
from engine.model.orders import BracketKind, OrderRole, OrderState, OrderType, TimeInForce
from engine.model.positions import ExitReason

E, S, T, X = OrderRole.ENTRY, OrderRole.STOP, OrderRole.TARGET, OrderRole.EXIT
WORKING, CANCELED, REJECTED = OrderState.WORKING, OrderState.CANCELED, OrderState.REJECTED
HOUR_US = 3600 * US_PER_S


def said(rig: Any, words: str, page: bool | None = None) -> list[str]:
    return [
        event.text
        for event in rig.events
        if isinstance(event, Alarm) and words in event.text and page in (None, event.page)
    ]


def quote(rig: Any, world: ModuleType, bid: float | None) -> None:
    now = rig.clock.now_us()
    shown = Quote(world.ABC, bid, 101.0, now, now, Provenance.REPLAY)
    rig.picture.take(MarketBatch(now, quotes=(shown,)))


async def leave(rig: Any, reason: ExitReason = ExitReason.MANUAL) -> Any:
    rig.brackets.want_exit(rig.now().ticket, reason)
    await rig.settle()
    return rig.now().of_role(X)[-1]


async def test_an_exit_is_limited_by_the_collar_then_goes_at_market(rig: Any) -> None:
    rig.tick = Decimal("0.01")
    await rig.hold()
    await rig.price(99.99)
    first = await leave(rig)
    assert (first.spec.type, first.spec.limit_price) == (OrderType.LIMIT, Decimal("97.99"))
    await rig.advance(4.9)
    assert rig.legs(X) == [WORKING]
    await rig.advance(0.2)
    assert rig.legs(X) == [CANCELED, WORKING]
    second = rig.now().of_role(X)[1]
    assert (second.spec.type, second.spec.quantity) == (OrderType.MARKET, 10)
    await rig.advance(60)
    assert rig.legs(X) == [CANCELED, WORKING]
    rig.venue.fill(second.id, price="90")
    await rig.settle()
    rig.assert_over()


async def test_a_limited_exit_that_fills_in_part_leaves_its_rest_to_the_market(rig: Any) -> None:
    await rig.hold()
    await rig.price(100)
    first = await leave(rig)
    rig.venue.fill(first.id, 6)
    await rig.settle()
    await rig.advance(5.1)
    second = rig.now().of_role(X)[1]
    assert (second.spec.type, second.spec.quantity) == (OrderType.MARKET, 4)


async def test_of_two_limited_exits_that_do_not_fill_both_go_on_at_market(rig_of: Any) -> None:
    rig = rig_of(bracket_kind=BracketKind.SYNTHETIC)
    tiers = (Tier(Decimal(106), Decimal("0.5")), Tier(Decimal(112), Decimal("0.5")))
    await rig.hold(exit_plan=ExitPlan(Decimal(92), tiers, 5))
    await rig.price(107)
    await rig.advance(2.6)
    assert [leg.spec.type for leg in rig.now().of_role(X)] == [OrderType.LIMIT]
    await leave(rig)
    assert [leg.spec.type for leg in rig.now().of_role(X)] == [OrderType.LIMIT] * 2
    await rig.advance(60)
    exits = rig.now().of_role(X)
    assert [leg.spec.type for leg in exits] == [OrderType.LIMIT] * 2 + [OrderType.MARKET] * 2
    for leg in exits[2:]:
        rig.venue.fill(leg.id, price="90")
    await rig.settle()
    rig.assert_over()


async def test_an_exit_without_a_price_goes_at_market(rig: Any) -> None:
    await rig.hold()
    assert (await leave(rig)).spec.type is OrderType.MARKET


async def test_a_cancel_of_a_slow_exit_is_asked_again(rig: Any) -> None:
    await rig.hold()
    await rig.price(100)
    first = await leave(rig)
    rig.venue.faults["cancel"].append("unavailable")
    await rig.advance(5.1)
    assert rig.legs(X) == [WORKING]
    await rig.advance(2)
    assert rig.legs(X) == [CANCELED, WORKING]
    assert [order for call, order in rig.venue.calls if call == "cancel"].count(first.id) == 2


async def test_news_sells_near_the_bid_then_at_market_after_a_minute(rig: Any, world: ModuleType) -> None:
    await rig.hold()
    quote(rig, world, 99.8)
    first = await leave(rig, ExitReason.NEWS)
    assert first.spec.limit_price == Decimal("99.8") * Decimal("0.995")
    await rig.advance(59.9)
    assert rig.legs(X) == [WORKING]
    await rig.advance(0.2)
    second = rig.now().of_role(X)[1]
    assert second.spec.type is OrderType.MARKET
    rig.venue.fill(second.id, price="95")
    await rig.settle()
    rig.assert_over()
    (trip,) = [event.round_trip for event in rig.events if isinstance(event, RoundTripClosed)]
    assert trip.exit_reason is ExitReason.NEWS


async def test_news_without_a_bid_takes_the_collar(rig: Any, world: ModuleType) -> None:
    await rig.hold()
    await rig.price(100)
    quote(rig, world, None)
    assert (await leave(rig, ExitReason.NEWS)).spec.limit_price == 98


async def test_with_a_running_clock_the_last_session_ends_at_the_close_order(rig: Any) -> None:
    rig.close_us = rig.clock.now_us() + HOUR_US
    await rig.hold(max_sessions=1)
    await rig.advance(47 * 60)
    assert rig.now().phase is BracketPhase.PROTECTED
    await rig.advance(61)
    (exit_leg,) = rig.now().of_role(X)
    assert exit_leg.spec.tif is TimeInForce.CLS
    assert exit_leg.spec.type is OrderType.MARKET
    await rig.advance(11 * 60)
    assert not said(rig, "without a stop")
    rig.venue.fill(exit_leg.id, price="101")
    await rig.settle()
    rig.assert_over()
    (trip,) = [event.round_trip for event in rig.events if isinstance(event, RoundTripClosed)]
    assert trip.exit_reason is ExitReason.TIME


async def test_an_urgent_reason_does_not_wait_for_the_close(rig: Any) -> None:
    await rig.hold(max_sessions=1)
    rig.close_us = rig.clock.now_us() + 700 * US_PER_S
    await rig.price(100)
    assert rig.now().of_role(X)[0].spec.tif is TimeInForce.CLS
    second = await leave(rig, ExitReason.EMERGENCY)
    assert rig.legs(X) == [CANCELED, WORKING]
    assert (second.spec.tif, second.spec.limit_price) == (TimeInForce.DAY, 98)
    rig.venue.fill(second.id, price="99")
    await rig.settle()
    rig.assert_over()
    (trip,) = [event.round_trip for event in rig.events if isinstance(event, RoundTripClosed)]
    assert trip.exit_reason is ExitReason.EMERGENCY


async def test_before_the_last_session_a_running_clock_ends_nothing(rig: Any) -> None:
    rig.close_us = rig.clock.now_us() + HOUR_US
    await rig.hold(max_sessions=2)
    await rig.advance(3599)
    assert rig.now().phase is BracketPhase.PROTECTED
    await rig.hold(number=2, exit_plan=single_target(Decimal(92), Decimal(106), None))
    await rig.advance(1)
    assert not rig.legs(X)


async def test_too_late_for_the_close_the_next_price_will_do(rig: Any) -> None:
    await rig.hold(max_sessions=1)
    await rig.price(100)
    rig.close_us = rig.clock.now_us() + 300 * US_PER_S
    rig.brackets.review_all()
    await rig.settle()
    (exit_leg,) = rig.now().of_role(X)
    assert (exit_leg.spec.tif, exit_leg.spec.limit_price) == (TimeInForce.DAY, 98)


async def test_with_a_running_clock_the_stop_rests_over_night(rig: Any) -> None:
    await rig.hold(max_sessions=1)
    rig.close_us = rig.clock.now_us() + 24 * HOUR_US
    await rig.close_session()
    assert rig.now().exit_wanted is ExitReason.TIME
    assert rig.now().phase is BracketPhase.PROTECTED
    rig.assert_covered()
    await rig.open_session(date(2016, 1, 5))
    assert rig.now().phase is BracketPhase.EXITING
    assert rig.now().of_role(X)[0].spec.tif is TimeInForce.DAY


async def test_shares_without_a_stop_are_told_then_paged(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    rig.venue.faults["cancel"].extend(["unavailable"] * 100)
    await rig.settle()
    await rig.advance(4.9)
    assert not said(rig, "without a stop")
    await rig.advance(0.2)
    assert said(rig, "without a stop") == ["ABC.US: 4 shares without a stop for 5 s"]
    await rig.advance(24.8)
    assert not said(rig, "without a stop", page=True)
    await rig.advance(0.2)
    assert said(rig, "without a stop", page=True) == ["ABC.US: 4 shares without a stop for 30 s"]
    await rig.advance(60)
    assert len(said(rig, "without a stop")) == 2
    rig.assert_restores()
    rig.venue.faults["cancel"].clear()
    await rig.advance(3)
    rig.assert_covered()
    assert (rig.now().naked_us, rig.now().naked_told) == (None, 0)


async def test_a_long_sleep_pages_at_once(rig: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    rig.venue.faults["cancel"].extend(["unavailable"] * 100)
    await rig.settle()
    rig.clock.advance_to(rig.clock.now_us() + 300 * US_PER_S)
    rig.brackets.review_all()
    assert len(said(rig, "without a stop")) == 1
    assert said(rig, "without a stop", page=True)


async def test_an_exit_that_stays_unknown_is_told_after_ten_seconds(rig: Any) -> None:
    await rig.hold()
    rig.venue.faults["send"].append("request lost")
    rig.venue.faults["ask"].extend([None, None, *["unavailable"] * 100])
    await leave(rig)
    assert rig.legs(X) == [OrderState.UNKNOWN]
    await rig.advance(9.9)
    assert not said(rig, "is unknown for 10 s")
    await rig.advance(0.2)
    assert len(said(rig, "is unknown for 10 s")) == 1
    assert not rig.halts
    await rig.advance(50)
    assert len(said(rig, "is unknown for a minute")) == 1
    assert rig.scopes == ["ABC.US"]


async def test_a_refused_stop_goes_once_more_a_little_lower(rig: Any) -> None:
    rig.tick = Decimal("0.01")
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    rig.venue.faults["send"].append("rejected and recorded")
    await rig.advance(4.1)
    assert rig.legs(S)[1:] == [REJECTED, WORKING]
    assert [leg.spec.stop_price for leg in rig.now().of_role(S)[1:]] == [92, Decimal("91.54")]
    rig.assert_covered()
    await rig.advance(60)
    assert len(rig.legs(S)) == 3


async def test_the_lower_stop_lies_below_the_market(rig: Any) -> None:
    rig.tick = Decimal("0.01")
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.price(92.01)
    rig.venue.faults["send"].append("rejected and recorded")
    await rig.advance(4.1)
    assert rig.now().of_role(S)[-1].spec.stop_price == Decimal("91.54")


async def test_legs_of_a_group_count_until_a_question_four_seconds_later(rig: Any) -> None:
    bracket = await rig.begin()
    for leg in bracket.legs[1:]:
        del rig.venue.orders[leg.id]
    placed = rig.venue.orders[bracket.entry.id]
    placed.group = ()
    rig.venue.fill(bracket.entry.id)
    await rig.settle()
    for _ in range(3):
        rig.brackets.ask(bracket.ticket, bracket.legs[1].id)
        await rig.brackets.idle()
    assert rig.legs(S) == [WORKING]
    assert rig.now().cover == 10
    await rig.advance(4)
    for leg in bracket.legs[1:]:
        for _ in range(3):
            rig.brackets.ask(bracket.ticket, leg.id)
            await rig.brackets.idle()
    assert rig.legs(S) == [OrderState.UNKNOWN]
    assert rig.now().cover == 10
    await rig.advance(1)
    rig.assert_covered()


async def test_absence_before_the_entry_filled_proves_nothing_after_it(rig: Any) -> None:
    bracket = await rig.begin()
    stop = bracket.legs[1]
    rig.venue.hidden.add(stop.id)
    for _ in range(2):
        rig.brackets.ask(bracket.ticket, stop.id)
        await rig.brackets.idle()
    assert rig.now().of_role(S)[0].not_found == 2
    rig.venue.fill(bracket.entry.id)
    await rig.settle()
    assert rig.now().of_role(S)[0].not_found == 0


async def test_stop_and_target_may_both_fill(rig: Any, world: ModuleType) -> None:
    bracket = await rig.hold()
    stop, target = bracket.of_role(S)[0].id, bracket.of_role(T)[0].id
    rig.venue.orders[stop].group = rig.venue.orders[target].group = ()
    rig.venue.fill(stop, price="92")
    rig.venue.fill(target, price="106")
    await rig.settle()
    assert rig.now().held == -10
    (buy,) = rig.now().of_role(X)
    rig.venue.fill(buy.id, price="95")
    await rig.settle()
    assert rig.now().phase is BracketPhase.CLOSED
    assert rig.venue.position[world.ABC] == 0


async def test_a_lower_count_of_a_filled_order_is_a_warning(rig: Any, world: ModuleType) -> None:
    from dataclasses import replace

    bracket = await rig.hold()
    report = replace(rig.venue.orders[bracket.entry.id].report(), state=WORKING, cum_filled=Decimal(4))
    rig.brackets.tell_venue(report)
    assert not said(rig, "counted less")
    rig.brackets.tell(bracket.ticket, Found(report))
    assert rig.now().held == 10
    assert len(said(rig, "counted less")) == 1
    assert "evidence_conflict" in [entry.kind for entry in rig.journal.entries]
    rig.brackets.tell_venue(replace(report, state=CANCELED))
    assert len(said(rig, "counted less")) == 2
