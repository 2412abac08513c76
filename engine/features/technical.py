"""Technical features of daily bars (SPEC 1.4.7). Bars are adjusted for splits and dividends, oldest first.

Each is a kernel of columns (T,); see `registry.FeatureSpec`. NaN: not available.
"""

import math
from dataclasses import dataclass

from engine.features.kernels import (
    NAN,
    ZERO_SIZE,
    Column,
    Memory,
    atr_rows,
    change_rows,
    deviation_state,
    distance_rows,
    lag_state,
    lagged,
    log_rows,
    ratio_rows,
    rolling_deviation,
    rolling_slope,
    slope_state,
    sum_state,
    volatility_rows,
    wilder_state,
)
from engine.features.registry import Array, AssetClass, Category, Dtype, feature
from engine.jit import kernel

_TECHNICAL = Category.TECHNICAL
FADE_BARS = 10
FADE_DROP = 0.5
"""A last volume below this share of the mean of the 5 before it is a fade as well (SPEC 3.7.5)."""
FADE_P = 0.05


@kernel
def rsi_rows(close: Column, rows: int, memory: Memory, out: Column) -> None:
    """Wilder RSI; average loss 0 gives 100, both averages 0 give 50 (SPEC 1.3)."""
    before, count = memory[0][0], memory[1][0]
    gain, loss, keep, take = memory[1][1], memory[2][1], (rows - 1) / rows, 1.0 / rows
    first = len(close) - len(out)
    for row in range(len(close)):
        step = close[row] - before
        before = close[row]
        up = step if step > 0.0 else step * 0.0
        down = -step if step < 0.0 else step * 0.0
        if count >= rows:
            gain, loss = gain * keep + up * take, loss * keep + down * take
        else:
            # Not before the second row is there a step; then the plain mean of the first ones.
            if count >= 0:
                gain, loss = gain + up, loss + down
            count += 1
            if count == rows:
                gain, loss = gain * take, loss * take
        if row >= first:
            total = gain + loss
            value = 50.0 if total == 0.0 else 100.0 * (gain / total)
            out[row - first] = value if count >= rows else NAN
    memory[0][0], memory[1][0], memory[1][1], memory[2][1] = before, count, gain, loss


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="index",
    lookback=3,
    states=(lag_state(1), wilder_state(1), wilder_state(1)),
    is_recursive=True,
    minimum=0,
    maximum=100,
)
def rsi2(close: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Wilder RSI of 2 bars (Connors & Alvarez 2009), 0..100."""
    rsi_rows(close, 2, memory, out)


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="index",
    lookback=15,
    states=(lag_state(1), wilder_state(1), wilder_state(1)),
    is_recursive=True,
    minimum=0,
    maximum=100,
    nullable=True,
)
def rsi_14(close: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Wilder RSI of 14 bars, 0..100."""
    rsi_rows(close, 14, memory, out)


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="z",
    lookback=66,
    states=(lag_state(1), lag_state(5), deviation_state(60), lag_state(5)),
    scratch=3,
)
def z5(close: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """5-bar return over its expected size, sigma60 * sqrt(5) (SPEC 1.3).

    sigma60 is the sample deviation of the 60 daily returns that end 5 bars ago, so that the shock itself is
    not in it. NaN for zero volatility.
    """
    returns, squares, earlier = scratch
    change_rows(close, memory[0], returns)
    lagged(returns, 5, memory[1], squares)
    rolling_deviation(squares, 60, memory[2], returns, squares)
    lagged(close, 5, memory[3], earlier)
    first, share = len(close) - len(out), 5.0 / 59.0
    prices, squares, earlier = close[first:], squares[first:], earlier[first:]
    for row in range(len(out)):
        square, before = squares[row], earlier[row]
        size = math.sqrt(square * share) if square > 0.0 else NAN
        is_known = size > ZERO_SIZE and before > 0.0
        out[row] = (prices[row] - before) / (before * size) if is_known else NAN


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="ratio",
    lookback=20,
    states=(deviation_state(20),),
    scratch=2,
)
def bb_dev(close: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Bollinger %b: 0 at the lower, 1 at the upper band of 20 bars, 2 population deviations wide each way.

    NaN for a band without width.
    """
    means, squares = scratch
    rolling_deviation(close, 20, memory[0], means, squares)
    first = len(close) - len(out)
    prices, means, squares = close[first:], means[first:], squares[first:]
    for row in range(len(out)):
        mean, square = means[row], squares[row]
        band = math.sqrt(square * 0.8) if square > 0.0 else NAN  # 4 population deviations
        is_wide = band > 4.0 * ZERO_SIZE * abs(mean)
        out[row] = 0.5 + (prices[row] - mean) / band if is_wide else NAN


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="fraction",
    lookback=200,
    states=(sum_state(200),),
    scratch=1,
    minimum=-1,
    minimum_excluded=True,
)
def dist_200(close: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Close over its mean of 200 bars, minus 1."""
    distance_rows(close, 200, memory, scratch, out)


@kernel
def trend_rows(logs: Column, memory: Memory, slopes: Column, out: Column) -> None:
    """`trend_63` of ln close."""
    rolling_slope(logs, 63, memory[0], slopes)
    slopes = slopes[len(logs) - len(out) :]
    for row in range(len(out)):
        out[row] = 63.0 * slopes[row]


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="log return per quarter",
    lookback=63,
    states=(slope_state(63),),
    scratch=2,
)
def trend_63(close: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """63 times the least-squares slope of ln close over 63 bars."""
    logs, slopes = scratch
    log_rows(close, logs)
    trend_rows(logs, memory, slopes, out)


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="fraction",
    lookback=2,
    states=(lag_state(1),),
    scratch=1,
    minimum=-1,
    maximum=0,
    asset_class=AssetClass.EQUITY,
)
def gap_dn(open: Column, close: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """min(0, open / prior close - 1); 0 for a gap up."""
    before, first = scratch[0], len(close) - len(out)
    lagged(close, 1, memory[0], before)
    opens, before = open[first:], before[first:]
    for row in range(len(out)):
        prior = before[row]
        gap = opens[row] / prior - 1.0 if prior > 0.0 else NAN
        out[row] = 0.0 if gap > 0.0 else gap


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="percent",
    lookback=15,
    states=(lag_state(1), wilder_state(1)),
    scratch=1,
    is_recursive=True,
    minimum=0,
    nullable=True,
)
def atr_14_pct(
    high: Column, low: Column, close: Column, memory: Memory, scratch: Column, out: Column
) -> None:
    """100 * Wilder ATR(14) / close. NaN when nothing moved at all."""
    ranges = scratch[0]
    atr_rows(high, low, close, memory, ranges)
    first = len(close) - len(out)
    prices, ranges = close[first:], ranges[first:]
    for row in range(len(out)):
        price = prices[row]
        percent = 100.0 * (ranges[row] / price) if price > 0.0 else NAN
        out[row] = percent if percent > ZERO_SIZE else NAN


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="fraction/yr",
    lookback=21,
    states=(lag_state(1), deviation_state(20)),
    scratch=2,
    minimum=0,
    nullable=True,
)
def realized_vol_20(close: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Sample deviation of 20 log returns, per year of 252 sessions; NaN for zero volatility."""
    logs, squares = scratch
    log_rows(close, logs)
    volatility_rows(logs, 20, memory, logs, squares, out)


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="ratio",
    lookback=21,
    states=(lag_state(1), sum_state(20)),
    scratch=2,
    minimum=0,
    nullable=True,
)
def volume_ratio_20(volume: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Volume over the mean of the 20 bars before it; NaN when that mean is 0.

    Of daily bars. In a session the volume so far is measured by `intraday.VolumeCurve` instead (SPEC 3.5).
    """
    ratio_rows(volume, memory, scratch, out)


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="percent",
    lookback=1,
    nullable=True,
    max_age_s=60,
)
def vwap_dev_pct(close: Column, vwap: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """100 * (close / volume-weighted mean price of the session - 1)."""
    first = len(close) - len(out)
    for row in range(len(out)):
        mean = vwap[first + row]
        out[row] = 100.0 * (close[first + row] / mean - 1.0) if mean > 0.0 else NAN


@kernel
def fade_p(slope: float, residual: float, spread: float, count: int) -> float:
    """One-sided p of a slope of 10 points under t with 8 degrees of freedom, which has a closed form.

    `residual`: sum of squares about the line; `spread`: sum of squares of the places. 0.5 for a flat line.
    """
    variance = residual / (count - 2) / spread
    scale = slope * slope + 8.0 * variance
    if not scale > 0.0:
        return 0.5
    # With theta = atan(t / sqrt 8): sin and cos^2 without dividing by a residual of 0.
    sine, cosine = slope / math.sqrt(scale), 8.0 * variance / scale
    return 0.5 + 0.5 * sine * (1.0 + cosine * (0.5 + cosine * (0.375 + cosine * 0.3125)))


@kernel
def fade_rows(volume: Column, memory: Memory, scratch: Column, slope: Column, p: Column, out: Column) -> None:
    """Slope of ln volume over 10 bars, its one-sided p, and the last volume over the mean of the 5 before."""
    logs = scratch[0]
    log_rows(volume, logs)
    for row in range(len(volume)):
        kept, newest = memory[0], memory[1]
        total = moment = 0.0
        for place in range(FADE_BARS - 1):
            kept[place] = kept[place + 1]
        kept[FADE_BARS - 1] = logs[row]
        for place in range(FADE_BARS):
            total += kept[place]
        mean, middle = total / FADE_BARS, 0.5 * (FADE_BARS - 1)
        squares = spread = 0.0
        for place in range(FADE_BARS):
            distance = kept[place] - mean
            moment += (place - middle) * distance
            spread += (place - middle) * (place - middle)
            squares += distance * distance
        line = moment / spread
        residual = squares - line * moment
        slope[row] = line
        p[row] = fade_p(line, residual if residual > 0.0 else 0.0 * residual, spread, FADE_BARS)
        before = 0.0
        for place in range(5):
            before += newest[place]
        for place in range(4):
            newest[place] = newest[place + 1]
        newest[4] = volume[row]
        out[row] = volume[row] / (before / 5.0) if before > 0.0 else NAN


@dataclass(frozen=True, slots=True)
class Fade:
    """What `volume_fade` looked at.

    `slope`: of ln volume, a bar; `p`: one-sided; `share`: the last volume over the mean of the 5 before it.
    """

    slope: float
    p: float
    share: float

    @property
    def is_falling(self) -> bool:
        """Volume falls from bar to bar, and not by chance."""
        return self.slope < 0.0 and self.p < FADE_P

    @property
    def is_drop(self) -> bool:
        """The last bar alone had far less volume than those before it."""
        return self.share < FADE_DROP


def fade_of(volume: Array) -> Fade | None:
    """Of the last 10 completed bars, volume (T,); None when there are fewer or one had no volume."""
    last = volume[-FADE_BARS:].tolist()
    if len(last) < FADE_BARS or not min(last) > 0.0:
        return None
    memory = tuple(list(state) for state in volume_fade.states)
    logs, slope, p, share = ([0.0] * FADE_BARS for _ in range(4))
    fade_rows(last, memory, (logs,), slope, p, share)
    return Fade(slope[-1], p[-1], share[-1])


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    dtype=Dtype.BOOL,
    unit="bool",
    lookback=FADE_BARS,
    states=(lag_state(FADE_BARS), lag_state(5)),
    scratch=4,
    minimum=0,
    maximum=1,
)
def volume_fade(volume: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """1 when volume fades (SPEC 3.7.5), else 0; NaN when a bar of the last 10 had none.

    Either the slope of ln volume over 10 completed bars is negative with a one-sided p below 0.05, or the
    last volume is under half the mean of the 5 before it.
    """
    slopes, chances, shares = scratch[1], scratch[2], scratch[3]
    fade_rows(volume, memory, scratch, slopes, chances, shares)
    first = len(volume) - len(out)
    for row in range(len(out)):
        slope, share = slopes[first + row], shares[first + row]
        fades = (slope < 0.0 and chances[first + row] < FADE_P) or share < FADE_DROP
        out[row] = (1.0 if fades else 0.0) if slope == slope and share == share else NAN
