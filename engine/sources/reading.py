"""Answers of services -> typed values. What cannot be meant is refused by the place it stands at.

Nothing here raises anything but BadPayload, and what it says is safe to show.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, NoReturn

import msgspec

from engine.clock import US_PER_S
from engine.errors import BadPayload
from engine.model.ids import InstrumentId, instrument_id
from engine.model.text import clean, legible

MAX_DEPTH = 24
"""Objects and lists inside each other."""
MAX_PRICE = 1e9
MAX_VOLUME = 1e15
TITLE_LENGTH = 300
"""Characters of a headline."""
_EXCERPT = 60

SYMBOL = re.compile(r"[A-Z0-9]{1,10}(?:\.[A-Z0-9]{1,4}){0,2}")
_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):?(\d\d))", re.ASCII
)
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_YEARS = range(1900, 2100)
# A text without an end is one token too: retried at each of its quotes, it would take quadratic time.
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


class Doc:
    """A value inside an answer, with the place where it stands: `alpaca: bars.ABC[3].c`."""

    __slots__ = ("_path", "_source", "value")

    def __init__(self, value: Any, source: str, path: str = "") -> None:
        self.value = value
        self._source = source
        self._path = path

    def refuse(self, why: str) -> NoReturn:
        """Raise BadPayload: the place, the rule, and what stood there."""
        raise BadPayload(
            f"{self._source}: {clean(self._path, 100) or 'the answer'} {why}, got {_excerpt(self.value)}",
            "The provider may have changed its answers: look for a newer version",
        )

    def get(self, key: str) -> "Doc":
        """What stands under a key of an object that must be there; null is there."""
        found = self._object()
        if key not in found:
            Doc(None, self._source, self._below(key)).refuse("is missing")
        return Doc(found[key], self._source, self._below(key))

    def maybe(self, key: str) -> "Doc | None":
        """What stands under a key of an object; None for a key that is missing or null."""
        found = self._object().get(key)
        return None if found is None else Doc(found, self._source, self._below(key))

    def items(self) -> "Iterator[Doc]":
        """The elements of a list."""
        if not isinstance(self.value, list):
            self.refuse("is not a list")
        return (Doc(one, self._source, f"{self._path}[{at}]") for at, one in enumerate(self.value))

    def entries(self) -> "Iterator[tuple[str, Doc]]":
        """Keys and values of an object."""
        return ((key, Doc(one, self._source, self._below(key))) for key, one in tuple(self._object().items()))

    def text(self, most: int = 200) -> str:
        """A text, exactly as it came, of at most `most` characters."""
        if not isinstance(self.value, str):
            self.refuse("is not a text")
        if len(self.value) > most:
            self.refuse(f"has {len(self.value)} characters, limit {most}")
        return self.value

    def words(self, most: int = 200) -> str:
        """A text for people, cleaned and cut."""
        if not isinstance(self.value, str):
            self.refuse("is not a text")
        return clean(self.value, most).strip()

    def title(self) -> str:
        """A headline, cleaned without losing a word that may matter."""
        if not isinstance(self.value, str):
            self.refuse("is not a text")
        return legible(self.value, TITLE_LENGTH).strip()

    def number(self, least: float, most: float) -> float:
        """A finite number within its bounds."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse("is not a number")
        if not least <= value <= most:
            self.refuse(f"is not between {least:g} and {most:g}")
        return float(value)

    def price(self) -> float:
        """A number above 0."""
        value = self.number(0, MAX_PRICE)
        if not value:
            self.refuse("must be above 0")
        return value

    def integer(self, least: int, most: int) -> int:
        """A whole number within its bounds."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse("is not a whole number")
        if not least <= value <= most:
            self.refuse(f"is not between {least} and {most}")
        return value

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            self.refuse("is not true or false")
        return self.value

    def instant_us(self) -> int:
        """A time like `2024-05-02T13:30:00.123456789Z`, int microseconds UTC."""
        found = _INSTANT.fullmatch(self.text(40))
        if found is None:
            self.refuse("is not a time")
        year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
        try:
            at = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            self.refuse("is not a time")
        if year not in _YEARS:
            self.refuse("is not a time of this age")
        offset_s = (int(found[9]) * 3600 + int(found[10]) * 60) if found[8] else 0
        micros = int((found[7] or "")[:6].ljust(6, "0"))
        seconds = int(at.timestamp()) - (offset_s if found[8] == "+" else -offset_s)
        return seconds * US_PER_S + micros

    def day(self) -> date:
        """A day like `2024-05-02`."""
        found = _DAY.fullmatch(self.text(40))
        try:
            day = date(int(found[1]), int(found[2]), int(found[3])) if found else None
        except ValueError:
            day = None
        if day is None or day.year not in _YEARS:
            self.refuse("is not a day")
        return day

    def _object(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            self.refuse("is not an object")
        return self.value

    def _below(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def read_json(data: bytes, source: str) -> Doc:
    """A JSON document of at most 24 levels; NaN, Infinity and numbers beyond float64 are refused."""
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH:
        _refuse_depth(data, source)
    try:
        return Doc(msgspec.json.decode(data), source)
    except (ValueError, RecursionError) as error:
        raise BadPayload(
            f"{source}: the answer is not JSON ({clean(str(error), _EXCERPT)}), got"
            f" {_excerpt(data[:200].decode('utf-8', 'replace'))}",
            "The provider may be down behind a page of its own: try later",
        ) from error


def symbol_instrument(symbol: str) -> InstrumentId | None:
    """The instrument of a US symbol in capitals; None for a text that cannot be one."""
    return instrument_id(symbol) if SYMBOL.fullmatch(symbol) else None


def _refuse_depth(data: bytes, source: str) -> None:
    depth = 0
    for token in _TOKENS.finditer(data):
        first = token.group()[:1]
        if first in (b"[", b"{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise BadPayload(f"{source}: the answer has more than {MAX_DEPTH} levels")
        elif first in (b"]", b"}"):
            depth -= 1


def _excerpt(value: object) -> str:
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    text = value if isinstance(value, str) else repr(value)
    return repr(clean(text[: 4 * _EXCERPT], _EXCERPT))
