"""Every screen opens by its key at both sizes, filled, empty, halted and stale, and leads to all others."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tui.actions import SCREENS
from tui.app import ConsoleApp
from tui.screens.paned import PanedScreen
from tui.shown.deck import DeckView

Build = Callable[..., tuple[ConsoleApp, Any]]
SIZES = [(80, 24), (120, 40), (160, 50), (60, 15)]


def shapes(view: DeckView, empty: DeckView) -> dict[str, DeckView]:
    halted = replace(view.header, engine_state="HALTED", engine_reason="by you (! !)")
    stale = replace(view.header, market=replace(view.header.market, stale="Alpaca stream silent 42 s"))
    return {
        "filled": view,
        "empty": empty,
        "halted": replace(view, header=halted),
        "stale": replace(view, header=stale),
    }


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shape", ["filled", "empty", "halted", "stale"])
async def test_every_tab_opens_and_marks_itself(
    size: tuple[int, int], shape: str, view: DeckView, empty_view: DeckView, console: Build, dump: Any
) -> None:
    app, _ = console(shapes(view, empty_view)[shape])
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for key, name, title in (*SCREENS[1:], SCREENS[0]):
            await pilot.press(key)
            await pilot.pause()
            assert isinstance(app.screen, PanedScreen)
            assert app.screen.name_in_navigation == name
            second = dump(app).splitlines()[1]
            assert f" {key}  {title}" in second
            assert any(pane.display for pane in app.screen.query("Pane"))
            if shape == "halted":
                assert "■ HALTED" in dump(app)
            for _ in range(3):
                await pilot.press("tab")
                await pilot.pause()


async def test_a_tabs_own_key_goes_back_to_its_first_pane(view: DeckView, console: Build) -> None:
    app, _ = console(view)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5", "tab", "z")
        screen = app.screen
        assert isinstance(screen, PanedScreen)
        assert screen.zoomed
        await pilot.press("5")
        assert not screen.zoomed
        assert screen.current is screen.order[0]


async def test_the_palette_narrows_and_runs_a_command(view: DeckView, console: Build, dump: Any) -> None:
    app, _ = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press("ctrl+p")
        await pilot.pause()
        assert "go to Gaps" in dump(app)
        await pilot.press(*"risk")
        await pilot.pause()
        assert "1 commands" in dump(app) or "1 command" in dump(app)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, PanedScreen)
        assert app.screen.name_in_navigation == "risk"
        await pilot.press("ctrl+p", "x", "x", "x")
        await pilot.pause()
        assert "No command matches xxx" in dump(app)
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, PanedScreen)
