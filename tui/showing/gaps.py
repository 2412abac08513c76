"""What the screen Gaps says beside its rows, made from the engine's state and kept between two views."""

from dataclasses import dataclass

from engine.core import Engine
from engine.execution.shadow_rows import CLOSED, OPEN, TABLE, restore_terms, restore_trade
from engine.model.events import CandidatesJudged, Event, RoundTripClosed, ShadowEnded, TicketChanged
from engine.model.evidence import PROPOSALS_NEEDED, SESSIONS_NEEDED, EdgeEvidence
from engine.model.ids import StrategyName, symbol_of
from engine.model.policy import ClosedTrade
from engine.model.positions import ExitReason
from engine.ports import Journal
from engine.statistics.trades import wilson
from tui import format
from tui.showing.gapscan import funnel, judged_now, nearest, why
from tui.shown.gaps import NO_RATE, NO_SCAN, EdgeView, FollowView, GapScanView, RateView

GAPS = StrategyName("gaps")


@dataclass(slots=True)
class ShadowTally:
    """Signals that were followed to their end, counted once and then one by one: there may be thousands."""

    of: int = 0
    targets: int = 0
    """How many reached their target first."""
    counted: int = 0
    """As evidence of an edge."""
    won: int = 0
    """Of those that count."""
    last: str = ""

    def add(self, trade: ClosedTrade, counts: bool) -> None:
        """One more that ended."""
        self.of += 1
        self.targets += trade.exit_reason is ExitReason.TARGET
        self.counted += counts
        self.won += counts and trade.is_won
        self.last = _ended_words(trade)


def read_tally(journal: Journal) -> ShadowTally:
    """All that the journal holds. Raises StorageError for a row that makes no sense."""
    tally = ShadowTally()
    ended = [(restore_trade(row), bool(row["counts"])) for row in journal.rows(TABLE, state=CLOSED)]
    for trade, counts in sorted(ended, key=lambda pair: (pair[0].exit_us, pair[0].id)):
        tally.add(trade, counts)
    return tally


class GapBoard:
    """Made once for an engine; `hear` must be told of its events."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._view = NO_SCAN
        self._is_old = True
        self._tally: ShadowTally | None = None
        """None until somebody looks."""
        self._quoted: int | None = None
        """How many were quoted at the last decision; None: it was before this began to hear."""

    def hear(self, event: Event) -> None:
        """What it shows follows from these alone."""
        if isinstance(event, CandidatesJudged | ShadowEnded | TicketChanged | RoundTripClosed):
            self._is_old = True
        if isinstance(event, CandidatesJudged):
            self._quoted = len(self._engine.picture.quotes)
        if isinstance(event, ShadowEnded) and self._tally is not None and event.trade.strategy == GAPS:
            self._tally.add(event.trade, event.counts)

    def make(self) -> GapScanView:
        """As of the last event."""
        if self._is_old:
            if self._tally is None and self._engine.learned is not None:
                self._tally = read_tally(self._engine.parts.journal)
            self._view = scan_view(self._engine, self._tally, self._quoted)
            self._is_old = False
        return self._view


def scan_view(engine: Engine, tally: ShadowTally | None, quoted: int | None = None) -> GapScanView:
    """Of the last decision instant, and of everything that is followed on paper.

    `quoted`: how many had a quote then; None: as many as have one now.
    """
    judged = judged_now(engine)
    quoted = len(engine.picture.quotes) if quoted is None else quoted
    edge, follow, base = followed(engine, tally)
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


def followed(
    engine: Engine, tally: ShadowTally | None
) -> tuple[EdgeView | None, FollowView | None, RateView]:
    """The shadow book, what is followed now, and how often the target came first."""
    learned = engine.learned
    evidence = None if learned is None else learned.evidence(GAPS)
    if evidence is None or tally is None:
        return None, None, NO_RATE
    still = [restore_terms(row) for row in engine.parts.journal.rows(TABLE, state=OPEN)]
    proposed = sum(terms.proposed for terms in still)
    return (
        edge_view(evidence, rate(tally.won, tally.counted)),
        FollowView(proposed, len(still) - proposed, tally.last),
        rate(tally.targets, tally.of),
    )


def edge_view(evidence: EdgeEvidence, won: RateView) -> EdgeView:
    """The evidence of an edge beside how many of its trades won."""
    return EdgeView(
        n=evidence.n,
        sessions=evidence.sessions,
        won=won,
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
