"""Walk-forward proposals of a back-test that a person keeps as evidence of an edge (SPEC 3.3.6)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Any

from engine.errors import DataError, StorageError
from storage.artifacts import write_artifact
from storage.paths import make_private

FILE = "walk-forward-gaps.json"
LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class PastProposals:
    """What a report of the full rule says of its trades at 1x cost."""

    sha256: str
    """Of the report."""
    thresholds: Mapping[str, object]
    """`[gaps]` as it was then."""
    returns: tuple[tuple[date, float], ...]
    """Session and net return of each."""


def read_report(path: Path) -> PastProposals:
    """The proposals of a report in JSON (`backtest gaps --rule full --report DIR`). Raises DataError."""
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path} is larger than {LARGEST // 2**20} MB", "Name the JSON file of a report")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", "Check the path") from error
    return _parsed(content, path)


def keep_report(path: Path, folder: Path) -> PastProposals:
    """Take a report over as evidence, in the place of an older one. Raises DataError and StorageError."""
    found = read_report(path)
    kept = {
        "sha256": found.sha256,
        "rule": "full",
        "thresholds": dict(found.thresholds),
        "rows": [{"date": day.isoformat(), "net": net} for day, net in found.returns],
    }
    content = json.dumps(kept, indent=1, allow_nan=False).encode()
    write_artifact(make_private(folder), FILE, content)
    return found


def kept_proposals(folder: Path) -> PastProposals | None:
    """What was taken over; None: nothing. Raises StorageError for a file that is damaged."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        return read_report(path)
    except DataError as error:
        raise StorageError(error.message, "Take the report over again: tradedeck policy evidence") from error


def _parsed(content: bytes, path: Path) -> PastProposals:
    try:
        document: Any = json.loads(content)
        if document["rule"] != "full":
            raise ValueError(f"it is of rule {document['rule']}")
        returns = tuple((date.fromisoformat(row["date"]), float(row["net"])) for row in document["rows"])
        if not all(isfinite(net) and net > -2 for _, net in returns):
            raise ValueError("a return is not a number above -200 %")
        thresholds = dict(document["thresholds"])
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{path} is no report of the full rule with its trades: {error}",
            "Make one: tradedeck backtest gaps --rule full --report DIR",
        ) from error
    sha256 = str(document.get("sha256") or hashlib.sha256(content).hexdigest())
    return PastProposals(sha256, thresholds, returns)
