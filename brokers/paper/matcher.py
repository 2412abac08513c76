"""How the paper venue walks a market batch through its book, and matches an order that arrives (SPEC 9.8).

Order inside a batch: day orders of a session that is over end; corporate actions; bars; prints and quotes;
the closing print; orders whose session ended at this instant.

A corporate action cancels every order of its instrument: a price or quantity from before it would execute
wrongly after it, and the engine restates and places anew (SPEC 3.9b). A cancel that the engine sends as well
finds them canceled, which is no error.

Between batches the market stands still: an order is matched against the quotes of the open session, and from
a session's close to the next open a sale at market against that session's closing print. Purchases wait for
the next open, because a signal at the close buys no earlier (SPEC 9.5). Quotes and prints carry no sizes
here, so `max_volume_share` binds on bars only.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from brokers.paper.book import Book
from brokers.paper.records import BookOrder, Holding, Place
from engine.clock import US_PER_S
from engine.execution.matching import (
    BarPrices,
    Coverage,
    GapFill,
    Leg,
    Liquidity,
    MatchRules,
    Resting,
    bar_budget,
    bar_prices,
    coverage_after_entry,
    coverage_of,
    exit_on_bar,
    limit_is_crossed,
    limit_is_traded_through,
    limit_on_bar,
    split_shares,
    stop_is_reached,
    stop_on_bar,
    taker_price,
)
from engine.model.ids import InstrumentId
from engine.model.market import (
    Bar,
    CorporateAction,
    CorporateActionKind,
    Instrument,
    MarketBatch,
    Quote,
    Session,
    SessionPhase,
    Trade,
)
from engine.model.orders import OrderSide, OrderState, OrderType
from engine.money import ZERO, round_cents, to_decimal
from engine.ports import Sessions

NOTHING_LEFT = "reduce only: nothing left to sell"
LiquidityOf = Callable[[InstrumentId], Liquidity | None]


class Matcher:
    """Applies the rules to a book. It owns no state but the session it last looked up and a bar's budgets."""

    def __init__(
        self,
        rules: MatchRules,
        instruments: Mapping[InstrumentId, Instrument],
        sessions: Sessions,
        liquidity: LiquidityOf,
        holds: bool,
    ) -> None:
        self.rules = rules
        self._instruments = instruments
        self._sessions = sessions
        self._liquidity = liquidity
        self._holds = holds
        self._session: Session | None = None
        self._volumes: Mapping[InstrumentId, float] = {}
        self._taken: dict[InstrumentId, Decimal] = {}

    def instrument(self, instrument: InstrumentId) -> Instrument:
        """What is known of it; unknown: prices unrounded, whole units."""
        return self._instruments.get(instrument) or Instrument(instrument)

    def resume(self, book: Book) -> None:
        """After a restart the closing bars still bound what arrives before the next open."""
        if self.on_bars:
            self._volumes = {name: volume for name, (_, volume) in book.prices.closes.items()}
        self._taken = {}

    @property
    def on_bars(self) -> bool:
        """Resting orders are matched against whole bars."""
        return self.rules.resting is Resting.BARS

    def session_end(self, now: int) -> int | None:
        """Close of the session that a DAY or CLS order given now belongs to."""
        session = self._sessions.next_after(now)
        return None if session is None else session.close_us

    def is_open(self, book: Book, now: int) -> bool:
        """Orders execute now. Under bars: from a session's opening batch to its closing one."""
        if self.on_bars:
            return book.market.phase is not SessionPhase.CLOSE
        if self._session is None or now >= self._session.close_us:
            self._session = self._sessions.next_after(now)
        return self._session is not None and self._session.open_us <= now < self._session.close_us

    def on_batch(self, book: Book, batch: MarketBatch) -> None:
        """Match a batch once. One that was seen before, as after a crash, changes nothing but quotes."""
        phase = batch.phase or ""
        if batch.ts <= book.market.seen.get(phase, -1):
            if batch.ts == book.market.ts:
                self._take_prices(book, batch)
            return
        _expire(book, batch.ts - 1)
        for action in batch.actions:
            self._adjust(book, action)
        book.market.ts, book.market.phase, book.market.session = batch.ts, batch.phase, batch.session
        book.market.seen[phase] = batch.ts
        self._taken = {}
        bars = {bar.instrument: bar for bar in batch.bars if bar.is_final}
        if self.on_bars:
            self._volumes = {name: bar.volume for name, bar in bars.items()}
            for instrument in [instrument for instrument in book.live if instrument in bars]:
                self._match_bar(book, bars[instrument], batch.ts)
        self._take_prices(book, batch)
        self._match_prints(book, batch)
        if batch.phase is SessionPhase.CLOSE:
            self._match_close(book, batch.ts)
        _expire(book, batch.ts)
        self._mark(book, bars, batch)
        if self.on_bars:
            book.prices_changed()

    def _take_prices(self, book: Book, batch: MarketBatch) -> None:
        """Quotes of another session never serve this one."""
        prices = book.prices
        if batch.phase is not None:
            prices.quotes.clear()
            prices.closes.clear()
        if batch.phase is SessionPhase.CLOSE:
            prices.closes = {bar.instrument: (bar.close, bar.volume) for bar in batch.bars if bar.is_final}
            return
        for trade in batch.trades:
            if trade.is_open and self.on_bars:
                prices.quotes[trade.instrument] = (trade.price, trade.price)
        for quote in batch.quotes:
            prices.quotes[quote.instrument] = (quote.bid, quote.ask)

    def _mark(self, book: Book, bars: Mapping[InstrumentId, Bar], batch: MarketBatch) -> None:
        """The last price of what is held: mid of a quote, print, or close."""
        if not book.positions:
            return
        seen: dict[InstrumentId, float] = {name: bar.close for name, bar in bars.items()}
        seen.update((trade.instrument, trade.price) for trade in batch.trades)
        for quote in batch.quotes:
            if quote.mid is not None:
                seen[quote.instrument] = quote.mid
        for instrument in book.positions:
            if instrument in seen:
                book.marks[instrument] = to_decimal(seen[instrument])
        book.marks_changed()

    def _adjust(self, book: Book, action: CorporateAction) -> None:
        instrument = action.instrument
        if not book.is_new_action(action):
            return
        for order in list(book.live.get(instrument, {}).values()):
            if not order.state.is_terminal:
                book.end(order, OrderState.CANCELED, f"corporate action: {action.kind} {action.ratio:g}")
        held = book.positions.get(instrument)
        if held is None:
            return
        ratio, prior_close = to_decimal(action.ratio), to_decimal(action.prior_close)
        if action.kind is CorporateActionKind.DIVIDEND:
            book.pay(round_cents(held.quantity * prior_close * (1 - ratio)))
            return
        lot = self.instrument(instrument).lot_size
        whole, fraction = split_shares(held.quantity, action.ratio, lot)
        book.marks[instrument] = book.mark(held) * ratio
        book.hold(Holding(instrument, whole, held.average_price * ratio))
        book.pay(round_cents(fraction * prior_close * ratio))

    def _match_bar(self, book: Book, bar: Bar, ts: int) -> None:
        """Exits first, then purchases; the legs of an entry that fills on this bar see the rest of it."""
        prices = bar_prices(bar)
        resting = [
            o for o in book.live[bar.instrument].values() if not o.is_at_close and o.since_us < bar.ts_close
        ]
        for order in [order for order in resting if order.is_sell and not order.asleep]:
            if not order.state.is_terminal:
                self._exit_on_bar(
                    book, order, prices, coverage_of(order.since_us, order.woken, bar.ts_open), ts
                )
        for order in [order for order in resting if not order.is_sell]:
            self._entry_on_bar(book, order, prices, coverage_of(order.since_us, False, bar.ts_open), ts)

    def _exit_on_bar(
        self, book: Book, order: BookOrder, prices: BarPrices, coverage: Coverage, ts: int
    ) -> None:
        spec, tick = order.spec, self.instrument(order.spec.instrument).tick_size
        sibling = book.sibling(order)
        if order.triggered or spec.type is OrderType.MARKET:
            start = prices.close if coverage is Coverage.WITHIN else prices.open
            self._take(book, order, start, ts)
        elif spec.limit_price is not None:
            if sibling is not None:
                return  # the pair is looked at through its stop
            price = limit_on_bar(OrderSide.SELL, spec.limit_price, prices, coverage, tick, self.rules)
            if price is not None:
                self._fill(book, order, price, ts)
        elif spec.stop_price is not None:
            target = None if sibling is None else sibling.spec.limit_price
            if sibling is None or target is None:
                price = stop_on_bar(spec.stop_price, prices, coverage, self.rules)
                if price is not None:
                    self._trigger(book, order, price, ts)
                return
            match = exit_on_bar(spec.stop_price, target, prices, coverage, tick, self.rules)
            if match is not None and match.leg is Leg.STOP:
                self._trigger(book, order, match.price, ts)
            elif match is not None:
                self._fill(book, sibling, match.price, ts)

    def _entry_on_bar(
        self, book: Book, order: BookOrder, prices: BarPrices, coverage: Coverage, ts: int
    ) -> None:
        spec, tick = order.spec, self.instrument(order.spec.instrument).tick_size
        if spec.limit_price is None:
            start = prices.close if coverage is Coverage.WITHIN else prices.open
            self._take(book, order, start, ts)
            after = Coverage.WITHIN if coverage is Coverage.WITHIN else Coverage.FROM_OPEN
        else:
            price = limit_on_bar(OrderSide.BUY, spec.limit_price, prices, coverage, tick, self.rules)
            if price is None:
                return
            self._fill(book, order, price, ts)
            after = coverage_after_entry(spec.limit_price, prices, coverage)
        if order.group is None or order.state is not OrderState.FILLED:
            return
        stop, target = book.orders[order.group.stop], book.orders[order.group.target]
        # The next bar finds them resting, also when it opens at this very instant.
        stop.woken = target.woken = False
        if not stop.state.is_terminal:
            self._exit_on_bar(book, stop, prices, after, ts)

    def _match_prints(self, book: Book, batch: MarketBatch) -> None:
        if not book.live or not self.is_open(book, batch.ts):
            return
        for trade in batch.trades:
            for order in self._working(book, trade.instrument):
                self._on_trade(book, order, trade, batch.ts)
        for quote in batch.quotes:
            for order in self._working(book, quote.instrument):
                self._on_quote(book, order, quote, batch.ts)

    def _working(self, book: Book, instrument: InstrumentId) -> list[BookOrder]:
        return [
            order
            for order in book.live.get(instrument, {}).values()
            if not order.asleep and not order.is_at_close and (not self.on_bars or _is_market(order))
        ]

    def _on_trade(self, book: Book, order: BookOrder, trade: Trade, ts: int) -> None:
        if order.state.is_terminal:
            return
        spec, price = order.spec, to_decimal(trade.price)
        if _is_market(order):
            if trade.is_open:
                self._take(book, order, price, ts)
        elif spec.stop_price is not None:
            if stop_is_reached(spec.stop_price, price, self.rules):
                bid = book.prices.quotes.get(spec.instrument, (None, None))[0]
                got = price if bid is None else min(price, to_decimal(bid))
                self._trigger(book, order, got, ts, spread_shown=bid is not None)
        elif spec.limit_price is not None:
            tick = self.instrument(spec.instrument).tick_size
            if limit_is_traded_through(spec.side, spec.limit_price, price, tick, self.rules):
                jumped = trade.is_open and self.rules.gap_fill is GapFill.GAP
                self._fill(book, order, price if jumped else spec.limit_price, ts)

    def _on_quote(self, book: Book, order: BookOrder, quote: Quote, ts: int) -> None:
        if order.state.is_terminal:
            return
        spec = order.spec
        touch = quote.ask if spec.side is OrderSide.BUY else quote.bid
        if touch is None:
            return
        price = to_decimal(touch)
        if _is_market(order):
            self._take(book, order, price, ts, spread_shown=True)
        elif spec.stop_price is not None:
            if stop_is_reached(spec.stop_price, price, self.rules):
                self._trigger(book, order, price, ts, spread_shown=True)
        elif spec.limit_price is not None and limit_is_crossed(
            spec.side, spec.limit_price, price, self.rules
        ):
            self._fill(book, order, spec.limit_price, ts)

    def _match_close(self, book: Book, ts: int) -> None:
        for order in [order for order in book.expiring.values() if order.is_at_close]:
            close = book.prices.closes.get(order.spec.instrument)
            if close is not None and not order.state.is_terminal:
                self._take(book, order, to_decimal(close[0]), ts)

    def arrive(self, book: Book, order: BookOrder, now: int) -> None:
        """Match an order at the instant it arrives, if it is marketable.

        Under bars protective orders wait for a whole bar, where the stop comes before the target.
        """
        spec = order.spec
        protective = order.place in (Place.STOP, Place.TARGET) or spec.type is OrderType.STOP
        if order.asleep or order.state.is_terminal or (self.on_bars and protective):
            return
        if not self.is_open(book, now):
            close = book.prices.closes.get(spec.instrument)
            if self.on_bars and order.is_sell and spec.type is OrderType.MARKET and close is not None:
                self._take(book, order, to_decimal(close[0]), now)
            return
        bid, ask = book.prices.quotes.get(spec.instrument, (None, None))
        touch = ask if spec.side is OrderSide.BUY else bid
        if order.is_at_close or touch is None:
            return
        price, spread = to_decimal(touch), bid != ask
        if spec.type is OrderType.MARKET:
            self._take(book, order, price, now, spread_shown=spread)
        elif spec.stop_price is not None:
            if stop_is_reached(spec.stop_price, price, self.rules):
                self._trigger(book, order, price, now, spread_shown=spread)
        elif spec.limit_price is not None and limit_is_crossed(
            spec.side, spec.limit_price, price, self.rules
        ):
            self._take(book, order, price, now, spread_shown=spread)

    def _trigger(
        self, book: Book, order: BookOrder, price: Decimal, ts: int, spread_shown: bool = False
    ) -> None:
        """A stop becomes a market order; what this bar's volume cannot take stays one."""
        order.triggered, before = True, order.cum
        self._take(book, order, price, ts, spread_shown)
        if order.cum == before and not order.state.is_terminal:
            book.changed(order)

    def _take(
        self, book: Book, order: BookOrder, price: Decimal, ts: int, spread_shown: bool = False
    ) -> None:
        """Execute against standing liquidity: slippage applies."""
        quantity = self._quantity(book, order)
        if quantity <= ZERO:
            return
        spec = order.spec
        tick = self.instrument(spec.instrument).tick_size
        ratio = self.slippage_ratio(spec.instrument, quantity * price, spread_shown)
        paid = taker_price(spec.side, price, ratio, spec.limit_price, tick)
        self._execute(book, order, quantity, paid, ts)

    def _fill(self, book: Book, order: BookOrder, price: Decimal, ts: int) -> None:
        """Execute a resting limit order: it gave the liquidity, so no slippage."""
        quantity = self._quantity(book, order)
        if quantity > ZERO:
            self._execute(book, order, quantity, price, ts)

    def slippage_ratio(self, instrument: InstrumentId, order_usd: Decimal, spread_shown: bool) -> float:
        """Expected slippage as a fraction; a spread that the quote shows is already in its price."""
        model = self.rules.slippage
        if model is None:
            return 0.0
        spread_bps = 0.0 if spread_shown else model.spread_bps
        return model.ratio(float(order_usd), self._liquidity(instrument), spread_bps)

    def fee(self, side: OrderSide, quantity: Decimal, price: Decimal, ts: int) -> Decimal:
        """What an execution at this instant costs."""
        day = datetime.fromtimestamp(ts // US_PER_S, UTC).date()
        return self.rules.fees.fee(side, quantity, price, day)

    def _quantity(self, book: Book, order: BookOrder) -> Decimal:
        """What can execute now: the bar's volume and, for sales, the position bound it."""
        instrument = order.spec.instrument
        quantity = order.remaining
        if instrument in self._volumes:
            lot = self.instrument(instrument).lot_size
            budget = bar_budget(self._volumes[instrument], lot, self.rules)
            if budget is not None:
                quantity = min(quantity, budget - self._taken.get(instrument, ZERO))
        if not order.is_sell:
            return quantity
        position = book.position(instrument)
        if position <= ZERO:
            book.end(order, OrderState.CANCELED, NOTHING_LEFT)
        return min(quantity, position)

    def _execute(self, book: Book, order: BookOrder, quantity: Decimal, price: Decimal, ts: int) -> None:
        instrument = order.spec.instrument
        fee = self.fee(order.spec.side, quantity, price, ts)
        book.execute(order, quantity, price, fee, ts, self._holds)
        self._taken[instrument] = self._taken.get(instrument, ZERO) + quantity
        if order.is_sell and not order.state.is_terminal and not book.position(instrument):
            book.end(order, OrderState.CANCELED, NOTHING_LEFT)


def _is_market(order: BookOrder) -> bool:
    return order.triggered or order.spec.type is OrderType.MARKET


def _expire(book: Book, until_us: int) -> None:
    """End the orders whose session closed at or before `until_us`."""
    over = [o for o in book.expiring.values() if o.expires_us is not None and o.expires_us <= until_us]
    for order in over:
        if not order.state.is_terminal:
            why = "no closing print" if order.is_at_close else "its session is over"
            book.end(order, OrderState.EXPIRED, why)
