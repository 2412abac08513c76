"""What the screen Gaps says beside its rows, made from the engine's state and kept between two views."""

from collections.abc import Sequence

from engine.agents.past import counted_trades, followed_trades
from engine.core import Engine
from engine.execution.shadow_rows import OPEN, TABLE, restore_terms
from engine.model.events import CandidatesJudged, Event, RoundTripClosed, ShadowEnded, TicketChanged
from engine.model.evidence import PROPOSALS_NEEDED, SESSIONS_NEEDED, EdgeEvidence
from engine.model.ids import StrategyName, symbol_of
from engine.model.policy import ClosedTrade
from engine.model.positions import ExitReason
from engine.statistics.trades import wilson
from tui import format
from tui.showing.gapscan import funnel, judged_now, nearest, why
from tui.shown.gaps import NO_RATE, NO_SCAN, EdgeView, FollowView, GapScanView, RateView

GAPS = StrategyName("gaps")


class GapBoard:
    """Made once for an engine; `hear` must be told of its events."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._view = NO_SCAN
        self._is_old = True

    def hear(self, event: Event) -> None:
        """What it shows follows from these alone."""
        if isinstance(event, CandidatesJudged | ShadowEnded | TicketChanged | RoundTripClosed):
            self._is_old = True

    def make(self) -> GapScanView:
        """As of the last event."""
        if self._is_old:
            self._view = scan_view(self._engine)
            self._is_old = False
        return self._view


def scan_view(engine: Engine) -> GapScanView:
    """Of the last decision instant, and of everything that is followed on paper."""
    judged = judged_now(engine)
    quoted = len(engine.picture.quotes)
    edge, follow, base = followed(engine)
    if GAPS not in engine.verdicts:
        return GapScanView(None, "", 0, 0, "", (), None, base, edge, follow)
    steps = funnel(judged, quoted)
    proposals = sum(entry is not None and entry.ticket.number > 0 for _, entry in judged)
    has_checks = any(verdict.candidate.assessment is not None for verdict, _ in judged)
    return GapScanView(
        judged_us=max((verdict.candidate.decided_us for verdict, _ in judged), default=None),
        rule="full" if has_checks else "naive" if judged else "",
        candidates=len(judged),
        proposals=proposals,
        reason=why(steps, proposals, len(judged), quoted),
        funnel=steps,
        nearest=nearest(judged),
        base=base,
        edge=edge,
        follow=follow,
    )


def followed(engine: Engine) -> tuple[EdgeView | None, FollowView | None, RateView]:
    """The shadow book, what is followed now, and how often the target came first."""
    learned = engine.learned
    evidence = None if learned is None else learned.evidence(GAPS)
    if evidence is None:
        return None, None, NO_RATE
    journal = engine.parts.journal
    ended = followed_trades(journal)
    still = [restore_terms(row) for row in journal.rows(TABLE, state=OPEN)]
    proposed = sum(terms.proposed for terms in still)
    last = _ended_words(ended[-1]) if ended else ""
    return (
        edge_view(evidence, counted_trades(journal)),
        FollowView(proposed, len(still) - proposed, last),
        rate(sum(trade.exit_reason is ExitReason.TARGET for trade in ended), len(ended)),
    )


def edge_view(evidence: EdgeEvidence, trades: Sequence[ClosedTrade]) -> EdgeView:
    """The evidence of an edge beside how many of its trades won."""
    return EdgeView(
        n=evidence.n,
        sessions=evidence.sessions,
        won=rate(sum(trade.is_won for trade in trades), len(trades)),
        mean=evidence.mean,
        low=evidence.low,
        high=evidence.high,
        bound=evidence.bound,
        needs_n=PROPOSALS_NEEDED,
        needs_sessions=SESSIONS_NEEDED,
        is_shown=evidence.is_shown,
    )


def rate(hits: int, of: int) -> RateView:
    """A share with its interval."""
    return RateView(of, hits, *(wilson(hits, of) if of else (None, None)))


def _ended_words(trade: ClosedTrade) -> str:
    """`SPLQ stop -8.0%`."""
    net = format.signed_percent(trade.net)
    return f"{symbol_of(trade.instrument)} {trade.exit_reason.value} {net}"
