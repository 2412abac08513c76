"""The console before its engine, as a process in a terminal: what refuses it, who leaves, who halts."""

import json
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from storage.lock import StateLock

Open = Callable[[list[str]], Any]
LEFT_SCREEN = b"\x1b[?1049l"
"""The terminal shows again what it showed before the console."""


def last_line(console: Any) -> str:
    """What stands below the console that closed; everything else was on its own screen."""
    said: str = console.raw.rpartition(LEFT_SCREEN)[2].decode()
    return said.rpartition("\x1b[")[2].partition("l")[2] if "\x1b[" in said else said


def books(folder: Path) -> list[Path]:
    return [path for path in (folder / "home").rglob("*.db")]


def test_leaving_before_the_engine_began_keeps_nothing(tmp_path: Path, terminal: Open) -> None:
    console = terminal(["--demo"])
    console.await_text("STARTING")
    console.press("q")
    assert console.end() == 0
    assert LEFT_SCREEN in console.raw
    assert last_line(console).splitlines() == ["closed before the engine began, nothing was kept"]
    assert books(tmp_path) == []


def test_a_config_that_is_refused_closes_the_console_with_one_line(tmp_path: Path, terminal: Open) -> None:
    (tmp_path / "bad.toml").write_text("[gaps]\nsize_pct = 7\n")
    console = terminal(["--demo", "--config", "bad.toml"])
    assert console.end() == 78
    assert LEFT_SCREEN in console.raw
    (line,) = last_line(console).splitlines()
    assert line.startswith("tradedeck: bad.toml: gaps.size_pct = 7")
    assert books(tmp_path) == []


def test_bars_that_are_missing_are_told_with_their_own_exit_code(terminal: Open) -> None:
    console = terminal(["--replay", "2016-01-04"])
    assert console.end() == 65
    (line,) = last_line(console).splitlines()
    assert line.startswith("tradedeck: there are no daily bars to replay")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--demo", "--config", "none.toml"], 78, "none.toml does not exist"),
        (["--demo", "--policy", "perhaps"], 78, '"perhaps" is not one of'),
        (["--demo", "--data", "none.csv"], 2, "--demo cannot be combined with --data"),
        (["--demo", "--state", "held"], 75, "another tradedeck (pid"),
        (["attach"], 75, "no engine runs here"),
        (["attach", "--socket", "none.sock"], 75, "no engine runs on none.sock"),
        ([], 78, "Set each: tradedeck keys set alpaca.key_id"),
    ],
)
def test_what_can_be_seen_at_once_never_opens_the_console(
    tmp_path: Path, terminal: Open, arguments: list[str], code: int, words: str
) -> None:
    (tmp_path / "held").mkdir()
    with StateLock.acquire(tmp_path / "held" / "lock"):
        console = terminal(arguments)
        assert console.end() == code
    assert b"\x1b" not in console.raw
    (line,) = console.text.splitlines()
    assert words in line


def test_the_kill_switch_is_kept_for_the_engine_that_starts(tmp_path: Path, terminal: Open) -> None:
    console = terminal(["--demo", "--state", "s"])
    console.await_text("STARTING")
    os.kill(console.process.pid, signal.SIGUSR1)
    console.await_text("HALTED")
    console.press_until("q", "Stop the engine too")
    console.press("q")
    assert console.end() == 0
    assert LEFT_SCREEN in console.raw
    (journal,) = (tmp_path / "s").rglob("journal*.db")
    with sqlite3.connect(journal) as opened:
        assert "signal SIGUSR1" in json.dumps(opened.execute("select * from audit").fetchall(), default=str)
