"""Every screen as text at the sizes of the design, in every state: read the diff before --update-golden."""

from collections.abc import Callable
from typing import Any

import pytest

from tui.actions import SCREENS
from tui.app import ConsoleApp
from tui.picture import draw, screen_strips
from tui.shown.deck import DeckView

Build = Callable[..., tuple[ConsoleApp, Any]]
Dump = Callable[[ConsoleApp], str]
SMALL, MEDIUM, LARGE, TINY = (80, 24), (120, 40), (160, 50), (60, 15)
BOTH = (SMALL, MEDIUM)
SIZES = {"filled": (*BOTH, LARGE, TINY), "empty": (*BOTH, TINY)}
"""Of a state; others are drawn at both sizes of the design."""
BETWEEN = ((100, 30), (132, 43))
"""Sizes without a picture, where the rules hold too."""
LATER = ("agents", "research")
"""Screens with one sentence on them."""
KEY_TIMES = tuple((11 + (at * 7) % 9 + 30 * (at % 17 == 0)) / 1000 for at in range(60))


class Album:
    """Compares pictures with their files and tells of all that differ at once."""

    def __init__(self, golden: Callable[..., None]) -> None:
        self._golden = golden
        self._wrong: list[str] = []

    def add(self, name: str, text: str) -> None:
        try:
            self._golden(name, text)
        except (AssertionError, FileNotFoundError) as error:
            self._wrong.append(str(error))

    def add_drawing(self, name: str, svg: str) -> None:
        """As a picture: what the words do not tell is its colors."""
        try:
            self._golden(name, svg, "svg")
        except (AssertionError, FileNotFoundError) as error:
            self._wrong.append(f"{name}: {str(error).splitlines()[0]}")

    def check(self) -> None:
        assert not self._wrong, "\n".join(self._wrong)


@pytest.fixture
def album(golden: Callable[..., None]) -> Any:
    album = Album(golden)
    yield album
    album.check()


@pytest.mark.parametrize("state", ["filled", "empty", "stale", "halted", "detached"])
async def test_every_screen(
    state: str, shapes: dict[str, DeckView], open_console: Build, dump: Dump, album: Album, rules: Any
) -> None:
    app, _ = open_console(shapes[state])
    app.theme = "dusk"
    app.key_times = lambda: KEY_TIMES  # type: ignore[method-assign]
    pictured = SIZES.get(state, BOTH)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        for size in (*pictured, *(BETWEEN if state == "filled" else ())):
            await pilot.resize_terminal(*size)
            for key, name, title in SCREENS:
                await pilot.press(key)
                await pilot.pause()  # what a pane asks for once it stands is answered
                where, text = f"{name}-{state}-{size[0]}x{size[1]}", dump(app)
                assert f" {key}  {title}" in text.splitlines()[1], where
                rules.hold(app, text, size, where)
                if size in pictured:
                    album.add(f"screens/{where}", text)
                if size in BOTH and state != "detached" and name not in LATER:
                    album.add_drawing(f"svg/{where}", draw(screen_strips(app)))


OPENED = {
    "gem": ["2", "enter"],
    "gem-holders": ["2", "enter", "tab", "tab"],
    "gem-unproved": ["2", *"jjjjjjj", "enter"],
    "gems-liquidity": ["2", "o", "o"],
    "gems-filter": ["2", "slash", *"lp"],
    "gap": ["3", "enter"],
    "orders-unknown": ["4", "enter"],
    "portfolio-90d": ["5", *["right_square_bracket"] * 3],
    "portfolio-trips": ["5", "tab", "tab", "G"],
    "risk-limit": ["6", "enter"],
    "source": ["9", "o", "enter"],
    "log-record": ["0", "j", "enter"],
    "palette": ["6", "ctrl+p"],
    "palette-none": ["6", "ctrl+p", *"xyz"],
}


@pytest.mark.parametrize("about", OPENED)
async def test_what_is_opened(
    about: str, full_view: DeckView, open_console: Build, dump: Dump, album: Album
) -> None:
    app, _ = open_console(full_view)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        for key in OPENED[about]:
            await pilot.press(key)
            await pilot.pause()
        for size in BOTH:
            await pilot.resize_terminal(*size)
            album.add(f"screens/{about}-{size[0]}x{size[1]}", dump(app))


async def test_help_of_every_screen(
    full_view: DeckView, open_console: Build, dump: Dump, album: Album
) -> None:
    app, _ = open_console(full_view)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.pause()
        for size in BOTH:
            await pilot.resize_terminal(*size)
            for key, name, _ in SCREENS:
                await pilot.press(key, "question_mark")
                await pilot.pause()
                album.add(f"screens/help-{name}-{size[0]}x{size[1]}", dump(app))
                await pilot.press("escape")


async def test_what_is_asked_for_and_not_answered_yet(
    full_view: DeckView, open_console: Build, dump: Dump, album: Album
) -> None:
    app, link = open_console(full_view)
    link.silent = True
    async with app.run_test(size=SMALL) as pilot:
        for size in BOTH:
            await pilot.resize_terminal(*size)
            for name, keys in {"gem": "2", "gap": "3", "portfolio": "5", "log": "0"}.items():
                await pilot.press(*keys, *(["enter"] if name in ("gem", "gap") else []))
                await pilot.pause()
                album.add(f"screens/{name}-loading-{size[0]}x{size[1]}", dump(app))


async def test_before_the_engine_has_said_anything(
    full_view: DeckView, open_console: Build, dump: Dump, album: Album
) -> None:
    app, link = open_console(full_view)

    async def silent() -> Any:
        await link._queue.get()
        yield full_view

    link.changes = silent
    async with app.run_test(size=SMALL) as pilot:
        for size in BOTH:
            await pilot.resize_terminal(*size)
            for key, name, _ in SCREENS[:3]:
                await pilot.press(key)
                await pilot.pause()
                album.add(f"screens/{name}-starting-{size[0]}x{size[1]}", dump(app))
        for key, _, _ in SCREENS:
            await pilot.press(
                key, "enter", "tab", "o", "slash", "z", "escape", "w", "a", "X", "ctrl+p", "escape"
            )
        assert app.is_running
        assert not link.given
