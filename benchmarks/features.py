"""P4, P8, P9, P13: daily features, the panel of all gaps, and the feature store beside bare SQLite.

TA-Lib is no dependency of the product: where it is not installed, P4 is measured against a copy of the same
memory, and says so.
"""

import importlib
import importlib.util
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from harness import Figure, interleaved, report, report_alone

from engine.features.assemble import PRICE_FEATURES
from engine.features.daily import daily_features
from engine.features.decisions import Table
from engine.features.panel import decision_panel
from engine.features.registry import AssetClass, Category, Dtype, FeatureRecord, Transform
from engine.jit import is_compiling
from engine.learn.labels import Barriers, label_rows
from engine.model.features import FeatureLayout, FeatureVector
from engine.model.ids import InstrumentId, instrument_id
from engine.ports import BarColumns
from storage.database import Synchronous, transaction
from storage.features import SqliteFeatureStore, open_features

SYMBOLS, BARS = 500, 1_260
SCALES = (1, 4, 16)
PANEL_SYMBOLS, PANEL_BARS = 335, 3_420
PANEL_SCALES = (1 / 16, 1 / 4, 1)
WIDTH = 127
BATCH, WRITES = 20, 2_000
LEAST_RATE = 10_000
STORED = 10_000_000 // WIDTH
ENTITIES = 500
START, STEP = 1_700_000_000_000_000, 60_000_000
LAYOUT = FeatureLayout("bench", tuple(f"f{n}" for n in range(WIDTH)), ("1.0.0",) * WIDTH)
RECORDS = {
    name: FeatureRecord(
        name,
        Category.TECHNICAL,
        Dtype.FLOAT,
        "ratio",
        None,
        None,
        False,
        True,
        None,
        AssetClass.BOTH,
        (),
        (),
        "1.0.0",
        Transform.ZSCORE,
    )
    for name in LAYOUT.ids
}
_SELECT = (
    "SELECT ts_event, ts_known, source, vals, marks FROM vector WHERE entity = ? AND layout = ?"
    " AND ts_event <= ? AND ts_known <= ? ORDER BY ts_event DESC, ts_known DESC LIMIT 1"
)


def run(rounds: int) -> None:
    """Measure and print."""
    for scale in SCALES:
        _daily(scale, rounds)
    for scale in PANEL_SCALES:
        _panel(scale, rounds)
    with tempfile.TemporaryDirectory(prefix="td-") as folder:
        for scale in SCALES:
            _writes(scale, Path(folder), rounds)
        for scale in SCALES:
            _reads(scale, Path(folder), rounds)


def _daily(scale: int, rounds: int) -> None:
    """P4 at one, four and sixteen times the symbols."""
    talib = importlib.import_module("talib") if importlib.util.find_spec("talib") else None
    ours = "all rows, compiled" if is_compiling() else "all rows, plain Python: numba is not installed"
    symbols = SYMBOLS * scale if is_compiling() else SYMBOLS * scale // 20
    table = _walks(symbols, BARS)
    floor = "TA-Lib" if talib else "copy of eight columns; TA-Lib is not installed"
    peer = _talib(talib, table, np.empty((len(PRICE_FEATURES), len(table.day)))) if talib else _copies(table)
    out = np.empty((len(PRICE_FEATURES), len(table.day)))
    taken = interleaved({ours: lambda: _timed(lambda: daily_features(table, out)), floor: peer}, rounds)
    name = f"8 daily features of {symbols:,} x {BARS:,} bars ({scale}x)"
    goal = 0.7 if talib else None
    report(Figure("features", "P4", name, ours, floor, goal_ratio=goal), taken)


def _panel(scale: float, rounds: int) -> None:
    """P13: every gap of a million bars with its features and its label; fractions of it where that is 16x."""
    bars = _stocks(int(PANEL_SYMBOLS * scale), PANEL_BARS)
    rows = sum(len(columns) for columns in bars.values())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    first = _timed(lambda: decision_panel(bars, None, None))
    taken = [_timed(lambda: label_rows(bars, decision_panel(bars, None, None), Barriers())) for _ in range(3)]
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    more: dict[str, object] = {
        "gaps": len(decision_panel(bars, None, None)),
        "first_run_s": round(first, 2),  # compiles
        "compiled": is_compiling(),
        "mb_more_at_peak": round(grown, 1),
    }
    name = f"features and labels of {rows:,} bars"
    report_alone("features", "P13", name, "s", taken, 5.0, **more)


def _stocks(symbols: int, bars: int) -> dict[InstrumentId, BarColumns]:
    rng = np.random.default_rng(4)
    days = np.arange(bars).astype("datetime64[D]")
    found = {}
    for number in range(symbols):
        gap, move = rng.normal(0, 0.015, bars), rng.normal(0, 0.025, bars)
        close = 10 * np.exp(np.cumsum(gap + move) * 0.5)
        open_ = close * np.exp(-move)
        high, low = np.maximum(open_, close) * 1.01, np.minimum(open_, close) * 0.99
        name = instrument_id(f"S{number}")
        volume = rng.uniform(5e5, 2e6, bars)
        found[name] = BarColumns(name, days, open_, high, low, close, volume, np.ones(bars))
    return found


def _walks(symbols: int, bars: int) -> Table:
    rng = np.random.default_rng(1)
    close = 10 * np.exp(np.cumsum(rng.normal(0, 0.02, (symbols, bars)), axis=1))
    open_ = close * np.exp(rng.normal(0, 0.01, close.shape))
    columns = {
        "open": open_.ravel(),
        "high": (np.maximum(open_, close) * 1.01).ravel(),
        "low": (np.minimum(open_, close) * 0.99).ravel(),
        "close": close.ravel(),
    }
    return Table(np.arange(symbols + 1) * bars, np.zeros(symbols * bars, "datetime64[D]"), columns)


def _copies(table: Table) -> Callable[[], float]:
    out = np.empty((len(PRICE_FEATURES), len(table.day)))

    def copy() -> None:
        for row in out:
            row[:] = table.columns["close"]

    return lambda: _timed(copy)


def _talib(talib: Any, table: Table, out: np.ndarray) -> Callable[[], float]:
    """The same eight numbers by TA-Lib, with numpy for what it lacks."""
    columns = [table.columns[name] for name in ("open", "high", "low", "close")]

    def all_symbols() -> None:
        for first, end in zip(table.starts[:-1].tolist(), table.starts[1:].tolist(), strict=True):
            for row, values in enumerate(_of_one(talib, *(column[first:end] for column in columns))):
                out[row, first:end] = values

    return lambda: _timed(all_symbols)


def _of_one(
    talib: Any, open_: np.ndarray, high: np.ndarray, low: np.ndarray, close: np.ndarray
) -> list[np.ndarray]:
    with np.errstate(invalid="ignore", divide="ignore"):
        sigma = talib.STDDEV(talib.ROCP(close, 1), 60) * np.sqrt(60 / 59 * 5)
        z5 = talib.ROCP(close, 5)
        z5[5:] /= sigma[:-5]
        upper, _, lower = talib.BBANDS(close, 20, 2, 2)
        logs = np.log(close)
        gap, step = np.full(len(close), np.nan), np.full(len(close), np.nan)
        np.minimum(open_[1:] / close[:-1] - 1, 0, out=gap[1:])
        np.subtract(logs[1:], logs[:-1], out=step[1:])
        return [
            z5,
            talib.RSI(close, 2),
            (close - lower) / (upper - lower),
            close / talib.SMA(close, 200) - 1,
            63 * talib.LINEARREG_SLOPE(logs, 63),
            gap,
            100 * talib.ATR(high, low, close, 14) / close,
            talib.STDDEV(step, 20) * np.sqrt(20 / 19 * 252),
        ]


def _writes(scale: int, folder: Path, rounds: int) -> None:
    """P8: the same blobs by bare executemany, in the same durable transactions."""
    raw, ours = "bare sqlite3 executemany", "checked, versioned, durable writes"
    count, number = WRITES * scale, iter(range(1_000_000))
    taken = interleaved(
        {
            raw: lambda: _raw_writes(folder / f"raw-{next(number)}.db", count),
            ours: lambda: _our_writes(folder / f"ours-{next(number)}.db", count),
        },
        max(3, rounds // (3 * scale)),
    )
    name = f"{count:,} vectors of {WIDTH}, {BATCH} a transaction ({scale}x)"
    report(Figure("features", "P8", name, ours, raw, goal_ratio=1 / 0.6), taken)
    rates = [count * WIDTH / seconds for seconds in taken[ours]]
    reached = min(rates) >= LEAST_RATE
    report_alone("features", "P8", f"values written ({scale}x)", "1/s", rates, LEAST_RATE, reached=reached)


def _vectors(first: int, count: int) -> list[FeatureVector]:
    rng = np.random.default_rng(first)
    values = rng.normal(0, 1, (count, WIDTH))
    return [
        FeatureVector(f"S{(first + n) % ENTITIES}", LAYOUT, values[n], at, at, "bench")
        for n, at in ((n, START + (first + n) * STEP) for n in range(count))
    ]


def _our_writes(path: Path, count: int) -> float:
    batches = [_vectors(first, BATCH) for first in range(0, count, BATCH)]
    with open_features(path, RECORDS) as store:
        store.put(batches[0])
        seconds = _timed(lambda: [store.put(batch) for batch in batches[1:]])
    path.unlink()
    return seconds * len(batches) / (len(batches) - 1)


def _raw_writes(path: Path, count: int) -> float:
    batches = [_vectors(first, BATCH) for first in range(0, count, BATCH)]
    with open_features(path, RECORDS) as store:  # the same schema
        store.put(batches[0])
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA synchronous={Synchronous.FULL.value}")
    insert = "INSERT INTO vector(entity, layout, ts_event, ts_known, source, vals) VALUES(?, 1, ?, ?, ?, ?)"

    def write() -> None:
        for batch in batches[1:]:
            with transaction(connection):
                connection.executemany(insert, [_raw_row(vector) for vector in batch])

    seconds = _timed(write)
    connection.close()
    path.unlink()
    return seconds * len(batches) / (len(batches) - 1)


def _raw_row(vector: FeatureVector) -> Sequence[object]:
    number = int(vector.entity[1:]) + 1
    return (number, vector.ts_event, vector.ts_known, vector.source, vector.values.tobytes())


def _reads(scale: int, folder: Path, rounds: int) -> None:
    """P9: one vector as of an instant, and all names as of one, out of 10 million values at the end."""
    path, stored = folder / f"features-{scale}.db", STORED * scale // SCALES[-1]
    raw, ours = "bare SQLite, blob to array", "as-of read of a vector of 127"
    instants = np.random.default_rng(2).integers(0, stored, 2_000).tolist()
    with open_features(path, RECORDS, Synchronous.NORMAL) as store:
        _fill(store, path, stored)
        connection = sqlite3.connect(path)
        taken = interleaved(
            {
                raw: lambda: _p99(lambda at: _raw_read(connection, at), instants),
                ours: lambda: _p99(lambda at: _our_read(store, at), instants),
            },
            rounds,
        )
        name = f"p99 of {ours}, {stored * WIDTH:,} values stored ({scale}x)"
        report(Figure("features", "P9", name, ours, raw, goal_ratio=1.5, unit="us", scale=1e6), taken)
        names, now = [f"S{n}" for n in range(ENTITIES)], START + stored * STEP
        panels = [1_000 * _timed(lambda: store.panel(names, LAYOUT.ids, now)) for _ in range(rounds)]
        label = f"panel of {ENTITIES} names x {WIDTH} as of now ({scale}x)"
        report_alone("features", "P9", label, "ms", panels, 40.0)
        connection.close()


def _fill(store: SqliteFeatureStore, path: Path, stored: int) -> None:
    """Straight into the table: how it gets there is P8's matter."""
    store.put(_vectors(0, ENTITIES))
    rng = np.random.default_rng(7)
    insert = "INSERT INTO vector(entity, layout, ts_event, ts_known, source, vals) VALUES(?, 1, ?, ?, ?, ?)"
    blobs = [rng.normal(0, 1, WIDTH).tobytes() for _ in range(64)]
    rows = (
        (n % ENTITIES + 1, START + n * STEP, START + n * STEP, "bench", blobs[n % 64])
        for n in range(ENTITIES, stored)
    )
    connection = sqlite3.connect(path, isolation_level=None)
    with transaction(connection):
        connection.executemany(insert, rows)
    connection.close()


def _raw_read(connection: sqlite3.Connection, number: int) -> np.ndarray:
    at = START + number * STEP
    row = connection.execute(_SELECT, (number % ENTITIES + 1, 1, at, at)).fetchone()
    return np.frombuffer(row[3]) if row else np.empty(0)


def _our_read(store: SqliteFeatureStore, number: int) -> np.ndarray:
    found = store.vector(f"S{number % ENTITIES}", LAYOUT, START + number * STEP)
    return np.empty(0) if found is None else found.values


def _p99(read: Callable[[int], np.ndarray], numbers: Sequence[int]) -> float:
    taken = np.array([_timed(lambda n=n: read(n)) for n in numbers])
    return float(np.quantile(taken, 0.99))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
