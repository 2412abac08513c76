"""A program in a real pseudo-terminal: keys in, bytes out, timed and counted."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

ROWS, COLUMNS = 24, 80
PATIENCE_S = 60.0


class NothingShown(Exception):
    """The program ended, or time ran out, before the word appeared."""


class Terminal:
    """Runs a program until the block ends. `pass_fds` stay open in it."""

    def __init__(
        self,
        command: Sequence[str],
        size: tuple[int, int] = (COLUMNS, ROWS),
        environment: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.master, slave = pty.openpty()
        columns, rows = size
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.began = time.perf_counter()
        self._child = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, **terminal, **(environment or {})},
            start_new_session=True,
            pass_fds=pass_fds,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill()
        self._child.wait()
        os.close(self.master)

    def press(self, keys: str) -> None:
        """As a person does."""
        os.write(self.master, keys.encode())

    def read(self, patience_s: float) -> bytes:
        """What was written by now, or b"" after so long."""
        ready, _, _ = select.select([self.master], [], [], max(0.0, patience_s))
        try:
            return os.read(self.master, 65_536) if ready else b""
        except OSError as error:  # how Linux says that the other end is closed
            raise NothingShown("the program ended") from error

    def read_for(self, seconds: float) -> bytes:
        """Everything that is written in so long."""
        ends, found = time.perf_counter() + seconds, b""
        while (left := ends - time.perf_counter()) > 0:
            found += self.read(left)
        return found

    def until(self, *words: str, patience_s: float = PATIENCE_S) -> float:
        """Seconds from now until the first of the words is on the terminal. Raises NothingShown."""
        began, shown = time.perf_counter(), b""
        wanted = [word.encode() for word in words]
        while not any(word in shown for word in wanted):
            left = began + patience_s - time.perf_counter()
            if left <= 0:
                raise NothingShown(f"{words} did not appear in {patience_s:g} s: {shown[-500:]!r}")
            shown += self.read(left)
        return time.perf_counter() - began

    def until_all(self, words: Sequence[str], patience_s: float = PATIENCE_S) -> float:
        """Seconds from the start of the program until every word is on the terminal. Raises NothingShown."""
        deadline, shown = time.perf_counter() + patience_s, b""
        missing = {word.encode() for word in words}
        while missing := {word for word in missing if word not in shown}:
            left = deadline - time.perf_counter()
            if left <= 0:
                raise NothingShown(f"{missing} did not appear in {patience_s:g} s: {shown[-500:]!r}")
            shown += self.read(left)
        return time.perf_counter() - self.began

    def busy_s(self) -> float:
        """Processor time that it used so far (Linux)."""
        with open(f"/proc/{self._child.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def seconds_until_shown(
    command: Sequence[str], word: str, environment: Mapping[str, str] | None = None
) -> float:
    """From the start of the process to the first byte that completes `word` on its terminal."""
    with Terminal(command, environment=environment) as terminal:
        terminal.until(word)
        return time.perf_counter() - terminal.began
