"""A paper account on live prices: Alpaca's quotes, news and daily bars, Cboe's VIX; fills are made here.

Nothing is sent to a venue: the paper broker fills at the prices that are told. What runs at which time stands
in the timetable. The engine's time is the wall's, and never goes back behind what the journal has seen.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from brokers.paper.broker import PaperBroker
from engine.backtest.pace import Pace
from engine.clock import US_PER_S, Clock, LiveClock, wall_us
from engine.config import Mode
from engine.errors import ConfigError
from engine.execution.matching import STANDARD
from engine.jobs import JobDesk, Jobs
from engine.model.commands import ENGINE
from engine.model.company import CompanyFacts
from engine.model.ids import AccountId, InstrumentId
from engine.model.jobs import Due
from engine.model.market import MarketBatch, Provenance
from engine.model.positions import AccountKind
from engine.model.secrets import ALPACA_KEY_ID, ALPACA_SECRET, EDGAR_CONTACT, Secret
from engine.ports import ModelShelf, Secrets
from engine.reliability.provider import SlaChange, SourceHealth
from engine.sources.alpaca_data import AlpacaKeys
from engine.sources.companies import Companies
from engine.sources.sessions import ExchangeSessions
from engine.strategies.knowledge import Knowledge
from storage.bars import open_bars
from storage.jobs import SqlJobs
from storage.secrets import KeyBook
from storage.sql import open_engine
from tui.local_link import LocalLink
from tui.redaction import hide
from tui.wiring.earnings import FILE, earnings_of
from tui.wiring.housekeeping import Housekeeping
from tui.wiring.keys import open_keys, require_live
from tui.wiring.livebars import LiveBars
from tui.wiring.livedrive import NEWS, LiveDrive
from tui.wiring.market import EquityTicks, open_sessions
from tui.wiring.runtime import Mark, Market, RunOptions, Runtime
from tui.wiring.services import Endpoints, Services, Terms
from tui.wiring.shelf import RegistryShelf, registry_shelf
from tui.wiring.timetable import JobWork, time_of, timetable

LIVE_ACCOUNT = AccountId("paper")
BARS_FILE = "live-bars.db"
MOST_BEHIND_US = 3600 * US_PER_S
"""A machine's clock further behind the journal would open sessions at the wrong hour."""
ENDPOINTS = Endpoints()
NO_MODELS = RegistryShelf()


@dataclass(frozen=True, slots=True)
class LiveKeys:
    """What live prices need. `contact`: named in each request, where the person gave one."""

    alpaca: AlpacaKeys
    contact: str
    """"" where none is kept: then nothing is known of companies, and the full rule vetoes."""


def find_keys(secrets: Secrets) -> LiveKeys:
    """The keys of live prices. Raises ConfigError that names all that are missing, and what to do."""
    require_live(secrets)
    contact = secrets.get(EDGAR_CONTACT)
    keys = AlpacaKeys(secrets.require(ALPACA_KEY_ID), secrets.require(ALPACA_SECRET))
    return LiveKeys(keys, "" if contact is None else contact.reveal())


def build_live(
    options: RunOptions,
    environment: Mapping[str, str],
    warn: Callable[[str], None],
    learned: Callable[[Secret], None],
    endpoints: Endpoints = ENDPOINTS,
) -> "LiveRuntime":
    """An engine on live prices. Raises ConfigError where keys are missing or the mode is not paper."""
    if options.settings.config.engine.mode is Mode.LIVE:
        raise ConfigError(
            'engine.mode = "live" is refused: this release has no broker for real money',
            'Set engine.mode = "paper"',
        )
    book = open_keys(options.home, environment, warn=warn, learned=learned)
    keys = find_keys(book)
    shelf = registry_shelf(options.home, warn)
    return LiveRuntime(options, open_sessions(options.home), keys, endpoints, shelf=shelf, book=book)


class LiveRuntime(Runtime):
    """A runtime on the wall's time. `wall`: the machine's clock."""

    drive: LiveDrive

    def __init__(
        self,
        options: RunOptions,
        sessions: ExchangeSessions,
        keys: LiveKeys,
        endpoints: Endpoints = ENDPOINTS,
        wall: Callable[[], int] = wall_us,
        shelf: ModelShelf = NO_MODELS,
        book: KeyBook | None = None,
    ) -> None:
        self._keys = keys
        self._endpoints = endpoints
        self._wall = wall
        self.shelf = shelf
        self._book = book
        self._ticks = EquityTicks()
        self._services: Services | None = None
        super().__init__(options, _market(self, options), sessions)

    async def start(self) -> None:
        """As every runtime, then the jobs go on where they stood. Raises what that raises."""
        try:
            await super().start()
        except BaseException:
            await self._close_services()
            raise
        try:
            self.jobs = self._make_jobs()
            self.jobs.restore()
        except BaseException:
            await self.stop()
            raise
        if isinstance(self.link, LocalLink):
            self.link.jobs = self.jobs.status
        self._tasks.keep("jobs", self.jobs.run)
        self._tasks.keep("daily bars", self.drive.catch_up)

    async def stop(self) -> None:
        """As every runtime; then nobody is called any more."""
        try:
            await super().stop()
        finally:
            await self._close_services()

    def _clock(self, since_us: int) -> Clock:
        """The wall's time; where the journal has seen a later one, on from that until the wall has caught up.

        Raises ConfigError where the two are too far apart for either to be believed.
        """
        wall = self._wall()
        if since_us > wall + MOST_BEHIND_US:
            hours = (since_us - wall) / MOST_BEHIND_US
            raise ConfigError(
                f"this machine's clock is {hours:,.1f} h behind the last line of the journal",
                "Set the clock. If it is right, the journal was written with a wrong one: keep it away and"
                " start on another --state",
            )
        return LiveClock(max(since_us, wall), self._wall)

    def _join(self, clock: Clock, broker: PaperBroker) -> None:
        options = self.options
        config = options.settings.config
        terms = Terms(
            self._keys.alpaca, self._keys.contact, config.sources, config.reliability, self._endpoints
        )
        self._services = services = Services(terms, clock, self._sla_moved)
        store = self._open.enter_context(open_bars(options.home.data / BARS_FILE))
        self._bars = LiveBars(store, services.alpaca, services, self.sessions, config.gaps)

        def venue_sees(batch: MarketBatch) -> None:
            self._ticks.take(batch)
            broker.on_market(batch)

        self.drive = LiveDrive(
            self.engine,
            clock,
            services.alpaca,
            self._bars,
            venue_sees,
            self.sessions,
            services,
            self._followed,
        )

    def _make_jobs(self) -> Jobs:
        options, parts = self.options, self.engine.parts
        place = options.settings.config.engine.db or options.state.memory
        database = open_engine(place)
        self._open.callback(database.dispose)
        desk = JobDesk(
            parts.clock,
            self.sessions,
            SqlJobs(database, parts.account),
            self.bus.publish,
            lambda why: self.engine.halt(ENGINE, why),
            random.SystemRandom().random,
        )
        work = JobWork(
            pre_open_scan=self.drive.pre_open_scan,
            opening_scan=self.drive.opening_scan,
            time_exit=self.drive.time_exit,
            index_update=self.drive.index_update,
            weekly_report=self._look_back if options.remember else None,
            retention=self._housekeeping().run,
        )
        return Jobs(desk, timetable(time_of(options.settings.config.gaps.decision_time_et), work))

    async def _look_back(self, due: Due) -> str:
        assert self.backward is not None  # noqa: S101 - a runtime that remembers has it
        return self.backward.auditor.look_back()

    def _followed(self) -> tuple[InstrumentId, ...]:
        """Whose prices decide how a signal that was not traded would have ended."""
        if self.backward is None:
            return ()
        return tuple(shadow.terms.instrument for shadow in self.backward.shadow.following())

    def _housekeeping(self) -> Housekeeping:
        book = self._book or KeyBook((), warn=self._alarm, learned=hide)
        return Housekeeping(self.state, self.sessions, book, self.engine.parts.clock, self._alarm)

    async def _close_services(self) -> None:
        if self._services is not None:
            services, self._services = self._services, None
            await services.close()

    def services(self) -> tuple[SourceHealth, ...]:
        """How the services do; none before the start and after the end."""
        return () if self._services is None else self._services.providers.health()

    @property
    def knows_companies(self) -> bool:
        """Whether there is a source of facts about them."""
        return bool(self._keys.contact)

    def facts(self, instrument: InstrumentId) -> CompanyFacts | None:
        """What is known of a company now."""
        return None if self._services is None else self._services.facts(instrument)

    def companies(self) -> Companies | None:
        """What is known of companies; None without EDGAR."""
        return None if self._services is None else self._services.companies

    def _sla_moved(self, change: SlaChange) -> None:
        reasons = f": {'; '.join(change.reasons)}" if change.reasons else ""
        self._alarm(f"{change.source} is {change.after.value}, was {change.before.value}{reasons}")


def _market(runtime: LiveRuntime, options: RunOptions) -> Market:
    """What is told of a live market; the drive that hands it on is made with the engine."""
    knowledge = Knowledge(
        model=lambda session: runtime.shelf.as_of(session),
        company=runtime.facts if runtime.knows_companies else None,
        earnings_dates=earnings_of(options.home.config / FILE),
    )
    return Market(
        account=LIVE_ACCOUNT,
        provenance=Provenance.LIVE,
        source=None,  # the drive looks by itself
        start_us=0,
        history=lambda session: runtime._bars.history(session),
        index=lambda name, session: runtime._bars.index(name, session),
        instruments=runtime._ticks,
        rules=STANDARD,
        pace=Pace(None),
        dataset=False,
        marks=(Mark("market", "live", "a market that is"),),
        id_seed="",
        feeds=lambda: runtime.drive.feeds(),
        services=runtime.services,
        news_feed=NEWS,
        sector_of=lambda name: None if (found := runtime.companies()) is None else found.sector(name),
        name_of=lambda name: None if (found := runtime.companies()) is None else found.name(name),
        knowledge=knowledge,
        kind=AccountKind.PAPER,
        is_live=True,
    )
