"""Text from outside in every field of every screen and every detail: it is drawn, and never obeyed."""

import itertools
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tui.actions import SCREENS
from tui.app import ConsoleApp
from tui.shown.deck import DeckView

Build = Callable[..., tuple[ConsoleApp, Any]]
OURS = {
    "provenance",
    "engine_state",
    "phase",
    "ticket",
    "id",
    "instrument",
    "period",
    "order",
    "quote",
    "body",
}
"""Fields that the engine makes itself, or that rows are told apart by."""
TOURS = (
    *([key] for key, _, _ in SCREENS),
    ["2", "enter", "tab", "tab"],
    ["3", "enter"],
    ["3", "w"],
    ["4", "enter"],
    ["6", "enter"],
    ["9", "enter"],
    ["0", "enter"],
    ["2", "slash", "e", "p", "e", "enter", "escape"],
)


def poisoned(value: Any, payloads: Iterator[str]) -> Any:
    """The value with every text from outside replaced, each by the next payload."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return next(payloads)
    if isinstance(value, tuple):
        return tuple(poisoned(item, payloads) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        texts = {
            field.name: poisoned(getattr(value, field.name), payloads)
            for field in fields(value)
            if field.name not in OURS
        }
        if hasattr(value, "body"):
            texts["body"] = f'{{"{next(payloads)[:20]!r}":1}}'
        if "seq" not in texts and "correlation" in texts:
            del texts["correlation"]
        return replace(value, **texts)
    return value


@pytest.fixture
def hostile(folder: Path) -> ModuleType:
    return load_module("test_hostile", folder)


@pytest.fixture
def folder() -> Path:
    return Path(__file__).parent.parent


def load_module(name: str, folder: Path) -> ModuleType:
    import importlib.util

    spec = importlib.util.spec_from_file_location(f"tradedeck_tests_{name}", folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def payloads(hostile: ModuleType, mix: int) -> Iterator[str]:
    """All of them again and again, begun at another one in each mix."""
    every = [*hostile.PAYLOADS, "Z" * 10_000, "界" * 10_000, "\x1b]8;;http://x\x1b\\y", "0x" + "f" * 400]
    return itertools.cycle(every[mix * 7 :] + every[: mix * 7])


@pytest.mark.parametrize(("mix", "size"), [(1, (120, 40)), (3, (80, 24))])
async def test_no_text_is_obeyed_on_any_screen(
    mix: int, size: tuple[int, int], full_view: DeckView, open_console: Build, hostile: ModuleType
) -> None:
    app, link = open_console(full_view)
    words = payloads(hostile, mix)
    link.view = poisoned(full_view, words)
    link.details = {key: poisoned(detail, words) for key, detail in link.details.items()}
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        for keys in TOURS:
            for key in keys:
                await pilot.press(key)
            app.say(next(words), ok=False)
            await pilot.pause()
            hostile.assert_safe(app, size)
            await pilot.press("escape", "escape")
        assert app.is_running
        assert not link.given


PROGRAM = """
import asyncio, importlib.util, sys
from pathlib import Path
here = Path(sys.argv[1])
def load(name, path):
    spec = importlib.util.spec_from_file_location(name, here / path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
screens = load("screens_conftest", "screens/conftest.py")
base, hostile = screens.load("conftest.py"), load("test_hostile", "test_hostile.py")
mine = load("mine", "screens/test_hostile_screens.py")
from engine.model.commands import Actor
from tui.app import ConsoleApp
view = screens.filled(base.make_view())
words = mine.payloads(hostile, int(sys.argv[2]))
link = base.FakeLink(mine.poisoned(view, words))
link.details = {key: mine.poisoned(one, words) for key, one in screens.details(view).items()}
app = ConsoleApp(link, actor=Actor("nina", "pts/7"))
async def main():
    running = asyncio.create_task(app.run_async())
    while app.look() is None or not app.is_running:
        await asyncio.sleep(0.02)
    for keys in mine.TOURS:
        for key in keys:
            app.simulate_key(key)
            await base.drained()
        # As long as Textual holds a change of screens back, and a picture more.
        await asyncio.sleep(0.08)
        for key in ("escape", "escape"):
            app.simulate_key(key)
    app.exit(None)
    await running
asyncio.run(main())
assert not link.given
print("the console left")
"""


@pytest.mark.parametrize(("term", "mix"), [("xterm-256color", 0), ("linux", 2)])
def test_a_terminal_sees_no_sequence_of_a_screens_texts(
    term: str, mix: int, folder: Path, hostile: ModuleType, tmp_path: Path
) -> None:
    master, slave = pty.openpty()
    env = {**os.environ, "TERM": term, "COLUMNS": "120", "LINES": "40", "HOME": str(tmp_path)}
    env.pop("NO_COLOR", None)
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), f"{mix}"],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        env=env,
        cwd=folder.parent.parent,
    )
    os.close(slave)
    written = read_to_end(master, child)
    said = child.communicate(timeout=10)[0]
    os.close(master)
    assert said == b"the console left\n", written[-2000:]
    assert_only_textuals_own(written, hostile)
    for title in ("Drawdown", "Positions", "Sources"):
        assert title.encode() in written


def read_to_end(master: int, child: Any) -> bytes:
    written = bytearray()
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        ready, _, _ = select.select([master], [], [], 0.1)
        if ready:
            try:
                written += os.read(master, 65536)
            except OSError:
                break
        elif child.poll() is not None:
            break
    return bytes(written)


def assert_only_textuals_own(written: bytes, hostile: ModuleType) -> None:
    """No escape sequence but the console's, no control byte, no character that turns or hides text."""
    rest = hostile.SEQUENCE.sub(b"", written)
    assert b"\x1b" not in rest, rest[max(rest.index(b"\x1b") - 20, 0) :][:60]
    assert not re.search(rb"[\x00-\x07\x0b\x0c\x0e-\x1f\x7f]", rest)
    text = rest.decode("utf-8")
    assert not re.search("[\x80-\x9f\u0300-\u036f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]", text)
    assert "ZXZpbA" not in text


def test_the_demos_own_hostile_tokens_and_headlines_reach_no_terminal(
    terminal: Callable[[list[str]], Any], hostile: ModuleType
) -> None:
    console = terminal(["--demo", "--speed", "600"])
    console.await_text("1 waiting", "2 waiting", "3 waiting")
    waits = {
        "2": "flagged",
        "3": "votes",
        "4": "Orders",
        "5": "Equity",
        "6": "Drawdown",
        "9": "Sources",
        "0": "Log",
    }
    for key, word in waits.items():
        console.press_until(key, word)
        console.press("\r")
        console.press("\x1b")
    console.press_until("q", "Stop the engine too")
    console.press("q")
    assert console.end() == 0
    assert_only_textuals_own(console.raw, hostile)
