"""Price bars: a thin body rises, a full one falls, so the direction needs no color."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple, Protocol

from tui.format import NEW_YORK, US_PER_S
from tui.widgets.charts.axis import GAP, Tick, beside_axis, lay_axis
from tui.widgets.charts.graph import Graph, blank, drawn, notice
from tui.widgets.charts.labels import Labels, price_labels
from tui.widgets.charts.levels import Level
from tui.widgets.charts.parts import stacked
from tui.widgets.charts.rows import Rows
from tui.widgets.charts.scale import NAN, Scale, available, covering, is_available
from tui.widgets.charts.times import Mark, time_row
from tui.widgets.ink import Line

NARROW = 30
"""A plot of fewer columns gives each bar one column instead of two (design 4)."""
SMALLEST = (4, 3)

_RISING = {
    Graph.BRAILLE: {
        "  ": " ",
        "..": "│",
        ". ": "╵",
        " .": "╷",
        "##": "┃",
        "# ": "╹",
        " #": "╻",
        ".#": "╽",
        "#.": "╿",
    },
    Graph.BLOCK: {"  ": " ", "..": "│", ". ": "│", " .": "│"},
    Graph.ASCII: {"  ": " ", "..": ":", ". ": "'", " .": "."},
}
_FALLING = {
    Graph.BRAILLE: {**_RISING[Graph.BRAILLE], "##": "█", "# ": "▀", " #": "▄", ".#": "▄", "#.": "▀"},
    Graph.BLOCK: {**_RISING[Graph.BLOCK], "##": "█", "# ": "▀", " #": "▄", ".#": "▄", "#.": "▀"},
    Graph.ASCII: _RISING[Graph.ASCII],
}
"""Upper and lower half of a cell (`#` body, `.` wick) to its glyph."""
_ANY_BODY = {True: {Graph.BLOCK: "║", Graph.ASCII: "|"}, False: {Graph.ASCII: "#"}}
"""What a cell with a body looks like where the graph has no halves of it."""


class PriceBar(Protocol):
    """What is drawn of a bar; `engine.model.market.Bar` is one. A price that is NaN makes it a gap."""

    @property
    def open(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def close(self) -> float: ...
    @property
    def volume(self) -> float: ...
    @property
    def ts_open(self) -> int: ...


def candle_chart(
    bars: Sequence[PriceBar],
    width: int,
    height: int,
    *,
    levels: Sequence[Level] = (),
    labels: Labels = price_labels,
    zone: tzinfo = NEW_YORK,
    graph: Graph = Graph.BRAILLE,
    empty: str = "No bars yet",
    daily: bool = False,
) -> tuple[Line, ...]:
    """`height` lines of exactly `width` cells: the newest bars that fit, levels, volume, times of `zone`.

    A session begins where the date in `zone` changes. `daily`: each bar is a whole day and begins at its
    midnight UTC; below stand dates then, and where months begin. Many days take one column each.
    """
    shapes = [_shape(bar) for bar in bars]
    scale = covering(value for shape in shapes for value in shape)
    if scale is None:
        return notice(empty, width, height, graph)
    if width < SMALLEST[0] or height < SMALLEST[1]:
        last = next(shape.close for shape in reversed(shapes) if shape.is_known)
        return notice(labels((last,), graph is Graph.ASCII)[0], width, height, graph, "-strong")
    times = 1 if height >= 5 else 0
    volume = _volume_rows(bars, height)
    rows = height - times - volume
    # The bars that fit decide the range, the range the width of its labels, and these how many bars fit:
    # the first look, over all bars of the widest plot, settles the width.
    sides = lay_axis(scale, levels, rows, width, labels, graph)
    plot = width - sides.width
    step = 1 if plot < NARROW or (daily and 2 * len(bars) > plot) else 2
    first = max(len(bars) - (plot + step - 1) // step, 0)
    seen = covering(value for shape in shapes[first:] for value in shape)
    if seen is not None:
        sides = replace(lay_axis(seen, levels, rows, width, labels, graph), width=sides.width)
    cells = Rows(plot, rows)
    for at, shape in enumerate(shapes[first:]):
        if shape.is_known:
            _draw(cells, at * step, shape, sides.scale, graph)
    sides.draw(cells, graph)
    lines = beside_axis(cells.lines(), sides.ticks, sides.width)
    if volume:
        lines += _volumes(bars[first:], plot, step, volume, sides.width, graph)
    if times:
        marks = _day_marks(bars[first:]) if daily else _session_marks(bars[first:], zone)
        drawn_width = (len(bars) - first - 1) * step + 1
        lines.append((*time_row(marks, drawn_width, plot, graph), *blank(sides.width)))
    return tuple(lines)


class _Shape(NamedTuple):
    """The four prices of a bar, all NaN when one is missing; high and low hold the other two."""

    open: float
    high: float
    low: float
    close: float

    @property
    def is_known(self) -> bool:
        return self.close == self.close


def _shape(bar: PriceBar) -> _Shape:
    prices = available((bar.open, bar.high, bar.low, bar.close))
    if any(price != price for price in prices):
        return _Shape(NAN, NAN, NAN, NAN)
    return _Shape(prices[0], max(prices), min(prices), prices[3])


def _draw(cells: Rows, x: int, shape: _Shape, scale: Scale, graph: Graph) -> None:
    halves = cells.height * 2
    rises = shape.close >= shape.open
    top, bottom = scale.at(shape.high, halves), scale.at(shape.low, halves)
    body = (scale.at(max(shape.open, shape.close), halves), scale.at(min(shape.open, shape.close), halves))
    if not rises and graph is not Graph.ASCII:
        body = _joined(top, bottom, body)
    glyphs = (_RISING if rises else _FALLING)[graph]
    whole = _ANY_BODY[rises].get(graph)
    ink = "-up" if rises else "-down"
    for y in range(top // 2, bottom // 2 + 1):
        upper = _part(2 * y, top, bottom, body)
        lower = _part(2 * y + 1, top, bottom, body)
        has_body = "#" in (upper, lower)
        cells.put(x, y, whole if whole and has_body else glyphs[upper + lower], ink)


def _joined(top: int, bottom: int, body: tuple[int, int]) -> tuple[int, int]:
    """A full body whose wicks begin where a cell ends: no glyph is thin in one half and full in the other.

    The body shrinks by half a cell, or grows where nothing of it would be left.
    """
    first, last = body
    if first % 2 == 1 and top < first:
        first += 1 if first < last else -1
    if last % 2 == 0 and bottom > last:
        last -= 1 if last > first + 1 else -1
    return first, last


def _part(half: int, top: int, bottom: int, body: tuple[int, int]) -> str:
    if body[0] <= half <= body[1]:
        return "#"
    return "." if top <= half <= bottom else " "


def _volume_rows(bars: Sequence[PriceBar], height: int) -> int:
    """Rows of volume: two of sixteen and more, one of nine and more, none without volume."""
    if height < 9 or not any(bar.volume > 0 for bar in bars):
        return 0
    return 2 if height >= 16 else 1


def _volumes(
    bars: Sequence[PriceBar], plot: int, step: int, rows: int, axis_width: int, graph: Graph
) -> list[Line]:
    volumes = [bar.volume if is_available(bar.volume) else NAN for bar in bars]
    most = max((volume for volume in volumes if volume == volume), default=0.0)
    shares = [volume / most if most > 0 else 0.0 for volume in volumes]
    between = " " * (step - 1)
    texts = [between.join(text).ljust(plot) for text in stacked(shares, rows, graph)]
    named = (Tick(rows - 1, "vol", "-muted"),) if axis_width - GAP >= len("vol") else ()
    return beside_axis([(drawn(text, "-track"),) for text in texts], named, axis_width)


def _session_marks(bars: Sequence[PriceBar], zone: tzinfo) -> list[Mark]:
    """The time of the first bar, of the first bar of each later session, and of the last one."""
    opened = [datetime.fromtimestamp(bar.ts_open / US_PER_S, zone) for bar in bars]
    places = max(len(bars) - 1, 1)
    marks = [
        Mark(at / places, f"{when:%a %H:%M}", divides=at > 0)
        for at, when in enumerate(opened)
        if at == 0 or when.date() != opened[at - 1].date()
    ]
    return [*marks, Mark(1.0, f"{opened[-1]:%H:%M}")] if len(opened) > 1 else marks


def _day_marks(bars: Sequence[PriceBar]) -> list[Mark]:
    """The date of the first day, the name of each later month where it begins, the date of the last day."""
    days = [datetime.fromtimestamp(bar.ts_open / US_PER_S, UTC) for bar in bars]
    places = max(len(bars) - 1, 1)
    marks = [
        Mark(at / places, f"{day:%b}" if at else f"{day:%b %d}", divides=at > 0)
        for at, day in enumerate(days)
        if at == 0 or day.month != days[at - 1].month
    ]
    return [*marks, Mark(1.0, f"{days[-1]:%b %d}")] if len(days) > 1 else marks
