"""What the past proposals of a strategy say of an edge, as a document and as lines (SPEC 3.3.6)."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from engine.agents.auditor import SEED
from engine.agents.past import counted_trades
from engine.model.evidence import PROPOSALS_NEEDED, SESSIONS_NEEDED
from engine.strategies.evidence import edge_evidence, other_gates
from engine.strategies.gaps_config import GapsConfig
from storage.past_proposals import kept_proposals
from storage.paths import StatePaths
from tui import format
from tui.stored import one_journal

Document = dict[str, Any]


def evidence_document(state: StatePaths, gaps: GapsConfig) -> Document:
    """Of walk-forward proposals that were kept and of the state's own shadow book."""
    followed: list[tuple[date, float]] = []
    if state.journals():
        with one_journal(state) as journal:
            followed = [(trade.session, trade.net) for trade in counted_trades(journal)]
    kept = kept_proposals(state.home.data)
    differ = () if kept is None else other_gates(kept.thresholds, gaps)
    begun = min((session for session, _ in followed), default=date.max)
    past = [] if kept is None or differ else [found for found in kept.returns if found[0] < begun]
    known = [*past, *followed]
    found = edge_evidence([net for _, net in known], [day for day, _ in known], SEED)
    return {
        "followed": len(followed),
        "walk_forward": len(past),
        "kept": None if kept is None else {"sha256": kept.sha256, "proposals": len(kept.returns)},
        "other_gates": list(differ),
        "n": found.n,
        "sessions": found.sessions,
        "mean": found.mean,
        "low": found.low,
        "high": found.high,
        "bound": found.bound,
        "is_shown": found.is_shown,
        "needs": {"proposals": PROPOSALS_NEEDED, "sessions": SESSIONS_NEEDED, "bound": 0.0},
    }


def evidence_lines(document: Document) -> Iterator[str]:
    """The same for a person."""
    word = "shows an edge" if document["is_shown"] else "no evidence of an edge"
    yield f"gaps: {word}: {document['n']} proposals on {document['sessions']} sessions"
    yield f"  {document['walk_forward']} of a walk-forward, {document['followed']} followed on paper"
    if document["mean"] is not None:
        yield f"  mean net {format.signed_percent(document['mean'])}"
    if document["bound"] is not None:
        low, high = format.signed_percent(document["low"]), format.signed_percent(document["high"])
        yield f"  95 % of the draws lie in {low} to {high}, bound {format.signed_percent(document['bound'])}"
    needs = document["needs"]
    yield f"  needed: {needs['proposals']} on {needs['sessions']} sessions with a bound above 0"
    if document["other_gates"]:
        yield f"  A walk-forward is kept, made with another {', '.join(document['other_gates'])}: not counted"
