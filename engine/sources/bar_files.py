"""Daily bars from a CSV or Parquet file, as they stand in it: nothing is judged, sorted or filled in here.

Columns, in any order and case: date, open, high, low, close, and where the file has them symbol, volume and
event_ratio; others are ignored. A file without a symbol column holds one symbol, which the caller names.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import DataError, UsageError
from engine.model.text import clean

if TYPE_CHECKING:
    import pandas
    import pyarrow

PRICES = ("open", "high", "low", "close")
NUMBERS = (*PRICES, "volume", "event_ratio")
REQUIRED = ("date", *PRICES)
KNOWN = ("symbol", "date", *NUMBERS)
_PARQUET_MAGIC = b"PAR1"
_PARQUET_SUFFIXES = frozenset({".parquet", ".pq"})
_NO_NUMBER = ("", "nan", "NaN", "NAN", "null", "NULL", "None", "N/A", "NA", "-")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class FileBars:
    """All rows of one symbol in the order of the file; arrays of shape (T,), NaN where a cell is empty.

    `row`: number of each row in the file, the first after the header is 1. `event_ratio` 1 where unknown.
    """

    symbol: str
    row: np.ndarray
    day: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    event_ratio: np.ndarray

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: np.ndarray | slice) -> "FileBars":
        """The same bars, only these places and in this order."""
        columns = [getattr(self, name)[rows] for name in ("row", "day", *NUMBERS)]
        return FileBars(self.symbol, *columns)


@dataclass(frozen=True, slots=True)
class BarFile:
    """One file. Without a volume column it holds an index (the VIX), its `volume` is all 0."""

    path: Path
    sha256: str
    bars: tuple[FileBars, ...]
    has_volume: bool
    has_event_ratio: bool

    def __len__(self) -> int:
        return sum(len(one) for one in self.bars)


def read_bars(path: Path, symbol: str | None = None) -> BarFile:
    """Read `path`; `symbol` names the one symbol of a file that has no symbol column.

    Raises DataError for a file that is missing, unreadable, empty or lacks a column, UsageError when `symbol`
    is given for a file that has symbols of its own.
    """
    sha256 = _digest(path)
    columns = _read_parquet(path) if _is_parquet(path) else _read_csv(path)
    if "symbol" in columns and symbol is not None:
        raise UsageError(f"{path} has a symbol column", "Leave --symbol out for this file")
    if "symbol" not in columns and symbol is None:
        raise DataError(f"{path} has no symbol column", "Say what it holds: --symbol VIX")
    rows = len(columns["date"])
    if rows == 0:
        raise DataError(f"{path} has no rows", "It needs one bar a line")
    has_volume, has_ratio = "volume" in columns, "event_ratio" in columns
    if not has_volume and symbol is None:
        raise DataError(f"{path} has no column volume", "Only an index comes without one: --symbol VIX")
    if not has_volume:
        columns["volume"] = np.zeros(rows)
    ratio = columns["event_ratio"] if has_ratio else np.ones(rows)
    columns["event_ratio"] = np.where(np.isnan(ratio), 1.0, ratio)
    return BarFile(path, sha256, tuple(_by_symbol(columns, symbol)), has_volume, has_ratio)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError as error:
        raise DataError(f"{path} does not exist", "Check the name") from error
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}", "Check the file and its permissions"
        ) from error
    return digest.hexdigest()


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        is_parquet = file.read(len(_PARQUET_MAGIC)) == _PARQUET_MAGIC
    if not is_parquet and path.suffix.lower() in _PARQUET_SUFFIXES:
        raise DataError(f"{path} is not a Parquet file", "It may be cut off: get it again")
    return is_parquet


def _wanted(path: Path, names: Iterable[str]) -> dict[str, str]:
    """Our name -> the file's name, for each column that is of use."""
    wanted: dict[str, str] = {}
    for name in names:
        plain = name.strip().lower()
        if plain in KNOWN and wanted.setdefault(plain, name) != name:
            raise DataError(f"{path} has two columns {plain}", "Keep one of them")
    missing = [name for name in REQUIRED if name not in wanted]
    if missing:
        raise DataError(
            f"{path} has no column {', '.join(missing)}",
            "Wanted are date, open, high, low, close, volume, and symbol where there are several",
        )
    return wanted


def _read_parquet(path: Path) -> dict[str, np.ndarray]:
    try:
        # 171 MB that most people need only here, 0.1 s.
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise DataError(
            f"{path} is a Parquet file and pyarrow is not installed",
            "Install tradedeck[research], or convert the file to CSV",
        ) from error
    try:
        wanted = _wanted(path, pq.read_schema(path).names)
        table = pq.read_table(path, columns=list(wanted.values()))
        return {name: _arrow_column(name, table.column(theirs)) for name, theirs in wanted.items()}
    except (pa.ArrowException, OSError) as error:
        reason = clean(str(error).splitlines()[0])
        raise DataError(f"{path} cannot be read: {reason}", "It may be cut off: get it again") from error


def _arrow_column(name: str, column: "pyarrow.ChunkedArray") -> np.ndarray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if name == "symbol":
        encoded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
        whole = encoded.unify_dictionaries().combine_chunks()
        names = np.array([text or "" for text in whole.dictionary.to_pylist()] + [""], dtype=object)
        codes = whole.indices.fill_null(len(names) - 1)
        return np.asarray(names[codes.to_numpy(zero_copy_only=False)])
    if name == "date":
        if pa.types.is_timestamp(column.type) and column.type.tz is not None:
            column = pc.local_timestamp(column)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            return _days(column.to_numpy())
        return np.asarray(pc.cast(column, pa.date32(), safe=False).to_numpy().astype("datetime64[D]"))
    return np.asarray(pc.cast(column, pa.float64()).to_numpy().astype(np.float64))


def _read_csv(path: Path) -> dict[str, np.ndarray]:
    # 0.2 s; most starts of the program read no CSV.
    import pandas as pd

    try:
        wanted = _wanted(path, pd.read_csv(path, nrows=0).columns)
        texts = {theirs: str for name, theirs in wanted.items() if name not in NUMBERS}
        table = pd.read_csv(
            path,
            usecols=list(wanted.values()),
            dtype=texts,
            na_values={theirs: _NO_NUMBER for name, theirs in wanted.items() if name in NUMBERS},
            keep_default_na=False,
            low_memory=False,
        )
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{path} is empty", "It needs a line of column names and one bar a line") from error
    except (pd.errors.ParserError, UnicodeDecodeError, OSError, EOFError) as error:
        reason = clean(str(error).splitlines()[0])
        raise DataError(f"{path} cannot be read as CSV: {reason}", "Save it as CSV in UTF-8") from error
    return {name: _csv_column(path, name, table[theirs]) for name, theirs in wanted.items()}


def _csv_column(path: Path, name: str, column: "pandas.Series[str]") -> np.ndarray:
    if name == "symbol":
        return column.str.strip().to_numpy(dtype=object)
    if name == "date":
        return _days(column.to_numpy(dtype=object))
    try:
        return column.to_numpy(dtype=np.float64)
    except (ValueError, TypeError) as error:
        for row, cell in enumerate(column.tolist(), start=1):
            if not _is_number(cell):
                raise DataError(
                    f"{path} row {row}: {name} {clean(str(cell))!r} is not a number", "Correct that row"
                ) from error
        raise


def _is_number(cell: object) -> bool:
    try:
        float(str(cell))
    except ValueError:
        return False
    return True


def _days(texts: np.ndarray) -> np.ndarray:
    """Dates from `2016-01-04`, with or without a time behind it, and `20160104`; NaT where it is neither."""
    known: dict[object, np.datetime64] = {}
    for text in dict.fromkeys(texts.tolist()):
        head = str(text).strip()
        try:
            known[text] = np.datetime64(date.fromisoformat(head if len(head) == 8 else head[:10]), "D")
        except ValueError:
            known[text] = np.datetime64("NaT", "D")
    return np.array([known[text] for text in texts.tolist()], dtype="datetime64[D]")


def _by_symbol(columns: dict[str, np.ndarray], symbol: str | None) -> Iterable[FileBars]:
    rows = len(columns["date"])
    series = [np.arange(1, rows + 1), columns["date"], *(columns[name] for name in NUMBERS)]
    if symbol is not None:
        yield FileBars(symbol, *series)
        return
    codes: dict[str, int] = {}
    code = np.array([codes.setdefault(name, len(codes)) for name in columns["symbol"].tolist()])
    order = np.argsort(code, kind="stable")
    ends = np.cumsum(np.bincount(code))
    for name, end, start in zip(codes, ends, [0, *ends[:-1]], strict=True):
        yield FileBars(name, *(one[order[start:end]] for one in series))
