"""What the paper venue writes down, and how: JSON text, Decimal as text, one key for each record."""

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import msgspec

from engine.errors import StorageError
from engine.model.ids import AccountId, ClientOrderId, InstrumentId, TicketId, VenueOrderId
from engine.model.market import CorporateActionKind, SessionPhase
from engine.model.orders import OrderSide, OrderSpec, OrderState, TimeInForce, VenueOrder
from engine.model.positions import AccountKind, VenuePosition
from engine.money import ZERO

VERSION = 1
T = TypeVar("T")


class Place(StrEnum):
    """Where an order stands in its group."""

    SINGLE = "single"
    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Group:
    """Orders that the venue links: the exits cancel each other and sleep until the entry is filled."""

    ticket: TicketId
    entry: ClientOrderId | None
    stop: ClientOrderId
    target: ClientOrderId

    def place(self, order: ClientOrderId) -> Place:
        """What the order is in this group."""
        if order == self.entry:
            return Place.ENTRY
        return Place.STOP if order == self.stop else Place.TARGET

    def sibling(self, order: ClientOrderId) -> ClientOrderId:
        """The other exit."""
        return self.target if order == self.stop else self.stop

    def with_member(self, old: ClientOrderId, new: ClientOrderId) -> "Group":
        """The group after `new` took the place of `old`."""
        if old == self.entry:
            return replace(self, entry=new)
        return replace(self, stop=new) if old == self.stop else replace(self, target=new)


@dataclass(slots=True)
class BookOrder:
    """One order in the venue's book. Only the book changes it."""

    spec: OrderSpec
    number: int
    group: Group | None
    quantity: Decimal
    """As ordered, less what a sibling's executions took off it."""
    since_us: int
    """Market time at which it became active; a later bar sees all of it."""
    expires_us: int | None
    """Close of the session a DAY or CLS order belongs to; None: good till canceled."""
    state: OrderState = OrderState.WORKING
    cum: Decimal = ZERO
    asleep: bool = False
    """An exit whose entry is not filled completely: it cannot execute."""
    woken: bool = False
    """Became active through its entry's fill at a print or quote: the bar that opens then opened with it."""
    triggered: bool = False
    """A stop whose price was reached: from then on a market order."""
    code: str = ""
    reason: str = ""
    replaces: ClientOrderId | None = None
    """The order whose place it took."""
    sent_group: Group | None = None
    """The group it came in, where a replacement has changed `group` since."""

    @property
    def id(self) -> ClientOrderId:
        """The client order id."""
        return self.spec.client_order_id

    @property
    def place(self) -> Place:
        """Its place in its group."""
        return Place.SINGLE if self.group is None else self.group.place(self.id)

    @property
    def remaining(self) -> Decimal:
        """Not yet executed."""
        return self.quantity - self.cum

    @property
    def is_sell(self) -> bool:
        """It reduces a position."""
        return self.spec.side is OrderSide.SELL

    @property
    def is_at_close(self) -> bool:
        """It executes at the closing print only."""
        return self.spec.tif is TimeInForce.CLS

    def report(self) -> VenueOrder:
        """What the venue says of it."""
        return VenueOrder(
            self.id,
            VenueOrderId(f"P{self.number:08d}"),
            self.spec.instrument,
            self.spec.side,
            self.state,
            self.quantity,
            self.cum,
            self.spec.limit_price,
            self.spec.stop_price,
            "held until the entry is filled" if self.asleep and not self.state.is_terminal else self.reason,
        )


@dataclass(slots=True)
class Holding:
    """A position. Prices in quote currency."""

    instrument: InstrumentId
    quantity: Decimal
    average_price: Decimal

    def report(self) -> VenuePosition:
        """What the venue says of it."""
        return VenuePosition(self.instrument, self.quantity, self.average_price)


@dataclass(slots=True)
class ActionRecord:
    """The last ex-date of each kind of corporate action that was applied to an instrument."""

    instrument: InstrumentId
    applied: dict[CorporateActionKind, date] = field(default_factory=dict)


@dataclass(slots=True)
class AccountRecord:
    """Whose book it is, its cash and the counters that ids are made from."""

    version: int
    account: AccountId
    kind: AccountKind
    currency: str
    cash: Decimal
    orders: int = 0
    fills: int = 0


@dataclass(slots=True)
class MarketRecord:
    """Up to where the venue has seen the market. `seen`: last instant of each phase, "" for none."""

    ts: int = 0
    phase: SessionPhase | None = None
    session: date | None = None
    seen: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class PriceRecord:
    """What orders that arrive now are executed at: (bid, ask) while open, (close, volume) at the close."""

    quotes: dict[InstrumentId, tuple[float | None, float | None]] = field(default_factory=dict)
    closes: dict[InstrumentId, tuple[float, float]] = field(default_factory=dict)


def encode(record: object) -> str:
    """JSON text of a record."""
    return msgspec.json.encode(record).decode()


def decode(key: str, text: str, kind: type[T]) -> T:
    """The record under `key`. Raises StorageError when it cannot be read."""
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, ValueError) as error:
        raise StorageError(
            f"the paper venue's record {key!r} cannot be read: {error}",
            "restore the state folder from a backup, or start a new one",
        ) from error
