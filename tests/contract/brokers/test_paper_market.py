"""How the paper venue reads a market: whole bars, prints and quotes, closing prints, corporate actions."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from engine.errors import OrderRejected
from engine.execution.matching import GapFill
from engine.model.market import Bar, CorporateActionKind, Instrument, MarketBatch, Provenance, SessionPhase
from engine.model.orders import OrderSide, OrderState, TimeInForce

BUY, SELL = OrderSide.BUY, OrderSide.SELL
SPLIT, DIVIDEND = CorporateActionKind.SPLIT, CorporateActionKind.DIVIDEND


class TestNaiveBars:
    """The walk of the daily baseline: stop before target, gaps at the open, a touch is enough."""

    @pytest.fixture
    async def held(self, naive: Any, orders: Any) -> Any:
        """100 bought at the open print of 10, stop 9.2, target 10.6."""
        naive.open_at(10.0)
        self.spec = orders.bracket(stop="9.2", target="10.6")
        await naive.broker.submit_bracket(self.spec)
        return naive

    async def exit_price(self, venue: Any) -> D | None:
        fills = await venue.broker.executions(0)
        return fills[1].price if len(fills) > 1 else None

    async def test_entry_is_the_open_print_unrounded(self, naive: Any, orders: Any) -> None:
        naive.open_at(12.34000015258789)
        spec = orders.bracket(limit="12.34000015258789", stop="11", target="13.123456789")
        await naive.broker.submit_bracket(spec)
        fill = (await naive.broker.executions(0))[0]
        assert (fill.price, fill.fee) == (D("12.34000015258789"), 0)

    @pytest.mark.parametrize(
        ("bar", "expected"),
        [
            ((10, 10.5, 9.3, 10), None),
            ((10, 10.6, 9.3, 10), "10.6"),
            ((10, 10.7, 9.2, 10), "9.2"),
            ((10, 11.0, 9.0, 10), "9.2"),
        ],
    )
    async def test_entry_bar_fills_at_the_levels(self, held: Any, bar: Any, expected: str | None) -> None:
        held.bar(*bar)
        assert await self.exit_price(held) == (None if expected is None else D(expected))

    @pytest.mark.parametrize(
        ("bar", "gap", "exact"),
        [
            ((9.0, 9.5, 8.8, 9.1), "9.0", "9.2"),
            ((11.0, 11.5, 10.8, 11), "11.0", "10.6"),
            ((11.0, 11.5, 9.0, 10), "9.2", "9.2"),
            ((10.0, 10.6, 9.9, 10), "10.6", "10.6"),
        ],
    )
    async def test_later_bars_fill_gaps_at_the_open_or_exactly(
        self, naive: Any, orders: Any, bar: Any, gap: str, exact: str
    ) -> None:
        for fill, expected in ((GapFill.GAP, gap), (GapFill.EXACT, exact)):
            naive.rules = replace(naive.rules, gap_fill=fill)
            naive.restart()
            naive.open_at(10.0)
            await naive.broker.submit_bracket(orders.bracket(stop="9.2", target="10.6"))
            naive.bar(10, 10.1, 9.9, 10)
            naive.open_at(bar[0])
            naive.bar(*bar)
            assert (await naive.broker.executions(0))[-1].price == D(expected)
            assert (await naive.broker.account()).positions == ()

    async def test_entry_bar_never_fills_at_its_open(self, held: Any) -> None:
        """Also when the bar's open is not the print that the entry got."""
        held.bar(9.0, 10, 8.9, 9.5)
        assert await self.exit_price(held) == D("9.2")

    async def test_legs_woken_by_a_bar_rest_when_the_next_bar_opens(
        self, naive: Any, orders: Any, ask: Any
    ) -> None:
        """Bars inside a session follow each other without a pause."""
        opening = naive.open_at(10.0)
        spec = orders.bracket(limit="9.5", stop="9.2", target="10.6")
        await naive.broker.submit_bracket(spec)
        first = naive.days.on(naive.session.day).open_us
        for n, (o, h, low, c) in enumerate([(10, 10, 9.4, 9.6), (9.0, 9.1, 8.9, 9.0)]):
            end = first + (n + 1) * 60_000_000
            bar = Bar(orders.instrument, o, h, low, c, 1e6, end - 60_000_000, end, Provenance.REPLAY)
            naive.deliver(MarketBatch(end, bars=(bar,), session=opening.session))
        assert await ask.states(naive, spec) == ("filled", "filled", "canceled")
        assert (await naive.broker.executions(0))[1].price == D("9.0")

    async def test_open_print_does_not_fill_resting_exits(self, held: Any) -> None:
        """A bar that opens above the target and falls through the stop is a stop."""
        held.bar(10, 10.1, 9.9, 10)
        held.open_at(11.0)
        assert await self.exit_price(held) is None
        held.bar(11, 11.2, 9.1, 9.5)
        assert await self.exit_price(held) == D("9.2")

    async def test_market_sale_at_the_close_gets_the_closing_price(self, held: Any, orders: Any) -> None:
        held.bar(10, 10.1, 9.9, 10.05)
        await held.broker.cancel(self.spec.stop.client_order_id)
        await held.broker.submit(orders.single(SELL, "100", tif=TimeInForce.CLS))
        fill = (await held.broker.executions(0))[-1]
        assert (fill.price, fill.quantity, fill.ts_event) == (D("10.05"), 100, held.clock.now_us())

    async def test_sale_at_the_close_without_a_bar_waits_for_the_next_close(
        self, held: Any, orders: Any, ask: Any
    ) -> None:
        await held.broker.cancel(self.spec.stop.client_order_id)
        batch = held.bar(10, 10.1, 9.9, 10)
        quiet = replace(batch, ts=batch.ts + 24 * 3_600_000_000, bars=())
        held.session = held.days.on(held.days.next_after(quiet.ts).day)
        held.deliver(quiet)
        sale = orders.single(SELL, "100", tif=TimeInForce.CLS)
        await held.broker.submit(sale)
        assert (await ask.one(held, sale)).state is OrderState.WORKING
        held.open_at(10.0)
        held.bar(10, 10, 10, 9.75)
        assert (await ask.one(held, sale)).state is OrderState.FILLED
        assert (await held.broker.executions(0))[-1].price == D("9.75")

    async def test_purchase_at_the_close_waits_for_the_next_session(
        self, held: Any, orders: Any, ask: Any
    ) -> None:
        held.bar(10, 10.1, 9.9, 10)
        late = orders.bracket(limit="10.05", tif=TimeInForce.GTC)
        await held.broker.submit_bracket(late)
        assert (await ask.one(held, late.entry)).state is OrderState.WORKING
        with pytest.raises(OrderRejected) as caught:
            await held.broker.submit(orders.single(BUY, "1"))
        assert caught.value.code == "no_market"
        held.open_at(10.2)
        held.bar(10.2, 10.3, 10.01, 10.1)
        assert (await ask.one(held, late.entry)).state is OrderState.FILLED


class TestBars:
    async def test_entry_inside_a_bar_meets_its_stop_but_not_an_earlier_high(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.open_at(10.0)
        high_first, both = orders.bracket(limit="9.80"), orders.bracket(limit="9.50", stop="9.40")
        for spec in (high_first, both):
            await on_bars.broker.submit_bracket(spec)
        on_bars.bar(10, 10.9, 9.39, 10.2)
        assert await ask.states(on_bars, high_first) == ("filled", "working", "working")
        assert await ask.states(on_bars, both) == ("filled", "filled", "canceled")

    async def test_entry_inside_a_bar_that_closes_beyond_its_target_is_sold(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.open_at(10.0)
        spec = orders.bracket(limit="9.80")
        await on_bars.broker.submit_bracket(spec)
        on_bars.bar(10, 10.9, 9.7, 10.7)
        assert await ask.states(on_bars, spec) == ("filled", "canceled", "filled")

    async def test_entry_at_the_open_of_a_bar_sees_its_high(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.open_at(10.0)
        spec = orders.bracket(limit="9.80", tif=TimeInForce.GTC)
        await on_bars.broker.submit_bracket(spec)
        on_bars.bar(10, 10, 9.9, 10)
        on_bars.open_at(9.7)
        on_bars.bar(9.7, 10.9, 9.6, 10.2)
        assert await ask.states(on_bars, spec) == ("filled", "canceled", "filled")
        assert [fill.price for fill in await on_bars.broker.executions(0)] == [D("9.7"), D("10.60")]

    async def test_volume_is_shared_by_all_orders_of_a_bar(self, on_bars: Any, orders: Any, ask: Any) -> None:
        on_bars.open_at(10.0)
        first, second = orders.bracket(), orders.bracket()
        for spec in (first, second):
            await on_bars.broker.submit_bracket(spec)
        on_bars.bar(10, 10, 9, 9.5, volume=1500)
        assert (await ask.one(on_bars, first.stop)).cum_filled == 100
        assert (await ask.one(on_bars, second.stop)).cum_filled == 50

    async def test_volume_of_the_closing_bar_bounds_sales_at_the_close_also_after_a_restart(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "100", limit="10"))
        on_bars.bar(10, 10, 10, 10, volume=600)
        on_bars.restart()
        sale = orders.single(SELL, "100", tif=TimeInForce.CLS)
        await on_bars.broker.submit(sale)
        assert (await ask.one(on_bars, sale)).cum_filled == 60

    async def test_rest_of_an_order_at_the_close_expires(self, on_bars: Any, orders: Any, ask: Any) -> None:
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "100", limit="10"))
        sale = orders.single(SELL, "100", tif=TimeInForce.CLS)
        await on_bars.broker.submit(sale)
        on_bars.bar(10, 10, 10, 10, volume=600)
        found = await ask.one(on_bars, sale)
        assert (found.state, found.cum_filled) == (OrderState.EXPIRED, 60)

    async def test_bar_that_is_not_final_matches_nothing(self, on_bars: Any, orders: Any, ask: Any) -> None:
        batch = on_bars.open_at(10.0)
        spec = orders.bracket()
        await on_bars.broker.submit_bracket(spec)
        done = on_bars.bar(10, 10, 9, 10)
        assert await ask.states(on_bars, spec) == ("filled", "filled", "canceled")
        on_bars.open_at(10.0)
        again = orders.bracket()
        await on_bars.broker.submit_bracket(again)
        ts = on_bars.clock.now_us() + 1
        bar = replace(done.bars[0], ts_open=ts - 1, ts_close=ts, is_final=False)
        on_bars.deliver(replace(batch, ts=ts, phase=None, trades=(), quotes=(), bars=(bar,)))
        assert await ask.states(on_bars, again) == ("filled", "working", "working")

    async def test_market_purchase_waits_for_a_price_and_then_the_whole_bar_counts(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.open_at(10.0)
        spec = orders.bracket(limit=None)
        await on_bars.broker.submit_bracket(spec)
        assert await ask.states(on_bars, spec) == ("filled", "working", "working")
        on_bars.bar(10, 10.7, 9.9, 10)
        assert await ask.states(on_bars, spec) == ("filled", "canceled", "filled")

    async def test_market_orders_without_a_print_execute_at_the_open_of_a_bar(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "10", limit="10"))
        batch = on_bars.bar(10, 10, 10, 10)
        halted = replace(batch, ts=batch.ts + 1, phase=SessionPhase.OPEN, bars=())
        on_bars.deliver(halted)
        sale = orders.single(SELL, "10")
        await on_bars.broker.submit(sale)
        assert (await ask.one(on_bars, sale)).state is OrderState.WORKING
        on_bars.bar(10.2, 10.4, 10, 10.3)
        assert (await on_bars.broker.executions(0))[-1].price == D("10.2")

    async def test_volume_of_the_last_bar_bounds_a_purchase_at_market(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        """Bars inside a session: the rest is bought at the next bar's open, whose range its exits see."""
        opening = on_bars.open_at(10.0)
        first, spec = opening.ts, orders.bracket(limit=None)
        walked = [(10, 10, 10, 10, 400.0), (10.1, 10.3, 10, 10.2, 1e6), (9.4, 9.5, 9.0, 9.3, 1e6)]
        for n, (o, h, low, c, volume) in enumerate(walked):
            end = first + (n + 1) * 60_000_000
            bar = Bar(orders.instrument, o, h, low, c, volume, end - 60_000_000, end, Provenance.REPLAY)
            on_bars.deliver(MarketBatch(end, bars=(bar,), session=opening.session))
            if n == 0:
                await on_bars.broker.submit_bracket(spec)
                assert (await ask.one(on_bars, spec.entry)).cum_filled == 40
                power = (await on_bars.broker.account()).buying_power
                assert power == 10_000 - 400 - 600
        assert [fill.price for fill in await on_bars.broker.executions(0)] == [D("10.0"), D("10.1"), D("9.2")]

    async def test_single_stop_and_single_limit_sell_on_bars(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "20", limit="10"))
        stop, limit = orders.single(SELL, "10", stop="9.50"), orders.single(SELL, "10", limit="10.50")
        for spec in (stop, limit):
            await on_bars.broker.submit(spec)
        on_bars.bar(10, 10.6, 9.6, 10)
        assert (await ask.one(on_bars, limit)).state is OrderState.FILLED
        on_bars.open_at(9.4)
        on_bars.bar(9.4, 9.6, 9.3, 9.5)
        assert (await ask.one(on_bars, stop)).state is OrderState.FILLED
        assert (await on_bars.broker.executions(0))[-1].price == D("9.4")


class TestQuotes:
    @pytest.fixture
    async def held(self, on_quotes: Any, orders: Any) -> Any:
        on_quotes.open_at(10.0)
        self.spec = orders.bracket()
        await on_quotes.broker.submit_bracket(self.spec)
        return on_quotes

    async def test_bid_at_the_stop_sells_at_the_bid(self, held: Any, ask: Any) -> None:
        held.tick(9.15, 9.25)
        assert await ask.states(held, self.spec) == ("filled", "filled", "canceled")
        assert (await held.broker.executions(0))[1].price == D("9.15")

    async def test_print_at_the_stop_sells_at_the_worse_of_print_and_bid(self, held: Any) -> None:
        held.tick(9.3, 9.4)
        held.tick(None, None, last=9.2)
        assert (await held.broker.executions(0))[1].price == D("9.2")

    async def test_bid_at_the_target_fills_it_at_its_price(self, held: Any) -> None:
        held.tick(10.62, 10.64)
        assert (await held.broker.executions(0))[1].price == D("10.60")

    async def test_print_at_the_target_fills_only_when_through_it(self, held: Any) -> None:
        held.tick(None, None, last=10.60)
        assert len(await held.broker.executions(0)) == 1
        held.tick(None, None, last=10.61)
        assert (await held.broker.executions(0))[1].price == D("10.60")

    async def test_opening_print_beyond_the_target_is_the_price(self, held: Any) -> None:
        held.close(10.0)
        held.open_at(11.0)
        assert (await held.broker.executions(0))[1].price == D("11.0")

    async def test_bars_match_nothing(self, held: Any) -> None:
        held.bar(10, 11, 9, 10)
        assert len(await held.broker.executions(0)) == 1

    async def test_quotes_outside_the_session_match_nothing(self, held: Any, ask: Any) -> None:
        held.close(10.0)
        held.tick(9.0, 9.1, last=9.0)
        assert await ask.states(held, self.spec) == ("filled", "working", "working")
        held.open_at(9.0)
        assert await ask.states(held, self.spec) == ("filled", "filled", "canceled")

    async def test_missing_side_matches_nothing(self, held: Any, orders: Any, ask: Any) -> None:
        held.tick(None, 9.0)
        assert await ask.states(held, self.spec) == ("filled", "working", "working")
        await held.broker.cancel(self.spec.stop.client_order_id)
        sale = orders.single(SELL, "100")
        await held.broker.submit(sale)
        assert (await ask.one(held, sale)).state is OrderState.WORKING
        held.tick(9.5, None)
        assert (await ask.one(held, sale)).state is OrderState.FILLED

    async def test_sleeping_exits_sell_nothing_of_another_position(
        self, held: Any, orders: Any, ask: Any
    ) -> None:
        await held.broker.cancel(self.spec.stop.client_order_id)
        held.tick(9.3, 9.7)
        spec = orders.bracket(limit="9.50", stop="9.40")
        await held.broker.submit_bracket(spec)
        assert await ask.states(held, spec) == ("working", "working", "working")
        held.tick(9.2, 9.6)
        assert await ask.states(held, spec) == ("working", "working", "working")
        assert await ask.position(held) == 100

    async def test_resting_purchase_fills_at_its_limit(self, held: Any, orders: Any) -> None:
        await held.broker.submit(orders.single(BUY, "5", limit="9.80"))
        held.tick(9.5, 9.6)
        assert (await held.broker.executions(0))[-1].price == D("9.80")

    async def test_purchase_beyond_the_offer_fills_at_the_offer(self, on_quotes: Any, orders: Any) -> None:
        on_quotes.open_at(10.0)
        on_quotes.tick(9.98, 10.02)
        await on_quotes.broker.submit(orders.single(BUY, "5", limit="10.10"))
        assert (await on_quotes.broker.executions(0))[0].price == D("10.02")

    async def test_stop_that_arrives_below_the_market_sells_at_once(
        self, held: Any, orders: Any, ask: Any
    ) -> None:
        await held.broker.cancel(self.spec.stop.client_order_id)
        held.tick(9.0, 9.1)
        pair = orders.exits()
        await held.broker.submit_bracket(pair)
        assert await ask.states(held, pair) == ("filled", "canceled")
        assert (await held.broker.executions(0))[-1].price == D("9.0")

    async def test_sale_at_the_close_without_a_print_expires(self, held: Any, orders: Any, ask: Any) -> None:
        await held.broker.cancel(self.spec.stop.client_order_id)
        sale = orders.single(SELL, "100", tif=TimeInForce.CLS)
        await held.broker.submit(sale)
        close = MarketBatch(held.session.close_us, session=held.session.day, phase=SessionPhase.CLOSE)
        held.deliver(close)
        found = await ask.one(held, sale)
        assert (found.state, found.reason) == (OrderState.EXPIRED, "no closing print")

    async def test_day_order_of_a_session_whose_close_was_missed_ends_first(
        self, held: Any, orders: Any, ask: Any
    ) -> None:
        resting = orders.single(BUY, "1", limit="9.80", tif=TimeInForce.DAY)
        await held.broker.submit(resting)
        held.session = held.days.on(held.session.day + timedelta(days=1))
        held.open_at(9.7)
        found = await ask.one(held, resting)
        assert (found.state, found.cum_filled) == (OrderState.EXPIRED, 0)


class TestCorporateActions:
    @pytest.fixture
    async def held(self, on_bars: Any, orders: Any) -> Any:
        """105 bought at 10; one session later."""
        on_bars.open_at(10.0)
        self.spec = orders.bracket(quantity="105")
        await on_bars.broker.submit_bracket(self.spec)
        on_bars.bar(10, 10, 10, 10)
        return on_bars

    async def test_split_divides_the_shares_and_cancels_the_orders(self, held: Any, ask: Any) -> None:
        held.act(SPLIT, 0.5, 10.0, 5.0)
        account = await held.broker.account()
        position = account.positions[0]
        assert (position.quantity, position.average_price) == (210, 5)
        assert account.cash == 10_000 - 1050
        assert account.equity == 10_000
        assert await ask.states(held, self.spec) == ("filled", "canceled", "canceled")
        assert "corporate action: split 0.5" in (await ask.one(held, self.spec.stop)).reason

    async def test_reverse_split_pays_the_fraction(self, held: Any) -> None:
        held.act(SPLIT, 10.0, 10.0, 100.0)
        account = await held.broker.account()
        assert account.positions[0].quantity == 10
        assert account.cash == 10_000 - 1050 + 50
        assert account.equity == 10_000

    async def test_reverse_split_to_nothing_ends_the_position(self, held: Any) -> None:
        held.act(SPLIT, 200.0, 10.0, 2000.0)
        account = await held.broker.account()
        assert account.positions == ()
        assert account.cash == 10_000

    async def test_dividend_pays_cash_and_cancels_the_orders(self, held: Any, ask: Any) -> None:
        held.act(DIVIDEND, 0.98, 10.0, 9.8)
        account = await held.broker.account()
        assert account.cash == D(10_000 - 1050) + D("21.00")
        assert account.positions[0].quantity == 105
        assert await ask.states(held, self.spec) == ("filled", "canceled", "canceled")

    async def test_same_action_in_a_later_batch_is_applied_once(self, held: Any) -> None:
        batch = held.act(SPLIT, 0.5, 10.0, 5.0)
        held.restart()
        held.deliver(replace(batch, ts=batch.ts + 1, phase=None))
        assert (await held.broker.account()).positions[0].quantity == 210

    async def test_sleeping_and_resting_orders_are_canceled_without_a_position(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.open_at(10.0)
        spec = orders.bracket(limit="9.50", tif=TimeInForce.GTC)
        await on_bars.broker.submit_bracket(spec)
        on_bars.bar(10, 10, 10, 10)
        on_bars.act(SPLIT, 0.5, 10.0, 5.0)
        assert await ask.states(on_bars, spec) == ("canceled", "canceled", "canceled")
        assert (await on_bars.broker.account()).cash == 10_000

    async def test_exits_placed_anew_at_the_open_get_the_gap_of_that_bar(
        self, held: Any, orders: Any, ask: Any
    ) -> None:
        held.act(SPLIT, 0.5, 10.0, 4.0)
        pair = orders.exits(quantity="210", stop="4.60", target="5.30")
        await held.broker.submit_bracket(pair)
        assert await ask.states(held, pair) == ("working", "working")
        held.bar(4.0, 4.2, 3.9, 4.1)
        assert await ask.states(held, pair) == ("filled", "canceled")
        assert (await held.broker.executions(0))[-1].price == D("4.0")

    async def test_lot_of_the_instrument_decides_the_fraction(self, on_bars: Any, orders: Any) -> None:
        on_bars.instruments = {orders.instrument: Instrument(orders.instrument, lot_size=D("0.1"))}
        on_bars.restart()
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "10.5", limit="10"))
        on_bars.bar(10, 10, 10, 10)
        on_bars.act(SPLIT, 3.0, 10.0, 30.0)
        assert (await on_bars.broker.account()).positions[0].quantity == D("3.5")
