"""The right-hand axis of a chart: round values behind the plot, named levels in front of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tui.widgets.charts.graph import Graph, blank, words
from tui.widgets.charts.labels import Labels
from tui.widgets.charts.levels import Level
from tui.widgets.charts.rows import Rows
from tui.widgets.charts.scale import Scale, axis, covering, is_available
from tui.widgets.ink import Line, Span, cut_text

GAP = 2
"""Blank columns between plot and labels."""
LEAST_PLOT = 8
"""Columns of a plot below which the axis gives way."""
FARTHEST = 3.0
"""A level above three times, or below a third of, every value stays off the chart; its edge names it."""
_DASHES = {Graph.BRAILLE: "╌", Graph.BLOCK: "─ ", Graph.ASCII: "- "}
_FAINT_DASHES = {Graph.BRAILLE: "╌ ", Graph.BLOCK: "· ", Graph.ASCII: "-   "}


@dataclass(frozen=True, slots=True)
class Tick:
    """A label beside row `row` of the plot."""

    row: int
    text: str
    ink: str


@dataclass(frozen=True, slots=True)
class Axis:
    """Where values stand over `rows` rows of cells, and what is written beside them."""

    scale: Scale
    width: int
    """Columns with the gap; 0 is no axis."""
    ticks: tuple[Tick, ...]
    faint: tuple[int, ...]
    """Rows of the round values."""
    levels: tuple[tuple[Level, int], ...]
    """Named levels within the range with their rows, the highest first."""

    def at_least(self, text: str) -> "Axis":
        """The axis widened for one more text, if it has room for labels at all."""
        return replace(self, width=max(self.width, len(text) + GAP)) if self.width else self

    def touched(self) -> set[int]:
        """Rows that a level, a round value or the name of a level may stand in."""
        named = {row + beside for _, row in self.levels for beside in (-1, 0, 1)}
        return named | set(self.faint)

    def draw(self, rows: Rows, graph: Graph) -> None:
        """Level lines and their names wherever `rows` are blank."""
        for level, row in self.levels:
            rows.dash(row, _DASHES[graph], level.ink)
        self._name(rows, graph)
        for row in self.faint:
            rows.dash(row, _FAINT_DASHES[graph], "-line")

    def _name(self, rows: Rows, graph: Graph) -> None:
        taken = {row for _, row in self.levels}
        for at, (level, row) in enumerate(self.levels):
            highest = at == 0 and len(self.levels) > 1
            texts = [words(text, graph) for text in level.texts]
            for beside in (row - 1, row + 1) if highest else (row + 1, row - 1):
                if 0 <= beside < rows.height and beside not in taken:
                    place = rows.free(beside, texts, right=highest)
                    if place is not None:
                        rows.write(place[0], beside, place[1], level.ink)
                        break


def most_labels(rows: int) -> int:
    """Round values beside `rows` rows: four, in a low plot fewer."""
    return 4 if rows >= 10 else 3 if rows >= 5 else 2 if rows >= 3 else 1


def lay_axis(
    data: Scale, levels: Sequence[Level], rows: int, width: int, labels: Labels, graph: Graph
) -> Axis:
    """The axis of `data` and `levels` for a chart of `width` columns. Two levels replace the round values."""
    known = sorted((level for level in levels if is_available(level.value)), key=lambda level: -level.value)
    near = [level for level in known if _is_near(level.value, data)]
    narrow = covering((data.low, data.high, *(level.value for level in near))) or data
    scale, values = axis(narrow, most_labels(rows)) if len(near) < 2 else (narrow, ())
    taken = {scale.at(level.value, rows) for level in near}
    faint = [value for value in values if scale.at(value, rows) not in taken]
    beside = sorted((*known, *map(Level, faint)), key=lambda level: -level.value)
    texts = labels([level.value for level in beside], graph is Graph.ASCII)
    ticks = [
        Tick(scale.at(level.value, rows), words(_arrow(level.value, data) + text, graph), level.axis_ink)
        for level, text in zip(beside, texts, strict=True)
    ]
    longest = max((len(tick.text) for tick in ticks), default=0)
    if not longest or width - longest - GAP < LEAST_PLOT:
        return Axis(narrow, 0, (), (), tuple((level, narrow.at(level.value, rows)) for level in near))
    return Axis(
        scale,
        longest + GAP,
        spaced(ticks, rows),
        tuple(scale.at(value, rows) for value in faint),
        tuple((level, scale.at(level.value, rows)) for level in near),
    )


def _is_near(value: float, data: Scale) -> bool:
    return not _arrow(value, data)


def _arrow(value: float, data: Scale) -> str:
    """Where a value is that stays off the chart, "" for one on it."""
    if data.low <= 0:
        return ""
    return "↑ " if value > data.high * FARTHEST else "↓ " if value < data.low / FARTHEST else ""


def spaced(ticks: Sequence[Tick], rows: int) -> tuple[Tick, ...]:
    """`ticks`, the highest value first, moved apart so that each has a row of its own.

    When there are more than rows, those before the last one leave.
    """
    kept = list(ticks if len(ticks) <= rows else (*ticks[: rows - 1], ticks[-1]))
    free = 0
    for at, tick in enumerate(kept):
        kept[at] = replace(tick, row=max(tick.row, free))
        free = kept[at].row + 1
    limit = rows - 1
    for at in range(len(kept) - 1, -1, -1):
        kept[at] = replace(kept[at], row=min(kept[at].row, limit))
        limit = kept[at].row - 1
    return tuple(kept)


def beside_axis(plot: Sequence[Line], ticks: Sequence[Tick], width: int) -> list[Line]:
    """Rows of a plot with their labels, right aligned in an axis of `width` columns; 0 adds nothing."""
    by_row = {tick.row: tick for tick in ticks} if width else {}
    lines: list[Line] = []
    for at, line in enumerate(plot):
        tick = by_row.get(at)
        if tick is None:
            lines.append((*line, *blank(width)))
        else:
            label = cut_text(tick.text, width - GAP).rjust(width - GAP)
            lines.append((*line, *blank(GAP), Span(label, tick.ink)))
    return lines
