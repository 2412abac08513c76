"""How a number, a time and a glyph look. The model carries raw values; zones exist only here.

Ratios are fractions (0.05 is 5 %), times int microseconds UTC, None is a value that is not known.
"""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

Number = Decimal | float | int

NEW_YORK = ZoneInfo("America/New_York")
NO_VALUE = "–"
US_PER_S = 1_000_000
US_PER_MIN = 60 * US_PER_S
US_PER_HOUR = 60 * US_PER_MIN
US_PER_DAY = 24 * US_PER_HOUR

PLAIN = {
    "◆": "@",
    "●": "*",
    "◐": "%",
    "○": "o",
    "■": "#",
    "–": "-",
    "▲": "^",
    "▼": "v",
    "↑": "^",
    "↓": "v",
    "▸": ">",
    "━": "=",
    "╸": "=",
    "─": "-",
    "╌": "-",
    "├": "|",
    "┤": "|",
    "┼": "+",
    "└": "\\",
    "│": "|",
    "┃": "|",
    "┊": ":",
    "▎": "|",
    "▏": "|",
    "▕": "|",
    "█": "#",
    "·": ".",
    "…": ".",
}
"""Every glyph of the console and its ASCII form, one cell each (design 4)."""

_PLAIN = str.maketrans(PLAIN)
_CUT = re.compile(r"[^ …]…|…[^ …]")
"""Where a text was cut: two points, for one alone ends a sentence and `~` marks an old value."""
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def plain(text: str) -> str:
    """`text` in printable ASCII, as many cells as before."""
    if "…" in text:
        text = _CUT.sub("..", text)
    text = text.translate(_PLAIN)
    if text.isascii():
        return text
    return "".join(char if char.isascii() else "_" for char in text)


def price(value: Number | None, tick: Decimal | None = None) -> str:
    """Two decimals from 1 up, four below, or as many as the venue's tick has if it is finer."""
    if value is None:
        return NO_VALUE
    decimals = 2 if abs(float(value)) >= 1 else 4
    if tick is not None:
        decimals = max(decimals, -int(tick.normalize().as_tuple().exponent))
    return f"{value:,.{decimals}f}"


def token_price(value: Number | None, *, table: bool = False) -> str:
    """Five significant digits in full; in tables leading zeros under 0.001 shrink to a subscript count."""
    if value is None:
        return NO_VALUE
    if value == 0:
        return "0.0"
    exponent = math.floor(math.log10(abs(float(value))))
    decimals = max(4 - exponent, 2)
    text = f"{value:,.{decimals}f}"
    if exponent < 0:
        text = text.rstrip("0")
    if not table or abs(float(value)) >= 0.001:
        return text
    zeros = -exponent - 1
    sign = "-" if value < 0 else ""
    digits = text.removeprefix("-")[2 + zeros :]
    return f"{sign}0.0{str(zeros).translate(_SUBSCRIPTS)}{digits}"


def average(value: Number | None) -> str:
    """The average price of fills: four decimals."""
    return NO_VALUE if value is None else f"{value:,.4f}"


def money(value: Number | None) -> str:
    """A level: two decimals, thousands apart, no sign unless it is below zero."""
    return NO_VALUE if value is None else _no_minus_zero(f"{value:,.2f}")


def signed_money(value: Number | None) -> str:
    """A change: always signed, except zero."""
    return _signed(value, 2)


def amount(value: Number | None) -> str:
    """Liquidity and volume, never an order: three significant digits and k, M or B."""
    if value is None:
        return NO_VALUE
    size = abs(float(value))
    for limit, unit in ((999.5e6, "B"), (999.5e3, "M"), (999.5, "k")):
        if size >= limit:
            scaled = float(value) / {"B": 1e9, "M": 1e6, "k": 1e3}[unit]
            decimals = 2 if abs(scaled) < 9.995 else 1 if abs(scaled) < 99.95 else 0
            return f"{scaled:.{decimals}f}{unit}"
    return f"{float(value):.0f}"


def percent(ratio: Number | None) -> str:
    """A level in percent, one decimal: `1.2%`."""
    return NO_VALUE if ratio is None else _no_minus_zero(f"{float(ratio) * 100:.1f}") + "%"


def signed_percent(ratio: Number | None, unit: str = "%") -> str:
    """A change in percent, one decimal, signed except zero. `unit` "" in columns whose head has it."""
    return NO_VALUE if ratio is None else _signed(float(ratio) * 100, 1) + unit


def risk_percent(ratio: Number | None) -> str:
    """A risk in percent of equity without sign: three decimals below 1 %, else one."""
    if ratio is None:
        return NO_VALUE
    value = abs(float(ratio)) * 100
    return f"{value:.3f}%" if value < 1 else f"{value:.1f}%"


def _signed(value: Number | None, decimals: int) -> str:
    if value is None:
        return NO_VALUE
    text = f"{value:+,.{decimals}f}"
    return text if _is_not_zero(text) else text[1:]


def _no_minus_zero(text: str) -> str:
    return text if _is_not_zero(text) else text.removeprefix("-")


def _is_not_zero(text: str) -> bool:
    return any(digit in text for digit in "123456789")


def probability(value: float | None) -> str:
    """`.68`; certainty is `1.0`."""
    if value is None:
        return NO_VALUE
    text = f"{value:.2f}"
    return "1.0" if text == "1.00" else text.removeprefix("0")


def interval(low: float, high: float) -> str:
    """`.61–.74`."""
    return f"{probability(low)}–{probability(high)}"


def rate(won: int, of: int, low: float, high: float) -> str:
    """A share with its count and 90 % interval: `58.3%  14 of 24  39–76%`; below five cases "too few"."""
    if of < 5:
        return "too few"
    return f"{won / of * 100:.1f}%  {won} of {of}  {low * 100:.0f}–{high * 100:.0f}%"


def score(value: float | None) -> str:
    """A score with one decimal."""
    return NO_VALUE if value is None else f"{value:.1f}"


def quantity(value: Decimal | None) -> str:
    """A number of units without trailing zeros: `39`, `0.5`, `1,200`."""
    if value is None:
        return NO_VALUE
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def filled(done: Decimal, ordered: Decimal) -> str:
    """`41/82`."""
    return f"{quantity(done)}/{quantity(ordered)}"


def age(us: int | None) -> str:
    """One unit: `0.8s 41s 12m 3h 2d`."""
    if us is None:
        return NO_VALUE
    us = max(us, 0)
    if us < 9_950_000:
        return f"{us / US_PER_S:.1f}s"
    for size, limit, unit in ((US_PER_S, 60, "s"), (US_PER_MIN, 60, "m"), (US_PER_HOUR, 24, "h")):
        if us < size * limit:
            return f"{us // size}{unit}"
    return f"{us // US_PER_DAY}d"


def countdown(us: int | None) -> str:
    """Minutes and seconds, above an hour hours and minutes: `4:34`, `5:41h`; above two days `2d 23h`."""
    if us is None:
        return NO_VALUE
    seconds = -(-max(us, 0) // US_PER_S)
    if seconds < 3600:
        return f"{seconds // 60}:{seconds % 60:02d}"
    if seconds < 48 * 3600:
        return f"{seconds // 3600}:{seconds % 3600 // 60:02d}h"
    return f"{seconds // 86400}d {seconds % 86400 // 3600}h"


def elapsed(us: int) -> str:
    """Time since something began, like a countdown that runs up: `0:14`."""
    return countdown(max(us, 0) // US_PER_S * US_PER_S)


def _utc(us: int) -> datetime:
    return datetime.fromtimestamp(us / US_PER_S, UTC)


def clock_utc(us: int) -> str:
    """`14:51:38Z`."""
    return f"{_utc(us):%H:%M:%S}Z"


def clock_short(us: int) -> str:
    """`14:51:38`, for lists whose every time is UTC."""
    return f"{_utc(us):%H:%M:%S}"


def clock_new_york(us: int) -> str:
    """`09:51 ET`."""
    return f"{_utc(us).astimezone(NEW_YORK):%H:%M} ET"


def opening(us: int, now_us: int) -> str:
    """When a session begins: `09:30 ET` of today in New York, else with its day, `Mon 09:30 ET`."""
    then, today = _utc(us).astimezone(NEW_YORK), _utc(now_us).astimezone(NEW_YORK)
    return f"{then:%H:%M} ET" if then.date() == today.date() else f"{then:%a %H:%M} ET"


def date_utc(us: int) -> str:
    """The day of `clock_utc`: `2016-01-04`. An hour in UTC never stands beside a New York day."""
    return f"{_utc(us):%Y-%m-%d}"


def when(us: int, now_us: int) -> str:
    """Of today the clock, of the last week the day, else the date, all UTC: `14:41`, `Thu`, `08-22`."""
    then, today = _utc(us), _utc(now_us)
    if then.date() == today.date():
        return f"{then:%H:%M}"
    return f"{then:%a}" if (today.date() - then.date()).days < 7 else f"{then:%m-%d}"


def session_word(now_us: int, open_us: int | None, close_us: int | None) -> str:
    """`open`, `pre 14:00` on the session's own day, else `closed, Mon 09:30`."""
    if open_us is None or close_us is None or now_us >= close_us:
        return "closed"
    if now_us >= open_us:
        return "open"
    opens = _utc(open_us).astimezone(NEW_YORK)
    if _utc(now_us).astimezone(NEW_YORK).date() == opens.date():
        return f"pre {countdown(open_us - now_us)}"
    return f"closed, {opens:%a %H:%M}"


def digest(sha256: str) -> str:
    """A hash as a person compares it: the first four and the last two groups of four."""
    groups = [sha256[start : start + 4] for start in range(0, len(sha256), 4)]
    return " ".join(groups) if len(groups) <= 6 else " ".join([*groups[:4], "…", *groups[-2:]])


def align_points(texts: Sequence[str]) -> list[str]:
    """`texts` padded on the right so that their decimal points stand in one line when right aligned."""
    tails = [len(text) - text.index(".") if "." in text else 0 for text in texts]
    longest = max(tails, default=0)
    return [text + " " * (longest - tail) if tail else text for text, tail in zip(texts, tails, strict=True)]
