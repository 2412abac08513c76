"""Orders, fills and the one table of legal order moves (RELIABILITY 5.2)."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.model.ids import AccountId, ClientOrderId, InstrumentId, TicketId, VenueOrderId

ZERO = Decimal(0)


class OrderSide(StrEnum):
    """Buy or sell; version 1 is long only, so sell always reduces (SPEC 0.7)."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for buy, -1 for sell."""
        return 1 if self is OrderSide.BUY else -1


class OrderType(StrEnum):
    """How an order is priced."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"


class TimeInForce(StrEnum):
    """How long an order works. CLS: fills at the closing print of the session."""

    DAY = "day"
    GTC = "gtc"
    CLS = "cls"


class OrderRole(StrEnum):
    """What an order is for; the letter goes into its client order id."""

    ENTRY = "E"
    STOP = "S"
    TARGET = "T"
    EXIT = "X"


def place_of(order: ClientOrderId) -> tuple[OrderRole, int] | None:
    """Role and count at the end of an order id of ours; None where there are none."""
    role, count = order[-3:-2], order[-2:]
    known = role in set(OrderRole) and count.isascii() and count.isdigit()
    return (OrderRole(role), int(count)) if known else None


class OrderState(StrEnum):
    """Fate of an order as far as it is proved."""

    NEW = "new"
    SENDING = "sending"
    WORKING = "working"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    NOTPLACED = "notplaced"

    @property
    def is_terminal(self) -> bool:
        """Nothing more is expected, though late evidence may still arrive."""
        return self in _TERMINAL

    def can_become(self, other: "OrderState") -> bool:
        """Whether evidence may move an order from this state to the other."""
        return other in _MOVES[self]


_TERMINAL = frozenset(
    {OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED, OrderState.NOTPLACED}
)
_OUTCOMES = frozenset(
    {OrderState.WORKING, OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED}
)
_MOVES: dict[OrderState, frozenset[OrderState]] = {
    OrderState.NEW: frozenset({OrderState.SENDING}),
    OrderState.SENDING: _OUTCOMES | {OrderState.UNKNOWN},
    # A protective order may be sent again under the same id, an entry may not: the planner decides.
    OrderState.UNKNOWN: _OUTCOMES | {OrderState.SENDING, OrderState.NOTPLACED},
    # Seen at the venue after all: adopted.
    OrderState.NOTPLACED: _OUTCOMES,
    OrderState.WORKING: frozenset(
        {OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED, OrderState.UNKNOWN}
    ),
    # Evidence conflict: the venue shows a live or filled order that it had refused.
    OrderState.REJECTED: frozenset({OrderState.WORKING, OrderState.FILLED}),
    # Late fills may complete an order that was cancelled or expired.
    OrderState.CANCELED: frozenset({OrderState.FILLED}),
    OrderState.EXPIRED: frozenset({OrderState.FILLED}),
    OrderState.FILLED: frozenset(),
}


class BracketKind(StrEnum):
    """Who links the legs: the venue (OTOCO: children wake on a complete fill; OCO: exits only) or we."""

    OTOCO = "otoco"
    OCO = "oco"
    SYNTHETIC = "synthetic"


@dataclass(frozen=True, slots=True)
class OrderSpec:
    """One order as it is sent. Prices in quote currency, quantity in units, both Decimal."""

    client_order_id: ClientOrderId
    instrument: InstrumentId
    side: OrderSide
    type: OrderType
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    tif: TimeInForce = TimeInForce.GTC

    def __post_init__(self) -> None:
        if self.quantity <= ZERO:
            raise ValueError(f"order quantity must be positive, got {self.quantity}")
        if (self.type is OrderType.LIMIT) != (self.limit_price is not None):
            raise ValueError("a limit order has a limit price, no other order has one")
        if (self.type is OrderType.STOP) != (self.stop_price is not None):
            raise ValueError("a stop order has a stop price, no other order has one")


@dataclass(frozen=True, slots=True)
class BracketSpec:
    """Entry with its protective legs (OTOCO), or the legs alone (`entry` None: OCO)."""

    ticket: TicketId
    account: AccountId
    entry: OrderSpec | None
    stop: OrderSpec
    target: OrderSpec

    def __post_init__(self) -> None:
        low, high = self.stop.stop_price, self.target.limit_price
        if low is None or high is None or not low < high:
            raise ValueError(f"stop must lie below target, got {low} and {high}")
        limit = None if self.entry is None else self.entry.limit_price
        if limit is not None and not low < limit < high:
            raise ValueError(f"entry {limit} must lie between stop {low} and target {high}")


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, counted once by its `exec_id`, unique at the venue. `fee` >= 0 in account currency."""

    exec_id: str
    client_order_id: ClientOrderId
    instrument: InstrumentId
    side: OrderSide
    quantity: Decimal
    price: Decimal
    fee: Decimal
    ts_event: int


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """What a venue says of one order. `cum_filled` only ever grows.

    `account`: whose it is where one login lists several accounts; None: of the account that was asked.
    """

    client_order_id: ClientOrderId
    venue_order_id: VenueOrderId
    instrument: InstrumentId
    side: OrderSide
    state: OrderState
    quantity: Decimal
    cum_filled: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    reason: str = ""
    account: AccountId | None = None


VenueUpdate = VenueOrder | Fill
"""What a broker's stream delivers; a fill's order report may come before or after it."""
