"""How much room the disk has left, and what follows from it (RELIABILITY 11)."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from storage.reserve import free_bytes

WARN_BYTES = 500_000_000
STOP_BYTES = 200_000_000
MEGABYTE = 1_000_000


class Space(StrEnum):
    """AMPLE; LOW: a person is told; OUT: nothing new begins."""

    AMPLE = "ample"
    LOW = "low"
    OUT = "out"


def space_of(free: int) -> Space:
    """What `free` bytes are."""
    if free < STOP_BYTES:
        return Space.OUT
    return Space.LOW if free < WARN_BYTES else Space.AMPLE


class DiskGuard:
    """Looks at the disk of one folder; `look` is called from time to time, by whoever runs the daemon."""

    def __init__(
        self,
        folder: Path,
        warn: Callable[[str], None],
        stop: Callable[[str], None],
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._folder = folder
        self._warn = warn
        self._stop = stop
        self._free = free
        self.space = Space.AMPLE

    def look(self) -> Space:
        """Measure. `warn` is called once each time it becomes LOW, `stop` each time it becomes OUT.

        A disk that cannot be measured is OUT: nobody knows that there is room.
        """
        before = self.space
        try:
            free = self._free(self._folder)
        except OSError as error:
            self.space, text = Space.OUT, f"the room on the disk is not known: {error.strerror or error}"
        else:
            self.space = space_of(free)
            text = f"{free // MEGABYTE} MB free on the disk of {self._folder}"
        if self.space is not before and self.space is Space.OUT:
            self._stop(f"{text}: no entries below {STOP_BYTES // MEGABYTE} MB")
        elif self.space is Space.LOW and before is Space.AMPLE:
            self._warn(f"{text}: entries stop below {STOP_BYTES // MEGABYTE} MB")
        return self.space
