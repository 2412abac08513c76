"""The parts of the screen Gaps as pure functions: order lines, bars, days."""

from collections.abc import Callable
from dataclasses import replace

from tui.shown.deck import DeckView
from tui.shown.details import GapDetail
from tui.widgets.gapabout import order_line, reason_of
from tui.widgets.gapchart import candles, days_of, levels_of
from tui.widgets.ink import width_of
from tui.widgets.look import Look

DAY_US = 86_400_000_000


def test_an_order_loses_words_but_never_a_digit(gap_view: DeckView) -> None:
    look = Look(gap_view, gap_view.header.now_us)
    for row in gap_view.gaps[:4]:
        whole = {span.text.strip() for span in order_line(row, look, 200)}
        for width in range(10, 90):
            line = order_line(row, look, width)
            assert width_of(line) <= width
            numbers = {span.text.strip().lstrip("-") for span in line if any(map(str.isdigit, span.text))}
            assert numbers <= {text.lstrip("-") for text in whole}


def test_a_candidate_without_an_order_has_no_order_line(gap_view: DeckView) -> None:
    assert order_line(gap_view.gaps[-1], Look(gap_view, 0), 80) == ()


def test_every_state_says_why(gap_view: DeckView) -> None:
    look = Look(gap_view, gap_view.header.now_us)
    assert [reason_of(row, look) for row in gap_view.gaps[:5]] == [
        "6 of 6 agents approve, waits for you",
        "6 of 6 agents approve, waits for you",
        "entry filling 50%",
        "it may or may not be at the venue, never sent twice",
        "8-K 4.02",
    ]


def test_bars_without_a_volume_get_none(gap_detail: GapDetail) -> None:
    minutes, days = gap_detail.charts
    assert {bar.volume for bar in candles(minutes)} == {0.0}
    assert [bar.close for bar in candles(minutes)] == list(minutes.close)
    assert [bar.volume for bar in candles(days)] == list(days.volume)


def test_the_session_so_far_ends_the_daily_bars(gap_detail: GapDetail) -> None:
    minutes, days = gap_detail.charts
    found = days_of(gap_detail, days)
    assert len(found) == len(days.ts) + 1
    last = found[-1]
    assert last.ts_open == found[-2].ts_open + DAY_US
    assert (last.open, last.high, last.low, last.close) == (
        minutes.open[0],
        max(minutes.high),
        min(minutes.low),
        minutes.close[-1],
    )


def test_a_session_that_is_not_the_candidates_is_not_joined(gap_detail: GapDetail) -> None:
    days = gap_detail.charts[1]
    older = replace(gap_detail, decided_us=gap_detail.decided_us - DAY_US)
    assert len(days_of(older, days)) == len(days.ts)
    alone = replace(gap_detail, charts=(days,))
    assert len(days_of(alone, days)) == len(days.ts)


def test_levels_are_those_of_the_bracket_as_it_works(
    gap_view: DeckView, details: Callable[[DeckView], dict[tuple[object, str], GapDetail]]
) -> None:
    look = Look(gap_view, gap_view.header.now_us)
    known = {one.symbol: one for one in details(gap_view).values()}
    rows = {row.symbol: row for row in gap_view.gaps}
    assert [level.value for level in levels_of(rows["ORVX"], known["ORVX"], look)] == [8.87, 8.37, 7.70]
    assert [level.name for level in levels_of(rows["KYTE"], known["KYTE"], look)] == [
        "target",
        "entry",
        "stop",
    ]
    assert [level.value for level in levels_of(rows["KYTE"], known["KYTE"], look)] == [4.26, 4.02, 3.70]
    assert levels_of(rows["WXEL"], known["WXEL"], look) == ()
    closed = tuple(replace(bracket, phase="closed") for bracket in gap_view.brackets)
    assert levels_of(rows["KYTE"], known["KYTE"], Look(replace(gap_view, brackets=closed), 0)) == ()
