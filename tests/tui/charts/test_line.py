"""The line chart: curve, gaps, axis, levels, drawdown, times."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tui.format import US_PER_DAY
from tui.widgets.charts.axis import GAP, most_labels
from tui.widgets.charts.braille import curve, places_of
from tui.widgets.charts.graph import Graph
from tui.widgets.charts.labels import money_labels, number_labels, percent_labels, price_labels, token_labels
from tui.widgets.charts.levels import Level
from tui.widgets.charts.line import line_chart
from tui.widgets.charts.scale import Scale, axis, round_values
from tui.widgets.charts.series import drawdowns, sampled
from tui.widgets.charts.times import Mark, time_marks, time_row
from tui.widgets.ink import Line

Text = Callable[[Sequence[Line]], list[str]]
START = 1_724_284_800_000_000


@pytest.mark.parametrize("graph", list(Graph))
@pytest.mark.parametrize("size", [(114, 15), (76, 9), (49, 18)])
def test_equity_with_its_drawdown(
    equity: list[float], graph: Graph, size: tuple[int, int], golden: Any
) -> None:
    lines = line_chart(
        equity,
        *size,
        labels=money_labels,
        drawdown=drawdowns(equity),
        marks=time_marks(START, START + 90 * US_PER_DAY, last="today"),
        graph=graph,
    )
    golden(f"equity-{graph}-{size[0]}x{size[1]}", lines)


@pytest.mark.parametrize("graph", list(Graph))
def test_token_price(equity: list[float], graph: Graph, golden: Any) -> None:
    prices = [value * 3.2e-9 for value in equity]
    lines = line_chart(
        prices, 53, 16, labels=token_labels, marks=time_marks(START, START + US_PER_DAY), graph=graph
    )
    golden(f"token-{graph}", lines)


def test_a_straight_line_rises_by_a_dot_a_column(text: Text) -> None:
    assert text(line_chart([1, 8], 4, 2)) == ["  ⡠⠊", "⡠⠊  "]


def test_a_gap_in_the_data_is_a_gap_in_the_line(text: Text) -> None:
    whole = text(line_chart([5.0] * 9, 60, 5))
    broken = text(line_chart([5.0] * 4 + [None] + [5.0] * 4, 60, 5))
    row = next(
        at for at, line in enumerate(broken) if "⠤" in line or "⠒" in line or "⠉" in line or "⣀" in line
    )
    curve = [char for char in broken[row] if 0x2800 < ord(char) < 0x2900]
    unbroken = [char for char in whole[row] if 0x2800 < ord(char) < 0x2900]
    assert 0 < len(curve) < len(unbroken) - 8


def test_many_values_keep_their_highest_and_lowest(text: Text) -> None:
    values = [10.0] * 5000
    values[2500], values[3300] = 20.0, 1.0
    drawn = text(line_chart(values, 60, 12))
    assert any(0x2800 < ord(char) < 0x2900 for char in drawn[0])
    assert any(0x2800 < ord(char) < 0x2900 for char in drawn[-1])


@pytest.mark.parametrize(
    ("dots", "columns"),
    [
        ([7, 7, None, 0], [(7, 7), (7, 7), None, (0, 0)]),
        ([7, 7, 7, 7, 7, None, 0, 0, 0, 0, 0, 0], [(7, 7), (7, 7), (0, 0), (0, 0)]),
        ([7, 7, 7, 7, 7, 7, None, 0, 0, 0, 0, 0], [(7, 7), (7, 7), (0, 0), (0, 0)]),
        ([7, 7, 7, 7, 7, 7, 0, 0, 0, 0, 0, 0], [(7, 7), (7, 7), (0, 6), (0, 0)]),
        ([0, None, None, None], [(0, 0), None, None, None]),
        ([0, 6], [(0, 0), (1, 2), (3, 4), (5, 6)]),
    ],
)
def test_no_line_is_drawn_across_a_gap(dots: list[int | None], columns: list[Any]) -> None:
    assert curve(*places_of(dots, 4)) == columns


def test_a_gap_among_many_values_breaks_the_line(text: Text) -> None:
    values: list[float | None] = [10.0] * 1000
    values[400:600] = [None] * 200
    drawn = text(line_chart(values, 60, 6, low=0, high=20))
    curve = max(drawn, key=lambda line: sum(0x2800 < ord(char) < 0x2900 for char in line))
    width = sum(0x2800 < ord(char) < 0x2900 for char in curve)
    assert 40 <= width <= 48


def test_levels_are_named_on_the_plot_and_on_the_axis(text: Text) -> None:
    levels = (Level(8.0, "stop", "-4.0%", "-down"), Level(9.0, "target", "+8.0%", "-up"))
    drawn = text(line_chart([8.3, 8.4, 8.35], 50, 12, levels=levels))
    lines = [line for line in drawn if "╌╌╌" in line]
    assert [line.split()[-1] for line in lines] == ["9.00", "8.00"]
    assert any("target +8.0%" in line for line in drawn)
    assert any("stop -4.0%" in line for line in drawn)


def test_a_level_far_away_is_named_at_the_edge_and_leaves_the_curve_its_height(text: Text) -> None:
    drawn = text(line_chart([1.0, 1.1, 1.2], 50, 8, levels=(Level(40.0, "target"), Level(1.0, "stop"))))
    assert drawn[0].endswith("↑ 40.00")
    assert 0x2800 < ord(drawn[0][50 - 7 - GAP - 1]) < 0x2900
    below = text(line_chart([1.0, 1.1, 1.2], 50, 8, levels=(Level(0.01, "stop"),), graph=Graph.ASCII))
    assert below[-1].endswith("v 0.01")


def test_two_levels_in_one_row_keep_both_values(text: Text) -> None:
    levels = (Level(8.00), Level(8.001), Level(9.0))
    drawn = text(line_chart([8.0, 9.0], 40, 6, levels=levels))
    values = [float(line.split()[-1]) for line in drawn if line.split()[-1].startswith(("8", "9"))]
    assert values == sorted(values, reverse=True)
    assert len(values) == 3


@pytest.mark.parametrize("empty", [[], [None], [math.nan, math.inf, -math.inf, 1e16]])
def test_without_values_there_is_one_line_of_words(empty: list[float | None], text: Text) -> None:
    drawn = text(line_chart(empty, 30, 4, empty="First scan at 09:45 ET"))
    assert [line.strip() for line in drawn] == ["First scan at 09:45 ET", "", "", ""]


def test_too_small_for_a_plot_shows_the_last_value(text: Text) -> None:
    assert text(line_chart([1.0, 8.36], 20, 1)) == ["8.36".ljust(20)]
    assert text(line_chart([1.0, 8.36], 3, 2)) == ["8.…", "   "]
    assert line_chart([1.0], 0, 5) == ()
    assert line_chart([1.0], 5, 0) == ()


def test_negative_equity_is_drawn(text: Text) -> None:
    values = [100.0, -50.0, -80.0]
    drawn = text(line_chart(values, 60, 12, labels=money_labels, drawdown=drawdowns(values)))
    assert any(line.endswith("-50") for line in drawn)
    assert any(line.endswith("-180.0%") for line in drawn)


def test_drawdowns_hang_from_the_highest_value_until_then() -> None:
    assert drawdowns([100, 90, None, 120, 60]) == pytest.approx([0, -0.1, math.nan, 0, -0.5], nan_ok=True)
    assert all(math.isnan(fall) for fall in drawdowns([-5, -6, 0]))


def test_a_record_becomes_even_values_with_gaps() -> None:
    points = [(0, 1.0), (10, 2.0), (50, 3.0)]
    assert sampled(points, 0, 60, 7, 15) == pytest.approx([1, 2, 2, math.nan, math.nan, 3, 3], nan_ok=True)
    assert sampled([], 0, 60, 2, 15) == pytest.approx([math.nan, math.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (24_623, 27_964, (25_000, 26_000, 27_000)),
        (0, 27, (0, 10, 20)),
        (7.7, 8.87, (8.0, 8.5)),
        (-0.02, 0.017, (-0.02, -0.01, 0.0, 0.01)),
        (6.996e-5, 8.502e-5, (7e-5, 7.5e-5, 8e-5, 8.5e-5)),
    ],
)
def test_axis_values_are_round(low: float, high: float, expected: tuple[float, ...]) -> None:
    assert round_values(low, high, 4) == pytest.approx(expected)


@pytest.mark.parametrize("most", [1, 2, 3, 4])
@pytest.mark.parametrize("high", [1.0001, 1.3, 1.9, 2.7, 4.1, 7.77, 9.99])
def test_an_axis_has_three_or_four_labels_where_it_has_room(most: int, high: float) -> None:
    scale, values = axis(Scale(1.0, high), most)
    assert min(most, 3) - (most < 3) <= len(values) <= most
    assert scale.low <= 1.0 <= high <= scale.high
    assert all(scale.low <= value <= scale.high for value in values)


def test_low_plots_have_fewer_labels() -> None:
    assert [most_labels(rows) for rows in (1, 2, 3, 5, 10, 50)] == [1, 1, 2, 3, 4, 4]


@pytest.mark.parametrize(
    ("labels", "values", "expected"),
    [
        (price_labels, (8.37, 8.87), ("8.37", "8.87")),
        (price_labels, (0.882, 0.9), ("0.8820", "0.9000")),
        (price_labels, (8.0, 8.005), ("8.000", "8.005")),
        (money_labels, (25_000.0, 26_000.0), ("25,000", "26,000")),
        (money_labels, (25_000.5, 25_001.0), ("25,000.50", "25,001.00")),
        (money_labels, (1e7, 2e7), ("10.0M", "20.0M")),
        (money_labels, (10_000_001.0, 10_000_002.0), ("10,000,001", "10,000,002")),
        (token_labels, (8.12e-6, 9e-6), ("0.0₅812", "0.0₅900")),
        (token_labels, (9e-5, 1e-4), ("0.0₄90", "0.0₃10")),
        (token_labels, (0.0009, 0.0011), ("0.0009", "0.0011")),
        (token_labels, (0.0,), ("0.00",)),
        (percent_labels, (-0.05, 0.0), ("-5%", "0%")),
        (percent_labels, (-0.047, 0.0), ("-4.7%", "0.0%")),
        (number_labels(" ms"), (0.0, 27.0), ("0 ms", "27 ms")),
        (number_labels(), (0.0, 0.25), ("0.00", "0.25")),
        (price_labels, (-0.001, 0.001), ("-0.0010", "0.0010")),
        (price_labels, (), ()),
        (token_labels, (), ()),
    ],
)
def test_labels(labels: Any, values: tuple[float, ...], expected: tuple[str, ...]) -> None:
    assert labels(values, False) == expected


def test_plain_token_labels_are_written_out() -> None:
    assert token_labels((8.12e-6, 9e-6), True) == ("0.00000812", "0.00000900")


def test_time_texts_leave_rather_than_overlap(text: Text) -> None:
    marks = (Mark(0.0, "Thu 14:00"), Mark(0.38, "Fri 09:30", divides=True), Mark(1.0, "10:30"))
    assert text([time_row(marks, 41, 43, Graph.BRAILLE)]) == [
        "Thu 14:00      │Fri 09:30             10:30"[:43]
    ]
    assert text([time_row(marks, 21, 21, Graph.BRAILLE)]) == ["Thu     │Fri 09:30   "]
    assert text([time_row(marks, 3, 3, Graph.ASCII)]) == [" | "]


def test_days_and_hours_name_times() -> None:
    assert [mark.text for mark in time_marks(START, START + 90 * US_PER_DAY, last="today")] == [
        "Aug 22",
        "Sep 21",
        "Oct 21",
        "today",
    ]
    assert [mark.text for mark in time_marks(START, START + US_PER_DAY)][:2] == ["00:00Z", "08:00Z"]
