"""A paper account on live prices: Alpaca's quotes, news and daily bars, Cboe's VIX; fills are made here.

Nothing is sent to a venue: the paper broker fills at the prices that are told. What runs at which time stands
in the timetable. The engine's time is the wall's, and never goes back behind what the journal has seen.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from brokers.paper.broker import PaperBroker
from engine.backtest.pace import Pace
from engine.clock import US_PER_S, Clock, LiveClock, wall_us
from engine.config import Mode
from engine.errors import ConfigError
from engine.execution.matching import STANDARD
from engine.http import Reach, open_client
from engine.jobs import JobDesk, Jobs
from engine.model.commands import ENGINE
from engine.model.ids import AccountId
from engine.model.market import MarketBatch, Provenance
from engine.model.positions import AccountKind
from engine.model.secrets import ALPACA_KEY_ID, ALPACA_SECRET, EDGAR_CONTACT, Secret
from engine.ports import Secrets
from engine.reliability.config import ServiceKind
from engine.reliability.provider import Provider, Providers, SlaChange
from engine.reliability.ratelimit import Budget, BudgetConfig
from engine.sources import alpaca_data, cboe
from engine.sources.alpaca_data import AlpacaData, AlpacaKeys
from engine.sources.cboe import Cboe
from engine.sources.sessions import ExchangeSessions
from storage.bars import open_bars
from storage.jobs import SqlJobs
from storage.sql import open_engine
from tui.local_link import LocalLink
from tui.wiring.keys import open_keys, require_live
from tui.wiring.livebars import LiveBars
from tui.wiring.livedrive import NEWS, LiveDrive
from tui.wiring.market import EquityTicks, open_sessions
from tui.wiring.runtime import Mark, Market, RunOptions, Runtime
from tui.wiring.timetable import JobWork, time_of, timetable

LIVE_ACCOUNT = AccountId("paper")
BARS_FILE = "live-bars.db"
MOST_BEHIND_US = 3600 * US_PER_S
"""A machine's clock further behind the journal would open sessions at the wrong hour."""
ALPACA_BUDGET = BudgetConfig(per_s=190 / 60, burst=20)
"""A free account may make 200 calls a minute."""
CBOE_BUDGET = BudgetConfig(per_s=1 / 10, burst=3)
QUOTES_AGE_US, DAILY_AGE_US = 5 * US_PER_S, 26 * 3600 * US_PER_S


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the services are. `loopback`: also on this machine, without TLS; for tests."""

    prices: str = alpaca_data.DATA_URL
    listings: str = alpaca_data.TRADING_URL
    vix: str = cboe.URL
    loopback: bool = False

    def reach(self) -> Reach:
        """The hosts that may be called."""
        urls = (self.prices, self.listings, self.vix)
        return Reach(frozenset(httpx.URL(url).host for url in urls), self.loopback)


ENDPOINTS = Endpoints()


@dataclass(frozen=True, slots=True)
class LiveKeys:
    """What live prices need. `contact`: named in each request, where the person gave one."""

    alpaca: AlpacaKeys
    contact: str


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
    keys = find_keys(open_keys(options.home, environment, warn=warn, learned=learned))
    return LiveRuntime(options, open_sessions(options.home), keys, endpoints)


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
    ) -> None:
        self._keys = keys
        self._endpoints = endpoints
        self._wall = wall
        self._ticks = EquityTicks()
        self._sources: _Sources | None = None
        super().__init__(options, _market(self), sessions)

    async def start(self) -> None:
        """As every runtime, then the jobs go on where they stood. Raises what that raises."""
        try:
            await super().start()
        except BaseException:
            await self._close_sources()
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
            await self._close_sources()

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
        self._sources = sources = _Sources(clock, self._keys, self._endpoints, options, self._sla_moved)
        store = self._open.enter_context(open_bars(options.home.data / BARS_FILE))
        limits = options.settings.config.gaps
        self._bars = LiveBars(store, sources.alpaca, sources.cboe, self.sessions, limits)

        def venue_sees(batch: MarketBatch) -> None:
            self._ticks.take(batch)
            broker.on_market(batch)

        self.drive = LiveDrive(self.engine, clock, sources.alpaca, self._bars, venue_sees, self.sessions)

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
        )
        return Jobs(desk, timetable(time_of(options.settings.config.gaps.decision_time_et), work))

    async def _close_sources(self) -> None:
        if self._sources is not None:
            sources, self._sources = self._sources, None
            await sources.client.aclose()

    def _sla_moved(self, change: SlaChange) -> None:
        reasons = f": {'; '.join(change.reasons)}" if change.reasons else ""
        self._alarm(f"{change.source} is {change.after.value}, was {change.before.value}{reasons}")


class _Sources:
    """The services, each under its own limits."""

    def __init__(
        self,
        clock: Clock,
        keys: LiveKeys,
        endpoints: Endpoints,
        options: RunOptions,
        changed: Callable[[SlaChange], None],
    ) -> None:
        self.client = open_client(endpoints.reach(), keys.contact)
        self.providers = Providers(clock)
        chance = random.SystemRandom().random

        def provider(name: str, budget: BudgetConfig, max_age_us: int) -> Provider:
            bucket = self.providers.budget(name, lambda: Budget(name, budget, clock))
            reliability = options.settings.config.reliability
            return self.providers.add(
                Provider(name, ServiceKind.DEFAULT, reliability, bucket, clock, chance, changed, max_age_us)
            )

        alpaca = provider(alpaca_data.NAME, ALPACA_BUDGET, QUOTES_AGE_US)
        self.alpaca = AlpacaData(
            self.client,
            keys.alpaca,
            clock,
            alpaca,
            data_url=endpoints.prices,
            trading_url=endpoints.listings,
        )
        self.cboe = Cboe(self.client, clock, provider(cboe.NAME, CBOE_BUDGET, DAILY_AGE_US), endpoints.vix)


def _market(runtime: LiveRuntime) -> Market:
    """What is told of a live market; the drive that hands it on is made with the engine."""
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
        news_feed=NEWS,
        kind=AccountKind.PAPER,
        is_live=True,
    )
