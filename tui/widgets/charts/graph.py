"""Which characters charts are drawn with, and how rows of them become lines."""

from collections.abc import Sequence
from enum import StrEnum

from tui.format import plain
from tui.widgets.ink import EMPTY, Line, Span, drawable, pad


class Graph(StrEnum):
    """`[console] graph`: braille dots, half blocks (Linux console), or ASCII (`--plain`)."""

    BRAILLE = "braille"
    BLOCK = "block"
    ASCII = "ascii"


def drawn(text: str, ink: str) -> Span:
    """A span of this package's own glyphs. Cleaning every new row of dots would take as long as drawing it.

    Never for text from a caller.
    """
    span = object.__new__(Span)
    object.__setattr__(span, "text", text)
    object.__setattr__(span, "ink", ink)
    return span


def words(text: str, graph: Graph) -> str:
    """A caller's text, safe and in the characters of `graph`, one cell each."""
    return plain(drawable(text)) if graph is Graph.ASCII else drawable(text)


def merged(chars: Sequence[str], inks: Sequence[str]) -> Line:
    """Cells as spans of one ink each; a blank cell takes the ink of its neighbor."""
    spans: list[Span] = []
    start, ink = 0, ""
    for at, char in enumerate(chars):
        if char != " " and inks[at] != ink:
            if ink:
                spans.append(drawn("".join(chars[start:at]), ink))
                start = at
            ink = inks[at]
    if len(chars) > start:
        spans.append(drawn("".join(chars[start:]), ink))
    return tuple(spans)


def blank(width: int) -> Line:
    """A line of blank cells."""
    return (drawn(" " * width, ""),) if width > 0 else EMPTY


def notice(text: str, width: int, height: int, graph: Graph, ink: str = "-muted") -> tuple[Line, ...]:
    """One honest line where a chart cannot be drawn, and blank ones below it."""
    if width <= 0 or height <= 0:
        return ()
    line = tuple(Span(words(span.text, graph), span.ink) for span in pad((Span(text, ink),), width))
    return (line, *(blank(width) for _ in range(height - 1)))
