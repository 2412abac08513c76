"""The engine: takes market data in, decides, and keeps every bracket right; one state machine above it all.

STARTING -> RUNNING <-> HALTED, DEGRADED while the venue's stream is down or not caught up with, STOPPED at
the end. The same code runs on live and on virtual time; whoever drives it hands over the market batch by
batch, in this order: `restate`, (the paper venue sees the batch), `take`, `decide`, `finish`.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from engine.errors import ConfigError, StorageError
from engine.execution.approvals import Counter, Tickets
from engine.execution.books import Books, cash_of
from engine.execution.bracket import Bracket
from engine.execution.byhand import ByHand, HandDesk
from engine.execution.cash import CashWatch, deposits_of
from engine.execution.desk import PRICE_AGE_US, Desk
from engine.execution.drain import drain
from engine.execution.emergency import Emergency, EmergencyDesk
from engine.execution.evidence import SessionOver
from engine.execution.findings import Post
from engine.execution.gating import Gatekeeper, Standing, VenueHealth, is_taken
from engine.execution.halts import HaltDesk, Halted, Halts
from engine.execution.missed import count_missed
from engine.execution.newsexits import NewsDesk, NewsExits
from engine.execution.orders import Brackets
from engine.execution.records import restore_brackets
from engine.execution.riskbook import RiskBook, RiskDesk
from engine.execution.surveillance import Surveillance, SurveillanceDesk
from engine.execution.switch import KillSwitch, SwitchDesk
from engine.execution.ticketbook import Entry
from engine.execution.waivers import waive, waiver_of
from engine.execution.watch import Watch
from engine.features.news import why_mute
from engine.model.candidates import Verdict
from engine.model.commands import (
    ENGINE,
    AcceptDifference,
    AcceptPolicy,
    Actor,
    Answer,
    ApproveTicket,
    AskVenue,
    CancelEntry,
    ClosePosition,
    Command,
    Halt,
    NoteReport,
    RejectTicket,
    ReleaseBreaker,
    ReleaseStrategy,
    Resume,
    ResumeSymbol,
    RevertPolicy,
    Settle,
    ShrinkTicket,
    SnoozeTicket,
    SteerAgent,
    WaiveEvidence,
)
from engine.model.events import (
    Alarm,
    BracketChanged,
    CandidatesJudged,
    EngineStateChanged,
    Event,
    FillRecorded,
    MarketMoved,
    RoundTripClosed,
)
from engine.model.ids import CorrelationId, InstrumentId, StrategyName, TicketId, UlidFactory
from engine.model.market import CorporateAction, Instrument, MarketBatch, Session, SessionPhase
from engine.model.positions import AccountSnapshot
from engine.model.tickets import ProposalState, Ticket
from engine.money import ZERO
from engine.parts import NO_AGENTS, NOTHING_LEARNED, EngineState, Learned, Parts
from engine.ports import AuditEntry
from engine.reliability.supervisor import Supervisor, no_jitter
from engine.report.note import note
from engine.risk.live import missing
from engine.scheduler import Scheduler
from engine.scoring.provenance import usable, why_not_usable
from engine.state import LivePicture
from engine.strategies.base import Strategy, StrategyContext
from engine.tape import Tape

LONGEST_PAUSE = timedelta(days=14)
"""No exchange was ever closed for longer between two sessions that matter here."""
NO_CORRELATION = CorrelationId("")


class Engine:
    """Owns the state; faces read `picture`, `brackets`, `tickets`, `books` and give commands."""

    def __init__(self, parts: Parts) -> None:
        if why := why_not_usable(parts.provenance, parts.kind):
            hint = "Run it with --demo or --replay, which trade on an account of their own"
            raise ConfigError(f"account {parts.account} is given a market of {why}", hint)
        self._parts = parts
        self.state = EngineState.STARTING
        self.reason = ""
        self.since_us = parts.clock.now_us()
        self.picture = LivePicture()
        self.tape = Tape()
        self.scheduler = Scheduler(parts.clock)
        self._hours: Session | None = None
        self.books = Books(
            self._stored_decimal("initial_cash", ZERO), deposits_of(parts.journal.rows("settlement"))
        )
        self.ids = UlidFactory(parts.clock.now_us, parts.random_bits)
        self.halts = self._make_halts(parts)
        self.brackets = self._make_brackets(parts)
        self.risk = self._make_risk(parts)
        self.gatekeeper = self._make_gatekeeper(parts)
        self.tickets = self._make_tickets(parts)
        self.cash = CashWatch(self.books, parts.clock, self.ids.new, self.brackets.write)
        self.verdicts: dict[StrategyName, tuple[Verdict, ...]] = {}
        """Of the last decision instant of each strategy."""
        jitter = self._jitter if parts.live else no_jitter
        self._tasks = Supervisor(parts.clock, self._degrade, lambda why: self.halt(ENGINE, why), jitter)
        self.watch = Watch(
            Post(
                parts.account,
                parts.kind,
                parts.journal,
                parts.broker,
                parts.clock,
                self.brackets,
                self.picture,
                self._note,
                lambda why, name: self.halt(ENGINE, why, name),
                self._see_money,
            ),
            self._watch_changed,
            parts.live,
            jitter,
        )
        self._instant_us = 0
        """Of the last decision."""
        self._left_out: set[str] = set()
        """What was told of data that this account may not use: each once."""
        self._drops_entries = False
        self._has_timers = False
        self.emergency = self._make_emergency(parts)
        self.switch = self._make_switch(parts)
        self.surveillance = self._make_surveillance(parts)
        self.by_hand = self._make_by_hand(parts)
        self.news = self._make_news(parts)
        self.learned: Learned | None = None
        """What memory adapted; None: nobody looks back on this run."""
        self.halts.restore()
        self.emergency.restore()
        if parts.agents is not None:
            parts.agents.restore()

    def _make_halts(self, parts: Parts) -> Halts:
        return Halts(
            HaltDesk(
                parts.journal,
                parts.clock,
                self.scheduler,
                parts.publish,
                self._follow_halt,
                self._review_halted,
            )
        )

    def _make_brackets(self, parts: Parts) -> Brackets:
        return Brackets(
            Desk(
                parts.journal,
                parts.broker,
                parts.clock,
                self.scheduler,
                self.picture,
                self.books,
                self._tell,
                self._begins_nothing,
                lambda why, name: self.halt(ENGINE, why, name),
                lambda name: (parts.instruments.get(name) or Instrument(name)).tick_size,
                lambda name: (parts.instruments.get(name) or Instrument(name)).lot_size,
                self._next_close if parts.live else lambda: None,
                PRICE_AGE_US if parts.live else None,
                lambda: self.watch.wake(),
            )
        )

    def _make_risk(self, parts: Parts) -> RiskBook:
        return RiskBook(
            RiskDesk(
                parts.account,
                parts.journal,
                parts.clock,
                self.brackets,
                self.books,
                self.picture,
                parts.history,
                parts.risk,
                parts.switches,
                parts.day_roll,
                parts.publish,
                self._stop_entries,
                lambda anomaly: self.surveillance.report(anomaly),
            )
        )

    def _make_gatekeeper(self, parts: Parts) -> Gatekeeper:
        return Gatekeeper(
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
            self.risk,
            VenueHealth(
                lambda name: "" if self.halts.account else self.halts.reason_of(name),
                lambda: self.watch.reconciled_age_us(),
                lambda: self.watch.clock_skew_us(),
                parts.sector_of,
                parts.live_request,
            ),
            self._standing,
        )

    def _make_tickets(self, parts: Parts) -> Tickets:
        return Tickets(
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
                parts.dialog_us,
            )
        )

    def _make_emergency(self, parts: Parts) -> Emergency:
        return Emergency(
            EmergencyDesk(
                parts.journal,
                parts.broker,
                parts.clock,
                self.brackets,
                self.books,
                self.halts,
                self.picture.last,
                parts.snapshots,
                parts.publish,
            )
        )

    def _make_switch(self, parts: Parts) -> KillSwitch:
        return KillSwitch(
            SwitchDesk(
                self.halts,
                self.emergency,
                parts.publish,
                lambda: self._tasks.keep("emergency shutdown", self.emergency.run),
                lambda scope: self.watch.why_not_clean(scope) or ("" if scope else self.cash.why_not_clean),
                parts.blocks_resume,
                self._resumed,
                self.watch.accept,
            )
        )

    def _make_surveillance(self, parts: Parts) -> Surveillance:
        return Surveillance(
            SurveillanceDesk(
                parts.clock,
                self.scheduler,
                self.brackets,
                self.picture,
                self._ticket_of,
                self.watch.clock_skew_us,
                lambda: () if self.watch.findings is None else self.watch.findings.differences,
                lambda name: (parts.instruments.get(name) or Instrument(name)).lot_size,
                self.switch.see,
                parts.switches.portfolio,
                parts.live,
            )
        )

    def _make_by_hand(self, parts: Parts) -> ByHand:
        return ByHand(
            HandDesk(
                self.brackets,
                parts.clock.now_us,
                parts.publish,
                self._why_not_by_hand,
                lambda: self.picture.is_session_open,
            )
        )

    def _make_news(self, parts: Parts) -> NewsExits:
        return NewsExits(
            NewsDesk(
                self.brackets,
                parts.clock.now_us,
                self.picture.headlines,
                parts.knowledge.company,
                parts.kind,
                lambda name: name in parts.terms and parts.terms[name].leaves_on_news,
                parts.publish,
            )
        )

    @property
    def parts(self) -> Parts:
        """What it was built from."""
        return self._parts

    def equity(self) -> Decimal | None:
        """Cash plus positions at their last prices; None when a held position has no price."""
        return self.risk.equity()

    @property
    def peak_equity(self) -> Decimal:
        """The high-water mark that the drawdown is measured from."""
        return self.risk.high_water

    @property
    def day_start_equity(self) -> Decimal:
        """What the account's day began with."""
        return self.risk.day_start

    def market_us(self) -> int | None:
        """The last market instant that was handled to its end; None before the first."""
        stored = self._parts.journal.meta("market_us")
        return None if stored is None else int(stored)

    async def start(self) -> None:
        """Journal, then venue, then ready. Raises BrokerError or StorageError, and nothing runs then.

        Raises ConfigError, before anything else, for real money that something is missing for.
        """
        self._refuse_unmet()
        journal = self._parts.journal
        self._restore_market()
        self.brackets.restore(
            restore_brackets(journal.rows("bracket"), journal.rows("ord"), journal.rows("fill"))
        )
        self.tickets.restore()
        self.risk.restore()
        self._seed_prices()
        body = {"config": self._parts.config_hash, "kind": self._parts.kind.value}
        journal.commit((), (self._audit(ENGINE, "started", body),))
        self._tasks.keep("venue updates", self.watch.follow)
        # The stream is listened to before the first question: what happens between the two is told by it.
        await asyncio.sleep(0)
        try:
            if self._parts.live:
                self.run_timers()
            if self.halts.account is not None and self.state is not EngineState.HALTED:
                self._become(EngineState.HALTED, self.halts.account_reason, "journal")
            await self.watch.begin()
            self._open_up()
        except BaseException:
            await self._tasks.end()
            raise

    def _refuse_unmet(self) -> None:
        parts = self._parts
        lacking = missing(parts.kind, parts.switches, parts.live_request())
        if lacking:
            raise ConfigError(
                f"live mode is refused: {'; '.join(lacking)}", "Nothing was asked or sent. Trade on paper"
            )

    def _open_up(self) -> None:
        self._watch_changed()
        self.brackets.review_all()
        self.switch.open_up()
        if self._parts.live:
            self._count_missed()
            self.surveillance.start()
            self._tasks.keep("reconciliation", self.watch.run)

    def _count_missed(self) -> None:
        """A replay goes on where it stood, and misses none."""
        parts = self._parts
        for text in count_missed(
            self.brackets,
            parts.sessions,
            lambda name, day, bars: parts.history(day).daily(name, bars),
            parts.clock.now_us(),
        ):
            self._note(text, False, "sessions")

    def run_timers(self) -> None:
        """Let due times call by themselves: for a live clock. A replay steps `scheduler` instead."""
        if not self._has_timers:
            self._has_timers = True
            self._tasks.keep("timers", self.scheduler.run)

    async def stop(self) -> None:
        """Take nothing new, wait for answers that are out, leave stops resting: bounded (RELIABILITY 11)."""
        self._become(EngineState.STOPPED, "stopped", "engine")
        self.switch.close()
        if self._parts.cancel_entries_at_stop:
            self._drops_entries = True
            self._attempt_review()
        unknown = await drain(self.brackets, asks=self._has_timers)
        if unknown:
            text = f"stopped without knowing the fate of {len(unknown)} orders: {', '.join(unknown)}"
            self._alarm(f"{text}. The next start asks the venue", page=True)
        await self._tasks.end()
        try:
            body = {"unknown": list(unknown)} if unknown else {}
            self._parts.journal.commit((), (self._audit(ENGINE, "stopped", body),))
        except StorageError as error:
            # Whoever stops must come to closing the files; the next start needs no such line.
            self._alarm(f"the stop is not written down: {error}", page=False)

    def _attempt_review(self) -> None:
        try:
            for bracket in self.brackets.open():
                if bracket.entry.is_live:
                    self.brackets.review(bracket.ticket)
        except StorageError as error:
            self._alarm(f"entries that work are not cancelled: {error.message}", page=True)

    def restate(self, batch: MarketBatch) -> None:
        """Corporate actions, before the venue carries them out."""
        self.picture.restate(batch.actions)
        self.brackets.restate(batch.actions)
        if self._parts.live:
            self._halt_restated(batch.actions)

    def _halt_restated(self, actions: Iterable[CorporateAction]) -> None:
        """A venue carries an action out when it likes: until its shares are ours again, nothing new."""
        held = {bracket.instrument for bracket in self.brackets.open() if bracket.held != ZERO}
        for action in actions:
            if action.instrument in held:
                why = f"{action.instrument}: {action.kind} by {action.ratio:g} of {action.ex_date}"
                self.halt(ENGINE, f"{why}: resume when the venue's shares agree", action.instrument)

    def prime(self, batch: MarketBatch) -> None:
        """The last instant that was handled to its end before a restart: the picture is what it was then.

        An opening is judged again for the person to see; each of its candidates is known and proposed once.
        """
        self.picture.restate(batch.actions)
        self.picture.take(batch)
        for bracket in self.brackets.open():
            if batch.session is not None and _is_restated_after(bracket, batch.session):
                self.picture.forget(bracket.instrument)
        self._decide(batch, batch.ts)

    def take(self, batch: MarketBatch) -> None:
        """Market data into the live picture, then every bracket that it concerns."""
        batch, left_out = usable(batch, self._parts.kind)
        for words in left_out:
            if words not in self._left_out:
                self._left_out.add(words)
                self._alarm(words, page=False)
        self.surveillance.observe(batch)
        self.picture.take(batch)
        self.tape.take(batch)
        if batch.phase is not None:
            self.watch.wake()
        if batch.phase is SessionPhase.CLOSE and batch.session is not None:
            self.brackets.take_bars(batch.bars)
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
        self.news.look(batch)
        if self._parts.gems is not None:
            for event in self._parts.gems.take(batch.tokens, batch.posts, batch.ts):
                self._parts.publish(event)
        self._parts.publish(MarketMoved(batch))

    def decide(self, batch: MarketBatch) -> None:
        """At the opening of a session every strategy judges its candidates; each instant is decided once."""
        self._decide(batch, self._parts.clock.now_us())

    def _decide(self, batch: MarketBatch, now_us: int) -> None:
        session, until = batch.session, self._parts.entry_until
        if batch.phase is not SessionPhase.OPEN or session is None or (until is not None and session > until):
            return
        self._instant_us = batch.ts
        context = self._context(session, now_us)
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
        """The instant is handled: a restart begins after it, or after one that was a minute before."""
        self.risk.finish(batch)

    def give(self, command: Command) -> Answer:
        """Carry out a command of a person or a policy. A refusal is an answer, never an exception."""
        if self.state is EngineState.STOPPED and not isinstance(command, Halt):
            return Answer(False, "not_ready", "Not now: the engine has stopped. Nothing was done.")
        match command:
            case ApproveTicket():
                return self.tickets.approve(command)
            case RejectTicket():
                return self.tickets.reject(command)
            case ShrinkTicket():
                return self.tickets.shrink(command)
            case SnoozeTicket():
                return self.tickets.snooze(command)
            case Halt() | Resume() | ResumeSymbol() | AcceptDifference():
                return self.switch.give(command)
            case Settle():
                return self.cash.settle(command)
            case ReleaseBreaker():
                return self.risk.release(command)
            case AskVenue() | CancelEntry() | ClosePosition():
                return self.by_hand.give(command)
            case NoteReport():
                return note(self._parts.journal, command, self._parts.clock.now_us())
            case SteerAgent():
                agents = self._parts.agents
                return NO_AGENTS if agents is None else agents.give(command)
            case WaiveEvidence():
                terms = self._parts.terms.get(command.strategy)
                allowed = terms is not None and terms.without_evidence
                return waive(self._parts.journal, command, allowed, self._parts.clock.now_us())
            case AcceptPolicy() | RevertPolicy() | ReleaseStrategy():
                return NOTHING_LEARNED if self.learned is None else self.learned.give(command)

    def halt(self, actor: Actor, reason: str, instrument: InstrumentId | None = None) -> None:
        """No new entries, working entries are cancelled, stops stay; None: on the whole account."""
        self.halts.halt(actor, reason, instrument)

    def _follow_halt(self, halted: Halted) -> None:
        if self.state is EngineState.HALTED:
            self.reason = halted.reason
        elif self.state is not EngineState.STOPPED:
            self._become(EngineState.HALTED, halted.reason, halted.by)

    def _review_halted(self, instrument: InstrumentId | None) -> None:
        for bracket in self.brackets.open():
            if instrument is None or bracket.instrument == instrument:
                self.brackets.review(bracket.ticket)

    def _why_not_by_hand(self) -> str:
        return "" if self.switch.is_open else "the venue is being compared with the books"

    def _resumed(self, actor: Actor) -> str:
        state, reason = self._as_watched()
        self._become(state, reason, str(actor))
        if state is not EngineState.RUNNING:
            return f"No longer halted; no entries: {reason}."
        stop = self.risk.why_no_entries()
        return f"No longer halted; no entries: {stop}." if stop else "Running again."

    async def settled(self, venue_busy: Callable[[], bool]) -> None:
        """Wait until nothing is under way any more: for replays, where the venue answers at once."""
        quiet = 0
        while quiet < 3:
            await asyncio.sleep(0)
            # Updates that nobody reads now are no reason to wait: the venue is asked when the stream is back.
            unread = self.watch.is_following and venue_busy()
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
        if actor is None or entry.is_in_hand:
            return
        answer = self.give(ApproveTicket(ticket.id, entry.sha256, f"policy-{ticket.id}", None, actor))
        if not answer.ok:
            text = f"T-{ticket.number} waits, the policy {actor.policy} could not approve it: {answer.text}"
            self._alarm(text, page=False, correlation=ticket.correlation)

    def _context(self, session: date, now_us: int) -> StrategyContext | None:
        parts, equity = self._parts, self.equity()
        hours = parts.sessions.on(session)
        if equity is None or hours is None:
            return None
        before = [
            bracket for bracket in self.brackets.open() if self._is_earlier(bracket) and is_taken(bracket)
        ]
        context = StrategyContext(
            now_us=now_us,
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
            risk=self.risk.size_limits(session),
            headlines=self.picture.headlines if parts.news_feed else None,
            news_mute=why_mute(parts.feeds(), parts.news_feed, parts.clock.now_us()),
            sector_of=parts.sector_of,
        )
        return parts.knowledge.join(context, parts.sessions)

    def _ticket_of(self, ticket: TicketId) -> Ticket | None:
        entry = self.tickets.get(ticket)
        return None if entry is None else entry.ticket

    def _begins_nothing(self, instrument: InstrumentId) -> bool:
        """Entries that work in it are cancelled: a halt, the end of the process, or a lost day."""
        return self._drops_entries or self.halts.is_halted(instrument) or self.risk.is_day_over

    def _stop_entries(self, why: str, flatten: bool) -> None:
        if flatten:
            self.switch.shut_down(ENGINE, why, flatten)
        else:
            self.halt(ENGINE, why)

    def _next_close(self) -> int | None:
        """When the session that the market is in closes, also when that has passed already; else the next.

        The closing batch comes a little after the close: the order of an exit then must not be one for the
        closing print of the session after.
        """
        day, sessions = self.picture.session, self._parts.sessions
        if self._hours is None or self._hours.day != day:
            self._hours = None if day is None else sessions.on(day)
        hours = self._hours or sessions.next_after(self._parts.clock.now_us())
        return None if hours is None else hours.close_us

    def _session_before(self, session: date) -> date | None:
        earlier = self._parts.sessions.between(session - LONGEST_PAUSE, session - timedelta(days=1))
        return earlier[-1].day if earlier else None

    def _for(self, strategy: Strategy, context: StrategyContext) -> StrategyContext:
        ours = [b for b in self.brackets.open() if b.strategy == strategy.name and self._is_earlier(b)]
        today = [b for b in self.brackets.of_session(context.session) if b.strategy == strategy.name]
        learned = self.learned
        return replace(
            context,
            open_in_strategy=sum(is_taken(bracket) for bracket in ours),
            entries_this_session=sum(self._is_earlier(bracket) for bracket in today),
            policy=None if learned is None else learned.policy(strategy.name),
            evidence=None if learned is None else learned.evidence(strategy.name),
        )

    def _standing(self, strategy: StrategyName) -> Standing:
        learned, parts = self.learned, self._parts
        return Standing(
            None if learned is None else learned.evidence(strategy),
            "" if learned is None else learned.frozen().get(strategy, ""),
            waiver_of(parts.journal, strategy) if parts.terms[strategy].without_evidence else "",
        )

    def _is_earlier(self, bracket: Bracket) -> bool:
        """An instant that a crash cut in two is decided again whole: what it started counts once."""
        return bracket.opened_us < self._instant_us

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

    def _as_watched(self) -> tuple[EngineState, str]:
        """What the engine is while nobody halted it."""
        if not self.watch.is_ready:
            return EngineState.STARTING, "the venue is being compared with the books"
        if not self.watch.is_following:
            return EngineState.DEGRADED, "the venue's updates do not come"
        return EngineState.RUNNING, ""

    def _see_money(self, account: AccountSnapshot, shared: bool) -> None:
        if why := self.cash.look(self.brackets.open(), account, shared):
            self.halt(ENGINE, why)

    def _watch_changed(self) -> None:
        state, reason = self._as_watched()
        if self.state in (EngineState.STARTING, EngineState.DEGRADED) and state is not self.state:
            self._become(state, reason, "engine")

    def _degrade(self, why: str) -> None:
        """The venue failed a task that is started again and again: told once for each reason."""
        if self.state in (EngineState.HALTED, EngineState.STOPPED):
            self._note(why, False, "venue")
        elif (self.state, self.reason) != (EngineState.DEGRADED, why):
            self._become(EngineState.DEGRADED, why, "engine")
            self._note(why, False, "venue")

    def _jitter(self) -> float:
        return self._parts.random_bits(20) / (1 << 20)

    def _tell(self, event: Event) -> None:
        """What happened to a bracket, and to its strategy how it ended."""
        self._parts.publish(event)
        if isinstance(event, Alarm):
            self.halts.heard(event.text)
        if isinstance(event, BracketChanged):
            self.risk.pace.heed(event.ticket)
        elif isinstance(event, FillRecorded):
            self.surveillance.hear_fill(event.ticket, event.fill)
        elif isinstance(event, RoundTripClosed):
            for strategy in self._parts.strategies:
                if strategy.name == event.round_trip.strategy:
                    strategy.on_outcome(event.round_trip)

    def _alarm(self, text: str, page: bool, correlation: CorrelationId = NO_CORRELATION) -> None:
        self._parts.publish(Alarm(text, page, correlation, self._parts.clock.now_us()))

    def _note(self, text: str, page: bool, kind: str) -> None:
        self._parts.publish(Alarm(text, page, NO_CORRELATION, self._parts.clock.now_us(), kind))

    def _become(self, state: EngineState, reason: str, by: str) -> None:
        self.state, self.reason, self.since_us = state, reason, self._parts.clock.now_us()
        self._parts.publish(EngineStateChanged(state.value, reason, by, self.since_us))

    def _audit(self, actor: Actor, kind: str, body: Mapping[str, object]) -> AuditEntry:
        return AuditEntry(self._parts.clock.now_us(), str(actor), kind, "", body)

    def _stored_decimal(self, key: str, default: Decimal) -> Decimal:
        stored = self._parts.journal.meta(key)
        return default if stored is None else Decimal(stored)

    def _restore_market(self) -> None:
        session, phase = self._parts.journal.meta("market_session"), self._parts.journal.meta("market_phase")
        if session is not None and phase is not None:
            self.picture.restore(date.fromisoformat(session), SessionPhase(phase))


def _is_restated_after(bracket: Bracket, session: date) -> bool:
    """Its terms are in dollars of a later session: the process ended in the middle of a corporate action."""
    return bracket.last_action is not None and bracket.last_action > session
