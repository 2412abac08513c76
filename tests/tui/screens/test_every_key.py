"""Every key of every pane of every screen acts, or says in the footer why it did nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.model.commands import AskVenue, SnoozeTicket
from tui.actions import SCREENS, Action, Group, Place, actions_in
from tui.app import ConsoleApp
from tui.screens.paned import PanedScreen
from tui.shown.deck import DeckView

Build = Callable[..., tuple[ConsoleApp, Any]]
Dump = Callable[[ConsoleApp], str]
AT_ONCE = (AskVenue, SnoozeTicket)
"""What one key may give: it neither sends nor sells anything."""
LEAVES = {"leave", "engine.halt"}
"""Tested by themselves: they end the console, or ask for a second key."""


def actions_of(place: Place, first: bool) -> list[Action]:
    """A pane's own keys; those that are the same in every pane only for the first one."""
    found = [action for action in actions_in(place) if action.id not in LEAVES]
    found = [action for action in found if action.group is not Group.SCREENS or place is Place.GAPS]
    return found if first else [action for action in found if action.group is Group.SCREEN]


def may_rest(action: Action, name: str) -> bool:
    """Whether a key may change nothing without a word: the end of a list, the screen in front."""
    return action.id in (f"screen.{name}", "pane.next", "pane.previous") or action.id.startswith("row.")


async def to_front(app: ConsoleApp, pilot: Any, name: str, key: str) -> PanedScreen:
    """The screen as it is when it was just opened."""
    for _ in range(5):
        if isinstance(app.screen, PanedScreen) and app.screen.name_in_navigation == name:
            break
        await pilot.press(key if isinstance(app.screen, PanedScreen) else "escape")
    screen = app.screen
    assert isinstance(screen, PanedScreen)
    screen._typing, screen.zoomed = False, False
    screen.active.set_filter("")
    if hasattr(screen, "opened"):
        screen.opened = None
    screen._refused_until = 0.0
    return screen


@pytest.mark.parametrize("view_only", [False, True])
@pytest.mark.parametrize("state", ["filled", "empty"])
@pytest.mark.parametrize("at", range(len(SCREENS)), ids=[name for _, name, _ in SCREENS])
async def test_every_key_acts_or_refuses_with_a_reason(
    at: int,
    state: str,
    view_only: bool,
    shapes: dict[str, DeckView],
    open_console: Build,
    dump: Dump,
    now: Any,
) -> None:
    key, name, _ = SCREENS[at]
    app, link = open_console(shapes[state], view_only=view_only)
    async with app.run_test(size=(120, 40) if state == "filled" else (80, 24)) as pilot:
        await pilot.press(key)
        order = (await to_front(app, pilot, name, key)).order
        for place in order:
            for action in actions_of(place, place is order[0]):
                if view_only and not action.is_acting:
                    continue
                for pressed in action.keys:
                    screen = await to_front(app, pilot, name, key)
                    now.s += 1
                    screen.activate(place)
                    await pilot.pause()
                    before, given = dump(app), len(link.given)
                    await pilot.press(pressed)
                    after = dump(app)
                    refused = " refused: " in after.splitlines()[-1]
                    acted = app.screen is not screen or after != before or len(link.given) > given
                    where = (name, place, action.id, after.splitlines()[-1])
                    assert acted or refused or may_rest(action, name), where
                    assert not (refused and app.screen is not screen), where
                    if view_only:
                        assert refused, where
        assert all(isinstance(command, AT_ONCE) for command in link.given)
        assert not (view_only and link.given)


async def test_no_key_of_a_console_that_may_look_gives_a_command_from_an_open_sheet(
    full_view: DeckView, open_console: Build
) -> None:
    app, link = open_console(full_view, view_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        for opening in (["1"], ["3"], ["4"], ["5"], ["1", "tab", "tab"], ["1", "tab", "tab", "tab"]):
            await pilot.press(*opening, "enter", *"arvxXRes", "enter", "escape", "escape", "escape")
        await pilot.press("ctrl+p", *"halt", "enter")
        await pilot.pause()
        assert not link.given
        assert app.is_running


async def test_halt_takes_two_keys_on_every_screen(
    full_view: DeckView, open_console: Build, dump: Dump, now: Any
) -> None:
    app, link = open_console(full_view)
    async with app.run_test(size=(80, 24)) as pilot:
        for at, (key, _, _) in enumerate(SCREENS, 1):
            await pilot.press(key, "exclamation_mark")
            await pilot.pause()
            assert "again within 2 s: HALT" in dump(app)
            assert len(link.given) == at - 1
            await pilot.press("exclamation_mark")
            await pilot.pause()
            assert len(link.given) == at
            now.s += 3
            app.tick()
