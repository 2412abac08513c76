"""The agents' memory as model values: what goes into a row and what comes out of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from engine.model.candidates import AgentReport, FeatureValue, MissingReason, Regime, Verdict, Vote
from engine.model.ids import CorrelationId, InstrumentId, StrategyName, TicketId
from engine.model.positions import ExitReason, RoundTrip
from engine.model.tickets import to_plain

_REWARDS = {
    ExitReason.TARGET: 1.0,
    ExitReason.STOP: -1.0,
    ExitReason.TIME: -0.2,
    ExitReason.NEWS: -1.0,
}
_REWARD_PER_SESSION = -0.01


class ActionKind(StrEnum):
    """Steps that a signal leads to (SPEC 3.10)."""

    PROPOSAL = "proposal"
    APPROVE = "approve"
    REJECT = "reject"
    EXPIRE = "expire"
    ORDER = "order"
    CANCEL = "cancel"
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class SignalRecord:
    """One judged candidate. `veto_agent` and `veto_reason` are None unless `vetoed`."""

    correlation: CorrelationId
    ts: int
    strategy: StrategyName
    instrument: InstrumentId
    session: date
    features: tuple[FeatureValue, ...]
    p_revert: float | None
    bcs: float | None
    regime: Regime
    votes: tuple[AgentReport, ...]
    vetoed: bool
    veto_agent: str | None
    veto_reason: str | None
    model_version: str | None
    policy_id: str | None


@dataclass(frozen=True, slots=True)
class ActionRecord:
    """One step."""

    correlation: CorrelationId
    ts: int
    kind: ActionKind
    actor: str
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class OutcomeRecord:
    """One finished round trip. `cost` is fees in account currency, `ret` a fraction."""

    ticket: TicketId
    correlation: CorrelationId
    shadow: bool
    entry_ts: int
    entry_px: Decimal
    exit_ts: int
    exit_px: Decimal
    exit_reason: ExitReason
    sessions: int
    ret: float
    cost: Decimal
    mae: float | None
    mfe: float | None
    reward: float | None


def signal_values(verdict: Verdict) -> dict[str, object]:
    """The row of a verdict."""
    candidate, proposal = verdict.candidate, verdict.proposal
    veto_agent, veto_reason = (None, None) if proposal else _veto(verdict)
    scores = {feature.id: feature.value for feature in candidate.features}
    return {
        "signal_id": candidate.correlation,
        "correlation": candidate.correlation,
        "ts": candidate.decided_us,
        "strategy": candidate.strategy,
        "instrument": candidate.instrument,
        "session": candidate.session,
        "features": to_plain(candidate.features),
        "p_revert": scores.get("p_revert"),
        "bcs": scores.get("bcs"),
        "regime": candidate.regime.value,
        "votes": to_plain(verdict.reports),
        "vetoed": proposal is None,
        "veto_agent": veto_agent,
        "veto_reason": veto_reason,
        "model_version": proposal.model_id if proposal else None,
        "policy_id": proposal.policy_id if proposal else None,
    }


def outcome_values(trip: RoundTrip) -> dict[str, object]:
    """The row of a finished round trip, without `signal_id`."""
    return {
        "outcome_id": trip.ticket,
        "correlation": trip.correlation,
        "shadow": False,
        "entry_ts": trip.entry_us,
        "entry_px": format(trip.entry_price, "f"),
        "exit_ts": trip.exit_us,
        "exit_px": format(trip.exit_price, "f"),
        "exit_reason": trip.exit_reason.value,
        "sessions": trip.sessions,
        "ret": trip.return_ratio,
        "cost": format(trip.fees, "f"),
        "reward": reward(trip.exit_reason, trip.sessions),
    }


def reward(reason: ExitReason, sessions: int) -> float | None:
    """Target +1, stop and news -1, time -0.2, minus 0.01 a session (SPEC 3.10); None: not rated."""
    base = _REWARDS.get(reason)
    return None if base is None else base + _REWARD_PER_SESSION * sessions


def feature_value(plain: Mapping[str, object]) -> FeatureValue:
    """A feature from its JSON form."""
    missing, value = plain["missing"], plain["value"]
    return FeatureValue(
        id=str(plain["id"]),
        value=float(str(value)) if value is not None else None,
        missing=MissingReason(str(missing)) if missing is not None else None,
        ts_event=int(str(plain["ts_event"])),
        ts_known=int(str(plain["ts_known"])),
        source=str(plain["source"]),
        version=str(plain["version"]),
    )


def agent_report(plain: Mapping[str, object]) -> AgentReport:
    """A vote from its JSON form."""
    reasons, score = plain["reasons"], plain["score"]
    return AgentReport(
        agent=str(plain["agent"]),
        vote=Vote(str(plain["vote"])),
        hard=plain["hard"] is True,
        reasons=tuple(str(reason) for reason in reasons) if isinstance(reasons, list) else (),
        note=str(plain["note"]),
        score=float(str(score)) if score is not None else None,
        elapsed_us=int(str(plain["elapsed_us"])),
    )


def _veto(verdict: Verdict) -> tuple[str | None, str]:
    """Who decided against it and why: the first hard veto, else the first veto, else only the reason."""
    vetoes = [report for report in verdict.reports if report.vote is Vote.VETO]
    decisive = next((report for report in vetoes if report.hard), vetoes[0] if vetoes else None)
    if decisive is None:
        return None, verdict.reason
    return decisive.agent, decisive.reasons[0] if decisive.reasons else verdict.reason
