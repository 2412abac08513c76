"""Text from outside in every field of every view: nothing of it is interpreted (RELIABILITY 9)."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from tui.app import ConsoleApp
from tui.shown.deck import DeckView

Build = Callable[..., tuple[ConsoleApp, Any]]

PAYLOADS = [
    "PEPE[/]",
    "[@click=app.leave()]x[/]",
    "[red on red]hidden",
    "[[[",
    "\\[b]",
    "\x1b[31mred",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]0;title\x1b\\",
    "\x9b31m",
    "\x9d52;c;AAAA\x9c",
    "\x1bP+q544e\x1b\\",
    "nul\x00bel\x07",
    "\u202egnihtyna",
    "\u2066iso\u2069",
    "zero\u200bwidth\ufeff",
    "e" + "\u0301" * 60,
    "line\nbreak\r\ttab\x0b\x0c",
    "\u2028para\u2029",
    "市場" * 30,
    "\U0001f680\U0001f469\u200d\U0001f680",
    "Аpple",
    "a" * 500,
    "\ue000\uf8ff\U000f0000",
    "\ufffe\uffff",
    "\u25fd\u25fe",
    "🇺🇸" * 20,
    "{x}{0}%s%(x)s",
    "$deck-danger",
]


def poisoned(value: Any, payload: str) -> Any:
    """The value with every text in it replaced, all else kept."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return payload
    if isinstance(value, tuple):
        return tuple(poisoned(item, payload) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        changes = {}
        for item in fields(value):
            now = getattr(value, item.name)
            # Ids and what the engine makes itself stay: rows need them to be told apart.
            if item.name in {
                "provenance",
                "engine_state",
                "phase",
                "ticket",
                "id",
                "correlation",
                "instrument",
            }:
                continue
            if item.name == "order" or item.name == "quote":
                continue
            changes[item.name] = poisoned(now, payload)
        return replace(value, **changes)
    return value


def screen_cells(app: ConsoleApp) -> str:
    return "".join(strip.text for strip in app.screen._compositor.render_strips())


def assert_safe(app: ConsoleApp, size: tuple[int, int]) -> None:
    strips = app.screen._compositor.render_strips()
    assert len(strips) == size[1]
    for strip in strips:
        assert strip.cell_length == size[0]
        for char in strip.text:
            code = ord(char)
            assert (
                0x20 <= code < 0x7F
                or 0xA0 <= code <= 0xFF
                or 0x2500 <= code <= 0x25FF
                or 0x2800 <= code <= 0x28FF
                or char in "–…₀₁₂₃₄₅₆₇₈₉↑↓"
            ), repr(char)
        for segment in strip:
            meta = segment.style.meta if segment.style else {}
            assert not any(key.startswith("@") for key in meta), meta


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_no_payload_reaches_the_screen_or_breaks_it(
    size: tuple[int, int], view: DeckView, console: Build, now: Any
) -> None:
    app, link = console(view)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for payload in PAYLOADS:
            link.push(poisoned(view, payload))
            await pilot.pause()
            assert_safe(app, size)
        assert app.is_running


@pytest.mark.parametrize(
    "keys",
    [
        ["enter"],
        ["w"],
        ["a"],
        ["r"],
        ["tab", "tab", "enter"],
        ["tab", "tab", "tab", "enter"],
        ["tab", "tab", "tab", "tab", "enter"],
    ],
)
async def test_no_payload_breaks_a_dialog(keys: list[str], view: DeckView, console: Build) -> None:
    app, link = console(view)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()
        assert app.screen is not app.screen_stack[0]
        for payload in PAYLOADS:
            link.push(poisoned(view, payload))
            await pilot.pause()
            assert_safe(app, (80, 24))
        assert app.is_running


async def test_toasts_take_no_markup_and_no_sequences(view: DeckView, console: Build) -> None:
    app, _ = console(view)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause()
        for payload in PAYLOADS:
            app.say(payload, ok=True)
        for _ in range(3):
            await pilot.pause()
        assert_safe(app, (80, 24))
        assert all(not note.markup for note in app._notifications)


SEQUENCE = re.compile(
    rb"\x1b\[[0-9;]*m"  # colors
    rb"|\x1b\[[0-9;]*[HC]"  # cursor
    rb"|\x1b\[\?[0-9;]+[hl]"  # modes
    rb"|\x1b\[\?[0-9;]+\$p"  # queries of modes
    rb"|\x1b\[[<>=?]?[0-9;]*[uqctnJK]"  # keyboard protocol and queries
    rb"|\x1b\]22;[a-z]*(?:\x07|\x1b\\)"  # pointer shape
    rb"|\x1b\[[0-9]+ q|\x1b[78=>]"  # cursor shape
)

PROGRAM = """
import asyncio, importlib.util, sys
from pathlib import Path
here = Path(sys.argv[1])
def load(name):
    spec = importlib.util.spec_from_file_location(name, here / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
parts, hostile = load("conftest"), load("test_hostile")
from engine.model.commands import Actor
from tui.app import ConsoleApp
payload = sys.argv[2].encode("latin-1").decode("unicode_escape")
link = parts.FakeLink(hostile.poisoned(parts.make_view(), payload))
app = ConsoleApp(link, actor=Actor("nina", "pts/7"))
async def main():
    running = asyncio.create_task(app.run_async())
    while app.look() is None or not app.is_running:
        await asyncio.sleep(0.02)
    for key in ("enter", "escape", "w", "escape"):
        app.say(link.view.header.account, ok=True)
        app.simulate_key(key)
        await asyncio.sleep(0.1)
    app.exit(None)
    await running
asyncio.run(main())
print("the console left")
"""


@pytest.mark.parametrize("term", ["xterm-256color", "linux"])
@pytest.mark.parametrize(
    "payload",
    [r"\x1b]52;c;ZXZpbA==\x07\x1b[31m", r"\x9b31m\x9d52;c;AA\x9c", r"\x00\x07\u202e[/]\x1bPq\x1b\\"],
)
def test_a_terminal_sees_only_textuals_own_sequences(payload: str, term: str, tmp_path: Path) -> None:
    master, slave = pty.openpty()
    folder = Path(__file__).parent
    env = {**os.environ, "TERM": term, "COLUMNS": "80", "LINES": "24", "HOME": str(tmp_path)}
    env.pop("NO_COLOR", None)
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), payload],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        env=env,
        cwd=folder.parent.parent,
    )
    os.close(slave)
    written = bytearray()
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        ready, _, _ = select.select([master], [], [], 0.1)
        if ready:
            try:
                written += os.read(master, 65536)
            except OSError:
                break
        elif child.poll() is not None:
            break
    said = child.communicate(timeout=10)[0]
    os.close(master)
    assert said == b"the console left\n"
    assert b"RUNNING" in written
    rest = SEQUENCE.sub(b"", bytes(written))
    assert b"\x1b" not in rest, rest[rest.index(b"\x1b") - 20 :][:60]
    assert not re.search(rb"[\x00-\x06\x07\x0b\x0c\x0e-\x1f\x7f]", rest)
    text = rest.decode("utf-8")
    assert not re.search("[\x80-\x9f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]", text)
    assert "ZXZpbA" not in text
