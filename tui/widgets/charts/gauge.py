"""How much of a limit is used: the drawdown gauge with its steps, and thin bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from tui.format import percent
from tui.widgets.charts.graph import Graph, blank, drawn, notice, words
from tui.widgets.charts.rows import Rows
from tui.widgets.ink import EMPTY, Line, cut_text

HEADROOM = 1.2
"""The gauge ends this much above its last step."""
SMALLEST = 24
"""Columns below which the gauge is one line of text."""
_EIGHTHS = {Graph.BRAILLE: " ▏▎▍▌▋▊▉", Graph.BLOCK: "    ▌▌▌▌", Graph.ASCII: "    ####"}
_FULL = {Graph.BRAILLE: "█", Graph.BLOCK: "█", Graph.ASCII: "#"}
_TRACK = {Graph.BRAILLE: "░", Graph.BLOCK: "░", Graph.ASCII: "."}
_STEP = {Graph.BRAILLE: "┃", Graph.BLOCK: "│", Graph.ASCII: "|"}
_THIN = {Graph.BRAILLE: ("━", "╸", "─"), Graph.BLOCK: ("═", "═", "─"), Graph.ASCII: ("=", "=", "-")}
"""Used, half a cell used, free."""


@dataclass(frozen=True, slots=True)
class GaugeStep:
    """A step of a limit: from `at` (a ratio) on, `effect` holds."""

    at: float
    name: str
    effect: str
    ink: str = "-attention"


def drawdown_gauge(
    now: float | None,
    worst: float | None,
    steps: Sequence[GaugeStep],
    width: int,
    height: int = 4,
    graph: Graph = Graph.BRAILLE,
) -> tuple[Line, ...]:
    """`height` lines of exactly `width` cells: marks of now and worst, the bar, the steps and what they do.

    `now` and `worst` are ratios from 0 up. Effects leave first, then the marks, then the steps' names.
    """
    if not steps or now is None or not isfinite(now):
        return notice("No drawdown known yet", width, height, graph)
    end = max(step.at for step in steps)
    if width < SMALLEST or height < 1 or end <= 0:
        return notice(f"{percent(now)} of {_short(end)}", width, height, graph, "-strong")
    full = end * HEADROOM
    places = [_column(step.at, full, width) for step in steps]
    lines = [_bar(now, full, steps, places, width, graph)]
    if height >= 2:
        lines.append(_step_names(steps, places, width, graph))
    if height >= 3:
        lines.insert(0, _marks(now, worst, full, width, graph))
    if height >= 4:
        lines.append(_effects(steps, places, width, graph))
    return (*lines, *(blank(width) for _ in range(height - len(lines))))


def _column(ratio: float, full: float, width: int) -> int:
    return min(int(min(max(ratio / full, 0.0), 1.0) * width), width - 1)


def _short(ratio: float) -> str:
    return f"{ratio * 100:g}%"


def _bar(
    now: float, full: float, steps: Sequence[GaugeStep], places: Sequence[int], width: int, graph: Graph
) -> Line:
    rows = Rows(width, 1)
    reached = [step for step in steps if now >= step.at]
    ink = reached[-1].ink if reached else "-accent"
    eighths = round(min(max(now / full, 0.0), 1.0) * width * 8)
    whole, part = divmod(eighths, 8)
    used = _FULL[graph] * whole + (_EIGHTHS[graph][part] if part else "")
    rows.write(0, 0, used, ink)
    rows.dash(0, _TRACK[graph], "-track")
    for step, at in zip(steps, places, strict=True):
        rows.put(at, 0, _STEP[graph], step.ink)
    return rows.lines()[0]


def _marks(now: float, worst: float | None, full: float, width: int, graph: Graph) -> Line:
    """`▼ 1.2% now` and `▼ worst 4.7%` over their places; one text for both where they would touch."""
    rows = Rows(width, 1)
    arrow = words("▼", graph)
    here = _column(now, full, width)
    if worst is not None and percent(max(now, worst)) == percent(0.0):
        _mark(rows, here, arrow, "at the high", "-strong")
        return rows.lines()[0]
    now_text = f"{percent(now)} now"
    if worst is None or not isfinite(worst) or now <= 0 >= worst:
        _mark(rows, here, arrow, now_text, "-strong")
        return rows.lines()[0]
    there = _column(worst, full, width)
    worst_text = f"worst {percent(worst)}"
    stands_right = there - here > len(now_text) + 2
    if stands_right or there > here > len(now_text):
        _mark(rows, there, arrow, worst_text, "-muted")
        start = here if stands_right else here - len(now_text) - 1
        rows.write(start, 0, f"{arrow} {now_text}" if stands_right else f"{now_text} {arrow}", "-strong")
    else:
        both = f"{now_text}, the worst yet" if now >= worst else f"{now_text}, {worst_text}"
        _mark(rows, here, arrow, both, "-strong")
    return rows.lines()[0]


def _mark(rows: Rows, at: int, arrow: str, text: str, ink: str) -> None:
    """An arrow with its text on the right, or on the left where the right has no room."""
    if at + len(text) + 2 <= rows.width:
        rows.write(at, 0, f"{arrow} {text}", ink)
    else:
        start = max(at - len(text) - 1, 0)
        rows.write(start, 0, f"{text} {arrow}", ink)


def _step_names(steps: Sequence[GaugeStep], places: Sequence[int], width: int, graph: Graph) -> Line:
    rows = Rows(width, 1)
    rows.write(0, 0, "0%", "-muted")
    for at, step, room in _slots(steps, places, width):
        texts = (f"{_short(step.at)} {words(step.name, graph)}", _short(step.at))
        rows.write(at, 0, next((text for text in texts if len(text) <= room), ""), step.ink)
    return rows.lines()[0]


def _effects(steps: Sequence[GaugeStep], places: Sequence[int], width: int, graph: Graph) -> Line:
    rows = Rows(width, 1)
    for at, step, room in _slots(steps, places, width):
        rows.write(at, 0, words(cut_text(step.effect, room), graph), "-muted")
    return rows.lines()[0]


def _slots(steps: Sequence[GaugeStep], places: Sequence[int], width: int) -> list[tuple[int, GaugeStep, int]]:
    """Where the text of each step begins, and how many columns it has up to the next one."""
    ends = [*(at - 1 for at in places[1:]), width]
    return [(at, step, max(end - at, 0)) for at, step, end in zip(places, steps, ends, strict=True)]


def limit_bar(used: float, allowed: float, width: int, graph: Graph = Graph.BRAILLE) -> Line:
    """`━━╸──`: the share of a limit that is used, danger when nothing is left; NaN leaves the track."""
    share = (1.0 if used > 0 else 0.0) if allowed <= 0 else used / allowed
    return thin_bar(share, width, "-danger" if share >= 1 else "-accent", graph)


def contribution_bar(
    value: float, weight: float, heaviest: float, width: int, graph: Graph = Graph.BRAILLE
) -> Line:
    """A track as long as `weight` (`heaviest` takes all of `width`) filled as far as `value`; then blanks."""
    share = weight / heaviest if heaviest > 0 else 0.0
    track = round(min(max(share, 0.0), 1.0) * width) if isfinite(share) else 0
    bar = thin_bar(value / weight if weight > 0 else 0.0, track, "-accent", graph)
    return (*bar, *blank(width - track))


def thin_bar(share: float, width: int, ink: str, graph: Graph = Graph.BRAILLE) -> Line:
    """`share` (0..1) of `width` columns in half cells."""
    if width <= 0:
        return EMPTY
    used, half, free = _THIN[graph]
    halves = round(min(max(share, 0.0), 1.0) * width * 2) if share == share else 0
    whole, part = divmod(halves, 2)
    done = used * whole + half * part
    return tuple(span for span in (drawn(done, ink), drawn(free * (width - len(done)), "-line")) if span.text)
