"""The policy of `gaps` at one instant, how it came about, and the trades that it is judged by (SPEC 3.11)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from engine.model.candidates import Vote
from engine.model.ids import CorrelationId, InstrumentId, StrategyName
from engine.model.positions import ExitReason


class TickerState(StrEnum):
    """What the past trades of an instrument let it do."""

    ACTIVE = "active"
    MONITORED = "monitored"
    """Half the size."""
    EJECTED = "ejected"
    """No entries for a while."""


@dataclass(frozen=True, slots=True)
class TickerStanding:
    """An instrument by its own closed trades: `rate` is the share of wins shrunk to the long run, 0..1."""

    state: TickerState
    rate: float
    wins: int
    n: int
    until: date | None = None
    """First session in which an ejected one may be entered again; None for the others."""


NO_TRADES = TickerStanding(TickerState.ACTIVE, 0.56, 0, 0)
"""Of an instrument that was never traded: the long-run share of wins (SPEC 3.11)."""


@dataclass(frozen=True, slots=True)
class GapsPolicy:
    """Everything that memory may change of how `gaps` decides, and nothing else.

    The thresholds are those of `[gaps]` in config.toml until a step moved them.
    """

    policy_id: str
    bcs_min: float
    """A score must lie above it, not at it."""
    bcs_min_highvix: float
    q_min: float
    q_min_highvix: float
    closed_trades: int = 0
    """Of the strategy on this account; the vote is weighted from a number of them on (SPEC 3.4.1)."""
    accuracy: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    """Agent -> (share of right votes, votes scored)."""
    standings: Mapping[InstrumentId, TickerStanding] = field(default_factory=dict)
    """Of the instruments that were traded; the others are `NO_TRADES`."""
    cooldown_until: Mapping[InstrumentId, date] = field(default_factory=dict)
    """First session in which an instrument may be entered again after an exit."""

    def standing(self, instrument: InstrumentId, session: date) -> TickerStanding:
        """Of an instrument in a session; once its ejection is over it is monitored."""
        found = self.standings.get(instrument, NO_TRADES)
        if found.state is TickerState.EJECTED and found.until is not None and session >= found.until:
            return TickerStanding(TickerState.MONITORED, found.rate, found.wins, found.n)
        return found

    def cools_until(self, instrument: InstrumentId, session: date) -> date | None:
        """Until which session an instrument is left alone after its last exit; None when it is not."""
        until = self.cooldown_until.get(instrument)
        return until if until is not None and session < until else None


class Param(StrEnum):
    """What a step moves: the fields of `GapsPolicy` of the same names."""

    BCS_MIN = "bcs_min"
    BCS_MIN_HIGHVIX = "bcs_min_highvix"
    Q_MIN = "q_min"
    Q_MIN_HIGHVIX = "q_min_highvix"


class Author(StrEnum):
    """Who changed a policy."""

    AUDITOR = "auditor"
    USER = "user"


class StepState(StrEnum):
    """What became of a proposed step."""

    WAITING = "waiting"
    """For a person."""
    APPLIED = "applied"
    DISMISSED = "dismissed"
    """Another review came to something else before anybody accepted it."""


@dataclass(frozen=True, slots=True)
class ParamMove:
    """One parameter from `old` to `new`."""

    param: Param
    old: float
    new: float


@dataclass(frozen=True, slots=True)
class PolicyStep:
    """A change of policy with the trades behind it. `moves` go together: `_highvix` keys move along."""

    id: str
    """A ULID; once it is applied, the id of the policy."""
    number: int
    """Shown as P-3."""
    strategy: StrategyName
    ts: int
    parent_id: str
    moves: tuple[ParamMove, ...]
    reason: str
    """One sentence with the measured numbers and their limits."""
    trades: tuple[CorrelationId, ...]
    """The evidence: candidates whose closed trades were counted."""
    author: Author
    reverts: str = ""
    """The id of the step that this one takes back; "" for one that goes forward."""
    state: StepState = StepState.WAITING
    decided_by: str = ""
    decided_us: int | None = None


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """A trade that ended, or a signal that was followed on paper to its end (a row of `outcomes`, SPEC 3.10).

    Prices are averages in entry-day dollars, `quantity` shares of that day. `cost` is money for all of it:
    fees, and for a followed signal also the slippage at 1x that its prices do not hold. `mae` and `mfe`: the
    lowest and highest price reached while it was held, over the entry price, less 1; None: nobody looked.
    """

    id: str
    """The ticket's id; of a followed signal `shadow-` and its correlation id."""
    correlation: CorrelationId
    strategy: StrategyName
    instrument: InstrumentId
    session: date
    """Of the entry."""
    shadow: bool
    proposed: bool
    """Whether the agents let it through; a vetoed one is followed to score their votes."""
    entry_us: int
    entry_price: Decimal
    exit_us: int
    exit_session: date
    exit_price: Decimal
    exit_reason: ExitReason
    sessions: int
    quantity: Decimal
    cost: Decimal
    votes: Mapping[str, Vote] = field(default_factory=dict)
    mae: float | None = None
    mfe: float | None = None

    @property
    def ret(self) -> float:
        """exit / entry - 1 as a fraction."""
        return float(self.exit_price) / float(self.entry_price) - 1

    @property
    def net(self) -> float:
        """The same after its costs."""
        return float(self.exit_price - self.cost / self.quantity) / float(self.entry_price) - 1

    @property
    def is_won(self) -> bool:
        """It made money after its costs."""
        return self.net > 0
