"""Every event: a fact, past tense, any number of listeners. State is updated before an event is published.

All but market data carry the correlation id of the candidate they follow from, "" where there is none.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import get_args

from engine.model.candidates import Verdict
from engine.model.ids import CorrelationId, InstrumentId, TicketId
from engine.model.jobs import JobResult
from engine.model.market import MarketBatch
from engine.model.orders import Fill
from engine.model.policy import ClosedTrade, PolicyStep
from engine.model.positions import RoundTrip
from engine.model.tickets import ProposalState, Ticket
from engine.model.tokens import TokenId


@dataclass(frozen=True, slots=True)
class MarketMoved:
    """A batch of market data was taken into the live picture; a newer one replaces an unread one."""

    batch: MarketBatch


@dataclass(frozen=True, slots=True)
class EngineStateChanged:
    """The engine moved between STARTING, RUNNING, DEGRADED, HALTED and STOPPED."""

    state: str
    reason: str
    by: str
    ts: int


@dataclass(frozen=True, slots=True)
class SymbolHalted:
    """Nothing new may begin in one instrument until a person releases it; its stops stay."""

    instrument: InstrumentId
    reason: str
    by: str
    ts: int


@dataclass(frozen=True, slots=True)
class SymbolReleased:
    """A halted instrument may be traded again."""

    instrument: InstrumentId
    by: str
    ts: int


@dataclass(frozen=True, slots=True)
class AnomalySeen:
    """A measurement left what is normal (SPEC 4.9). `kind` is a stable word; `limit` in the unit of `value`.

    Two of different kinds within five minutes start the emergency shutdown. `subject`: what it is about, ""
    for the account.
    """

    kind: str
    value: float
    limit: float
    ts: int
    subject: str = ""


@dataclass(frozen=True, slots=True)
class BreakerMoved:
    """The drawdown breaker moved between its levels, 0 to 3 (SPEC 4.8.4). `drawdown` is a fraction.

    `effect`: what the new level means for entries, in words.
    """

    level: int
    was: int
    drawdown: float
    high_water: Decimal
    effect: str
    ts: int


@dataclass(frozen=True, slots=True)
class CandidatesJudged:
    """A strategy's decision instant is over; `verdicts` are all candidates, in the order handled."""

    strategy: str
    verdicts: tuple[Verdict, ...]
    ts: int


@dataclass(frozen=True, slots=True)
class TicketChanged:
    """A proposal moved. `actor` is who moved it (engine, an agent, a person), `reason` why."""

    ticket: Ticket
    state: ProposalState
    actor: str
    reason: str
    ts: int


@dataclass(frozen=True, slots=True)
class TicketSnoozed:
    """A person put a ticket that waits out of sight `until_us`; None: it is back, and waits on."""

    ticket: Ticket
    until_us: int | None
    actor: str
    ts: int


@dataclass(frozen=True, slots=True)
class BracketChanged:
    """A bracket or one of its orders moved; the new state is in the live picture."""

    ticket: TicketId
    correlation: CorrelationId
    instrument: InstrumentId
    phase: str
    text: str
    ts: int


@dataclass(frozen=True, slots=True)
class PersonActed:
    """A person had an entry cancelled, a position closed or the venue asked; `text` says what of which."""

    ticket: TicketId
    correlation: CorrelationId
    text: str
    by: str
    ts: int


@dataclass(frozen=True, slots=True)
class FillRecorded:
    """A fill was journalled."""

    ticket: TicketId
    correlation: CorrelationId
    fill: Fill


@dataclass(frozen=True, slots=True)
class RoundTripClosed:
    """A bracket reached CLOSED after it held a position."""

    round_trip: RoundTrip


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A scheduled job began; `due_us` is the time that it was for."""

    name: str
    due_us: int
    ts: int


@dataclass(frozen=True, slots=True)
class JobEnded:
    """A scheduled job ended, or its due time was missed. `words`: what came of it, or why nothing did.

    `failures`: in a row, this one counted.
    """

    name: str
    due_us: int
    result: JobResult
    words: str
    failures: int
    ts: int


@dataclass(frozen=True, slots=True)
class AgentMoved:
    """An agent came into another state: paused, failed, back from an error. `why`: its error, "" for none."""

    agent: str
    state: str
    was: str
    why: str
    by: str
    ts: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something a person should look at. `page`: now, wherever they are.

    `kind`: a stable word for filters and routes, "" where the text is all there is.
    """

    text: str
    page: bool
    correlation: CorrelationId
    ts: int
    kind: str = ""


@dataclass(frozen=True, slots=True)
class ShadowEnded:
    """A signal that was followed on paper came to its end. `counts`: as evidence of an edge (SPEC 3.3.6)."""

    trade: ClosedTrade
    counts: bool


@dataclass(frozen=True, slots=True)
class PolicyMoved:
    """A step of policy waits for a person, was applied, or is over; `text` says it in words."""

    step: PolicyStep
    text: str
    ts: int


@dataclass(frozen=True, slots=True)
class GemFlagged:
    """A token passed the flag rule and waits for a person (SPEC 2.5). Score and confidence of 100."""

    token: TokenId
    symbol: str
    score: float
    signals: int
    confidence: float
    ts: int


@dataclass(frozen=True, slots=True)
class GemUnflagged:
    """A token left the review queue without a block: its score fell or nobody decided."""

    token: TokenId
    symbol: str
    score: float
    reason: str
    ts: int


@dataclass(frozen=True, slots=True)
class GemBlocked:
    """A token that was fine does not pass a safety gate any more. `reason` carries value and limit."""

    token: TokenId
    symbol: str
    gate: str
    reason: str
    was_flagged: bool
    ts: int


Event = (
    MarketMoved
    | EngineStateChanged
    | SymbolHalted
    | SymbolReleased
    | AnomalySeen
    | BreakerMoved
    | CandidatesJudged
    | TicketChanged
    | TicketSnoozed
    | BracketChanged
    | PersonActed
    | FillRecorded
    | RoundTripClosed
    | GemFlagged
    | GemUnflagged
    | GemBlocked
    | ShadowEnded
    | PolicyMoved
    | JobStarted
    | JobEnded
    | AgentMoved
    | Alarm
)

ALL_EVENTS: tuple[type, ...] = get_args(Event)
