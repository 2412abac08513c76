"""With a running clock a price that the market does not stand by any more starts nothing (RELIABILITY 4)."""

from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.execution.bracket import BracketPhase
from engine.execution.desk import PRICE_AGE_US
from engine.model.exits import ExitPlan, Tier
from engine.model.market import CorporateAction, CorporateActionKind, MarketBatch, Provenance, Quote
from engine.model.orders import BracketKind, OrderRole, OrderState, OrderType
from engine.model.positions import ExitReason

E, S, X = OrderRole.ENTRY, OrderRole.STOP, OrderRole.EXIT
WORKING = OrderState.WORKING
OLD_S = PRICE_AGE_US / 1e6 + 1
TIERS = ExitPlan(Decimal(92), (Tier(Decimal(106), Decimal("0.5")), Tier(Decimal(112), Decimal("0.5"))), 5)


def run_clock(rig: Any) -> None:
    """Time runs by itself from now on."""
    rig.price_age_us = PRICE_AGE_US
    rig.kill()


@pytest.fixture
async def timed(rig_of: Any) -> Any:
    """A venue that holds no target: tiers and stops are followed by us."""
    rig = rig_of(bracket_kind=BracketKind.SYNTHETIC)
    run_clock(rig)
    return rig


async def test_a_price_of_the_last_seconds_decides(timed: Any) -> None:
    await timed.hold(exit_plan=TIERS)
    await timed.price(107)
    assert timed.now().progress.tiers_done == 1


async def test_a_seeded_price_neither_ends_an_entry_nor_a_position(timed: Any, world: ModuleType) -> None:
    timed.picture.seed(world.ABC, 80.0)
    bracket = await timed.begin()
    await timed.advance(1)
    assert timed.legs(E) == [WORKING]
    timed.venue.fill(bracket.entry.id)
    await timed.settle()
    assert timed.now().phase is BracketPhase.PROTECTED
    timed.assert_covered()
    assert timed.now().exit_wanted is None


async def test_where_time_is_stepped_a_seeded_price_decides(rig: Any, world: ModuleType) -> None:
    rig.picture.seed(world.ABC, 80.0)
    await rig.begin()
    await rig.advance(3)
    assert rig.now().phase is BracketPhase.CLOSED


async def test_a_price_of_a_mute_feed_ends_no_entry(timed: Any) -> None:
    await timed.price(80)
    await timed.advance(OLD_S)
    await timed.begin()
    await timed.advance(1)
    assert timed.legs(E) == [WORKING]
    await timed.price(80)
    assert timed.now().entry.cancel_us is not None


async def test_a_position_without_a_stop_gets_one_whatever_an_old_price_says(timed: Any) -> None:
    await timed.price(80)
    await timed.advance(OLD_S)
    await timed.hold()
    timed.assert_covered()
    assert not timed.venue.sent("X")


async def test_a_quote_says_that_the_last_price_still_is_the_last(timed: Any, world: ModuleType) -> None:
    await timed.hold(exit_plan=TIERS)
    await timed.price(100)
    await timed.advance(OLD_S)
    now = timed.clock.now_us()
    shown = Quote(world.ABC, 99.9, 100.1, now, now, Provenance.LIVE)
    timed.picture.take(MarketBatch(now, quotes=(shown,)))
    timed.brackets.want_exit(timed.now().ticket, ExitReason.MANUAL)
    await timed.settle()
    assert timed.now().of_role(X)[-1].spec.limit_price == 98


@pytest.mark.parametrize("reason", [ExitReason.MANUAL, ExitReason.NEWS])
async def test_an_exit_is_not_limited_by_an_old_price(
    timed: Any, world: ModuleType, reason: ExitReason
) -> None:
    await timed.hold()
    await timed.price(100)
    now = timed.clock.now_us()
    timed.picture.take(MarketBatch(now, quotes=(Quote(world.ABC, 99.9, 100.1, now, now, Provenance.LIVE),)))
    await timed.advance(OLD_S)
    timed.brackets.want_exit(timed.now().ticket, reason)
    await timed.settle()
    assert timed.now().of_role(X)[-1].spec.type is OrderType.MARKET


async def test_after_a_split_stops_do_not_wait_for_a_price_of_today(timed: Any, world: ModuleType) -> None:
    await timed.hold()
    await timed.price(100)
    await timed.advance(OLD_S)
    split = CorporateAction(world.ABC, CorporateActionKind.SPLIT, 0.5, 100.0, date(2016, 1, 5), 1)
    timed.picture.restate((split,))
    timed.brackets.restate((split,))
    timed.venue.end(timed.now().of_role(S)[0].id, OrderState.CANCELED)
    await timed.settle()
    await timed.advance(3)
    assert timed.now().cover == timed.now().held == 20
