"""Market features (SPEC 1.4.1): traded value of a stock, and the state of the market by VIX and SPY."""

import numpy as np

from engine.features.registry import Array, AssetClass, Category, Dtype, feature
from engine.features.windows import ratio, rolling, rolling_mean
from engine.money import EPSILON

_MARKET = Category.MARKET
VIX_WINDOW = 252
VIX_MINIMUM = 60
CALM_BELOW = 0.60
NERVOUS_FROM = 0.80


@feature(version="1.0.0", category=_MARKET, unit="USD", lookback=20, minimum=0, nullable=True)
def adv_usd_20(close: Array, volume: Array) -> Array:
    """Mean of close * volume over 20 completed bars. close, volume as traded (T,) -> (T,) USD."""
    return rolling_mean(close * volume, 20)


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
def vix_close(vix: Array) -> Array:
    """The VIX close itself. vix (T,) -> (T,) index points."""
    return vix.astype(np.float64)


@feature(
    version="1.0.0",
    category=_MARKET,
    unit="fraction",
    lookback=VIX_MINIMUM,
    window=VIX_WINDOW,
    minimum=0,
    maximum=1,
    asset_class=AssetClass.EQUITY,
    sources=("vix",),
    depends_on=("vix_close",),
)
def vix_pct_252(vix: Array) -> Array:
    """Share of the last 252 VIX closes, the current one among them, that lie strictly below it.

    vix (T,) -> (T,); from 60 closes on, with as many as there are.
    """
    before = np.full(VIX_WINDOW - 1, np.nan)
    windows = rolling(np.concatenate((before, vix)), VIX_WINDOW)
    known = (~np.isnan(windows)).sum(axis=1)
    below = (windows < vix[:, np.newaxis]).sum(axis=1)
    enough = (known >= VIX_MINIMUM) & ~np.isnan(vix)
    return np.where(enough, below / np.maximum(known, 1), np.nan)


@feature(
    version="1.0.0",
    category=_MARKET,
    dtype=Dtype.CATEGORY,
    unit="category",
    lookback=VIX_MINIMUM,
    window=VIX_WINDOW,
    minimum=0,
    maximum=2,
    asset_class=AssetClass.EQUITY,
    sources=("vix",),
    depends_on=("vix_pct_252",),
)
def vix_regime(vix: Array) -> Array:
    """0 calm, 1 nervous, 2 high: vix_pct_252 below 0.60, below 0.80, else. vix (T,) -> (T,)."""
    share = vix_pct_252(vix)
    step = (share >= CALM_BELOW - EPSILON).astype(np.float64) + (share >= NERVOUS_FROM - EPSILON)
    return np.where(np.isnan(share), np.nan, step)


@feature(
    version="1.0.0",
    category=_MARKET,
    unit="fraction",
    lookback=200,
    minimum=-1,
    minimum_excluded=True,
    asset_class=AssetClass.EQUITY,
    sources=("spy",),
)
def spy_dist_200(spy: Array) -> Array:
    """SPY's close over its mean of 200 sessions, minus 1. spy (T,) -> (T,)."""
    return ratio(spy, rolling_mean(spy, 200)) - 1
