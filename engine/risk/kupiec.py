"""Whether the losses beyond a value at risk came as often as they should (Kupiec 1995)."""

from dataclasses import dataclass
from math import erfc, log, sqrt


@dataclass(frozen=True, slots=True)
class Kupiec:
    """The likelihood ratio and its p-value under chi-square with one degree of freedom."""

    ratio: float
    p_value: float


def kupiec(days: int, exceptions: int, probability: float) -> Kupiec:
    """Test `exceptions` in `days` against the expected share `probability`.

    Raises ValueError when that is no test: no day, more exceptions than days, a probability outside (0, 1).
    """
    if not (0 <= exceptions <= days and days > 0 and 0 < probability < 1):
        raise ValueError(f"{exceptions} exceptions in {days} days at {probability:g} are no test")
    seen = exceptions / days
    ratio = -2 * (_likelihood(days, exceptions, probability) - _likelihood(days, exceptions, seen))
    ratio = max(0.0, ratio)
    return Kupiec(ratio, erfc(sqrt(ratio / 2)))


def _likelihood(days: int, exceptions: int, share: float) -> float:
    """The logarithm; `0 * log 0` is 0."""
    quiet = days - exceptions
    within = quiet * log(1 - share) if quiet else 0.0
    return within + (exceptions * log(share) if exceptions else 0.0)
