"""What each key of the screen Gaps does, and which row it means."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.model.commands import RejectTicket
from tui.actions import Place
from tui.app import ConsoleApp
from tui.screens.approve import ApproveDialog
from tui.screens.gaps import GapsScreen
from tui.screens.sheet import Sheet
from tui.shown.deck import DeckView
from tui.shown.details import Topic

Dump = Callable[[ConsoleApp], str]
Build = Callable[..., tuple[ConsoleApp, Any]]
Press = Callable[..., Awaitable[None]]
SMALL, MEDIUM = (80, 24), (120, 40)


@pytest.fixture
def press(settled: Callable[[ConsoleApp, Any], Awaitable[None]]) -> Press:
    """Press keys; each stands on the terminal before the next one."""

    async def press_all(pilot: Any, *keys: str) -> None:
        for key in keys:
            await pilot.press(key)
            await settled(pilot.app, pilot)

    return press_all


def screen_of(app: ConsoleApp) -> GapsScreen:
    assert isinstance(app.screen, GapsScreen)
    return app.screen


def footer_of(text: str) -> str:
    return text.splitlines()[-1]


@pytest.mark.parametrize("size", [SMALL, MEDIUM])
async def test_enter_opens_and_escape_closes(
    size: tuple[int, int], gap_view: DeckView, open_gaps: Build, press: Press, dump: Dump
) -> None:
    app, _ = open_gaps(gap_view)
    async with app.run_test(size=size) as pilot:
        await press(pilot, "3", "j", "enter")
        screen = screen_of(app)
        assert screen.opened == gap_view.gaps[1].correlation
        assert screen.current is Place.GAP_VERDICTS
        text = dump(app)
        assert "Screener" in text
        assert "MRDN" in text
        assert "esc back" in text or size == SMALL
        await press(pilot, "escape")
        assert screen.opened is None
        assert "SPLQ" in dump(app)
        await press(pilot, "escape")
        assert "esc refused: nothing to go back from" in footer_of(dump(app))


async def test_the_opened_candidate_is_the_row_that_keys_mean(
    gap_view: DeckView, open_gaps: Build, press: Press, now: Any
) -> None:
    app, link = open_gaps(gap_view)
    async with app.run_test(size=MEDIUM) as pilot:
        await press(pilot, "3", "j", "enter", "tab")
        screen = screen_of(app)
        assert screen.current is Place.GAP_CHART
        row = screen.active.selected_row
        assert row is not None
        assert row == gap_view.gaps[1]
        now.s += 5
        await press(pilot, "a")
        assert isinstance(app.screen, ApproveDialog)
        await press(pilot, "escape")
        now.s += 5
        await press(pilot, "r", "1")
        await press(pilot, "enter")
        assert [command.ticket for command in link.given if isinstance(command, RejectTicket)] == [
            gap_view.gaps[1].ticket
        ]


async def test_opened_shows_the_newest_row_not_that_of_the_opening(
    gap_view: DeckView, open_gaps: Build, press: Press, dump: Dump
) -> None:
    app, link = open_gaps(gap_view)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "3", "enter")
        first = replace(gap_view.gaps[0], reason="expired", ticket=None, number=None)
        newer = replace(gap_view, gaps=(first, *gap_view.gaps[1:]), tickets=())
        link.push(newer)
        await pilot.pause()
        await pilot.pause()
        await pilot.pause()
        screen = screen_of(app)
        assert screen.active.selected_row == first
        await press(pilot, "a")
        assert "ORVX has no ticket: expired" in footer_of(dump(app))


async def test_a_candidate_that_went_away_takes_no_key_with_it(
    gap_view: DeckView, open_gaps: Build, press: Press, dump: Dump, now: Any
) -> None:
    app, link = open_gaps(gap_view)
    async with app.run_test(size=MEDIUM) as pilot:
        await press(pilot, "3", "tab")
        screen = screen_of(app)
        assert screen.current is Place.GAP_VERDICTS
        now.s += 10
        link.push(replace(gap_view, gaps=gap_view.gaps[1:]))
        await pilot.pause()
        await pilot.pause()
        assert screen.active.selected_row == gap_view.gaps[1]
        now.s += 0.1
        await press(pilot, "a")
        assert "the row moved 0.1 s ago, press again" in footer_of(dump(app))
        assert app.screen is screen


async def test_an_opened_candidate_of_a_past_session_says_so(
    gap_view: DeckView, open_gaps: Build, press: Press, dump: Dump, now: Any
) -> None:
    app, link = open_gaps(gap_view)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "3", "G", "enter")
        link.details.clear()
        now.s += 2
        link.push(replace(gap_view, gaps=gap_view.gaps[:3]))
        await pilot.pause()
        await pilot.pause()
        await pilot.pause()
        text = dump(app)
        assert "No candidate of this session any more" in text
        assert "Screener" not in text
        await press(pilot, "a")
        assert "a refused: no row here" in footer_of(dump(app))
        await press(pilot, "escape")
        assert "ORVX" in dump(app)


async def test_enter_on_an_opened_candidate_shows_its_ticket_whole(
    gap_view: DeckView, open_gaps: Build, press: Press, dump: Dump
) -> None:
    app, _ = open_gaps(gap_view)
    async with app.run_test(size=MEDIUM) as pilot:
        await press(pilot, "3", "enter", "enter")
        assert isinstance(app.screen, Sheet)
        assert "T-18 BUY 39 ORVX" in dump(app)


async def test_why_gives_every_agents_reasons(
    gap_view: DeckView, open_gaps: Build, press: Press, dump: Dump
) -> None:
    app, _ = open_gaps(gap_view)
    async with app.run_test(size=MEDIUM) as pilot:
        await press(pilot, "3", "w")
        text = dump(app)
        assert isinstance(app.screen, Sheet)
        assert "spread 0.12%, limit 1.00%" in text
        assert "Nothing speaks against it." in text


async def test_c_opens_the_chart_where_it_has_no_room(
    gap_view: DeckView, open_gaps: Build, press: Press, dump: Dump
) -> None:
    app, _ = open_gaps(gap_view)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "3", "left_square_bracket")
        assert "[ refused: no chart here, c shows it" in footer_of(dump(app))
        await press(pilot, "c")
        screen = screen_of(app)
        assert screen.current is Place.GAP_CHART
        assert screen.opened == gap_view.gaps[0].correlation
        assert "ORVX 5m" in dump(app)
        await press(pilot, "right_square_bracket")
        assert "ORVX 1d" in dump(app)
        await press(pilot, "left_square_bracket")
        assert "ORVX 5m" in dump(app)


async def test_c_beside_the_list_only_moves_there(gap_view: DeckView, open_gaps: Build, press: Press) -> None:
    app, _ = open_gaps(gap_view)
    async with app.run_test(size=MEDIUM) as pilot:
        await press(pilot, "3", "c")
        screen = screen_of(app)
        assert screen.current is Place.GAP_CHART
        assert screen.opened is None
        await press(pilot, "tab")
        assert screen.current is Place.GAP_SCAN
        await press(pilot, "tab")
        assert screen.current is Place.GAP_LIST


async def test_one_period_only_is_refused(
    gap_view: DeckView, open_gaps: Build, press: Press, dump: Dump
) -> None:
    app, link = open_gaps(gap_view)
    key = (Topic.GAP, gap_view.gaps[0].correlation)
    link.details[key] = replace(link.details[key], charts=link.details[key].charts[:1])
    async with app.run_test(size=MEDIUM) as pilot:
        await press(pilot, "3", "right_square_bracket")
        assert "] refused: there are bars of one period only" in footer_of(dump(app))


async def test_sorts_go_round(gap_view: DeckView, open_gaps: Build, press: Press, dump: Dump) -> None:
    app, _ = open_gaps(gap_view)
    async with app.run_test(size=MEDIUM) as pilot:
        await press(pilot, "3")
        seen = {}
        for _ in range(5):
            title = dump(app).splitlines()[3]
            name = title.split("sort ")[1].split("  ")[0]
            seen[name] = [line[4:8] for line in dump(app).splitlines()[5:17]]
            await press(pilot, "o")
        assert list(seen) == ["state", "gap% ▲", "price ▼", "sym", "sector"]
        assert seen["gap% ▲"][0] == "WXEL"
        assert seen["price ▼"][0] == "PTHN"
        assert seen["sym"] == sorted(seen["sym"])
        assert seen["state"][:2] == ["ORVX", "MRDN"]


async def test_filter_finds_names_and_sectors(
    gap_view: DeckView, open_gaps: Build, press: Press, dump: Dump
) -> None:
    app, _ = open_gaps(gap_view)
    async with app.run_test(size=MEDIUM) as pilot:
        await press(pilot, "3", "slash", *"retail", "enter")
        text = dump(app)
        assert "MRDN" in text
        assert "KYTE" not in text
        await press(pilot, "slash", *"zzz", "enter")
        assert "No row matches" in dump(app)


async def test_the_own_key_closes_what_is_open(gap_view: DeckView, open_gaps: Build, press: Press) -> None:
    app, _ = open_gaps(gap_view)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "3", "enter", "z", "3")
        screen = screen_of(app)
        assert screen.opened is None
        assert not screen.zoomed
        assert screen.current is Place.GAP_LIST


async def test_another_screen_and_back_keeps_it_open(
    gap_view: DeckView, open_gaps: Build, press: Press
) -> None:
    app, _ = open_gaps(gap_view)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "3", "enter", "1", "3")
        assert screen_of(app).opened == gap_view.gaps[0].correlation


async def test_a_console_that_may_look_only_refuses_what_acts(
    gap_view: DeckView, open_gaps: Build, press: Press, dump: Dump
) -> None:
    app, link = open_gaps(gap_view, view_only=True)
    async with app.run_test(size=SMALL) as pilot:
        await press(pilot, "3", "enter", "a")
        assert "a refused: this console may look, not act" in footer_of(dump(app))
        await press(pilot, "r")
        assert "r refused: this console may look, not act" in footer_of(dump(app))
        assert not link.given
