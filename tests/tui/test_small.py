"""Narrow and too small terminals: no number is cut, no dialog in front is hidden blindly."""

from collections.abc import Callable
from typing import Any

import pytest

from tui.app import ConsoleApp
from tui.screens.approve import ApproveDialog
from tui.shown.deck import DeckView

Build = Callable[..., tuple[ConsoleApp, Any]]
Dump = Callable[[ConsoleApp], str]


async def press(pilot: Any, *keys: str) -> None:
    await pilot.press(*keys)
    await pilot.pause()


async def test_the_narrowest_approve_dialog_shows_every_price_whole(
    view: DeckView, console: Build, dump: Dump
) -> None:
    app, _ = console(view)
    async with app.run_test(size=(60, 15)) as pilot:
        await pilot.pause()
        await press(pilot, "a")
        rows = dump(app).splitlines()
    stop = next(row for row in rows if "then " in row)
    target = next(row for row in rows if "  or " in row)
    assert "stop   7.70  GTC" in stop
    assert "-26.13  0.095%" in stop
    assert "target 8.87  GTC" in target
    assert "+19.50  0.071%" in target
    assert "…" not in stop + target
    assert any("exact order" in row or "  order " in row for row in rows)


async def test_the_narrowest_ticket_shows_every_price_whole(
    view: DeckView, console: Build, dump: Dump
) -> None:
    app, _ = console(view)
    async with app.run_test(size=(60, 15)) as pilot:
        await pilot.pause()
        await press(pilot, "enter")
        text = dump(app)
    assert "stop   7.70  GTC   -26.13  0.095%" in text
    assert "target 8.87  GTC   +19.50  0.071%" in text
    assert "equi…" not in text
    assert "of e…" not in text


@pytest.mark.parametrize(("key", "keys_told"), [("enter", "a approve"), ("r", "enter reject")])
async def test_a_dialog_in_a_shrunk_terminal_says_why_and_its_keys(
    key: str, keys_told: str, view: DeckView, console: Build, dump: Dump
) -> None:
    app, _ = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, key)
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        text = dump(app)
        assert "Terminal is 40x10." in text
        assert "tradedeck needs 60x15." in text
        assert keys_told in text
        assert "ORVX" not in text
        assert "paper-1" not in text
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "Terminal is" not in dump(app)
        assert "paper-1" in dump(app)


async def test_approving_is_off_in_a_shrunk_terminal(view: DeckView, console: Build, dump: Dump) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await press(pilot, "a")
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        await press(pilot, "a")
        assert isinstance(app.screen, ApproveDialog)
        assert "a refused: the terminal is too small" in dump(app)
        assert not link.given


async def test_the_first_halt_key_warns_in_a_very_small_terminal_too(
    view: DeckView, console: Build, dump: Dump
) -> None:
    app, link = console(view)
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.pause()
        await press(pilot, "exclamation_mark")
        assert "! again within 2 s: HALT" in dump(app)
        await press(pilot, "exclamation_mark")
        assert len(link.given) == 1
