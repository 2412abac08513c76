"""What a face asks for when a person opens something: answers to one question, not pushed.

Prices and ratios float unless they are of an order; times int microseconds UTC; `None` is not known.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.model.assessment import Assessment
from engine.model.candidates import AgentReport, FeatureValue, GateResult
from engine.model.ids import CorrelationId, Symbol, TicketId
from engine.model.orders import OrderRole
from tui.shown.gaps import LimitRow


class Topic(StrEnum):
    """What a detail is about; beside it stands what its id is."""

    GAP = "gap"
    """The candidate's correlation id."""
    GEM = "gem"
    """The token's id."""
    BRACKET = "bracket"
    """The ticket's id."""
    EQUITY = "equity"
    """A period: 1d, 7d, 30d, 90d, 1y or all."""
    LOG = "log"
    """Audit lines older than this sequence number; "" for the newest."""


@dataclass(frozen=True, slots=True)
class ChartBars:
    """Bars of one length, oldest first; all columns have the same length. `ts`: when each bar began.

    `volume` is empty where the stream does not tell it.
    """

    period: str
    """5m or 1d."""
    ts: tuple[int, ...]
    open: tuple[float, ...]
    high: tuple[float, ...]
    low: tuple[float, ...]
    close: tuple[float, ...]
    volume: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class HeadlineRow:
    """A headline about an instrument."""

    ts: int
    title: str
    source: str


@dataclass(frozen=True, slots=True)
class GapDetail:
    """One gap candidate with everything that was said of it."""

    correlation: CorrelationId
    symbol: Symbol
    sector: str | None
    decided_us: int
    gap_ratio: float
    regime: str
    reports: tuple[AgentReport, ...]
    gates: tuple[GateResult, ...]
    """Of its ticket; empty without one."""
    features: tuple[FeatureValue, ...]
    headlines: tuple[HeadlineRow, ...]
    entry_price: float | None
    stop_price: float | None
    target_price: float | None
    last: float | None
    charts: tuple[ChartBars, ...]
    """Periods that there are bars of, the one to show first at the front."""
    name: str | None = None
    """The company's name."""
    assessment: Assessment | None = None
    """Chances, scores, filters and evidence; None under the naive rule."""
    limits: tuple[LimitRow, ...] = ()
    """Every rule that was held against it, those of its votes that failed too, each with its margin."""


@dataclass(frozen=True, slots=True)
class ScorePart:
    """One sub-score of a GemScore: `points` of at most `weight`, both of 100 (SPEC 2.1)."""

    name: str
    score: float | None
    """0..1; None: not known, it adds nothing."""
    points: float
    weight: float
    missing: str
    """What is not known, in words; "" when it is."""


@dataclass(frozen=True, slots=True)
class SafetyRow:
    """One safety gate (SPEC 2.4): what was found and what is allowed."""

    gate: str
    verdict: str
    """pass, block or unknown; unknown blocks."""
    value: str
    limit: str
    source: str
    ts_event: int | None


@dataclass(frozen=True, slots=True)
class HolderRow:
    """One of the largest holders, in percent of the supply."""

    name: str
    share_pct: float
    note: str


@dataclass(frozen=True, slots=True)
class GemDetail:
    """One scored token with everything that its score and its safety stand on."""

    id: str
    symbol: str
    name: str
    chain: str
    address: str
    quote_symbol: str
    score: float
    score_max: float
    """What it could be if everything missing were perfect."""
    change_6h: float | None
    """Of the score, points."""
    confidence: float
    signals: int
    safety: str
    """pass, caution or block."""
    safety_score: float | None
    contributions: tuple[ScorePart, ...]
    gates: tuple[SafetyRow, ...]
    deductions: tuple[str, ...]
    holders: tuple[HolderRow, ...]
    holder_count: int | None
    pools: tuple[str, ...]
    missing: tuple[str, ...]
    """Features without a value, each with its reason."""
    price_usd: float
    change_24h_pct: float | None
    chart: ChartBars | None
    flagged_us: int | None
    since_flag_ratio: float | None
    seen_us: int


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One step in the life of a bracket. `is_next`: it has not happened; `ts` is then when it is due."""

    ts: int | None
    words: str
    is_next: bool = False


@dataclass(frozen=True, slots=True)
class FillRow:
    """One fill of a bracket's order."""

    ts: int
    role: OrderRole
    quantity: Decimal
    price: Decimal
    fee: Decimal


@dataclass(frozen=True, slots=True)
class BracketDetail:
    """What happened to a bracket and what happens next."""

    ticket: TicketId
    number: int
    symbol: Symbol
    story: tuple[StoryLine, ...]
    fills: tuple[FillRow, ...]


@dataclass(frozen=True, slots=True)
class EquityDetail:
    """The account's value over a period, oldest first, at most a few hundred points."""

    period: str
    ts: tuple[int, ...]
    equity: tuple[float, ...]
    """Money of the account's currency."""
    drawdown: tuple[float, ...]
    """Fall from the highest value until then, a fraction at or below 0."""


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One line of the hash-chained audit log."""

    seq: int
    ts: int
    actor: str
    kind: str
    text: str
    correlation: str
    hash: str
    body: str
    """Canonical JSON."""


@dataclass(frozen=True, slots=True)
class LogDetail:
    """A page of the audit log, newest first."""

    records: tuple[LogRecord, ...]
    older: bool
    """Whether there are lines before the last one."""


Detail = GapDetail | GemDetail | BracketDetail | EquityDetail | LogDetail
DETAILS: dict[Topic, type[Detail]] = {
    Topic.GAP: GapDetail,
    Topic.GEM: GemDetail,
    Topic.BRACKET: BracketDetail,
    Topic.EQUITY: EquityDetail,
    Topic.LOG: LogDetail,
}
