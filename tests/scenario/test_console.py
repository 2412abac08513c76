"""The console as a person has it: a process in a terminal of 80x24, keys in, text out, then the books."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0
RUN = "from tui.cli import main; main()"
Open = Callable[[list[str]], Any]


def tradedeck(folder: Path, *arguments: str) -> Any:
    environment = {**os.environ, "TRADEDECK_HOME": str(folder / "home")}
    command = [sys.executable, "-c", RUN, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_ticket_is_approved_filled_protected_and_sold(
    tmp_path: Path, replay_arguments: list[str], terminal: Open
) -> None:
    console = terminal([*replay_arguments, "--speed", "200000"])
    console.await_text("3 waiting")
    assert "SIMULATION" in console.text
    console.press_until("a", "exact order")
    console.press_until("a", "sent, B-1")
    console.press_until(" ", "Last closed")
    console.press_until("q", "Stop the engine too")
    console.press("q")
    assert console.end() == 0
    (trip,) = [
        t for t in tradedeck(tmp_path, "--state", "latest", "round-trips", "--json") if t["bracket"] == "B-1"
    ]
    assert trip["exit_reason"] in {"stop", "target", "time"}
    (verdict,) = tradedeck(tmp_path, "--state", "latest", "audit", "verify", "--json").values()
    assert verdict["ok"]


def test_another_shell_reaches_the_engine_of_the_console(
    tmp_path: Path, replay_arguments: list[str], terminal: Open
) -> None:
    state = ["--state", str(tmp_path / "s")]
    console = terminal([*replay_arguments, *state])
    console.await_text("3 waiting")
    limit = time.monotonic() + PATIENCE_S
    # Its socket may come a moment after its first screen.
    while (status := tradedeck(tmp_path, *state, "status", "--json"))["state"] == "UNREACHED":
        assert time.monotonic() < limit, f"the engine runs, status says: {status['reason']}"
    assert status["state"] == "RUNNING"
    assert tradedeck(tmp_path, *state, "halt", "--json")["ok"]
    console.await_text("No new orders")
    console.press_until("q", "Stop the engine too")
    console.press("q")
    assert console.end() == 0
    assert not (tmp_path / "s" / "daemon.sock").exists()


def test_a_replay_behind_the_last_bar_is_refused_in_one_line(
    tmp_path: Path, replay_arguments: list[str]
) -> None:
    arguments = ["--no-ui", *replay_arguments]
    arguments[arguments.index("--replay") + 1] = "2017-12-27"
    environment = {**os.environ, "TRADEDECK_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", RUN, *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("tradedeck: the daily bars end on 2016-05-")
    assert done.stdout == ""
