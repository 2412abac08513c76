"""The history of the drawdown: beside the rest where it is wide, alone where it is not."""

from collections.abc import Callable
from typing import Any

import pytest

from tui.actions import Place
from tui.app import ConsoleApp
from tui.screens.paned import PanedScreen
from tui.shown.deck import DeckView

Build = Callable[..., tuple[ConsoleApp, Any]]
Dump = Callable[[ConsoleApp], str]


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_its_period_is_chosen_like_that_of_the_curve(
    size: tuple[int, int], full_view: DeckView, open_console: Build, dump: Dump
) -> None:
    app, _ = open_console(full_view)
    async with app.run_test(size=size) as pilot:
        await pilot.press("6")
        screen = app.screen
        assert isinstance(screen, PanedScreen)
        screen.activate(Place.DRAWDOWNS)
        for _ in range(4):  # it is placed, asked for, answered and drawn
            await pilot.pause()
        text = dump(app)
        assert "Drawdown history 90d" in text
        assert " now " in text
        assert "Reading the record" not in text
        await pilot.press("right_square_bracket")
        await pilot.pause()
        assert "Drawdown history 1y" in dump(app)


async def test_it_is_on_the_screen_from_150_columns_on(
    full_view: DeckView, open_console: Build, dump: Dump
) -> None:
    app, _ = open_console(full_view)
    async with app.run_test(size=(149, 50)) as pilot:
        await pilot.press("6")
        await pilot.pause()
        assert "Drawdown history" not in dump(app)
        await pilot.resize_terminal(150, 50)
        await pilot.pause()
        assert "Drawdown history" in dump(app)
