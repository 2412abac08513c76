"""Gauge, bars, histogram and sparkline."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tui.widgets.charts.gauge import contribution_bar, drawdown_gauge, limit_bar
from tui.widgets.charts.graph import Graph
from tui.widgets.charts.histogram import histogram
from tui.widgets.charts.sparkline import part_bars, sparkline
from tui.widgets.ink import Line

Text = Callable[[Sequence[Line]], list[str]]


@pytest.mark.parametrize("graph", list(Graph))
@pytest.mark.parametrize("width", [114, 76, 30])
def test_gauge_with_its_steps(steps: Any, width: int, graph: Graph, golden: Any) -> None:
    golden(f"gauge-{graph}-{width}", drawdown_gauge(0.012, 0.047, steps, width, 4, graph))


@pytest.mark.parametrize(
    ("now", "worst", "words"),
    [
        (0.012, 0.047, ["▼ 1.2% now", "▼ worst 4.7%"]),
        (0.045, 0.047, ["4.5% now ▼▼ worst 4.7%"]),
        (0.004, 0.006, ["▼ 0.4% now, worst 0.6%"]),
        (0.06, 0.06, ["▼ 6.0% now, the worst yet"]),
        (0.0, 0.0, ["▼ at the high"]),
        (0.0002, 0.0003, ["▼ at the high"]),
        (0.0, 0.047, ["▼ 0.0% now", "▼ worst 4.7%"]),
        (0.2, 0.21, ["20.0% now, worst 21.0% ▼"]),
        (0.012, None, ["▼ 1.2% now"]),
        (0.012, math.nan, ["▼ 1.2% now"]),
        (-0.01, 0.03, ["▼ -1.0% now", "▼ worst 3.0%"]),
    ],
)
def test_marks_never_cover_each_other(
    now: float, worst: float | None, words: list[str], steps: Any, text: Text
) -> None:
    marks = text(drawdown_gauge(now, worst, steps, 114))[0]
    assert [part.strip() for part in marks.split("  ") if part.strip()] == words


@pytest.mark.parametrize(
    ("now", "ink"), [(0.012, "-accent"), (0.05, "-attention"), (0.12, "-attention"), (0.151, "-danger")]
)
def test_the_bar_takes_the_ink_of_the_step_it_reached(now: float, ink: str, steps: Any) -> None:
    bar = drawdown_gauge(now, now, steps, 114)[1]
    assert bar[0].ink == ink


def test_a_low_gauge_keeps_the_bar_then_the_steps(steps: Any, text: Text) -> None:
    assert "█" in text(drawdown_gauge(0.05, 0.05, steps, 60, 1))[0]
    assert "5% L1" in text(drawdown_gauge(0.05, 0.05, steps, 60, 2))[1]
    assert "now" in text(drawdown_gauge(0.05, 0.05, steps, 60, 3))[0]
    assert text(drawdown_gauge(0.012, 0.05, steps, 20, 4))[0].strip() == "1.2% of 15%"
    assert text(drawdown_gauge(None, None, steps, 60, 1))[0].strip() == "No drawdown known yet"


@pytest.mark.parametrize(
    ("used", "allowed", "expected", "ink"),
    [
        (3, 8, "━━━━━━──────────", "-accent"),
        (1.4, 5.0, "━━━━╸───────────", "-accent"),
        (3, 3, "━" * 16, "-danger"),
        (1, 0, "━" * 16, "-danger"),
        (0, 0, "─" * 16, "-line"),
        (math.nan, 3, "─" * 16, "-line"),
        (9, 3, "━" * 16, "-danger"),
    ],
)
def test_limit_bars(used: float, allowed: float, expected: str, ink: str, text: Text) -> None:
    line = limit_bar(used, allowed, 16)
    assert text([line]) == [expected]
    assert line[0].ink == ink


def test_contribution_bars_are_as_long_as_their_weight(text: Text) -> None:
    assert text([contribution_bar(17.6, 20, 20, 23)]) == ["━━━━━━━━━━━━━━━━━━━━───"]
    assert text([contribution_bar(5, 8, 20, 23)]) == ["━━━━━╸───".ljust(23)]
    assert text([contribution_bar(5, 8, 20, 23, Graph.ASCII)]) == ["======---".ljust(23)]


@pytest.mark.parametrize("graph", list(Graph))
@pytest.mark.parametrize("size", [(45, 9), (26, 6)])
def test_distribution_of_returns(
    returns: list[float], size: tuple[int, int], graph: Graph, golden: Any
) -> None:
    golden(f"returns-{graph}-{size[0]}x{size[1]}", histogram(returns, *size, border=-0.014, graph=graph))


def test_every_value_is_counted_and_losses_beyond_the_border_are_marked(returns: list[float]) -> None:
    lines = histogram(returns, 45, 9, border=-0.014)
    down = [char for line in lines[:-1] for span in line if span.ink == "-down" for char in span.text]
    assert down
    inks = [ink for span in lines[-2] for ink in [span.ink] * len(span.text)]
    assert inks.index("-down") < inks.index("-track")


def test_only_gains_need_no_zero_below_them(text: Text) -> None:
    bottom = text(histogram([0.01, 0.02, 0.03, 0.04, 0.05, 0.06], 40, 4))[-1]
    assert bottom.split() == ["+1.0%", "+6.0%"]


def test_too_few_values_are_no_distribution(text: Text) -> None:
    assert text(histogram([0.1, None, 0.2], 30, 3, border=-0.1))[0].strip() == "Too few values: 2 of 5"
    assert text(histogram([0.01] * 9, 30, 1, border=-0.014))[0].strip() == "-1.4%"


def test_sparkline_ends_with_the_newest_value(text: Text) -> None:
    assert text([sparkline([1, 2, 3, 4, 5, 6], 8)]) == ["  ▁▂▃▄▅▆"]
    assert text([sparkline([1, None, 3], 3)]) == ["▁ ▆"]
    assert text([sparkline([5, 5, 5], 3)]) == ["▃▃▃"]
    assert text([sparkline([None], 3)]) == ["–  "]
    assert sparkline([1], 0) == ()
    assert text([sparkline(list(range(100)), 6)]) == ["▂▃▃▄▅▆"]
    assert text([sparkline([1, 2, 3, 4], 4, graph=Graph.ASCII)]) == ["_.-'"]


def test_parts_are_bright_from_point_six(text: Text) -> None:
    line = part_bars([0.88, 0.81, 1, 0.6, None, 0.59, 0.1, 0])
    assert text([line]) == ["▆▅▆▄·▄▁▁"]
    assert [span.ink for span in line] == ["-strong", "-muted"]
    assert len(line[0].text) == 4
    assert text([part_bars([0.88, 1, None, 0], Graph.ASCII)]) == ["89.0"]
