"""What the gap rule looks at before each open: gap, price, traded value and volatility of every bar."""

from dataclasses import dataclass

import numpy as np

from engine.backtest.table import Table
from engine.money import EPSILON

BARS = 20
"""Completed bars that the traded value and the volatility are taken over."""


@dataclass(frozen=True, slots=True)
class Signals:
    """Arrays (N,) over the places of a table. `adv` USD and `sigma` are 0 where they were not looked at.

    `gap`: open over the prior close in the same dollars, minus 1; NaN at an instrument's first bar.
    `is_open`: enough history, a price and a traded value inside the limits.
    """

    gap: np.ndarray
    is_open: np.ndarray
    adv: np.ndarray
    sigma: np.ndarray


@dataclass(frozen=True, slots=True)
class EntryLimits:
    """Of what may be entered at all. Prices and traded value in USD."""

    gap_max: float = -0.03
    """The loosest gap that anybody asks for."""
    price_min: float = 0.50
    price_max: float = 20.0
    adv_min_usd: float = 5e6


def gap_signals(table: Table, limits: EntryLimits) -> Signals:
    """Of all bars that open low enough and are priced inside the limits."""
    count = len(table.open)
    gap = np.full(count, np.nan)
    gap[1:] = table.open[1:] / (table.close[:-1] * table.ratio[1:]) - 1
    gap[table.row == 0] = np.nan
    at = np.flatnonzero(
        (table.row > BARS)
        & (gap <= limits.gap_max + EPSILON)
        & (table.open >= limits.price_min - EPSILON)
        & (table.open <= limits.price_max + EPSILON)
    )
    window = at[:, None] + np.arange(-BARS, 0)
    adv, sigma, is_open = np.zeros(count), np.zeros(count), np.zeros(count, dtype=np.bool_)
    adv[at] = table.dollars[window].mean(axis=1)
    sigma[at] = (table.close[window] / (table.close[window - 1] * table.ratio[window]) - 1).std(
        axis=1, ddof=1
    )
    is_open[at] = adv[at] >= limits.adv_min_usd - EPSILON
    return Signals(gap, is_open, adv, sigma)
