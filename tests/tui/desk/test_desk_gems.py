"""Tokens on the Desk: `enter` and `w`; and what a wide terminal shows in the middle."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.model.tokens import TokenId
from tui.actions import Place
from tui.app import ConsoleApp
from tui.screens.desk import DeskScreen
from tui.screens.gems import GemsScreen
from tui.screens.sheet import Sheet
from tui.shown.deck import DeckView
from tui.shown.details import ChartBars, EquityDetail, GemDetail, SafetyRow, ScorePart, Topic
from tui.shown.gems import GemKind, GemRow, GemsView, SafetyWord

Dump = Callable[[ConsoleApp], str]
Build = Callable[..., tuple[ConsoleApp, Any]]
S = 1_000_000


def token(number: int, symbol: str, kind: GemKind, words: str, now_us: int) -> GemRow:
    return GemRow(
        id=TokenId(f"sol:{symbol.lower()}{number}"),
        symbol=symbol,
        chain="sol",
        score=80.0 - number,
        score_max=85.0,
        confidence=90.0,
        change_24h_ratio=0.142,
        parts=(0.8, 0.7, None, 0.6, 0.5, 0.9, 0.4, 0.3),
        safety=SafetyWord.PASS,
        price_usd=0.00008127,
        liquidity_usd=2.41e6,
        volume_24h_usd=8e5,
        age_us=41 * 86_400 * S,
        seen_us=now_us,
        kind=kind,
        words=words,
    )


@pytest.fixture
def gem_view(view: DeckView) -> DeckView:
    now_us = view.header.now_us
    rows = (
        token(1, "PLINTH", GemKind.FLAGGED, "flagged", now_us),
        token(2, "SORREL", GemKind.PASSIVE, "2/3 signals", now_us),
        token(3, "DUSKY", GemKind.BLOCKED, "freezable", now_us),
    )
    return replace(view, gems=GemsView(rows, 1, 0, 1, 1204, now_us - 180 * S, ""))


def detail_of(row: GemRow) -> GemDetail:
    return GemDetail(
        id=row.id,
        symbol=row.symbol,
        name=row.symbol.title(),
        chain="solana",
        address="7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU",
        quote_symbol="SOL",
        score=row.score,
        score_max=row.score_max,
        change_6h=1.5,
        confidence=row.confidence,
        signals=2,
        safety="pass",
        safety_score=0.8,
        contributions=(
            ScorePart("liquidity", 0.6, 6.0, 10.0, ""),
            ScorePart("on-chain", None, 0.0, 15.0, "no source"),
        ),
        gates=(SafetyRow("freeze", "pass", "not freezable", "no authority", "goplus", row.seen_us),),
        deductions=(),
        holders=(),
        holder_count=None,
        pools=(),
        missing=("holders: source down",),
        price_usd=row.price_usd,
        change_24h_pct=14.2,
        chart=ChartBars("5m", *((tuple(float(at) for at in range(1, 60)),) * 5), ()),
        flagged_us=None,
        since_flag_ratio=None,
        seen_us=row.seen_us,
    )


@pytest.fixture
def desk(console: Build) -> Callable[[DeckView], tuple[ConsoleApp, Any]]:
    def build(view: DeckView) -> tuple[ConsoleApp, Any]:
        app, link = console(view)
        link.details = {(Topic.GEM, row.id): detail_of(row) for row in view.gems.rows}
        hours = tuple(view.header.now_us - at * 3600 * S for at in range(24, 0, -1))
        values = tuple(10_000.0 + 7 * (at % 5) for at in range(24))
        link.details[(Topic.EQUITY, "30d")] = EquityDetail("30d", hours, values, (0.0,) * 24)
        return app, link

    return build


async def press(pilot: Any, *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        for _ in range(4):
            await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_enter_on_a_gem_opens_it_on_its_screen(
    size: tuple[int, int], gem_view: DeckView, desk: Build, dump: Dump
) -> None:
    app, _ = desk(gem_view)
    async with app.run_test(size=size) as pilot:
        await press(pilot, "tab", "j", "enter")
        screen = app.screen
        assert isinstance(screen, GemsScreen)
        assert screen.opened == gem_view.gems.rows[1].id
        assert "SORREL / SOL" in dump(app)
        await press(pilot, "escape")
        assert screen.opened is None
        assert screen.active.selected_row == gem_view.gems.rows[1]
        await press(pilot, "1")
        assert isinstance(app.screen, DeskScreen)


async def test_w_on_a_gem_says_why_it_is_not_flagged(gem_view: DeckView, desk: Build, dump: Dump) -> None:
    app, _ = desk(gem_view)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "tab", "j", "w")
        assert isinstance(app.screen, Sheet)
        text = dump(app)
        assert "Why 2/3 signals" in text
        assert "no source" in text
        assert "not freezable" in text


async def test_the_why_of_a_gem_follows_the_board(
    gem_view: DeckView, desk: Build, dump: Dump, now: Any
) -> None:
    app, link = desk(gem_view)
    row = gem_view.gems.rows[1]
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "tab", "j", "w")
        link.details[(Topic.GEM, row.id)] = replace(detail_of(row), score=12.5)
        rows = (gem_view.gems.rows[0], replace(row, score=12.5, words="score < 70"))
        link.push(replace(gem_view, gems=replace(gem_view.gems, rows=rows)))
        now.s += 2
        for _ in range(3):
            await press(pilot, "j", "k")
            app.tick()
        text = dump(app)
        assert "Why score < 70" in text
        assert "12.5 of 100" in text


async def test_a_gem_that_is_scored_no_more_is_refused(gem_view: DeckView, desk: Build, dump: Dump) -> None:
    app, link = desk(gem_view)
    link.details.clear()
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "tab", "w")
        assert isinstance(app.screen, DeskScreen)
        assert "w refused: PLINTH is not scored any more" in dump(app)


async def test_other_rows_open_as_before(gem_view: DeckView, desk: Build, dump: Dump) -> None:
    app, _ = desk(gem_view)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "w")
        assert isinstance(app.screen, Sheet)
        assert "ORVX why" in dump(app)
        await press(pilot, "escape", "enter")
        assert "T-18 BUY 39 ORVX" in dump(app)


async def test_a_wide_terminal_shows_the_chart_of_the_selected_row_and_the_account(
    gem_view: DeckView, desk: Build, dump: Dump, golden: Callable[[str, str], None]
) -> None:
    app, _ = desk(gem_view)
    async with app.run_test(size=(160, 50)) as pilot:
        await press(pilot, "tab")
        screen = app.screen
        assert isinstance(screen, DeskScreen)
        assert screen.pane(Place.GEM_CHART).display
        assert not screen.pane(Place.GAP_CHART).display
        text = dump(app)
        assert "PLINTH 24 h" in text
        assert "Equity 30d" in text
        golden("desk-gems-160x50", text)
        await press(pilot, "shift+tab")
        assert screen.pane(Place.GAP_CHART).display
        assert not screen.pane(Place.GEM_CHART).display


async def test_a_terminal_that_becomes_wide_gets_the_middle(
    gem_view: DeckView, desk: Build, dump: Dump
) -> None:
    app, _ = desk(gem_view)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, "tab")
        assert not app.screen.query("#equity")
        await pilot.resize_terminal(160, 50)
        await press(pilot, "j", "k")
        assert "PLINTH 24 h" in dump(app)
        await pilot.resize_terminal(120, 40)
        await press(pilot, "j", "k")
        text = dump(app)
        assert "PLINTH 24 h" not in text
        assert "Events" in text


async def test_tab_goes_through_the_panes_of_rows_only(gem_view: DeckView, desk: Build) -> None:
    app, _ = desk(gem_view)
    async with app.run_test(size=(160, 50)) as pilot:
        seen = []
        for _ in range(5):
            await press(pilot, "tab")
            assert isinstance(app.screen, DeskScreen)
            seen.append(app.screen.current)
    assert set(seen) == {Place.GAPS, Place.GEMS, Place.TICKETS, Place.BRACKETS, Place.EVENTS}
