"""The distribution of daily results with the value at risk as a border."""

import math
from collections.abc import Sequence

from tui.format import Number, signed_percent
from tui.widgets.charts.graph import Graph, notice, words
from tui.widgets.charts.parts import stacked
from tui.widgets.charts.rows import Rows
from tui.widgets.charts.scale import Scale, available, covering, is_available
from tui.widgets.ink import Line

FEWEST = 5
"""Values below which there is no distribution (design 5)."""
SMALLEST = (10, 2)
FENCE = 4.0
"""Values farther than this many quartile ranges outside the quartiles are counted in the outermost bars."""
_LEAST = 2
"""Eighths of a bar of one value; one eighth is the ground."""
_GROUND = {Graph.BRAILLE: "▁", Graph.BLOCK: "_", Graph.ASCII: "_"}


def histogram(
    values: Sequence[Number | None],
    width: int,
    height: int,
    *,
    border: float | None = None,
    graph: Graph = Graph.BRAILLE,
) -> tuple[Line, ...]:
    """`height` lines of exactly `width` cells; `values` and `border` are ratios (-0.014 is -1.4 %).

    Bars up to the border are losses beyond it. `<` or `>` before the value of an end says that what lies
    beyond it is counted there.
    """
    present = sorted(value for value in available(values) if value == value)
    if len(present) < FEWEST:
        return notice(f"Too few values: {len(present)} of {FEWEST}", width, height, graph)
    edge = border if border is not None and is_available(border) else None
    if width < SMALLEST[0] or height < SMALLEST[1]:
        text = f"{len(present)} values" if edge is None else signed_percent(edge)
        return notice(text, width, height, graph, "-strong")
    scale = _range(present, edge)
    each = max(math.ceil(width / (2 * math.sqrt(len(present)))), 1)
    bins = width // each
    counts = [0] * bins
    for value in present:
        counts[_bin(value, scale, bins)] += 1
    rows = Rows(width, height)
    most = max(counts)
    shares = [counts[x // each] / most for x in range(bins * each)]
    last_loss = -1 if edge is None else (_bin(edge, scale, bins) + 1) * each - 1
    for y, text in enumerate(stacked(shares, height - 1, graph, _LEAST)):
        for x, char in enumerate(text):
            if char != " ":
                rows.put(x, y, char, "-down" if x <= last_loss else "-track")
    for x in range(bins * each):
        if shares[x] == 0:
            rows.put(x, height - 2, _GROUND[graph], "-down" if x <= last_loss else "-line")
    _name_values(rows, present, scale, edge, bins * each, graph)
    return tuple(rows.lines())


def _range(present: Sequence[float], border: float | None) -> Scale:
    lower, upper = present[len(present) // 4], present[(3 * len(present)) // 4]
    reach = FENCE * (upper - lower)
    low, high = present[0], present[-1]
    if reach > 0:
        low, high = max(low, lower - reach), min(high, upper + reach)
    marks = (low, high) if border is None else (low, high, border)
    return covering(marks) or Scale(low - 1, high + 1)


def _bin(value: float, scale: Scale, bins: int) -> int:
    return min(max(int((value - scale.low) / (scale.high - scale.low) * bins), 0), bins - 1)


def _name_values(
    rows: Rows, present: Sequence[float], scale: Scale, border: float | None, width: int, graph: Graph
) -> None:
    """The border, zero and both ends below the bars, in this order, where they have room."""
    left = ("<" if present[0] < scale.low else "") + signed_percent(scale.low)
    right = (">" if present[-1] > scale.high else "") + signed_percent(scale.high)
    wanted = [] if border is None else [(border, signed_percent(border), "-down")]
    if scale.low < 0 < scale.high:
        wanted.append((0.0, "0", "-muted"))
    wanted += [(scale.high, right, "-muted"), (scale.low, left, "-muted")]
    row = rows.height - 1
    for value, text, ink in wanted:
        text = words(text, graph)
        start = min(max(_bin(value, scale, width) - len(text) // 2, 0), max(width - len(text), 0))
        around = rows.chars[row][max(start - 1, 0) : start + len(text) + 1]
        if all(char == " " for char in around):
            rows.write(start, row, text, ink)
