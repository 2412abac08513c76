"""Market features (SPEC 1.4.1): price and traded value of a stock, the market's state by VIX and SPY.

Each is a kernel of columns (T,); see `registry.FeatureSpec`. NaN: not available.
"""

from engine.features.kernels import (
    NAN,
    Column,
    Memory,
    distance_rows,
    lag_state,
    lagged,
    rolling_sum,
    sum_state,
)
from engine.features.registry import AssetClass, Category, Dtype, feature
from engine.jit import kernel
from engine.money import EPSILON

_MARKET = Category.MARKET
VIX_WINDOW = 252
VIX_MINIMUM = 60
CALM_BELOW = 0.60
NERVOUS_FROM = 0.80


@feature(
    version="1.0.0",
    category=_MARKET,
    unit="USD",
    lookback=1,
    minimum=0,
    minimum_excluded=True,
    nullable=True,
    asset_class=AssetClass.EQUITY,
)
def open_price(open: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """The official open of the session, USD; NaN before it."""
    first = len(open) - len(out)
    for row in range(len(out)):
        price = open[first + row]
        out[row] = price if price > 0.0 else NAN


@feature(
    version="1.0.0",
    category=_MARKET,
    unit="USD",
    lookback=2,
    states=(lag_state(1),),
    scratch=1,
    minimum=0,
    minimum_excluded=True,
    asset_class=AssetClass.EQUITY,
)
def prev_close(close: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """The close of the session before, USD of the current session (SPEC 1.3)."""
    before = scratch[0]
    lagged(close, 1, memory[0], before)
    first = len(close) - len(out)
    for row in range(len(out)):
        price = before[first + row]
        out[row] = price if price > 0.0 and close[first + row] > 0.0 else NAN


@feature(version="1.0.0", category=_MARKET, unit="USD", lookback=1, minimum=0, max_age_s=300)
def volume_24h_usd(volume: Column, vwap: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Shares traded in the session so far times its volume-weighted mean price, USD."""
    product_rows(volume, vwap, out)


@feature(
    version="1.0.0",
    category=_MARKET,
    unit="USD",
    lookback=1,
    minimum=0,
    nullable=True,
    max_age_s=86_400,
)
def market_cap_usd(
    close: Column, shares_outstanding: Column, memory: Memory, scratch: Column, out: Column
) -> None:
    """Price times shares outstanding, USD."""
    product_rows(close, shares_outstanding, out)


@kernel
def product_rows(amount: Column, price: Column, out: Column) -> None:
    """Amount times price; NaN where one of them is negative."""
    first = len(amount) - len(out)
    for row in range(len(out)):
        one, other = amount[first + row], price[first + row]
        out[row] = one * other if one >= 0.0 and other >= 0.0 else NAN


@feature(
    version="1.0.0",
    category=_MARKET,
    unit="percent",
    lookback=2,
    states=(lag_state(1),),
    scratch=1,
    minimum=-100,
    max_age_s=300,
)
def price_change_24h_pct(close: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """100 * (price / close of the session before - 1)."""
    before = scratch[0]
    lagged(close, 1, memory[0], before)
    first = len(close) - len(out)
    for row in range(len(out)):
        prior = before[first + row]
        out[row] = 100.0 * (close[first + row] / prior - 1.0) if prior > 0.0 else NAN


@feature(
    version="1.0.0",
    category=_MARKET,
    unit="USD",
    lookback=20,
    states=(sum_state(20),),
    scratch=1,
    minimum=0,
    nullable=True,
)
def adv_usd_20(close: Column, volume: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Mean of close * volume as traded over 20 completed bars, USD."""
    dollars = scratch[0]
    for row in range(len(close)):
        dollars[row] = close[row] * volume[row]
    rolling_sum(dollars, 20, memory[0], dollars)
    first = len(close) - len(out)
    for row in range(len(out)):
        out[row] = dollars[first + row] / 20.0


@feature(
    version="1.0.0",
    category=_MARKET,
    unit="index",
    lookback=1,
    minimum=5,
    maximum=150,
    asset_class=AssetClass.EQUITY,
    sources=("vix",),
)
def vix_close(vix: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """The VIX close itself, index points."""
    first = len(vix) - len(out)
    for row in range(len(out)):
        out[row] = vix[first + row]


@kernel
def rank_rows(values: Column, rows: int, least: int, memory: Memory, out: Column) -> None:
    """Share of the last `rows` values, the newest among them, that lie strictly below it.

    With as many as there are, from `least` on.
    """
    count = len(values)
    first = count - len(out)
    for row in range(len(out)):
        end = first + row
        value, below, known = values[end], 0, 0
        for place in range(end - rows + 1, end + 1):
            other = values[place] if place >= 0 else memory[place + rows]
            if other == other:
                known += 1
                if other < value:
                    below += 1
        out[row] = below / known if value == value and known >= least else NAN
    for place in range(rows):
        source = place + count
        memory[place] = memory[source] if source < rows else values[source - rows]


@feature(
    version="1.0.0",
    category=_MARKET,
    unit="fraction",
    lookback=VIX_MINIMUM,
    states=(lag_state(VIX_WINDOW),),
    window=VIX_WINDOW,
    minimum=0,
    maximum=1,
    asset_class=AssetClass.EQUITY,
    sources=("vix",),
    depends_on=("vix_close",),
)
def vix_pct_252(vix: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Share of the last 252 VIX closes, the current one among them, that lie strictly below it.

    From 60 closes on, with as many as there are.
    """
    rank_rows(vix, VIX_WINDOW, VIX_MINIMUM, memory[0], out)


@feature(
    version="1.0.0",
    category=_MARKET,
    dtype=Dtype.CATEGORY,
    unit="category",
    lookback=VIX_MINIMUM,
    states=(lag_state(VIX_WINDOW),),
    window=VIX_WINDOW,
    minimum=0,
    maximum=2,
    asset_class=AssetClass.EQUITY,
    sources=("vix",),
    depends_on=("vix_pct_252",),
)
def vix_regime(vix: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """0 calm, 1 nervous, 2 high: vix_pct_252 below 0.60, below 0.80, else."""
    rank_rows(vix, VIX_WINDOW, VIX_MINIMUM, memory[0], out)
    for row in range(len(out)):
        share = out[row]
        if share >= NERVOUS_FROM - EPSILON:
            out[row] = 2.0
        elif share >= CALM_BELOW - EPSILON:
            out[row] = 1.0
        elif share == share:
            out[row] = 0.0


@feature(
    version="1.0.0",
    category=_MARKET,
    unit="fraction",
    lookback=200,
    states=(sum_state(200),),
    scratch=1,
    minimum=-1,
    minimum_excluded=True,
    asset_class=AssetClass.EQUITY,
    sources=("spy",),
)
def spy_dist_200(spy: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """SPY's close over its mean of 200 sessions, minus 1."""
    distance_rows(spy, 200, memory, scratch, out)
