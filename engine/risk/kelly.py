"""Growth-optimal share of equity, taken in part and never beyond a cap (SPEC 4.8.1, 5.9; Kelly 1956).

All results are fractions of equity. What cannot be computed sizes nothing: the result is then 0.
"""

from math import isfinite, sqrt

FRACTION = 0.25
"""Part of the full Kelly share that is taken."""
CAP = 0.10
"""Hard cap of one position, a fraction of equity."""
CONFIDENCE_Z = 1.2816
"""Standard errors under the estimate: the one-sided 90 % bound of a normal."""
TARGET_VOL = 0.20
"""Annual volatility above which a position shrinks in proportion."""


def binary_kelly(p: float, gain: float, loss: float) -> float:
    """`(p*G - (1-p)*L) / (G*L)`: p of winning `gain`, else losing `loss`, both fractions > 0. May be < 0.

    NaN where it is not defined.
    """
    if not (0 <= p <= 1 and gain > 0 and loss > 0):
        return float("nan")
    return (p * gain - (1 - p) * loss) / (gain * loss)


def continuous_kelly(mean: float, std: float) -> float:
    """`mu / sigma^2` of returns of one period. NaN where it is not defined."""
    return mean / std**2 if std > 0 else float("nan")


def kelly_share(full: float, fraction: float = FRACTION, cap: float = CAP) -> float:
    """`min(cap, max(0, fraction * full))`; 0 for what is no number."""
    return min(cap, max(0.0, fraction * full)) if isfinite(full) else 0.0


def standard_error(p: float, member_std: float, samples: int) -> float:
    """`max(member std, sqrt(p(1-p)/n))` with n the samples of p's calibration bin; NaN without a sample."""
    if samples <= 0 or not 0 <= p <= 1 or not isfinite(member_std):
        return float("nan")
    return max(member_std, sqrt(p * (1 - p) / samples))


def lower_bound(p: float, error: float, z: float = CONFIDENCE_Z) -> float:
    """`p_lo = p - z * se`, at least 0; NaN when either is unknown or the error is negative."""
    return max(0.0, p - z * error) if error >= 0 and isfinite(p) else float("nan")


def uncertain_kelly(
    p: float,
    error: float,
    gain: float,
    loss: float,
    annual_vol: float,
    regime_multiplier: float = 1.0,
    fraction: float = FRACTION,
    cap: float = CAP,
) -> float:
    """The share at p's lower bound, times the regime's multiplier and `min(1, 0.20 / annual vol)`, capped."""
    if not (annual_vol > 0 and 0 <= regime_multiplier <= 1):
        return 0.0
    full = binary_kelly(lower_bound(p, error), gain, loss)
    return kelly_share(full * regime_multiplier * min(1.0, TARGET_VOL / annual_vol), fraction, cap)
