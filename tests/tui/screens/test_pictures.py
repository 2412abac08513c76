"""Every screen as text at the sizes of the design, in every state: read the diff before --update-golden."""

from collections.abc import Callable
from typing import Any

import pytest

from tui.actions import SCREENS
from tui.app import ConsoleApp
from tui.shown.deck import DeckView

Build = Callable[..., tuple[ConsoleApp, Any]]
Dump = Callable[[ConsoleApp], str]
SMALL, MEDIUM, LARGE, TINY = (80, 24), (120, 40), (160, 50), (60, 15)
BOTH = (SMALL, MEDIUM)
SIZES = {"filled": (*BOTH, LARGE, TINY), "empty": (*BOTH, TINY)}
"""Of a state; others are drawn at both sizes of the design."""

KEY_TIMES = tuple((11 + (at * 7) % 9 + 30 * (at % 17 == 0)) / 1000 for at in range(60))


class Album:
    """Compares pictures with their files and tells of all that differ at once."""

    def __init__(self, golden: Callable[[str, str], None]) -> None:
        self._golden = golden
        self._wrong: list[str] = []

    def add(self, name: str, text: str) -> None:
        try:
            self._golden(name, text)
        except (AssertionError, FileNotFoundError) as error:
            self._wrong.append(str(error))

    def check(self) -> None:
        assert not self._wrong, "\n".join(self._wrong)


@pytest.fixture
def album(golden: Callable[[str, str], None]) -> Any:
    album = Album(golden)
    yield album
    album.check()


@pytest.mark.parametrize("state", ["filled", "empty", "stale", "halted", "detached"])
async def test_every_screen(
    state: str, shapes: dict[str, DeckView], open_console: Build, dump: Dump, album: Album
) -> None:
    app, _ = open_console(shapes[state])
    app.key_times = lambda: KEY_TIMES  # type: ignore[method-assign]
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        for size in SIZES.get(state, BOTH):
            await pilot.resize_terminal(*size)
            for key, name, _ in SCREENS:
                await pilot.press(key)
                await pilot.pause()
                album.add(f"screens/{name}-{state}-{size[0]}x{size[1]}", dump(app))
