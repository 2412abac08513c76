"""Candidates, their features, the agents' verdicts and the gates' results."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from engine.model.assessment import Assessment
from engine.model.checks import GateStatus as GateStatus
from engine.model.exits import ExitPlan
from engine.model.ids import CorrelationId, InstrumentId, StrategyName


class MissingReason(StrEnum):
    """Why a value is not there (SPEC 0.4). Never 0, never a default."""

    MISSING = "missing"
    STALE = "stale"
    OUT_OF_RANGE = "out_of_range"
    SOURCE_DOWN = "source_down"
    NOT_APPLICABLE = "not_applicable"
    INSUFFICIENT_HISTORY = "insufficient_history"


@dataclass(frozen=True, slots=True)
class FeatureValue:
    """One feature as a decision saw it. `value` None always comes with `missing`."""

    id: str
    value: float | None
    missing: MissingReason | None
    ts_event: int
    ts_known: int
    source: str
    version: str

    def __post_init__(self) -> None:
        if (self.value is None) != (self.missing is not None):
            raise ValueError(f"feature {self.id}: a missing value needs a reason, a present one has none")


class Regime(StrEnum):
    """Equity market regime (SPEC 3.6)."""

    NORMAL = "normal"
    HIGH_VIX = "high_vix"
    SPY_STRESS = "spy_stress"
    UNKNOWN = "unknown"


class Vote(StrEnum):
    """An agent's vote. Abstaining voters are left out of the count."""

    APPROVE = "approve"
    VETO = "veto"
    ABSTAIN = "abstain"


@dataclass(frozen=True, slots=True)
class AgentReport:
    """One agent's verdict (SPEC 3.4). `reasons` carry measured number and limit, decisive one first.

    `hard`: a veto that no majority can outvote. `note`: the short form for a table (at most 16 characters).
    `value` and `limit`: what the decisive reason of a veto measured, and what would have passed.
    """

    agent: str
    vote: Vote
    hard: bool
    reasons: tuple[str, ...]
    note: str = ""
    score: float | None = None
    elapsed_us: int = 0
    value: str = ""
    limit: str = ""


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate of SPEC 11.3: measured value, limit and reason as texts fit to show and to store."""

    gate: str
    title: str
    status: GateStatus
    value: str
    limit: str
    reason: str


@dataclass(frozen=True, slots=True)
class GapCandidate:
    """A stock that opened lower, as `gaps` saw it at the decision (SPEC 3.2). Prices float, ratios fractions.

    `decision_price` is the price the decision was made at, `prev_close` the prior close after `event_ratio`.
    """

    correlation: CorrelationId
    strategy: StrategyName
    instrument: InstrumentId
    session: date
    decided_us: int
    decision_price: float
    prev_close: float
    gap: float
    adv_usd_20: float | None
    regime: Regime
    features: tuple[FeatureValue, ...]
    assessment: Assessment | None = None
    """What the full rule found out; None under the naive rule."""

    def feature(self, feature_id: str) -> float | None:
        """The value of one of `features`; None when missing. Raises KeyError for a name it does not have."""
        for value in self.features:
            if value.id == feature_id:
                return value.value
        raise KeyError(feature_id)

    @property
    def atr(self) -> float | None:
        """Wilder ATR(14) in dollars of the decision; None when the history is too short."""
        percent = self.feature("atr_14_pct")
        return None if percent is None else percent / 100 * self.decision_price


@dataclass(frozen=True, slots=True)
class Proposal:
    """A sized trade that its strategy's agents let through, before the gates (SPEC 11.2)."""

    candidate: GapCandidate
    reports: tuple[AgentReport, ...]
    limit_price: Decimal
    quantity: Decimal
    exit_plan: ExitPlan
    size_binding: str
    entry_ttl_us: int
    """How long the entry may work unfilled, microseconds (SPEC 3.9)."""
    approval_ttl_us: int
    """How long a person may take, microseconds (SPEC 11.5)."""
    priority: float
    """Proposals of one instant are handled by rising priority, then symbol."""
    policy_id: str
    model_id: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one candidate in its strategy: a proposal, or the reports that ended it.

    `reason` is the shortest decisive reason (at most 16 characters) when there is no proposal.
    """

    candidate: GapCandidate
    reports: tuple[AgentReport, ...]
    proposal: Proposal | None
    reason: str
