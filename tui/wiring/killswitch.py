"""The two ways to the kill switch that need no console: a file named HALT, and the signal SIGUSR1.

The file halts when it appears, and at a start when it is there; its text is the reason. Removing it resumes
nothing, and while it is there nobody can resume.
"""

import asyncio
import errno
import os
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.model.commands import Actor
from engine.model.text import clean

PERIOD_S = 0.05
"""How often the file is looked for: a halt is felt within 0.1 s."""
READ_MAX = 1024
"""Bytes of the file that may be its reason."""
BY_FILE = Actor("file HALT", "")
BY_SIGNAL = Actor("signal SIGUSR1", "")
NO_TEXT = "no reason in the file"

Press = Callable[[Actor, str], None]
"""Halts the account: who, and why."""


class HaltFile:
    """Looks for the file. It halts once for each time that the file appears."""

    def __init__(self, path: Path, press: Press) -> None:
        self._path = path
        self._press = press
        self._was_there = False

    def look(self) -> None:
        """Halt when the file is there and was not. A path that cannot be looked at is a halt too."""
        try:
            is_there, refused = self._is_there(), ""
        except OSError as error:
            is_there, refused = True, f"{self._path} cannot be looked for: {error.strerror}"
        if is_there and not self._was_there:
            self._press(BY_FILE, refused or self._reason())
        self._was_there = is_there

    def blocks_resume(self) -> str:
        """Why nobody may resume while the file is there; "" when it is gone."""
        return f"remove the file {self._path} first." if self._was_there else ""

    async def watch(self) -> None:
        """Look for ever. One `lstat` in memory: it costs the loop some microseconds."""
        while True:
            self.look()
            await asyncio.sleep(PERIOD_S)

    def _is_there(self) -> bool:
        try:
            self._path.lstat()
        except OSError as error:
            if error.errno == errno.ENOENT:
                return False
            raise
        return True

    def _reason(self) -> str:
        """Its first kilobyte as one line. Never waits: what is not a plain file is not read."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return "not a plain file"
                text = os.read(descriptor, READ_MAX).decode("utf-8", "replace")
            finally:
                os.close(descriptor)
        except OSError as error:
            return f"the file cannot be read: {error.strerror}"
        return clean(text).strip() or NO_TEXT


@contextmanager
def on_signal(press: Press) -> Iterator[None]:
    """While inside, SIGUSR1 halts. For the main thread's loop."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, press, BY_SIGNAL, "kill switch")
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGUSR1)
