"""Price bars: each half of a cell, levels, volume, sessions."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any

import pytest

from tui.widgets.charts.candles import candle_chart
from tui.widgets.charts.graph import Graph
from tui.widgets.charts.levels import Level, bracket_levels
from tui.widgets.ink import Line

Text = Callable[[Sequence[Line]], list[str]]
BRACKET = bracket_levels(Decimal("7.70"), Decimal("8.37"), Decimal("8.87"))


@pytest.mark.parametrize("graph", list(Graph))
@pytest.mark.parametrize("size", [(51, 34), (27, 20), (41, 21)])
def test_a_gap_day_with_its_bracket(bars: Any, graph: Graph, size: tuple[int, int], golden: Any) -> None:
    golden(f"bars-{graph}-{size[0]}x{size[1]}", candle_chart(bars, *size, levels=BRACKET, graph=graph))


@pytest.mark.parametrize("graph", list(Graph))
def test_bars_without_a_bracket_have_round_values(bars: Any, graph: Graph, golden: Any) -> None:
    golden(f"bars-free-{graph}", candle_chart(bars[8:], 44, 14, graph=graph))


@pytest.mark.parametrize(
    ("prices", "column"),
    [
        # Four rows are eight halves: 8 is the upper half of the first row, 1 the lower half of the last.
        # A falling body gives way by half a cell where its wick would stand apart from it.
        ((1, 8, 1, 8), "┃┃┃┃"),
        ((8, 8, 1, 1), "████"),
        ((4, 8, 1, 5), "│╽╿│"),
        ((5, 8, 1, 3), "││█│"),
        ((3, 8, 1, 6), "│┃┃│"),
        ((2, 7, 2, 7), "╻┃┃╹"),
        ((7, 7, 2, 2), "▄██▀"),
        ((4, 7, 2, 4), "╷│╿╵"),
        ((6, 7, 2, 4), "╷█│╵"),
        ((4.9, 8, 1, 4.8), "│█││"),
    ],
)
def test_halves_of_cells(prices: tuple[float, ...], column: str, make_bar: Any, text: Text) -> None:
    high, low = make_bar(8, 8, 8, 8), make_bar(1, 1, 1, 1)
    drawn = text(candle_chart([high, low, make_bar(*prices)], 7, 4))
    found = "".join(line[2] for line in drawn)
    assert found == column


def test_direction_needs_no_color(make_bar: Any, text: Text) -> None:
    """Rising and falling bodies differ in their glyphs in every graph."""
    for graph in Graph:
        rising = set("".join(text(candle_chart([make_bar(1, 9, 0.5, 8)], 40, 8, graph=graph))))
        falling = set("".join(text(candle_chart([make_bar(8, 9, 0.5, 1)], 40, 8, graph=graph))))
        assert rising - falling
        assert falling - rising


def test_the_newest_bars_are_drawn_two_columns_each_and_one_in_a_narrow_plot(
    make_bar: Any, text: Text
) -> None:
    bars = [make_bar(1, 2, 1, 2) for _ in range(100)]
    wide = text(candle_chart(bars, 60, 8))
    narrow = text(candle_chart(bars, 34, 8))
    assert "┃ ┃ ┃" in wide[3]
    assert "┃┃┃" in narrow[3]


def test_a_bar_with_a_missing_price_is_a_gap(make_bar: Any, text: Text) -> None:
    bars = [make_bar(1, 2, 1, 2), make_bar(math.nan, 2, 1, 2), make_bar(1, 2, 1, 2)]
    drawn = text(candle_chart(bars, 40, 4))
    assert drawn[1].startswith("┃   ┃")


def test_volume_stands_below_and_a_quiet_bar_still_shows(make_bar: Any, text: Text) -> None:
    bars = [make_bar(1, 2, 1, 2, volume) for volume in (1000, 1, 0, math.nan, 500)]
    drawn = text(candle_chart(bars, 40, 9))
    row = drawn[-2]
    assert row[:9] == "▆ ▁     ▃"
    assert row.endswith("vol")


def test_part_bars_never_fill_the_uppermost_cell(bars: Any, text: Text) -> None:
    """The row above a full bar would merge with it."""
    drawn = text(candle_chart(bars, 51, 34, levels=BRACKET))
    assert "█" not in drawn[-3]
    assert "█" in drawn[-2]
    assert not set("".join(drawn)) & set("▇")


def test_sessions_follow_the_zone(bars: Any, text: Text) -> None:
    assert "Thu 14:00       │Fri 09:30" in text(candle_chart(bars, 51, 20))[-1]
    assert "Thu 19:00       │Fri 14:30" in text(candle_chart(bars, 51, 20, zone=UTC))[-1]


def test_bracket_levels_stand_in_order(bars: Any, text: Text) -> None:
    drawn = text(candle_chart(bars, 51, 34, levels=tuple(reversed(BRACKET))))
    values = [line.split()[-1] for line in drawn if "╌╌╌" in line]
    assert values == ["8.87", "8.37", "7.70"]


def test_names_of_levels_never_cover_a_bar(make_bar: Any, text: Text) -> None:
    bars = [make_bar(5, 9, 1, 8) for _ in range(40)]
    drawn = text(candle_chart(bars, 40, 10, levels=(Level(5.0, "entry limit"),)))
    assert not any("entry" in line for line in drawn)
    assert any(line.endswith("5.00") for line in drawn)


def test_nothing_to_draw_and_no_room(make_bar: Any, text: Text) -> None:
    assert text(candle_chart([], 20, 2)) == ["No bars yet         ", " " * 20]
    assert text(candle_chart([make_bar(1, 2, 1, 2)], 8, 1)) == ["2.00    "]
    assert candle_chart([], 0, 0) == ()


def test_bracket_levels_name_what_is_there() -> None:
    assert [level.texts[0] for level in BRACKET] == ["target +6.0%", "entry limit", "stop -8.0%"]
    assert [level.texts for level in bracket_levels(7.7, None, None)] == [("stop",)]
    assert bracket_levels(None, None, None) == ()
