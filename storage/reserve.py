"""Room on the disk, held for the day it is full: given back, exits can be written down (RELIABILITY 4)."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from storage.database import PRIVATE_FILE

RESERVE_BYTES = 8 * 1024 * 1024
ROOM_BYTES = 64 * 1024 * 1024
"""It is made anew only with that much free: at less, the journal needs what there is."""
BLOCK = 512
"""Bytes of a block of `st_blocks`, whatever the file system (POSIX)."""


def free_bytes(folder: Path) -> int:
    """What this user may still write beside `folder`'s files. Raises OSError."""
    return shutil.disk_usage(folder).free


def reserve_path(journal: Path) -> Path:
    """Beside the journal, so that what it gives back is on the same disk."""
    return journal.with_name(f"{journal.name}.reserve")


class Reserve:
    """One file of `size` bytes that are really allocated, never sparse. 0600."""

    def __init__(self, path: Path, size: int = RESERVE_BYTES, room: int = ROOM_BYTES) -> None:
        self.path = path
        self._size = size
        self._room = room

    @property
    def is_whole(self) -> bool:
        """All of its bytes are on the disk."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        return found.st_size == self._size <= found.st_blocks * BLOCK

    def hold(self) -> str:
        """Allocate it where it is not whole; why it could not be, "" once it is."""
        if self.is_whole:
            return ""
        try:
            free = free_bytes(self.path.parent)
            if free < self._room:
                return f"only {_mib(free)} free, {_mib(self._room)} are needed for the reserve"
            self._allocate()
        except OSError as error:
            self.release()
            return f"no room for the reserve of {_mib(self._size)}: {error.strerror or error}"
        return "" if self.is_whole else f"the disk did not set aside the {_mib(self._size)} asked for"

    def release(self) -> bool:
        """Give its bytes back; False when it held none."""
        try:
            held = self.path.stat().st_blocks > 0
        except OSError:
            return False
        with suppress(OSError):  # then it is still there, and the next write says that the disk is full
            self.path.unlink()
        return held and not self.path.exists()

    def _allocate(self) -> None:
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            os.fchmod(handle, PRIVATE_FILE)
            os.ftruncate(handle, 0)
            os.posix_fallocate(handle, 0, self._size)
            os.fsync(handle)
        finally:
            os.close(handle)


def _mib(size: int) -> str:
    return f"{size / (1024 * 1024):.0f} MiB"
