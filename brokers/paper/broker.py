"""The paper broker: a venue in this process with its own truth, for accounts of kind simulation or paper.

It behaves as the strictest venue we know: brackets are OTOCO (exits sleep until the entry is filled
completely, canceling one order of a group cancels the group), sales only reduce, exits hold the units they
may sell, client order ids are unique for ever. Everything is written to its store before it is acknowledged
or streamed.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal

from brokers.paper.book import Book
from brokers.paper.checks import (
    Refusal,
    refuse_cost,
    refuse_group,
    refuse_replacement,
    refuse_sale,
    refuse_terms,
)
from brokers.paper.matcher import LiquidityOf, Matcher
from brokers.paper.records import BookOrder, Group
from engine.clock import Clock
from engine.errors import BrokerUnavailable, OrderOutcomeUnknown, OrderRejected, StorageError
from engine.execution.matching import STANDARD, Liquidity, MatchRules
from engine.model.ids import AccountId, ClientOrderId, InstrumentId
from engine.model.market import Instrument, MarketBatch
from engine.model.orders import (
    BracketKind,
    BracketSpec,
    Fill,
    OrderSide,
    OrderSpec,
    OrderState,
    OrderType,
    TimeInForce,
    VenueOrder,
    VenueUpdate,
)
from engine.model.positions import AccountKind, AccountSnapshot
from engine.money import ZERO, to_decimal
from engine.ports import Capabilities, Sessions, VenueStore

CARD = Capabilities(
    bracket_kind=BracketKind.OTOCO,
    client_id_unique_for_ever=True,
    request_expiry_us=0,
    visibility_lag_us=0,
    lookup_by_client_id=True,
    stop_rests_without_us=True,
    can_replace=True,
    reduces_pairs=True,
)


def unknown_liquidity(instrument: InstrumentId) -> Liquidity | None:
    """No size and volatility known: slippage is the half spread alone."""
    return None


@contextmanager
def _readable() -> Iterator[None]:
    """What the store fails to read is a venue that is not there."""
    try:
        yield
    except StorageError as error:
        raise BrokerUnavailable(f"the paper venue cannot be read: {error.message}", error.hint) from error


class PaperBroker:
    """Implements `ports.Broker`. `on_market` is called with each batch before the engine sees it.

    `check_buying_power` False lets cash go below zero (`--no-limits`); `holds` False lets several exits rest
    for the same units, as at venues that do not hold them: the position still bounds what executes.
    """

    capabilities = CARD

    def __init__(
        self,
        account: AccountId,
        kind: AccountKind,
        store: VenueStore,
        clock: Clock,
        sessions: Sessions,
        *,
        initial_cash: Decimal,
        currency: str = "USD",
        rules: MatchRules = STANDARD,
        instruments: Mapping[InstrumentId, Instrument] | None = None,
        liquidity: LiquidityOf = unknown_liquidity,
        check_buying_power: bool = True,
        holds: bool = True,
    ) -> None:
        if kind is AccountKind.LIVE:
            raise ValueError("a paper broker cannot serve a live account")
        self._clock = clock
        self._matcher = Matcher(rules, instruments or {}, sessions, liquidity, holds)
        self._check_buying_power = check_buying_power
        self._holds = holds
        self._identity = (account, kind, currency)
        self._initial_cash = initial_cash
        self._store = store
        self._opened: Book | None = self._open_book()
        self._stream: _Stream | None = None

    def _open_book(self) -> Book:
        book = Book(self._store, *self._identity, self._initial_cash)
        self._matcher.resume(book)
        return book

    @property
    def _book(self) -> Book:
        if self._opened is None:
            with _readable():
                self._opened = self._open_book()
        return self._opened

    def on_market(self, batch: MarketBatch) -> None:
        """Match one batch. The same batch again, as after a crash, executes nothing twice.

        Raises StorageError when the result cannot be stored, and BrokerUnavailable when the book cannot be
        read again after that; nothing has happened then.
        """
        self._write(lambda: self._matcher.on_batch(self._book, batch))

    def _write(self, change: Callable[[], None]) -> None:
        """All of a change is stored before any of it is visible; when it cannot be, none of it happened."""
        is_stored = False
        try:
            change()
            updates = self._book.commit()
            is_stored = True
        finally:
            if not is_stored:
                # Memory may be ahead of the store, and the store is the truth: it is read anew before use.
                # The stream ends, because what the store did take was never streamed.
                self._opened = None
                self.disconnect()
        if self._stream is not None:
            self._stream.push(updates)

    async def submit_bracket(self, spec: BracketSpec) -> None:
        """Accept a bracket (entry, stop, target) or a pair of exits as one order. See `ports.Broker`."""
        entry = None if spec.entry is None else spec.entry.client_order_id
        group = Group(spec.ticket, entry, spec.stop.client_order_id, spec.target.client_order_id)
        exits = (spec.stop, spec.target)
        self._submit(exits if spec.entry is None else (spec.entry, *exits), group, self._refuse_group(spec))

    async def submit(self, spec: OrderSpec) -> None:
        """Accept a single order. See `ports.Broker`."""
        self._submit((spec,), None, None)

    def _submit(self, specs: Sequence[OrderSpec], group: Group | None, refusal: Refusal | None) -> None:
        if self._is_known(specs, group):
            return
        refusal = refusal or self._refuse(specs, group)
        try:
            if refusal is None:
                self._write(lambda: self._accept(specs, group))
            else:
                self._write(lambda: self._record_refusal(specs, group, refusal))
        except StorageError as error:
            if not self._was_stored(specs[0].client_order_id, error):
                raise BrokerUnavailable(
                    f"the paper venue could not write the order down: {error.message}", error.hint
                ) from error
        if refusal is not None:
            raise OrderRejected(refusal.code, refusal.reason)

    def _was_stored(self, order: ClientOrderId, failure: StorageError) -> bool:
        try:
            return order in self._book.orders
        except BrokerUnavailable as error:
            raise OrderOutcomeUnknown(
                f"the paper venue failed at order {order}, and cannot be read: {failure.message}", error.hint
            ) from error

    def _is_known(self, specs: Sequence[OrderSpec], group: Group | None) -> bool:
        """Whether this very order came before. Raises OrderRejected when it was refused, or differs."""
        known = [order for spec in specs if (order := self._find(spec.client_order_id)) is not None]
        if not known:
            return False
        first = known[0]
        same = {spec.client_order_id: spec for spec in specs}
        # A replacement is known by its terms: it never came in a group of its own.
        linked = {o.id: group if o.replaces is not None else o.sent_group or o.group for o in known}
        if any(order.spec != same[order.id] or linked[order.id] != group for order in known):
            raise OrderRejected("duplicate", f"order id {first.id} was used for another order")
        if first.state is OrderState.REJECTED:
            raise OrderRejected(first.code, first.reason)
        return True

    def _find(self, order: ClientOrderId) -> BookOrder | None:
        book = self._book
        with _readable():
            return book.find(order)

    def _accept(self, specs: Sequence[OrderSpec], group: Group | None) -> None:
        now = self._now()
        asleep = {group.stop, group.target} if group is not None and group.entry is not None else set()
        orders = [
            self._book.accept(spec, group, spec.client_order_id in asleep, self._expiry(spec, now))
            for spec in specs
        ]
        for order in orders:
            self._matcher.arrive(self._book, order, now)

    def _record_refusal(self, specs: Sequence[OrderSpec], group: Group | None, refusal: Refusal) -> None:
        # Of a bracket only the entry: its exits never exist without it.
        refused = specs[:1] if group is not None and group.entry is not None else specs
        for spec in refused:
            self._book.refuse(spec, group, refusal.code, refusal.reason)

    def _expiry(self, spec: OrderSpec, now: int) -> int | None:
        return None if spec.tif is TimeInForce.GTC else self._matcher.session_end(now)

    async def cancel(self, order: ClientOrderId) -> None:
        """Cancel an order and with it its group. One that works no more is left as it is.

        Raises OrderRejected for an order that is filled, was refused, or never came.
        """
        found = self._find(order)
        if found is None:
            raise OrderRejected("unknown_order", f"there is no order {order}")
        if found.state in (OrderState.FILLED, OrderState.REJECTED):
            raise OrderRejected("not_cancelable", f"order {order} is {found.state}")
        if found.state.is_terminal:
            return
        try:
            self._write(lambda: self._book.end(found, OrderState.CANCELED, "canceled by request"))
        except StorageError as error:
            raise OrderOutcomeUnknown(
                f"the paper venue failed at canceling order {order}: {error.message}", error.hint
            ) from error

    async def replace(self, order: ClientOrderId, new: OrderSpec) -> None:
        """One order in the place of another, which keeps its group. See `ports.Broker`."""
        found, known = self._find(order), self._find(new.client_order_id)
        if known is not None:
            if known.spec == new and known.replaces == order:
                return
            raise OrderRejected("duplicate", f"order id {known.id} was used for another order")
        if found is None:
            raise OrderRejected("unknown_order", f"there is no order {order}")
        if found.state.is_terminal:
            raise OrderRejected("not_replaceable", f"order {order} is {found.state}")
        refusal = refuse_replacement(found, new) or self._refuse_terms(found, new)
        if refusal is not None:
            raise OrderRejected(refusal.code, refusal.reason)
        try:
            self._write(lambda: self._replace(found, new))
        except StorageError as error:
            if not self._was_stored(new.client_order_id, error):
                raise BrokerUnavailable(
                    f"the paper venue could not write the replacement down: {error.message}", error.hint
                ) from error

    def _replace(self, old: BookOrder, spec: OrderSpec) -> None:
        now = self._now()
        self._matcher.arrive(self._book, self._book.replace(old, spec, self._expiry(spec, now)), now)

    def _refuse_terms(self, old: BookOrder, new: OrderSpec) -> Refusal | None:
        """As for a new order, with what the old one holds or reserves free for it."""
        refusal = refuse_terms(new, self._matcher.instrument(new.instrument))
        if refusal is not None or old.asleep:
            return refusal
        if new.side is OrderSide.BUY:
            return self._refuse_purchase(new, self._reserved(old, self._now()))
        committed = self._book.committed(new.instrument) - old.remaining
        return refuse_sale(new, self._book.position(new.instrument), committed, self._holds)

    def _refuse_group(self, spec: BracketSpec) -> Refusal | None:
        account = self._book.account.account
        if spec.account != account:
            return Refusal("account", f"the order is for account {spec.account}, this is {account}")
        return refuse_group(spec)

    def _refuse(self, specs: Sequence[OrderSpec], group: Group | None) -> Refusal | None:
        instrument = self._matcher.instrument(specs[0].instrument)
        for spec in specs:
            refusal = refuse_terms(spec, instrument)
            if refusal is not None:
                return refusal
        first = specs[0]
        if first.side is OrderSide.SELL:
            held = self._book.position(first.instrument)
            return refuse_sale(first, held, self._book.committed(first.instrument), self._holds)
        return self._refuse_purchase(first)

    def _refuse_purchase(self, spec: OrderSpec, freed: Decimal = ZERO) -> Refusal | None:
        now = self._now()
        price, ratio = spec.limit_price, 0.0
        if spec.type is OrderType.MARKET:
            ask = self._book.prices.quotes.get(spec.instrument, (None, None))[1]
            if ask is None or not self._matcher.is_open(self._book, now):
                return Refusal("no_market", "purchases at market need an open market and an offer")
            price = to_decimal(ask)
            ratio = self._matcher.slippage_ratio(spec.instrument, spec.quantity * price, spread_shown=False)
        if price is None or not self._check_buying_power:
            return None
        worst = price * (1 + to_decimal(ratio))
        return refuse_cost(self._cost(spec, spec.quantity, worst, now), self._buying_power(now) + freed)

    def _cost(self, spec: OrderSpec, quantity: Decimal, price: Decimal, now: int) -> Decimal:
        return quantity * price + self._matcher.fee(spec.side, quantity, price, now)

    def _buying_power(self, now: int) -> Decimal:
        reserved = sum((self._reserved(order, now) for order in self._book.buys.values()), ZERO)
        return self._book.account.cash - reserved

    def _reserved(self, order: BookOrder, now: int) -> Decimal:
        price = order.spec.limit_price
        if price is None:
            ask = self._book.prices.quotes.get(order.spec.instrument, (None, None))[1]
            price = ZERO if ask is None else to_decimal(ask)
        return self._cost(order.spec, order.remaining, price, now)

    async def order(self, order: ClientOrderId) -> VenueOrder | None:
        """One order by its client id; None when it never came."""
        found = self._find(order)
        return None if found is None else found.report()

    async def open_orders(self) -> tuple[VenueOrder, ...]:
        """All orders that work or sleep, oldest first."""
        live = [order for at in self._book.live.values() for order in at.values()]
        return tuple(order.report() for order in sorted(live, key=lambda order: order.number))

    async def executions(self, since_us: int) -> tuple[Fill, ...]:
        """Executions at or after an instant, oldest first."""
        book = self._book
        with _readable():
            return book.executions(since_us)

    async def account(self) -> AccountSnapshot:
        """Cash is settled at once; buying power is cash less what working purchases reserve."""
        book, record = self._book, self._book.account
        held = tuple(book.positions[name].report() for name in sorted(book.positions))
        power = self._buying_power(self._now())
        return AccountSnapshot(
            record.account, record.kind, record.currency, record.cash, power, book.equity, held
        )

    async def venue_time_us(self) -> int | None:
        """Its clock is the engine's."""
        return self._clock.now_us()

    def updates(self) -> AsyncIterator[VenueUpdate]:
        """Everything acknowledged from now on. A second call ends the first stream: one connection."""
        self.disconnect()
        self._stream = _Stream()
        return self._stream

    @property
    def has_undelivered(self) -> bool:
        """Whether the stream holds updates that its reader has not taken yet."""
        return self._stream is not None and self._stream.is_waiting

    def disconnect(self) -> None:
        """End the stream after what it already holds; the orders keep working."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _now(self) -> int:
        return max(self._clock.now_us(), self._book.market.ts)


class _Stream:
    """An unbounded queue that can end. Made by the call of `updates`, so nothing is lost before a wait."""

    def __init__(self) -> None:
        self._updates: deque[VenueUpdate] = deque()
        self._changed = asyncio.Event()
        self._is_closed = False

    @property
    def is_waiting(self) -> bool:
        return bool(self._updates)

    def push(self, updates: Sequence[VenueUpdate]) -> None:
        self._updates.extend(updates)
        self._changed.set()

    def close(self) -> None:
        self._is_closed = True
        self._changed.set()

    def __aiter__(self) -> "_Stream":
        return self

    async def __anext__(self) -> VenueUpdate:
        while not self._updates:
            if self._is_closed:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        return self._updates.popleft()
