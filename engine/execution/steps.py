"""What a plan is made of: what it may know, what it may do, and one step of it."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.execution.bracket import ONE, Bracket
from engine.model.ids import ClientOrderId
from engine.model.orders import BracketSpec, OrderSpec
from engine.ports import Capabilities


@dataclass(frozen=True, slots=True)
class SendOrder:
    """Send one order whose intent is journalled."""

    spec: OrderSpec


@dataclass(frozen=True, slots=True)
class SendBracket:
    """Send a linked group whose intents are journalled."""

    spec: BracketSpec


@dataclass(frozen=True, slots=True)
class ReplaceOrder:
    """Ask the venue to put another order, whose intent is journalled, in the place of a working one."""

    order: ClientOrderId
    spec: OrderSpec


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Ask the venue to cancel."""

    order: ClientOrderId


@dataclass(frozen=True, slots=True)
class AskOrder:
    """Ask the venue for an order's fate."""

    order: ClientOrderId


@dataclass(frozen=True, slots=True)
class AskFills:
    """Ask the venue for executions since an instant, int microseconds UTC."""

    since_us: int


class HaltScope(StrEnum):
    """Where nothing new may begin until a person looked."""

    NONE = "none"
    SYMBOL = "symbol"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class RaiseAlarm:
    """Tell a person; `page`: now."""

    text: str
    page: bool
    halt: HaltScope = HaltScope.NONE


Action = SendOrder | SendBracket | ReplaceOrder | CancelOrder | AskOrder | AskFills | RaiseAlarm


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the planner may know besides the bracket."""

    now_us: int
    halted: bool
    session_open: bool
    """The regular session of the instrument is open; at its closing instant it is not."""
    last_price: Decimal | None
    """Last price in today's dollars; None when not known, or with a running clock not lately."""
    card: Capabilities
    tick_size: Decimal | None = None
    """To which computed prices are rounded down; None: they are not rounded."""
    lot_size: Decimal = ONE
    """To which the quantities of tiers are rounded down."""
    bid: Decimal | None = None
    """Best bid of this session in today's dollars; None when not known."""
    close_us: int | None = None
    """With a running clock: when the session of now, or the next one, closes. None: time is stepped."""
    mark: Decimal | None = None
    """Last price in today's dollars however old it is, also the close of a day before; None when not known.

    It tells in which dollars the market is, and is no reason to trade.
    """


@dataclass(frozen=True, slots=True)
class Step:
    """The bracket after one row and what to do."""

    bracket: Bracket
    actions: tuple[Action, ...] = ()
