"""What is known of the companies that are looked at now: listing, filings, cash, halts, kept fresh.

`refresh` is told whom, before a decision; `facts` answers from memory. What is not known in full is not known
at all: without fresh filings or fresh halts there are no facts, because an empty list would read as "none".
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.clock import US_PER_S, Clock
from engine.errors import SourceError
from engine.model.company import CompanyFacts, Halt, Listing
from engine.model.ids import InstrumentId
from engine.model.sectors import sector_of_sic
from engine.sources.edgar import Edgar, Facts, Submissions
from engine.sources.halts import NasdaqHalts

MINUTE_US = 60 * US_PER_S
HOUR_US = 60 * MINUTE_US
LISTS_AGE_US = 24 * HOUR_US
"""Of all listings, and of the numbers of all companies."""
FILINGS_AGE_US = 10 * MINUTE_US
"""Read again after it; a severe filing shall not wait longer."""
FACTS_AGE_US = 12 * HOUR_US
"""Read again after it: companies report once a quarter."""
HALTS_AGE_US = MINUTE_US
FILINGS_MAX_US = HOUR_US
HALTS_MAX_US = 5 * MINUTE_US
FACTS_MAX_US = 48 * HOUR_US
"""Older than that they are not known any more."""
FORGOTTEN_US = 7 * 24 * HOUR_US
"""A company that nobody looked at for so long."""


@dataclass(slots=True)
class _Known:
    submissions: Submissions | None = None
    submissions_us: int | None = None
    facts: Facts | None = None
    facts_us: int | None = None
    looked_us: int = 0


class Companies:
    """Of the US market. `listings` tells all that are listed. `refresh` writes, everything else reads."""

    def __init__(
        self,
        listings: Callable[[], Awaitable[Iterable[Listing]]],
        edgar: Edgar,
        halts: NasdaqHalts,
        clock: Clock,
    ) -> None:
        self._list = listings
        self._edgar = edgar
        self._source = halts
        self._clock = clock
        self._listings: Mapping[InstrumentId, Listing] = {}
        self._listings_us: int | None = None
        self._numbers: Mapping[InstrumentId, int] = {}
        self._numbers_us: int | None = None
        self._halts: Mapping[InstrumentId, tuple[Halt, ...]] = {}
        self._halts_us: int | None = None
        self._known: dict[InstrumentId, _Known] = {}
        self._reading = asyncio.Lock()

    async def refresh(self, instruments: Sequence[InstrumentId]) -> str:
        """Read what is too old about the instruments; says what could not be read, "" when all could."""
        async with self._reading:
            troubles = [await self._read_listings(), await self._read_numbers(), await self._read_halts()]
            troubles += await asyncio.gather(*(self._read(one) for one in dict.fromkeys(instruments)))
            self._forget()
        told = list(dict.fromkeys(trouble for trouble in troubles if trouble))
        return f"{told[0]} (and {len(told) - 1} more)" if len(told) > 1 else "".join(told)

    def facts(self, instrument: InstrumentId) -> CompanyFacts | None:
        """All that is known now; None where its listing, its filings or the halts of the market are not."""
        listing, known = self._listings.get(instrument), self._known.get(instrument)
        if listing is None or known is None or known.submissions is None or known.submissions_us is None:
            return None
        now_us = self._clock.now_us()
        if self._halts_us is None or now_us - self._halts_us > HALTS_MAX_US:
            return None
        if now_us - known.submissions_us > FILINGS_MAX_US:
            return None
        fresh = known.facts_us is not None and now_us - known.facts_us <= FACTS_MAX_US
        facts = known.facts if fresh else None
        read = [listing.ts_known, known.submissions_us, self._halts_us]
        return CompanyFacts(
            instrument,
            listing,
            None if facts is None else facts.shares_outstanding,
            known.submissions.sic,
            known.submissions.filings,
            None if facts is None else facts.fundamentals,
            self._halts.get(instrument, ()),
            max(read if known.facts_us is None else [*read, known.facts_us]),
        )

    def sector(self, instrument: InstrumentId) -> str | None:
        """By its industry; None where that is not known."""
        known = self._known.get(instrument)
        return None if known is None or known.submissions is None else sector_of_sic(known.submissions.sic)

    def name(self, instrument: InstrumentId) -> str | None:
        """As it is listed; None where it is not."""
        listing = self._listings.get(instrument)
        return None if listing is None else listing.name

    async def _read_listings(self) -> str:
        if not self._is_due(self._listings_us, LISTS_AGE_US):
            return ""
        try:
            found = await self._list()
        except SourceError as error:
            return error.message
        self._listings = {listing.instrument: listing for listing in found}
        self._listings_us = self._clock.now_us()
        return ""

    async def _read_numbers(self) -> str:
        if not self._is_due(self._numbers_us, LISTS_AGE_US):
            return ""
        try:
            self._numbers = await self._edgar.tickers()
        except SourceError as error:
            return error.message
        self._numbers_us = self._clock.now_us()
        return ""

    async def _read_halts(self) -> str:
        if not self._is_due(self._halts_us, HALTS_AGE_US):
            return ""
        asked_us = self._clock.now_us()
        try:
            self._halts = await self._source.halts()
        except SourceError as error:
            return error.message
        self._halts_us = asked_us
        return ""

    async def _read(self, instrument: InstrumentId) -> str:
        cik = self._numbers.get(instrument)
        if cik is None:
            return ""  # nobody that files: its facts stay unknown, and say so in the check
        known = self._known.setdefault(instrument, _Known())
        known.looked_us = asked_us = self._clock.now_us()
        try:
            if self._is_due(known.submissions_us, FILINGS_AGE_US):
                known.submissions = await self._edgar.submissions(cik, instrument)
                known.submissions_us = asked_us
            if self._is_due(known.facts_us, FACTS_AGE_US):
                known.facts = await self._edgar.facts(cik)
                known.facts_us = asked_us
        except SourceError as error:
            return error.message
        return ""

    def _is_due(self, read_us: int | None, age_us: int) -> bool:
        return read_us is None or self._clock.now_us() - read_us >= age_us

    def _forget(self) -> None:
        before = self._clock.now_us() - FORGOTTEN_US
        self._known = {name: known for name, known in self._known.items() if known.looked_us >= before}
