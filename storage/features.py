"""The point-in-time store of features: one row a vector, values as a blob of float64 (SPEC 1.7, 1.8, 11.11).

A row is never changed: a correction is a row that became known later, a late one is history. `ts_known` of an
entity never goes back, so what a read as of an instant says stays what it said. Rows are found by one seek on
(entity, layout, ts_event, ts_known).
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypeAlias

import numpy as np

from engine.features.registry import FeatureRecord
from engine.features.validation import GOOD, SUSPECT, TRAIL, Checked, Guard, Trail, reason_of
from engine.model.candidates import FeatureValue, MissingReason
from engine.model.features import FeatureLayout, FeatureVector, Refusal, Written
from storage.database import (
    Schema,
    Synchronous,
    open_for_reading,
    open_for_writing,
    storage_errors,
    transaction,
)

_Row: TypeAlias = tuple[int, int, int, int, str, bytes, bytes | None]
US_PER_DAY = 86_400_000_000
KEPT_WHOLE_DAYS = 30
"""All vectors of these days are kept, then the last of each day (SPEC 11.11)."""
_DELETED_AT_ONCE = 5_000
_FLOATS = np.dtype("<f8")
_FOR_EVER = 1 << 62
_ASKED_MOST = 64

_VERSION_1 = """
CREATE TABLE layout(  -- ids, versions: JSON lists of equal length
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, ids TEXT NOT NULL, versions TEXT NOT NULL,
  UNIQUE(name, ids, versions)) STRICT;
CREATE TABLE entity(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE vector(  -- vals: little-endian float64, NaN missing; marks: a byte each, NULL when all are good
  id INTEGER PRIMARY KEY, entity INT NOT NULL, layout INT NOT NULL, ts_event INT NOT NULL,
  ts_known INT NOT NULL, source TEXT NOT NULL, vals BLOB NOT NULL, marks BLOB) STRICT;
CREATE UNIQUE INDEX vector_time ON vector(entity, layout, ts_event, ts_known);
CREATE TABLE refusal(
  feature TEXT, reason TEXT, count INT NOT NULL, PRIMARY KEY(feature, reason)) STRICT, WITHOUT ROWID;
"""

FEATURES = Schema("feature store", 0x7464_4631, (_VERSION_1,))  # "tdF1"

_NEWEST = (
    "SELECT ts_event, ts_known, source, vals, marks FROM vector WHERE entity = ? AND layout = ?"
    " AND ts_event <= ? AND ts_known <= ? ORDER BY ts_event DESC, ts_known DESC LIMIT 1"
)
_INSERT = (
    "INSERT INTO vector(entity, layout, ts_event, ts_known, source, vals, marks) VALUES(?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING"
)
_COUNT = (
    "INSERT INTO refusal(feature, reason, count) VALUES(?, ?, ?)"
    " ON CONFLICT DO UPDATE SET count = count + excluded.count"
)
_SPENT = (
    "SELECT id FROM (SELECT id, ts_event / :day AS day, LEAD(ts_event / :day) OVER"
    " (PARTITION BY entity, layout ORDER BY ts_event, ts_known) AS next FROM vector WHERE ts_known < :before)"
    " WHERE day = next"
)


class _Reading(NamedTuple):
    """The newest vector of one layout, as stored."""

    ts_event: int
    ts_known: int
    source: str
    vals: bytes
    marks: bytes | None


@dataclass(frozen=True, slots=True)
class _Held:
    """Which of some wanted features a layout holds: (H,) places among the wanted, and in the layout."""

    layout: FeatureLayout
    key: int
    wanted: np.ndarray
    place: np.ndarray


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a read of some features needs to know of them. `age_us`: (K,) -1 for the last completed bar."""

    held: tuple[_Held, ...]
    age_us: np.ndarray
    least_age_us: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """A layout that vectors are read of, its number and its features; None: nothing is stored of it."""

    layout: FeatureLayout
    key: int | None
    wanted: _Wanted


@dataclass(slots=True)
class _Numbers:
    """What the file calls layouts and entities, as far as it was asked."""

    layouts: dict[int, FeatureLayout] | None = None
    of_layout: dict[FeatureLayout, int] = field(default_factory=dict)
    of_entity: dict[str, int] = field(default_factory=dict)
    wanted: dict[tuple[str, ...], _Wanted] = field(default_factory=dict)
    asked: dict[int, _Asked] = field(default_factory=dict)
    """By the identity of the layout, which is kept here: the same one is asked for again and again."""


class SqliteFeatureStore:
    """`engine.ports.FeatureStore` in one file. For one thread, unless it was opened for any."""

    def __init__(
        self, connection: sqlite3.Connection, path: Path, records: Mapping[str, FeatureRecord]
    ) -> None:
        self._connection = connection
        self._path = path
        self._records = records
        self._guard = Guard(records, self._recall)
        self._numbers = _Numbers()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def put(self, vectors: Sequence[FeatureVector]) -> Written:
        """Check and store vectors in one durable transaction."""
        entities = {vector.entity for vector in vectors}
        try:
            with self._errors("writing"), transaction(self._connection):
                return self._put(vectors)
        except BaseException:
            # What was numbered and remembered on the way is not in the file.
            self._guard.forget(tuple(entities))
            self._numbers = _Numbers()
            raise

    def get(
        self, entity: str, ids: Sequence[str], as_of_us: int, bar_us: int | None = None
    ) -> Mapping[str, FeatureValue]:
        """Each of `ids` as it was known at `as_of_us`."""
        with self._errors("reading"):
            wanted = self._wanted(tuple(ids))
            readings = self._readings(entity, wanted, as_of_us)
        oldest = _oldest(wanted, as_of_us, bar_us).tolist()
        found = {name: _never(name) for name in ids}
        for held, reading in readings:
            values, marks = np.frombuffer(reading.vals, dtype=_FLOATS), reading.marks
            for number, place in zip(held.wanted.tolist(), held.place.tolist(), strict=True):
                name, value = ids[number], float(values[place])
                missing = reason_of(GOOD if marks is None else marks[place], value)
                if missing is None and reading.ts_event < oldest[number]:
                    missing = MissingReason.STALE
                kept, version = (None if missing else value), held.layout.versions[place]
                found[name] = FeatureValue(name, kept, missing, *reading[:3], version)
        return found

    def vector(
        self, entity: str, layout: FeatureLayout, as_of_us: int, bar_us: int | None = None
    ) -> FeatureVector | None:
        """The newest vector of one layout as it was known."""
        try:
            asked = self._numbers.asked.get(id(layout)) or self._ask(layout)
            number = self._numbers.of_entity.get(entity) or self._find_entity(entity)
            row = self._connection.execute(_NEWEST, (number, asked.key, as_of_us, as_of_us)).fetchone()
        except sqlite3.Error:
            with self._errors("reading"):
                raise
        if row is None:
            return None
        ts_event, ts_known, source, vals, marks = row
        values = np.frombuffer(vals, dtype=_FLOATS)
        if marks is not None:
            values = np.where(np.frombuffer(marks, dtype=np.uint8) == GOOD, values, np.nan)
        if bar_us is not None or as_of_us - ts_event > asked.wanted.least_age_us:
            values = np.where(ts_event < _oldest(asked.wanted, as_of_us, bar_us), np.nan, values)
        return FeatureVector(entity, layout, values, ts_event, ts_known, source)

    def panel(
        self, entities: Sequence[str], ids: Sequence[str], as_of_us: int, bar_us: int | None = None
    ) -> np.ndarray:
        """The served values of many entities, (entities, ids)."""
        out = np.full((len(entities), len(ids)), np.nan)
        with self._errors("reading"):
            wanted = self._wanted(tuple(ids))
            oldest = _oldest(wanted, as_of_us, bar_us)
            newest_limit = int(oldest.max(initial=-1))
            for row, entity in zip(out, entities, strict=True):
                for held, reading in self._readings(entity, wanted, as_of_us):
                    values = np.frombuffer(reading.vals, dtype=_FLOATS)[held.place]
                    if reading.marks is not None:
                        values[np.frombuffer(reading.marks, dtype=np.uint8)[held.place] != GOOD] = np.nan
                    if reading.ts_event < newest_limit:
                        values[reading.ts_event < oldest[held.wanted]] = np.nan
                    row[held.wanted] = values
        return out

    def refused(self) -> Mapping[tuple[str, Refusal], int]:
        """How many values were ever refused."""
        with self._errors("reading"):
            rows = self._connection.execute("SELECT feature, reason, count FROM refusal").fetchall()
        return {(feature, Refusal(reason)): count for feature, reason, count in rows}

    def forget(self, now_us: int) -> int:
        """Of each entity and day more than 30 days ago keep the last vector alone."""
        before = (now_us // US_PER_DAY - KEPT_WHOLE_DAYS) * US_PER_DAY
        with self._errors("forgetting"):
            spent = self._connection.execute(_SPENT, {"day": US_PER_DAY, "before": before}).fetchall()
            for first in range(0, len(spent), _DELETED_AT_ONCE):
                with transaction(self._connection):  # short ones: a write waits for no more than that
                    part = spent[first : first + _DELETED_AT_ONCE]
                    self._connection.executemany("DELETE FROM vector WHERE id = ?", part)
        return len(spent)

    def count(self) -> int:
        """Vectors stored."""
        with self._errors("reading"):
            return int(self._connection.execute("SELECT count(*) FROM vector").fetchone()[0])

    def _put(self, vectors: Sequence[FeatureVector]) -> Written:
        refused: dict[tuple[str, Refusal], int] = {}
        rows: dict[str, list[_Row]] = {}
        suspects = 0
        for vector in vectors:
            checked = self._guard.check(vector)
            for key, count in checked.refused.items():
                refused[key] = refused.get(key, 0) + count
            if checked.is_taken:
                rows.setdefault(vector.layout.name, []).append(self._row(vector, checked))
                suspects += int((checked.marks == SUSPECT).sum())
        stored = 0
        for name, group in rows.items():
            before = self._connection.total_changes
            self._connection.executemany(_INSERT, group)
            new = self._connection.total_changes - before
            stored += new
            if new < len(group):
                refused[name, Refusal.DUPLICATE] = len(group) - new
        if refused:
            counts = [(feature, reason.value, count) for (feature, reason), count in refused.items()]
            self._connection.executemany(_COUNT, counts)
        return Written(stored, suspects, refused)

    def _row(self, vector: FeatureVector, checked: Checked) -> _Row:
        marks = checked.marks.tobytes() if checked.marks.any() else None
        return (
            self._entity(vector.entity),
            self._layout(vector.layout),
            vector.ts_event,
            vector.ts_known,
            vector.source,
            checked.values.astype(_FLOATS, copy=False).tobytes(),
            marks,
        )

    def _entity(self, name: str) -> int:
        found = self._find_entity(name)
        if found is None:
            row = self._connection.execute(
                "INSERT INTO entity(name) VALUES(?) RETURNING id", (name,)
            ).fetchone()
            found = self._numbers.of_entity[name] = int(row[0])
        return found

    def _find_entity(self, name: str) -> int | None:
        found = self._numbers.of_entity.get(name)
        if found is None:
            row = self._connection.execute("SELECT id FROM entity WHERE name = ?", (name,)).fetchone()
            if row is None:
                return None
            found = self._numbers.of_entity[name] = int(row[0])
        return found

    def _layout(self, layout: FeatureLayout) -> int:
        layouts = self._layouts()
        found = self._numbers.of_layout.get(layout)
        if found is None:
            row = self._connection.execute(
                "INSERT INTO layout(name, ids, versions) VALUES(?, ?, ?) RETURNING id",
                (layout.name, json.dumps(layout.ids), json.dumps(layout.versions)),
            ).fetchone()
            found = self._numbers.of_layout[layout] = int(row[0])
            layouts[found] = layout
            self._numbers.wanted.clear()
            self._numbers.asked.clear()
        return found

    def _layouts(self) -> dict[int, FeatureLayout]:
        found = self._numbers.layouts
        if found is None:
            rows = self._connection.execute(
                "SELECT id, name, ids, versions FROM layout ORDER BY id"
            ).fetchall()
            found = self._numbers.layouts = {
                key: FeatureLayout(name, tuple(json.loads(ids)), tuple(json.loads(versions)))
                for key, name, ids, versions in rows
            }
            self._numbers.of_layout = {layout: key for key, layout in found.items()}
        return found

    def _readings(self, entity: str, wanted: _Wanted, as_of_us: int) -> list[tuple[_Held, _Reading]]:
        """The newest vector of each layout that holds some, the newest last: it has the last word."""
        number = self._find_entity(entity)
        found = []
        for held in wanted.held if number is not None else ():
            row = self._connection.execute(_NEWEST, (number, held.key, as_of_us, as_of_us)).fetchone()
            if row is not None:
                found.append((held, _Reading(*row)))
        if len(found) > 1:
            found.sort(key=lambda one: one[1][:2])
        return found

    def _ask(self, layout: FeatureLayout) -> _Asked:
        self._layouts()
        if len(self._numbers.asked) >= _ASKED_MOST:
            self._numbers.asked.clear()
        asked = _Asked(layout, self._numbers.of_layout.get(layout), self._wanted(layout.ids))
        if asked.key is not None:
            self._numbers.asked[id(layout)] = asked
        return asked

    def _wanted(self, ids: tuple[str, ...]) -> _Wanted:
        found = self._numbers.wanted.get(ids)
        if found is None:
            records = [self._records.get(name) for name in ids]
            ages = [-1 if r is None or r.max_age_s is None else r.max_age_s * 1_000_000 for r in records]
            held = tuple(_holding(self._layouts(), ids))
            least = min((age for age in ages if age >= 0), default=_FOR_EVER)
            found = self._numbers.wanted[ids] = _Wanted(held, np.array(ages, dtype=np.int64), least)
        return found

    def _recall(self, entity: str, layout: FeatureLayout) -> Trail:
        self._layouts()
        one = (self._find_entity(entity), self._numbers.of_layout.get(layout))
        newest = self._connection.execute(
            "SELECT max(ts_known) FROM vector WHERE entity = ? AND layout = ?", one
        ).fetchone()[0]
        rows = self._connection.execute(
            "SELECT vals, ts_event, marks FROM vector WHERE entity = ? AND layout = ?"
            " ORDER BY ts_event DESC, ts_known DESC LIMIT ?",
            (*one, TRAIL),
        ).fetchall()[::-1]
        shape, good = (len(rows), len(layout.ids)), bytes(len(layout.ids))
        return Trail(
            np.frombuffer(b"".join(row[0] for row in rows), dtype=_FLOATS).reshape(shape),
            np.frombuffer(b"".join(row[2] or good for row in rows), dtype=np.uint8).reshape(shape),
            np.array([row[1] for row in rows], dtype=np.int64),
            -1 if newest is None else int(newest),
        )

    def _errors(self, doing: str) -> AbstractContextManager[None]:
        return storage_errors(self._path, f"{doing} the feature store")


def _holding(layouts: Mapping[int, FeatureLayout], ids: Sequence[str]) -> Iterator[_Held]:
    for key, layout in layouts.items():
        at = {name: place for place, name in enumerate(layout.ids)}
        places = [(number, at[name]) for number, name in enumerate(ids) if name in at]
        if places:
            wanted, place = np.array(places, dtype=np.int64).T
            yield _Held(layout, key, wanted, place)


def _oldest(wanted: _Wanted, as_of_us: int, bar_us: int | None) -> np.ndarray:
    """The earliest time of an event that still counts, of each."""
    return np.where(wanted.age_us < 0, -1 if bar_us is None else bar_us, as_of_us - wanted.age_us)


def _never(name: str) -> FeatureValue:
    return FeatureValue(name, None, MissingReason.MISSING, 0, 0, "", "")


def open_features(
    path: Path,
    records: Mapping[str, FeatureRecord],
    synchronous: Synchronous = Synchronous.FULL,
    *,
    any_thread: bool = False,
) -> SqliteFeatureStore:
    """Open the store, making it where it is missing; `records`: what is declared. Raises StorageError."""
    connection = open_for_writing(path, FEATURES, synchronous, any_thread=any_thread)
    return SqliteFeatureStore(connection, path, records)


def read_features(path: Path, records: Mapping[str, FeatureRecord]) -> SqliteFeatureStore:
    """Open an existing store for reading only, for as long as nobody adds a layout. Raises StorageError."""
    return SqliteFeatureStore(open_for_reading(path, FEATURES), path, records)
