"""The volatility index VIX from Cboe's file of all its days. Without a key."""

import re
from datetime import date

import httpx

from engine.clock import Clock
from engine.errors import BadPayload
from engine.http import fetch
from engine.model.ids import instrument_id
from engine.model.text import clean
from engine.ports import BarColumns
from engine.reliability.provider import Caller, directly
from engine.sources.columns import Row, day_columns

NAME = "cboe"
URL = "https://cdn.cboe.com"
VIX = instrument_id("VIX")
COLUMNS = ("DATE", "OPEN", "HIGH", "LOW", "CLOSE")
VIX_RANGE = (5.0, 150.0)
"""What `vix_close` may be (SPEC 1.4.1)."""
_PATH = "/api/global/us_indices/daily_prices/VIX_History.csv"
_KINDS = ("text/csv", "application/csv", "application/octet-stream", "text/plain", "application/vnd.ms-excel")
_DAY = re.compile(r"(\d{2})/(\d{2})/(\d{4})", re.ASCII)
_NUMBER = re.compile(r"\d{1,4}(?:\.\d{1,10})?", re.ASCII)


class Cboe:
    """The file of the index; asked once a day."""

    name = NAME

    def __init__(
        self, client: httpx.AsyncClient, clock: Clock, call: Caller = directly, url: str = URL
    ) -> None:
        self._client = client
        self._clock = clock
        self._call = call
        self._url = url

    async def vix(self) -> BarColumns:
        """All days of the VIX since 1990. Raises what `engine.http.fetch` raises, and BadPayload."""

        async def ask() -> BarColumns:
            return parse_history(await fetch(self._client, NAME, self._url + _PATH, kinds=_KINDS))

        return await self._call(ask)


def parse_history(data: bytes) -> BarColumns:
    """`DATE,OPEN,HIGH,LOW,CLOSE` with days like 01/31/2024; volume is 0, an index has none."""
    lines = data.decode("utf-8-sig", "replace").split("\n")
    heading = tuple(name.strip().upper() for name in lines[0].split(","))
    if heading != COLUMNS:
        raise _bad(1, f"the columns are {clean(lines[0], 60)!r}, not {','.join(COLUMNS)}")
    rows: dict[date, Row] = {}
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        day, prices = _row(line.strip().split(","), number)
        if rows and day <= next(reversed(rows)):
            raise _bad(number, f"DATE {day} does not come after the row before it")
        rows[day] = prices
    if not rows:
        raise _bad(2, "there are no rows")
    return day_columns(VIX, list(rows), list(rows.values()))


def _row(parts: list[str], number: int) -> tuple[date, Row]:
    if len(parts) != len(COLUMNS):
        raise _bad(number, f"{len(parts)} values, not {len(COLUMNS)}")
    found = _DAY.fullmatch(parts[0].strip())
    try:
        day = date(int(found[3]), int(found[1]), int(found[2])) if found else None
    except ValueError:
        day = None
    if day is None:
        raise _bad(number, f"DATE {clean(parts[0], 20)!r} is not a day like 01/31/2024")
    first, high, low, last = (_price(*pair, number) for pair in zip(COLUMNS[1:], parts[1:], strict=True))
    return day, (first, high, low, last, 0.0)


def _price(name: str, text: str, number: int) -> float:
    low, high = VIX_RANGE
    if not _NUMBER.fullmatch(text.strip()) or not low <= float(text) <= high:
        raise _bad(number, f"{name} {clean(text, 20)!r} is not a number of {low:g} to {high:g}")
    return float(text)


def _bad(number: int, why: str) -> BadPayload:
    return BadPayload(
        f"{NAME}: VIX_History.csv row {number}: {why}", "Look at the file, or for a newer version"
    )
