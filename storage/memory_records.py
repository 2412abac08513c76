"""The agents' memory as model values: what goes into a row and what comes out of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from engine.model.candidates import AgentReport, FeatureValue, MissingReason, Regime, Verdict, Vote
from engine.model.ids import CorrelationId, InstrumentId, StrategyName, TicketId
from engine.model.policy import Author, ClosedTrade, Param, PolicyStep
from engine.model.positions import ExitReason
from engine.model.tickets import to_plain
from engine.strategies.adapting import reward


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
    """One finished round trip. `cost` is money in account currency, ratios are fractions.

    `trade` holds all of it again, in rows that were written since it is kept; None in older ones.
    """

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
    trade: ClosedTrade | None


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """One change of one parameter. `evidence`: the candidates whose closed trades are behind it."""

    policy_id: str
    step: str
    """Of which step it is a part: its `_highvix` key moves along."""
    ts: int
    parent_id: str | None
    param: Param
    old: float | None
    new: float
    reason: str
    evidence: tuple[CorrelationId, ...]
    author: Author


def signal_values(verdict: Verdict, policy_id: str | None) -> dict[str, object]:
    """The row of a verdict; `policy_id`: in force, where no proposal names its own."""
    candidate, proposal = verdict.candidate, verdict.proposal
    veto_agent, veto_reason = (None, None) if proposal else _veto(verdict)
    found = candidate.assessment
    forecast, bcs = (found.forecast, found.bcs) if found else (None, None)
    return {
        "signal_id": candidate.correlation,
        "correlation": candidate.correlation,
        "ts": candidate.decided_us,
        "strategy": candidate.strategy,
        "instrument": candidate.instrument,
        "session": candidate.session,
        "features": to_plain(candidate.features),
        "p_revert": forecast.p_revert if forecast else None,
        "bcs": bcs.total if bcs else None,
        "regime": candidate.regime.value,
        "votes": to_plain(verdict.reports),
        "vetoed": proposal is None,
        "veto_agent": veto_agent,
        "veto_reason": veto_reason,
        "model_version": forecast.model_id if forecast else proposal.model_id if proposal else None,
        "policy_id": proposal.policy_id if proposal else policy_id,
    }


def outcome_values(trade: ClosedTrade) -> dict[str, object]:
    """The row of a trade that ended, without `signal_id`."""
    return {
        "outcome_id": trade.id,
        "correlation": trade.correlation,
        "shadow": trade.shadow,
        "entry_ts": trade.entry_us,
        "entry_px": format(trade.entry_price, "f"),
        "exit_ts": trade.exit_us,
        "exit_px": format(trade.exit_price, "f"),
        "exit_reason": trade.exit_reason.value,
        "sessions": trade.sessions,
        "ret": trade.ret,
        "cost": format(trade.cost, "f"),
        "mae": trade.mae,
        "mfe": trade.mfe,
        "reward": reward(trade.exit_reason, trade.sessions),
        "strategy": trade.strategy,
        "instrument": trade.instrument,
        "session": trade.session,
        "exit_session": trade.exit_session,
        "proposed": trade.proposed,
        "quantity": format(trade.quantity, "f"),
        "net": trade.net,
        "votes": {agent: vote.value for agent, vote in trade.votes.items()},
    }


def policy_values(step: PolicyStep) -> list[dict[str, object]]:
    """The rows of a step that was applied: one for each parameter, tied by `correlation`."""
    return [
        {
            "policy_id": f"{step.id}.{n}",
            "correlation": step.id,
            "ts": step.ts if step.decided_us is None else step.decided_us,
            "parent_id": step.parent_id,
            "param": move.param.value,
            "old": repr(move.old),
            "new": repr(move.new),
            "reason": step.reason,
            "evidence": [{"correlation": correlation} for correlation in step.trades],
            "author": step.author.value,
        }
        for n, move in enumerate(step.moves, start=1)
    ]


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
