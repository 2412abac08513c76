"""What a face is shown: frozen values made by the engine's side of a link, plain enough to cross a socket.

Money and prices Decimal or float as the engine holds them, times int microseconds UTC; how a number looks is
decided by `tui.format` alone. `None` is a value that is not known, never zero.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.model.candidates import Vote
from engine.model.ids import ClientOrderId, CorrelationId, Symbol, TicketId
from engine.model.orders import OrderRole, OrderState, OrderType, TimeInForce
from engine.model.positions import AccountKind
from engine.model.tickets import ProposalState, Ticket
from tui.shown.gaps import NO_SCAN, GapScanView, LimitRow
from tui.shown.gems import NO_GEMS, GemsView
from tui.shown.health import NO_HEALTH, HealthView
from tui.shown.portfolio import NO_PORTFOLIO, PortfolioView
from tui.shown.risk import NO_RISK, RiskView


class LinkState(StrEnum):
    """How a face is joined to its engine."""

    IN_PROCESS = "in-process"
    ATTACHED = "attached"
    RECONNECTING = "reconnecting"
    LOST = "lost"
    ENDED = "ended"
    """The engine said that it stops and went away; a new one is attached to when it comes."""


class RowState(StrEnum):
    """What a candidate's row is doing; decides glyph, color class and place in the list."""

    WAITING = "waiting"
    """A ticket waits for the person."""
    HELD = "held"
    """A ticket waits but cannot be approved now (halted, stale)."""
    SNOOZED = "snoozed"
    """A person put its ticket out of sight for five minutes."""
    WORKING = "working"
    """A bracket is entering, protected or exiting."""
    UNKNOWN = "unknown"
    """An order's fate is not known."""
    BLOCKED = "blocked"
    """Vetoed, gated out, rejected or expired: `reason` says why."""
    DONE = "done"
    """Its position was closed."""


@dataclass(frozen=True, slots=True)
class MarketView:
    """The market that is streamed; for a replay also whether it waits and how fast it goes."""

    provenance: str
    """live, replay or synthetic."""
    paused: bool
    """True while a replay waits for tickets to be decided."""
    speed: float | None
    """Market seconds a second now; None for a live market, and for one that goes as fast as it can."""
    sources_ok: int
    sources_total: int
    ended: bool
    stale: str = ""
    """What went silent and for how long, `Alpaca stream silent 42 s`; "" while quotes are fresh."""
    slow: str = ""
    """For whom the market goes slowly, `T-1` or `3 tickets`; "" at its full speed."""

    @property
    def waits(self) -> bool:
        """Whether it stands still or goes slowly for a person, who may let it go on."""
        return self.paused or bool(self.slow)


@dataclass(frozen=True, slots=True)
class Restriction:
    """A limit of the account, or a halted symbol: what it does, and the command that ends it."""

    text: str
    command: str
    """To be typed in a shell; "" when it ends by itself."""
    is_stop: bool
    """Whether it keeps entries out; False: they are smaller or fewer."""


@dataclass(frozen=True, slots=True)
class HeaderView:
    """Status bar and navigation row."""

    kind: AccountKind
    account: str
    currency: str
    equity: Decimal | None
    day_pnl: Decimal | None
    day_pnl_ratio: float | None
    drawdown_ratio: float | None
    regime: str
    """normal, high_vix, spy_stress or unknown."""
    engine_state: str
    """STARTING, RUNNING, DEGRADED, HALTED or STOPPED."""
    engine_reason: str
    """Why it is in that state: for HALTED who and why; "" when RUNNING."""
    engine_since_us: int
    now_us: int
    session_open_us: int | None
    """Of the session that is open or comes next."""
    session_close_us: int | None
    unknown_orders: int
    protected: int
    """Positions whose stop is resting."""
    positions: int
    link: LinkState
    market: MarketView
    entries_cancelled: int = 0
    """Since the account was halted."""
    entries_working: int = 0
    """While the account is halted: entries whose cancel is still under way."""
    restrictions: tuple[Restriction, ...] = ()
    """In force besides a halt of the account, the one that stops most first."""
    link_lag_us: int | None = None
    """How long an attached engine takes to answer the console; None in one process, and when not known."""

    @property
    def is_live(self) -> bool:
        """Whether real money is at stake."""
        return self.kind is AccountKind.LIVE


@dataclass(frozen=True, slots=True)
class GapRow:
    """One gap candidate of the current session."""

    correlation: CorrelationId
    symbol: Symbol
    gap_ratio: float
    price: float
    q_bounce: float | None
    p_touch: float | None
    bcs: float | None
    ev_ratio: float | None
    votes: tuple[Vote | None, ...]
    """Six, in the order Sentinel, Screener, Forecaster, RiskOfficer, NewsSentry, Trader; None: not asked."""
    state: RowState
    ticket: TicketId | None
    number: int | None
    """Of the ticket and its bracket: T-18, B-18."""
    expires_us: int | None
    reason: str
    """Shortest decisive words, at most 16 characters: `ADV 1.2M < 5M`, `filled 12/12`."""
    details: tuple[str, ...]
    """One sentence for each verdict and gate that speaks against it, with value and limit; for `w`."""
    sector: str | None = None
    name: str | None = None
    """The company's name."""
    filters: tuple[int, int] | None = None
    """Of SPEC 3.7 how many let it through, and how many there are; None where none judged it."""
    q_low: float | None = None
    q_high: float | None = None
    """They hold `q_bounce` with 90 % confidence."""
    unproved: bool = False
    """Its model never showed skill on what is traded."""
    blocked_by: LimitRow | None = None
    """The first rule that speaks against it; None where none does."""


@dataclass(frozen=True, slots=True)
class TicketView:
    """A proposal with its exact ticket. `sha256` and `order_text` are of the ticket's canonical bytes."""

    ticket: Ticket
    state: ProposalState
    sha256: str
    order_text: str
    order_words: tuple[str, str, str]
    """`BUY 39 ORVX  limit 8.37  day`, `sell 39  stop 7.70  GTC`, `sell 39  target 8.87  GTC`."""
    value: Decimal
    """Most that the entry can cost."""
    loss_at_stop: Decimal
    """Negative."""
    gain_at_target: Decimal
    loss_ratio: float
    """Of equity, negative."""
    bid: float | None
    ask: float | None
    last: float | None
    quote_us: int | None
    """When the current quote was true; None without one."""
    held_reason: str
    """Why it cannot be approved now; "" when it can."""
    snoozed_us: int | None = None
    """A person put it out of sight until then; None: it is in sight."""


@dataclass(frozen=True, slots=True)
class LegView:
    """One order of a bracket."""

    role: OrderRole
    client_order_id: ClientOrderId
    state: OrderState
    price: Decimal | None
    quantity: Decimal
    filled: Decimal
    since_us: int
    """Last change of state."""
    tif: TimeInForce | None = None
    average: Decimal | None = None
    """Mean price of its fills; None without one."""
    venue_order_id: str = ""
    """As the venue names it; "" before it did."""
    type: OrderType | None = None
    sleeps: bool = False
    """The venue holds it for an entry that has not filled completely."""
    cancelling: bool = False
    """A cancel was asked for and is not confirmed yet."""
    sent_us: int = 0
    """When it was first sent."""
    asked: int = 0
    """How often its fate was asked since it became unknown."""
    ask_us: int | None = None
    """When it is asked about next; None while its fate is known."""
    reason: str = ""
    """Why it ended, or why its fate is not known, in the venue's words."""


@dataclass(frozen=True, slots=True)
class PlannedExit:
    """A stop or a target that no order at the venue stands for: the engine places it, or holds it itself."""

    role: OrderRole
    quantity: Decimal
    price: Decimal
    """Today's dollars."""
    waits: bool
    """Nothing is held yet: it is placed when the entry fills."""


@dataclass(frozen=True, slots=True)
class BracketView:
    """An open bracket, or one that closed in the current session."""

    ticket: TicketId
    number: int
    symbol: Symbol
    phase: str
    words: str
    """`protected d2/5`, `entry filling 50%`, `entry UNKNOWN`, `closed target +1.2%`."""
    note: str
    """A second line for an unknown or an alarm; else ""."""
    quantity: Decimal
    held: Decimal
    entry_price: Decimal | None
    limit_price: Decimal
    stop_price: Decimal
    target_price: Decimal
    last: float | None
    pnl_ratio: float | None
    unknown: bool
    protected: bool
    legs: tuple[LegView, ...]
    planned: tuple[PlannedExit, ...] = ()
    day: int = 1
    """Session of the holding, the first is 1."""
    max_days: int | None = None
    """None: no end by time."""
    exiting: str = ""
    """Why the position is being left: target, stop, time, news, manual or emergency; "" while it is not."""
    dropped: bool = False
    """A person had the rest of the entry cancelled."""
    trail_ratio: float | None = None
    """How far under the high the stop follows, a fraction; None while it does not."""
    exit_limit: Decimal | None = None
    """The least that a sale by hand takes at first; None: at market, or nothing to sell."""
    closed_us: int | None = None


class EventKind(StrEnum):
    """Decides the glyph of an event line."""

    YOURS = "yours"
    WORKING = "working"
    PARTLY = "partly"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class EventLine:
    """One thing that happened, in words."""

    ts: int
    kind: EventKind
    text: str
    correlation: str


@dataclass(frozen=True, slots=True)
class DeckView:
    """Everything the Desk shows at one instant. A newer one replaces an older one whole."""

    header: HeaderView
    gaps: tuple[GapRow, ...]
    gaps_note: str
    """`scan 09:30 ET`."""
    tickets: tuple[TicketView, ...]
    """Waiting or held, soonest to expire first; then those that are snoozed."""
    brackets: tuple[BracketView, ...]
    """Unknown first, then in progress, then by age."""
    events: tuple[EventLine, ...]
    """Newest first, at most 200."""
    last_closed: str
    """`HELQ 14:41Z, target, +19.62`; "" when none."""
    portfolio: PortfolioView = NO_PORTFOLIO
    risk: RiskView = NO_RISK
    health: HealthView = NO_HEALTH
    gems: GemsView = NO_GEMS
    scan: GapScanView = NO_SCAN

    @property
    def in_sight(self) -> tuple[TicketView, ...]:
        """Tickets that nobody snoozed."""
        return tuple(ticket for ticket in self.tickets if ticket.snoozed_us is None)
