"""Daily bars from Yahoo's chart endpoint: without a key, undocumented, best effort.

It changes and refuses without notice, so its name stands in `engine.model.company.BEST_EFFORT`: it is never
the only evidence for an order with real money (SPEC 11.8, line 13). The shape is that of recorded answers:
lists beside each other, with null in a row that was not traded.
"""

from datetime import UTC, date, datetime, time
from urllib.parse import quote
from zoneinfo import ZoneInfo

import httpx

from engine.clock import Clock
from engine.errors import SourceRefused
from engine.http import fetch
from engine.model.ids import InstrumentId, symbol_of
from engine.ports import BarColumns
from engine.reliability.provider import Caller, directly
from engine.sources.columns import Row, day_columns
from engine.sources.reading import MAX_VOLUME, Doc, read_json

NAME = "yahoo"
URL = "https://query2.finance.yahoo.com"
INDEX_SYMBOLS = {"VIX": "^VIX"}
"""Ours -> theirs, where more differs than dot and dash."""
LEAST_RATIO = 1e-6
"""Of adjusted close to close; beyond it a number is damaged."""
_MOST_ROWS = 20_000
_PRICE_KEYS = ("open", "high", "low", "close")
_NEW_YORK = ZoneInfo("America/New_York")


class Yahoo:
    """Daily bars of one symbol a call."""

    name = NAME

    def __init__(
        self, client: httpx.AsyncClient, clock: Clock, call: Caller = directly, url: str = URL
    ) -> None:
        self._client = client
        self._clock = clock
        self._call = call
        self._url = url

    async def daily(self, instrument: InstrumentId, first: date, last: date) -> BarColumns | None:
        """Daily bars of `first`..`last`, adjusted for splits and dividends; None for an unknown symbol.

        `last` may be today only once its session is over. Raises what `engine.http.fetch` raises, and
        BadPayload.
        """
        symbol = quote(yahoo_symbol(instrument), safe="")
        end = datetime.combine(last, time(23, 59), _NEW_YORK)
        params = {
            "interval": "1d",
            "period1": str(int(datetime.combine(first, time(), _NEW_YORK).timestamp())),
            "period2": str(int(end.timestamp())),
            "events": "div,splits",
        }

        async def ask() -> BarColumns | None:
            try:
                body = await fetch(self._client, NAME, f"{self._url}/v8/finance/chart/{symbol}", params)
            except SourceRefused as refused:
                if refused.status == 404:
                    return None
                raise
            return parse_chart(read_json(body, NAME), instrument)

        return await self._call(ask)


def yahoo_symbol(instrument: InstrumentId) -> str:
    """`BRK.B.US` -> `BRK-B`."""
    symbol = symbol_of(instrument)
    return INDEX_SYMBOLS.get(symbol, symbol.replace(".", "-"))


def parse_chart(doc: Doc, instrument: InstrumentId) -> BarColumns | None:
    """Daily bars; None where there are none. All prices are multiplied by adjusted close over close."""
    result = next(doc.get("chart").get("result").items(), None)
    if result is None:
        return None
    told = result.get("meta").get("symbol")
    if told.text(40) != yahoo_symbol(instrument):
        told.refuse(f"is not {yahoo_symbol(instrument)}")
    stamps = result.maybe("timestamp")
    if stamps is None:
        return None
    times = list(stamps.items())
    if len(times) > _MOST_ROWS:
        stamps.refuse(f"has {len(times)} rows, limit {_MOST_ROWS}")
    indicators = result.get("indicators")
    traded = _first(indicators.get("quote"))
    columns = [_column(traded.get(key), len(times)) for key in (*_PRICE_KEYS, "volume")]
    adjusted = _column(_first(indicators.get("adjclose")).get("adjclose"), len(times))
    rows: dict[date, Row] = {}
    for stamp, *values, last in zip(times, *columns, adjusted, strict=True):
        day = _day(stamp)
        if rows and day < next(reversed(rows)):
            stamp.refuse("comes before the row before it")
        if all(value.value is not None for value in (*values, last)):
            rows[day] = _row(values, last)
    return day_columns(instrument, list(rows), list(rows.values())) if rows else None


def _row(values: list[Doc], adjusted: Doc) -> Row:
    first, high, low, last = (value.price() for value in values[:4])
    ratio = adjusted.price() / last
    if not LEAST_RATIO <= ratio <= 1 / LEAST_RATIO:
        adjusted.refuse(f"is {ratio:g} times the close")
    return first * ratio, high * ratio, low * ratio, last * ratio, values[4].number(0, MAX_VOLUME)


def _first(doc: Doc) -> Doc:
    found = next(doc.items(), None)
    if found is None:
        doc.refuse("is empty")
    return found


def _column(doc: Doc, rows: int) -> list[Doc]:
    found = list(doc.items())
    if len(found) != rows:
        doc.refuse(f"has {len(found)} rows, not {rows}")
    return found


def _day(stamp: Doc) -> date:
    seconds = stamp.integer(-2_000_000_000, 4_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).astimezone(_NEW_YORK).date()
