"""The shadow book: what was vetoed, and what was proposed, followed on paper to its outcome (SPEC 3.14).

A veto can only be scored by what it kept out, and an edge only by proposals that no person picked among. So
each proposal is followed, and of each decision instant the vetoed candidates that came nearest. Nothing here
is ever sent to a venue. Terms and outcome are journalled; what lies between follows from daily bars, which a
restart looks at again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol

from engine.execution.matching import MatchRules, Resting
from engine.execution.shadow import (
    LONGEST_SILENCE,
    Shadow,
    ShadowTerms,
    begin,
    end_session,
    on_price,
    outcome,
    restated,
)
from engine.execution.shadow_rows import (
    OPEN,
    TABLE,
    closed_row,
    open_row,
    passed_gates,
    restore_terms,
    void_row,
)
from engine.model.candidates import Verdict, Vote
from engine.model.events import CandidatesJudged, Event, MarketMoved, ShadowEnded
from engine.model.ids import CorrelationId, InstrumentId
from engine.model.market import Bar, MarketBatch, Provenance, Quote, Session, SessionPhase
from engine.model.orders import OrderSide
from engine.ports import BarColumns, Journal, JournalRow, Sessions
from engine.state import LivePicture

MOST_VETOED = 40
"""Of the vetoed candidates of one instant so many are followed, those with the fewest vetoes first."""
BARS_AGAIN = 60
"""Daily bars that are looked at again after a restart: nothing is followed for longer."""
_DAY = timedelta(days=1)
_LOOK_BACK = timedelta(days=2 * BARS_AGAIN)


@dataclass(frozen=True, slots=True)
class ShadowPlan:
    """How a candidate would be traded: prices Decimal in its dollars, costs fractions of the price at 1x."""

    limit_price: Decimal
    stop_price: Decimal
    target_price: Decimal
    max_sessions: int
    quantity: Decimal
    entry_cost: float
    exit_cost: float
    policy_id: str
    model_id: str | None


class Bars(Protocol):
    """Daily bars before a session."""

    def daily(self, instrument: InstrumentId, bars: int) -> BarColumns | None: ...


@dataclass(frozen=True, slots=True)
class ShadowDesk:
    """What the shadow book works with."""

    journal: Journal
    picture: LivePicture
    sessions: Sessions
    history: Callable[[date], Bars]
    rules: MatchRules
    """How its paper fills: on whole bars, or at each price."""
    tick_of: Callable[[InstrumentId], Decimal | None]
    plan_of: Callable[[Verdict, Quote], ShadowPlan | None]
    """How it would be traded, also one that was vetoed; None: there is no price to trade it at."""
    publish: Callable[[Event], None]


class ShadowBook:
    """A listener of the bus. Open signals are in memory, those that ended in the journal."""

    name = "shadow book"

    def __init__(self, desk: ShadowDesk) -> None:
        self._desk = desk
        self._open: dict[CorrelationId, Shadow] = {}
        self._of: dict[InstrumentId, dict[CorrelationId, None]] = {}
        self._checked: date | None = None
        """The session that all open signals were brought up to."""
        self._behind: set[CorrelationId] = set()
        """Those whose bars are missing: what is told now may come after their end."""
        self._unwritten: list[tuple[JournalRow, ShadowEnded | None]] = []

    def restore(self) -> None:
        """Take over what the journal holds. Raises StorageError for a row that makes no sense."""
        for row in self._desk.journal.rows(TABLE, state=OPEN):
            self._keep(begin(restore_terms(row)))

    def following(self) -> tuple[Shadow, ...]:
        """Those that are followed now."""
        return tuple(self._open.values())

    def hear(self, event: CandidatesJudged | MarketMoved) -> None:
        """Follow what was judged; bring what is followed to this instant. Raises StorageError.

        What could not be written is kept and written with the next of it.
        """
        if isinstance(event, CandidatesJudged):
            self._follow(event.verdicts)
        else:
            self._observe(event.batch)
        self._write()

    def _follow(self, verdicts: Sequence[Verdict]) -> None:
        if not verdicts:
            return
        session = verdicts[0].candidate.session
        rows = self._desk.journal.rows(TABLE, session=session.isoformat())
        known = {str(row["correlation"]) for row in rows} | self._open.keys()
        for verdict in _chosen(verdicts):
            if verdict.candidate.correlation not in known:
                self._begin(verdict)

    def _begin(self, verdict: Verdict) -> None:
        candidate, desk = verdict.candidate, self._desk
        quote = desk.picture.quote(candidate.instrument)
        plan = None if quote is None else desk.plan_of(verdict, quote)
        if plan is None:
            return
        others = (self._open[name].terms for name in self._of.get(candidate.instrument, ()))
        is_proposed = verdict.proposal is not None
        terms = ShadowTerms(
            correlation=candidate.correlation,
            strategy=candidate.strategy,
            instrument=candidate.instrument,
            session=candidate.session,
            proposed=is_proposed,
            is_second=is_proposed and any(o.proposed and o.strategy == candidate.strategy for o in others),
            opened_us=candidate.decided_us,
            entry_price=plan.limit_price,
            stop_price=plan.stop_price,
            target_price=plan.target_price,
            max_sessions=plan.max_sessions,
            quantity=plan.quantity,
            entry_cost=plan.entry_cost,
            exit_cost=plan.exit_cost,
            policy_id=plan.policy_id,
            model_id=plan.model_id,
            votes={report.agent: report.vote for report in verdict.reports},
        )
        self._keep(begin(terms))
        self._unwritten.append((open_row(terms), None))

    def _keep(self, shadow: Shadow) -> None:
        terms = shadow.terms
        self._open[terms.correlation] = shadow
        self._of.setdefault(terms.instrument, {})[terms.correlation] = None

    def _observe(self, batch: MarketBatch) -> None:
        picture = self._desk.picture
        session = batch.session if batch.session is not None else picture.session
        if session is None or not self._open:
            return
        if session != self._checked:
            self._catch_up(session)
            self._checked = session
        for action in batch.actions:
            for shadow in self._told(action.instrument):
                self._open[shadow.terms.correlation] = restated(shadow, action.ratio, action.ex_date)
        if batch.phase is SessionPhase.CLOSE:
            self._close_session(batch, session)
        elif self._desk.rules.resting is Resting.QUOTES and picture.is_session_open:
            self._prices(batch, session)

    def _told(self, instrument: InstrumentId) -> list[Shadow]:
        """The signals of an instrument that may be brought on by what is told now."""
        return [self._open[name] for name in self._of.get(instrument, ()) if name not in self._behind]

    def _prices(self, batch: MarketBatch, session: date) -> None:
        for instrument, price in _told_prices(batch):
            for shadow in self._told(instrument):
                self._moved(on_price(shadow, price, batch.ts, session, self._desk.rules))

    def _close_session(self, batch: MarketBatch, session: date) -> None:
        bars = {bar.instrument: bar for bar in batch.bars}
        for instrument in tuple(self._of):
            tick = self._desk.tick_of(instrument)
            for shadow in self._told(instrument):
                bar = bars.get(instrument)
                self._moved(end_session(shadow, bar, batch.ts, session, tick, self._desk.rules))

    def _catch_up(self, session: date) -> None:
        """Sessions before this one that a restart missed, by the daily bars of them."""
        calendar = self._desk.sessions
        past = calendar.between(session - _LOOK_BACK, session - _DAY)
        for shadow in tuple(self._open.values()):
            missed = [s for s in past if s.day >= shadow.terms.session and s.day > (shadow.done or date.min)]
            if missed:
                self._again(shadow, missed, session)

    def _again(self, shadow: Shadow, missed: Sequence[Session], session: date) -> None:
        name = shadow.terms.correlation
        bars = self._desk.history(session).daily(shadow.terms.instrument, BARS_AGAIN)
        found = {} if bars is None else {day.item(): at for at, day in enumerate(bars.day)}
        tick = self._desk.tick_of(shadow.terms.instrument)
        newest = max(found, default=date.min)
        for hours in missed:
            if hours.day > newest:
                break
            at = found.get(hours.day)
            bar = None if bars is None or at is None else _bar(bars, at, hours)
            if bars is not None and at is not None:
                shadow = restated(shadow, float(bars.event_ratio[at]), hours.day)
            shadow = end_session(shadow, bar, hours.close_us, hours.day, tick, self._desk.rules)
        lacking = sum(hours.day > newest for hours in missed)
        self._behind.discard(name)
        if lacking and not shadow.is_over:
            self._behind.add(name)
            if lacking >= LONGEST_SILENCE:
                shadow = replace(shadow, void=f"no bars of {lacking} sessions")
        self._moved(shadow)

    def _moved(self, shadow: Shadow) -> None:
        terms = shadow.terms
        if not shadow.is_over:
            self._open[terms.correlation] = shadow
            return
        del self._open[terms.correlation]
        del self._of[terms.instrument][terms.correlation]
        if not self._of[terms.instrument]:
            del self._of[terms.instrument]
        self._behind.discard(terms.correlation)
        self._unwritten.append(self._ended(shadow))

    def _ended(self, shadow: Shadow) -> tuple[JournalRow, ShadowEnded | None]:
        end, terms, fees = shadow.exit, shadow.terms, self._desk.rules.fees
        if end is None:
            return void_row(shadow), None
        paid = fees.fee(OrderSide.BUY, terms.quantity, terms.entry_price, terms.session)
        paid += fees.fee(OrderSide.SELL, terms.quantity, end.price, end.session)
        trade = outcome(shadow, end, paid)
        counts = not terms.is_second and passed_gates(self._desk.journal, terms)
        return closed_row(trade, counts), ShadowEnded(trade, counts)

    def _write(self) -> None:
        if not self._unwritten:
            return
        self._desk.journal.commit([row for row, _ in self._unwritten], ())
        written, self._unwritten = self._unwritten, []
        for _, event in written:
            if event is not None:
                self._desk.publish(event)


def _chosen(verdicts: Sequence[Verdict]) -> Iterator[Verdict]:
    """All proposals, and the vetoed candidates with the fewest vetoes, in the order they were judged."""
    vetoed = [verdict for verdict in verdicts if verdict.proposal is None]
    nearest = sorted(vetoed, key=lambda v: sum(report.vote is Vote.VETO for report in v.reports))
    taken = {verdict.candidate.correlation for verdict in nearest[:MOST_VETOED]}
    for verdict in verdicts:
        if verdict.proposal is not None or verdict.candidate.correlation in taken:
            yield verdict


def _told_prices(batch: MarketBatch) -> Iterator[tuple[InstrumentId, float]]:
    """What something could be sold at: prints, and bids."""
    for trade in batch.trades:
        yield trade.instrument, trade.price
    for quote in batch.quotes:
        if quote.bid is not None:
            yield quote.instrument, quote.bid


def _bar(bars: BarColumns, at: int, hours: Session) -> Bar:
    return Bar(
        bars.instrument,
        float(bars.open[at]),
        float(bars.high[at]),
        float(bars.low[at]),
        float(bars.close[at]),
        float(bars.volume[at]),
        hours.open_us,
        hours.close_us,
        Provenance.REPLAY,
    )
