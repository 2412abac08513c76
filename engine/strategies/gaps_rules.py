"""Universe, gap and trigger of the full rule (SPEC 3.2.1-3.2.5) as predicates, for one value and for arrays.

A missing number (NaN) never passes. Every comparison has the tolerance of SPEC 0.5.
"""

import numpy as np
import numpy.typing as npt

from engine.money import EPSILON
from engine.strategies.gaps_config import GapsConfig

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
BARS_MIN = 263
"""200 + 63: what the falling-knife filter looks back."""
KNIFE_SHARE_MAX = 0.30
"""Of the last 63 sessions (feature `knife_share_63`)."""
SPLIT_SESSIONS = 30
SPLIT_FROM = 0.05
"""A ratio that differs from 1 by more is a split; dividends differ by less."""


def has_reverse_split(event_ratio: Array) -> Mask:
    """Whether one of the last 30 rows, this one among them, is the ex-date of a reverse split: (T,) each."""
    is_split = np.nan_to_num(event_ratio, nan=1.0) > 1 + SPLIT_FROM
    seen = np.cumsum(is_split)
    before = np.concatenate(
        (np.zeros(min(SPLIT_SESSIONS, len(seen)), dtype=seen.dtype), seen[:-SPLIT_SESSIONS])
    )
    return seen > before[: len(seen)]


def is_split_ratio(ratio: npt.ArrayLike) -> Mask:
    """Whether the corporate action of a session is a split of either kind, or as large as one."""
    return np.abs(np.nan_to_num(np.asarray(ratio, dtype=np.float64), nan=1.0) - 1) > SPLIT_FROM


def is_no_knife(knife_share_63: npt.ArrayLike) -> Mask:
    """At most 30 % of the last 63 sessions were far under the mean."""
    return np.asarray(knife_share_63, dtype=np.float64) <= KNIFE_SHARE_MAX + EPSILON


def is_priced(prev_close: npt.ArrayLike, config: GapsConfig) -> Mask:
    """The prior close lies within the price limits."""
    close = np.asarray(prev_close, dtype=np.float64)
    return (close >= config.price_min - EPSILON) & (close <= config.price_max + EPSILON)


def is_traded(adv_usd: npt.ArrayLike, config: GapsConfig) -> Mask:
    """Enough is traded on a mean day."""
    return np.asarray(adv_usd, dtype=np.float64) >= config.adv_min_usd - EPSILON


def is_gap(gap_dn: npt.ArrayLike, config: GapsConfig) -> Mask:
    """The fall lies between `gap_min` and `gap_max`."""
    gap = np.asarray(gap_dn, dtype=np.float64)
    return (gap <= -config.gap_min + EPSILON) & (gap >= -config.gap_max - EPSILON)


def is_oversold(rsi2: npt.ArrayLike, config: GapsConfig) -> Mask:
    """The short-term index is low enough."""
    return np.asarray(rsi2, dtype=np.float64) <= config.rsi2_max + EPSILON


def is_in_trend(dist_200: npt.ArrayLike, config: GapsConfig) -> Mask:
    """The price lies above the lower limit around its mean of 200 sessions, not at it."""
    return np.asarray(dist_200, dtype=np.float64) > config.dist_200_min + EPSILON


def is_shocked(z5: npt.ArrayLike, config: GapsConfig) -> Mask:
    """The fall of five sessions is large enough, where that is asked for at all."""
    values = np.asarray(z5, dtype=np.float64)
    if config.z5_max is None:
        return np.ones(values.shape, dtype=np.bool_)
    return values <= config.z5_max + EPSILON


def is_trigger(rsi2: npt.ArrayLike, dist_200: npt.ArrayLike, z5: npt.ArrayLike, config: GapsConfig) -> Mask:
    """All that SPEC 3.2.5 asks for."""
    return is_oversold(rsi2, config) & is_in_trend(dist_200, config) & is_shocked(z5, config)
