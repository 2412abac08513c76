"""The paper venue's money and its memory: fees, slippage, the account equation, restarts and redelivery."""

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from brokers.paper.broker import PaperBroker
from engine.errors import ConfigError, OrderRejected, StorageError
from engine.execution.fees import UsEquityFees
from engine.execution.matching import Liquidity, SlippageModel
from engine.model.market import CorporateActionKind
from engine.model.orders import OrderSide, OrderState, TimeInForce
from engine.model.positions import AccountKind

BUY, SELL = OrderSide.BUY, OrderSide.SELL


async def reconciles(venue: Any, paid: D = D(0)) -> None:
    """Cash and positions follow from the executions alone."""
    fills = await venue.broker.executions(0)
    account = await venue.broker.account()
    cash = D(10_000) + paid - sum(f.side.sign * f.quantity * f.price + f.fee for f in fills)
    assert account.cash == cash
    assert sum(p.quantity for p in account.positions) == sum(f.side.sign * f.quantity for f in fills)


class TestCosts:
    async def test_sale_pays_the_fees_of_its_day_to_the_cent(self, on_bars: Any, orders: Any) -> None:
        on_bars.rules = replace(on_bars.rules, fees=UsEquityFees())
        on_bars.restart()
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "500", limit="10"))
        await on_bars.broker.submit(orders.single(SELL, "500", tif=TimeInForce.DAY))
        buy, sale = await on_bars.broker.executions(0)
        # 5,000 USD x 18.40 / million = 0.092 -> 0.10; 500 x 0.000119 = 0.0595 -> 0.06
        assert (buy.fee, sale.fee) == (D(0), D("0.16"))
        assert (await on_bars.broker.account()).cash == D("9999.84")

    async def test_taker_pays_half_the_assumed_spread_and_the_impact(self, on_bars: Any, orders: Any) -> None:
        on_bars.rules = replace(on_bars.rules, slippage=SlippageModel(spread_bps=10.0))
        on_bars.liquidity = lambda instrument: Liquidity(adv_usd=1e6, sigma_daily=0.04)
        on_bars.restart()
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "100", limit="10.50"))
        # 5 bps + 0.7 x 0.04 x sqrt(1,000 / 1,000,000) = 0.00138544 -> 10.0138544 -> next cent
        assert (await on_bars.broker.executions(0))[0].price == D("10.02")
        await on_bars.broker.submit(orders.single(SELL, "100"))
        assert (await on_bars.broker.executions(0))[1].price == D("9.98")

    async def test_slippage_never_passes_the_limit(self, on_bars: Any, orders: Any) -> None:
        on_bars.rules = replace(on_bars.rules, slippage=SlippageModel(spread_bps=200.0))
        on_bars.restart()
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "100", limit="10.03"))
        assert (await on_bars.broker.executions(0))[0].price == D("10.03")

    async def test_shown_spread_is_not_charged_twice(self, on_quotes: Any, orders: Any) -> None:
        on_quotes.rules = replace(on_quotes.rules, slippage=SlippageModel(spread_bps=200.0))
        on_quotes.restart()
        on_quotes.open_at(10.0)
        on_quotes.tick(9.99, 10.01)
        await on_quotes.broker.submit(orders.single(BUY, "100", limit="11"))
        assert (await on_quotes.broker.executions(0))[0].price == D("10.01")

    async def test_a_stop_that_a_print_reached_is_not_charged_a_spread_that_the_bid_shows(
        self, on_quotes: Any, orders: Any
    ) -> None:
        on_quotes.rules = replace(on_quotes.rules, slippage=SlippageModel(spread_bps=200.0))
        on_quotes.restart()
        on_quotes.open_at(10.0)
        await on_quotes.broker.submit_bracket(orders.bracket())
        on_quotes.tick(9.25, 9.27, last=9.20)
        assert (await on_quotes.broker.executions(0))[1].price == D("9.20")

    async def test_stop_slips_and_target_does_not(self, on_bars: Any, orders: Any) -> None:
        on_bars.rules = replace(on_bars.rules, slippage=SlippageModel(spread_bps=100.0))
        on_bars.restart()
        on_bars.open_at(10.0)
        stopped, reached = orders.bracket(), orders.bracket(stop="8.00")
        for spec in (stopped, reached):
            await on_bars.broker.submit_bracket(spec)
        on_bars.bar(10, 10, 9, 10)
        on_bars.open_at(10.0)
        on_bars.bar(10, 11, 10, 10)
        sold = [fill.price for fill in await on_bars.broker.executions(0)][2:]
        assert sold == [D("9.15"), D("10.60")]


class TestAccount:
    async def test_working_purchases_reserve_buying_power(self, venue: Any, orders: Any) -> None:
        spec = orders.bracket(limit="9.50")
        await venue.broker.submit_bracket(spec)
        account = await venue.broker.account()
        assert (account.cash, account.buying_power, account.equity) == (10_000, 9_050, 10_000)
        with pytest.raises(OrderRejected, match="buying power is 9050"):
            await venue.broker.submit(orders.single(BUY, "953", limit="9.50"))
        await venue.broker.cancel(spec.entry.client_order_id)
        assert (await venue.broker.account()).buying_power == 10_000

    async def test_market_purchase_needs_buying_power_too(self, venue: Any, orders: Any) -> None:
        with pytest.raises(OrderRejected, match="buying power"):
            await venue.broker.submit(orders.single(BUY, "1001"))
        await venue.broker.submit(orders.single(BUY, "1000"))
        assert (await venue.broker.account()).cash == 0

    async def test_without_the_check_cash_may_go_below_zero(self, on_bars: Any, orders: Any) -> None:
        on_bars.check_buying_power = False
        on_bars.restart()
        on_bars.open_at(10.0)
        await on_bars.broker.submit_bracket(orders.bracket(quantity="5000"))
        await on_bars.broker.submit(orders.single(BUY, "1"))
        assert (await on_bars.broker.account()).cash == -40_010

    async def test_positions_are_averaged_and_marked(self, venue: Any, orders: Any) -> None:
        await venue.broker.submit(orders.single(BUY, "10", limit="10"))
        venue.close(10.0)
        venue.open_at(11.0)
        await venue.broker.submit(orders.single(BUY, "30", limit="11"))
        venue.close(12.0)
        account = await venue.broker.account()
        assert account.positions[0].average_price == D("10.75")
        assert account.equity == 10_000 - 430 + 480
        assert (account.account, account.kind, account.currency) == ("paper", AccountKind.PAPER, "USD")

    async def test_everything_reconciles_with_the_executions(self, venue: Any, orders: Any) -> None:
        await venue.broker.submit_bracket(orders.bracket())
        await venue.broker.submit_bracket(orders.bracket("37", limit="10", stop="9.50"))
        await reconciles(venue)
        venue.move_to(9.4)
        await reconciles(venue)
        venue.move_to(10.7)
        await reconciles(venue)
        assert len(await venue.broker.executions(0)) == 4

    async def test_dividends_and_cash_in_lieu_reconcile(self, on_bars: Any, orders: Any) -> None:
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "105", limit="10"))
        on_bars.bar(10, 10, 10, 10)
        on_bars.act(CorporateActionKind.DIVIDEND, 0.987, 10.0, 9.87)
        await reconciles(on_bars, paid=D("13.65"))

    async def test_without_holding_the_position_still_bounds_what_is_sold(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.holds = False
        on_bars.restart()
        on_bars.open_at(10.0)
        spec, stop = orders.bracket(), orders.single(SELL, "80", stop="9.50")
        await on_bars.broker.submit_bracket(spec)
        await on_bars.broker.submit(stop)
        on_bars.bar(10, 10, 9, 9.5)
        assert await ask.position(on_bars) == 0
        assert await ask.states(on_bars, spec) == ("filled", "filled", "canceled")
        found = await ask.one(on_bars, stop)
        assert (found.state, found.cum_filled) == (OrderState.CANCELED, 0)
        assert "nothing left to sell" in found.reason

    async def test_without_holding_the_last_sale_is_cut_to_the_position(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.holds = False
        on_bars.restart()
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "100", limit="10"))
        first, second = orders.single(SELL, "80", stop="9.50"), orders.single(SELL, "80", stop="9.40")
        for spec in (first, second):
            await on_bars.broker.submit(spec)
        on_bars.bar(10, 10, 9, 9.5)
        found = await ask.one(on_bars, second)
        assert (found.state, found.cum_filled) == (OrderState.CANCELED, 20)

    async def test_legs_wake_for_what_other_exits_leave_free(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.open_at(10.0)
        spec = orders.bracket(limit="9.80", tif=TimeInForce.GTC)
        await on_bars.broker.submit_bracket(spec)
        on_bars.bar(9.9, 9.9, 9.7, 9.8, volume=400)
        await on_bars.broker.submit(orders.single(SELL, "40", stop="9.00"))
        on_bars.open_at(9.85)
        on_bars.bar(9.85, 9.9, 9.7, 9.8)
        assert await ask.states(on_bars, spec) == ("filled", "working", "working")
        assert (await ask.one(on_bars, spec.stop)).quantity == 60

    async def test_live_account_is_refused(self, on_bars: Any) -> None:
        with pytest.raises(ValueError, match="live"):
            PaperBroker("x", AccountKind.LIVE, on_bars.store, on_bars.clock, on_bars.days, initial_cash=D(1))

    async def test_position_bought_anew_does_not_keep_an_old_mark(self, on_bars: Any, orders: Any) -> None:
        for restart in (False, True):
            on_bars.open_at(10.0)
            await on_bars.broker.submit(orders.single(BUY, "10", limit="10"))
            on_bars.bar(12, 12, 12, 12)
            await on_bars.broker.submit(orders.single(SELL, "10"))
            if restart:
                on_bars.restart()
            on_bars.open_at(10.0)
            account = await on_bars.broker.account()
            await on_bars.broker.submit(orders.single(BUY, "10", limit="10"))
            assert (await on_bars.broker.account()).equity == account.cash
            on_bars.bar(10, 10, 10, 10)
            await on_bars.broker.submit(orders.single(SELL, "10"))

    async def test_mark_follows_a_split_of_an_instrument_without_a_price(
        self, on_bars: Any, orders: Any
    ) -> None:
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "105", limit="10"))
        on_bars.bar(12, 12, 12, 12)
        halted = replace(on_bars.act(CorporateActionKind.SPLIT, 0.5, 12.0, 6.0), trades=(), quotes=())
        on_bars.last = None
        assert (await on_bars.broker.account()).equity == 10_000 + 210
        fresh = type(on_bars)(on_bars.rules)
        fresh.open_at(10.0)
        await fresh.broker.submit(orders.single(BUY, "105", limit="10"))
        fresh.bar(12, 12, 12, 12)
        fresh.deliver(halted)
        assert (await fresh.broker.account()).equity == 10_000 + 210


class TestStore:
    async def test_every_acknowledgement_is_one_put(self, on_bars: Any, orders: Any) -> None:
        on_bars.open_at(10.0)
        for step in (
            lambda: on_bars.broker.submit_bracket(orders.bracket()),
            lambda: on_bars.broker.submit(orders.single(BUY, "1", limit="9.50")),
        ):
            before = on_bars.store.puts
            await step()
            assert on_bars.store.puts == before + 1
        before = on_bars.store.puts
        on_bars.bar(10, 11, 9, 10)
        assert on_bars.store.puts == before + 1

    async def test_quiet_quotes_are_not_written(self, on_quotes: Any, orders: Any) -> None:
        on_quotes.open_at(10.0)
        await on_quotes.broker.submit_bracket(orders.bracket())
        before = on_quotes.store.puts
        for price in (10.1, 10.2, 10.3):
            on_quotes.tick(price, price)
        assert on_quotes.store.puts == before

    async def test_only_changed_records_are_written(self, on_bars: Any, orders: Any) -> None:
        on_bars.open_at(10.0)
        for _ in range(3):
            await on_bars.broker.submit_bracket(orders.bracket("10"))
        written: list[set[str]] = []
        put = on_bars.store.put
        on_bars.store.put = lambda changed: (written.append(set(changed)), put(changed))
        await on_bars.broker.submit(orders.single(BUY, "1", limit="9.50"))
        assert {key.partition("/")[0] for key in written[0]} == {"order", "account", "market"}
        assert sum(key.startswith("order/") for key in written[0]) == 1

    async def test_amounts_are_written_as_text(self, on_bars: Any, orders: Any) -> None:
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "3", limit="10"))
        assert '"cash":"9970.0"' in on_bars.store.records["account"]
        assert '"price":"10.0"' in on_bars.store.records["fill/F00000001"]

    async def test_batch_that_cannot_be_stored_has_not_happened(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.open_at(10.0)
        spec = orders.bracket()
        await on_bars.broker.submit_bracket(spec)
        stream = on_bars.broker.updates()
        on_bars.store.fail_before = True
        with pytest.raises(StorageError, match="disk full"):
            on_bars.bar(10, 10, 9, 10)
        on_bars.store.fail_before = False
        assert await ask.states(on_bars, spec) == ("filled", "working", "working")
        on_bars.broker.disconnect()
        assert await ask.rest(stream) == []
        on_bars.session = on_bars.days.on(on_bars.days.next_after(on_bars.clock.now_us() - 1).day)
        on_bars.bar(10, 10, 9, 10)
        assert await ask.states(on_bars, spec) == ("filled", "filled", "canceled")

    async def test_store_of_another_account_is_refused(self, on_bars: Any, orders: Any) -> None:
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "3", limit="10"))
        with pytest.raises(ConfigError, match="account paper in USD"):
            PaperBroker(
                "other", AccountKind.PAPER, on_bars.store, on_bars.clock, on_bars.days, initial_cash=D(1)
            )

    @pytest.mark.parametrize("text", ["{", '{"cash": 1}', '{"instrument":"ABC.US","quantity":"x"}'])
    async def test_damaged_record_is_named(self, on_bars: Any, text: str) -> None:
        on_bars.store.records["position/ABC.US"] = text
        with pytest.raises(StorageError, match=r"'position/ABC\.US' cannot be read"):
            on_bars.restart()


class TestRedelivery:
    async def test_batch_seen_before_a_crash_executes_nothing_again(
        self, venue: Any, orders: Any, ask: Any, need: Any
    ) -> None:
        need(venue, "bars")
        spec = orders.bracket()
        await venue.broker.submit_bracket(spec)
        batch = venue.bar(10, 10, 9, 9.5)
        before = await venue.broker.executions(0), await venue.broker.account()
        venue.restart()
        venue.broker.on_market(batch)
        assert (await venue.broker.executions(0), await venue.broker.account()) == before

    async def test_order_placed_after_the_crash_is_not_matched_on_the_bar_before_it(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "100", limit="10"))
        batch = on_bars.bar(10, 10, 9, 9.5)
        on_bars.restart()
        pair = orders.exits()
        await on_bars.broker.submit_bracket(pair)
        on_bars.broker.on_market(batch)
        assert await ask.states(on_bars, pair) == ("working", "working")
        on_bars.open_at(9.1)
        on_bars.bar(9.1, 9.3, 9.0, 9.2)
        assert await ask.states(on_bars, pair) == ("filled", "canceled")
        assert (await on_bars.broker.executions(0))[-1].price == D("9.1")

    async def test_entry_after_a_restart_still_gets_the_open_print(self, on_bars: Any, orders: Any) -> None:
        on_bars.open_at(10.0)
        on_bars.last = None
        on_bars.restart()
        await on_bars.broker.submit_bracket(orders.bracket())
        assert (await on_bars.broker.executions(0))[0].price == D("10.0")

    async def test_time_exit_after_a_restart_still_gets_the_closing_print(
        self, on_bars: Any, orders: Any
    ) -> None:
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "100", limit="10"))
        on_bars.bar(10, 10, 9, 9.75)
        on_bars.last = None
        on_bars.restart()
        await on_bars.broker.submit(orders.single(SELL, "100", tif=TimeInForce.CLS))
        assert (await on_bars.broker.executions(0))[-1].price == D("9.75")

    async def test_split_seen_before_a_crash_is_not_applied_again(self, on_bars: Any, orders: Any) -> None:
        on_bars.open_at(10.0)
        await on_bars.broker.submit(orders.single(BUY, "100", limit="10"))
        on_bars.bar(10, 10, 10, 10)
        batch = on_bars.act(CorporateActionKind.SPLIT, 0.5, 10.0, 5.0)
        on_bars.restart()
        on_bars.broker.on_market(batch)
        assert (await on_bars.broker.account()).positions[0].quantity == 200

    async def test_bar_of_before_an_order_came_does_not_match_it(
        self, on_bars: Any, orders: Any, ask: Any
    ) -> None:
        on_bars.open_at(10.0)
        batch = on_bars.bar(10, 10, 9, 9.5)
        on_bars.open_at(10.0)
        spec = orders.bracket()
        await on_bars.broker.submit_bracket(spec)
        on_bars.deliver(replace(batch, ts=on_bars.clock.now_us() + 1, phase=None))
        assert await ask.states(on_bars, spec) == ("filled", "working", "working")

    async def test_late_batch_does_not_put_an_execution_before_an_earlier_one(
        self, on_quotes: Any, orders: Any
    ) -> None:
        batch = on_quotes.open_at(10.0)
        now = on_quotes.clock.now_us() + 10_000_000
        on_quotes.clock.advance_to(now)
        await on_quotes.broker.submit_bracket(orders.bracket())
        late = replace(batch, ts=now - 5_000_000, phase=None, quotes=(), trades=())
        on_quotes.broker.on_market(replace(late, quotes=(on_quotes.quote(9.0, 9.1, late.ts),)))
        fills = await on_quotes.broker.executions(0)
        assert [fill.ts_event for fill in fills] == [now, now]
        assert await on_quotes.broker.executions(now) == fills

    async def test_old_quotes_do_not_serve_a_new_session(self, on_bars: Any, orders: Any, ask: Any) -> None:
        batch = on_bars.open_at(10.0)
        on_bars.bar(10, 10, 10, 10)
        ts = on_bars.session.open_us
        empty = replace(batch, ts=ts, session=on_bars.session.day, trades=(), quotes=())
        on_bars.deliver(empty)
        spec = orders.bracket()
        await on_bars.broker.submit_bracket(spec)
        assert (await ask.one(on_bars, spec.entry)).state is OrderState.WORKING
