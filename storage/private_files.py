"""Small files that only their owner may read: looked at before they are read, written whole or not at all."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

from engine.errors import ConfigError, StorageError
from storage.paths import make_private

PRIVATE_FILE = 0o600
_OTHERS_READ = 0o077
_OTHERS_WRITE = 0o022


def read_private(path: Path, most: int) -> bytes | None:
    """The content of `path`, at most `most` bytes; None where there is none.

    Raises ConfigError for a link, a file of another user, one that others may read, and a folder that others
    may write; StorageError where it cannot be read.
    """
    return _read(path, most, _check_ours)


def read_credential(path: Path, most: int) -> bytes | None:
    """The same for a file of the service manager, which may be root's and show its ACL as a group's right."""
    return _read(path, most, _check_given)


def write_private(path: Path, content: bytes) -> None:
    """Put `content` in the place of `path`, 0600; a crash leaves the old or the new. Raises StorageError."""
    draft = path.with_name(f".{path.name}.new")
    make_private(path.parent)
    try:
        draft.unlink(missing_ok=True)  # of a write that was cut off
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror or error}",
            "Nothing was changed. Look at the folder's permissions and the room on its disk",
        ) from error


def _read(path: Path, most: int, check: Callable[[Path, os.stat_result], None]) -> bytes | None:
    try:
        # Not blocking: a pipe in its place must not hold the start up.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ConfigError(
                f"{path} is a symbolic link: what it leads to may be changed by others",
                "Put the file itself there",
            ) from error
        raise StorageError(
            f"{path} cannot be read: {error.strerror}", "Look at its owner and permissions"
        ) from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError(f"{path} is not a file", "Move it away")
        check(path, found)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(most + 1)
    finally:
        os.close(descriptor)
    if len(content) > most:
        raise ConfigError(f"{path} is larger than {most:,} bytes", "It is none of ours: move it away")
    return content


def _check_ours(path: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid != os.geteuid():
        raise ConfigError(
            f"{path} belongs to another user (uid {found.st_uid}, this is {os.geteuid()})",
            "Run as its owner, or move it away and set the keys anew",
        )
    if mode & _OTHERS_READ:
        raise ConfigError(
            f"{path} can be read by other users (mode {mode:04o})",
            f"Close it: chmod 600 {path}. Whoever read it has the keys: make new ones at the provider",
        )
    folder = path.parent.stat()
    if folder.st_uid not in (os.geteuid(), 0) or stat.S_IMODE(folder.st_mode) & _OTHERS_WRITE:
        raise ConfigError(
            f"{path.parent} can be changed by other users (mode {stat.S_IMODE(folder.st_mode):04o})",
            f"Close it: chmod 700 {path.parent}",
        )


def _check_given(path: Path, found: os.stat_result) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if found.st_uid not in (os.geteuid(), 0):
        raise ConfigError(
            f"{path} belongs to another user (uid {found.st_uid}, this is {os.geteuid()})",
            "Let the service manager put it there: LoadCredential",
        )
    if mode & 0o027:
        raise ConfigError(
            f"{path} is open to other users (mode {mode:04o})",
            f"Let the service manager put it there: LoadCredential; or chmod 600 {path}",
        )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
