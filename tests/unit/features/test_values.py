"""Values of single features: the worked examples, and slow independent forms of the same definitions."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from engine.features.catalogue import CATALOGUE
from engine.features.liquidity import IMPACT
from engine.features.technical import fade_of
from engine.scoring.confidence import freshness

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


def test_the_worked_example_of_a_fade(oracle: Callable[[str, str], Any]) -> None:
    example = oracle("3", "volume_fade")
    volume = np.array(example["input"]["volumes"], dtype=np.float64)
    fade, expected = fade_of(volume), example["expected"]
    assert fade is not None
    assert (fade.slope, fade.p) == pytest.approx((expected["slope"], expected["p"]), rel=1e-6)
    assert (fade.is_falling or fade.is_drop, fade.is_drop) == (expected["fade"], expected["drop"])
    assert _last("volume_fade", volume) == float(expected["fade"])


def test_the_p_of_a_slope_is_that_of_a_t_distribution() -> None:
    rng = np.random.default_rng(9)
    for drift in (-0.1, -0.02, 0.0, 0.03):
        volume = np.exp(rng.normal(0, 0.1, 10) + drift * np.arange(10))
        line = stats.linregress(np.arange(10), np.log(volume), alternative="less")
        fade = fade_of(volume)
        assert fade is not None
        assert (fade.slope, fade.p) == pytest.approx((line.slope, line.pvalue), rel=1e-9)


@pytest.mark.parametrize(
    ("volumes", "fades"),
    [
        ([100.0] * 10, False),
        ([100.0 - n for n in range(10)], True),
        ([100.0 + n for n in range(10)], False),
        ([100.0, 300.0, 90.0, 250.0, 120.0, 280.0, 100.0, 310.0, 110.0, 90.0], True),
        ([100.0, 300.0, 90.0, 250.0, 120.0, 280.0, 100.0, 310.0, 110.0, 115.0], False),
    ],
)
def test_volume_fades_by_its_slope_or_by_its_last_bar(volumes: list[float], fades: bool) -> None:
    assert _last("volume_fade", np.array(volumes)) == float(fades)


def test_a_bar_without_volume_tells_of_no_fade() -> None:
    volume = np.array([5.0] * 9 + [0.0])
    assert math.isnan(_last("volume_fade", volume))
    assert fade_of(volume) is None
    assert fade_of(volume[:5]) is None


def test_slippage_of_the_worked_example(oracle: Callable[[str, str], Any]) -> None:
    example = oracle("3", "slippage_pct")
    given = example["input"]
    assert given["Y"] == IMPACT
    columns = [
        given["spread_bps"],
        given["order_usd"],
        given["adv_usd"],
        given["sigma_daily"] * math.sqrt(252),
    ]
    value = _last("est_slippage_pct", *(np.array([column]) for column in columns))
    assert value == pytest.approx(example["expected"], rel=1e-6)


def test_an_order_without_traded_value_has_no_slippage() -> None:
    assert math.isnan(_last("est_slippage_pct", *(np.array([x]) for x in (12.0, 1200.0, 0.0, 0.5))))


def test_runway_of_the_worked_example(oracle: Callable[[str, str], Any]) -> None:
    example = oracle("3", "issuer_runway_months")
    cash, flow = example["input"]["cash"], example["input"]["quarterly_ocf"]
    assert _last("issuer_runway_months", np.array([cash]), np.array([flow])) == example["expected"]


@pytest.mark.parametrize(
    ("cash", "flow", "months"), [(1e6, 5e5, 999.0), (1e9, -1.0, 999.0), (0.0, -1e6, 0.0), (1e6, 0.0, 999.0)]
)
def test_an_issuer_that_earns_cash_has_the_longest_runway(cash: float, flow: float, months: float) -> None:
    assert _last("issuer_runway_months", np.array([cash]), np.array([flow])) == months


def test_recency_of_the_worked_example(oracle: Callable[[str, str], Any]) -> None:
    example = oracle("1", "data_recency")
    ages = example["input"]["age_maxage"]
    total = sum(freshness(age, most) for age, most in ages)
    value = _last("data_recency", np.array([total]), np.array([float(len(ages))]))
    assert value == pytest.approx(example["expected"], rel=1e-6)


def test_a_spread_is_measured_at_the_middle_and_a_crossed_quote_has_none() -> None:
    assert _last("bid_ask_spread_bps", np.array([9.99]), np.array([10.01])) == pytest.approx(20.0)
    assert _last("bid_ask_spread_bps", np.array([10.0]), np.array([10.0])) == 0.0
    assert math.isnan(_last("bid_ask_spread_bps", np.array([10.01]), np.array([10.0])))
    assert math.isnan(_last("bid_ask_spread_bps", np.array([0.0]), np.array([10.0])))


def test_amihud_is_return_per_million_traded(walk: Walk) -> None:
    columns = walk(21)
    close, volume = columns["close"], columns["volume"]
    sizes = [abs(close[i] / close[i - 1] - 1) / (close[i] * volume[i] / 1e6) for i in range(1, 21)]
    assert _last("amihud_illiq_20", close, volume) == pytest.approx(np.mean(sizes))
    volume[3] = 0.0
    assert math.isnan(_last("amihud_illiq_20", close, volume))


def test_liquidity_delta_compares_five_bars_with_twenty() -> None:
    volume = np.array([100.0] * 15 + [60.0] * 5)
    assert _last("liquidity_delta_pct", volume) == pytest.approx(100 * (60 / 90 - 1))
    assert math.isnan(_last("liquidity_delta_pct", np.zeros(20)))


def test_volume_z_leaves_its_own_bar_out(walk: Walk) -> None:
    volume = walk(31)["volume"]
    expected = (volume[-1] - volume[:-1].mean()) / volume[:-1].std(ddof=1)
    assert _last("volume_z_30", volume) == pytest.approx(expected)
    assert math.isnan(_last("volume_z_30", np.array([5.0] * 30 + [9.0])))


def test_challenger_inputs_by_hand(walk: Walk) -> None:
    columns = walk(300)
    close, volume = columns["close"], columns["volume"]
    logs = np.log(close)
    assert _last("rv60", close) == pytest.approx(np.diff(logs)[-60:].std(ddof=1) * math.sqrt(252))
    assert _last("ret20", close) == pytest.approx(close[-1] / close[-21] - 1)
    assert _last("prev_return", close) == pytest.approx(close[-1] / close[-2] - 1)
    assert _last("prev_volume_ratio", volume) == _last("volume_ratio_20", volume)
    distance = CATALOGUE["dist_200"].compute(close)[-63:]
    assert _last("knife_share_63", close) == pytest.approx((distance < -0.20).mean())
    bars = [columns[name] for name in ("high", "low", "close")]
    size = CATALOGUE["atr_14_pct"].compute(*bars)[-2] / 100 * close[-2]
    gap = min(0.0, columns["open"][-1] - close[-2])
    assert _last("gap_atr", columns["open"], *bars) == pytest.approx(gap / size)


def test_prices_of_another_time_do_not_blur_the_newest_window() -> None:
    # A thousandfold fall leaves no digits of the old level behind: each window stands on its own rows.
    tail = 5.0 + 0.01 * np.sin(np.arange(400.0))
    fallen = np.concatenate((np.full(777, 5_000.0), tail))
    for name in ("bb_dev", "z5", "dist_200", "trend_63", "realized_vol_20"):
        assert _last(name, fallen) == pytest.approx(_last(name, tail), rel=1e-9), name
