"""From records to the evenly spaced values that charts draw."""

from bisect import bisect_right
from collections.abc import Sequence

from tui.format import Number
from tui.widgets.charts.scale import NAN, available


def sampled(
    points: Sequence[tuple[int, Number]], start_us: int, end_us: int, count: int, longest_gap_us: int
) -> list[float]:
    """`count` values evenly spaced from start to end: the last one known by then, NaN when it is too old.

    `points` are (time, value) in order of time.
    """
    times = [time for time, _ in points]
    values = available(value for _, value in points)
    step = (end_us - start_us) / max(count - 1, 1)
    result: list[float] = []
    for at in range(count):
        now = end_us if at == count - 1 else start_us + round(at * step)
        found = bisect_right(times, now) - 1
        fresh = found >= 0 and now - times[found] <= longest_gap_us
        result.append(values[found] if fresh else NAN)
    return result


def drawdowns(values: Sequence[Number | None]) -> list[float]:
    """The fall of each value from the highest until then as a ratio <= 0; NaN without a high above 0."""
    peak = NAN
    result: list[float] = []
    for value in available(values):
        peak = value if value > peak or peak != peak else peak
        result.append(value / peak - 1 if peak > 0 else NAN)
    return result
