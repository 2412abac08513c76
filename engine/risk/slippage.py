"""What an order is expected to pay beyond the middle of the quote (SPEC 3.7.2, 9.4)."""

from math import inf, sqrt

import numpy as np
import numpy.typing as npt

IMPACT = 0.7
"""Y of the square-root law (Almgren et al. 2005, Bouchaud et al. 2018)."""
SESSIONS_PER_YEAR = 252.0


def slippage_pct(
    spread_bps: npt.ArrayLike,
    order_usd: npt.ArrayLike,
    adv_usd: npt.ArrayLike,
    sigma_daily: npt.ArrayLike,
    impact: float = IMPACT,
) -> npt.NDArray[np.float64]:
    """`spread_bps/200 + 100*Y*sigma_d*sqrt(Q/ADV)`, one way, percent (N,); NaN where an input is, or ADV 0.

    `spread_bps` of the mid, `sigma_daily` the deviation of one day's log returns as a fraction.
    """
    adv = np.asarray(adv_usd, dtype=np.float64)
    share = np.asarray(order_usd, dtype=np.float64) / np.where(adv > 0, adv, np.nan)
    half_spread = np.asarray(spread_bps, dtype=np.float64) / 200
    walked: npt.NDArray[np.float64] = (
        100 * impact * np.asarray(sigma_daily, dtype=np.float64) * np.sqrt(share)
    )
    return half_spread + walked


def expected_slippage_pct(
    spread_ratio: float | None,
    order_usd: float,
    adv_usd: float | None,
    realized_vol: float | None,
) -> float | None:
    """Of one order: spread a fraction of the mid, volatility per year; None where one is not known."""
    if spread_ratio is None or adv_usd is None or realized_vol is None:
        return None
    # What is no number, or makes no sense, is not known.
    if not (
        0 < adv_usd < inf and 0 <= realized_vol < inf and 0 <= order_usd < inf and abs(spread_ratio) < inf
    ):
        return None
    sigma_daily = realized_vol / sqrt(SESSIONS_PER_YEAR)
    return float(slippage_pct(1e4 * spread_ratio, order_usd, adv_usd, sigma_daily))
