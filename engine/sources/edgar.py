"""Companies, filings and reported numbers from the SEC's EDGAR. Without a key; it wants to know who asks.

Shapes follow `company_tickers.json`, `submissions/CIK….json` and `api/xbrl/companyfacts/CIK….json`. The SEC
allows ten requests a second in all and answers more with 403 or 429 and a ban of ten minutes.

**Times of acceptance.** They end in `Z`, but for about a fifth of all companies they are the clock of New
York and not UTC; which it is belongs to the company, not to the filing. What tells them apart: EDGAR takes
documents from 6:00 to 22:00 New York time only, and dates reports that come after 17:30 on a later day. The
reading that breaks fewer of these rules is the company's; where both break as many, the later one is taken,
which knows of nothing too early.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import httpx

from engine.clock import US_PER_S, Clock
from engine.errors import ConfigError, RateLimited, SourceRefused
from engine.http import MAX_BYTES, fetch
from engine.model.company import Filing, Fundamentals, Reported
from engine.model.ids import InstrumentId, instrument_id
from engine.model.market import Provenance
from engine.reliability.provider import Caller, directly
from engine.sources.reading import SYMBOL, Doc, read_json

NAME = "edgar"
FILES_URL = "https://www.sec.gov"
DATA_URL = "https://data.sec.gov"
FACTS_BYTES = 16_000_000
"""Of all numbers that one company ever reported; a large one's are 5 MB."""
BAN_S = 600.0
"""How long the SEC keeps away who asked too often."""
MOST_FILINGS = 400
"""Newest first; earlier ones matter to nothing here."""
_FIRST_HOUR, _LAST_OF_DAY, _LAST_HOUR = time(6), time(17, 30, 59), time(22)
_DATED_BY_HOUR = frozenset({"8-K", "10-Q", "10-K"})
"""What insiders report, and some more, is dated on the same day until 22:00."""
_NEW_YORK = ZoneInfo("America/New_York")
_CURRENT_REPORTS = frozenset({"8-K", "8-K/A"})
_ITEM = re.compile(r"\d\.\d\d")
_SIC = re.compile(r"\d{3,4}")
_MOST_CIK = 9_999_999_999
_MOST_USD = 1e15
_QUARTER_DAYS = (80, 100)
_SHARES = (
    ("dei", "EntityCommonStockSharesOutstanding"),
    ("us-gaap", "CommonStockSharesOutstanding"),
)
_CASH = (
    ("us-gaap", "CashAndCashEquivalentsAtCarryingValue"),
    ("us-gaap", "CashCashEquivalentsRestrictedCashAndRestrictedCashEquivalents"),
    ("us-gaap", "Cash"),
)
_CASH_FLOW = (
    ("us-gaap", "NetCashProvidedByUsedInOperatingActivities"),
    ("us-gaap", "NetCashProvidedByUsedInOperatingActivitiesContinuingOperations"),
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Submissions:
    """A company and its latest filings, newest first. `sic`: its industry, four digits; None: not given."""

    cik: int
    name: str
    sic: str | None
    filings: tuple[Filing, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a company's reports say; None for what none of them says."""

    shares_outstanding: Reported | None
    fundamentals: Fundamentals


class Edgar:
    """Each method raises what `engine.http.fetch` raises, and BadPayload."""

    name = NAME

    def __init__(
        self,
        client: httpx.AsyncClient,
        contact: str,
        clock: Clock,
        call: Caller = directly,
        files_url: str = FILES_URL,
        data_url: str = DATA_URL,
    ) -> None:
        """`contact`: a mail address, sent with every request. Raises ConfigError when there is none."""
        if "@" not in contact:
            raise ConfigError(
                "SEC EDGAR wants a mail address of whoever asks", "Set it: tradedeck keys set edgar.contact"
            )
        self._client = client
        self._headers = {"User-Agent": f"tradedeck {contact}"}
        self._clock = clock
        self._call = call
        self._files_url = files_url
        self._data_url = data_url

    async def tickers(self) -> Mapping[InstrumentId, int]:
        """The company number (CIK) of every listed symbol."""
        found = await self._get(f"{self._files_url}/files/company_tickers.json", parse_tickers)
        return found or {}

    async def submissions(self, cik: int, instrument: InstrumentId) -> Submissions | None:
        """A company and its latest filings; None for a number that EDGAR does not know."""
        return await self._get(
            f"{self._data_url}/submissions/CIK{cik:010d}.json",
            lambda doc, now_us: parse_submissions(doc, cik, instrument, now_us),
        )

    async def facts(self, cik: int) -> Facts | None:
        """Shares, cash and cash flow; None for a company that reports none of its numbers so."""
        return await self._get(
            f"{self._data_url}/api/xbrl/companyfacts/CIK{cik:010d}.json",
            lambda doc, now_us: parse_facts(doc, cik, now_us),
            FACTS_BYTES,
        )

    async def _get(self, url: str, parse: Callable[[Doc, int], T], most: int = MAX_BYTES) -> T | None:
        async def ask() -> T | None:
            try:
                body = await fetch(self._client, NAME, url, headers=self._headers, most=most)
            except RateLimited as limited:
                raise RateLimited(limited.message, max(BAN_S, limited.retry_after_s)) from limited
            except SourceRefused as refused:
                if refused.status == 404:
                    return None
                if refused.status == 403 and "rate" in refused.message.lower():
                    raise RateLimited(refused.message, BAN_S) from refused
                raise
            return parse(read_json(body, NAME), self._clock.now_us())

        return await self._call(ask)


def parse_tickers(doc: Doc, now_us: int) -> Mapping[InstrumentId, int]:
    """Company numbers by instrument; a symbol that cannot be ours is left out."""
    found = {}
    for _, row in doc.entries():
        symbol = row.get("ticker").text(40).upper().replace("-", ".")
        cik = row.get("cik_str").integer(1, _MOST_CIK)
        if SYMBOL.fullmatch(symbol):
            found[instrument_id(symbol)] = cik
    return found


def parse_submissions(doc: Doc, cik: int, instrument: InstrumentId, now_us: int) -> Submissions:
    """A company's `submissions`: its industry, and its latest filings as lists beside each other."""
    _same_company(doc, cik)
    sic = doc.maybe("sic")
    recent = doc.get("filings").get("recent")
    columns = [
        list(recent.get(key).items())
        for key in ("accessionNumber", "form", "filingDate", "acceptanceDateTime", "items")
    ]
    if len({len(column) for column in columns}) > 1:
        recent.refuse("holds lists of different lengths")
    rows = list(zip(*columns, strict=True))[:MOST_FILINGS]
    stamps = [accepted.instant_us() for _, _, _, accepted, _ in rows]
    dated = ((row[1].text(40), row[2].day(), stamp) for row, stamp in zip(rows, stamps, strict=True))
    as_new_york = is_new_york_clock(dated)
    filings = [
        _filing(instrument, row, from_new_york(stamp) if as_new_york else stamp, now_us)
        for row, stamp in zip(rows, stamps, strict=True)
    ]
    filings.sort(key=lambda filing: -filing.ts_event)
    words = "" if sic is None else sic.text(10)
    return Submissions(
        cik, doc.get("name").words(), words.zfill(4) if _SIC.fullmatch(words) else None, tuple(filings)
    )


def is_new_york_clock(filings: Iterable[tuple[str, date, int]]) -> bool:
    """Whether a company's times of acceptance are the clock of New York, written as if it were UTC.

    Of (form, day it is dated, time as it is written) of its filings.
    """
    told = tuple(filings)
    wrong_as_local = sum(not _fits(form, filed, from_new_york(stamp)) for form, filed, stamp in told)
    return wrong_as_local <= sum(not _fits(form, filed, stamp) for form, filed, stamp in told)


def from_new_york(stamp: int) -> int:
    """A New York clock that was read as UTC -> the instant it means, int microseconds UTC."""
    clock = datetime.fromtimestamp(stamp // US_PER_S, UTC).replace(tzinfo=_NEW_YORK)
    return int(clock.timestamp()) * US_PER_S + stamp % US_PER_S


def parse_facts(doc: Doc, cik: int, now_us: int) -> Facts:
    """A company's `companyfacts`: the newest count of its shares, its cash, its single quarters."""
    _same_company(doc, cik)
    facts = doc.get("facts")
    cash = _latest(_reported(facts, _CASH, "USD", now_us))
    return Facts(
        _latest(_reported(facts, _SHARES, "shares", now_us)),
        Fundamentals(cash, quarters(_reported(facts, _CASH_FLOW, "USD", now_us))),
    )


def quarters(flows: Iterable[Reported]) -> tuple[Reported, ...]:
    """Single quarters out of flows, oldest first.

    Reports tell the year so far: half a year less its first quarter is the second. A quarter that was told
    directly counts more; of what was told again for the same time, the newest word.
    """
    newest: dict[tuple[date, date], Reported] = {}
    for flow in sorted(flows, key=lambda flow: flow.ts_event):
        newest[flow.first, flow.last] = flow
    single = {flow.last: flow for flow in newest.values() if _is_quarter(flow.first, flow.last)}
    for whole in newest.values():
        for part in newest.values():
            rest_first = part.last + timedelta(days=1)
            is_rest = part.first == whole.first and _is_quarter(rest_first, whole.last)
            if is_rest and whole.last not in single:
                single[whole.last] = Reported(
                    whole.value - part.value,
                    rest_first,
                    whole.last,
                    whole.form,
                    max(whole.ts_event, part.ts_event),
                    max(whole.ts_known, part.ts_known),
                    whole.provenance,
                )
    return tuple(flow for _, flow in sorted(single.items()))


def _is_quarter(first: date, last: date) -> bool:
    return _QUARTER_DAYS[0] <= (last - first).days + 1 <= _QUARTER_DAYS[1]


def _latest(told: Iterable[Reported]) -> Reported | None:
    """Of the newest day; of several words about it the newest."""
    return max(told, key=lambda one: (one.last, one.ts_event), default=None)


def _reported(facts: Doc, names: Iterable[tuple[str, str]], unit: str, now_us: int) -> tuple[Reported, ...]:
    """All that was told under the first of the names that tells anything."""
    for taxonomy, concept in names:
        below = facts.maybe(taxonomy)
        told = None if below is None else below.maybe(concept)
        series = None if told is None else told.get("units").maybe(unit)
        if series is not None:
            return tuple(_one(row, now_us) for row in series.items())
    return ()


def _one(row: Doc, now_us: int) -> Reported:
    first, last, filed = row.maybe("start"), row.get("end").day(), row.get("filed").day()
    began = last if first is None else first.day()
    if began > last:
        row.refuse("ends before it begins")
    # The day is all that is told: it was public at the latest when that day was over in New York.
    filed_us = int(datetime.combine(filed + timedelta(days=1), time(), _NEW_YORK).timestamp()) * US_PER_S
    return Reported(
        row.get("val").number(-_MOST_USD, _MOST_USD),
        began,
        last,
        row.get("form").words(20),
        min(filed_us, now_us),
        min(filed_us, now_us),
        Provenance.LIVE,
    )


def _filing(instrument: InstrumentId, row: tuple[Doc, ...], accepted_us: int, now_us: int) -> Filing:
    accession, form, filed, _, items = row
    is_current = form.text(40) in _CURRENT_REPORTS
    numbers = tuple(part.strip() for part in items.text(400).split(",") if part.strip() and is_current)
    if not all(_ITEM.fullmatch(number) for number in numbers):
        items.refuse("is not a list of item numbers like 2.02")
    return Filing(
        instrument,
        accession.words(40),
        form.words(40),
        numbers,
        filed.day(),
        min(accepted_us, now_us),
        min(accepted_us, now_us),
        Provenance.LIVE,
    )


def _fits(form: str, filed: date, accepted_us: int) -> bool:
    """Whether a filing can have been accepted at an instant."""
    at = datetime.fromtimestamp(accepted_us // US_PER_S, UTC).astimezone(_NEW_YORK)
    if not _FIRST_HOUR <= at.time() <= _LAST_HOUR:
        return False
    return form not in _DATED_BY_HOUR or (at.time() <= _LAST_OF_DAY) == (filed == at.date())


def _same_company(doc: Doc, cik: int) -> None:
    """One endpoint writes the number as a number, the other as a text with zeros before it."""
    told = doc.get("cik")
    number = told.value.lstrip("0") if isinstance(told.value, str) else str(told.value)
    if number != str(cik):
        told.refuse(f"is not {cik}")
