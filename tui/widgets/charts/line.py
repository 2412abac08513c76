"""The line chart: equity, a price, a latency."""

from collections.abc import Sequence

from tui.format import Number, percent
from tui.widgets.charts.axis import Axis, Tick, beside_axis, lay_axis
from tui.widgets.charts.braille import Canvas, curve, places_of
from tui.widgets.charts.graph import Graph, blank, drawn, merged, notice
from tui.widgets.charts.labels import Labels, price_labels
from tui.widgets.charts.levels import Level
from tui.widgets.charts.rows import Rows
from tui.widgets.charts.scale import available, covering
from tui.widgets.charts.times import Mark, time_row
from tui.widgets.ink import Line

SMALLEST = (4, 2)
"""Columns and rows below which there is a line of text instead of a plot."""


def line_chart(
    values: Sequence[Number | None],
    width: int,
    height: int,
    *,
    labels: Labels = price_labels,
    levels: Sequence[Level] = (),
    marks: Sequence[Mark] = (),
    drawdown: Sequence[Number | None] = (),
    low: float | None = None,
    high: float | None = None,
    ink: str = "-accent",
    graph: Graph = Graph.BRAILLE,
    empty: str = "No values yet",
) -> tuple[Line, ...]:
    """`height` lines of exactly `width` cells: evenly spaced values, one that is missing is a gap.

    `drawdown` (ratios, 0 or below, as many as values) hangs below the plot; `low` and `high` widen the range.
    """
    series = available(values)
    last = next((value for value in reversed(series) if value == value), None)
    scale = covering((*series, *available((low, high))))
    if scale is None or last is None:
        return notice(empty, width, height, graph)
    if width < SMALLEST[0] or height < SMALLEST[1]:
        return notice(labels((last,), graph is Graph.ASCII)[0], width, height, graph, "-strong")
    times = 1 if marks and height >= 5 else 0
    strip = _strip_rows(height - times) if drawdown else 0
    rows = height - times - strip
    sides = lay_axis(scale, levels, rows, width, labels, graph)
    falls = available(drawdown)
    if strip:
        worst = min((fall for fall in falls if fall == fall), default=0.0)
        depth = percent(worst)
        sides = sides.at_least(depth)
    plot = width - sides.width
    lines = beside_axis(_curve_rows(series, plot, rows, sides, ink, graph), sides.ticks, sides.width)
    if strip:
        tick = Tick(0, depth, "-muted")
        lines += beside_axis(_hanging(falls, plot, strip, graph), (tick,), sides.width)
    if times:
        lines.append((*time_row(marks, plot, plot, graph), *blank(sides.width)))
    return tuple(lines)


def _strip_rows(height: int) -> int:
    """Rows of the drawdown: two of ten and more, one of six and more."""
    return 2 if height >= 10 else 1 if height >= 6 else 0


def _curve_rows(
    series: Sequence[float], width: int, height: int, sides: Axis, ink: str, graph: Graph
) -> list[Line]:
    canvas = Canvas(width, height, graph)
    scale, down = sides.scale, canvas.down
    dots = [None if value != value else scale.at(value, down) for value in series]
    for x, column in enumerate(curve(*places_of(dots, canvas.across))):
        if column is not None:
            canvas.column(x, *column)
    texts = canvas.rows()
    special = {y for y in sides.touched() if 0 <= y < height}
    rows = Rows(width, height)
    for y in special:
        rows.fill(y, texts[y], ink)
    sides.draw(rows, graph)
    return [
        merged(rows.chars[y], rows.inks[y]) if y in special else (drawn(texts[y], ink),)
        for y in range(height)
    ]


_HANGING = {Graph.BRAILLE: " ▔▀█", Graph.BLOCK: " ▀▀█", Graph.ASCII: " '\"#"}
"""Nothing, less than half a cell, half a cell, a whole one."""
_LEAST_DEPTH = 0.01
"""A drawdown of 1 % or more fills the strip; smaller ones stay small."""


def _hanging(falls: Sequence[float], width: int, rows: int, graph: Graph) -> list[Line]:
    """Bars that hang from the zero line, the deepest down to the last row."""
    deepest = max((-fall for fall in falls if -fall > _LEAST_DEPTH), default=_LEAST_DEPTH)
    depths = [None if fall is None else -fall / deepest * rows * 2 for fall in lowest(falls, width)]
    glyphs = _HANGING[graph]
    return [(drawn("".join(glyphs[_hang(depth, row)] for depth in depths), "-down"),) for row in range(rows)]


def _hang(depth: float | None, row: int) -> int:
    """Which of the four glyphs a cell takes. `depth` in halves of a row."""
    if depth is None or depth <= 0:
        return 0
    halves = round(depth) - 2 * row
    if row == 0 and halves <= 0:
        return 1
    return 0 if halves <= 0 else 2 if halves == 1 else 3


def lowest(values: Sequence[float], columns: int) -> list[float | None]:
    """The lowest value of each column of cells, None where none is available."""
    count = len(values)
    result: list[float | None] = []
    for x in range(columns):
        if count > columns:
            bucket = values[x * count // columns : (x + 1) * count // columns]
        else:
            at = round(x * (count - 1) / max(columns - 1, 1))
            bucket = values[at : at + 1]
        result.append(min((value for value in bucket if value == value), default=None))
    return result
