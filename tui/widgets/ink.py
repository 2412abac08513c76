"""A line of the console as data: spans of safe text, each with the names of its inks (classes of deck.tcss).

Every character takes exactly one cell, so a length is a width.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from engine.model.text import clean

_SINGLE = frozenset("–…₀₁₂₃₄₅₆₇₈₉↑↓")
_WIDE_SHAPES = frozenset("\u25fd\u25fe")


def drawable(text: str) -> str:
    """`text` cleaned and reduced to the characters a terminal draws in one cell; others become `_`.

    Kept: ASCII, Latin-1, box drawing, blocks, geometric shapes, braille and the few of design 14.
    """
    return text if text.isascii() and text.isprintable() else _reduced(text)


@lru_cache(4096)
def _reduced(text: str) -> str:
    """Glyphs come again in every picture, so the slow part is done once for each text."""
    text = unicodedata.normalize("NFC", clean(text))
    return "".join(
        char if _fits(char) else "_" for char in text if not unicodedata.category(char).startswith("M")
    )


def _fits(char: str) -> bool:
    code = ord(char)
    if code < 0x100:
        return char.isprintable()
    return char in _SINGLE or (
        (0x2500 <= code <= 0x25FF or 0x2800 <= code <= 0x28FF) and char not in _WIDE_SHAPES
    )


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one line in one ink. `ink` holds class names apart by spaces, "" is normal text."""

    text: str
    ink: str = ""

    def __post_init__(self) -> None:
        safe = drawable(self.text)
        if safe is not self.text:
            object.__setattr__(self, "text", safe)


INKS = frozenset(
    {
        "-accent",
        "-alarm",
        "-attention",
        "-bold",
        "-danger",
        "-default",
        "-down",
        "-faint",
        "-flash-down",
        "-flash-up",
        "-halting",
        "-held",
        "-line",
        "-live",
        "-mode",
        "-muted",
        "-selected",
        "-stale",
        "-strong",
        "-tab",
        "-text",
        "-track",
        "-up",
        "-yours",
    }
)
"""Every ink, a component class of deck.tcss. State is a class, colors are the theme's."""

Line = tuple[Span, ...]
EMPTY: Line = ()


def width_of(spans: Iterable[Span]) -> int:
    """Cells a line takes."""
    return sum(len(span.text) for span in spans)


def cut(spans: Iterable[Span], width: int) -> Line:
    """The line in at most `width` cells; text that does not fit ends in `…`."""
    spans = tuple(spans)
    if width_of(spans) <= width:
        return spans
    if width <= 0:
        return EMPTY
    kept: list[Span] = []
    room = width - 1
    for span in spans:
        if len(span.text) > room:
            kept.append(Span(f"{_whole(span.text[:room])}…", span.ink))
            break
        kept.append(span)
        room -= len(span.text)
    return tuple(kept)


_LAST_NUMBER = re.compile(r" +[-+~<>=]*[\d.,:%]*\d[\d.,:%]*$")


def _whole(kept: str) -> str:
    """Without a last word that is a number: a digit or its unit might be missing."""
    return _LAST_NUMBER.sub("", kept.rstrip()).rstrip()


def cut_text(text: str, width: int) -> str:
    """`text` in at most `width` cells, ending in `…` when something is missing."""
    text = drawable(text)
    if len(text) <= width:
        return text
    return f"{_whole(text[: width - 1])}…" if width > 0 else ""


def cut_words(text: str, width: int) -> str:
    """`text` in at most `width` cells, cut between words so that no number is cut, ending in `…`.

    A last number has a space before the `…`. A single word that is too long is cut where the room ends.
    """
    text = drawable(text)
    if len(text) <= width or width <= 0:
        return text[: max(width, 0)]
    end = text.rfind(" ", 0, width)
    while end > 0:
        kept = text[:end].rstrip(" ,;:·(")
        shown = f"{kept} …" if kept[-1:].isdigit() else f"{kept}…"
        if kept and len(shown) <= width:
            return shown
        end = text.rfind(" ", 0, end)
    return cut_text(text, width)


def pad(spans: Iterable[Span], width: int) -> Line:
    """The line cut or filled up to exactly `width` cells."""
    line = cut(spans, width)
    missing = width - width_of(line)
    return (*line, Span(" " * missing)) if missing else line


def spread(left: Iterable[Span], right: Iterable[Span], width: int, gap: int = 1) -> Line:
    """`left` at the left edge and `right` at the right one; the left gives way."""
    right = cut(right, width)
    taken = width_of(right)
    room = max(width - taken - (gap if taken else 0), 0)
    line = cut(left, room)
    return (*line, Span(" " * (width - taken - width_of(line))), *right)


def over(spans: Iterable[Span], ink: str) -> Line:
    """The line with one more ink on every span."""
    return tuple(Span(span.text, f"{span.ink} {ink}".strip()) for span in spans)


def wrap(text: str, width: int) -> list[str]:
    """Words of `text` in lines of at most `width` cells; a longer word is broken."""
    lines = [""]
    for word in drawable(text).split():
        while len(word) > width:
            if lines[-1]:
                lines.append("")
            lines[-1], word = word[:width], word[width:]
            lines.append("")
        if not lines[-1]:
            lines[-1] = word
        elif len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [line for line in lines if line] or [""]


def break_at_commas(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells that end after a comma; nothing is added or lost.

    A piece without a comma that is longer than a line is broken where the line ends.
    """
    lines: list[str] = []
    rest = text
    while len(rest) > width:
        end = rest.rfind(",", 0, width) + 1 or width
        lines.append(rest[:end])
        rest = rest[end:]
    return [*lines, rest]
