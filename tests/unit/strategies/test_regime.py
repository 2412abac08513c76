import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.model.candidates import MissingReason, Regime
from engine.strategies.regime import classify, read_regime

SESSION, PREVIOUS = date(2016, 1, 4), date(2016, 1, 1)


@pytest.mark.parametrize(
    ("vix_rank", "spy", "regime"),
    [
        (0.5, 0.02, Regime.NORMAL),
        (0.7999, 0.02, Regime.NORMAL),
        (0.80, 0.02, Regime.HIGH_VIX),
        (0.81, -0.03, Regime.HIGH_VIX),
        (0.81, -0.10, Regime.HIGH_VIX),
        (0.10, -0.1001, Regime.SPY_STRESS),
        (0.99, -0.2, Regime.SPY_STRESS),
        (None, 0.1, Regime.UNKNOWN),
        (0.1, None, Regime.UNKNOWN),
    ],
)
def test_stress_of_spy_comes_before_a_high_vix(
    vix_rank: float | None, spy: float | None, regime: Regime
) -> None:
    assert classify(vix_rank, spy) is regime


def test_the_worked_example(market_data: Path) -> None:
    path = market_data.parent / "oracles" / "oracles.json"
    if not path.is_file():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    entries = json.loads(path.read_text())
    example = next(entry for entry in entries if (entry["section"], entry["id"]) == ("3", "regime"))
    given = example["input"]
    assert classify(given["vix_pct"], given["spy_dist_200"]) == example["expected"]


def test_a_reading_says_its_numbers_and_limits(scene: Any) -> None:
    reading = read_regime(scene.index("VIX", 19.0), scene.index("SPY", 201.0), SESSION, PREVIOUS)
    assert reading.regime is Regime.NORMAL
    assert reading.reason.startswith("regime normal: SPY +")
    assert "limit -10.0%" in reading.reason
    assert "high from 0.80" in reading.reason
    assert reading.vix_regime.value == 0.0


def test_a_high_vix_and_a_fallen_spy_are_seen(scene: Any) -> None:
    calm, fallen = scene.index("SPY", 201.0), scene.index("SPY", 170.0)
    assert read_regime(scene.index("VIX", 40.0), calm, SESSION, PREVIOUS).regime is Regime.HIGH_VIX
    assert read_regime(scene.index("VIX", 19.0), fallen, SESSION, PREVIOUS).regime is Regime.SPY_STRESS


def test_missing_data_are_an_unknown_regime(scene: Any) -> None:
    reading = read_regime(None, scene.index("SPY", 201.0), SESSION, PREVIOUS)
    assert reading.regime is Regime.UNKNOWN
    assert reading.reason == "regime unknown: vix_close is missing, vix_pct_252 is missing"
    assert reading.vix_regime.missing is MissingReason.MISSING


def test_data_that_miss_the_session_before_are_stale(scene: Any) -> None:
    vix, spy = scene.index("VIX", 19.0), scene.index("SPY", 201.0)
    reading = read_regime(vix, spy, date(2016, 1, 5), SESSION)
    assert reading.regime is Regime.UNKNOWN
    assert reading.vix_pct_252.missing is reading.spy_dist_200.missing is MissingReason.STALE


def test_without_a_calendar_nothing_counts_as_fresh(scene: Any) -> None:
    reading = read_regime(scene.index("VIX", 19.0), scene.index("SPY", 201.0), SESSION, None)
    assert reading.regime is Regime.UNKNOWN


def test_the_index_bar_of_the_session_itself_is_invisible(scene: Any, make_bars: Any) -> None:
    before = read_regime(scene.index("VIX", 19.0), scene.index("SPY", 201.0), SESSION, PREVIOUS)
    vix, spy = scene.index("VIX", 19.0), scene.index("SPY", 201.0)
    late_vix = make_bars("VIX", np.append(vix.close, 90.0), session=date(2016, 1, 5))
    late_spy = make_bars("SPY", np.append(spy.close, 100.0), session=date(2016, 1, 5))
    assert read_regime(late_vix, late_spy, SESSION, PREVIOUS) == before
    assert read_regime(late_vix, late_spy, date(2016, 1, 5), SESSION).regime is Regime.SPY_STRESS


def test_a_vix_out_of_its_range_is_no_vix(scene: Any) -> None:
    reading = read_regime(scene.index("VIX", 0.5), scene.index("SPY", 201.0), SESSION, PREVIOUS)
    assert reading.regime is Regime.UNKNOWN
    assert "vix_close is out of range" in reading.reason


def test_too_short_an_index_history_is_unknown(scene: Any, make_bars: Any) -> None:
    short = make_bars("SPY", [200.0] * 199)
    reading = read_regime(scene.index("VIX", 19.0), short, SESSION, PREVIOUS)
    assert reading.regime is Regime.UNKNOWN
    assert reading.spy_dist_200.missing is MissingReason.INSUFFICIENT_HISTORY
