"""The venue's truth: orders, executions, positions, cash and fees to the cent, matched against one price.

What was true is kept, so that a query may be answered as of a moment ago. Nothing here fails by chance.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from brokers.simvenue.card import VenueCard
from brokers.simvenue.requests import (
    DUPLICATE,
    NO_SUCH_ORDER,
    NOT_WORKING,
    UNSUPPORTED,
    AccountState,
    Execution,
    Holding,
    OrderReport,
    OrderTerms,
    Refusal,
    encode,
    message,
)
from engine.clock import US_PER_S
from engine.model.orders import BracketKind, OrderSide, OrderState, OrderType, TimeInForce
from engine.money import ZERO, round_cents
from engine.ports import REPLACED

LIVE = OrderState.WORKING
HELD = "trading is halted"


@dataclass(slots=True, eq=False)
class BookOrder:
    """One order at the venue. `group`: all orders of its list, itself included; empty when it is single."""

    terms: OrderTerms
    venue_id: str
    quantity: Decimal
    side: OrderSide
    type: OrderType
    state: OrderState = LIVE
    cum: Decimal = ZERO
    parent: "BookOrder | None" = None
    """The entry that must fill completely before this one wakes."""
    group: "tuple[BookOrder, ...]" = ()
    reason: str = ""
    triggered: bool = False
    versions: list[tuple[int, bytes]] = field(default_factory=list)
    """Each report with the instant from which it was true."""

    @property
    def id(self) -> str:
        """The client order id."""
        return self.terms.client_order_id

    @property
    def remaining(self) -> Decimal:
        """Ordered and not yet filled."""
        return self.quantity - self.cum

    @property
    def is_live(self) -> bool:
        """It works, or sleeps."""
        return self.state is LIVE

    @property
    def is_awake(self) -> bool:
        """It works, or would if it were live."""
        return self.parent is None or self.parent.state is OrderState.FILLED

    def report_at(self, ts: int) -> bytes | None:
        """What was true at an instant; None before it was accepted."""
        place = bisect_right(self.versions, ts, key=lambda version: version[0])
        return self.versions[place - 1][1] if place else None


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose book it is."""

    account: str
    kind: str
    currency: str = "USD"


class Book:
    """One account. `tell` is given each change as the bytes of a message, `seen` the order itself."""

    def __init__(self, identity: Identity, card: VenueCard, cash: Decimal, now_us: Callable[[], int]) -> None:
        self.identity = identity
        self.card = card
        self.cash = cash
        self.initial_cash = cash
        self._now_us = now_us
        self.clock_offset_us = 0
        """How far the clock that stamps the reports is off."""
        self.orders: list[BookOrder] = []
        self.by_id: dict[str, BookOrder] = {}
        self.executions: list[Execution] = []
        self._execution_bytes: list[tuple[int, int, bytes]] = []
        """Each with when it became true and its stamp."""
        self.positions: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
        self._accounts: list[tuple[int, Decimal, dict[str, Decimal]]] = [(0, cash, {})]
        self.prices: dict[str, Decimal] = {}
        self.halted: set[str] = set()
        self.is_open = True
        self._live: defaultdict[str, dict[int, BookOrder]] = defaultdict(dict)
        self._venue_ids = 0
        self.tell: Callable[[bytes], None] = lambda report: None
        self.seen: Callable[[BookOrder, Execution | None], None] = lambda order, execution: None
        self.part_of: Callable[[int], int] = lambda lots: lots
        self.match_later: Callable[[BookOrder], None] = lambda order: None

    def stamp_us(self) -> int:
        """The venue's clock."""
        return self._now_us() + self.clock_offset_us

    def roll_back_ids(self) -> None:
        """The venue starts to count its ids anew."""
        self._venue_ids = 0

    def live(self) -> list[BookOrder]:
        """Orders that work or sleep, oldest first."""
        return [order for order in self.orders if order.is_live]

    def price(self, symbol: str, price: Decimal) -> None:
        """The market trades at a price."""
        self.prices[symbol] = price
        if self.is_open and symbol not in self.halted:
            for order in list(self._live[symbol].values()):
                self.match(order)

    def halt(self, symbol: str) -> None:
        """Trading of a symbol stops: nothing executes."""
        self.halted.add(symbol)

    def resume(self, symbol: str) -> None:
        """Trading goes on at the last price."""
        self.halted.discard(symbol)
        if symbol in self.prices:
            self.price(symbol, self.prices[symbol])

    def open_session(self) -> None:
        """The exchange opens: what rests may execute again."""
        self.is_open = True
        for symbol, price in self.prices.items():
            self.price(symbol, price)

    def end_session(self) -> None:
        """The closing print, then day orders expire and nothing executes until the exchange opens again."""
        for order in self.live():
            if order.terms.tif == TimeInForce.CLS:
                self.match(order, at_close=True)
        self.is_open = False
        for order in self.live():
            if order.is_live and order.terms.tif != TimeInForce.GTC:
                self._end(order, OrderState.EXPIRED, "the session is over")

    def submit(self, link: str, terms: tuple[OrderTerms, ...]) -> tuple[BookOrder, ...] | Refusal:
        """Take orders that belong together, all or none."""
        refusal = self._refuse(link, terms)
        if refusal is not None:
            return refusal
        orders = tuple(self._new(one) for one in terms)
        for order in orders:
            order.group = orders if len(orders) > 1 else ()
            order.parent = orders[0] if link == "otoco" and order is not orders[0] else None
            self._keep(order)
        for order in orders:
            self.match(order)
        return orders

    def record_refusal(self, terms: tuple[OrderTerms, ...], reason: str) -> None:
        """A refused order leaves a record; of a bracket its entry only."""
        for one in terms[:1]:
            if one.client_order_id not in self.by_id:
                order = self._new(one)
                order.state, order.reason = OrderState.REJECTED, reason
                self._keep(order)

    def cancel(self, client_id: str) -> BookOrder | Refusal:
        """End an order; with it ends the rest of its group."""
        order = self.by_id.get(client_id)
        if order is None:
            return Refusal(NO_SUCH_ORDER, f"no order {client_id}")
        if not order.is_live:
            return Refusal(NOT_WORKING, f"order {client_id} is {order.state}")
        self._end(order, OrderState.CANCELED, "canceled")
        return order

    def replace(self, client_id: str, terms: OrderTerms) -> BookOrder | Refusal:
        """Put an order in the place of a working one, in its group."""
        old = self.by_id.get(client_id)
        if old is None or not old.is_live:
            return Refusal(NOT_WORKING, f"order {client_id} does not work")
        refusal = self._refuse_id(terms) or self._refuse_price(terms)
        if refusal is None and terms.quantity > old.remaining:
            # Also when the old one filled in part while the request was under way.
            refusal = Refusal("insufficient", f"{old.remaining} are left, {terms.quantity} are wanted")
        if refusal is not None:
            return refusal
        new = self._new(terms)
        new.parent = old.parent
        new.group = tuple(new if order is old else order for order in old.group)
        for order in new.group:
            order.group = new.group
        old.group = ()
        old.state, old.reason = OrderState.CANCELED, REPLACED
        self._changed(old)
        self._keep(new)
        self.match(new)
        return new

    def executions_since(self, since_us: int, as_of: int) -> list[bytes]:
        """Fills by venue time, as they were known at an instant."""
        return [body for ts, stamp, body in self._execution_bytes if stamp >= since_us and ts <= as_of]

    def account_at(self, as_of: int) -> AccountState:
        """Cash and positions as they were at an instant, marked at the last prices."""
        place = bisect_right(self._accounts, as_of, key=lambda entry: entry[0])
        _, cash, positions = self._accounts[max(place - 1, 0)]
        value = sum((units * self.prices.get(name, ZERO) for name, units in positions.items()), ZERO)
        held = tuple(
            Holding(name, units, self.prices.get(name, ZERO)) for name, units in positions.items() if units
        )
        who = self.identity
        equity = cash + value
        return AccountState(who.kind, who.currency, cash, max(cash, ZERO), equity, held)

    def match(self, order: BookOrder, at_close: bool = False) -> None:
        """Execute what the price allows now; an order for the closing print only there."""
        symbol = order.terms.instrument
        price = self.prices.get(symbol)
        if price is None or not order.is_live or not order.is_awake or symbol in self.halted:
            return
        if not self.is_open or (order.terms.tif == TimeInForce.CLS) != at_close:
            return
        if not self._is_due(order, price):
            return
        part = int(order.remaining) if at_close else self.part_of(int(order.remaining))
        self._execute(order, Decimal(part) if part < order.remaining else order.remaining, price)

    def _is_due(self, order: BookOrder, price: Decimal) -> bool:
        if order.type is OrderType.MARKET:
            return True
        if order.type is OrderType.LIMIT:
            limit = order.terms.limit_price or ZERO
            return price <= limit if order.side is OrderSide.BUY else price >= limit
        order.triggered = order.triggered or price <= (order.terms.stop_price or ZERO)
        return order.triggered

    def _execute(self, order: BookOrder, quantity: Decimal, price: Decimal) -> None:
        stamp = self.stamp_us()
        day = datetime.fromtimestamp(stamp // US_PER_S, UTC).date()
        fee = round_cents(self.card.fees.fee(order.side, quantity, price, day))
        symbol = order.terms.instrument
        execution = Execution(
            f"X{len(self.executions) + 1:06d}",
            order.id,
            symbol,
            order.side.value,
            quantity,
            price,
            fee,
            stamp,
        )
        self.cash -= order.side.sign * quantity * price + fee
        self.positions[symbol] += order.side.sign * quantity
        order.cum += quantity
        if order.remaining <= ZERO:
            order.state = OrderState.FILLED
        body = encode(execution)
        now = self._now_us()
        self.executions.append(execution)
        self._execution_bytes.append((now, stamp, body))
        self._accounts.append((now, self.cash, dict(self.positions)))
        self.tell(message(self.identity.account, "fill", body))
        self._changed(order, execution)
        self._after(order)

    def _after(self, order: BookOrder) -> None:
        """What an execution does to the rest of the group."""
        if order.is_live:
            self.match_later(order)
        if order.side is OrderSide.BUY:
            if order.state is OrderState.FILLED:
                for child in order.group:
                    if child.parent is order:
                        self.match(child)
            return
        for other in order.group:
            if other is order or other.side is OrderSide.BUY or not other.is_live:
                continue
            if order.state is OrderState.FILLED:
                other.state, other.reason = OrderState.CANCELED, "the other exit was filled"
            else:
                other.quantity = other.cum + order.remaining
            self._changed(other)

    def _end(self, order: BookOrder, state: OrderState, reason: str) -> None:
        """The whole group ends with any of its members; a lone order by itself."""
        for member in order.group or (order,):
            if member.is_live:
                member.state = state if member is order else OrderState.CANCELED
                member.reason = reason if member is order else f"order {order.id} ended"
                self._changed(member)

    def _new(self, terms: OrderTerms) -> BookOrder:
        self._venue_ids += 1
        return BookOrder(
            terms, f"V{self._venue_ids}", terms.quantity, OrderSide(terms.side), OrderType(terms.type)
        )

    def _keep(self, order: BookOrder) -> None:
        self.orders.append(order)
        self.by_id[order.id] = order
        if order.is_live:
            self._live[order.terms.instrument][id(order)] = order
        self._changed(order)

    def _changed(self, order: BookOrder, execution: Execution | None = None) -> None:
        if not order.is_live:
            self._live[order.terms.instrument].pop(id(order), None)
        terms = order.terms
        body = encode(
            OrderReport(
                terms.client_order_id,
                order.venue_id,
                terms.instrument,
                terms.side,
                order.state.value,
                order.quantity,
                order.cum,
                terms.limit_price,
                terms.stop_price,
                order.reason,
            )
        )
        order.versions.append((self._now_us(), body))
        self.tell(message(self.identity.account, "order", body))
        self.seen(order, execution)

    def _refuse(self, link: str, terms: tuple[OrderTerms, ...]) -> Refusal | None:
        kind = self.card.capabilities.bracket_kind
        if (link == "otoco" and kind is not BracketKind.OTOCO) or (
            link == "oco" and kind is BracketKind.SYNTHETIC
        ):
            return Refusal(UNSUPPORTED, f"no {link} orders at this venue")
        for one in terms:
            refusal = self._refuse_id(one)
            if refusal is not None:
                return refusal
        if link == "otoco":
            return self._refuse_cost(terms[0])
        return self._refuse_price(terms[0]) or self._refuse_units(terms[0]) or self._refuse_cost(terms[0])

    def _refuse_id(self, terms: OrderTerms) -> Refusal | None:
        known = self.by_id.get(terms.client_order_id)
        if known is None or not (known.is_live or self.card.capabilities.client_id_unique_for_ever):
            return None
        return Refusal(DUPLICATE, f"order id {terms.client_order_id} is in use")

    def _refuse_price(self, terms: OrderTerms) -> Refusal | None:
        price = self.prices.get(terms.instrument)
        if terms.tif == TimeInForce.CLS and not self.is_open:
            return Refusal("closed", "the closing print is over")
        if terms.type == OrderType.MARKET and terms.instrument in self.halted:
            return Refusal("halted", HELD) if self.card.refuses_market_in_halt else None
        if terms.type != OrderType.STOP or price is None or terms.stop_price is None:
            return None
        if self.card.refuses_stop_through and price <= terms.stop_price:
            return Refusal("stop_price", f"the price {price} is through the stop {terms.stop_price}")
        return None

    def _refuse_units(self, terms: OrderTerms) -> Refusal | None:
        if terms.side == OrderSide.BUY or not self.card.holds_quantity:
            return None
        if self._free(terms.instrument) < terms.quantity:
            return Refusal("insufficient", f"not enough units of {terms.instrument} are free")
        return None

    def _refuse_cost(self, terms: OrderTerms) -> Refusal | None:
        price = terms.limit_price or self.prices.get(terms.instrument, ZERO)
        if terms.side == OrderSide.BUY and terms.quantity * price > self.cash:
            return Refusal("buying_power", f"{terms.quantity} at {price} is more than the cash")
        return None

    def _free(self, symbol: str) -> Decimal:
        """Units that no resting exit holds; all of them where exits hold nothing."""
        if not self.card.holds_quantity:
            return self.positions[symbol] + Decimal(10**9)
        held, counted = ZERO, set()
        for order in self._live[symbol].values():
            if order.side is OrderSide.SELL and order.is_awake and id(order) not in counted:
                counted |= {id(member) for member in order.group}
                held += order.remaining
        return self.positions[symbol] - held
