"""A program in a terminal of 80x24, as a person has it: keys in, text out."""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PATIENCE_S = 60.0
RUN = "from tui.cli import main; main()"
_ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")


class Terminal:
    """A program in a pseudo terminal; `text` is all it wrote, without escape sequences."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self._master, slave = os.openpty()
        self.name = os.ttyname(slave).removeprefix("/dev/")
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, *arguments],
            cwd=folder,
            env={**os.environ, "TRADEDECK_HOME": str(folder / "home"), "TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            # Ctrl-C, the loss of the line and `/proc` all go by the terminal that a session owns.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self._raw = b""
        self._read_to = 0

    @property
    def text(self) -> str:
        return _ESCAPE.sub(b" ", self._raw).decode(errors="replace")

    @property
    def raw(self) -> bytes:
        """Every byte that it wrote."""
        return self._raw

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
        raise AssertionError(f"{words} did not come: {self.text[-3000:]}")

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
        except OSError as error:  # the other end is closed
            raise AssertionError(f"the console ended: {self.text[-3000:]}") from error

    def end(self) -> int:
        """Wait for the program and give its exit code; `text` then holds its last words too."""
        while True:
            try:
                data = os.read(self._master, 65536)
            except OSError:
                break
            if not data:
                break
            self._raw += data
        os.close(self._master)
        return self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        """`kill -9`, which no program can answer."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        """Let it stand still, as a laptop does that was closed."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[[list[str]], Terminal]]:
    """Open tradedeck in a terminal, with all folders of its person under `tmp_path`."""
    opened: list[Terminal] = []

    def begin(arguments: list[str]) -> Terminal:
        opened.append(Terminal(arguments, tmp_path))
        return opened[-1]

    yield begin
    for each in opened:
        if each.process.poll() is None:
            each.kill()
