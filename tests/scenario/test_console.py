"""The console as a person has it: a process in a terminal of 80x24, keys in, text out, then the books."""

import fcntl
import json
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

PATIENCE_S = 60.0
RUN = "from tui.cli import main; main()"
_ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")


class Terminal:
    """A program in a pseudo terminal; `text` is all it wrote, without escape sequences."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, *arguments],
            cwd=folder,
            env={**os.environ, "TRADEDECK_HOME": str(folder / "home"), "TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._raw = b""
        self._read_to = 0

    @property
    def text(self) -> str:
        return _ESCAPE.sub(b" ", self._raw).decode(errors="replace")

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def await_text(self, *words: str) -> None:
        """Read until one of the words was written after the last wait."""
        assert self._find(words, PATIENCE_S), f"{words} did not come: {self.text[-3000:]}"

    def press_until(self, keys: str, *words: str) -> None:
        """Press again until one of the words comes: a key that comes too early is refused on purpose."""
        for _ in range(round(PATIENCE_S)):
            self.press(keys)
            if self._find(words, 1.0):
                return
        pytest.fail(f"{words} did not come: {self.text[-3000:]}")

    def _find(self, words: tuple[str, ...], patience_s: float) -> bool:
        limit = time.monotonic() + patience_s
        while not any(word in self.text[self._read_to :] for word in words):
            ready, _, _ = select.select([self._master], [], [], max(0.0, limit - time.monotonic()))
            if not ready:
                return False
            self._raw += self._read()
        self._read_to = len(self.text)
        return True

    def _read(self) -> bytes:
        try:
            return os.read(self._master, 65536)
        except OSError:  # the other end is closed
            pytest.fail(f"the console ended: {self.text[-3000:]}")

    def end(self) -> int:
        """Wait for the program and give its exit code."""
        while True:
            try:
                if not os.read(self._master, 65536):
                    break
            except OSError:
                break
        os.close(self._master)
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def tradedeck(folder: Path, *arguments: str) -> Any:
    environment = {**os.environ, "TRADEDECK_HOME": str(folder / "home")}
    command = [sys.executable, "-c", RUN, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_ticket_is_approved_filled_protected_and_sold(tmp_path: Path, replay_arguments: list[str]) -> None:
    terminal = Terminal([*replay_arguments, "--speed", "200000"], tmp_path)
    try:
        terminal.await_text("waiting for you")
        assert "SIMULATION" in terminal.text
        terminal.press_until("a", "exact order")
        terminal.press_until("a", "sent, B-1")
        terminal.press_until(" ", "Last closed")
        terminal.press_until("q", "Stop the engine too")
        terminal.press("q")
        assert terminal.end() == 0
    except BaseException:
        terminal.kill()
        raise
    (trip,) = [
        t for t in tradedeck(tmp_path, "--state", "latest", "round-trips", "--json") if t["bracket"] == "B-1"
    ]
    assert trip["exit_reason"] in {"stop", "target", "time"}
    (verdict,) = tradedeck(tmp_path, "--state", "latest", "audit", "verify", "--json").values()
    assert verdict["ok"]


def test_another_shell_reaches_the_engine_of_the_console(tmp_path: Path, replay_arguments: list[str]) -> None:
    state = ["--state", str(tmp_path / "s")]
    terminal = Terminal([*replay_arguments, *state], tmp_path)
    try:
        terminal.await_text("waiting for you")
        limit = time.monotonic() + PATIENCE_S
        # Its socket may come a moment after its first screen.
        while (status := tradedeck(tmp_path, *state, "status", "--json"))["state"] == "UNREACHED":
            assert time.monotonic() < limit, f"the engine runs, status says: {status['reason']}"
        assert status["state"] == "RUNNING"
        assert tradedeck(tmp_path, *state, "halt", "--json")["ok"]
        terminal.await_text("No new orders")
        terminal.press_until("q", "Stop the engine too")
        terminal.press("q")
        assert terminal.end() == 0
    except BaseException:
        terminal.kill()
        raise
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
