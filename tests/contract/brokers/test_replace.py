"""7: an order in the place of another, also while the other fills: no double stop, no naked gap.

Venues whose card says `can_replace`; the old order is CANCELED with reason `REPLACED`, or all is as it was.
"""

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from engine.errors import BrokerUnavailable, OrderOutcomeUnknown, OrderRejected
from engine.model.ids import ClientOrderId
from engine.model.orders import Fill, OrderSide, OrderSpec, OrderState, OrderType
from engine.ports import REPLACED

BUY, SELL = OrderSide.BUY, OrderSide.SELL


def anew(spec: OrderSpec, number: int = 1, **terms: Any) -> OrderSpec:
    """The same order with other terms and an id of its own."""
    return replace(spec, client_order_id=ClientOrderId(f"{spec.client_order_id[:-2]}{number:02d}"), **terms)


def raised(spec: OrderSpec, price: str = "9.50", number: int = 1) -> OrderSpec:
    """A stop nearer to the market."""
    return anew(spec, number, stop_price=D(price))


async def resting_sales(venue: Any) -> dict[str, D]:
    """What could still be sold by stops, by id."""
    return {
        order.client_order_id: order.quantity - order.cum_filled
        for order in await venue.broker.open_orders()
        if order.stop_price is not None
    }


class TestSingleStop:
    @pytest.fixture
    async def stop(self, venue: Any, orders: Any) -> OrderSpec:
        """100 held at 10, with a stop that is in no group."""
        await venue.broker.submit(orders.single(BUY, "100", limit="10"))
        stop: OrderSpec = orders.single(SELL, "100", stop="9.20")
        await venue.broker.submit(stop)
        return stop

    async def test_new_stop_works_in_place_of_the_old(self, venue: Any, stop: OrderSpec, ask: Any) -> None:
        new = raised(stop)
        await venue.broker.replace(stop.client_order_id, new)
        old = await ask.one(venue, stop)
        assert (old.state, old.reason, old.cum_filled) == (OrderState.CANCELED, REPLACED, 0)
        assert await resting_sales(venue) == {new.client_order_id: 100}
        venue.move_to(9.4)
        assert (await ask.one(venue, new)).state is OrderState.FILLED
        assert await ask.position(venue) == 0

    async def test_replacing_twice_is_replacing_once(self, venue: Any, stop: OrderSpec) -> None:
        new = raised(stop)
        for _ in range(2):
            await venue.broker.replace(stop.client_order_id, new)
        assert await resting_sales(venue) == {new.client_order_id: 100}

    async def test_replacement_sent_again_as_an_order_is_that_order(
        self, venue: Any, stop: OrderSpec
    ) -> None:
        new = raised(stop)
        await venue.broker.replace(stop.client_order_id, new)
        await venue.broker.submit(new)
        await venue.broker.submit(stop)
        assert await resting_sales(venue) == {new.client_order_id: 100}

    async def test_same_new_id_with_other_terms_is_rejected(self, venue: Any, stop: OrderSpec) -> None:
        new = raised(stop)
        await venue.broker.replace(stop.client_order_id, new)
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.replace(stop.client_order_id, replace(new, stop_price=D("9.60")))
        assert caught.value.code == "duplicate"
        with pytest.raises(OrderRejected, match="is canceled"):
            await venue.broker.replace(stop.client_order_id, raised(stop, "9.60", 2))
        assert await resting_sales(venue) == {new.client_order_id: 100}

    async def test_chain_of_replacements_leaves_one_order(self, venue: Any, stop: OrderSpec) -> None:
        last = stop
        for number in (1, 2, 3):
            new = raised(stop, f"9.{3 + number}0", number)
            await venue.broker.replace(last.client_order_id, new)
            last = new
        assert await resting_sales(venue) == {last.client_order_id: 100}

    async def test_smaller_stop_frees_the_rest(self, venue: Any, stop: OrderSpec, orders: Any) -> None:
        await venue.broker.replace(stop.client_order_id, anew(stop, quantity=D(60)))
        with pytest.raises(OrderRejected, match="hold 60"):
            await venue.broker.submit(orders.single(SELL, "41", limit="12"))
        await venue.broker.submit(orders.single(SELL, "40", limit="12"))

    async def test_filled_before_the_replacement_arrives(self, venue: Any, stop: OrderSpec, ask: Any) -> None:
        venue.move_to(9.0)
        with pytest.raises(OrderRejected, match="is filled") as caught:
            await venue.broker.replace(stop.client_order_id, raised(stop))
        assert caught.value.code == "not_replaceable"
        assert await venue.broker.order(raised(stop).client_order_id) is None
        assert await ask.position(venue) == 0

    async def test_partly_filled_in_flight_is_refused_and_the_rest_stays_protected(
        self, venue: Any, stop: OrderSpec, ask: Any, need: Any
    ) -> None:
        need(venue, "partial_fills")
        venue.move_to(9.0, volume=400)
        assert await ask.position(venue) == 60
        with pytest.raises(OrderRejected, match="executed at market"):
            await venue.broker.replace(stop.client_order_id, raised(stop))
        assert await resting_sales(venue) == {stop.client_order_id: 60}
        venue.move_to(9.0)
        assert await ask.position(venue) == 0

    @pytest.mark.parametrize(
        ("terms", "code"),
        [
            ({"stop_price": D("9.505")}, "tick"),
            ({"stop_price": D(-1)}, "price"),
            ({"quantity": D("100.5")}, "lot"),
            ({"quantity": D(101)}, "reduce_only"),
            ({"side": BUY}, "replacement"),
        ],
    )
    async def test_refused_terms_leave_the_old_order(
        self, venue: Any, stop: OrderSpec, ask: Any, terms: dict[str, Any], code: str
    ) -> None:
        new = anew(stop, **terms)
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.replace(stop.client_order_id, new)
        assert caught.value.code == code
        assert await venue.broker.order(new.client_order_id) is None
        assert await resting_sales(venue) == {stop.client_order_id: 100}
        assert (await ask.one(venue, stop)).reason == ""

    async def test_more_than_others_left_free_is_refused(
        self, venue: Any, stop: OrderSpec, orders: Any
    ) -> None:
        await venue.broker.replace(stop.client_order_id, anew(stop, quantity=D(60)))
        await venue.broker.submit(orders.single(SELL, "40", stop="9.10"))
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.replace(
                anew(stop, quantity=D(60)).client_order_id, anew(stop, 2, quantity=D(61))
            )
        assert caught.value.code == "held"

    async def test_order_that_never_came_cannot_be_replaced(self, venue: Any, stop: OrderSpec) -> None:
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.replace(ClientOrderId("td-none"), raised(stop))
        assert caught.value.code == "unknown_order"

    async def test_stream_tells_the_end_before_the_beginning(
        self, venue: Any, stop: OrderSpec, need: Any, ask: Any
    ) -> None:
        need(venue, "stream")
        stream = venue.broker.updates()
        await venue.broker.replace(stop.client_order_id, raised(stop))
        venue.disconnect()
        told = [(update.client_order_id, update.state) for update in await ask.rest(stream)]
        assert told == [
            (stop.client_order_id, OrderState.CANCELED),
            (raised(stop).client_order_id, OrderState.WORKING),
        ]

    async def test_stop_that_is_raised_over_the_market_sells_once(
        self, on_quotes: Any, orders: Any, ask: Any
    ) -> None:
        on_quotes.open_at(10.0)
        await on_quotes.broker.submit(orders.single(BUY, "100", limit="10"))
        stop = orders.single(SELL, "100", stop="9.20")
        await on_quotes.broker.submit(stop)
        on_quotes.tick(9.4, 9.5)
        new = raised(stop, "9.60")
        await on_quotes.broker.replace(stop.client_order_id, new)
        assert (await ask.one(on_quotes, new)).state is OrderState.FILLED
        assert await ask.position(on_quotes) == 0
        assert [fill.price for fill in await on_quotes.broker.executions(0)] == [D("10"), D("9.4")]


class TestPair:
    """The exits of a filled bracket."""

    @pytest.fixture
    async def held(self, venue: Any, orders: Any) -> Any:
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        return spec

    async def test_replaced_stop_still_cancels_the_target(self, venue: Any, held: Any, ask: Any) -> None:
        new = raised(held.stop)
        await venue.broker.replace(held.stop.client_order_id, new)
        venue.move_to(9.4)
        assert (await ask.one(venue, new)).state is OrderState.FILLED
        assert (await ask.one(venue, held.target)).state is OrderState.CANCELED
        assert await ask.position(venue) == 0

    async def test_target_still_cancels_the_replaced_stop(self, venue: Any, held: Any, ask: Any) -> None:
        new = raised(held.stop)
        await venue.broker.replace(held.stop.client_order_id, new)
        venue.move_to(10.7)
        assert (await ask.one(venue, held.target)).state is OrderState.FILLED
        assert (await ask.one(venue, new)).state is OrderState.CANCELED

    async def test_replaced_target_keeps_its_stop(self, venue: Any, held: Any, ask: Any) -> None:
        new = anew(held.target, limit_price=D("10.80"))
        await venue.broker.replace(held.target.client_order_id, new)
        venue.move_to(10.7)
        assert await resting_sales(venue) == {held.stop.client_order_id: 100}
        venue.move_to(10.9)
        assert (await ask.one(venue, new)).state is OrderState.FILLED
        assert await venue.broker.open_orders() == ()

    async def test_canceling_the_replaced_stop_ends_the_pair(self, venue: Any, held: Any) -> None:
        new = raised(held.stop)
        await venue.broker.replace(held.stop.client_order_id, new)
        await venue.broker.cancel(new.client_order_id)
        assert await venue.broker.open_orders() == ()

    async def test_smaller_stop_shrinks_its_target(
        self, venue: Any, held: Any, ask: Any, orders: Any
    ) -> None:
        await venue.broker.replace(held.stop.client_order_id, anew(held.stop, quantity=D(60)))
        assert (await ask.one(venue, held.target)).quantity == 60
        await venue.broker.submit(orders.single(SELL, "40", limit="12"))

    @pytest.mark.parametrize("terms", [{"quantity": D(101)}, {"type": OrderType.MARKET, "stop_price": None}])
    async def test_what_does_not_fit_the_pair_is_refused(
        self, venue: Any, held: Any, terms: dict[str, Any]
    ) -> None:
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.replace(held.stop.client_order_id, anew(held.stop, **terms))
        assert caught.value.code == "group"
        assert await resting_sales(venue) == {held.stop.client_order_id: 100}

    async def test_target_partly_filled_in_flight_bounds_the_new_stop(
        self, venue: Any, held: Any, need: Any, ask: Any
    ) -> None:
        need(venue, "partial_fills")
        venue.move_to(10.7, volume=400)
        with pytest.raises(OrderRejected, match="60 of"):
            await venue.broker.replace(held.stop.client_order_id, raised(held.stop))
        assert await resting_sales(venue) == {held.stop.client_order_id: 60}
        new = anew(held.stop, quantity=D(60), stop_price=D("9.50"))
        await venue.broker.replace(held.stop.client_order_id, new)
        assert (await ask.one(venue, held.target)).quantity == 100
        venue.move_to(9.0)
        assert await ask.position(venue) == 0
        assert (await ask.one(venue, held.target)).state is OrderState.CANCELED

    async def test_bracket_sent_again_after_a_replacement_is_the_same(self, venue: Any, held: Any) -> None:
        new = raised(held.stop)
        await venue.broker.replace(held.stop.client_order_id, new)
        await venue.broker.submit_bracket(held)
        assert await resting_sales(venue) == {new.client_order_id: 100}


class TestSleepers:
    """A bracket whose entry rests."""

    @pytest.fixture
    async def resting(self, venue: Any, orders: Any) -> Any:
        spec = orders.bracket(limit="9.50")
        await venue.broker.submit_bracket(spec)
        return spec

    async def test_sleeping_stop_is_replaced_and_wakes(self, venue: Any, resting: Any, ask: Any) -> None:
        new = raised(resting.stop, "9.30")
        await venue.broker.replace(resting.stop.client_order_id, new)
        assert "held" in (await ask.one(venue, new)).reason
        venue.move_to(9.4)
        assert await resting_sales(venue) == {new.client_order_id: 100}
        venue.move_to(9.25)
        assert await ask.position(venue) == 0

    async def test_entry_is_replaced_and_its_exits_follow_it(
        self, venue: Any, resting: Any, ask: Any
    ) -> None:
        new = anew(resting.entry, limit_price=D("9.80"))
        await venue.broker.replace(resting.entry.client_order_id, new)
        venue.move_to(9.7)
        assert (await ask.one(venue, new)).state is OrderState.FILLED
        assert await resting_sales(venue) == {resting.stop.client_order_id: 100}

    async def test_canceling_the_replaced_entry_ends_its_exits(self, venue: Any, resting: Any) -> None:
        new = anew(resting.entry, limit_price=D("9.80"))
        await venue.broker.replace(resting.entry.client_order_id, new)
        await venue.broker.cancel(new.client_order_id)
        assert await venue.broker.open_orders() == ()

    async def test_entry_and_sleepers_keep_their_quantity(self, venue: Any, resting: Any) -> None:
        for leg in (resting.entry, resting.stop):
            with pytest.raises(OrderRejected) as caught:
                await venue.broker.replace(leg.client_order_id, anew(leg, quantity=D(60)))
            assert caught.value.code == "group"

    async def test_entry_is_paid_from_what_it_reserves(self, venue: Any, orders: Any) -> None:
        entry = orders.single(BUY, "1000", limit="9.00")
        await venue.broker.submit(entry)
        with pytest.raises(OrderRejected) as caught:
            await venue.broker.replace(entry.client_order_id, anew(entry, quantity=D(1200)))
        assert caught.value.code == "buying_power"
        await venue.broker.replace(entry.client_order_id, anew(entry, 2, quantity=D(1100)))
        assert (await venue.broker.account()).buying_power == 10_000 - 9_900


class TestStore:
    @pytest.fixture
    async def held(self, on_bars: Any, orders: Any) -> Any:
        on_bars.open_at(10.0)
        spec = orders.bracket()
        await on_bars.broker.submit_bracket(spec)
        return spec

    async def test_nothing_is_replaced_when_it_could_not_be_written(self, on_bars: Any, held: Any) -> None:
        on_bars.store.fail_before = True
        with pytest.raises(BrokerUnavailable, match="disk full"):
            await on_bars.broker.replace(held.stop.client_order_id, raised(held.stop))
        on_bars.store.fail_before = False
        assert await resting_sales(on_bars) == {held.stop.client_order_id: 100}

    async def test_replacement_whose_answer_was_lost_is_found(self, on_bars: Any, held: Any) -> None:
        on_bars.store.fail_after = True
        await on_bars.broker.replace(held.stop.client_order_id, raised(held.stop))
        on_bars.store.fail_after = False
        assert await resting_sales(on_bars) == {raised(held.stop).client_order_id: 100}

    async def test_outcome_is_unknown_when_the_venue_cannot_be_read(self, on_bars: Any, held: Any) -> None:
        on_bars.store.fail_after = on_bars.store.fail_load = True
        with pytest.raises(OrderOutcomeUnknown):
            await on_bars.broker.replace(held.stop.client_order_id, raised(held.stop))
        on_bars.store.fail_after = on_bars.store.fail_load = False
        assert await resting_sales(on_bars) == {raised(held.stop).client_order_id: 100}

    async def test_fills_before_a_replacement_are_told_once(self, on_bars: Any, held: Any) -> None:
        await on_bars.broker.replace(held.stop.client_order_id, raised(held.stop))
        on_bars.bar(10, 10, 9, 9)
        fills: tuple[Fill, ...] = await on_bars.broker.executions(0)
        assert [fill.client_order_id for fill in fills] == [
            held.entry.client_order_id,
            raised(held.stop).client_order_id,
        ]

    async def test_venue_tells_the_time_of_its_clock(self, on_bars: Any) -> None:
        assert await on_bars.broker.venue_time_us() == on_bars.clock.now_us()
