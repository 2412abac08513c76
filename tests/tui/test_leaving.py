"""A console that is closing has no screen any more, while its clock and its engine still speak."""

from collections.abc import Callable
from typing import Any

from tui.app import ConsoleApp
from tui.messages import DeckChanged, EngineLost
from tui.shown.deck import DeckView

Build = Callable[..., tuple[ConsoleApp, Any]]


async def test_what_arrives_while_the_console_closes_fails_nothing(view: DeckView, console: Build) -> None:
    app, _ = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
    assert not app.screen_stack
    app.tick()
    app.on_deck_changed(DeckChanged(view))
    app.on_engine_lost(EngineLost("gone"))
    app.action_halt()
    app.action_leave_anywhere()
    assert app.failure is None
