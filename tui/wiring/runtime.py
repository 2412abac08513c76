"""Joins the parts: settings to storage, sources, the broker and the engine; the one place that knows all."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from brokers.paper.broker import PaperBroker
from engine.agents.historian import Historian
from engine.backtest.replay import TICK_S, Pace, Replay
from engine.bus import Bus, Subscription, Trouble
from engine.clock import TestClock
from engine.core import Engine
from engine.errors import ConfigError, StorageError, UsageError
from engine.execution.gating import StrategyTerms
from engine.execution.matching import NAIVE, GapFill, MatchRules
from engine.execution.policies import ListRule, PolicyName, policy_of
from engine.features.history import StoredHistory
from engine.model.commands import ENGINE, Actor
from engine.model.events import ALL_EVENTS, Alarm, CandidatesJudged, Event, RoundTripClosed, TicketChanged
from engine.model.ids import AccountId, CorrelationId, InstrumentId, StrategyName
from engine.model.market import Instrument, MarketBatch
from engine.model.positions import AccountKind
from engine.money import to_decimal
from engine.notify.dispatch import Dispatcher
from engine.parts import Parts
from engine.ports import Journal, JournalRow, Notifier
from engine.reliability.supervisor import Supervisor
from engine.risk.limits import LimitSwitches
from engine.sources.replay import ReplaySource
from engine.sources.sessions import ExchangeSessions
from engine.strategies.gaps import Gaps
from engine.strategies.gaps_config import GapsConfig
from storage.database import Synchronous
from storage.degraded import open_lasting_journal
from storage.keyfile import make_or_read_key
from storage.lock import StateLock
from storage.memory import open_memory
from storage.paper_book import open_paper_book
from storage.paths import Home, StatePaths
from storage.snapshots import SnapshotFolder
from tui.link import Link
from tui.local_link import LocalLink
from tui.settings import Settings
from tui.wiring.disk import DiskWatch
from tui.wiring.killswitch import HaltFile, on_signal
from tui.wiring.market import BarInputs, EquityTicks, MarketData, in_ticks, load_market, open_sessions

SIMULATION_ACCOUNT = AccountId("replay")
LAST_WORDS_S = 2.0
"""How long alarms may take to reach a person while the engine stops."""
NIGHT_BEFORE_US = 60_000_000
"""A replay's clock starts this long before its first session opens."""


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """Which stored days are replayed, and how they are shown."""

    first: date
    last: date | None
    inputs: BarInputs
    speed: float | None
    fill: GapFill
    wait_for_tickets: bool
    in_ticks: bool = False
    """Prices as a venue quotes and takes them; else as stored, to compare with a back-test."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Everything a run is made from."""

    settings: Settings
    home: Home
    state: StatePaths
    replay: ReplayOptions
    policy: PolicyName
    switches: LimitSwitches
    remember: bool = True
    """Whether the agents' memory is written."""
    notifiers: tuple[Notifier, ...] = ()
    """How a person is told of alarms."""


class Runtime:
    """One running engine with everything it stands on; `stop` closes all of it."""

    def __init__(self, options: RunOptions, market: MarketData, sessions: ExchangeSessions) -> None:
        self.options = options
        self.market = market
        self.sessions = sessions
        self.bus = Bus(self._trouble)
        self._open = ExitStack()
        self._task: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._halt_file = HaltFile(options.state.halt_file, self._press)
        self._dispatchers = tuple(Dispatcher(notifier) for notifier in options.notifiers)

    @property
    def state(self) -> StatePaths:
        """Its state folder."""
        return self.options.state

    async def start(self) -> None:
        """Lock the state, open the books, recover, and let the market begin.

        Raises Busy when another process holds the state, StorageError, ConfigError and DataError.
        """
        try:
            # A signal is dealt with once the loop turns, and there is an engine by then.
            self._open.enter_context(on_signal(self._press))
            self._build()
            # Before anything is asked or sent: a file that is there means HALTED.
            self._halt_file.look()
            await self.engine.start()
        except BaseException:
            self._open.close()
            raise
        self._tasks.keep("HALT file", self._halt_file.watch)
        self._tasks.keep("disk", self._disk.watch)
        for dispatcher in self._dispatchers:
            self._tasks.keep("notifier", dispatcher.run)
        self._task = asyncio.create_task(self.replay.run(self._flat_after()), name="replay")

    def _press(self, actor: Actor, reason: str) -> None:
        self.engine.switch.shut_down(actor, reason)

    def _build(self) -> None:
        options, kind = self.options, AccountKind.SIMULATION
        state, replayed = options.state, options.replay
        state.make()
        self._open.enter_context(StateLock.acquire(state.lock))
        account = options.settings.config.accounts["paper"]
        initial_cash = to_decimal(account.initial_cash)
        _refuse_lost_journal(state.journal(kind, SIMULATION_ACCOUNT), state.paper_book(SIMULATION_ACCOUNT))
        journal = self._open.enter_context(
            open_lasting_journal(state.journal(kind, SIMULATION_ACCOUNT), SIMULATION_ACCOUNT, kind)
        )
        self._journal = journal
        book = self._open.enter_context(
            open_paper_book(state.paper_book(SIMULATION_ACCOUNT), Synchronous.NORMAL)
        )
        _remember_start(journal, initial_cash, options)
        first = self.sessions.require(replayed.first)
        handled = journal.meta("market_us")
        # Never back: what was written after the last finished instant has later times.
        clock = TestClock(max(first.open_us - NIGHT_BEFORE_US, int(handled or 0), journal.latest_us() or 0))
        gaps = options.settings.config.gaps
        ticks = EquityTicks()
        instruments: Mapping[InstrumentId, Instrument] = ticks if replayed.in_ticks else {}
        broker = PaperBroker(
            SIMULATION_ACCOUNT,
            kind,
            book,
            clock,
            self.sessions,
            initial_cash=initial_cash,
            rules=_match_rules(replayed.fill),
            instruments=instruments,
            check_buying_power=options.switches.buying_power,
        )
        bars = in_ticks(self.market.bars) if replayed.in_ticks else self.market.bars
        history = StoredHistory(bars, replayed.first)
        risk = options.settings.config.risk
        self.engine = Engine(
            Parts(
                account=SIMULATION_ACCOUNT,
                kind=kind,
                clock=clock,
                journal=journal,
                broker=broker,
                strategies=(Gaps(gaps, risk, clock.now_us),),
                terms={Gaps.name: _terms(gaps)},
                sessions=self.sessions,
                history=history.at,
                index=self.market.index,
                instruments=instruments,
                switches=options.switches,
                max_positions_total=risk.max_positions_total,
                dataset=True,
                policy=policy_of(options.policy, kind, _rules(options.settings)),
                random_bits=_id_bits(state.folder.name, handled),
                publish=self.bus.publish,
                config_hash=options.settings.sha256,
                entry_until=replayed.last,
                risk=risk,
                day_roll=ZoneInfo(account.day_roll),
                snapshots=SnapshotFolder(state.snapshots),
                cancel_entries_at_stop=options.settings.config.engine.cancel_entries_at_stop,
                blocks_resume=self._halt_file.blocks_resume,
                sign=make_or_read_key(state.approval_key).sign,
            )
        )
        source = ReplaySource(bars, self.sessions, replayed.first, None)
        pace = Pace(replayed.speed, replayed.wait_for_tickets)

        def venue_sees(batch: MarketBatch) -> None:
            ticks.take(batch)
            broker.on_market(batch)

        self.replay = Replay(self.engine, clock, source, venue_sees, lambda: broker.has_undelivered, pace)
        self._disk = DiskWatch(self.engine, journal, state.folder, kind)
        self._tasks = Supervisor(clock, self._alarm, lambda why: self.engine.halt(ENGINE, why))
        self._listen()

    def _listen(self) -> None:
        """Whoever hears the events: the memory, the ways to a person, and the faces."""
        options = self.options
        if options.remember:
            place = options.settings.config.engine.db or options.state.memory
            historian = Historian(self._open.enter_context(open_memory(place)))
            kinds = (CandidatesJudged, TicketChanged, RoundTripClosed)
            self.bus.subscribe_call(kinds, historian.hear, historian.name)
        for dispatcher in self._dispatchers:
            self.bus.subscribe_call(Alarm, dispatcher.hear, f"notifier {dispatcher.delivery().notifier}")
        self.link: Link = LocalLink(
            self.engine,
            self.bus,
            self.replay,
            self.sessions.next_after,
            lambda: [dispatcher.delivery() for dispatcher in self._dispatchers],
        )

    def _flat_after(self) -> int | None:
        last = self.options.replay.last
        if last is None:
            return None
        sessions = self.sessions.between(self.options.replay.first, last)
        return sessions[-1].close_us if sessions else 0

    async def run_until_done(self) -> None:
        """Return when the market ended or `ask_to_stop` was called. Raises what ended the replay."""
        if self._task is None:
            raise RuntimeError("run_until_done before start")
        stop = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({self._task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if self._task.done():
                await self._task
        finally:
            stop.cancel()

    async def run_until_waiting(self) -> None:
        """Return when the market waits for a decision, or ended."""
        while self._task is not None and not self._task.done() and not self.replay.paused:  # noqa: ASYNC110 - a short look, no state of its own
            await asyncio.sleep(TICK_S)

    def is_healthy(self) -> bool:
        """Whether the market is still driven; false once its task failed."""
        task = self._task
        if task is None or task.cancelled():
            return False
        return not task.done() or task.exception() is None

    def audit_head(self) -> tuple[int, str]:
        """Number and hash of the newest line of the audit log, to be kept in a second place."""
        return self._journal.head()

    def wake(self) -> None:
        """The process was stopped and goes on: compare the venue with the books at once."""
        self.engine.watch.wake()

    def ask_to_stop(self) -> None:
        """Let `run_until_done` return."""
        self._stopping.set()

    async def stop(self) -> None:
        """Drain: no new batch, answers awaited, stops left at the venue, everything closed."""
        try:
            self.replay.stop()
            if self._task is not None:
                await asyncio.wait({self._task})
            await self.engine.stop()
            await self._last_words()
            await self._tasks.end()
            await self.link.close()
        finally:
            self.bus.close()
            self._open.close()

    async def events(self) -> AsyncIterator[Event]:
        """Everything that happens, for a log."""
        subscription: Subscription[Event] = self.bus.subscribe(ALL_EVENTS, "log", newest_only=True)
        with subscription:
            async for event in subscription:
                yield event

    async def _last_words(self) -> None:
        """What was told while the engine stopped still reaches a person, if that takes no time."""
        flushing = [asyncio.create_task(dispatcher.flushed()) for dispatcher in self._dispatchers]
        if flushing:
            await asyncio.wait(flushing, timeout=LAST_WORDS_S)
        for task in flushing:
            task.cancel()

    def _trouble(self, trouble: Trouble) -> None:
        self._alarm(f"listener {trouble.listener} failed: {trouble.error}")

    def _alarm(self, text: str) -> None:
        self.bus.publish(Alarm(text, False, CorrelationId(""), self.engine.parts.clock.now_us()))


def build(options: RunOptions, narrate: Callable[[str], None]) -> Runtime:
    """Read the market data and join everything; nothing is opened for writing before `Runtime.start`."""
    sessions = open_sessions(options.home)
    sessions.require(options.replay.first)
    market = load_market(options.replay.inputs, options.state, sessions)
    for note in market.notes:
        narrate(note)
    begin, last = market.first_day(), market.last_day()
    if options.replay.first < begin:
        raise UsageError(
            f"the daily bars begin on {begin}, after {options.replay.first}",
            "Name a later day, or older bars",
        )
    if last < options.replay.first:
        raise UsageError(
            f"the daily bars end on {last}, before {options.replay.first}",
            "Name an earlier day, or newer bars",
        )
    return Runtime(options, market, sessions)


def _terms(gaps: GapsConfig) -> StrategyTerms:
    return StrategyTerms(
        gaps.stage.value,
        gaps.rule.value,
        gaps.max_concurrent,
        gaps.entries_per_session,
        gaps.max_per_sector,
    )


def _match_rules(fill: GapFill) -> MatchRules:
    """The naive rule trades as its published back-test does: free and unrounded."""
    return replace(NAIVE, gap_fill=fill)


def _refuse_lost_journal(journal: Path, book: Path) -> None:
    """The journal is made first, so a venue's book without one means that the journal was lost."""
    if book.exists() and not (journal.exists() and journal.stat().st_size):
        raise StorageError(
            f"{book} holds the orders of an account, but its journal {journal.name} is missing or empty",
            "Restore the journal from a backup, or use another state folder",
        )


def _rules(settings: Settings) -> Mapping[StrategyName, ListRule]:
    return {StrategyName(name): rule for name, rule in settings.config.approvals.items()}


def _remember_start(journal: Journal, initial_cash: Decimal, options: RunOptions) -> None:
    """What a later start on the same state needs to go on the same way. Raises ConfigError for other days."""
    first = options.replay.first.isoformat()
    stored = journal.meta("replay_first")
    if stored is None:
        values = {"initial_cash": format(initial_cash, "f"), "replay_first": first}
        journal.commit([JournalRow("meta", {"k": key, "v": value}) for key, value in values.items()], ())
    elif stored != first:
        raise ConfigError(
            f"{options.state.folder} holds a replay from {stored}, not from {first}",
            "Go on with that day, or name another state folder",
        )


def _id_bits(state: str, handled: str | None) -> Callable[[int], int]:
    """A replay makes the same ids again in a state folder of the same name; a resumed one repeats none."""
    return random.Random(f"{state} {handled}").getrandbits  # noqa: S311 - ids of a simulation guard nothing
