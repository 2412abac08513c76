"""Daily returns of one instrument, aligned with another's by day."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from engine.ports import BarColumns

CORRELATION_BARS = 60
"""Returns that a correlation looks at (SPEC 4.8.2)."""
MIN_COMMON_BARS = 30
"""Fewer common ones and the correlation is unknown."""
_NOTHING = 1e-18
"""A sum of squared returns under this is a price that stood still."""


@dataclass(frozen=True, slots=True)
class Returns:
    """Fractions (T,) of the days (T,) datetime64[D], oldest first, no day twice; finite where `close` was."""

    day: np.ndarray
    value: np.ndarray

    def last(self, count: int) -> "Returns":
        """The newest `count`, fewer when there are fewer."""
        return Returns(self.day[-count:], self.value[-count:])

    def on(self, days: np.ndarray) -> np.ndarray:
        """The returns of these days (D,), each of which it has."""
        return self.value[np.searchsorted(self.day, days)]


def returns_of(bars: BarColumns | None) -> Returns | None:
    """`close / (close before * event_ratio) - 1`, one fewer than bars; None for fewer than two bars.

    NaN or 0 prices give returns that are not finite, and whoever uses them says unknown.
    """
    if bars is None or len(bars) < 2:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        change = bars.close[1:] / (bars.close[:-1] * bars.event_ratio[1:]) - 1
    return Returns(bars.day[1:], change)


def correlation(one: Returns | None, other: Returns | None) -> float | None:
    """Pearson's over the common days of the last 60 returns of both.

    None, unknown: fewer than 30 common days, a price that is missing, or a price that never moved.
    """
    if one is None or other is None:
        return None
    first, second = one.last(CORRELATION_BARS), other.last(CORRELATION_BARS)
    if not np.array_equal(first.day, second.day):
        days = np.intersect1d(first.day, second.day, assume_unique=True)
        first, second = Returns(days, first.on(days)), Returns(days, second.on(days))
    if len(first.day) < MIN_COMMON_BARS:
        return None
    a, b = first.value - first.value.mean(), second.value - second.value.mean()
    spread = float(a @ a) * float(b @ b)
    # The sums of squares of a price that never moved are rounding errors, not a spread.
    if not np.isfinite(spread) or spread <= _NOTHING**2:
        return None
    return float(a @ b) / sqrt(spread)
