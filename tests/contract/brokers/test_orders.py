"""What every broker must do with orders.

The numbers are those of the contract list. Not here: 7 replacing (`test_replace*.py`), 11 extended hours
(orders carry no such flag), 14 and 15 (every venue so far links legs itself), 16 unknown statuses and 18
(adapters of foreign interfaces). 5, both exits filling, cannot happen at a venue with one matcher; that it
does not is a property test.
"""

import asyncio
from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from engine.errors import BrokerUnavailable, OrderOutcomeUnknown, OrderRejected
from engine.model.ids import ClientOrderId
from engine.model.orders import BracketKind, Fill, OrderSide, OrderState, TimeInForce, VenueOrder

BUY, SELL = OrderSide.BUY, OrderSide.SELL


class TestBracket:
    async def test_marketable_entry_fills_and_wakes_its_exits(
        self, venue: Any, orders: Any, ask: Any
    ) -> None:
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        assert await ask.states(venue, spec) == ("filled", "working", "working")
        assert await ask.position(venue) == 100
        assert {order.client_order_id for order in await venue.broker.open_orders()} == {
            spec.stop.client_order_id,
            spec.target.client_order_id,
        }

    async def test_exits_of_a_resting_entry_sleep(self, venue: Any, orders: Any, ask: Any) -> None:
        spec = orders.bracket(limit="9.50")
        await venue.broker.submit_bracket(spec)
        assert await ask.states(venue, spec) == ("working", "working", "working")
        assert "held" in (await ask.one(venue, spec.stop)).reason
        assert await ask.position(venue) == 0

    async def test_target_fills_and_cancels_the_stop(self, venue: Any, orders: Any, ask: Any) -> None:
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        venue.move_to(10.61)
        assert await ask.states(venue, spec) == ("filled", "canceled", "filled")
        assert await ask.position(venue) == 0
        assert await venue.broker.open_orders() == ()

    async def test_stop_fills_and_cancels_the_target(self, venue: Any, orders: Any, ask: Any) -> None:
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        venue.move_to(9.2)
        assert await ask.states(venue, spec) == ("filled", "filled", "canceled")
        assert await ask.position(venue) == 0

    async def test_pair_of_exits_protects_a_position(self, venue: Any, orders: Any, ask: Any) -> None:
        await venue.broker.submit(orders.single(BUY, "100", limit="10"))
        pair = orders.exits()
        await venue.broker.submit_bracket(pair)
        venue.move_to(9.0)
        assert await ask.states(venue, pair) == ("filled", "canceled")
        assert await ask.position(venue) == 0

    async def test_card_says_what_the_bracket_is(self, venue: Any) -> None:
        card = venue.broker.capabilities
        assert card.bracket_kind is BracketKind.OTOCO
        assert card.client_id_unique_for_ever
        assert card.lookup_by_client_id
        assert card.stop_rests_without_us
        assert card.can_replace
        assert card.reduces_pairs
        assert card.request_expiry_us == 0
        assert card.visibility_lag_us == 0


class TestRejection:
    """1: no children exist, the state is REJECTED, nothing is retried."""

    async def test_rejected_entry_leaves_no_children(self, venue: Any, orders: Any, ask: Any) -> None:
        spec = orders.bracket(quantity="2000")
        with pytest.raises(OrderRejected, match=r"needs 20000\.00, buying power is 10000\.00"):
            await venue.broker.submit_bracket(spec)
        entry = await ask.one(venue, spec.entry)
        assert entry.state is OrderState.REJECTED
        assert "buying power" in entry.reason
        assert await venue.broker.order(spec.stop.client_order_id) is None
        assert await venue.broker.order(spec.target.client_order_id) is None
        assert await venue.broker.open_orders() == ()

    async def test_rejected_order_sent_again_is_rejected_again(self, venue: Any, orders: Any) -> None:
        spec = orders.bracket(quantity="2000")
        for _ in range(2):
            with pytest.raises(OrderRejected) as caught:
                await venue.broker.submit_bracket(spec)
            assert caught.value.code == "buying_power"

    async def test_rejected_pair_shows_both_orders_rejected(self, venue: Any, orders: Any, ask: Any) -> None:
        pair = orders.exits()
        with pytest.raises(OrderRejected, match="the position is 0"):
            await venue.broker.submit_bracket(pair)
        assert await ask.states(venue, pair) == ("rejected", "rejected")

    async def test_sale_beyond_the_position_says_the_numbers(self, venue: Any, orders: Any) -> None:
        """17: the reason of a refusal is surfaced."""
        await venue.broker.submit(orders.single(BUY, "10", limit="10"))
        with pytest.raises(OrderRejected, match="cannot sell 11: the position is 10") as caught:
            await venue.broker.submit(orders.single(SELL, "11"))
        assert caught.value.code == "reduce_only"

    async def test_units_held_by_exits_cannot_be_sold_twice(self, venue: Any, orders: Any) -> None:
        await venue.broker.submit_bracket(orders.bracket())
        with pytest.raises(OrderRejected, match="other orders hold 100") as caught:
            await venue.broker.submit(orders.single(SELL, "1"))
        assert caught.value.code == "held"

    @pytest.mark.parametrize("price", ["1.005", "0.99995", "290.123"])
    async def test_price_off_the_tick_is_refused(self, venue: Any, orders: Any, price: str) -> None:
        """10: the tick rule."""
        with pytest.raises(OrderRejected, match=f"price {price} is not a multiple of the tick") as caught:
            await venue.broker.submit(orders.single(BUY, "1", limit=price))
        assert caught.value.code == "tick"

    async def test_fractional_quantity_with_a_bracket_is_refused(self, venue: Any, orders: Any) -> None:
        """13: brackets take whole lots."""
        with pytest.raises(OrderRejected, match="not a multiple of the lot") as caught:
            await venue.broker.submit_bracket(orders.bracket(quantity="1.5"))
        assert caught.value.code == "lot"

    async def test_order_of_another_account_is_refused(self, venue: Any, orders: Any) -> None:
        with pytest.raises(OrderRejected, match="account other"):
            await venue.broker.submit_bracket(orders.bracket(account="other"))

    async def test_buy_stop_and_limit_at_the_close_are_refused(self, venue: Any, orders: Any) -> None:
        for spec in (
            orders.single(BUY, "1", stop="11"),
            orders.single(BUY, "1", limit="10", tif=TimeInForce.CLS),
        ):
            with pytest.raises(OrderRejected) as caught:
                await venue.broker.submit(spec)
            assert caught.value.code == "unsupported"

    async def test_price_that_is_not_positive_is_refused(self, venue: Any, orders: Any) -> None:
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.submit(orders.single(BUY, "1", limit="-1"))
        assert caught.value.code == "price"

    async def test_legs_that_do_not_belong_together_are_refused(self, venue: Any, orders: Any) -> None:
        good = orders.bracket()
        wrong = (
            replace(good, stop=replace(good.stop, quantity=D(99))),
            replace(good, stop=replace(good.stop, side=BUY)),
            replace(good, entry=replace(good.entry, side=SELL)),
            replace(good, target=replace(good.target, client_order_id=good.stop.client_order_id)),
        )
        for spec in wrong:
            with pytest.raises(OrderRejected) as caught:
                await venue.broker.submit_bracket(_renamed(spec, orders.ticket()))
            assert caught.value.code == "group"


class TestIdempotency:
    """2: exactly one order at the venue, whatever is sent again."""

    async def test_same_order_twice_is_one_order(self, venue: Any, orders: Any, ask: Any) -> None:
        spec, sale = orders.bracket(), orders.single(BUY, "5", limit="9.50")
        for _ in range(2):
            await venue.broker.submit_bracket(spec)
            await venue.broker.submit(sale)
        assert await ask.position(venue) == 100
        assert len(await venue.broker.executions(0)) == 1
        assert len(await venue.broker.open_orders()) == 3

    async def test_same_order_again_after_its_end_is_still_that_order(
        self, venue: Any, orders: Any, ask: Any
    ) -> None:
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        venue.move_to(9.0)
        await venue.broker.submit_bracket(spec)
        assert await ask.states(venue, spec) == ("filled", "filled", "canceled")
        assert await ask.position(venue) == 0

    async def test_same_id_with_other_terms_is_rejected(self, venue: Any, orders: Any, ask: Any) -> None:
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        other = replace(spec, entry=replace(spec.entry, limit_price=D("9.90")))
        for again in (other, replace(spec, ticket=orders.ticket())):
            with pytest.raises(OrderRejected) as caught:
                await venue.broker.submit_bracket(again)
            assert caught.value.code == "duplicate"
        with pytest.raises(OrderRejected):
            await venue.broker.submit(spec.entry)
        assert (await ask.one(venue, spec.entry)).limit_price == D("10")

    async def test_nothing_is_at_the_venue_when_it_could_not_be_written(
        self, venue: Any, orders: Any, ask: Any
    ) -> None:
        spec = orders.bracket()
        if venue.file is not None:
            pytest.skip("not applicable: a real file is not made to fail here")
        venue.store.fail_before = True
        with pytest.raises(BrokerUnavailable, match="disk full"):
            await venue.broker.submit_bracket(spec)
        venue.store.fail_before = False
        assert await venue.broker.order(spec.entry.client_order_id) is None
        assert (await venue.broker.account()).cash == 10_000
        venue.open_at(10.0)
        await venue.broker.submit_bracket(spec)
        assert await ask.position(venue) == 100

    async def test_order_whose_answer_was_lost_is_found_by_its_id(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.open_at(10.0)
        spec = orders.bracket()
        stream = on_bars.broker.updates()
        on_bars.store.fail_after = True
        await on_bars.broker.submit_bracket(spec)
        on_bars.store.fail_after = False
        assert await ask.rest(stream) == [], "it ends, because it missed what was stored"
        assert await ask.states(on_bars, spec) == ("filled", "working", "working")
        assert len(await on_bars.broker.executions(0)) == 1

    async def test_outcome_is_unknown_when_the_venue_cannot_be_read(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.open_at(10.0)
        spec = orders.bracket()
        on_bars.store.fail_after = on_bars.store.fail_load = True
        with pytest.raises(OrderOutcomeUnknown):
            await on_bars.broker.submit_bracket(spec)
        for question in (on_bars.broker.account, lambda: on_bars.broker.submit(orders.single(BUY, "1"))):
            with pytest.raises(BrokerUnavailable, match="the disk is gone"):
                await question()
        on_bars.store.fail_after = on_bars.store.fail_load = False
        assert await ask.states(on_bars, spec) == ("filled", "working", "working")

    async def test_failed_cancel_has_an_unknown_outcome(self, on_bars: Any, orders: Any, ask: Any) -> None:
        on_bars.open_at(10.0)
        spec = orders.bracket()
        await on_bars.broker.submit_bracket(spec)
        on_bars.store.fail_before = True
        with pytest.raises(OrderOutcomeUnknown):
            await on_bars.broker.cancel(spec.stop.client_order_id)
        on_bars.store.fail_before = False
        assert await ask.states(on_bars, spec) == ("filled", "working", "working")


class TestPartialFills:
    """3 and 4."""

    async def test_legs_of_a_partly_filled_entry_protect_nothing(
        self, venue: Any, orders: Any, ask: Any, need: Any
    ) -> None:
        need(venue, "partial_fills")
        spec = orders.bracket(limit="9.50", tif=TimeInForce.GTC)
        await venue.broker.submit_bracket(spec)
        venue.move_to(9.4, volume=400)
        entry = await ask.one(venue, spec.entry)
        assert (entry.state, entry.cum_filled) == (OrderState.WORKING, 40)
        venue.move_to(9.0, volume=10)
        assert (await ask.one(venue, spec.stop)).cum_filled == 0
        await venue.broker.cancel(spec.entry.client_order_id)
        assert await ask.states(venue, spec) == ("canceled", "canceled", "canceled")
        assert (await ask.one(venue, spec.entry)).cum_filled == await ask.position(venue) == 41
        protection = orders.exits(quantity="41", stop="8.50")
        await venue.broker.submit_bracket(protection)
        venue.move_to(8.4)
        assert await ask.states(venue, protection) == ("filled", "canceled")
        assert await ask.position(venue) == 0

    async def test_rest_of_an_entry_carries_to_the_next_bar(
        self, venue: Any, orders: Any, ask: Any, need: Any
    ) -> None:
        need(venue, "partial_fills")
        spec = orders.bracket(limit="9.50", tif=TimeInForce.GTC)
        await venue.broker.submit_bracket(spec)
        venue.move_to(9.4, volume=400)
        venue.move_to(9.4, volume=1000)
        assert await ask.states(venue, spec) == ("filled", "working", "working")
        fills = await venue.broker.executions(0)
        assert [fill.quantity for fill in fills] == [40, 60]

    async def test_partly_filled_target_shrinks_the_stop(
        self, venue: Any, orders: Any, ask: Any, need: Any
    ) -> None:
        need(venue, "partial_fills")
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        venue.move_to(10.7, volume=300)
        target, stop = await ask.one(venue, spec.target), await ask.one(venue, spec.stop)
        assert (target.state, target.cum_filled) == (OrderState.WORKING, 30)
        assert (stop.state, stop.quantity, stop.cum_filled) == (OrderState.WORKING, 70, 0)
        venue.move_to(9.0)
        assert await ask.position(venue) == 0
        assert (await ask.one(venue, spec.stop)).cum_filled == 70
        assert (await ask.one(venue, spec.target)).state is OrderState.CANCELED

    async def test_triggered_stop_sells_its_rest_at_the_next_open(
        self, venue: Any, orders: Any, ask: Any, need: Any
    ) -> None:
        need(venue, "partial_fills")
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        venue.move_to(9.2, volume=300)
        assert (await ask.one(venue, spec.stop)).cum_filled == 30
        assert (await ask.one(venue, spec.target)).quantity == 70
        venue.move_to(11.0)
        fills = await venue.broker.executions(0)
        assert [(fill.quantity, fill.price) for fill in fills[1:]] == [(30, D("9.2")), (70, D("11.0"))]
        assert await ask.states(venue, spec) == ("filled", "filled", "canceled")

    async def test_stop_reached_on_a_bar_without_volume_sells_at_the_next_open(
        self, venue: Any, orders: Any, ask: Any, need: Any
    ) -> None:
        need(venue, "partial_fills")
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        venue.move_to(9.0, volume=0)
        assert (await ask.one(venue, spec.stop)).state is OrderState.WORKING
        venue.move_to(9.9)
        assert await ask.states(venue, spec) == ("filled", "filled", "canceled")
        assert (await venue.broker.executions(0))[1].price == D("9.9")


class TestCancel:
    async def test_canceling_one_leg_ends_the_group(self, venue: Any, orders: Any, ask: Any) -> None:
        """6: the adapter shows the naked position."""
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        await venue.broker.cancel(spec.target.client_order_id)
        assert await ask.states(venue, spec) == ("filled", "canceled", "canceled")
        assert await ask.position(venue) == 100
        venue.move_to(9.0)
        assert await ask.position(venue) == 100

    async def test_canceling_a_sleeping_leg_ends_the_entry_too(
        self, venue: Any, orders: Any, ask: Any
    ) -> None:
        spec = orders.bracket(limit="9.50")
        await venue.broker.submit_bracket(spec)
        await venue.broker.cancel(spec.stop.client_order_id)
        assert await ask.states(venue, spec) == ("canceled", "canceled", "canceled")

    async def test_canceling_twice_is_canceling_once(self, venue: Any, orders: Any, ask: Any) -> None:
        spec = orders.bracket(limit="9.50")
        await venue.broker.submit_bracket(spec)
        for _ in range(2):
            await venue.broker.cancel(spec.entry.client_order_id)
        assert await ask.states(venue, spec) == ("canceled", "canceled", "canceled")

    async def test_canceling_a_filled_order_is_an_error(self, venue: Any, orders: Any, ask: Any) -> None:
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        with pytest.raises(OrderRejected, match="is filled") as caught:
            await venue.broker.cancel(spec.entry.client_order_id)
        assert caught.value.code == "not_cancelable"
        assert await ask.states(venue, spec) == ("filled", "working", "working")

    async def test_canceling_an_order_that_never_came_is_an_error(self, venue: Any) -> None:
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.cancel(ClientOrderId("td-none"))
        assert caught.value.code == "unknown_order"
        assert await venue.broker.order(ClientOrderId("td-none")) is None


class TestRaces:
    async def test_bar_that_reaches_both_exits_fills_the_stop_only(
        self, venue: Any, orders: Any, ask: Any, need: Any
    ) -> None:
        need(venue, "bars")
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        venue.bar(10, 11, 9, 10)
        assert await ask.states(venue, spec) == ("filled", "filled", "canceled")
        assert len(await venue.broker.executions(0)) == 2


class TestTimeInForce:
    async def test_day_bracket_leaves_a_naked_position_overnight(
        self, venue: Any, orders: Any, ask: Any
    ) -> None:
        """12: its exits end with the session and can be placed anew at the next open."""
        spec = orders.bracket(exit_tif=TimeInForce.DAY)
        await venue.broker.submit_bracket(spec)
        venue.close(10.0)
        assert await ask.states(venue, spec) == ("filled", "expired", "expired")
        assert await ask.position(venue) == 100
        venue.open_at(10.0)
        again = orders.exits()
        await venue.broker.submit_bracket(again)
        assert await ask.states(venue, again) == ("working", "working")

    async def test_good_till_canceled_exits_stay(self, venue: Any, orders: Any, ask: Any) -> None:
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        venue.close(10.0)
        venue.open_at(10.0)
        assert await ask.states(venue, spec) == ("filled", "working", "working")

    async def test_unfilled_day_entry_expires_with_its_legs(self, venue: Any, orders: Any, ask: Any) -> None:
        spec = orders.bracket(limit="9.50")
        await venue.broker.submit_bracket(spec)
        venue.close(10.0)
        assert await ask.states(venue, spec) == ("expired", "canceled", "canceled")

    async def test_order_at_the_close_gets_the_closing_print(self, venue: Any, orders: Any, ask: Any) -> None:
        await venue.broker.submit(orders.single(BUY, "10", limit="10"))
        sale = orders.single(SELL, "10", tif=TimeInForce.CLS)
        await venue.broker.submit(sale)
        assert (await ask.one(venue, sale)).state is OrderState.WORKING
        venue.close(10.25)
        assert (await ask.one(venue, sale)).state is OrderState.FILLED
        assert (await venue.broker.executions(0))[-1].price == D("10.25")


class TestReconnect:
    """8 and 9."""

    async def test_fills_while_away_are_found_once(
        self, venue: Any, orders: Any, ask: Any, need: Any
    ) -> None:
        need(venue, "stream")
        stream = venue.broker.updates()
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        venue.disconnect()
        seen = await ask.rest(stream)
        venue.move_to(9.0)
        away = await venue.broker.executions(0)
        streamed = {update.exec_id for update in seen if isinstance(update, Fill)}
        assert len(streamed) == 1
        assert len({fill.exec_id for fill in away}) == len(away) == 2
        assert await ask.states(venue, spec) == ("filled", "filled", "canceled")

    async def test_stream_carries_everything_in_order(
        self, venue: Any, orders: Any, ask: Any, need: Any
    ) -> None:
        need(venue, "stream")
        stream = venue.broker.updates()
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        assert venue.broker.has_undelivered
        venue.move_to(10.7)
        venue.disconnect()
        assert not venue.broker.has_undelivered
        updates = await ask.rest(stream)
        fills = [update for update in updates if isinstance(update, Fill)]
        assert [fill.client_order_id for fill in fills] == [
            spec.entry.client_order_id,
            spec.target.client_order_id,
        ]
        last = {update.client_order_id: update for update in updates if isinstance(update, VenueOrder)}
        assert {str(order.state) for order in last.values()} == {"filled", "canceled"}
        assert last[spec.stop.client_order_id].state is OrderState.CANCELED

    async def test_waiting_stream_is_woken_and_ends(self, venue: Any, orders: Any, need: Any) -> None:
        need(venue, "stream")
        stream = venue.broker.updates()
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        assert not waiting.done()
        await venue.broker.submit(orders.single(BUY, "1", limit="9.50"))
        assert isinstance(await waiting, VenueOrder)
        ending = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        venue.broker.updates()
        with pytest.raises(StopAsyncIteration):
            await ending

    async def test_restart_with_only_the_store_keeps_every_order(
        self, venue: Any, orders: Any, ask: Any
    ) -> None:
        done, open_, resting = orders.bracket("10"), orders.bracket("20"), orders.bracket("30", limit="9.50")
        for spec in (done, open_, resting):
            await venue.broker.submit_bracket(spec)
        await venue.broker.cancel(done.stop.client_order_id)
        before = (
            [await ask.states(venue, spec) for spec in (done, open_, resting)],
            await venue.broker.open_orders(),
            await venue.broker.executions(0),
            await venue.broker.account(),
        )
        venue.restart()
        after = (
            [await ask.states(venue, spec) for spec in (done, open_, resting)],
            await venue.broker.open_orders(),
            await venue.broker.executions(0),
            await venue.broker.account(),
        )
        assert before == after
        assert len({fill.exec_id for fill in after[2]}) == 2

    async def test_executions_since_an_instant(self, venue: Any, orders: Any) -> None:
        await venue.broker.submit(orders.single(BUY, "1", limit="10"))
        venue.close(10.0)
        venue.open_at(10.0)
        await venue.broker.submit(orders.single(BUY, "2", limit="10"))
        fills = await venue.broker.executions(0)
        assert [fill.quantity for fill in fills] == [1, 2]
        assert await venue.broker.executions(fills[1].ts_event) == fills[1:]
        assert await venue.broker.executions(fills[1].ts_event + 1) == ()


def _renamed(spec: Any, ticket: str) -> Any:
    """The same bracket under new order ids; equal ids stay equal."""

    def new(leg: Any) -> Any:
        return replace(leg, client_order_id=ClientOrderId(f"td{ticket}{leg.client_order_id[-3:]}"))

    return replace(spec, ticket=ticket, entry=new(spec.entry), stop=new(spec.stop), target=new(spec.target))
