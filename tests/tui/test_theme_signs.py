"""Color never says anything alone: two signal inks that some eye confuses differ in glyph, sign or word."""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tui.shown.deck import DeckView, LinkState
from tui.widgets.board import Board
from tui.widgets.charts.candles import candle_chart
from tui.widgets.charts.gauge import GaugeStep, drawdown_gauge, limit_bar
from tui.widgets.charts.graph import Graph
from tui.widgets.charts.levels import bracket_levels

WEAK = [("-up", "-danger"), ("-down", "-danger"), ("-down", "-attention"), ("-danger", "-attention")]
"""The pairs of tests/unit/tui/test_theme_table.py, under any theme. `-yours` is drawn as `-attention`."""
SAME = {"-yours": "-attention"}


def collect(lines: Any, into: dict[str, set[str]]) -> None:
    """The texts of each ink with their digits made equal: `+4.31` and `+9.36` are one shape."""
    for line in lines:
        for span in line:
            for ink in span.ink.split():
                into[SAME.get(ink, ink)].add(re.sub(r"\d+", "0", span.text.strip()))


@pytest.mark.parametrize("state", ["normal", "halted", "stale", "detached", "losing"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_weak_pairs_never_share_a_shape(
    state: str, size: tuple[int, int], view: DeckView, console: Callable[..., Any]
) -> None:
    header = view.header
    changed = {
        "normal": header,
        "halted": replace(header, engine_state="HALTED", engine_reason="by you (! !)"),
        "stale": replace(header, market=replace(header.market, stale="Alpaca stream silent 42 s")),
        "detached": replace(header, link=LinkState.LOST),
        "losing": replace(header, day_pnl=-header.day_pnl, day_pnl_ratio=-0.0031, drawdown_ratio=0.104),
    }
    app, _ = console(replace(view, header=changed[state]))
    found: dict[str, set[str]] = defaultdict(set)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for board in app.screen.query(Board):
            collect(board.lines, found)
    assert found["-attention"] or found["-danger"]
    for one, other in WEAK:
        assert not (found[one] & found[other]) - {""}, f"{one} and {other} differ in color alone"


@pytest.mark.parametrize("graph", list(Graph))
def test_charts_name_what_they_color(graph: Graph) -> None:
    """A step, a level and a bar at its limit each have a word or a shape of their own."""
    found: dict[str, set[str]] = defaultdict(set)
    steps = (GaugeStep(0.05, "L1", "sizes halved"), GaugeStep(0.15, "L3", "stop", "-danger"))
    names = drawdown_gauge(0.01, 0.02, steps, 80, 4, graph)[2]
    assert "5% L1" in "".join(span.text for span in names if span.ink == "-attention")
    assert "15% L3" in "".join(span.text for span in names if span.ink == "-danger")
    bars = [_Bar(8.0, 8.4, 7.9, 8.3), _Bar(8.3, 8.4, 7.9, 8.0)]
    lines = candle_chart(bars, 48, 16, levels=bracket_levels(7.7, 8.37, 8.87), graph=graph)
    collect(lines, found)
    assert "target +0.0%" in found["-up"]
    assert "stop -0.0%" in found["-down"]
    bodies = [{"█", "▀", "▄", "#"} & set("".join(found[ink])) for ink in ("-up", "-down")]
    assert bodies[0] == set()
    assert bodies[1]
    at_limit, below = ("".join(span.text for span in limit_bar(used, 3, 9, graph)) for used in (3, 2))
    assert at_limit != below
    assert len(set(at_limit)) == 1


class _Bar:
    def __init__(self, open: float, high: float, low: float, close: float) -> None:
        self.open, self.high, self.low, self.close = open, high, low, close
        self.volume, self.ts_open = 0.0, 0
