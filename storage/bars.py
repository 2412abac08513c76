"""The local store of bars: column chunks in SQLite, one row for each instrument, timeframe and year.

Protocol of an importer, once for each instrument of a file: `put_daily`, then `log_import`. Both are safe to
repeat, so a run that was interrupted is continued by running it again; `imported(file_sha256)` tells what an
earlier run already dealt with.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from engine.errors import DataError, StorageError
from engine.model.ids import InstrumentId
from engine.ports import BarColumns
from storage.bar_chunks import COLUMNS, Chunk, decode, encode
from storage.database import (
    Schema,
    Synchronous,
    open_for_reading,
    open_for_writing,
    storage_errors,
    transaction,
)

DAILY = "1d"
REBUILD = "Delete the file and import the bars again"

_VERSION_1 = """
CREATE TABLE bar_chunk(  -- blobs: storage.bar_chunks.Chunk; digest: its SHA-256
  instrument TEXT, timeframe TEXT, year INT, rows INT NOT NULL, source TEXT NOT NULL, digest BLOB NOT NULL,
  day BLOB NOT NULL, open BLOB NOT NULL, high BLOB NOT NULL, low BLOB NOT NULL, close BLOB NOT NULL,
  volume BLOB NOT NULL, event_ratio BLOB NOT NULL, PRIMARY KEY(instrument, timeframe, year)) STRICT;
CREATE TABLE import_log(
  file_sha256 TEXT, path TEXT NOT NULL, instrument TEXT, rows INT NOT NULL, outcome TEXT NOT NULL,
  reason TEXT NOT NULL, imported_us INT NOT NULL, PRIMARY KEY(file_sha256, instrument)) STRICT;
"""

BARS = Schema("bar store", 0x7464_4231, (_VERSION_1,))  # "tdB1"

_BLOBS = ", ".join(("day", *COLUMNS))


class ImportOutcome(StrEnum):
    """What became of one instrument of a file."""

    TAKEN = "taken"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ImportLine:
    """One instrument of one imported file; `reason` is "" unless it was refused or warned about."""

    file_sha256: str
    path: str
    instrument: InstrumentId
    rows: int
    outcome: ImportOutcome
    reason: str
    imported_us: int


class SqliteBarStore:
    """Daily bars as float64 columns. `engine.ports.BarStore`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection

    def instruments(self) -> tuple[InstrumentId, ...]:
        """Every instrument that has bars, in order of id."""
        with storage_errors(self.path, "reading the bar store"):
            found = self._connection.execute(
                "SELECT DISTINCT instrument FROM bar_chunk WHERE timeframe = ? ORDER BY instrument", (DAILY,)
            )
            return tuple(InstrumentId(row[0]) for row in found)

    def daily(
        self, instrument: InstrumentId, first: date | None = None, last: date | None = None
    ) -> BarColumns | None:
        """Bars of the inclusive sessions `first`..`last`; None when there are none."""
        years = (first.year if first else 0, last.year if last else 9999)
        rows = self._read(" AND instrument = ? AND year BETWEEN ? AND ?", (instrument, *years))
        bars = next((decode(found, chunks) for found, chunks in self._grouped(rows)), None)
        if bars is None or (first is None and last is None):
            return bars
        start = 0 if first is None else int(np.searchsorted(bars.day, np.datetime64(first, "D")))
        end = len(bars) if last is None else int(np.searchsorted(bars.day, np.datetime64(last, "D"), "right"))
        return _take(bars, slice(start, end)) if start < end else None

    def all_daily(self) -> Mapping[InstrumentId, BarColumns]:
        """Every bar of every instrument, in order of id."""
        return {found: decode(found, chunks) for found, chunks in self._grouped(self._read("", ()))}

    def put_daily(self, bars: BarColumns, source: str) -> bool:
        """Store the bars of one instrument in one transaction; False when they were there unchanged.

        Sessions that are there already are replaced, the others kept. Raises DataError for days that do not
        rise or columns of different length, StorageError where nothing could be written.
        """
        _check(bars)
        if not len(bars):
            return False
        with storage_errors(self.path, f"storing bars of {bars.instrument}"), transaction(self._connection):
            years = (_year(bars.day[0]), _year(bars.day[-1]))
            rows = self._read(" AND instrument = ? AND year BETWEEN ? AND ?", (bars.instrument, *years))
            stored = [chunk for _, chunks in self._grouped(rows) for chunk in chunks]
            merged = _merge(decode(bars.instrument, stored), bars) if stored else bars
            known = {chunk.year: chunk.digest for chunk in stored}
            changed = [chunk for chunk in encode(merged) if known.get(chunk.year) != chunk.digest]
            marks = ", ".join("?" * (7 + len(COLUMNS)))
            self._connection.executemany(
                "INSERT OR REPLACE INTO bar_chunk"  # noqa: S608 - constants
                f" (instrument, timeframe, year, rows, source, digest, {_BLOBS}) VALUES ({marks})",
                [
                    (bars.instrument, DAILY, c.year, c.rows, source, c.digest, c.day, *c.columns)
                    for c in changed
                ],
            )
        return bool(changed)

    def log_import(self, line: ImportLine) -> None:
        """Remember what became of one instrument of a file; a later line of the same two replaces it."""
        with storage_errors(self.path, "writing the import log"), transaction(self._connection):
            self._connection.execute(
                "INSERT OR REPLACE INTO import_log"
                " (file_sha256, path, instrument, rows, outcome, reason, imported_us) VALUES (?,?,?,?,?,?,?)",
                (
                    line.file_sha256,
                    line.path,
                    line.instrument,
                    line.rows,
                    line.outcome.value,
                    line.reason,
                    line.imported_us,
                ),
            )

    def imported(self, file_sha256: str) -> tuple[ImportLine, ...]:
        """What is remembered of a file, in order of instrument; empty for one never seen."""
        with storage_errors(self.path, "reading the import log"):
            found = self._connection.execute(
                "SELECT file_sha256, path, instrument, rows, outcome, reason, imported_us"
                " FROM import_log WHERE file_sha256 = ? ORDER BY instrument",
                (file_sha256,),
            ).fetchall()
        try:
            return tuple(
                ImportLine(sha, path, InstrumentId(name), rows, ImportOutcome(outcome), reason, imported_us)
                for sha, path, name, rows, outcome, reason, imported_us in found
            )
        except ValueError as error:
            raise StorageError(f"{self.path}: the import log is damaged: {error}", REBUILD) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, where: str, values: tuple[str | int, ...]) -> Iterable[tuple[str, bytes, Chunk]]:
        with storage_errors(self.path, "reading the bar store"):
            rows = self._connection.execute(
                f"SELECT instrument, digest, year, rows, {_BLOBS} FROM bar_chunk"  # noqa: S608 - constants
                f" WHERE timeframe = ?{where} ORDER BY instrument, year",
                (DAILY, *values),
            ).fetchall()
        for instrument, digest, year, count, day, *columns in rows:
            yield instrument, digest, Chunk(year, count, day, tuple(columns))

    def _grouped(
        self, rows: Iterable[tuple[str, bytes, Chunk]]
    ) -> Iterable[tuple[InstrumentId, list[Chunk]]]:
        chunks: list[Chunk] = []
        current = ""
        for instrument, digest, chunk in rows:
            if chunk.digest != digest:
                raise StorageError(
                    f"{self.path}: the bars of {instrument} in {chunk.year} are damaged",
                    REBUILD,
                )
            if instrument != current and chunks:
                yield InstrumentId(current), chunks
                chunks = []
            current = instrument
            chunks.append(chunk)
        if chunks:
            yield InstrumentId(current), chunks


def open_bars(path: Path) -> SqliteBarStore:
    """Open the store for import, making it where it is missing. Raises StorageError."""
    return SqliteBarStore(
        # Each chunk carries its own digest, checked when it is read: no scan of the whole file is needed.
        open_for_writing(path, BARS, Synchronous.NORMAL, check=False, any_thread=True),
        path,
    )


def read_bars(path: Path) -> SqliteBarStore:
    """Open an existing store for queries only. Raises StorageError."""
    return SqliteBarStore(open_for_reading(path, BARS, any_thread=True), path)


def _check(bars: BarColumns) -> None:
    lengths = {name: len(getattr(bars, name)) for name in ("day", *COLUMNS)}
    if len(set(lengths.values())) > 1:
        raise DataError(f"{bars.instrument}: columns of different length: {lengths}")
    if len(bars) > 1 and not np.all(np.diff(bars.day.astype("datetime64[D]")) > np.timedelta64(0, "D")):
        raise DataError(f"{bars.instrument}: the days do not rise strictly", "Sort them, keep each day once")


def _year(day: np.datetime64) -> int:
    return int(day.astype("datetime64[Y]").astype(np.int64)) + 1970


def _merge(old: BarColumns, new: BarColumns) -> BarColumns:
    kept = _take(old, ~np.isin(old.day, new.day))
    day = np.concatenate([kept.day, new.day.astype("datetime64[D]")])
    order = np.argsort(day, kind="stable")
    columns = {name: np.concatenate([getattr(kept, name), getattr(new, name)])[order] for name in COLUMNS}
    return BarColumns(instrument=new.instrument, day=day[order], **columns)


def _take(bars: BarColumns, rows: slice | np.ndarray) -> BarColumns:
    columns = {name: getattr(bars, name)[rows] for name in COLUMNS}
    return BarColumns(instrument=bars.instrument, day=bars.day[rows], **columns)
