"""Liquidity features of stocks (SPEC 1.4.2, 1.4.3): spread, impact, and how volume compares with itself.

Each is a kernel of columns (T,); see `registry.FeatureSpec`. NaN: not available.
"""

import math

from engine.features.kernels import (
    NAN,
    SESSIONS_PER_YEAR,
    ZERO_SIZE,
    Column,
    Memory,
    change_rows,
    deviation_state,
    lag_state,
    lagged,
    rolling_deviation,
    rolling_sum,
    sum_state,
)
from engine.features.registry import Category, Transform, feature

_LIQUIDITY = Category.LIQUIDITY
IMPACT = 0.7
"""Y of the square-root impact law (SPEC 3.7.2)."""
DELTA_BARS, DELTA_OVER = 5, 20


@feature(version="1.0.0", category=_LIQUIDITY, unit="bps", lookback=1, minimum=0, nullable=True, max_age_s=15)
def bid_ask_spread_bps(bid: Column, ask: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """10,000 * (ask - bid) / their middle; NaN for a crossed or one-sided quote."""
    first = len(bid) - len(out)
    for row in range(len(out)):
        low, high = bid[first + row], ask[first + row]
        out[row] = 10_000.0 * (high - low) / (0.5 * (high + low)) if 0.0 < low <= high else NAN


@feature(
    version="1.0.0",
    category=_LIQUIDITY,
    unit="1/USDm",
    lookback=21,
    states=(lag_state(1), sum_state(20)),
    scratch=1,
    minimum=0,
    nullable=True,
    transform=Transform.RANK,
)
def amihud_illiq_20(close: Column, volume: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Mean over 20 bars of the size of the return over the traded value in million USD (Amihud 2002).

    NaN while a bar of the window had no volume.
    """
    sizes = scratch[0]
    change_rows(close, memory[0], sizes)
    for row in range(len(close)):
        dollars = close[row] * volume[row]
        sizes[row] = abs(sizes[row]) / dollars * 1e6 if dollars > 0.0 else NAN
    rolling_sum(sizes, 20, memory[1], sizes)
    first = len(close) - len(out)
    for row in range(len(out)):
        out[row] = sizes[first + row] / 20.0


@feature(version="1.0.0", category=_LIQUIDITY, unit="percent", lookback=1, minimum=0, max_age_s=15)
def est_slippage_pct(
    bid_ask_spread_bps: Column,
    order_usd: Column,
    adv_usd_20: Column,
    realized_vol_20: Column,
    memory: Memory,
    scratch: Column,
    out: Column,
) -> None:
    """Expected one-way slippage of an order: half the spread and square-root impact (SPEC 3.7.2).

    `realized_vol_20` is per year, as the feature of that name.
    """
    first = len(order_usd) - len(out)
    for row in range(len(out)):
        place = first + row
        size, traded, spread = order_usd[place], adv_usd_20[place], bid_ask_spread_bps[place]
        if traded > 0.0 and size >= 0.0 and spread >= 0.0 and realized_vol_20[place] >= 0.0:
            daily = realized_vol_20[place] / math.sqrt(SESSIONS_PER_YEAR)
            out[row] = spread / 200.0 + 100.0 * IMPACT * daily * math.sqrt(size / traded)
        else:
            out[row] = NAN


@feature(
    version="1.0.0",
    category=_LIQUIDITY,
    unit="percent",
    lookback=DELTA_OVER,
    states=(sum_state(DELTA_BARS), sum_state(DELTA_OVER)),
    scratch=2,
    minimum=-100,
    nullable=True,
)
def liquidity_delta_pct(volume: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """100 * (mean volume of the last 5 completed bars / of the last 20 - 1)."""
    short, long = scratch
    rolling_sum(volume, DELTA_BARS, memory[0], short)
    rolling_sum(volume, DELTA_OVER, memory[1], long)
    first = len(volume) - len(out)
    for row in range(len(out)):
        mean = long[first + row] / DELTA_OVER
        out[row] = 100.0 * (short[first + row] / DELTA_BARS / mean - 1.0) if mean > 0.0 else NAN


@feature(
    version="1.0.0",
    category=Category.ORDER_FLOW,
    unit="z",
    lookback=31,
    states=(lag_state(1), deviation_state(30)),
    scratch=2,
    nullable=True,
)
def volume_z_30(volume: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """How many sample deviations the volume lies over the mean of the 30 bars before it.

    NaN when those 30 were all equal.
    """
    means, squares = scratch
    lagged(volume, 1, memory[0], squares)
    rolling_deviation(squares, 30, memory[1], means, squares)
    first = len(volume) - len(out)
    for row in range(len(out)):
        mean, square = means[first + row], squares[first + row]
        sigma = math.sqrt(square / 29.0) if square > 0.0 else NAN
        out[row] = (volume[first + row] - mean) / sigma if sigma > ZERO_SIZE * mean else NAN
