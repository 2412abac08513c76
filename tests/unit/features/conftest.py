import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.model.ids import instrument_id
from engine.ports import BarColumns

Columns = dict[str, np.ndarray]


@pytest.fixture(scope="session")
def walk() -> Callable[..., Columns]:
    """Every column that a feature may ask for, as a seeded random walk of `rows` days."""

    def make(rows: int, seed: int = 1) -> Columns:
        rng = np.random.default_rng(seed)
        close = 10 * np.exp(np.cumsum(rng.normal(0, 0.03, rows)))
        open_ = close * np.exp(rng.normal(0, 0.02, rows))
        high = np.maximum(open_, close) * (1 + rng.uniform(0, 0.02, rows))
        low = np.minimum(open_, close) * (1 - rng.uniform(0, 0.02, rows))
        volume = np.floor(rng.uniform(1e5, 1e6, rows))
        vix = np.clip(20 * np.exp(np.cumsum(rng.normal(0, 0.05, rows))), 9, 80)
        spy = 200 * np.exp(np.cumsum(rng.normal(0, 0.01, rows)))
        liquid = np.floor(rng.uniform(1, 500, rows))
        columns = {
            "open": open_,
            "high": high,
            "low": low,
            "close": close,
            "volume": volume,
            "vix": vix,
            "spy": spy,
            "spy_open": spy * np.exp(rng.normal(0, 0.005, rows)),
            "vwap": close * np.exp(rng.normal(0, 0.01, rows)),
            "bid": close * (1 - rng.uniform(0, 0.002, rows)),
            "ask": close * (1 + rng.uniform(0, 0.002, rows)),
            "shares_outstanding": np.full(rows, 4e7),
            "order_usd": rng.uniform(100, 5_000, rows),
            "liquid": liquid,
            "gapping": np.floor(liquid * rng.uniform(0, 0.3, rows)),
            "cash": rng.uniform(0, 1e8, rows),
            "quarterly_cash_flow": rng.normal(-1e7, 1e7, rows),
            "required": np.full(rows, 9.0),
            "present": np.floor(rng.uniform(1, 9, rows)),
        }
        columns["freshness"] = columns["present"] * rng.uniform(0.2, 1, rows)
        columns["bid_ask_spread_bps"] = 1e4 * (columns["ask"] / columns["bid"] - 1)
        columns["adv_usd_20"] = close * volume
        columns["realized_vol_20"] = rng.uniform(0.1, 0.9, rows)
        return columns

    return make


@pytest.fixture(scope="session")
def make_bars() -> Callable[..., BarColumns]:
    """Flat daily bars at the given closes on consecutive weekdays that end before `session`."""

    def make(
        closes: list[float],
        session: date = date(2016, 1, 4),
        ratios: list[float] | None = None,
        volume: float = 1e6,
        symbol: str = "ABC",
    ) -> BarColumns:
        size = len(closes)
        days = np.busday_offset(np.datetime64(session, "D"), np.arange(-size, 0), roll="forward")
        close = np.array(closes, dtype=np.float64)
        return BarColumns(
            instrument_id(symbol),
            days.astype("datetime64[D]"),
            close.copy(),
            close.copy(),
            close.copy(),
            close,
            np.full(size, volume),
            np.ones(size) if ratios is None else np.array(ratios, dtype=np.float64),
        )

    return make


@pytest.fixture(scope="session")
def oracle(market_data: Path) -> Callable[[str, str], Any]:
    """The worked example `section`/`id` of the oracle file beside the market data."""
    path = market_data.parent / "oracles" / "oracles.json"
    if not path.is_file():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    entries = json.loads(path.read_text())

    def find(section: str, example: str) -> Any:
        return next(entry for entry in entries if (entry["section"], entry["id"]) == (section, example))

    return find
