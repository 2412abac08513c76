"""The distribution function of a Beta variable: what a win rate is held against (SPEC 3.11)."""

from math import exp, lgamma, log, log1p

_TINY = 1e-300
_PRECISION = 1e-15
_MOST_TERMS = 10_000


def beta_cdf(x: float, a: float, b: float) -> float:
    """P(rate <= x) of Beta(a, b), both above 0; x in 0..1.

    The regularised incomplete beta function by its continued fraction (Abramowitz and Stegun 26.5.8),
    evaluated by Lentz's method on the side of the mean where it converges quickly.
    """
    if not (a > 0 and b > 0 and 0 <= x <= 1):
        raise ValueError(f"Beta({a}, {b}) at {x}: a and b are above 0, x lies in 0..1")
    if x in (0.0, 1.0):
        return x
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, _away(1 - (a + b) * x / (a + 1))
    d = 1 / d
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d, c = 1 / _away(1 + term * d), _away(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _PRECISION:
            return value
    raise ArithmeticError(f"Beta({a}, {b}) at {x} did not converge")


def _away(value: float) -> float:
    """Never a division by zero."""
    return value if abs(value) > _TINY else _TINY
