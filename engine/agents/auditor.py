"""Looks back (SPEC 3.4, 3.11): holds each closed trade against the policy of its moment, reviews, reports.

It judges no candidate. What a person did is theirs; what the engine did otherwise than it was told is a
finding, and one that concerned risk freezes the strategy.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from engine.agents.compliance import check_trade, collect
from engine.agents.freezing import AUDITOR, Freezes
from engine.agents.past import EXCHANGE, closed_trade, counted_trades
from engine.agents.policybook import PolicyBook
from engine.agents.policyrows import read_changes
from engine.agents.weekly import weekly_document, weekly_text
from engine.clock import Clock
from engine.execution.records import restore_round_trip
from engine.model.commands import (
    AcceptPolicy,
    Actor,
    Answer,
    RejectTicket,
    ReleaseStrategy,
    RevertPolicy,
)
from engine.model.compliance import ComplianceCheck, ComplianceFinding
from engine.model.events import Alarm, Event, MarketMoved, RoundTripClosed, ShadowEnded
from engine.model.evidence import NO_EVIDENCE, EdgeEvidence
from engine.model.ids import StrategyName, TicketId
from engine.model.market import SessionPhase
from engine.model.policy import GapsPolicy
from engine.model.positions import RoundTrip
from engine.model.tickets import canonical_json, to_plain
from engine.ports import AuditEntry, Journal, JournalRow, Sessions
from engine.risk.daily import day_of
from engine.strategies.adapting import REVIEW_EVERY
from engine.strategies.evidence import edge_evidence

TABLE = "compliance"
WEEK_KEY = "auditor_week"
"""Of `meta`: the ISO week that was reviewed last."""
REVIEWED_KEY = "auditor_reviewed"
"""Of `meta`: how many trades were closed at the last review that was due by their number."""
SEED = 20_160_104
"""Of the bootstrap: the same past gives the same bound."""
_DAY = timedelta(days=1)
_TWO_WEEKS = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class AuditDesk:
    """What the Auditor works with."""

    journal: Journal
    clock: Clock
    sessions: Sessions
    publish: Callable[[Event], None]
    waiting: Callable[[StrategyName], Sequence[TicketId]]
    """Tickets of a strategy that wait for a person."""
    reject: Callable[[RejectTicket], Answer]
    past_proposals: Callable[[], Sequence[tuple[date, float]]] = tuple
    """Sessions and net returns of walk-forward proposals before the shadow book began (SPEC 3.3.6)."""
    write: Callable[[str, str], str] | None = None
    """Keep a text under a name among the reports, and say where; None: nobody reads them. StorageError."""


class Auditor:
    """`engine.parts.Learned` of one strategy, and a listener of the bus."""

    name = AUDITOR

    def __init__(self, desk: AuditDesk, book: PolicyBook, freezes: Freezes) -> None:
        self._desk = desk
        self.book = book
        self.freezes = freezes
        self._evidence: EdgeEvidence | None = None
        self._counted: list[tuple[date, float]] = []
        """Session and net return of followed proposals that count as evidence."""
        self._unchecked: list[RoundTrip] = []
        """Closed trades that could not be looked at yet."""

    def restore(self) -> None:
        """Take over what the journal holds; look at the trades that closed while nobody did. StorageError."""
        self.book.restore()
        self.freezes.restore()
        journal, strategy = self._desk.journal, self.book.strategy
        counted = counted_trades(journal)
        self._counted = [(trade.session, trade.net) for trade in counted if trade.strategy == strategy]
        seen = {str(row["ticket"]) for row in journal.rows(TABLE)}
        trips = [restore_round_trip(row) for row in journal.rows("round_trip")]
        ours = [trip for trip in trips if trip.strategy == strategy and trip.ticket not in seen]
        self._unchecked = sorted(ours, key=lambda trip: trip.exit_us)
        self._check()

    def hear(self, event: RoundTripClosed | ShadowEnded | MarketMoved) -> None:
        """Learn from what ended, and at the end of a week look back on it. Raises StorageError."""
        match event:
            case RoundTripClosed(trip) if trip.strategy == self.book.strategy:
                self._unchecked.append(trip)
                self._check()
                self.book.learn(closed_trade(self._desk.journal, trip))
                self._review_when_due()
            case ShadowEnded(trade, counts):
                self.book.learn(trade)
                if counts and trade.strategy == self.book.strategy:
                    self._counted.append((trade.session, trade.net))
                    self._evidence = None
            case MarketMoved(batch) if batch.phase is SessionPhase.CLOSE and batch.session is not None:
                self.freezes.write()
                self._check()
                if self._ends_week(batch.session):
                    self.look_back()

    def policy(self, strategy: StrategyName) -> GapsPolicy | None:
        """What holds now; None for a strategy that is not its own."""
        return self.book.current() if strategy == self.book.strategy else None

    def evidence(self, strategy: StrategyName) -> EdgeEvidence | None:
        """Of walk-forward and followed proposals; None for a strategy that is not its own."""
        if strategy != self.book.strategy:
            return None
        if self._evidence is None:
            begun = min((session for session, _ in self._counted), default=date.max)
            past = [found for found in self._desk.past_proposals() if found[0] < begun]
            known = [*past, *self._counted]
            self._evidence = edge_evidence([net for _, net in known], [day for day, _ in known], SEED)
        return self._evidence

    def frozen(self) -> Mapping[StrategyName, str]:
        """Strategies that propose nothing until a person releases them, and why."""
        return self.freezes.reasons()

    def give(self, command: AcceptPolicy | RevertPolicy | ReleaseStrategy) -> Answer:
        """Carry out a command; a refusal is an answer."""
        match command:
            case AcceptPolicy():
                return self.book.accept(command)
            case RevertPolicy():
                return self.book.revert(command)
            case ReleaseStrategy():
                return self.freezes.release(command)

    def look_back(self) -> str:
        """The weekly review and report, once in each week: where it was written, or why not. StorageError."""
        desk, today = self._desk, day_of(self._desk.clock.now_us(), EXCHANGE)
        week = week_of(today)
        if desk.journal.meta(WEEK_KEY) == week:
            return f"{week} was looked back on before"
        step = self.book.review()
        first = today - timedelta(days=today.weekday())
        found = self.evidence(self.book.strategy) or NO_EVIDENCE
        document = weekly_document(desk.journal, self.book, found, self.frozen(), first, today, step)
        line = AuditEntry(desk.clock.now_us(), AUDITOR, "weekly_review", "", document)
        desk.journal.commit((_meta(WEEK_KEY, week),), (line,))
        if desk.write is None:
            return f"{week} looked back on"
        desk.write(f"weekly-{week}.json", json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False))
        return desk.write(f"weekly-{week}.txt", weekly_text(document))

    def _review_when_due(self) -> None:
        closed = self.book.current().closed_trades
        before = int(self._desk.journal.meta(REVIEWED_KEY) or 0)
        if closed // REVIEW_EVERY > before // REVIEW_EVERY:
            self.book.review()
            self._desk.journal.commit((_meta(REVIEWED_KEY, str(closed)),), ())

    def _ends_week(self, session: date) -> bool:
        following = self._desk.sessions.between(session + _DAY, session + _TWO_WEEKS)
        return not following or week_of(following[0].day) != week_of(session)

    def _check(self) -> None:
        while self._unchecked:
            self._hold_against_policy(self._unchecked[0])
            self._unchecked.pop(0)

    def _hold_against_policy(self, trip: RoundTrip) -> None:
        desk, now = self._desk, self._desk.clock.now_us()
        changes = read_changes(desk.journal, trip.strategy)
        facts = collect(desk.journal, trip, changes, self.book.trades, desk.sessions)
        if facts is None:
            # From before rules were written down: there is nothing that it could be held against.
            desk.journal.commit((_row(trip, now, ()),), ())
            return
        finding = check_trade(facts, now)
        body = {"ticket": trip.ticket, "checks": to_plain(finding.checks)}
        kind = "compliance" if finding.deviations else "compliance_passed"
        line = AuditEntry(now, AUDITOR, kind, trip.correlation, body)
        desk.journal.commit((_row(trip, now, finding.checks),), (line,))
        if finding.deviations:
            text = f"compliance: {finding.words()}"
            desk.publish(Alarm(text, False, trip.correlation, now, TABLE))
        if any(check.is_risk for check in finding.deviations):
            self._freeze(finding)

    def _freeze(self, finding: ComplianceFinding) -> None:
        desk = self._desk
        try:
            self.freezes.freeze(finding.strategy, finding.words(), finding.correlation)
        finally:
            for ticket in desk.waiting(finding.strategy):
                desk.reject(RejectTicket(ticket, "the strategy was frozen", Actor(AUDITOR, "")))


def week_of(day: date) -> str:
    """`2016-W05`, by ISO 8601."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def _meta(key: str, value: str) -> JournalRow:
    return JournalRow("meta", {"k": key, "v": value})


def _row(trip: RoundTrip, now_us: int, checks: tuple[ComplianceCheck, ...]) -> JournalRow:
    return JournalRow(
        TABLE,
        {
            "ticket": trip.ticket,
            "correlation": trip.correlation,
            "strategy": trip.strategy,
            "ts_us": now_us,
            "ok": int(all(check.ok for check in checks)),
            "checks": canonical_json(checks).decode(),
        },
    )
