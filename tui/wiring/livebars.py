"""Daily bars of a live market: fetched, kept in a store of their own, served as they are known before a day.

They are adjusted for splits and dividends by whoever tells them, so the past changes with every split: where
what is told of the last weeks does not agree with what is kept, an instrument is read again whole. They never
mix with what a person imported.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

import numpy as np

from engine.errors import SourceError
from engine.features.history import StoredHistory, known_before
from engine.model.company import Listing, ListingKind
from engine.model.ids import InstrumentId, instrument_id
from engine.ports import BarColumns, BarStore, Sessions
from engine.strategies.gaps_config import GapsConfig

EXCHANGES = frozenset({"NASDAQ", "NYSE", "AMEX"})
RECENT = timedelta(days=36)
"""About 25 sessions: enough for a 20-day mean, and to see that the past was restated."""
WHOLE = timedelta(days=430)
"""About 295 sessions: 263 are looked at."""
ADV_DAYS = 20
SLACK = 2.0
"""Whoever trades half of what is asked, at up to twice the price, is kept: tomorrow it may be in."""
RESTATED = 1e-3
"""Two closes of the same day that differ by more are not in the same dollars."""
PART = 400
"""Instruments that are asked for and stored at a time."""
VIX, SPY = instrument_id("VIX"), instrument_id("SPY")


class DailySource(Protocol):
    """Who tells daily bars of many, and what is listed."""

    async def daily(
        self, instruments: Sequence[InstrumentId], first: date, last: date
    ) -> Mapping[InstrumentId, BarColumns]: ...
    async def listings(self) -> tuple[Listing, ...]: ...


class VixSource(Protocol):
    """Who tells the days of the VIX."""

    async def vix(self) -> BarColumns: ...


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update did. `trouble`: what it could not get, "" for nothing."""

    listed: int
    kept: int
    read_anew: int
    through: date | None
    trouble: str

    @property
    def words(self) -> str:
        """`1,204 of 6,100 listings kept, bars through 2026-11-19`."""
        told = f"{self.kept:,} of {self.listed:,} listings kept, bars through {self.through or 'no day'}"
        return f"{told}; {self.trouble}" if self.trouble else told


class LiveBars:
    """Read by the strategies through `history` and `index`; written by `update` alone."""

    def __init__(
        self, store: BarStore, source: DailySource, vix: VixSource, sessions: Sessions, limits: GapsConfig
    ) -> None:
        self._store = store
        self._source = source
        self._vix = vix
        self._sessions = sessions
        self._limits = limits
        self._updating = asyncio.Lock()
        self._take(store.all_daily())

    def history(self, session: date) -> StoredHistory:
        """Everything but the two indexes, as known before a session."""
        return self._history.at(session)

    def index(self, name: str, session: date) -> BarColumns | None:
        """VIX or SPY as known before a session."""
        bars = self._bars.get(instrument_id(name))
        return None if bars is None else known_before(bars, session)

    def universe(self, session: date) -> tuple[InstrumentId, ...]:
        """Whose bars reach to the session before: the others are not listed any more, or not known."""
        before = self._day_before(session)
        history = self.history(session)
        return tuple(name for name in history.instruments() if self._reaches(name, before))

    def last_close(self, instrument: InstrumentId, session: date) -> float | None:
        """The close before a session; None without one."""
        bars = self.history(session).daily(instrument, 1)
        return None if bars is None else float(bars.close[-1])

    def is_current(self, session: date) -> bool:
        """Whether SPY and the VIX are known through the session before."""
        before = self._day_before(session)
        return self._reaches(SPY, before) and self._reaches(VIX, before)

    async def update(self, through: date) -> Updated:
        """Read the last weeks anew, up to the session `through`. Raises SourceError without prices."""
        async with self._updating:
            return await self._update(through)

    async def catch_up(self, session: date) -> None:
        """Only what is missing before a session. Raises SourceError."""
        before = self._day_before(session)
        async with self._updating:
            if before is not None and not self._reaches(SPY, before):
                await self._update(before)
            elif before is not None and not self._reaches(VIX, before):
                await self._keep([await self._vix.vix()])
                self._take(await asyncio.to_thread(self._store.all_daily))

    async def _update(self, through: date) -> Updated:
        listings = await self._source.listings()
        names = [SPY, *(listing.instrument for listing in listings if _is_wanted(listing))]
        anew: list[InstrumentId] = []
        kept = 0
        for part in _parts(names):
            recent = await self._source.daily(part, through - RECENT, through)
            wanted = {name: bars for name, bars in recent.items() if name == SPY or self._is_liquid(bars)}
            kept += len(wanted.keys() - {SPY})
            await self._keep(bars for name, bars in wanted.items() if self._continues(name, bars))
            anew += [name for name, bars in wanted.items() if not self._continues(name, bars)]
        for part in _parts(anew):
            await self._keep((await self._source.daily(part, through - WHOLE, through)).values())
        trouble = await self._update_vix()
        self._take(await asyncio.to_thread(self._store.all_daily))
        spy = self._bars.get(SPY)
        last: date | None = None if spy is None else spy.day[-1].item()
        return Updated(len(names) - 1, kept, len(anew), last, trouble)

    async def _update_vix(self) -> str:
        try:
            bars = await self._vix.vix()
        except SourceError as error:
            # Without it nothing is entered; the prices are worth keeping all the same.
            return f"the VIX is missing: {error.message}"
        await self._keep([bars])
        return ""

    async def _keep(self, bars: Iterable[BarColumns]) -> None:
        for columns in bars:
            # Thousands of them: the loop turns in between.
            await asyncio.to_thread(self._store.put_daily, columns, "live")

    def _take(self, bars: Mapping[InstrumentId, BarColumns]) -> None:
        self._bars = bars
        stocks = {name: columns for name, columns in bars.items() if name not in (VIX, SPY)}
        self._history = StoredHistory(stocks, date.min)

    def _is_liquid(self, bars: BarColumns) -> bool:
        if len(bars) < ADV_DAYS:
            return False
        traded = float(np.mean(bars.close[-ADV_DAYS:] * bars.volume[-ADV_DAYS:]))
        price = float(bars.close[-1])
        limits = self._limits
        is_priced = limits.price_min / SLACK <= price <= limits.price_max * SLACK
        return is_priced and traded >= limits.adv_min_usd / SLACK

    def _continues(self, name: InstrumentId, recent: BarColumns) -> bool:
        """What is kept goes on in what was told, in the same dollars."""
        known = self._bars.get(name)
        if known is None or not len(known):
            return False
        common, ours, theirs = np.intersect1d(known.day, recent.day, return_indices=True)
        if not len(common):
            return False
        apart = np.abs(known.close[ours] / recent.close[theirs] - 1)
        return bool(np.all(apart <= RESTATED))

    def _reaches(self, name: InstrumentId, day: date | None) -> bool:
        bars = self._bars.get(name)
        return bars is not None and day is not None and bool(bars.day[-1] >= np.datetime64(day, "D"))

    def _day_before(self, session: date) -> date | None:
        earlier = self._sessions.between(session - timedelta(days=14), session - timedelta(days=1))
        return earlier[-1].day if earlier else None


def _is_wanted(listing: Listing) -> bool:
    is_stock = listing.kind is ListingKind.STOCK and listing.exchange in EXCHANGES
    return is_stock and listing.is_active and listing.is_tradable


def _parts(names: Sequence[InstrumentId]) -> Iterable[Sequence[InstrumentId]]:
    return (names[at : at + PART] for at in range(0, len(names), PART))
