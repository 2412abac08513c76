"""The engine: takes market data in, decides, and keeps every bracket right; one state machine above it all.

STARTING -> RUNNING <-> HALTED, DEGRADED while the venue's stream is down or not caught up with, STOPPED at
the end. The same code runs on live and on virtual time; whoever drives it hands over the market batch by
batch, in this order: `restate`, (the paper venue sees the batch), `take`, `decide`, `finish`.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from engine.clock import Clock
from engine.errors import BrokerError, StorageError
from engine.execution.approvals import Counter, Tickets, unsigned
from engine.execution.books import Books, cash_of
from engine.execution.bracket import Bracket
from engine.execution.cash import CashWatch, deposits_of
from engine.execution.evidence import SessionOver
from engine.execution.gating import Gatekeeper, StrategyTerms, is_taken
from engine.execution.orders import RETRY_JOURNAL_US, Brackets, Desk
from engine.execution.policies import ApprovalPolicy
from engine.execution.reconcile import Findings, catch_up, recover
from engine.execution.records import restore_brackets
from engine.execution.ticketbook import Entry
from engine.model.candidates import Verdict
from engine.model.commands import (
    ENGINE,
    Actor,
    Answer,
    ApproveTicket,
    Command,
    Halt,
    RejectTicket,
    Resume,
    ResumeSymbol,
    Settle,
)
from engine.model.events import (
    Alarm,
    CandidatesJudged,
    EngineStateChanged,
    Event,
    MarketMoved,
    RoundTripClosed,
)
from engine.model.ids import AccountId, CorrelationId, InstrumentId, StrategyName, UlidFactory, symbol_of
from engine.model.market import Instrument, MarketBatch, SessionPhase
from engine.model.positions import AccountKind
from engine.model.tickets import ProposalState
from engine.money import ZERO
from engine.ports import AuditEntry, BarColumns, Broker, Journal, JournalRow, Sessions
from engine.reliability.supervisor import Supervisor
from engine.risk.limits import LimitSwitches
from engine.scheduler import Scheduler
from engine.state import LivePicture
from engine.strategies.base import History, Strategy, StrategyContext

HALT_SCOPE = "account"
LONGEST_PAUSE = timedelta(days=14)
"""No exchange was ever closed for longer between two sessions that matter here."""
NO_CORRELATION = CorrelationId("")


class EngineState(StrEnum):
    """What a person may expect of the engine now."""

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    DEGRADED = "DEGRADED"
    HALTED = "HALTED"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the engine is made of; built by the wiring."""

    account: AccountId
    kind: AccountKind
    clock: Clock
    journal: Journal
    broker: Broker
    strategies: tuple[Strategy, ...]
    terms: Mapping[StrategyName, StrategyTerms]
    sessions: Sessions
    history: Callable[[date], History]
    """Daily bars before a session."""
    index: Callable[[str, date], BarColumns | None]
    """Daily bars of VIX or SPY before a session; None when not stored."""
    instruments: Mapping[InstrumentId, Instrument]
    switches: LimitSwitches
    max_positions_total: int
    dataset: bool
    policy: ApprovalPolicy
    random_bits: Callable[[int], int]
    publish: Callable[[Event], None]
    config_hash: str
    entry_until: date | None = None
    """Last session in which new entries are proposed; None: no bound."""
    sign: Callable[[bytes], str] = unsigned
    """Of what an approval commits to."""


class Engine:
    """Owns the state; faces read `picture`, `brackets`, `tickets`, `books` and give commands."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.state = EngineState.STARTING
        self.reason = ""
        self.since_us = parts.clock.now_us()
        self.picture = LivePicture()
        self.scheduler = Scheduler(parts.clock)
        self.books = Books(
            self._stored_decimal("initial_cash", ZERO), deposits_of(parts.journal.rows("settlement"))
        )
        self.ids = UlidFactory(parts.clock.now_us, parts.random_bits)
        self.brackets = Brackets(
            Desk(
                parts.journal,
                parts.broker,
                parts.clock,
                self.scheduler,
                self.picture,
                self.books,
                self._tell,
                lambda name: self.state is EngineState.HALTED,
                lambda why, name: self.halt(ENGINE, why),
                lambda name: parts.instruments.get(name, Instrument(name)).tick_size,
            )
        )
        self.gatekeeper = Gatekeeper(
            parts.clock,
            self.picture,
            self.brackets,
            self.books,
            parts.kind,
            parts.dataset,
            parts.switches,
            parts.max_positions_total,
            parts.terms,
            parts.instruments,
            lambda: (self.state.value, self.reason),
        )
        self.tickets = Tickets(
            Counter(
                parts.account,
                parts.kind.value,
                parts.journal,
                parts.clock,
                self.scheduler,
                self.gatekeeper,
                self.brackets,
                self.ids,
                parts.publish,
                parts.sign,
            )
        )
        self.cash = CashWatch(self.books, parts.clock, self.ids.new, self.brackets.write)
        self.day_start_equity = self._stored_decimal("day_start_equity", self.books.initial_cash)
        self.peak_equity = self._stored_decimal("peak_equity", self.books.initial_cash)
        self.verdicts: dict[StrategyName, tuple[Verdict, ...]] = {}
        """Of the last decision instant of each strategy."""
        self._tasks = Supervisor(parts.clock, self._degrade, lambda why: self.halt(ENGINE, why))
        self._has_followed = False
        self._is_following = False
        self._further_reason = ""

    @property
    def parts(self) -> Parts:
        """What it was built from."""
        return self._parts

    def equity(self) -> Decimal | None:
        """Cash plus positions at their last prices; None when a held position has no price."""
        return self.books.equity(self.brackets.open(), self.picture)

    def market_us(self) -> int | None:
        """The last market instant that was handled to its end; None before the first."""
        stored = self._parts.journal.meta("market_us")
        return None if stored is None else int(stored)

    async def start(self) -> None:
        """Journal, then venue, then ready. Raises BrokerError or StorageError, and nothing runs then."""
        journal = self._parts.journal
        self._restore_market()
        self.brackets.restore(
            restore_brackets(journal.rows("bracket"), journal.rows("ord"), journal.rows("fill"))
        )
        self.tickets.restore()
        self._seed_prices()
        body = {"config": self._parts.config_hash, "kind": self._parts.kind.value}
        journal.commit((), (self._audit(ENGINE, "started", body),))
        self._tasks.keep("venue updates", self._follow_updates)
        # The stream is listened to before the first question: what happens between the two is told by it.
        await asyncio.sleep(0)
        try:
            self._open_up(await recover(self.brackets, self._parts.broker))
        except BaseException:
            await self._tasks.end()
            raise

    def _open_up(self, findings: Findings) -> None:
        halted = self._stored_halt()
        if halted is not None:
            self._become(EngineState.HALTED, halted, "journal")
        self._judge(findings)
        if self.state is EngineState.STARTING:
            self._become(EngineState.RUNNING, "", "engine")
        self.brackets.review_all()

    def run_timers(self) -> None:
        """Let due times call by themselves: for a live clock. A replay steps `scheduler` instead."""
        self._tasks.keep("timers", self.scheduler.run)

    async def stop(self) -> None:
        """Take nothing new, wait for answers that are out, leave stops resting."""
        self._become(EngineState.STOPPED, "stopped", "engine")
        await self.brackets.idle()
        await self._tasks.end()
        try:
            self._parts.journal.commit((), (self._audit(ENGINE, "stopped", {}),))
        except StorageError as error:
            # Whoever stops must come to closing the files; the next start needs no such line.
            self._alarm(f"the stop is not written down: {error}", page=False)

    def restate(self, batch: MarketBatch) -> None:
        """Corporate actions, before the venue carries them out."""
        self.picture.restate(batch.actions)
        self.brackets.restate(batch.actions)

    def prime(self, batch: MarketBatch) -> None:
        """The last instant that was handled to its end before a restart: the picture is what it was then.

        An opening is judged again for the person to see; each of its candidates is known and proposed once.
        """
        self.picture.restate(batch.actions)
        self.picture.take(batch)
        for bracket in self.brackets.open():
            if batch.session is not None and _is_restated_after(bracket, batch.session):
                self.picture.forget(bracket.instrument)
        self.decide(batch)

    def take(self, batch: MarketBatch) -> None:
        """Market data into the live picture, then every bracket that it concerns."""
        self.picture.take(batch)
        if batch.phase is SessionPhase.CLOSE and batch.session is not None:
            traded = {bar.instrument for bar in batch.bars}
            self.brackets.end_session(SessionOver(batch.session), traded.__contains__)
        elif batch.phase is SessionPhase.OPEN:
            self.brackets.review_all()
        else:
            moved = {quote.instrument for quote in batch.quotes} | {
                trade.instrument for trade in batch.trades
            }
            for bracket in self.brackets.open():
                if bracket.instrument in moved:
                    self.brackets.review(bracket.ticket)
        self._parts.publish(MarketMoved(batch))

    def decide(self, batch: MarketBatch) -> None:
        """At the opening of a session every strategy judges its candidates; each instant is decided once."""
        session, until = batch.session, self._parts.entry_until
        if batch.phase is not SessionPhase.OPEN or session is None or (until is not None and session > until):
            return
        context = self._context(session)
        if context is None:
            return
        for entry in self.tickets.waiting():
            self._ask_policy(entry)  # it waited when the process ended
        for strategy in self._parts.strategies:
            proposed = strategy.propose(self._for(strategy, context))
            verdicts = tuple(self.tickets.recall(verdict) for verdict in proposed)
            self.verdicts[strategy.name] = verdicts
            self.tickets.record([verdict for verdict in verdicts if verdict.proposal is None])
            # Told before its tickets are, so that whoever remembers them knows the candidates.
            self._parts.publish(CandidatesJudged(strategy.name, verdicts, self._parts.clock.now_us()))
            for verdict in verdicts:
                self._propose(verdict, context)

    def finish(self, batch: MarketBatch) -> None:
        """The instant is handled: a restart begins after it."""
        equity = self.equity()
        values = {"market_us": str(batch.ts)}
        if batch.session is not None and batch.phase is not None:
            values |= {"market_session": batch.session.isoformat(), "market_phase": batch.phase.value}
        if equity is not None:
            self.peak_equity = max(self.peak_equity, equity)
            values["peak_equity"] = format(self.peak_equity, "f")
            if batch.phase is SessionPhase.CLOSE:
                self.day_start_equity = equity
                values["day_start_equity"] = format(equity, "f")
        rows = [JournalRow("meta", {"k": key, "v": value}) for key, value in values.items()]
        self._parts.journal.commit(rows, ())

    def give(self, command: Command) -> Answer:
        """Carry out a command of a person or a policy. A refusal is an answer, never an exception."""
        match command:
            case ApproveTicket():
                return self.tickets.approve(command)
            case RejectTicket():
                return self.tickets.reject(command)
            case Halt(actor, reason):
                self.halt(actor, reason)
                return Answer(True, "ok", "Halted. No new orders, stops stay.")
            case Resume(actor):
                return self._resume(actor)
            case ResumeSymbol(_, instrument):
                return Answer(False, "not_halted", f"{symbol_of(instrument)} is not halted.")
            case Settle():
                return self.cash.settle(command)

    def halt(self, actor: Actor, reason: str) -> None:
        """No new entries, working entries are cancelled, stops stay; kept over a restart.

        A further reason while it is halted or stopped already is told, and changes nothing.
        """
        if self.state in (EngineState.HALTED, EngineState.STOPPED):
            if actor == ENGINE and reason != self._further_reason:
                self._further_reason = reason
                self._alarm(f"{reason} (the engine is {self.state.value} already)", page=True)
            return
        self._further_reason = reason
        self._become(EngineState.HALTED, f"by {actor} ({reason})", str(actor))
        error = self._write_halt(actor, reason)
        if error is not None:
            # Halted all the same: what cannot be written down is told, and nothing new may begin.
            self._alarm(f"the halt is not written down yet, a restart would forget it: {error}", page=True)

    def _write_halt(self, actor: Actor, reason: str) -> StorageError | None:
        """What the disk said against it; it is then tried again until it is written, or the halt is over."""
        row = JournalRow(
            "halt",
            {"scope": HALT_SCOPE, "why": self.reason, "since_us": self.since_us, "by": str(actor)},
        )
        halted_us = self.since_us

        def again() -> None:
            if self.state is EngineState.HALTED and self.since_us == halted_us:
                self._write_halt(actor, reason)

        try:
            self._parts.journal.commit((row,), (self._audit(actor, "halted", {"reason": reason}),))
            self.brackets.review_all()
        except StorageError as error:
            self.scheduler.call_at(self._parts.clock.now_us() + RETRY_JOURNAL_US, again)
            return error
        return None

    def _resume(self, actor: Actor) -> Answer:
        if self.state is not EngineState.HALTED:
            return Answer(False, "not_halted", f"The engine is {self.state.value}, not HALTED.")
        unknown = sum(bracket.has_unknown for bracket in self.brackets.open())
        if unknown:
            return Answer(False, "not_reconciled", f"Not yet: {unknown} orders UNKNOWN. Asking the venue.")
        row = JournalRow("halt", {"scope": HALT_SCOPE, "why": None, "since_us": None, "by": None})
        try:
            self._parts.journal.commit((row,), (self._audit(actor, "resumed", {}),))
        except StorageError as error:
            return Answer(False, "not_journalled", f"Still HALTED: {error}")
        if not self._is_following:
            self._become(EngineState.DEGRADED, "the venue's updates do not come", str(actor))
            return Answer(True, "ok", "No longer halted; no entries until the venue's updates come again.")
        self._become(EngineState.RUNNING, "", str(actor))
        return Answer(True, "ok", "Running again.")

    async def settled(self, venue_busy: Callable[[], bool]) -> None:
        """Wait until nothing is under way any more: for replays, where the venue answers at once."""
        quiet = 0
        while quiet < 3:
            await asyncio.sleep(0)
            # Updates that nobody reads now are no reason to wait: the venue is asked when the stream is back.
            unread = self._is_following and venue_busy()
            quiet = 0 if self.brackets.in_flight or unread else quiet + 1

    def _propose(self, verdict: Verdict, context: StrategyContext) -> None:
        proposal = verdict.proposal
        quote = context.quotes.get(verdict.candidate.instrument)
        if proposal is None or not self.tickets.is_new(verdict):
            return
        if quote is None:
            self.tickets.record((verdict,))
            return
        entry = self.tickets.propose(verdict, proposal, quote, context.equity)
        if entry.state is ProposalState.PENDING:
            self._ask_policy(entry)

    def _ask_policy(self, entry: Entry) -> None:
        ticket = entry.ticket
        entries = self.gatekeeper.entries(ticket.strategy, ticket.session)
        actor = self._parts.policy.actor(ticket, entries)
        if actor is None:
            return
        answer = self.give(ApproveTicket(ticket.id, entry.sha256, f"policy-{ticket.id}", None, actor))
        if not answer.ok:
            text = f"T-{ticket.number} waits, the policy {actor.policy} could not approve it: {answer.text}"
            self._alarm(text, page=False, correlation=ticket.correlation)

    def _context(self, session: date) -> StrategyContext | None:
        parts, equity = self._parts, self.equity()
        hours = parts.sessions.on(session)
        if equity is None or hours is None:
            return None
        before = [
            bracket for bracket in self.brackets.open() if self._is_earlier(bracket) and is_taken(bracket)
        ]
        return StrategyContext(
            now_us=parts.clock.now_us(),
            session=session,
            session_open_us=hours.open_us,
            session_close_us=hours.close_us,
            history=parts.history(session),
            quotes=self.picture.quotes,
            ratios=self.picture.ratios,
            instruments=parts.instruments,
            vix=parts.index("VIX", session),
            spy=parts.index("SPY", session),
            equity=equity,
            cash=self.gatekeeper.buying_power() + self._spent_now(session),
            open_instruments=frozenset(bracket.instrument for bracket in before),
            open_in_strategy=0,
            entries_this_session=0,
            switches=parts.switches,
            account_kind=parts.kind,
            dataset=parts.dataset,
            new_correlation=lambda: CorrelationId(self.ids.new()),
            previous_session=self._session_before(session),
        )

    def _session_before(self, session: date) -> date | None:
        earlier = self._parts.sessions.between(session - LONGEST_PAUSE, session - timedelta(days=1))
        return earlier[-1].day if earlier else None

    def _for(self, strategy: Strategy, context: StrategyContext) -> StrategyContext:
        ours = [b for b in self.brackets.open() if b.strategy == strategy.name and self._is_earlier(b)]
        today = [b for b in self.brackets.of_session(context.session) if b.strategy == strategy.name]
        return replace(
            context,
            open_in_strategy=sum(is_taken(bracket) for bracket in ours),
            entries_this_session=sum(self._is_earlier(bracket) for bracket in today),
        )

    def _is_earlier(self, bracket: Bracket) -> bool:
        """An instant that a crash cut in two is decided again whole: what it started counts once."""
        return bracket.opened_us < self._parts.clock.now_us()

    def _spent_now(self, session: date) -> Decimal:
        """Cash that brackets of this very instant took or reserved."""
        started = [bracket for bracket in self.brackets.of_session(session) if not self._is_earlier(bracket)]
        paid = sum((cash_of(fill) for bracket in started for fill in bracket.entry.fills), ZERO)
        return self.books.reserved(started) - paid

    def _seed_prices(self) -> None:
        """Positions of a restart are marked at their last stored close until the market speaks."""
        session = self.picture.session
        if session is None:
            return
        history = self._parts.history(session)
        for bracket in self.brackets.open():
            bars = history.daily(bracket.instrument, 1)
            if bars is not None and not _is_restated_after(bracket, bars.day[-1].item()):
                self.picture.seed(bracket.instrument, float(bars.close[-1]))

    async def _follow_updates(self) -> None:
        """At first `start` asks for what the stream does not tell; whenever it begins anew, this does."""
        is_anew, self._has_followed = self._has_followed, True
        updates = self._parts.broker.updates()
        if is_anew:
            self._judge(await catch_up(self.brackets, self._parts.broker))
        self._is_following = True
        if self.state is EngineState.DEGRADED:
            self._become(EngineState.RUNNING, "", "engine")
        try:
            async for update in updates:
                self.brackets.tell_venue(update)
        finally:
            self._is_following = False
        raise BrokerError("the venue's update stream ended")

    def _judge(self, findings: Findings) -> None:
        """Books that differ from the venue's let nothing new begin until a person looked."""
        if not findings.clean:
            self.halt(ENGINE, "; ".join((*findings.differences, *findings.strangers)))

    def _degrade(self, why: str) -> None:
        if self.state in (EngineState.HALTED, EngineState.STOPPED):
            self._alarm(why, page=False)
        else:
            self._become(EngineState.DEGRADED, why, "engine")

    def _tell(self, event: Event) -> None:
        """What happened to a bracket, and to its strategy how it ended."""
        self._parts.publish(event)
        if isinstance(event, RoundTripClosed):
            for strategy in self._parts.strategies:
                if strategy.name == event.round_trip.strategy:
                    strategy.on_outcome(event.round_trip)

    def _alarm(self, text: str, page: bool, correlation: CorrelationId = NO_CORRELATION) -> None:
        self._parts.publish(Alarm(text, page, correlation, self._parts.clock.now_us()))

    def _become(self, state: EngineState, reason: str, by: str) -> None:
        self.state, self.reason, self.since_us = state, reason, self._parts.clock.now_us()
        self._parts.publish(EngineStateChanged(state.value, reason, by, self.since_us))

    def _audit(self, actor: Actor, kind: str, body: Mapping[str, object]) -> AuditEntry:
        return AuditEntry(self._parts.clock.now_us(), str(actor), kind, "", body)

    def _stored_decimal(self, key: str, default: Decimal) -> Decimal:
        stored = self._parts.journal.meta(key)
        return default if stored is None else Decimal(stored)

    def _stored_halt(self) -> str | None:
        for row in self._parts.journal.rows("halt"):
            if row["scope"] == HALT_SCOPE and row["why"] is not None:
                return str(row["why"])
        return None

    def _restore_market(self) -> None:
        session, phase = self._parts.journal.meta("market_session"), self._parts.journal.meta("market_phase")
        if session is not None and phase is not None:
            self.picture.restore(date.fromisoformat(session), SessionPhase(phase))


def _is_restated_after(bracket: Bracket, session: date) -> bool:
    """Its terms are in dollars of a later session: the process ended in the middle of a corporate action."""
    return bracket.last_action is not None and bracket.last_action > session
