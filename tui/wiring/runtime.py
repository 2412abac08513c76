"""Joins the parts: settings to storage, sources, the broker and the engine; the one place that knows all."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from brokers.paper.broker import PaperBroker
from engine.agents.steering import AgentDesk, make_roster
from engine.backtest.drive import Drive
from engine.backtest.pace import TICK_S, Pace
from engine.bus import Bus, Subscription, Trouble
from engine.clock import Clock, TestClock
from engine.core import Engine
from engine.errors import ConfigError, StorageError
from engine.execution.approving import DIALOG_US
from engine.execution.gating import StrategyTerms
from engine.execution.matching import MatchRules
from engine.execution.policies import ListRule, PolicyName, policy_of
from engine.model.commands import ENGINE, Actor
from engine.model.events import ALL_EVENTS, Alarm, Event
from engine.model.ids import AccountId, CorrelationId, InstrumentId, StrategyName
from engine.model.market import FeedState, Instrument, MarketBatch, Provenance
from engine.model.positions import AccountKind
from engine.model.tokens import TokenId
from engine.money import to_decimal
from engine.notify.dispatch import Dispatcher
from engine.parts import Parts
from engine.ports import BarColumns, Journal, JournalRow, Notifier, Source
from engine.reliability.provider import SourceHealth
from engine.reliability.supervisor import Supervisor
from engine.risk.limits import LimitSwitches
from engine.sources.sessions import ExchangeSessions
from engine.strategies.base import History
from engine.strategies.gaps import Gaps
from engine.strategies.gaps_config import GapsConfig, GapsRule
from engine.strategies.gems import GemScan
from engine.strategies.knowledge import NOTHING_KNOWN, Knowledge
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
from tui.wiring.looking_back import Backward, look_back
from tui.wiring.pulse import Pulse
from tui.wiring.rules import keep_rules

TokenPrices = Callable[[TokenId, int, int], Sequence[tuple[int, float]]]
LAST_WORDS_S = 2.0
"""How long alarms may take to reach a person while the engine stops."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A fact of the market that a later start on the same state must agree in; kept under `key` of `meta`."""

    key: str
    value: str
    words: str
    """What the state holds, up to the value: `a replay from`."""


@dataclass(frozen=True, slots=True)
class Market:
    """What an account trades on, and how it is shown: made from stored days, the demo, or live.

    What is made up or long past is worth no money: the account that trades on it is of kind simulation.
    """

    account: AccountId
    provenance: Provenance
    source: Source | None
    """None: whoever drives a live market looks by itself."""
    start_us: int
    """Where the clock of a new state begins."""
    history: Callable[[date], History]
    index: Callable[[str, date], BarColumns | None]
    instruments: Mapping[InstrumentId, Instrument]
    rules: MatchRules
    """How the paper venue fills."""
    pace: Pace
    dataset: bool
    """Stored days, which cannot hold news, sectors or spreads (SPEC 9.8)."""
    marks: tuple[Mark, ...]
    id_seed: str
    """What its ids are made from: the same run makes the same ids."""
    feeds: Callable[[], tuple[FeedState, ...]] = tuple
    services: Callable[[], tuple[SourceHealth, ...]] = tuple
    """How the services do that are called for its data."""
    news_feed: str = ""
    """Which of the feeds tells headlines; "": none."""
    sector_of: Callable[[InstrumentId], str | None] | None = None
    name_of: Callable[[InstrumentId], str | None] = lambda instrument: None
    token_prices: TokenPrices | None = None
    """Of 5 minutes each; None: this market has no tokens."""
    sees: Callable[[MarketBatch], None] = lambda batch: None
    """Told of each batch before the venue is."""
    dialog_us: int = DIALOG_US
    """How long what a person was shown may be approved, in time of the market."""
    entry_until: date | None = None
    flat_after_us: int | None = None
    """From here on the run ends as soon as no bracket is open."""
    kind: AccountKind = AccountKind.SIMULATION
    is_live: bool = False
    """Its time is the wall's: it runs by itself."""
    knowledge: Knowledge = NOTHING_KNOWN
    """What strategies may know beside prices and books: the model on the shelf, companies."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run is made from beside its market."""

    settings: Settings
    home: Home
    state: StatePaths
    policy: PolicyName
    switches: LimitSwitches
    remember: bool = True
    """Whether the agents' memory is written."""
    learns: bool = True
    """Whether what trades teach changes later decisions, where they are remembered."""
    notifiers: tuple[Notifier, ...] = ()
    """How a person is told of alarms."""


class Driver(Protocol):
    """Hands a market to an engine, batch by batch, until it ends or `stop`."""

    @property
    def paused(self) -> bool: ...
    @property
    def why_slow(self) -> str: ...
    async def run(self, until_flat_after_us: int | None = None) -> None: ...
    def stop(self) -> None: ...


class Runtime:
    """One running engine with everything it stands on; `stop` closes all of it."""

    def __init__(self, options: RunOptions, market: Market, sessions: ExchangeSessions) -> None:
        self.options = options
        self.market = market
        self.sessions = sessions
        self.bus = Bus(self._trouble)
        self.backward: Backward | None = None
        """Whoever looks back on this run; None: nothing is learned from it."""
        self._open = ExitStack()
        self._task: asyncio.Task[None] | None = None
        self.drive: Driver
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
        self._tasks.keep("loop lag", self._pulse.watch)
        for dispatcher in self._dispatchers:
            self._tasks.keep("notifier", dispatcher.run)
        self._task = asyncio.create_task(self.drive.run(self.market.flat_after_us), name="market")

    def _press(self, actor: Actor, reason: str) -> None:
        self.engine.switch.shut_down(actor, reason)

    def _build(self) -> None:
        options, market, kind = self.options, self.market, self.market.kind
        state, account = options.state, market.account
        state.make()
        self._open.enter_context(StateLock.acquire(state.lock))
        configured = options.settings.config.accounts["paper"]
        initial_cash = to_decimal(configured.initial_cash)
        _refuse_other_account(state, account)
        _refuse_lost_journal(state.journal(kind, account), state.paper_book(account))
        journal = self._open.enter_context(open_lasting_journal(state.journal(kind, account), account, kind))
        self._journal = journal
        book = self._open.enter_context(open_paper_book(state.paper_book(account), Synchronous.NORMAL))
        _remember_start(journal, initial_cash, market, state)
        handled = journal.meta("market_us")
        # Never back: what was written after the last finished instant has later times.
        clock = self._clock(max(market.start_us, int(handled or 0), journal.latest_us() or 0))
        broker = PaperBroker(
            account,
            kind,
            book,
            clock,
            self.sessions,
            initial_cash=initial_cash,
            rules=market.rules,
            instruments=market.instruments,
            check_buying_power=options.switches.buying_power,
        )
        gaps, risk = options.settings.config.gaps, options.settings.config.risk
        agents = AgentDesk(make_roster(clock.now_us, self.bus.publish), journal, clock.now_us)
        keep_rules(journal, gaps, clock.now_us())
        self.engine = Engine(
            Parts(
                account=account,
                kind=kind,
                clock=clock,
                journal=journal,
                broker=broker,
                strategies=(Gaps(gaps, risk, clock.now_us, agents.roster),),
                agents=agents,
                knowledge=market.knowledge,
                terms={Gaps.name: _terms(gaps)},
                sessions=self.sessions,
                history=market.history,
                index=market.index,
                instruments=market.instruments,
                switches=options.switches,
                max_positions_total=risk.max_positions_total,
                dataset=market.dataset,
                policy=policy_of(options.policy, kind, _rules(options.settings)),
                random_bits=secrets.randbits if market.is_live else _id_bits(market.id_seed, handled),
                live=market.is_live,
                publish=self.bus.publish,
                config_hash=options.settings.sha256,
                entry_until=market.entry_until,
                dialog_us=market.dialog_us,
                risk=risk,
                day_roll=ZoneInfo(configured.day_roll),
                snapshots=SnapshotFolder(state.snapshots),
                cancel_entries_at_stop=options.settings.config.engine.cancel_entries_at_stop,
                blocks_resume=self._halt_file.blocks_resume,
                sign=make_or_read_key(state.approval_key).sign,
                sector_of=market.sector_of,
                provenance=market.provenance,
                feeds=market.feeds,
                services=market.services,
                news_feed=market.news_feed,
                name_of=market.name_of,
                gems=None if market.token_prices is None else GemScan(options.settings.config.gems),
                token_prices=market.token_prices,
            )
        )
        self._join(clock, broker)
        self._disk = DiskWatch(self.engine, journal, state.folder, kind)
        self._pulse = Pulse(journal, state.folder)
        self._tasks = Supervisor(clock, self._alarm, lambda why: self.engine.halt(ENGINE, why))
        self._listen()

    def _clock(self, since_us: int) -> Clock:
        """The engine's time, which goes on at `since_us` or later."""
        return TestClock(since_us)

    def _join(self, clock: Clock, broker: PaperBroker) -> None:
        """The market drives the venue and the engine."""
        market = self.market
        # What is stored or made up is stepped.
        assert isinstance(clock, TestClock) and market.source is not None  # noqa: S101, PT018

        def venue_sees(batch: MarketBatch) -> None:
            market.sees(batch)
            broker.on_market(batch)

        self.drive = Drive(
            self.engine,
            clock,
            market.source,
            venue_sees,
            lambda: broker.has_undelivered,
            market.pace,
            self.sessions,
        )

    def _listen(self) -> None:
        """Whoever hears the events: the memory, the ways to a person, and the faces."""
        options = self.options
        if options.remember:
            place = options.settings.config.engine.db or options.state.memory
            memory = self._open.enter_context(open_memory(place))
            gaps = options.settings.config.gaps
            learned = gaps if options.learns else None
            self.backward = look_back(self.engine, self.bus, self.market.rules, learned, memory, self.state)
        for dispatcher in self._dispatchers:
            self.bus.subscribe_call(Alarm, dispatcher.hear, f"notifier {dispatcher.delivery().notifier}")
        self.link: Link = LocalLink(
            self.engine,
            self.bus,
            self.drive if isinstance(self.drive, Drive) else None,
            self.sessions.next_after,
            lambda: [dispatcher.delivery() for dispatcher in self._dispatchers],
            self._pulse.gauges,
        )

    async def run_until_done(self) -> None:
        """Return when the market ended or `ask_to_stop` was called. Raises what ended the market."""
        if self._task is None:
            raise RuntimeError("run_until_done before start")
        stop = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({self._task, stop}, return_when=asyncio.FIRST_COMPLETED)
            if self._task.done():
                await self._task
        finally:
            stop.cancel()

    def _waits(self) -> bool:
        return self.drive.paused or bool(self.drive.why_slow)

    async def run_until_waiting(self) -> None:
        """Return when the market waits for a decision or goes slowly for one, or ended."""
        while self._task is not None and not self._task.done() and not self._waits():  # noqa: ASYNC110 - a short look, no state of its own
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
            self.drive.stop()
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


def _terms(gaps: GapsConfig) -> StrategyTerms:
    return StrategyTerms(
        gaps.stage.value,
        # The full rule is known by what it found out about a candidate, not by a setting.
        GapsRule.NAIVE.value,
        gaps.max_concurrent,
        gaps.entries_per_session,
        gaps.max_per_sector,
        slippage_max_pct=gaps.slippage_max_pct,
        without_evidence=gaps.live_without_evidence,
        leaves_on_news=True,
    )


def _refuse_other_account(state: StatePaths, account: AccountId) -> None:
    """One state, one account: commands that read it name none. Raises ConfigError."""
    for file in state.journals():
        if file.account != account:
            raise ConfigError(
                f"{state.folder} holds account {file.account} of kind {file.kind}, not {account}",
                "Name another state folder, or none for a new one",
            )


def _refuse_lost_journal(journal: Path, book: Path) -> None:
    """The journal is made first, so a venue's book without one means that the journal was lost."""
    if book.exists() and not (journal.exists() and journal.stat().st_size):
        raise StorageError(
            f"{book} holds the orders of an account, but its journal {journal.name} is missing or empty",
            "Restore the journal from a backup, or use another state folder",
        )


def _rules(settings: Settings) -> Mapping[StrategyName, ListRule]:
    return {StrategyName(name): rule for name, rule in settings.config.approvals.items()}


def _remember_start(journal: Journal, initial_cash: Decimal, market: Market, state: StatePaths) -> None:
    """What a later start on the same state needs to go on the same way. Raises ConfigError for another."""
    stored = {mark.key: journal.meta(mark.key) for mark in market.marks}
    for mark in market.marks:
        if stored[mark.key] not in (None, mark.value):
            asked = f"{mark.words.rpartition(' ')[2]} {mark.value}"
            raise ConfigError(
                f"{state.folder} holds {mark.words} {stored[mark.key]}, not {asked}",
                "Go on with that one, or name another state folder",
            )
    if any(value is None for value in stored.values()):
        values = {mark.key: mark.value for mark in market.marks}
        if journal.meta("initial_cash") is None:
            values["initial_cash"] = format(initial_cash, "f")
        journal.commit([JournalRow("meta", {"k": key, "v": value}) for key, value in values.items()], ())


def _id_bits(seed: str, handled: str | None) -> Callable[[int], int]:
    """The same run makes the same ids again; a resumed one repeats none."""
    return random.Random(f"{seed} {handled}").getrandbits  # noqa: S311 - ids of a simulation guard nothing
