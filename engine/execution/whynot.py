"""Why a candidate was not traded: one row for each, written in the same commit as what became of it."""

from engine.execution.margins import margin
from engine.model.candidates import AgentReport, GateResult, Verdict, Vote
from engine.model.ids import CorrelationId
from engine.model.whynot import Outcome
from engine.ports import JournalRow

NO_QUOTE = ("G2 data", "no quote", "a two-sided quote")


def gate_words(result: GateResult) -> str:
    """`G8 positions: 8 open, limit 8`."""
    return f"{result.gate} {result.title}: {result.reason}"


def vetoed_row(verdict: Verdict, now_us: int) -> JournalRow:
    """A candidate that came to no proposal: the veto that ended it, the hard one before the soft."""
    veto = _decisive(verdict.reports)
    if veto is None:
        return _row(verdict, now_us, Outcome.VETOED, "panel", verdict.reason)
    reason = veto.reasons[0] if veto.reasons else verdict.reason
    return _row(verdict, now_us, Outcome.VETOED, veto.agent, reason, veto.value, veto.limit)


def unquoted_row(verdict: Verdict, now_us: int) -> JournalRow:
    """A proposal whose quote was gone when the gates should judge it."""
    gate, value, limit = NO_QUOTE
    return _row(verdict, now_us, Outcome.GATED_OUT, gate, "there is no quote", value, limit)


def gated_row(verdict: Verdict, now_us: int, failure: GateResult) -> JournalRow:
    """A proposal that a gate refused."""
    who = f"{failure.gate} {failure.title}"
    return _row(verdict, now_us, Outcome.GATED_OUT, who, failure.reason, failure.value, failure.limit)


def waiting_row(verdict: Verdict, now_us: int, number: int) -> JournalRow:
    """A ticket that waits for a person."""
    row = _row(verdict, now_us, Outcome.WAITING, "", "")
    return JournalRow(row.table, {**row.values, "number": number, "decided_us": None})


def replaced_row(correlation: CorrelationId, number: int) -> JournalRow:
    """A person made the ticket smaller: another number waits."""
    return JournalRow("whynot", {"correlation": correlation, "number": number})


def decided_row(
    correlation: CorrelationId, outcome: Outcome, who: str, reason: str, now_us: int
) -> JournalRow:
    """What became of a ticket that waited."""
    return JournalRow(
        "whynot",
        {
            "correlation": correlation,
            "outcome": outcome.value,
            "who": who,
            "reason": reason,
            "decided_us": now_us,
        },
    )


def _decisive(reports: tuple[AgentReport, ...]) -> AgentReport | None:
    vetoes = [report for report in reports if report.vote is Vote.VETO]
    return next((report for report in vetoes if report.hard), vetoes[0] if vetoes else None)


def _row(
    verdict: Verdict,
    now_us: int,
    outcome: Outcome,
    who: str,
    reason: str,
    value: str = "",
    limit: str = "",
) -> JournalRow:
    candidate = verdict.candidate
    return JournalRow(
        "whynot",
        {
            "correlation": candidate.correlation,
            "strategy": candidate.strategy,
            "instrument": candidate.instrument,
            "session": candidate.session.isoformat(),
            "judged_us": candidate.decided_us,
            "outcome": outcome.value,
            "who": who,
            "reason": reason,
            "value": value,
            "bound": limit,
            "margin": margin(value, limit),
            "number": None,
            "decided_us": now_us,
        },
    )
