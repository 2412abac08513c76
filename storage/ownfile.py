"""Small files that are ours alone: made whole or not at all, refused where another user could read them."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from engine.errors import ConfigError, StorageError

PRIVATE_FILE = 0o600
READ_MAX = 65_536


def make_own(path: Path, content: bytes, what: str) -> None:
    """Write a file that its owner alone can read, unless one is there: the first writer wins.

    Raises StorageError. A crash leaves a draft that nobody reads.
    """
    draft = path.with_name(_draft_of(path, secrets.token_hex(4)))
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink()
    except OSError as error:
        raise StorageError(f"cannot make {what} {path}: {error.strerror}", "Check the folder") from error


def drop_drafts(path: Path) -> None:
    """Delete what crashes left of making `path`; only where nobody else can be making it now."""
    for draft in path.parent.glob(_draft_of(path, "*")):
        draft.unlink(missing_ok=True)


def read_own(path: Path, what: str, harm: str) -> bytes | None:
    """At most `READ_MAX` bytes of a file that is ours alone; None where there is none.

    `harm`: what whoever read it can do. Raises ConfigError for a file that is not ours alone, StorageError
    where it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageError(f"cannot read {what} {path}: {error.strerror}") from error
    try:
        _check_owner(path, os.fstat(descriptor), harm)
        return os.read(descriptor, READ_MAX)
    finally:
        os.close(descriptor)


def _draft_of(path: Path, mark: str) -> str:
    return f".{path.name}.{mark}.new"


def _check_owner(path: Path, found: os.stat_result, harm: str) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise ConfigError(f"{path} is not a file of this user", "Move it away and start again")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigError(
            f"{path} can be read by other users (mode {stat.S_IMODE(found.st_mode):04o})",
            f"Whoever read it can {harm}. Close it with chmod 600 {path}, or move it away",
        )
