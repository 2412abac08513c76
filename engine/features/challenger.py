"""Inputs of the challenger model (SPEC 3.3.3) and the falling-knife share (SPEC 3.2.2): outside the 127.

`rv60`, `prev_return`, `prev_volume_ratio`, `ret20` and `knife_share_63` are read at the last completed bar.
Each is a kernel of columns (T,); see `registry.FeatureSpec`. NaN: not available.
"""

from engine.features.kernels import (
    NAN,
    Column,
    Memory,
    atr_rows,
    change_rows,
    deviation_state,
    lag_state,
    lagged,
    log_rows,
    ratio_rows,
    rolling_sum,
    sum_state,
    volatility_rows,
    wilder_state,
)
from engine.features.registry import AssetClass, Category, feature

_TECHNICAL = Category.TECHNICAL
KNIFE_BARS = 63
KNIFE_BELOW = -0.20
"""A session with `dist_200` under it was one of a falling knife."""


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="fraction/yr",
    lookback=61,
    states=(lag_state(1), deviation_state(60)),
    scratch=2,
    minimum=0,
    nullable=True,
    is_extra=True,
)
def rv60(close: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Sample deviation of 60 log returns, per year of 252 sessions; NaN for zero volatility."""
    logs, squares = scratch
    log_rows(close, logs)
    volatility_rows(logs, 60, memory, logs, squares, out)


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="ratio",
    lookback=16,
    states=(lag_state(1), wilder_state(1), lag_state(1), lag_state(1)),
    scratch=3,
    is_recursive=True,
    maximum=0,
    nullable=True,
    is_extra=True,
    asset_class=AssetClass.EQUITY,
)
def gap_atr(
    open: Column, high: Column, low: Column, close: Column, memory: Memory, scratch: Column, out: Column
) -> None:
    """The gap down in average true ranges: min(0, open - prior close) over the Wilder ATR(14) before it."""
    ranges, before, earlier = scratch
    atr_rows(high, low, close, memory, ranges)
    lagged(ranges, 1, memory[2], before)
    lagged(close, 1, memory[3], earlier)
    first = len(close) - len(out)
    for row in range(len(out)):
        gap, size = open[first + row] - earlier[first + row], before[first + row]
        if gap > 0.0:
            gap = 0.0
        out[row] = gap / size if size > 0.0 else NAN


@feature(
    version="1.0.0",
    category=Category.MARKET,
    unit="fraction",
    lookback=2,
    states=(lag_state(1),),
    scratch=1,
    minimum=-1,
    nullable=True,
    is_extra=True,
    asset_class=AssetClass.EQUITY,
    sources=("spy",),
)
def spy_gap(spy_open: Column, spy: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """SPY's open over its prior close, minus 1."""
    before = scratch[0]
    lagged(spy, 1, memory[0], before)
    first = len(spy) - len(out)
    for row in range(len(out)):
        prior = before[first + row]
        out[row] = spy_open[first + row] / prior - 1.0 if prior > 0.0 else NAN


@feature(
    version="1.0.0",
    category=Category.MARKET,
    unit="fraction",
    lookback=1,
    minimum=0,
    maximum=1,
    nullable=True,
    is_extra=True,
    asset_class=AssetClass.EQUITY,
)
def gap_breadth(gapping: Column, liquid: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Share of the liquid names with a bar this morning that opened 3 % or more under their prior close.

    Liquid: a mean traded value of 20 bars of 5 million USD or more.
    """
    first = len(liquid) - len(out)
    for row in range(len(out)):
        names = liquid[first + row]
        out[row] = gapping[first + row] / names if names > 0.0 else NAN


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="fraction",
    lookback=2,
    states=(lag_state(1),),
    scratch=1,
    minimum=-1,
    nullable=True,
    is_extra=True,
)
def prev_return(close: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Return of the last completed session."""
    changes = scratch[0]
    change_rows(close, memory[0], changes)
    first = len(close) - len(out)
    for row in range(len(out)):
        out[row] = changes[first + row]


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="ratio",
    lookback=21,
    states=(lag_state(1), sum_state(20)),
    scratch=2,
    minimum=0,
    nullable=True,
    is_extra=True,
)
def prev_volume_ratio(volume: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """`volume_ratio_20` of the last completed session."""
    ratio_rows(volume, memory, scratch, out)


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="fraction",
    lookback=21,
    states=(lag_state(20),),
    scratch=1,
    minimum=-1,
    nullable=True,
    is_extra=True,
)
def ret20(close: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Return of the last 20 completed sessions."""
    earlier = scratch[0]
    lagged(close, 20, memory[0], earlier)
    first = len(close) - len(out)
    for row in range(len(out)):
        start = earlier[first + row]
        out[row] = close[first + row] / start - 1.0 if start > 0.0 else NAN


@feature(
    version="1.0.0",
    category=_TECHNICAL,
    unit="fraction",
    lookback=200 + KNIFE_BARS - 1,
    states=(sum_state(200), sum_state(KNIFE_BARS)),
    scratch=2,
    minimum=0,
    maximum=1,
    nullable=True,
    is_extra=True,
)
def knife_share_63(close: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Share of the last 63 completed sessions with `dist_200` under -0.20 (SPEC 3.2.2)."""
    totals, counts = scratch
    rolling_sum(close, 200, memory[0], totals)
    for row in range(len(close)):
        mean = totals[row] / 200.0
        distance = close[row] / mean - 1.0 if mean > 0.0 else NAN
        counts[row] = 1.0 if distance < KNIFE_BELOW else 0.0 * distance
    rolling_sum(counts, KNIFE_BARS, memory[1], counts)
    first = len(close) - len(out)
    for row in range(len(out)):
        out[row] = counts[first + row] / KNIFE_BARS
