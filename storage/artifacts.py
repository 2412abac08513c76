"""Files that a person asks for: a safe name where we choose it, whole or not at all, no link followed."""

import hashlib
import os
import re
import secrets
from pathlib import Path

from engine.errors import StorageError, UsageError

SLUG_MAX = 64
HASH_DIGITS = 16
_OTHER = re.compile(r"[^a-z0-9]+")
PRIVATE_FILE = 0o600


def slug(words: str) -> str:
    """`words` as `[a-z0-9-]{1,64}`; `report` where nothing of them is left."""
    found = _OTHER.sub("-", words.lower()).strip("-")[:SLUG_MAX].strip("-")
    return found or "report"


def artifact_name(words: str, content: bytes, suffix: str) -> str:
    """A name that tells what it is and changes with the content."""
    return f"{slug(words)}-{hashlib.sha256(content).hexdigest()[:HASH_DIGITS]}{suffix}"


def write_artifact(folder: Path, name: str, content: bytes) -> Path:
    """Write `name` inside `folder`, in the place of an older one; the path.

    Raises UsageError for a name that leads out of the folder, or to a link; StorageError.
    """
    root = folder.resolve()
    path = root / name
    if path.parent.resolve() != root or path.name != name or name in ("", ".", ".."):
        raise UsageError(f"{name!r} is no name of a file in {folder}", "Name a file, without a folder")
    if path.is_symlink():
        raise UsageError(f"{path} is a link: it is not followed", "Name another file, or remove the link")
    draft = root / f".{slug(name)}-{secrets.token_hex(4)}.new"
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror or error}", "Check the folder and its room"
        ) from error
    return path


def write_chosen(path: Path, words: str, content: bytes, suffix: str) -> Path:
    """Write to a file that a person named, or under a name of ours into a folder that they named."""
    if path.is_dir():
        return write_artifact(path, artifact_name(words, content, suffix), content)
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", "Make it, or name another one")
    return write_artifact(path.parent, path.name, content)
