"""Trading halts of all US exchanges from Nasdaq Trader's feed. Without a key; asked at most once a minute.

The feed tells the halts of the current day and those that still last. Its times are those of New York. An
item's `pubDate` says nothing: it is the midnight before.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import httpx

from engine.clock import US_PER_S, Clock
from engine.errors import BadPayload
from engine.http import fetch
from engine.model.company import Halt
from engine.model.ids import InstrumentId
from engine.model.market import Provenance
from engine.model.text import clean
from engine.reliability.provider import Caller, directly
from engine.sources.reading import symbol_instrument
from engine.sources.rss import KINDS
from engine.sources.xml import Element, read_xml

NAME = "halts"
URL = "https://www.nasdaqtrader.com"
_PATH = "/rss.aspx"
_NEW_YORK = ZoneInfo("America/New_York")
_DAY = re.compile(r"(\d{2})/(\d{2})/(\d{4})", re.ASCII)
_TIME = re.compile(r"(\d{2}):(\d{2}):(\d{2})(?:\.\d{1,6})?", re.ASCII)


class NasdaqHalts:
    """The feed of halts."""

    name = NAME

    def __init__(
        self, client: httpx.AsyncClient, clock: Clock, call: Caller = directly, url: str = URL
    ) -> None:
        self._client = client
        self._clock = clock
        self._call = call
        self._url = url

    async def halts(self) -> Mapping[InstrumentId, tuple[Halt, ...]]:
        """The halts of today, and older ones that last, of each instrument, oldest first.

        Raises what `engine.http.fetch` raises, and BadPayload.
        """

        async def ask() -> Mapping[InstrumentId, tuple[Halt, ...]]:
            body = await fetch(self._client, NAME, self._url + _PATH, {"feed": "tradehalts"}, kinds=KINDS)
            return parse_halts(body, self._clock.now_us())

        return await self._call(ask)


def parse_halts(data: bytes, now_us: int) -> Mapping[InstrumentId, tuple[Halt, ...]]:
    """Halts by instrument, oldest first; a symbol that cannot be ours is left out."""
    channel = read_xml(data, NAME).first("channel")
    if channel is None:
        raise BadPayload(f"{NAME}: rss.channel is missing")
    found: dict[InstrumentId, list[Halt]] = {}
    for item in channel.all("item"):
        instrument = symbol_instrument(_text(item, "IssueSymbol"))
        if instrument is not None:
            found.setdefault(instrument, []).append(_halt(instrument, item, now_us))
    return {
        instrument: tuple(sorted(halts, key=lambda halt: halt.ts_event))
        for instrument, halts in found.items()
    }


def _halt(instrument: InstrumentId, item: Element, now_us: int) -> Halt:
    resumed = _text(item, "ResumptionTradeTime")
    return Halt(
        instrument,
        _text(item, "ReasonCode"),
        _at_us(item, "ResumptionDate", "ResumptionTradeTime") if resumed else None,
        _at_us(item, "HaltDate", "HaltTime"),
        now_us,
        Provenance.LIVE,
    )


def _at_us(item: Element, day_name: str, time_name: str) -> int:
    day, clock = _matched(item, day_name, _DAY), _matched(item, time_name, _TIME)
    try:
        at = datetime.combine(
            date(int(day[3]), int(day[1]), int(day[2])),
            time(int(clock[1]), int(clock[2]), int(clock[3])),
            _NEW_YORK,
        )
        return int(at.timestamp()) * US_PER_S
    except (ValueError, OverflowError) as error:
        raise BadPayload(f"{NAME}: item.{day_name} {day[0]} {clock[0]} is no time") from error


def _matched(item: Element, name: str, shape: re.Pattern[str]) -> re.Match[str]:
    found = shape.fullmatch(_text(item, name))
    if found is None:
        raise BadPayload(f"{NAME}: item.{name} cannot be read, got {_text(item, name)!r}")
    return found


def _text(item: Element, name: str) -> str:
    found = item.first(name)
    return "" if found is None else clean(found.text, 40).strip()
