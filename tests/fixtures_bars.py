"""Generated daily bars with every oddity that real ones have; registered for all tests by conftest.py.

Gaps come in clusters (more candidates in a session than slots), prices are raw with splits both ways and
dividends, instruments halt for one to three sessions, list late, and three are delisted with a trade open.
Two have the same bars, so that only the symbol orders them. All prices are float32 values in float64 arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pytest

from engine.model.ids import InstrumentId, instrument_id
from engine.ports import BarColumns

_HOLIDAYS = np.array(
    [
        "2014-11-27",
        "2014-12-25",
        "2015-01-01",
        "2015-01-19",
        "2015-02-16",
        "2015-04-03",
        "2015-05-25",
        "2015-07-03",
        "2015-09-07",
        "2015-11-26",
        "2015-12-25",
        "2016-01-01",
        "2016-01-18",
        "2016-02-15",
        "2016-03-25",
        "2016-05-30",
        "2016-07-04",
        "2016-09-05",
        "2016-11-24",
        "2016-12-26",
        "2017-01-02",
        "2017-01-16",
        "2017-02-20",
        "2017-04-14",
        "2017-05-29",
        "2017-07-04",
        "2017-09-04",
        "2017-11-23",
        "2017-12-25",
    ],
    dtype="datetime64[D]",
)
_FIRST = np.datetime64("2016-01-04")
_INDEX_FIRST = np.datetime64("2014-10-01")  # regimes look 252 sessions back
_BAD_SESSION = 0.2
_PATTERN = ("halt", "plain", "late", "plain", "actions", "actions")
_DELISTED = (6, 13, 20)


@dataclass(frozen=True, slots=True)
class GeneratedMarket:
    """Bars of all instruments, and the two indices from 300 sessions before them."""

    bars: dict[InstrumentId, BarColumns]
    vix: BarColumns
    spy: BarColumns
    days: tuple[date, ...]


def _sessions(first: np.datetime64, count: int) -> np.ndarray:
    days = np.busday_offset(first, np.arange(count), roll="forward", holidays=_HOLIDAYS)
    return days.astype("datetime64[D]")


def _stored(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32).astype(np.float64)


def _ratio(rng: np.random.Generator, close: float) -> float:
    """A split that keeps the price in the rule's range, else a dividend."""
    if close > 9:
        return float(rng.choice([0.5, 2 / 3, 0.8, 0.985]))
    return float(rng.choice([4.0, 10.0])) if close < 2.5 else float(rng.choice([0.985, 0.97]))


def _instrument(
    name: str, kind: str, days: np.ndarray, shocks: np.ndarray, rng: np.random.Generator
) -> BarColumns:
    size = len(days)
    close = rng.uniform(1.0, 18.0)
    volatility = rng.uniform(0.015, 0.05)
    turnover = rng.uniform(4e6, 4e7)
    ratios, rows = np.ones(size), np.empty((size, 5))
    for t in range(size):
        if t and rng.random() < (0.08 if kind == "actions" else 0.01):
            ratios[t] = _ratio(rng, close)
        gap = shocks[t] + rng.normal(0, 0.012) + (rng.uniform(-0.15, -0.03) if rng.random() < 0.04 else 0)
        open_ = max(close * ratios[t] * (1 + gap), 0.2)
        path = open_ * np.cumprod(1 + rng.normal(0, volatility / 3, 9))
        close = float(path[-1])
        volume = np.floor(turnover * rng.uniform(0.6, 1.6) / close)
        rows[t] = open_, max(open_, path.max()), min(open_, path.min()), close, volume
    keep = np.ones(size, dtype=bool)
    if kind == "halt":
        for start in rng.choice(np.arange(25, size - 3), 4, replace=False):
            keep[start : start + rng.integers(1, 4)] = False
    if kind == "late":
        keep[: size // 4] = False
    if kind == "delisted":
        end = int(rng.integers(size // 2, size - 8))
        keep[end:] = False
        # Opens 6 % lower three bars before the end, then never reaches a level.
        base = rows[end - 4, 3]
        rows[end - 3 : end, :4] = base * np.array([0.94, 0.95, 0.93, 0.945])
        ratios[end - 3 : end] = 1.0
    rows[:, :4] = _stored(rows[:, :4])
    return BarColumns(instrument_id(name), days[keep], *rows[keep].T.copy(), _stored(ratios[keep]))


def _index(name: str, level: np.ndarray, days: np.ndarray) -> BarColumns:
    return BarColumns(instrument_id(name), days, *(level.copy() for _ in range(4)), level * 0, level * 0 + 1)


def market_of(seed: int, instruments: int = 42, sessions: int = 90) -> GeneratedMarket:
    """A market from `seed`, with so many `instruments` and `sessions`; the same numbers every time."""
    rng = np.random.Generator(np.random.PCG64(seed))
    days = _sessions(_FIRST, sessions)
    bad = rng.random(sessions) < _BAD_SESSION
    shocks = np.where(bad, rng.normal(-0.035, 0.02, sessions), 0.0)
    bars: dict[InstrumentId, BarColumns] = {}
    for n in range(instruments):
        kind = "delisted" if n in _DELISTED else _PATTERN[n % len(_PATTERN)]
        columns = _instrument(f"G{n:03d}", kind, days, shocks, rng)
        bars[columns.instrument] = columns
    twin = bars[instrument_id("G001")]
    for name in ("TWNB", "TWNA"):
        copy = [getattr(twin, field) for field in ("day", "open", "high", "low", "close", "volume")]
        bars[instrument_id(name)] = BarColumns(instrument_id(name), *copy, twin.event_ratio)
    index_days = np.union1d(_sessions(_INDEX_FIRST, 315), days)
    vix = 18 + 9 * np.sin(np.arange(len(index_days)) / 11) + rng.normal(0, 1, len(index_days))
    spy = 190 * np.cumprod(1 + rng.normal(0, 0.008, len(index_days)))
    return GeneratedMarket(
        bars, _index("VIX", vix, index_days), _index("SPY", spy, index_days), tuple(days.tolist())
    )


@pytest.fixture(scope="session")
def generate_market() -> Callable[..., GeneratedMarket]:
    """Makes a market from a seed; see `market_of`."""
    return market_of


@pytest.fixture(scope="session")
def generated_market(generate_market: Callable[..., GeneratedMarket]) -> GeneratedMarket:
    """One such market, the same for every test."""
    return generate_market(7)
