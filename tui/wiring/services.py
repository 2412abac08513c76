"""The outside services of a live market, each under its own limits: clients, budgets, breakers, health."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import httpx

from engine.clock import US_PER_S, Clock
from engine.errors import SourceError
from engine.http import Reach, open_client
from engine.model.company import BEST_EFFORT, CompanyFacts
from engine.model.ids import InstrumentId
from engine.model.market import Headline
from engine.ports import BarColumns
from engine.reliability.cache import Cache
from engine.reliability.config import CacheKind, ReliabilityConfig, ServiceKind
from engine.reliability.provider import Provider, Providers, SlaChange
from engine.reliability.ratelimit import Budget, BudgetConfig
from engine.sources import alpaca_data, cboe, edgar, halts, rss, yahoo
from engine.sources.alpaca_data import AlpacaData, AlpacaKeys
from engine.sources.cboe import VIX, Cboe
from engine.sources.companies import Companies
from engine.sources.config import SourcesConfig
from engine.sources.edgar import Edgar
from engine.sources.halts import NasdaqHalts
from engine.sources.rss import Rss
from engine.sources.yahoo import Yahoo

ALPACA_BUDGET = BudgetConfig(per_s=190 / 60, burst=10)
"""A free account may make 200 calls in any minute."""
EDGAR_BUDGET = BudgetConfig(per_s=8, burst=2)
"""The SEC bans who makes more than 10 calls in a second."""
SLOW_BUDGET = BudgetConfig(per_s=1 / 10, burst=3)
"""Of files that change once a day or once a minute."""
FEED_BUDGET = BudgetConfig(per_s=1 / 2, burst=10)
YAHOO_BUDGET = BudgetConfig(per_s=1, burst=2)
QUOTES_AGE_US, NEWS_AGE_US = 5 * US_PER_S, 5 * 60 * US_PER_S
LOOK_BACK = timedelta(days=430)
"""About 295 sessions: 252 are looked at."""
_INDEX_IS_OVER = time(16, 20)
_NEW_YORK = ZoneInfo("America/New_York")
HALTS_AGE_US, DAILY_AGE_US = 5 * 60 * US_PER_S, 26 * 3600 * US_PER_S


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the services are. `loopback`: also on this machine, without TLS; for tests."""

    prices: str = alpaca_data.DATA_URL
    listings: str = alpaca_data.TRADING_URL
    vix: str = cboe.URL
    companies: str = edgar.FILES_URL
    filings: str = edgar.DATA_URL
    halts: str = halts.URL
    charts: str = yahoo.URL
    loopback: bool = False

    def reach(self, *urls: str) -> Reach:
        """Some of the hosts, for a client that calls no other."""
        return Reach(frozenset(httpx.URL(url).host for url in urls), self.loopback)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the services are made with. `contact`: a mail address that is named in each request, or ""."""

    keys: AlpacaKeys
    contact: str
    sources: SourcesConfig
    reliability: ReliabilityConfig
    endpoints: Endpoints


class Services:
    """Made once a run; `close` it. `changed` hears when one begins or ends to keep what is expected of it."""

    def __init__(self, terms: Terms, clock: Clock, changed: Callable[[SlaChange], None]) -> None:
        self._terms = terms
        self._clock = clock
        self._changed = changed
        self._clients: list[httpx.AsyncClient] = []
        self.providers = Providers(clock)
        at, chosen = terms.endpoints, terms.sources
        self.alpaca = AlpacaData(
            self._client(at.prices, at.listings),
            terms.keys,
            clock,
            self._provider(alpaca_data.NAME, ALPACA_BUDGET, QUOTES_AGE_US),
            chosen.alpaca_feed,
            at.prices,
            at.listings,
        )
        daily = self._provider(cboe.NAME, SLOW_BUDGET, DAILY_AGE_US)
        self.cboe = Cboe(self._client(at.vix), clock, daily, at.vix)
        charts = self._provider(yahoo.NAME, YAHOO_BUDGET, DAILY_AGE_US)
        self.yahoo = Yahoo(self._client(at.charts), clock, charts, at.charts)
        self.companies = self._companies(at) if terms.contact else None
        """None: EDGAR is not asked by somebody who gives no address."""
        self.feeds = tuple(self._feed(number, url) for number, url in enumerate(chosen.rss, 1))
        self._told = Cache[tuple[Headline, ...]](terms.reliability.ttl(CacheKind.MARKET), clock, _same_news)
        """A feed that brings nothing new is asked less often."""

    async def vix(self) -> BarColumns:
        """Days of the VIX: Cboe's, and while it fails those of Yahoo. Raises what Cboe's says."""
        try:
            return await self.cboe.vix()
        except SourceError:
            # A session's own row is told while it lasts; without the calendar only the day before is over.
            today = datetime.fromtimestamp(self._clock.now_us() // US_PER_S, _NEW_YORK)
            last = today.date() if today.time() >= _INDEX_IS_OVER else today.date() - timedelta(days=1)
            bars = await self.yahoo.daily(VIX, last - LOOK_BACK, last)
            if bars is None:
                raise
            return bars

    async def close(self) -> None:
        """Call nobody any more."""
        await self._told.close()
        for client in self._clients:
            await client.aclose()

    def facts(self, instrument: InstrumentId) -> CompanyFacts | None:
        """What is known of a company now."""
        return None if self.companies is None else self.companies.facts(instrument)

    async def look_up(self, instruments: Sequence[InstrumentId]) -> str:
        """Read what is too old about the companies; says what could not be read."""
        if self.companies is None:
            return "edgar.contact is not set: nothing is known of companies"
        return await self.companies.refresh(instruments)

    async def headlines(self, instruments: Sequence[InstrumentId]) -> tuple[tuple[Headline, ...], str]:
        """What the feeds tell of the instruments, and what could not be read."""
        found: list[Headline] = []
        troubles: list[str] = []
        wanted = frozenset(instruments)
        for feed in self.feeds:
            asked = tuple(instruments) if feed.is_by_symbol else ()
            try:
                told = await self._told.get((feed, asked), partial(feed.headlines, asked))
            except SourceError as error:
                troubles.append(error.message)
                continue
            found += [one for one in told.value if wanted.intersection(one.instruments)]
        return tuple(found), "; ".join(troubles)

    def _companies(self, at: Endpoints) -> Companies:
        filings = Edgar(
            self._client(at.companies, at.filings),
            self._terms.contact,
            self._clock,
            self._provider(edgar.NAME, EDGAR_BUDGET, DAILY_AGE_US),
            at.companies,
            at.filings,
        )
        calls = self._provider(halts.NAME, SLOW_BUDGET, HALTS_AGE_US)
        stopped = NasdaqHalts(self._client(at.halts), self._clock, calls, at.halts)
        return Companies(self.alpaca.listings, filings, stopped, self._clock)

    def _feed(self, number: int, url: str) -> Rss:
        calls = self._provider(f"{rss.NAME} {number}", FEED_BUDGET, NEWS_AGE_US)
        return Rss(self._client(url), url, self._clock, calls)

    def _client(self, *urls: str) -> httpx.AsyncClient:
        client = open_client(self._terms.endpoints.reach(*urls), self._terms.contact)
        self._clients.append(client)
        return client

    def _provider(self, name: str, budget: BudgetConfig, max_age_us: int) -> Provider:
        bucket = self.providers.budget(name, lambda: Budget(name, budget, self._clock))
        return self.providers.add(
            Provider(
                name,
                ServiceKind.DEFAULT,
                self._terms.reliability,
                bucket,
                self._clock,
                random.SystemRandom().random,
                self._changed,
                max_age_us,
                name in BEST_EFFORT,
            )
        )


def _same_news(before: tuple[Headline, ...], after: tuple[Headline, ...]) -> bool:
    return [item.title for item in before] == [item.title for item in after]
