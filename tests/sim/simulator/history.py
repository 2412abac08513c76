"""What happened, written down beside the code under test: intents, sends, truth, what went unprotected."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from brokers.simvenue.book import Book, BookOrder
from brokers.simvenue.requests import Cancel, Execution, Question, Replace, Submit
from engine.model.orders import OrderSide, OrderState, OrderType

ZERO = Decimal(0)
PREFIX = "td"


def ticket_of(client_order_id: str) -> str:
    """The ticket in an order id of ours."""
    return client_order_id[2:28]


def role_of(client_order_id: str) -> str:
    """E, S, T or X."""
    return client_order_id[28]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request left the adapter. `number` counts commits and sends in one row."""

    number: int
    ts: int
    question: Question
    life: int
    """Which start of the engine sent it."""
    quote_age_us: int | None
    skew_us: int
    skewed_for_us: int
    """Since when the clocks differ by more than a second; 0 when they do not."""
    last_account_us: int | None
    """When this life last got an answer about the account."""
    is_halted: bool
    kept: int
    """Commits that are only in memory."""


@dataclass(frozen=True, slots=True)
class Switched:
    """The kill switch was thrown in a life, while these entries worked."""

    ts: int
    life: int
    entries: tuple[str, ...]


@dataclass(slots=True)
class Uncovered:
    """Shares that lost or lack their stop, oldest first: (reachable time at the start, shares)."""

    lots: list[tuple[int, Decimal]] = field(default_factory=list)
    total: Decimal = ZERO


class History:
    """Of one account over all lives of its engine."""

    def __init__(self, book: Book, now_us: Callable[[], int], trace: Callable[[str], None] | None) -> None:
        self._book = book
        self._now_us = now_us
        self.trace = trace
        self.number = 0
        self.intents: dict[str, int] = {}
        """Client order id -> number of the commit that journalled it."""
        self.sends: list[Sent] = []
        self.commanded: defaultdict[str, set[str]] = defaultdict(set)
        """Ticket -> hashes that persons gave, whatever the answer."""
        self.approved: dict[str, str] = {}
        """Ticket -> hash that a person gave, of the approval that was answered with ok."""
        self.halts: list[tuple[int, int | None]] = []
        """From the command until the resumption, as numbers of `number`; None: still on."""
        self.switched: list[Switched] = []
        self.uncanceled: list[str] = []
        """Entries whose cancel was not sent within a second of the kill switch."""
        self.lowest: dict[str, Decimal] = {}
        """Of what was held of an instrument, and of a ticket."""
        self.oversold: list[str] = []
        self.low_prices: dict[str, Decimal] = {}
        self.stops: list[tuple[BookOrder, Decimal]] = []
        """Stops that the venue accepted, each with the lowest price of the instrument until then."""
        self.entries: defaultdict[str, list[BookOrder]] = defaultdict(list)
        """Ticket -> entry orders that the venue accepted."""
        self.of_ticket: defaultdict[str, list[BookOrder]] = defaultdict(list)
        self._known: set[int] = set()
        self._uncovered: dict[str, Uncovered] = {}
        self.gaps: list[tuple[int, Decimal]] = []
        """How long shares had no stop, in time with the engine up and the venue reachable."""
        self.up_us = 0
        self._counts_since: int | None = None
        book.seen = self.seen

    def say(self, text: str) -> None:
        """One line of the trace."""
        if self.trace is not None:
            self.trace(text)

    def committed(self, rows: "list[object]") -> None:
        """The journal took rows."""
        self.number += 1
        for row in rows:
            if row.table == "ord":  # type: ignore[attr-defined]
                self.intents.setdefault(str(row.values["cid"]), self.number)  # type: ignore[attr-defined]
        if self.trace is not None:
            self.trace("commit " + "; ".join(filter(None, map(_row_words, rows))))

    def seen(self, order: BookOrder, execution: Execution | None) -> None:
        """The venue's truth changed."""
        ticket = ticket_of(order.id)
        if id(order) not in self._known:
            self._known.add(id(order))
            self.of_ticket[ticket].append(order)
            if role_of(order.id) == "E" and order.state is not OrderState.REJECTED:
                self.entries[ticket].append(order)
            if order.type is OrderType.STOP and order.state is not OrderState.REJECTED:
                self.stops.append((order, self.low_prices[order.terms.instrument]))
        if execution is not None:
            self._measure_held(execution.instrument, self._book.positions[execution.instrument], order)
            self._measure_held(ticket, self.position(ticket), order)
        if self.trace is not None:
            self.trace(
                f"venue {order.id} {order.venue_id} {order.state} {order.cum}/{order.quantity}"
                f" {'' if execution is None else f'fill {execution.quantity} at {execution.price}'}"
                f"{order.reason}"
            )
        self._measure(ticket)

    def _measure_held(self, name: str, held: Decimal, order: BookOrder) -> None:
        lowest = self.lowest.get(name, ZERO)
        if held < lowest:
            self.oversold.append(f"{name} at {held} after {order.id}")
            self.lowest[name] = held

    def priced(self, name: str, price: Decimal) -> None:
        """The market has a new price."""
        self.low_prices[name] = min(price, self.low_prices.get(name, price))

    def uncovered(self, ticket: str) -> Decimal:
        """Shares of a ticket that the venue holds without a resting stop."""
        position = cover = ZERO
        for order in self.of_ticket[ticket]:
            position += order.cum if order.side is OrderSide.BUY else -order.cum
            if order.type is OrderType.STOP and order.is_live and order.is_awake:
                cover += order.remaining
        return max(position - cover, ZERO)

    def position(self, ticket: str) -> Decimal:
        """What the venue holds of a ticket."""
        return sum(
            (order.cum if order.side is OrderSide.BUY else -order.cum for order in self.of_ticket[ticket]),
            ZERO,
        )

    def counting(self, is_on: bool) -> None:
        """Whether the engine is up and the venue reachable, from now on."""
        now = self._now_us()
        if self._counts_since is not None:
            self.up_us += now - self._counts_since
        self._counts_since = now if is_on else None

    def _reachable_us(self) -> int:
        since = self._counts_since
        return self.up_us + (0 if since is None else self._now_us() - since)

    def _measure(self, ticket: str) -> None:
        lacking = self.uncovered(ticket)
        found = self._uncovered.setdefault(ticket, Uncovered())
        now = self._reachable_us()
        if lacking > found.total:
            found.lots.append((now, lacking - found.total))
        over = found.total - lacking
        while over > ZERO:
            began, shares = found.lots[0]
            taken = min(shares, over)
            self.gaps.append((now - began, taken))
            over -= taken
            if taken == shares:
                found.lots.pop(0)
            else:
                found.lots[0] = (began, shares - taken)
        found.total = lacking

    def finish(self) -> None:
        """Gaps that never ended are counted as long as they lasted."""
        now = self._reachable_us()
        for found in self._uncovered.values():
            self.gaps += [(now - began, shares) for began, shares in found.lots]

    def protected_at_once(self) -> Decimal:
        """Shares bought that had their stop in the same instant."""
        bought = sum((order.cum for orders in self.entries.values() for order in orders), ZERO)
        return max(bought - sum((shares for _, shares in self.gaps), ZERO), ZERO)

    def halted(self) -> None:
        """The kill switch was thrown and answered."""
        if not self.halts or self.halts[-1][1] is not None:
            self.halts.append((self.number, None))

    def resumed(self) -> None:
        """A person ended it."""
        if self.halts and self.halts[-1][1] is None:
            self.halts[-1] = (self.halts[-1][0], self.number)


def words_of(question: Question) -> str:
    """A request in a line of the trace."""
    if isinstance(question, Submit):
        return f"submit {question.link} " + " ".join(
            f"{one.client_order_id} {one.side} {one.type} {one.quantity}"
            f" {one.limit_price or one.stop_price} {one.tif}"
            for one in question.orders
        )
    if isinstance(question, Replace):
        return f"replace {question.client_order_id} by {question.order.client_order_id}"
    if isinstance(question, Cancel):
        return f"cancel {question.client_order_id}"
    return f"{type(question).__name__}"


def _row_words(row: object) -> str:
    """A row of the journal in few words."""
    values = row.values  # type: ignore[attr-defined]
    if row.table == "ord":  # type: ignore[attr-defined]
        return f"{values['cid']} {values['state']} {values['cum']}/{values['qty']}"
    if row.table == "bracket":  # type: ignore[attr-defined]
        return f"{values['id']} {values['phase']} exit {values['exit_wanted']}"
    if row.table == "fill":  # type: ignore[attr-defined]
        return f"fill {values['exec_id']} {values['qty']} at {values['px']}"
    if row.table == "meta":  # type: ignore[attr-defined]
        return f"{values['k']} {values['v']}"
    return str(row.table)  # type: ignore[attr-defined]
