"""One process writes a state folder: an flock that the kernel drops when its holder dies, however it dies."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.errors import Busy, StorageError

_ATTEMPTS = 5
_PAUSE_S = 0.02
"""`lock_holder` takes the lock for an instant to look at it: a second try tells it from a real owner."""


class StateLock:
    """The lock of one state folder; release it, or leave the `with` block, or die."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, path: Path) -> Self:
        """Take the lock file `path`. Raises Busy naming the owner's pid, StorageError if it cannot be had."""
        descriptor = _open(path)
        for attempt in range(_ATTEMPTS):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if attempt == _ATTEMPTS - 1:
                    owner = _read_pid(descriptor)
                    os.close(descriptor)
                    raise _in_use(path, owner) from error
                time.sleep(_PAUSE_S)
            else:
                break
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(path, descriptor)

    def release(self) -> None:
        """Give the folder free; a second call does nothing. The file stays, it means nothing unlocked."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def lock_holder(path: Path) -> int | None:
    """The pid of the process that holds the lock file `path`, 0 when not known yet; None when it is free."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"cannot look at the lock {path}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_pid(descriptor) or 0
    finally:
        os.close(descriptor)
    return None


def require_free(path: Path) -> None:
    """Raises Busy when a process holds the lock file `path` now."""
    holder = lock_holder(path)
    if holder is not None:
        raise _in_use(path, holder)


def _in_use(path: Path, owner: int | None) -> Busy:
    return Busy(
        f"another tradedeck (pid {owner or 'not known yet'}) uses {path.parent}",
        "Stop it first, or give this one a folder of its own with --state",
    )


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StorageError(
            f"cannot make the lock {path}: {error.strerror}",
            "Check that the state folder exists and is yours",
        ) from error


def _read_pid(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else None
