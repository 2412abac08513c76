"""From screen to screen, by key and by name."""

from collections.abc import Callable
from typing import Any

from tui.app import ConsoleApp
from tui.screens.paned import PanedScreen
from tui.shown.deck import DeckView

Build = Callable[..., tuple[ConsoleApp, Any]]


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
        assert " 1 command " in dump(app)
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
