"""Expected net return of a gap trade (SPEC 3.5.2), for one candidate and for arrays of them."""

import numpy as np
import numpy.typing as npt

from engine.model.forecasts import Forecast

Array = npt.NDArray[np.float64]


def expected_value(
    p_touch: npt.ArrayLike,
    q_bounce: npt.ArrayLike,
    r_target: npt.ArrayLike,
    r_stop: npt.ArrayLike,
    r_time: npt.ArrayLike,
    cost: npt.ArrayLike,
) -> Array:
    """`p_target*r_target + p_stop*r_stop + p_time*r_time - cost` (N,); NaN where an input is."""
    touch = np.asarray(p_touch, dtype=np.float64)
    bounce = np.asarray(q_bounce, dtype=np.float64)
    won: Array = touch * bounce * np.asarray(r_target, dtype=np.float64)
    lost: Array = touch * (1 - bounce) * np.asarray(r_stop, dtype=np.float64)
    waited: Array = (1 - touch) * np.asarray(r_time, dtype=np.float64)
    return won + lost + waited - np.asarray(cost, dtype=np.float64)


def round_trip_cost(slippage_pct: npt.ArrayLike, fee_ratio: npt.ArrayLike = 0.0) -> Array:
    """Slippage of entry and exit plus all fees, a fraction of the entry; `slippage_pct` one way, percent."""
    return 2 * np.asarray(slippage_pct, dtype=np.float64) / 100 + np.asarray(fee_ratio, dtype=np.float64)


def forecast_value(forecast: Forecast, cost: float) -> float:
    """Expected net return of one candidate."""
    return float(
        expected_value(
            forecast.p_touch,
            forecast.q_bounce,
            forecast.r_target,
            forecast.r_stop,
            forecast.r_time,
            cost,
        )
    )
