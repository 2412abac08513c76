"""A year of bars as bytes: one little-endian array a column, in the smallest type that loses nothing."""

import hashlib
from dataclasses import dataclass

import numpy as np

from engine.errors import StorageError
from engine.model.ids import InstrumentId
from engine.ports import BarColumns

COLUMNS = ("open", "high", "low", "close", "volume", "event_ratio")
_DAY = np.dtype("<i4")
_FLOAT4 = np.dtype("<f4")
_FLOAT8 = np.dtype("<f8")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One calendar year of one instrument. `columns` are in the order of COLUMNS; b"" is a column of ones.

    Days are int32 days since 1970-01-01. A column is float32 where that loses nothing, else float64: its
    length says which.
    """

    year: int
    rows: int
    day: bytes
    columns: tuple[bytes, ...]

    @property
    def digest(self) -> bytes:
        """SHA-256 of everything: tells whether anything changed, and whether the file gives it back whole."""
        hashed = hashlib.sha256(f"{self.year} {self.rows} ".encode())
        hashed.update(self.day)
        for column in self.columns:
            hashed.update(len(column).to_bytes(4, "little"))
            hashed.update(column)
        return hashed.digest()


def encode(bars: BarColumns) -> tuple[Chunk, ...]:
    """Bars in order of day as one chunk a calendar year."""
    years = bars.day.astype("datetime64[Y]").astype(np.int64) + 1970
    starts = np.flatnonzero(np.diff(years, prepend=years[:1] - 1))
    ends = [*starts[1:], len(bars)]
    days = bars.day.astype("datetime64[D]").astype(_DAY)
    columns = [np.asarray(getattr(bars, name), dtype=_FLOAT8) for name in COLUMNS]
    return tuple(
        Chunk(
            year=int(years[start]),
            rows=int(end - start),
            day=days[start:end].tobytes(),
            columns=tuple(
                _encode(column[start:end], omit_ones=name == "event_ratio")
                for name, column in zip(COLUMNS, columns, strict=True)
            ),
        )
        for start, end in zip(starts, ends, strict=True)
    )


def decode(instrument: InstrumentId, chunks: list[Chunk]) -> BarColumns:
    """Chunks in order of year as float64 columns. Raises StorageError where lengths do not fit."""
    for chunk in chunks:
        if len(chunk.day) != 4 * chunk.rows:
            raise StorageError(
                f"{instrument} {chunk.year}: {chunk.rows} bars, {len(chunk.day)} bytes of days"
            )
    day = np.frombuffer(b"".join(chunk.day for chunk in chunks), _DAY)
    columns = {name: _decode(instrument, chunks, index) for index, name in enumerate(COLUMNS)}
    return BarColumns(instrument=instrument, day=day.astype("datetime64[D]"), **columns)


def _encode(column: np.ndarray, omit_ones: bool) -> bytes:
    if omit_ones and np.all(column == 1.0):
        return b""
    with np.errstate(over="ignore", invalid="ignore"):
        small = column.astype(_FLOAT4)
        is_lossless = np.array_equal(small.astype(_FLOAT8), column, equal_nan=True)
    return (small if is_lossless else column).tobytes()


def _decode(instrument: InstrumentId, chunks: list[Chunk], index: int) -> np.ndarray:
    total = sum(chunk.rows for chunk in chunks)
    sizes = {len(chunk.columns[index]) / chunk.rows for chunk in chunks}
    if sizes == {0.0}:
        return np.ones(total)
    if sizes in ({4.0}, {8.0}):
        dtype = _FLOAT4 if sizes == {4.0} else _FLOAT8
        joined = np.frombuffer(b"".join(chunk.columns[index] for chunk in chunks), dtype)
        return joined.astype(np.float64)
    if not sizes <= {0.0, 4.0, 8.0}:
        raise StorageError(f"{instrument}: the column {COLUMNS[index]} has the wrong length")
    out = np.ones(total)
    start = 0
    for chunk in chunks:
        if column := chunk.columns[index]:
            dtype = _FLOAT4 if len(column) == 4 * chunk.rows else _FLOAT8
            out[start : start + chunk.rows] = np.frombuffer(column, dtype)
        start += chunk.rows
    return out
