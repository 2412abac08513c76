"""The paper venue's own truth: orders, executions, positions and cash, and what one execution does to them.

Every change is collected and written by `commit` in one durable put; only what was put is acknowledged or
streamed. Orders that are over leave the live index, so the cost of a step does not grow with history; the
newest of them stay in memory, the store answers for all others.
"""

from bisect import bisect_left
from collections import deque
from decimal import Decimal

from brokers.paper.records import (
    VERSION,
    AccountRecord,
    ActionRecord,
    BookOrder,
    Group,
    Holding,
    MarketRecord,
    Place,
    PriceRecord,
    decode,
    encode,
)
from engine.errors import ConfigError
from engine.model.ids import AccountId, ClientOrderId, InstrumentId
from engine.model.market import CorporateAction
from engine.model.orders import Fill, OrderSide, OrderSpec, OrderState, VenueUpdate
from engine.model.positions import AccountKind
from engine.money import ZERO
from engine.ports import REPLACED, VenueStore

_ORDER, _FILL, _POSITION, _ACTION = "order/", "fill/", "position/", "action/"
_ACCOUNT, _MARKET, _PRICES, _MARKS = "account", "market", "prices", "marks"


KEPT_ORDERS = 250
"""Orders that are over and still in memory: a venue is asked about those that just ended."""
KEPT_FILLS = 250


class Book:
    """Reads itself from the store; a new store begins with `initial_cash`.

    Raises ConfigError when the store belongs to another account, StorageError when it cannot be read.
    """

    def __init__(
        self, store: VenueStore, account: AccountId, kind: AccountKind, currency: str, initial_cash: Decimal
    ) -> None:
        self._store = store
        self.orders: dict[ClientOrderId, BookOrder] = {}
        self._ended: deque[ClientOrderId] = deque()
        self.live: dict[InstrumentId, dict[ClientOrderId, BookOrder]] = {}
        self.buys: dict[ClientOrderId, BookOrder] = {}
        self.expiring: dict[ClientOrderId, BookOrder] = {}
        self.positions: dict[InstrumentId, Holding] = {}
        self.fills: list[Fill] = []
        self.actions: dict[InstrumentId, ActionRecord] = {}
        self.market = MarketRecord()
        self.prices = PriceRecord()
        self.account = AccountRecord(VERSION, account, kind, currency, initial_cash)
        self.marks: dict[InstrumentId, Decimal] = {}
        self._touched: dict[str, object] = {}
        self._minor: dict[str, object] = {}
        self._updates: list[VenueUpdate] = []
        self._load()
        found = self.account
        if (found.version, found.account, found.kind, found.currency) != (VERSION, account, kind, currency):
            raise ConfigError(
                f"the paper venue's store is version {found.version} of {found.kind} account {found.account} "
                f"in {found.currency}, not version {VERSION} of {kind} account {account} in {currency}",
                "use the state folder of this account",
            )

    def _load(self) -> None:
        for key, text in self._store.load().items():
            if key.startswith(_ORDER):
                order = decode(key, text, BookOrder)
                self.orders[order.id] = order
            elif key.startswith(_FILL):
                self.fills.append(decode(key, text, Fill))
            elif key.startswith(_POSITION):
                holding = decode(key, text, Holding)
                if holding.quantity > ZERO:
                    self.positions[holding.instrument] = holding
            elif key.startswith(_ACTION):
                record = decode(key, text, ActionRecord)
                self.actions[record.instrument] = record
            elif key == _ACCOUNT:
                self.account = decode(key, text, AccountRecord)
            elif key == _MARKET:
                self.market = decode(key, text, MarketRecord)
            elif key == _PRICES:
                self.prices = decode(key, text, PriceRecord)
            elif key == _MARKS:
                self.marks = decode(key, text, dict[InstrumentId, Decimal])
        self.marks = {name: mark for name, mark in self.marks.items() if name in self.positions}
        self.fills.sort(key=lambda fill: fill.exec_id)
        for order in sorted(self.orders.values(), key=lambda order: order.number):
            if order.state.is_terminal:
                self._ended.append(order.id)
            else:
                self._index(order)
        self._trim()

    def _trim(self) -> None:
        """What is stored and over leaves memory, the oldest first."""
        while len(self._ended) > KEPT_ORDERS:
            del self.orders[self._ended.popleft()]
        if len(self.fills) > 2 * KEPT_FILLS:
            del self.fills[:-KEPT_FILLS]

    def find(self, order: ClientOrderId) -> BookOrder | None:
        """An order that ever came; None when it never did. Raises StorageError when it cannot be read."""
        found = self.orders.get(order)
        if found is not None or len(self.orders) == self.account.orders:
            return found
        text = self._store.get(_ORDER + order)
        return None if text is None else decode(order, text, BookOrder)

    def _index(self, order: BookOrder) -> None:
        self.live.setdefault(order.spec.instrument, {})[order.id] = order
        if not order.is_sell:
            self.buys[order.id] = order
        if order.expires_us is not None:
            self.expiring[order.id] = order

    def _unindex(self, order: BookOrder) -> None:
        at_instrument = self.live[order.spec.instrument]
        del at_instrument[order.id]
        if not at_instrument:
            del self.live[order.spec.instrument]
        self.buys.pop(order.id, None)
        self.expiring.pop(order.id, None)
        self._ended.append(order.id)

    def position(self, instrument: InstrumentId) -> Decimal:
        """Units held."""
        holding = self.positions.get(instrument)
        return ZERO if holding is None else holding.quantity

    def committed(self, instrument: InstrumentId) -> Decimal:
        """Units that awake sell orders may still sell; a pair of exits counts once."""
        total = ZERO
        for order in self.live.get(instrument, {}).values():
            if order.is_sell and not order.asleep and not self._is_counted_by_stop(order):
                total += order.remaining
        return total

    def _is_counted_by_stop(self, order: BookOrder) -> bool:
        return order.place is Place.TARGET and self.sibling(order) is not None

    def sibling(self, order: BookOrder) -> BookOrder | None:
        """The other exit of a pair while it is live."""
        if order.group is None or order.place is Place.ENTRY:
            return None
        return self.live.get(order.spec.instrument, {}).get(order.group.sibling(order.id))

    def executions(self, since_us: int) -> tuple[Fill, ...]:
        """Fills at or after an instant, oldest first. Raises StorageError when old ones cannot be read."""
        if len(self.fills) < self.account.fills and since_us <= self.fills[0].ts_event:
            stored = self._store.load().items()
            fills = [decode(key, text, Fill) for key, text in stored if key.startswith(_FILL)]
            return tuple(sorted((f for f in fills if f.ts_event >= since_us), key=lambda fill: fill.exec_id))
        return tuple(self.fills[bisect_left(self.fills, since_us, key=lambda fill: fill.ts_event) :])

    @property
    def equity(self) -> Decimal:
        """Cash plus positions at their marks."""
        return sum((held.quantity * self.mark(held) for held in self.positions.values()), self.account.cash)

    def mark(self, held: Holding) -> Decimal:
        """The last price seen, or what was paid when none was."""
        return self.marks.get(held.instrument, held.average_price)

    def accept(self, spec: OrderSpec, group: Group | None, asleep: bool, expires_us: int | None) -> BookOrder:
        """A new working order."""
        order = BookOrder(
            spec, self._next_order(), group, spec.quantity, self.market.ts, expires_us, asleep=asleep
        )
        self.orders[order.id] = order
        self._index(order)
        self.changed(order)
        return order

    def replace(self, old: BookOrder, spec: OrderSpec, expires_us: int | None) -> BookOrder:
        """`spec` takes the place of the live `old` in its group; its pair then sells no more than it does."""
        group = None if old.group is None else old.group.with_member(old.id, spec.client_order_id)
        self._end_one(old, OrderState.CANCELED, REPLACED)
        new = self.accept(spec, group, old.asleep, expires_us)
        new.replaces = old.id
        # At the instant at which its entry filled it still is the order that woke then.
        new.woken = old.woken and old.since_us == new.since_us
        for member in self._members(old):
            member.sent_group, member.group = member.sent_group or member.group, group
            if not new.asleep and new.place is not Place.ENTRY and member.place is not Place.ENTRY:
                member.quantity = member.cum + new.quantity
            self.changed(member)
        return new

    def _members(self, order: BookOrder) -> list[BookOrder]:
        """The other orders of its group that are live."""
        if order.group is None:
            return []
        at_instrument = self.live.get(order.spec.instrument, {})
        ids = (order.group.entry, order.group.stop, order.group.target)
        return [at_instrument[id_] for id_ in ids if id_ is not None and id_ in at_instrument]

    def refuse(self, spec: OrderSpec, group: Group | None, code: str, reason: str) -> None:
        """A new order that never worked: its id is used up, and a query tells why."""
        order = BookOrder(spec, self._next_order(), group, spec.quantity, self.market.ts, None)
        order.state, order.code, order.reason = OrderState.REJECTED, code, reason
        self.orders[order.id] = order
        self._ended.append(order.id)
        self.changed(order)

    def _next_order(self) -> int:
        self.account.orders += 1
        self._touched[_ACCOUNT] = self.account
        return self.account.orders

    def changed(self, order: BookOrder) -> None:
        """Write the order down and report it."""
        self._touched[_ORDER + order.id] = order
        self._updates.append(order.report())

    def end(self, order: BookOrder, state: OrderState, reason: str) -> None:
        """The order works no more. Its group ends with it, except the sibling of an exit that expired."""
        self._end_one(order, state, reason)
        if order.group is None or (state is OrderState.EXPIRED and order.place is not Place.ENTRY):
            return
        for other in self._members(order):
            self._end_one(other, OrderState.CANCELED, f"canceled with {order.id}: {reason}")

    def _end_one(self, order: BookOrder, state: OrderState, reason: str) -> None:
        order.state, order.reason = state, reason
        self._unindex(order)
        self.changed(order)

    def execute(
        self, order: BookOrder, quantity: Decimal, price: Decimal, fee: Decimal, ts: int, holds: bool
    ) -> None:
        """Book one execution and its consequences for the account and for the order's group.

        `holds`: exits reserve the units they may sell, so legs wake for no more than is free.
        """
        self._book_fill(order, quantity, price, fee, ts)
        order.cum += quantity
        if order.remaining == ZERO:
            order.state = OrderState.FILLED
            self._unindex(order)
        self.changed(order)
        if order.place is Place.ENTRY:
            if order.state is OrderState.FILLED and order.group is not None:
                self._wake_legs(order.spec.instrument, order.group, holds)
            return
        sibling = self.sibling(order)
        if sibling is None:
            return
        if order.state is OrderState.FILLED:
            self._end_one(sibling, OrderState.CANCELED, f"{order.id} was filled: one cancels the other")
        else:
            sibling.quantity = sibling.cum + order.remaining
            self.changed(sibling)

    def _wake_legs(self, instrument: InstrumentId, group: Group, holds: bool) -> None:
        # What just filled is free, so at least that much is protected.
        free = self.position(instrument) - self.committed(instrument)
        legs = [self.orders[group.stop], self.orders[group.target]]
        for leg in legs:
            leg.asleep, leg.woken, leg.since_us = False, True, self.market.ts
            if holds and free < leg.quantity:
                leg.quantity = free
            self.changed(leg)

    def _book_fill(self, order: BookOrder, quantity: Decimal, price: Decimal, fee: Decimal, ts: int) -> None:
        self.account.fills += 1
        instrument, side = order.spec.instrument, order.spec.side
        when = max(ts, self.fills[-1].ts_event) if self.fills else ts
        fill = Fill(f"F{self.account.fills:08d}", order.id, instrument, side, quantity, price, fee, when)
        self.fills.append(fill)
        self._touched[_FILL + fill.exec_id] = fill
        self._updates.append(fill)
        self.account.cash -= side.sign * quantity * price + fee
        self._touched[_ACCOUNT] = self.account
        held = self.positions.get(instrument)
        before = ZERO if held is None else held.quantity
        average = price if held is None else held.average_price
        if side is OrderSide.BUY:
            average = (before * average + quantity * price) / (before + quantity)
        self.hold(Holding(instrument, before + side.sign * quantity, average))

    def hold(self, holding: Holding) -> None:
        """Replace a position; quantity zero ends it."""
        if holding.quantity == ZERO:
            self.positions.pop(holding.instrument, None)
            self.marks.pop(holding.instrument, None)
        else:
            self.positions[holding.instrument] = holding
        self._touched[_POSITION + holding.instrument] = holding

    def pay(self, amount: Decimal) -> None:
        """Cash that comes without an order: dividends, cash in lieu."""
        self.account.cash += amount
        self._touched[_ACCOUNT] = self.account

    def is_new_action(self, action: CorporateAction) -> bool:
        """Note a corporate action; False when it, or a later one of its kind, was applied before."""
        record = self.actions.setdefault(action.instrument, ActionRecord(action.instrument))
        last = record.applied.get(action.kind)
        if last is not None and action.ex_date <= last:
            return False
        record.applied[action.kind] = action.ex_date
        self._touched[_ACTION + action.instrument] = record
        return True

    def marks_changed(self) -> None:
        """Marks are written with the next change: they decide nothing."""
        self._minor[_MARKS] = self.marks

    def prices_changed(self) -> None:
        """Keep over a restart what arriving orders are executed at."""
        self._touched[_PRICES] = self.prices

    def commit(self) -> list[VenueUpdate]:
        """Put all changes since the last commit in one durable write; what to stream now.

        Raises what the store raises; the book in memory is then ahead of the store and must be thrown away.
        """
        if not self._touched:
            return []
        changed = {key: encode(record) for key, record in (self._minor | self._touched).items()}
        changed[_MARKET] = encode(self.market)
        self._store.put(changed)
        self._touched.clear()
        self._minor.clear()
        self._trim()
        updates, self._updates = self._updates, []
        return updates
