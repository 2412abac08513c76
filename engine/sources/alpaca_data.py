"""Stocks from Alpaca: daily bars, snapshots, quotes, news, listings and the calendar.

Answers follow Alpaca's published descriptions of its market data and trading interfaces. Of what happens now
a free account is told by the feed `iex`, one exchange of many: its volume is a few percent of the whole. Bars
of the past come from the feed `sip`, all exchanges, which a free account may read after 15 minutes.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import httpx

from engine.clock import US_PER_S, Clock
from engine.errors import BadPayload
from engine.http import MAX_BYTES, fetch
from engine.model.company import Listing
from engine.model.ids import InstrumentId, symbol_of
from engine.model.market import Bar, Headline, Provenance, Quote, Session, Trade
from engine.model.secrets import Secret
from engine.model.snapshots import DayBar, Snapshot
from engine.ports import BarColumns
from engine.reliability.provider import Caller, directly
from engine.sources.columns import day_columns
from engine.sources.config import Feed
from engine.sources.listing_kinds import listing_kind
from engine.sources.reading import MAX_PRICE, MAX_VOLUME, Doc, read_json, symbol_instrument

NAME = "alpaca"
DATA_URL = "https://data.alpaca.markets"
TRADING_URL = "https://paper-api.alpaca.markets"
SYMBOLS_A_CALL = 200
ROWS_A_PAGE = 5_000
"""About half a megabyte; the service allows 10,000."""
MAX_PAGES = 2_000
NEWS_A_PAGE = 50
ASSETS_BYTES = 16_000_000
"""Of the list of all listings, which comes in one piece: about 7 MB."""
SIP_DELAY_US = 16 * 60 * US_PER_S
"""What a free account may not read yet of the feed `sip`, and a minute more."""
_NEW_YORK = ZoneInfo("America/New_York")
_MINUTE_US = 60 * US_PER_S

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AlpacaKeys:
    """The two halves of a key."""

    key_id: Secret
    secret: Secret

    def headers(self) -> dict[str, str]:
        """What names us in a request."""
        return {"APCA-API-KEY-ID": self.key_id.reveal(), "APCA-API-SECRET-KEY": self.secret.reveal()}


class AlpacaData:
    """All that is read of Alpaca. Each method raises what `engine.http.fetch` raises, and BadPayload."""

    name = NAME

    def __init__(
        self,
        client: httpx.AsyncClient,
        keys: AlpacaKeys,
        clock: Clock,
        call: Caller = directly,
        feed: Feed = Feed.IEX,
        data_url: str = DATA_URL,
        trading_url: str = TRADING_URL,
    ) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._call = call
        self._feed = feed
        self._data_url = data_url
        self._trading_url = trading_url

    async def daily(
        self, instruments: Sequence[InstrumentId], first: date, last: date
    ) -> Mapping[InstrumentId, BarColumns]:
        """Daily bars of `first`..`last`, adjusted for splits and dividends, of all exchanges.

        Whoever has no bar in that time is left out. `last` may be today only once its session is over: the
        service tells the unfinished bar of a session too.
        """
        end_us = min(_midnight_us(last + timedelta(days=1)) - 1, self._clock.now_us() - SIP_DELAY_US)
        terms = {"timeframe": "1Day", "adjustment": "all", "feed": Feed.SIP.value}
        rows: dict[InstrumentId, list[DayBar]] = {}
        async for page in self._bars(instruments, terms, _midnight_us(first), end_us, parse_daily):
            for instrument, bars in page.items():
                rows.setdefault(instrument, []).extend(bars)
        return {instrument: _columns(instrument, bars) for instrument, bars in rows.items() if bars}

    async def minutes(
        self, instruments: Sequence[InstrumentId], start_us: int, end_us: int, feed: Feed | None = None
    ) -> Mapping[InstrumentId, tuple[Bar, ...]]:
        """Minute bars that begin within `start_us`..`end_us`, as traded, by `feed` or the live one."""
        terms = {"timeframe": "1Min", "adjustment": "raw", "feed": (feed or self._feed).value}
        rows: dict[InstrumentId, list[Bar]] = {}
        async for page in self._bars(instruments, terms, start_us, end_us, parse_minutes):
            for instrument, bars in page.items():
                rows.setdefault(instrument, []).extend(bars)
        return {instrument: tuple(bars) for instrument, bars in rows.items()}

    async def snapshots(self, instruments: Sequence[InstrumentId]) -> Mapping[InstrumentId, Snapshot]:
        """How the instruments stand now, prices as traded; whoever is not known there is left out."""
        found: dict[InstrumentId, Snapshot] = {}
        for part in _parts(instruments):
            params = {"symbols": _symbols(part), "feed": self._feed.value}
            found |= await self._get(self._data_url + "/v2/stocks/snapshots", params, parse_snapshots)
        return found

    async def quotes(self, instruments: Sequence[InstrumentId]) -> Mapping[InstrumentId, Quote]:
        """Best bid and ask now."""
        found: dict[InstrumentId, Quote] = {}
        for part in _parts(instruments):
            params = {"symbols": _symbols(part), "feed": self._feed.value}
            found |= await self._get(self._data_url + "/v2/stocks/quotes/latest", params, parse_quotes)
        return found

    async def news(
        self, instruments: Sequence[InstrumentId], start_us: int, end_us: int
    ) -> tuple[Headline, ...]:
        """Headlines that name any of the instruments, oldest first."""
        found: list[Headline] = []
        for part in _parts(instruments):
            params = {
                "symbols": _symbols(part),
                "start": _instant_text(start_us),
                "end": _instant_text(end_us),
                "limit": str(NEWS_A_PAGE),
                "sort": "asc",
                "include_content": "false",
            }
            async for page in self._pages("/v1beta1/news", params, parse_news):
                found.extend(page)
        return tuple(sorted(dict.fromkeys(found), key=lambda item: (item.ts_event, item.title)))

    async def listings(self) -> tuple[Listing, ...]:
        """All active US listings."""
        params = {"status": "active", "asset_class": "us_equity"}
        return await self._get(self._trading_url + "/v2/assets", params, parse_listings, ASSETS_BYTES)

    async def calendar(self, first: date, last: date) -> tuple[Session, ...]:
        """The sessions of `first`..`last` as Alpaca knows them, to compare our own calendar with."""
        params = {"start": first.isoformat(), "end": last.isoformat()}
        return await self._get(self._trading_url + "/v2/calendar", params, parse_calendar)

    async def _bars(
        self,
        instruments: Sequence[InstrumentId],
        terms: Mapping[str, str],
        start_us: int,
        end_us: int,
        parse: Callable[[Doc, int], T],
    ) -> AsyncIterator[T]:
        span = {"start": _instant_text(start_us), "end": _instant_text(end_us)}
        for part in _parts(instruments) if start_us <= end_us else ():
            params = {**terms, **span, "symbols": _symbols(part), "limit": str(ROWS_A_PAGE), "sort": "asc"}
            async for page in self._pages("/v2/stocks/bars", params, parse):
                yield page

    async def _pages(
        self, path: str, params: Mapping[str, str], parse: Callable[[Doc, int], T]
    ) -> AsyncIterator[T]:
        """Page after page, until the service names no further one."""
        token = ""
        for _ in range(MAX_PAGES):
            asked = {**params, "page_token": token} if token else params
            value, following = await self._get(self._data_url + path, asked, _paged(parse, token))
            yield value
            if not following:
                return
            token = following
        raise BadPayload(f"{NAME}: more than {MAX_PAGES:,} pages of {path}")

    async def _get(
        self, url: str, params: Mapping[str, str], parse: Callable[[Doc, int], T], most: int = MAX_BYTES
    ) -> T:
        async def ask() -> T:
            body = await fetch(self._client, NAME, url, params, self._keys.headers(), most=most)
            return parse(read_json(body, NAME), self._clock.now_us())

        return await self._call(ask)


def next_page(doc: Doc, before: str) -> str:
    """The token of the page after this one, "" for the last. `before`: the token this one was asked by."""
    token = doc.maybe("next_page_token")
    if token is None:
        return ""
    if not token.text(2000) or token.value == before:
        token.refuse("names the page that was just read")
    return token.text(2000)


def parse_daily(doc: Doc, now_us: int) -> Mapping[InstrumentId, tuple[DayBar, ...]]:
    """One page of daily bars."""
    return {
        instrument: tuple(_day_bar(bar, now_us) for bar in bars.items())
        for instrument, bars in _by_instrument(doc.get("bars"))
    }


def parse_minutes(doc: Doc, now_us: int) -> Mapping[InstrumentId, tuple[Bar, ...]]:
    """One page of minute bars; the minute that is not over is marked so."""
    return {
        instrument: tuple(_minute(instrument, bar, now_us) for bar in bars.items())
        for instrument, bars in _by_instrument(doc.get("bars"))
    }


def parse_snapshots(doc: Doc, now_us: int) -> dict[InstrumentId, Snapshot]:
    """Snapshots by instrument; null stands for a symbol that nothing is known of."""
    return {instrument: _snapshot(instrument, one, now_us) for instrument, one in _by_instrument(doc)}


def parse_quotes(doc: Doc, now_us: int) -> dict[InstrumentId, Quote]:
    """Best bids and asks by instrument."""
    return {
        instrument: _quote(instrument, quote, now_us)
        for instrument, quote in _by_instrument(doc.get("quotes"))
    }


def parse_news(doc: Doc, now_us: int) -> tuple[Headline, ...]:
    """One page of headlines; what names no US symbol is left out."""
    found = []
    for item in doc.get("news").items():
        symbols = (symbol_instrument(symbol.text(40)) for symbol in item.get("symbols").items())
        instruments = tuple(instrument for instrument in symbols if instrument is not None)
        title = item.get("headline").title()
        if instruments and title:
            told_us = item.get("created_at").instant_us()
            source = item.get("source").words(40)
            found.append(Headline(instruments, title, source, told_us, now_us, Provenance.LIVE))
    return tuple(found)


def parse_listings(doc: Doc, now_us: int) -> tuple[Listing, ...]:
    """All listings of stocks and funds; a symbol that cannot be ours is left out."""
    found = []
    for asset in doc.items():
        instrument = symbol_instrument(asset.get("symbol").text(40))
        if instrument is None or asset.get("class").text() != "us_equity":
            continue
        name = asset.get("name").words()
        exchange = asset.get("exchange").words(20)
        found.append(
            Listing(
                instrument,
                "ARCA" if exchange == "NYSEARCA" else exchange,
                name,
                listing_kind(symbol_of(instrument), name),
                asset.get("status").text() == "active",
                asset.get("tradable").flag(),
                now_us,
                now_us,
                Provenance.LIVE,
            )
        )
    return tuple(found)


def parse_calendar(doc: Doc, now_us: int) -> tuple[Session, ...]:
    """Sessions; times are those of New York."""
    sessions = []
    for one in doc.items():
        day = one.get("date").day()
        open_us, close_us = _at_us(day, one.get("open")), _at_us(day, one.get("close"))
        if open_us >= close_us:
            one.get("close").refuse("is not after the open")
        sessions.append(Session(day, open_us, close_us))
    return tuple(sessions)


def _paged(parse: Callable[[Doc, int], T], before: str) -> Callable[[Doc, int], tuple[T, str]]:
    return lambda doc, now_us: (parse(doc, now_us), next_page(doc, before))


def _by_instrument(doc: Doc) -> Iterator[tuple[InstrumentId, Doc]]:
    for symbol, one in doc.entries():
        instrument = symbol_instrument(symbol)
        if instrument is None:
            one.refuse("stands under what is no symbol")
        if one.value is not None:
            yield instrument, one


def _snapshot(instrument: InstrumentId, doc: Doc, now_us: int) -> Snapshot:
    trade, quote, minute = doc.maybe("latestTrade"), doc.maybe("latestQuote"), doc.maybe("minuteBar")
    day, before = doc.maybe("dailyBar"), doc.maybe("prevDailyBar")
    return Snapshot(
        instrument,
        trade=None if trade is None else _trade(instrument, trade, now_us),
        quote=None if quote is None else _quote(instrument, quote, now_us),
        minute=None if minute is None else _minute(instrument, minute, now_us),
        day=None if day is None else _day_bar(day, now_us),
        previous_day=None if before is None else _day_bar(before, now_us),
    )


def _trade(instrument: InstrumentId, doc: Doc, now_us: int) -> Trade:
    return Trade(instrument, doc.get("p").price(), doc.get("t").instant_us(), now_us, Provenance.LIVE)


def _quote(instrument: InstrumentId, doc: Doc, now_us: int) -> Quote:
    # 0 is how the service writes a side that nobody quotes.
    bid, ask = doc.get("bp").number(0, MAX_PRICE) or None, doc.get("ap").number(0, MAX_PRICE) or None
    return Quote(instrument, bid, ask, doc.get("t").instant_us(), now_us, Provenance.LIVE)


def _minute(instrument: InstrumentId, doc: Doc, now_us: int) -> Bar:
    open_us = doc.get("t").instant_us()
    close_us = open_us + _MINUTE_US
    return Bar(
        instrument,
        doc.get("o").price(),
        doc.get("h").price(),
        doc.get("l").price(),
        doc.get("c").price(),
        doc.get("v").number(0, MAX_VOLUME),
        open_us,
        close_us,
        Provenance.LIVE,
        is_final=close_us <= now_us,
    )


def _day_bar(doc: Doc, now_us: int) -> DayBar:
    vwap = doc.maybe("vw")
    at = datetime.fromtimestamp(doc.get("t").instant_us() // US_PER_S, UTC)
    return DayBar(
        at.astimezone(_NEW_YORK).date(),
        doc.get("o").price(),
        doc.get("h").price(),
        doc.get("l").price(),
        doc.get("c").price(),
        doc.get("v").number(0, MAX_VOLUME),
        None if vwap is None else vwap.number(0, MAX_PRICE),
        now_us,
        Provenance.LIVE,
    )


def _columns(instrument: InstrumentId, bars: Iterable[DayBar]) -> BarColumns:
    """Columns of adjusted bars, oldest first; of a day that comes twice the last counts."""
    ordered = [bar for _, bar in sorted({bar.day: bar for bar in bars}.items())]
    rows = [(bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in ordered]
    return day_columns(instrument, [bar.day for bar in ordered], rows)


def _at_us(day: date, doc: Doc) -> int:
    found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", doc.text(8))
    if found is None:
        doc.refuse("is not a time of day")
    local = datetime.combine(day, time(int(found[1]), int(found[2])), _NEW_YORK)
    return int(local.timestamp()) * US_PER_S


def _midnight_us(day: date) -> int:
    return int(datetime.combine(day, time(), _NEW_YORK).timestamp()) * US_PER_S


def _instant_text(ts: int) -> str:
    return datetime.fromtimestamp(ts // US_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _symbols(instruments: Sequence[InstrumentId]) -> str:
    return ",".join(map(symbol_of, instruments))


def _parts(instruments: Sequence[InstrumentId]) -> Iterator[Sequence[InstrumentId]]:
    return (instruments[at : at + SYMBOLS_A_CALL] for at in range(0, len(instruments), SYMBOLS_A_CALL))
