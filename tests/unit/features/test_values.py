"""Values of single features: the worked examples, and slow independent forms of the same definitions."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.features.catalogue import CATALOGUE

Walk = Callable[..., dict[str, np.ndarray]]


def _last(name: str, *columns: np.ndarray) -> float:
    return float(CATALOGUE[name].compute(*columns)[-1])


def test_daily_features_of_the_worked_example(oracle: Callable[[str, str], Any]) -> None:
    example = oracle("1", "features_daily")
    n, a, b = (example["input"][key] for key in ("n", "a", "b"))
    close = np.array([a + b * i + 0.5 * math.sin(0.7 * i) + 0.3 * math.cos(1.9 * i) for i in range(n)])
    close[-1] = close[-2] * example["input"]["last_mult"]
    for key, expected in example["expected"].items():
        assert _last({"rsi14": "rsi_14"}.get(key, key), close) == pytest.approx(expected, rel=1e-6), key


@pytest.mark.parametrize("name", ["gap_dn", "gap_up_is_zero"])
def test_gaps_of_the_worked_examples(oracle: Callable[[str, str], Any], name: str) -> None:
    example = oracle("1", name)
    opens = np.array([1.0, example["input"]["open"]])
    closes = np.array([example["input"]["prev_close"], 1.0])
    assert _last("gap_dn", opens, closes) == pytest.approx(example["expected"], rel=1e-6)


def test_vix_rank_of_the_worked_example(oracle: Callable[[str, str], Any]) -> None:
    example = oracle("1", "vix_regime")
    vix = np.array([15 + 5 * math.sin(i / 9) + 0.01 * i for i in range(252)])
    vix[-1] = example["input"]["last"]
    assert _last("vix_pct_252", vix) == pytest.approx(example["expected"]["vix_pct_252"], rel=1e-6)
    assert _last("vix_regime", vix) == example["expected"]["vix_regime"]


def test_rsi_is_100_without_a_loss_and_50_without_a_move() -> None:
    rising, flat = np.arange(1.0, 20.0), np.full(19, 5.0)
    for name in ("rsi2", "rsi_14"):
        assert _last(name, rising) == 100
        assert _last(name, rising[::-1].copy()) == 0
        assert _last(name, flat) == 50


def test_rsi2_by_hand() -> None:
    # Changes +1, -1, then +2: averages .5/.5, then (.5+2)/2 = 1.25 and .25.
    assert _last("rsi2", np.array([10.0, 11.0, 10.0, 12.0])) == pytest.approx(100 * 1.25 / 1.5)


def test_z5_leaves_the_shock_out_of_its_yardstick(walk: Walk) -> None:
    close = walk(66)["close"]
    returns = [close[i] / close[i - 1] - 1 for i in range(1, 61)]
    sigma = np.std(returns, ddof=1)
    assert _last("z5", close) == pytest.approx((close[65] / close[60] - 1) / (sigma * math.sqrt(5)))


def test_bb_dev_is_half_at_the_mean_and_one_at_the_upper_band() -> None:
    close = np.array([9.0, 11.0] * 9 + [9.0, 10.0])
    mean, sigma = np.mean(close), np.std(close)
    assert _last("bb_dev", close) == pytest.approx((10.0 - (mean - 2 * sigma)) / (4 * sigma))


def test_trend_63_of_a_steady_rise_is_its_quarterly_log_return() -> None:
    close = np.exp(0.002 * np.arange(80))
    assert _last("trend_63", close) == pytest.approx(63 * 0.002)


def test_atr_follows_wilder_with_gaps_in_its_true_range() -> None:
    rng = np.random.default_rng(3)
    close = 20 + rng.normal(0, 1, 40)
    high, low = close + 0.5, close - 0.5
    ranges = [
        max(high[i] - low[i], abs(high[i] - close[i - 1]), abs(low[i] - close[i - 1])) for i in range(1, 40)
    ]
    atr = sum(ranges[:14]) / 14
    for value in ranges[14:]:
        atr = (atr * 13 + value) / 14
    assert _last("atr_14_pct", high, low, close) == pytest.approx(100 * atr / close[-1])


def test_realized_vol_20_is_annual(walk: Walk) -> None:
    close = walk(21)["close"]
    sigma = np.std([math.log(close[i] / close[i - 1]) for i in range(1, 21)], ddof=1)
    assert _last("realized_vol_20", close) == pytest.approx(sigma * math.sqrt(252))


def test_volume_ratio_leaves_its_own_bar_out_of_the_mean() -> None:
    volume = np.array([100.0] * 20 + [250.0])
    assert _last("volume_ratio_20", volume) == 2.5


def test_adv_is_the_mean_of_price_times_volume() -> None:
    assert _last("adv_usd_20", np.arange(1.0, 21.0), np.full(20, 10.0)) == pytest.approx(105.0)


def test_vix_rank_counts_itself_and_needs_sixty_closes() -> None:
    vix = np.arange(10.0, 70.0)
    assert _last("vix_pct_252", vix) == pytest.approx(59 / 60)
    assert math.isnan(_last("vix_pct_252", vix[:59]))


@pytest.mark.parametrize(("below", "regime"), [(59, 0), (60, 1), (79, 1), (80, 2)])
def test_vix_regime_steps_at_sixty_and_eighty_percent(below: int, regime: int) -> None:
    vix = np.array([10.0] * below + [30.0] * (99 - below) + [20.0])
    assert _last("vix_pct_252", vix) == pytest.approx(below / 100)
    assert _last("vix_regime", vix) == regime


@pytest.mark.parametrize("name", ["z5", "bb_dev", "realized_vol_20"])
def test_zero_volatility_gives_no_number(name: str) -> None:
    assert math.isnan(_last(name, np.full(300, 7.35)))


@pytest.mark.parametrize("name", ["z5", "realized_vol_20"])
def test_rounding_noise_is_not_volatility(name: str) -> None:
    assert math.isnan(_last(name, 3.3 * 1.001 ** np.arange(300.0)))


def test_nothing_moved_means_no_atr() -> None:
    flat = np.full(40, 4.2)
    assert math.isnan(_last("atr_14_pct", flat, flat, flat))


def test_no_volume_means_no_volume_ratio() -> None:
    assert math.isnan(_last("volume_ratio_20", np.array([0.0] * 20 + [5.0])))
