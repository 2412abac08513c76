"""From values to rows of dots, and round values for an axis.

A value that is None, NaN, infinite or beyond any price or account (1e15; a float has no cents left there)
is not available: it is drawn as a gap.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tui.format import Number

NAN = math.nan
LARGEST = 1e15
_CONSTANT = 1e-9
"""A range smaller than this share of the values is noise of floats, shown as a flat line."""
_SMALLEST = 1e-18
_STEPS = (1.0, 2.0, 2.5, 5.0)


def is_available(value: float) -> bool:
    """Whether `value` can be drawn."""
    return -LARGEST < value < LARGEST


def available(values: Iterable[Number | None]) -> list[float]:
    """`values` as floats, NaN where a value is not available."""
    result = [NAN if value is None else float(value) for value in values]
    return [value if -LARGEST < value < LARGEST else NAN for value in result]


@dataclass(frozen=True, slots=True)
class Scale:
    """A range of values over rows, the highest in row 0."""

    low: float
    high: float

    def at(self, value: float, rows: int) -> int:
        """The row of `value` among `rows` rows (of cells, halves or dots), clamped to the ends."""
        place = (self.high - value) / (self.high - self.low) * (rows - 1)
        return min(max(int(place + 0.5), 0), rows - 1)


def covering(values: Iterable[float]) -> Scale | None:
    """The range of the available values, a little around a constant; None when there are none."""
    present = [value for value in values if value == value]
    if not present:
        return None
    low, high = min(present), max(present)
    if high - low <= max(_CONSTANT * max(abs(low), abs(high)), _SMALLEST):
        around = max(abs(low), abs(high)) * 0.01 or 1.0
        around = max(around, _SMALLEST)
        low, high = low - around, high + around
    return Scale(low, high)


def round_values(low: float, high: float, most: int) -> tuple[float, ...]:
    """At most `most` (1..9) even round values within low..high, rising: the finest step that fits."""
    return _multiples(low, high, _round_step(low, high, most))


def axis(scale: Scale, most: int) -> tuple[Scale, tuple[float, ...]]:
    """Round values for an axis of at most `most` labels; the range grows until it holds 3 (or `most`)."""
    low, high = scale.low, scale.high
    step = _round_step(low, high, most)
    values = _multiples(low, high, step)
    while 1 <= len(values) < min(most, 3):
        below, above = values[0] - step, values[-1] + step
        if low - below < above - high:
            low, values = below, (below, *values)
        else:
            high, values = above, (*values, above)
    return Scale(low, high), values


def _round_step(low: float, high: float, most: int) -> float:
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    steps = [step * power * more for more in (1.0, 10.0) for step in _STEPS]
    return next((step for step in steps if len(_multiples(low, high, step)) <= most), steps[-1])


def _multiples(low: float, high: float, step: float) -> tuple[float, ...]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(at * step for at in range(first, last + 1))


def smallest_step(values: Sequence[float]) -> float:
    """The smallest distance between neighbors of the sorted values, 0 when there is none."""
    ordered = sorted(set(values))
    return min((b - a for a, b in pairwise(ordered)), default=0.0)
