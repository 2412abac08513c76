"""What holds for every chart with any numbers at any size."""

import math
import subprocess
import sys
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.model.text import clean
from tui.widgets import ink
from tui.widgets.charts.axis import GAP
from tui.widgets.charts.candles import candle_chart
from tui.widgets.charts.gauge import GaugeStep, contribution_bar, drawdown_gauge, limit_bar
from tui.widgets.charts.graph import Graph
from tui.widgets.charts.histogram import histogram
from tui.widgets.charts.labels import (
    Labels,
    money_labels,
    number_labels,
    percent_labels,
    price_labels,
    token_labels,
)
from tui.widgets.charts.levels import Level
from tui.widgets.charts.line import line_chart
from tui.widgets.charts.series import drawdowns
from tui.widgets.charts.sparkline import part_bars, sparkline
from tui.widgets.charts.times import Mark
from tui.widgets.ink import INKS, Line, drawable, width_of

ANY = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-1e6, 1e6),
    st.sampled_from([0.00000812, -0.0, 0.0, 5e-324, 1e14, 8.37]),
)
SERIES = st.one_of(
    st.lists(ANY, max_size=60),
    st.lists(st.floats(1, 1.0001), min_size=1, max_size=300),
    st.lists(st.just(5.0)),
)
WIDTH = st.integers(-1, 70)
HEIGHT = st.integers(-1, 24)
GRAPH = st.sampled_from(list(Graph))
LABELS = st.sampled_from([price_labels, money_labels, token_labels, percent_labels, number_labels(" ms")])
NAMES = st.sampled_from(["", "stop", "entry limit", "[@click=app.halt()]x\x1b[2J", "市場"])
LEVELS = st.lists(st.builds(Level, st.floats(allow_nan=True), NAMES, NAMES), max_size=5)
MARKS = st.lists(st.builds(Mark, st.floats(0, 1), NAMES, st.booleans()), max_size=5)
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def check(lines: Sequence[Line], width: int, height: int, graph: Graph) -> None:
    """Exactly the asked size, allowed glyphs and inks only, ASCII where it is asked for."""
    assert len(lines) == (max(height, 0) if width > 0 else 0)
    for line in lines:
        assert width_of(line) == width
        for span in line:
            assert span.text
            assert drawable(span.text) == span.text
            assert set(span.ink.split()) <= INKS
            assert graph is not Graph.ASCII or span.text.isascii()
            assert not set(span.text) & set("▇")


@quick
@given(SERIES, WIDTH, HEIGHT, GRAPH, LABELS, LEVELS, MARKS, st.booleans())
def test_line_chart(
    values: list[float | None],
    width: int,
    height: int,
    graph: Graph,
    labels: Labels,
    levels: list[Level],
    marks: list[Mark],
    falls: bool,
) -> None:
    drawdown = drawdowns(values) if falls else ()
    lines = line_chart(
        values, width, height, labels=labels, levels=levels, marks=marks, drawdown=drawdown, graph=graph
    )
    check(lines, width, height, graph)


@quick
@given(st.lists(st.tuples(ANY, ANY, ANY, ANY, ANY), max_size=60), WIDTH, HEIGHT, GRAPH, LABELS, LEVELS)
def test_candle_chart(
    bars: list[tuple[float | None, ...]],
    width: int,
    height: int,
    graph: Graph,
    labels: Labels,
    levels: list[Level],
) -> None:
    found: list[Any] = []
    for at, prices in enumerate(bars):
        known = [math.nan if price is None else price for price in prices]
        found.append(
            SimpleNamespace(
                open=known[0],
                high=known[1],
                low=known[2],
                close=known[3],
                volume=known[4],
                ts_open=at * 10**11,
            )
        )
    check(candle_chart(found, width, height, levels=levels, labels=labels, graph=graph), width, height, graph)


@quick
@given(st.lists(ANY, max_size=300), WIDTH, HEIGHT, GRAPH, ANY)
def test_histogram(
    values: list[float | None], width: int, height: int, graph: Graph, border: float | None
) -> None:
    check(histogram(values, width, height, border=border, graph=graph), width, height, graph)


@quick
@given(ANY, ANY, st.lists(st.floats(0.001, 10), max_size=5), st.integers(-1, 130), HEIGHT, GRAPH, NAMES)
def test_gauge(
    now: float | None,
    worst: float | None,
    steps: list[float],
    width: int,
    height: int,
    graph: Graph,
    name: str,
) -> None:
    named = [GaugeStep(at, name, name) for at in sorted(steps)]
    check(drawdown_gauge(now, worst, named, width, height, graph), width, height, graph)


@quick
@given(SERIES, st.integers(-1, 40), GRAPH, st.floats(), st.floats(), st.floats())
def test_one_row_charts(
    values: list[float | None], width: int, graph: Graph, used: float, allowed: float, most: float
) -> None:
    height = 1 if width > 0 else 0
    for line in (
        sparkline(values, width, graph=graph),
        limit_bar(used, allowed, width, graph),
        contribution_bar(used, allowed, most, width, graph),
    ):
        check([line][:height], width, height, graph)
    assert width_of(part_bars(values, graph)) == len(values)


@quick
@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=400), st.integers(12, 70), st.integers(3, 24), GRAPH
)
def test_the_last_value_is_drawn(values: list[float], width: int, height: int, graph: Graph) -> None:
    lines = line_chart(values, width, height, graph=graph, ink="-up")
    row = [char for span in lines[0] for char in span.text]
    columns = [
        [char for span in line for char in (span.text if span.ink == "-up" else " " * len(span.text))]
        for line in lines
    ]
    drawn = [x for x in range(len(row)) if any(column[x] != " " for column in columns)]
    assert drawn
    # The plot ends with the column of the last value; what follows is the axis.
    axis = max((width_of(line[-1:]) + GAP for line in lines if line[-1].ink == "-muted"), default=0)
    assert drawn[-1] == width - axis - 1


@quick
@given(
    st.lists(st.floats(1, 2), min_size=2, max_size=4, unique=True), st.integers(40, 70), st.integers(6, 24)
)
def test_levels_stand_in_the_order_of_their_values(values: list[float], width: int, height: int) -> None:
    levels = [Level(value, ink="-down") for value in values]
    lines = line_chart([1.0, 2.0], width, height, levels=levels)
    shown = [
        float(line[-1].text) for line in lines if line[-1].ink == "-down" and line[-1].text.strip()[0] in "12"
    ]
    assert shown == sorted(shown, reverse=True)
    assert len(shown) == len(values)


def test_charts_need_no_textual() -> None:
    modules = ("line", "candles", "gauge", "histogram", "sparkline")
    code = f"import sys, {', '.join('tui.widgets.charts.' + name for name in modules)}\n"
    code += "sys.exit('textual' in sys.modules or 'rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("graph", list(Graph))
def test_the_plot_of_a_chart_is_not_cleaned_only_its_labels_are(
    graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cleaning foreign text is the dearest step of a line: what a chart draws itself needs none."""
    cleaned: list[str] = []

    def counted(text: str) -> str:
        cleaned.append(text)
        return clean(text)

    monkeypatch.setattr(ink, "clean", counted)
    values = [math.sin(at / 9) + at / 300 for at in range(1000)]
    lines = line_chart(values, 120, 30, graph=graph)
    assert sum(map(width_of, lines)) == 120 * 30
    assert sum(map(len, cleaned)) < 120
