"""Bytes of a venue -> typed values, under limits. What cannot be meant is refused by the key it stands at.

Every adapter reads through these functions, so that one fuzz run is a test of all of them. Nothing here
raises anything but `BadAnswer`, and what it says is safe to show: excerpts are cleaned and short.
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, NoReturn, TypeVar

from engine.errors import BadAnswer
from engine.execution.screening import MAX_MONEY, MAX_PRICE, MAX_QUANTITY, MAX_TIME_US, MIN_TIME_US
from engine.model.text import clean

MAX_BODY_BYTES = 2_000_000
"""Of one answer to a request."""
MAX_FRAME_BYTES = 1_000_000
"""Of one message of a stream; the largest recorded real one had 64,067 bytes."""
MAX_DEPTH = 16
"""Objects and lists inside each other."""
MAX_NUMBER_LENGTH = 32
"""Characters of a number, also inside a string."""
MAX_DECIMALS = 18
"""Digits after the point: the finest quantity that any venue counts in."""
MAX_ID_LENGTH = 128
EXCERPT_LENGTH = 60

ZERO = Decimal(0)
Word = TypeVar("Word", bound=StrEnum)
Fields = Mapping[str, Any]
"""A JSON object; its values are str, int, Decimal, bool, None, list and dict."""

_NUMBER = re.compile(r"-?[0-9]+(?:\.([0-9]+))?([eE][+-]?[0-9]{1,2})?", re.ASCII)
# A text without an end is one token too: retried at each of its quotes, it would take quadratic time.
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_OPENING = frozenset("[{")
_CLOSING = frozenset("]}")


def excerpt(value: object) -> str:
    """A short and safe picture of what came, for a message."""
    if isinstance(value, dict | list):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    text = value if isinstance(value, str) else repr(value)
    return clean(text[: 4 * EXCERPT_LENGTH])[:EXCERPT_LENGTH]


def refuse(where: str, why: str, value: object) -> NoReturn:
    """Raise BadAnswer: the key, the rule, and what stood there."""
    raise BadAnswer(
        f"the venue's answer cannot be read at {where}: {why}, got {excerpt(value)!r}",
        "the order's fate is asked for; if this repeats, check the venue's status page and update",
    )


def read_json(data: bytes, limit: int) -> Fields:
    """A JSON object of at most `limit` bytes of UTF-8. Raises BadAnswer.

    Refused besides broken JSON: a key given twice, NaN and Infinity, numbers of more than 32 characters,
    more than 16 levels, and anything but an object at the top.
    """
    if len(data) > limit:
        refuse("the top", f"{len(data)} bytes, limit {limit}", "")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        refuse("the top", f"not UTF-8 ({error.reason})", data[:EXCERPT_LENGTH])
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _refuse_depth(text)
    try:
        value = _DECODER.decode(text)
    except ValueError as error:
        refuse("the top", f"not JSON ({clean(str(error))[:EXCERPT_LENGTH]})", text)
    return fields(value, "the top")


def _refuse_depth(text: str) -> None:
    depth = 0
    for token in _TOKENS.finditer(text):
        first = token.group()[0]
        if first in _OPENING:
            depth += 1
            if depth > MAX_DEPTH:
                refuse("the top", f"more than {MAX_DEPTH} levels", text)
        elif first in _CLOSING:
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        refuse(excerpt(next(key for key in keys if keys.count(key) > 1)), "a key given twice", "")
    return found


def _constant(name: str) -> NoReturn:
    refuse("a number", "not finite", name)


def _integer(text: str) -> int:
    if len(text) > MAX_NUMBER_LENGTH:
        refuse("a number", f"{len(text)} characters, limit {MAX_NUMBER_LENGTH}", text)
    return int(text)


def _fraction(text: str) -> Decimal:
    return decimal(text, "a number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_fraction
)


def fields(value: object, where: str) -> Fields:
    """An object."""
    if not isinstance(value, dict):
        refuse(where, "not an object", value)
    return value


def items(value: object, where: str) -> Sequence[Any]:
    """A list."""
    if not isinstance(value, list):
        refuse(where, "not a list", value)
    return value


def required(of: Fields, key: str) -> Any:
    """The value under a key that must be there."""
    try:
        return of[key]
    except KeyError:
        refuse(key, "missing", "")


def decimal(value: object, where: str) -> Decimal:
    """A finite number, exact: a string or a JSON number of at most 32 characters and 18 decimals."""
    if isinstance(value, Decimal):
        return value  # read by this very function when the JSON was
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if not isinstance(value, str):
        refuse(where, "not a number", value)
    if len(value) > MAX_NUMBER_LENGTH:
        refuse(where, f"{len(value)} characters, limit {MAX_NUMBER_LENGTH}", value)
    shape = _NUMBER.fullmatch(value)
    if shape is None:
        refuse(where, "not a number", value)
    number = Decimal(value)
    if not number:
        return ZERO
    if shape[1] is None and shape[2] is None:
        return number
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or not -MAX_DECIMALS <= exponent <= MAX_DECIMALS:
        refuse(where, f"more than {MAX_DECIMALS} places", value)
    return number if exponent <= 0 else Decimal(int(number))


def quantity(of: Fields, key: str, least: Decimal = ZERO) -> Decimal:
    """Units, at least `least` and at most 10^12."""
    return _bounded(of, key, least, MAX_QUANTITY)


def positive(of: Fields, key: str) -> Decimal:
    """Units of something that cannot be nothing."""
    number = quantity(of, key)
    if not number:
        refuse(key, "must be above 0", number)
    return number


def price(of: Fields, key: str) -> Decimal:
    """A price above zero and at most 10^9."""
    number = _bounded(of, key, ZERO, MAX_PRICE)
    if not number:
        refuse(key, "must be above 0", number)
    return number


def price_or_none(of: Fields, key: str) -> Decimal | None:
    """A price where the order has one: the key may be missing or null."""
    return None if of.get(key) is None else price(of, key)


def money(of: Fields, key: str, least: Decimal = -MAX_MONEY) -> Decimal:
    """An amount of money between `least` and 10^15."""
    return _bounded(of, key, least, MAX_MONEY)


def _bounded(of: Fields, key: str, least: Decimal, most: Decimal) -> Decimal:
    number = decimal(required(of, key), key)
    if not least <= number <= most:
        refuse(key, f"not between {least:f} and {most:f}", number)
    return number


def time_us(of: Fields, key: str) -> int:
    """An instant, int microseconds UTC, of the years 2000 to 2099."""
    value = required(of, key)
    if not isinstance(value, int) or isinstance(value, bool):
        refuse(key, "not an integer", value)
    if not MIN_TIME_US <= value < MAX_TIME_US:
        refuse(key, "not an instant in microseconds of the years 2000 to 2099", value)
    return value


def identifier(of: Fields, key: str) -> str:
    """An id, exactly as it came: 1 to 128 characters that can all be shown.

    An id with characters that `clean` drops is refused, not cleaned: it would become another one.
    """
    value = required(of, key)
    if not isinstance(value, str):
        refuse(key, "not a text", value)
    if not value or len(value) > MAX_ID_LENGTH:
        refuse(key, f"{len(value)} characters, not 1 to {MAX_ID_LENGTH}", value)
    if clean(value) != value:
        refuse(key, "an id with characters that cannot be shown", value)
    return value


def words(of: Fields, key: str) -> str:
    """The venue's own words, cleaned and cut to 200 characters; "" when there are none."""
    value = of.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        refuse(key, "not a text", value)
    return clean(value)


def word(of: Fields, key: str, kind: type[Word]) -> Word:
    """One of a closed set that has no "unknown" of its own: another word is refused."""
    value = required(of, key)
    if isinstance(value, str) and value in _values(kind):
        return kind(value)
    refuse(key, f"not one of {', '.join(kind)}", value)


@cache
def _values(kind: type[StrEnum]) -> frozenset[str]:
    return frozenset(kind)
