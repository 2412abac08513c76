"""One-row charts for the cells of a table: a course, and bars of scores side by side."""

from collections.abc import Sequence

from tui.format import NO_VALUE, Number
from tui.widgets.charts.graph import Graph, blank, drawn, merged, words
from tui.widgets.charts.scale import available, covering
from tui.widgets.ink import EMPTY, Line, Span, pad

RAMPS = {Graph.BRAILLE: "▁▂▃▄▅▆", Graph.BLOCK: "_.-'", Graph.ASCII: "_.-'"}
"""Low to high; never above 6/8 of the cell. Without parts of cells: strokes from the ground to the top."""
BRIGHT = 0.6
"""Scores from here up are bright (design 10)."""
_DIGITS = "0123456789"


def sparkline(
    values: Sequence[Number | None],
    width: int,
    *,
    low: float | None = None,
    high: float | None = None,
    ink: str = "-accent",
    graph: Graph = Graph.BRAILLE,
) -> Line:
    """Exactly `width` cells, the newest value in the last one; a missing value is a blank."""
    if width <= 0:
        return EMPTY
    series = available(values)
    scale = covering((*series, *available((low, high))))
    if scale is None or all(value != value for value in series):
        return pad((Span(words(NO_VALUE, graph), "-muted"),), width)
    ramp = RAMPS[graph]
    steps = len(ramp)
    text = "".join(
        " " if value != value else ramp[steps - 1 - scale.at(value, steps)] for value in newest(series, width)
    )
    return (*blank(width - len(text)), drawn(text, ink))


def newest(series: Sequence[float], columns: int) -> list[float]:
    """At most one value a column: of more, the last available one of each even share."""
    count = len(series)
    if count <= columns:
        return list(series)
    shares = (series[at * count // columns : (at + 1) * count // columns] for at in range(columns))
    return [next((value for value in reversed(share) if value == value), share[-1]) for share in shares]


def part_bars(scores: Sequence[Number | None], graph: Graph = Graph.BRAILLE) -> Line:
    """One cell a score of 0..1, bright from .6 up, `·` where it is missing; else tenths as digits."""
    chars: list[str] = []
    inks: list[str] = []
    for score in available(scores):
        if score != score:
            chars.append(words("·", graph))
        elif graph is Graph.BRAILLE:
            ramp = RAMPS[graph]
            chars.append(ramp[min(max(int(score * len(ramp)), 0), len(ramp) - 1)])
        else:
            chars.append(_DIGITS[min(max(int(score * 10), 0), 9)])
        inks.append("-strong" if score >= BRIGHT else "-muted")
    return merged(chars, inks)
