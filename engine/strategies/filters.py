"""The numbers of the five filters of SPEC 3.7, as predicates for one value and for arrays (N,).

A missing number (NaN) never passes. Every comparison has the tolerance of SPEC 0.5. The checks that say so in
words are made in `gaps_checks`.
"""

import numpy as np
import numpy.typing as npt

from engine.money import EPSILON
from engine.strategies.gaps_config import GapsConfig, Sides

Mask = npt.NDArray[np.bool_]


def is_steady(liquidity_delta_pct: npt.ArrayLike, config: GapsConfig) -> Mask:
    """The volume of five sessions against that of twenty: not far under it, nor over it where that counts."""
    delta = np.asarray(liquidity_delta_pct, dtype=np.float64)
    steady: Mask = delta >= config.liquidity_delta_min_pct - EPSILON
    if config.liquidity_delta_mode is Sides.BOTH:
        steady &= delta <= -config.liquidity_delta_min_pct + EPSILON
    return steady


def is_surge(liquidity_delta_pct: npt.ArrayLike, config: GapsConfig) -> Mask:
    """A rise beyond the same distance: it passes with a note where only a fall counts."""
    delta = np.asarray(liquidity_delta_pct, dtype=np.float64)
    return delta > -config.liquidity_delta_min_pct + EPSILON


def is_cheap(slippage_pct: npt.ArrayLike, config: GapsConfig) -> Mask:
    """One way, percent: under the limit, not at it."""
    return np.asarray(slippage_pct, dtype=np.float64) < config.slippage_max_pct - EPSILON


def is_covered(cash: npt.ArrayLike, order_usd: npt.ArrayLike, config: GapsConfig) -> Mask:
    """The account holds more than `cash_cover` times what the order costs."""
    needed = config.cash_cover * np.asarray(order_usd, dtype=np.float64)
    return np.asarray(cash, dtype=np.float64) > needed + EPSILON


def is_funded(runway_months: npt.ArrayLike, config: GapsConfig) -> Mask:
    """The issuer's cash lasts long enough; a runway that is not known passes (SPEC 3.7.3)."""
    months = np.asarray(runway_months, dtype=np.float64)
    return np.isnan(months) | (months >= config.issuer_runway_min_months - EPSILON)


def is_alive(volume_fade: npt.ArrayLike) -> Mask:
    """The volume does not fade: `volume_fade` is 0."""
    alive: Mask = np.asarray(volume_fade, dtype=np.float64) == 0
    return alive
