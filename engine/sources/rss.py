"""Headlines from RSS 2.0 and Atom feeds that a person names. Without a key."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

from engine.clock import US_PER_S, Clock
from engine.errors import BadPayload
from engine.http import fetch
from engine.model.ids import InstrumentId, symbol_of
from engine.model.market import Headline, Provenance
from engine.model.text import clean, legible
from engine.reliability.provider import Caller, directly
from engine.sources.reading import TITLE_LENGTH, Doc, symbol_instrument
from engine.sources.xml import Element, read_xml

NAME = "rss"
SYMBOL_FIELD = "{symbol}"
"""Where an address holds it, the feed is asked for each symbol, and all of its items are about that one."""
KINDS = ("application/rss+xml", "application/atom+xml", "application/xml", "text/xml")
MOST_ITEMS = 500
_TICKER = re.compile(
    r"\((?:NYSE(?: American| Arca)?|NASDAQ(?:GS|GM|CM)?|AMEX|Nasdaq|NasdaqGS|NasdaqGM|NasdaqCM)\s*:\s*"
    r"([A-Z][A-Z.]{0,6})\)"
)
"""`(NASDAQ: ABC)`, as press releases name a company."""
_DATES = ("pubDate", "published", "updated", "date")


class Rss:
    """One feed. Each method raises what `engine.http.fetch` raises, and BadPayload."""

    name = NAME

    def __init__(self, client: httpx.AsyncClient, url: str, clock: Clock, call: Caller = directly) -> None:
        self._client = client
        self._url = url
        self._clock = clock
        self._call = call

    @property
    def is_by_symbol(self) -> bool:
        """Whether the feed is asked for each symbol."""
        return SYMBOL_FIELD in self._url

    async def headlines(self, instruments: Sequence[InstrumentId] = ()) -> tuple[Headline, ...]:
        """What it tells now, oldest first. A feed by symbol is asked for each of `instruments`."""
        if not self.is_by_symbol:
            return await self._read(self._url, None)
        found: list[Headline] = []
        for instrument in instruments:
            found.extend(await self._read(self._url.replace(SYMBOL_FIELD, symbol_of(instrument)), instrument))
        return tuple(sorted(found, key=lambda item: (item.ts_event, item.title)))

    async def _read(self, url: str, instrument: InstrumentId | None) -> tuple[Headline, ...]:
        async def ask() -> tuple[Headline, ...]:
            body = await fetch(self._client, NAME, url, kinds=KINDS)
            return parse_feed(body, self._clock.now_us(), instrument)

        return await self._call(ask)


def parse_feed(data: bytes, now_us: int, instrument: InstrumentId | None = None) -> tuple[Headline, ...]:
    """Headlines, oldest first. `instrument`: what all are about; None: those that name a listed company.

    An item without a time that can be read counts as told now: it must not hide bad news.
    """
    root = read_xml(data, NAME)
    kind = root.name.rpartition(" ")[2]
    if kind == "rss":
        channel = root.first("channel")
        if channel is None:
            raise BadPayload(f"{NAME}: rss.channel is missing")
        items = channel.all("item")
    elif kind == "feed":
        channel, items = root, root.all("entry")
    elif kind == "RDF":
        channel, items = root.first("channel") or root, root.all("item")
    else:
        raise BadPayload(f"{NAME}: the answer is a {clean(kind, 40)!r}, not rss, feed or RDF")
    source = _text(channel, "title", 40) or NAME
    found = (_headline(item, source, instrument, now_us) for item in items[:MOST_ITEMS])
    return tuple(
        sorted((one for one in found if one is not None), key=lambda item: (item.ts_event, item.title))
    )


def _headline(item: Element, source: str, instrument: InstrumentId | None, now_us: int) -> Headline | None:
    titled = item.first("title")
    title = "" if titled is None else legible(titled.text, TITLE_LENGTH).strip()
    about = (instrument,) if instrument is not None else _named(f"{title} {_text(item, 'description', 2000)}")
    if not title or not about:
        return None
    return Headline(about, title, source, min(_told_us(item, now_us), now_us), now_us, Provenance.LIVE)


def _named(text: str) -> tuple[InstrumentId, ...]:
    found: Iterable[InstrumentId | None] = map(symbol_instrument, _TICKER.findall(text))
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _text(element: Element, name: str, most: int) -> str:
    found = element.first(name)
    return "" if found is None else clean(found.text, most).strip()


def _told_us(item: Element, now_us: int) -> int:
    for name in _DATES:
        text = _text(item, name, 60)
        if not text:
            continue
        try:
            if text[:4].isdecimal():
                return Doc(text, NAME).instant_us()
            at = parsedate_to_datetime(text)
            return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()) * US_PER_S
        except (BadPayload, ValueError, TypeError, OverflowError):
            continue
    return now_us
