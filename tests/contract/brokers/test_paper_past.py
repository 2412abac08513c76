"""The paper venue for months: what is over leaves memory, and every question is answered as before."""

import json
from typing import Any

import pytest

from brokers.paper.book import KEPT_FILLS, KEPT_ORDERS
from engine.errors import BrokerUnavailable, OrderRejected
from engine.model.orders import OrderSide, OrderState

BUY, SELL = OrderSide.BUY, OrderSide.SELL


@pytest.fixture
async def old(on_quotes: Any, orders: Any) -> Any:
    """A venue at which a bracket was canceled, a purchase made and an order refused, and much since."""
    on_quotes.open_at(10.0)
    bracket, bought = orders.bracket(limit="9.50"), orders.single(BUY, "5", limit="10")
    await on_quotes.broker.submit_bracket(bracket)
    await on_quotes.broker.cancel(bracket.entry.client_order_id)
    await on_quotes.broker.submit(bought)
    refused = orders.bracket(quantity="2000")
    with pytest.raises(OrderRejected):
        await on_quotes.broker.submit_bracket(refused)
    for _ in range(KEPT_FILLS + 10):
        for side in (BUY, SELL):
            await on_quotes.broker.submit(orders.single(side, "1"))
    on_quotes.bracket, on_quotes.bought, on_quotes.refused = bracket, bought, refused
    return on_quotes


def in_memory(venue: Any) -> tuple[int, int]:
    """Orders and executions that the venue holds."""
    return len(venue.broker._book.orders), len(venue.broker._book.fills)


async def test_memory_is_bounded_also_after_a_restart(old: Any) -> None:
    for _ in range(2):
        kept_orders, kept_fills = in_memory(old)
        assert kept_orders == KEPT_ORDERS
        assert kept_fills <= 2 * KEPT_FILLS
        old.restart()


async def test_live_orders_stay_however_old(old: Any, orders: Any) -> None:
    resting = orders.single(BUY, "1", limit="9")
    await old.broker.submit(resting)
    for _ in range(KEPT_ORDERS + 1):
        order = orders.single(BUY, "1", limit="9")
        await old.broker.submit(order)
        await old.broker.cancel(order.client_order_id)
    assert [order.client_order_id for order in await old.broker.open_orders()] == [resting.client_order_id]


async def test_an_old_order_is_found_by_its_id(old: Any, ask: Any) -> None:
    assert await ask.states(old, old.bracket) == ("canceled", "canceled", "canceled")
    assert (await ask.one(old, old.bought)).cum_filled == 5
    assert (await ask.one(old, old.refused.entry)).state is OrderState.REJECTED


async def test_an_old_order_sent_again_is_that_order(old: Any, ask: Any) -> None:
    power = (await old.broker.account()).buying_power
    await old.broker.submit_bracket(old.bracket)
    await old.broker.submit(old.bought)
    with pytest.raises(OrderRejected, match="buying power"):
        await old.broker.submit_bracket(old.refused)
    assert (await old.broker.account()).buying_power == power
    assert await old.broker.open_orders() == ()


async def test_an_old_order_can_be_neither_canceled_nor_replaced(old: Any, orders: Any) -> None:
    with pytest.raises(OrderRejected, match="is filled"):
        await old.broker.cancel(old.bought.client_order_id)
    with pytest.raises(OrderRejected, match="is canceled"):
        await old.broker.replace(old.bracket.stop.client_order_id, orders.single(SELL, "5", stop="9"))
    await old.broker.cancel(old.bracket.stop.client_order_id)


async def test_executions_of_old_are_read_from_the_store(old: Any) -> None:
    fills = await old.broker.executions(0)
    assert len(fills) == 2 * (KEPT_FILLS + 10) + 1
    assert fills[0].client_order_id == old.bought.client_order_id
    assert [fill.exec_id for fill in fills] == sorted(fill.exec_id for fill in fills)
    assert await old.broker.executions(old.clock.now_us() + 1) == ()


async def test_what_cannot_be_read_is_no_answer(old: Any) -> None:
    old.store.fail_load = True
    for question in (
        old.broker.order(old.bought.client_order_id),
        old.broker.executions(0),
        old.broker.cancel(old.bought.client_order_id),
        old.broker.submit(old.bought),
    ):
        with pytest.raises(BrokerUnavailable, match="the disk is gone"):
            await question


async def test_what_is_stored_stays_whole(old: Any) -> None:
    stored = [json.loads(text) for key, text in old.store.records.items() if key.startswith("order/")]
    assert len(stored) == old.broker._book.account.orders == 2 * (KEPT_FILLS + 10) + 5
