"""What an engine is built from, and the words for what may be expected of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from enum import StrEnum
from typing import Protocol

from engine.agents.steering import AgentDesk
from engine.clock import Clock
from engine.execution.approvals import unsigned
from engine.execution.approving import DIALOG_US
from engine.execution.gating import StrategyTerms
from engine.execution.policies import ApprovalPolicy
from engine.model.commands import AcceptPolicy, Answer, ReleaseStrategy, RevertPolicy
from engine.model.events import Event
from engine.model.evidence import EdgeEvidence
from engine.model.ids import AccountId, InstrumentId, StrategyName
from engine.model.market import FeedState, Instrument, Provenance
from engine.model.policy import GapsPolicy
from engine.model.positions import AccountKind
from engine.model.tokens import TokenId
from engine.ports import BarColumns, Broker, Journal, Sessions, Snapshots
from engine.reliability.provider import SourceHealth
from engine.risk.limits import LimitSwitches, RiskConfig
from engine.risk.live import LiveRequest
from engine.strategies.base import History, Strategy
from engine.strategies.gems import GemScan
from engine.strategies.knowledge import NOTHING_KNOWN, Knowledge


class EngineState(StrEnum):
    """What a person may expect of the engine now."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    DEGRADED = "DEGRADED"
    HALTED = "HALTED"
    STOPPED = "STOPPED"


NO_AGENTS = Answer(False, "not_ready", "No agents are at work in this run. Nothing was done.")
NOTHING_LEARNED = Answer(False, "not_ready", "Nothing is learned in this run. Nothing was done.")


class Learned(Protocol):
    """What the past of a strategy changes of how it decides."""

    def policy(self, strategy: StrategyName) -> GapsPolicy | None: ...
    def evidence(self, strategy: StrategyName) -> EdgeEvidence | None: ...
    def frozen(self) -> Mapping[StrategyName, str]:
        """Strategies that propose nothing until a person releases them, and why."""
        ...

    def give(self, command: AcceptPolicy | RevertPolicy | ReleaseStrategy) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the engine is made of; built by the wiring."""

    account: AccountId
    kind: AccountKind
    clock: Clock
    journal: Journal
    broker: Broker
    strategies: tuple[Strategy, ...]
    terms: Mapping[StrategyName, StrategyTerms]
    sessions: Sessions
    history: Callable[[date], History]
    """Daily bars before a session."""
    index: Callable[[str, date], BarColumns | None]
    """Daily bars of VIX or SPY before a session; None when not stored."""
    instruments: Mapping[InstrumentId, Instrument]
    switches: LimitSwitches
    max_positions_total: int
    dataset: bool
    policy: ApprovalPolicy
    random_bits: Callable[[int], int]
    publish: Callable[[Event], None]
    config_hash: str
    live: bool = False
    """Time runs by itself, and the venue lives elsewhere: it is asked again and again."""
    live_request: Callable[[], LiveRequest | None] = lambda: None
    """What an account with real money brings with it, asked at the start and before each entry."""
    entry_until: date | None = None
    """Last session in which new entries are proposed; None: no bound."""
    snapshots: Snapshots | None = None
    """Where emergency shutdowns are written down; None: nowhere."""
    cancel_entries_at_stop: bool = True
    """Whether unfilled entries are cancelled when the engine stops; its stops rest in any case."""
    blocks_resume: Callable[[], str] = lambda: ""
    """What outside the engine forbids a resume, in words; "" when nothing does."""
    sign: Callable[[bytes], str] = unsigned
    """Of what an approval commits to."""
    dialog_us: int = DIALOG_US
    """How long what a person was shown may be approved, in the clock's time."""
    risk: RiskConfig = field(default_factory=RiskConfig)
    day_roll: tzinfo = UTC
    """At whose midnight the account's day begins."""
    sector_of: Callable[[InstrumentId], str | None] | None = None
    """None: there is no source of sectors."""
    provenance: Provenance = Provenance.LIVE
    """Of everything that its market tells."""
    feeds: Callable[[], tuple[FeedState, ...]] = tuple
    """How the streams of data do."""
    services: Callable[[], tuple[SourceHealth, ...]] = tuple
    """How the services do that are called for data."""
    news_feed: str = ""
    """Which of `feeds` tells headlines; "": none. At its start it tells those of the last three days again,
    since the engine keeps none over a restart."""
    name_of: Callable[[InstrumentId], str | None] = lambda instrument: None
    """The company behind a symbol, in words from outside; None where it is not known."""
    gems: GemScan | None = None
    """None: this market has no tokens."""
    agents: AgentDesk | None = None
    """The states of the agents, and who may change them; None: all run."""
    knowledge: Knowledge = NOTHING_KNOWN
    """What strategies may know beside prices and books."""
    token_prices: Callable[[TokenId, int, int], Sequence[tuple[int, float]]] | None = None
    """(token, now, count) -> at most `count` 5-minute closes known by then, as (ts, USD), oldest first."""
