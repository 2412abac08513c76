"""The quality score of a gap candidate, 0 to 10 (SPEC 3.5.3): for one candidate and for arrays of them.

Every input may be missing (NaN, or None of one candidate): its part is then 0, in training, in a back-test
and in trading alike.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from engine.model.assessment import BcsParts
from engine.model.candidates import Regime
from engine.money import EPSILON

Array = npt.NDArray[np.float64]
REGIME_POINTS: Mapping[Regime, float] = MappingProxyType(
    {Regime.NORMAL: 1.0, Regime.HIGH_VIX: 0.5, Regime.SPY_STRESS: 0.0, Regime.UNKNOWN: 0.0}
)
Q_FLOOR, Q_WIDTH = 0.50, 0.30
_GAP_STEPS = ((0.05, 1.5), (0.10, 1.0), (0.15, 0.5))
GAP_END = 0.25
_RSI_STEPS = ((3.0, 1.0), (5.0, 0.75), (10.0, 0.5))
_Z5_STEPS = ((-2.0, 0.5), (-1.5, 0.25))
_VOLUME_STEPS = ((4.0, 1.0), (2.5, 0.5))
_TREND_STEPS = ((0.0, 1.0), (-0.05, 0.5))
_ADV_STEPS = ((20e6, 0.5), (5e6, 0.25))
_SLIPPAGE_STEPS = ((0.2, 0.5), (0.5, 0.25))


def bcs_arrays(
    *,
    q_bounce: npt.ArrayLike,
    gap_dn: npt.ArrayLike,
    rsi2: npt.ArrayLike,
    z5: npt.ArrayLike,
    volume_ratio: npt.ArrayLike,
    dist_200: npt.ArrayLike,
    regime_points: npt.ArrayLike,
    adv_usd: npt.ArrayLike,
    slippage_pct: npt.ArrayLike,
) -> dict[str, Array]:
    """The parts by name, each of the common shape (N,) of the inputs; NaN in, 0 points out.

    `regime_points`: `REGIME_POINTS` of each row's regime.
    """
    q = np.asarray(q_bounce, dtype=np.float64)
    size = np.abs(np.asarray(gap_dn, dtype=np.float64))
    part = 3 * np.clip((q - Q_FLOOR) / Q_WIDTH, 0.0, 1.0)
    gap = np.where(size <= GAP_END + EPSILON, _last_reached(size, _GAP_STEPS), 0.0)
    liquidity = _first_reached(adv_usd, _ADV_STEPS) + _first_under(slippage_pct, _SLIPPAGE_STEPS)
    return {
        "probability": np.nan_to_num(part, nan=0.0),
        "gap": gap,
        "oversold": _first_under(rsi2, _RSI_STEPS) + _first_down_to(z5, _Z5_STEPS),
        "volume": _first_reached(volume_ratio, _VOLUME_STEPS),
        "trend": _first_reached(dist_200, _TREND_STEPS),
        "regime": np.nan_to_num(np.asarray(regime_points, dtype=np.float64), nan=0.0),
        "liquidity": liquidity,
    }


def bcs_total(parts: Mapping[str, Array]) -> Array:
    """BCS of each row (N,), summed in the order of `BcsParts`."""
    total: Array = np.zeros(())
    for value in parts.values():
        total = total + value
    return total


def score(
    *,
    q_bounce: float | None,
    gap_dn: float,
    rsi2: float | None,
    z5: float | None,
    volume_ratio: float | None,
    dist_200: float | None,
    regime: Regime,
    adv_usd: float | None,
    slippage_pct: float | None,
) -> BcsParts:
    """The parts of one candidate."""
    parts = bcs_arrays(
        q_bounce=_or_nan(q_bounce),
        gap_dn=gap_dn,
        rsi2=_or_nan(rsi2),
        z5=_or_nan(z5),
        volume_ratio=_or_nan(volume_ratio),
        dist_200=_or_nan(dist_200),
        regime_points=REGIME_POINTS[regime],
        adv_usd=_or_nan(adv_usd),
        slippage_pct=_or_nan(slippage_pct),
    )
    return BcsParts(**{name: float(value) for name, value in parts.items()})


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _points(conditions: list[npt.NDArray[np.bool_]], points: list[float]) -> Array:
    """Of the first condition that holds, else 0."""
    return np.select(conditions, points, 0.0).astype(np.float64)


def _first_reached(value: npt.ArrayLike, steps: tuple[tuple[float, float], ...]) -> Array:
    values = np.asarray(value, dtype=np.float64)
    return _points([values >= limit - EPSILON for limit, _ in steps], [points for _, points in steps])


def _last_reached(value: npt.ArrayLike, steps: tuple[tuple[float, float], ...]) -> Array:
    return _first_reached(value, steps[::-1])


def _first_down_to(value: npt.ArrayLike, steps: tuple[tuple[float, float], ...]) -> Array:
    values = np.asarray(value, dtype=np.float64)
    return _points([values <= limit + EPSILON for limit, _ in steps], [points for _, points in steps])


def _first_under(value: npt.ArrayLike, steps: tuple[tuple[float, float], ...]) -> Array:
    values = np.asarray(value, dtype=np.float64)
    return _points([values < limit - EPSILON for limit, _ in steps], [points for _, points in steps])
