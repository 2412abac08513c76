"""A program in a real pseudo-terminal of 80 x 24, timed until a word appears on it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence

ROWS, COLUMNS = 24, 80
PATIENCE_S = 30.0


class NothingShown(Exception):
    """The program ended, or time ran out, before the word appeared."""


def seconds_until_shown(command: Sequence[str], word: str) -> float:
    """From the start of the process to the first byte that completes `word` on its terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    ) as child:
        os.close(slave)
        try:
            _read_until(master, word.encode(), began + PATIENCE_S)
            return time.perf_counter() - began
        finally:
            child.kill()
            os.close(master)


def _read_until(master: int, word: bytes, deadline: float) -> None:
    shown = b""
    while word not in shown:
        ready, _, _ = select.select([master], [], [], max(0.0, deadline - time.perf_counter()))
        if not ready:
            raise NothingShown(f"{word!r} did not appear in {PATIENCE_S:g} s: {shown[-500:]!r}")
        try:
            shown += os.read(master, 65_536)
        except OSError as error:  # how Linux says that the other end is closed
            raise NothingShown(f"the program ended before {word!r}: {shown[-2000:].decode()}") from error
