"""What stands beside a stored model (SPEC 8.6): where it came from, what it needs, and proof of its bytes.

The digest is over everything but when it was made and what was there before, so the same model trained again
has the same id.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import date
from math import isfinite
from typing import Any

import msgspec

from engine.errors import DataError

FORMAT = 1
BYTES_MAX = 1_000_000
DIGITS = 12
"""Of the digest, in the id of a model."""
_WORD = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
"""What is shown of a manifest is made of these: nothing in it can move a terminal's cursor."""
_AGAIN = "Train the model again, or restore it from a backup"


@dataclass(frozen=True, slots=True)
class DataRange:
    """Entry sessions as ISO days and numbers of the events trained on."""

    first: str
    last: str
    rows: int
    touched: int


@dataclass(frozen=True, slots=True)
class InputNote:
    """One input: `low`, `high` are its 1st and 99th percentile in training."""

    id: str
    version: str
    transform: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FileNote:
    """One file of the folder."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Rows of inputs and the log-odds that both models gave them when they were trained."""

    rows: tuple[tuple[float, ...], ...]
    touch: tuple[float, ...]
    bounce: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether past quarters of a walk-forward speak for it (SPEC 3.3.4), and what speaks against it."""

    is_usable: bool
    failings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """`manifest.json`. `version` is the id of the model, `created` ISO UTC, `parent` the one before it."""

    format: int
    name: str
    version: str
    created: str
    data: DataRange
    features: tuple[InputNote, ...]
    params: dict[str, Any]
    seed: int
    metrics: dict[str, Any]
    importance: dict[str, Any]
    returns: dict[str, float]
    standing: Standing
    parent: str | None
    selftest: SelfTest
    files: dict[str, FileNote]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Ids of its inputs, in order."""
        return tuple(note.id for note in self.features)

    def digest(self) -> str:
        """SHA-256 of what makes the model this one."""
        return hashlib.sha256(encode(replace(self, version="", created="", parent=None))).hexdigest()


def encode(manifest: Manifest) -> bytes:
    """Canonical JSON: the same manifest gives the same bytes."""
    return msgspec.json.encode(manifest, order="sorted")


def decode(content: bytes) -> Manifest:
    """The manifest of its bytes, whose version fits its digest. Raises DataError."""
    if len(content) > BYTES_MAX:
        raise DataError(f"a manifest of {len(content):,} bytes is too large", _AGAIN)
    try:
        found = msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise DataError(f"a manifest cannot be read: {error}", _AGAIN) from error
    if found.format != FORMAT:
        raise DataError(f"a manifest has format {found.format}, this program reads {FORMAT}", _AGAIN)
    words = (
        found.name,
        *(word for note in found.features for word in (note.id, note.version, note.transform)),
    )
    if not all(map(_WORD.fullmatch, words)):
        raise DataError("a manifest holds names that are none", _AGAIN)
    if found.version != version_of(found):
        raise DataError(f"the manifest of {found.version[:80]!r} is not the one it was made with", _AGAIN)
    width = len(found.features)
    test = found.selftest
    lengths = {len(row) for row in test.rows} | {width}
    if not width or len(lengths) > 1 or not len(test.rows) == len(test.touch) == len(test.bounce) > 0:
        raise DataError(f"the self-test of {found.version} does not fit its inputs", _AGAIN)
    if not set(found.returns) == {"target", "stop", "time"} or not all(map(isfinite, found.returns.values())):
        raise DataError(f"the returns of {found.version} are not those of three ways out", _AGAIN)
    try:
        span = [date.fromisoformat(day) for day in (found.data.first, found.data.last)]
    except ValueError as error:
        raise DataError(f"{found.version} does not say which days it was trained on", _AGAIN) from error
    if span != sorted(span):
        raise DataError(f"{found.version} was trained from {span[0]} until {span[1]}", _AGAIN)
    return found


def version_of(manifest: Manifest) -> str:
    """The id: its name and the start of its digest."""
    return f"{manifest.name}-{manifest.digest()[:DIGITS]}"


def note(content: bytes) -> FileNote:
    """What a manifest says of a file."""
    return FileNote(sha256(content), len(content))


def sha256(content: bytes) -> str:
    """Hexadecimal."""
    return hashlib.sha256(content).hexdigest()
