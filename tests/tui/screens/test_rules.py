"""Screens that keep still, and that say everything in words where there is nothing else."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

import pytest

from tui.actions import SCREENS
from tui.app import ConsoleApp
from tui.shown.deck import DeckView

Build = Callable[..., tuple[ConsoleApp, Any]]
Dump = Callable[[ConsoleApp], str]
STATES = ("filled", "stale", "halted", "detached")


async def test_the_selected_row_and_the_columns_stay_while_rows_come_and_go(
    full_view: DeckView, open_console: Build, dump: Dump
) -> None:
    """A new picture with the same rows moves no cell."""
    app, link = open_console(full_view)
    async with app.run_test(size=(120, 40)) as pilot:
        app.key_times = lambda: (0.01, 0.02)  # type: ignore[method-assign]
        for key, _, _ in SCREENS:
            await pilot.press(key, "j")
            await pilot.pause()
            before = dump(app)
            link.push(full_view)
            await pilot.pause()
            assert dump(app) == before


@pytest.mark.parametrize("state", STATES)
async def test_plain_is_readable_by_words_alone(
    state: str, shapes: dict[str, DeckView], open_console: Build, dump: Dump, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    app, _ = open_console(shapes[state], plain=True)
    async with app.run_test(size=(80, 24)) as pilot:
        for size in ((80, 24), (120, 40)) if state == "filled" else ((80, 24),):
            await pilot.resize_terminal(*size)
            for key, name, _ in SCREENS:
                await pilot.press(key)
                await pilot.pause()
                text = dump(app)
                assert text.isascii(), (name, [char for char, _ in groupby(text) if not char.isascii()])
                assert {"stale": "STALE", "halted": "HALTED", "detached": "DETACHED"}.get(state, "") in text
                if state == "filled" and name == "orders":
                    assert "UNKNOWN" in text


async def test_a_value_that_is_old_is_marked_wherever_a_price_stands(
    shapes: dict[str, DeckView], open_console: Build, dump: Dump
) -> None:
    app, _ = open_console(shapes["stale"])
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5")
        await pilot.pause()
        assert "~118.25" in dump(app)
        assert "~–" not in dump(app)
        await pilot.press("2", "z")
        await pilot.pause()
        assert "~2.41M" in dump(app)
