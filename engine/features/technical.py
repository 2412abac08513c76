"""Technical features of daily bars (SPEC 1.4.7). Bars are adjusted for splits and dividends, oldest first."""

import numpy as np

from engine.features.registry import Array, AssetClass, Category, feature
from engine.features.windows import (
    ZERO_SIZE,
    change,
    log_of,
    ratio,
    rolling,
    rolling_mean,
    rolling_std,
    warmed_up,
    wilder_average,
)

_TECHNICAL = Category.TECHNICAL
EQUITY_SESSIONS_PER_YEAR = 252.0


def _wilder_rsi(close: Array, rows: int) -> Array:
    """Average loss 0 gives 100, both averages 0 give 50 (SPEC 1.3)."""
    moves = np.diff(close)
    gain = wilder_average(np.maximum(moves, 0.0), rows)
    total = gain + wilder_average(np.maximum(-moves, 0.0), rows)
    index = np.where(total == 0, 50.0, 100 * ratio(gain, total))
    return warmed_up(index, len(close))


@feature(
    version="1.0.0", category=_TECHNICAL, unit="index", lookback=3, is_recursive=True, minimum=0, maximum=100
)
def rsi2(close: Array) -> Array:
    """Wilder RSI of 2 bars (Connors & Alvarez 2009). close (T,) -> (T,), 0..100."""
    return _wilder_rsi(close, 2)


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="index",
    lookback=15,
    is_recursive=True,
    minimum=0,
    maximum=100,
    nullable=True,
)
def rsi_14(close: Array) -> Array:
    """Wilder RSI of 14 bars. close (T,) -> (T,), 0..100."""
    return _wilder_rsi(close, 14)


@feature(version="1.0.0", category=_TECHNICAL, unit="z", lookback=66)
def z5(close: Array) -> Array:
    """5-bar return over its expected size, sigma60 * sqrt(5) (SPEC 1.3). close (T,) -> (T,).

    sigma60 is the sample deviation of the 60 daily returns that end 5 bars ago, so that the shock itself is
    not in it. NaN for zero volatility.
    """
    sigma60 = warmed_up(rolling_std(change(close), 60, ddof=1), len(close))
    move = ratio(close[5:], close[:-5]) - 1
    return warmed_up(ratio(move, sigma60[:-5] * np.sqrt(5.0), ZERO_SIZE), len(close))


@feature(version="1.0.0", category=_TECHNICAL, unit="ratio", lookback=20)
def bb_dev(close: Array) -> Array:
    """Bollinger %b: 0 at the lower, 1 at the upper band of 20 bars, 2 population deviations wide each way.

    close (T,) -> (T,); NaN for a band without width.
    """
    mean, sigma = rolling_mean(close, 20), rolling_std(close, 20, ddof=0)
    return ratio(close - mean + 2 * sigma, 4 * sigma, 4 * ZERO_SIZE * np.abs(mean))


@feature(
    version="1.0.0", category=_TECHNICAL, unit="fraction", lookback=200, minimum=-1, minimum_excluded=True
)
def dist_200(close: Array) -> Array:
    """Close over its mean of 200 bars, minus 1. close (T,) -> (T,)."""
    return ratio(close, rolling_mean(close, 200)) - 1


@feature(version="1.0.0", category=_TECHNICAL, unit="log return per quarter", lookback=63)
def trend_63(close: Array) -> Array:
    """63 times the least-squares slope of ln close over 63 bars. close (T,) -> (T,)."""
    centered = np.arange(63.0) - 31.0
    weights = 63 * centered / (centered**2).sum()
    return warmed_up((rolling(log_of(close), 63) * weights).sum(axis=1), len(close))


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="fraction",
    lookback=2,
    minimum=-1,
    maximum=0,
    asset_class=AssetClass.EQUITY,
)
def gap_dn(open: Array, close: Array) -> Array:
    """min(0, open / prior close - 1). open, close (T,) -> (T,); 0 for a gap up."""
    return warmed_up(np.minimum(ratio(open[1:], close[:-1]) - 1, 0.0), len(close))


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="percent",
    lookback=15,
    is_recursive=True,
    minimum=0,
    nullable=True,
)
def atr_14_pct(high: Array, low: Array, close: Array) -> Array:
    """100 * Wilder ATR(14) / close. high, low, close (T,) -> (T,).

    A true range needs the prior close, so the first row has none. NaN when nothing moved at all.
    """
    prior = close[:-1]
    true_range = np.maximum(high[1:], prior) - np.minimum(low[1:], prior)
    average = warmed_up(wilder_average(true_range, 14), len(close))
    percent = 100 * ratio(average, close)
    return np.where(percent > ZERO_SIZE, percent, np.nan)


@feature(version="1.0.0", category=_TECHNICAL, unit="fraction/yr", lookback=21, minimum=0, nullable=True)
def realized_vol_20(close: Array, *, bars_per_year: float = EQUITY_SESSIONS_PER_YEAR) -> Array:
    """Sample deviation of 20 log returns, per year. close (T,) -> (T,); NaN for zero volatility."""
    sigma = warmed_up(rolling_std(np.diff(log_of(close)), 20, ddof=1), len(close))
    return np.where(sigma > ZERO_SIZE, sigma * np.sqrt(bars_per_year), np.nan)


@feature(version="1.0.0", category=_TECHNICAL, unit="ratio", lookback=21, minimum=0, nullable=True)
def volume_ratio_20(volume: Array) -> Array:
    """Volume over the mean of the 20 bars before it. volume (T,) -> (T,); NaN when that mean is 0."""
    return warmed_up(ratio(volume[1:], rolling_mean(volume, 20)[:-1]), len(volume))
