"""What is known of a strategy's edge, in the words of a ticket (SPEC 3.3.6)."""

from engine.model.evidence import PROPOSALS_NEEDED, SESSIONS_NEEDED, EdgeEvidence
from engine.model.positions import AccountKind
from engine.risk.words import percent


def evidence_words(evidence: EdgeEvidence | None, kind: AccountKind) -> str:
    """`no evidence of an edge: n 12 on 9 sessions, …`, with what would be needed."""
    needed = f"needed: {PROPOSALS_NEEDED} on {SESSIONS_NEEDED} sessions and a bound above 0"
    unneeded = "" if kind is AccountKind.LIVE else f"; a {kind} account needs none"
    if evidence is None or evidence.n == 0:
        return f"no evidence of an edge: no past proposals were followed, {needed}{unneeded}"
    bound = "unknown" if evidence.bound is None else f"{100 * evidence.bound:+.2f} %"
    measured = (
        f"n {evidence.n} on {evidence.sessions} sessions, mean {_signed(evidence.mean)} net,"
        f" 95 % interval {_signed(evidence.low)} to {_signed(evidence.high)}, one-sided bound {bound}"
    )
    if evidence.is_shown:
        return f"evidence of an edge: {measured}"
    return f"no evidence of an edge: {measured}, {needed}{unneeded}"


def _signed(ratio: float | None) -> str:
    return percent(None) if ratio is None else f"{100 * ratio:+.2f} %"
