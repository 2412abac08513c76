"""Stages of models and every configuration that was tried: `registry.db` beside the folders (SPEC 8.1, 9.3).

Both tables only grow. A trial is counted once however often it is run: its key is what was tried.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from engine.errors import UsageError
from storage.database import Schema, Synchronous, open_for_writing, storage_errors, transaction

FILE = "registry.db"
_VERSION_1 = """
CREATE TABLE stage(
  number INTEGER PRIMARY KEY, version TEXT NOT NULL, stage TEXT NOT NULL, ts INT NOT NULL,
  actor TEXT NOT NULL, reason TEXT NOT NULL) STRICT;
CREATE TABLE trial(
  digest TEXT PRIMARY KEY, study TEXT NOT NULL, configuration TEXT NOT NULL, value REAL, ts INT NOT NULL)
  STRICT;
"""
REGISTRY = Schema("registry of models", 0x7464_4D31, (_VERSION_1,))  # "tdM1"


class Stage(StrEnum):
    """Where a model stands (SPEC 8.1)."""

    VALIDATE = "validate"
    SHADOW = "shadow"
    CANARY = "canary"
    LIVE = "live"
    RETIRED = "retired"


_NEXT: Mapping[Stage | None, frozenset[Stage]] = {
    None: frozenset({Stage.VALIDATE}),
    Stage.VALIDATE: frozenset({Stage.SHADOW, Stage.RETIRED}),
    Stage.SHADOW: frozenset({Stage.CANARY, Stage.RETIRED}),
    Stage.CANARY: frozenset({Stage.LIVE, Stage.SHADOW, Stage.RETIRED}),
    Stage.LIVE: frozenset({Stage.SHADOW, Stage.RETIRED}),
    Stage.RETIRED: frozenset(),
}
_SERVES = (Stage.LIVE, Stage.CANARY, Stage.SHADOW, Stage.VALIDATE)
"""Whose models are asked first. What they may lead to is decided by their being usable, not here."""


@dataclass(frozen=True, slots=True)
class StageLine:
    """The newest stage of a version. `ts` int microseconds UTC."""

    version: str
    stage: Stage
    ts: int
    actor: str
    reason: str


class ModelRegistry:
    """The two tables."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def stages(self) -> dict[str, StageLine]:
        """The newest stage of each version, in the order in which they came to it."""
        with storage_errors(self._path, "reading the registry of models"):
            rows = self._connection.execute(
                "SELECT version, stage, ts, actor, reason FROM stage ORDER BY number"
            ).fetchall()
        found: dict[str, StageLine] = {}
        for version, stage, ts, actor, reason in rows:
            found.pop(version, None)
            found[version] = StageLine(version, Stage(stage), ts, actor, reason)
        return found

    def move(self, version: str, stage: Stage, ts: int, actor: str, reason: str) -> None:
        """Bring a version to its next stage. Raises UsageError for a stage that does not follow."""
        with (
            storage_errors(self._path, "writing the registry of models"),
            transaction(self._connection),
        ):
            line = self.stages().get(version)
            now = None if line is None else line.stage
            if stage not in _NEXT[now]:
                allowed = ", ".join(sorted(_NEXT[now])) or "nothing"
                raise UsageError(
                    f"{version} is {now or 'not registered'}: {stage} does not follow", f"Next is {allowed}"
                )
            self._connection.execute(
                "INSERT INTO stage(version, stage, ts, actor, reason) VALUES (?,?,?,?,?)",
                (version, stage.value, ts, actor, reason),
            )

    def record_trial(
        self, study: str, configuration: Mapping[str, object], value: float | None, ts: int
    ) -> None:
        """Count a configuration; one that was counted before stays as it was."""
        text = json.dumps(configuration, sort_keys=True, separators=(",", ":"))
        digest = sha256(f"{study}\n{text}".encode()).hexdigest()
        with (
            storage_errors(self._path, "writing the registry of models"),
            transaction(self._connection),
        ):
            self._connection.execute(
                "INSERT OR IGNORE INTO trial(digest, study, configuration, value, ts) VALUES (?,?,?,?,?)",
                (digest, study, text, value, ts),
            )

    def trials(self, prefix: str = "") -> int:
        """How many configurations were tried in studies whose name begins so."""
        with storage_errors(self._path, "reading the registry of models"):
            row = self._connection.execute(
                "SELECT count(*) FROM trial WHERE substr(study, 1, ?) = ?", (len(prefix), prefix)
            ).fetchone()
        return int(row[0])

    def best_trial(self, study: str) -> Mapping[str, object] | None:
        """The configuration with the smallest value in a study; None where nothing was tried."""
        with storage_errors(self._path, "reading the registry of models"):
            row = self._connection.execute(
                "SELECT configuration FROM trial WHERE study = ? AND value IS NOT NULL"
                " ORDER BY value, digest LIMIT 1",
                (study,),
            ).fetchone()
        if row is None:
            return None
        found: Mapping[str, object] = json.loads(row[0])
        return found

    def order(self, name: str) -> tuple[str, ...]:
        """The versions of a name in the order in which they are asked: highest stage first, newest first."""
        lines = [line for line in self.stages().values() if line.version.rpartition("-")[0] == name]
        return tuple(line.version for stage in _SERVES for line in reversed(lines) if line.stage is stage)


@contextmanager
def open_registry(folder: Path) -> Iterator[ModelRegistry]:
    """The registry of a folder of models, made where it is missing. Raises StorageError."""
    path = folder / FILE
    connection = open_for_writing(path, REGISTRY, Synchronous.FULL)
    try:
        yield ModelRegistry(connection, path)
    finally:
        connection.close()
