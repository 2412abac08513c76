"""Rolling sums, deviations, slopes and Wilder averages that go on where they stopped.

Each kernel goes through a column and keeps in its `memory` what the next rows need, so one call with all
rows, calls with some rows each, and one call a row give the same bits. Nothing is ever subtracted from a
running sum: a window of R rows is the tail of one block of R rows and the head of the next. The head's sums
grow row by row, the tail's are made once a block, backwards, both about the first value of the newer block,
which lies in every window of it. So a sum depends on the rows of its window alone, forgets a missing row as
soon as it left the window, and loses no digits to a level far above the deviations: the flat window has a
deviation of exactly 0.

`values` and outputs are columns of equal length, oldest first; a row with too few before it is NaN.
"""

import math
from typing import Any, TypeAlias

from engine.jit import kernel

Column: TypeAlias = Any
"""A list of floats in plain Python, a float64 array (T,) in compiled code."""
Memory: TypeAlias = Any
"""Like a column; its start is made by one of the functions below."""
State = tuple[float, ...]

NAN = math.nan
ZERO_SIZE = 1e-12
"""A deviation at or below this share of its scale is rounding noise: it counts as zero volatility."""
SESSIONS_PER_YEAR = 252.0
_SUM, _DEVIATION = 3, 5
"""Where the rows of the window begin in the memory of a sum and of a deviation or slope."""


def lag_state(rows: int) -> State:
    """The start of the memory of `lagged`: the last `rows` values, oldest first."""
    return (NAN,) * rows


def sum_state(rows: int) -> State:
    """The start of the memory of `rolling_sum`."""
    return (0.0,) * (_SUM + rows)


def deviation_state(rows: int) -> State:
    """The start of the memory of `rolling_deviation`."""
    return (0.0,) * (_DEVIATION + 2 * rows)


slope_state = deviation_state
"""The start of the memory of `rolling_slope`."""


def wilder_state(skipped: int = 0) -> State:
    """The start of the memory of `wilder`; `skipped`: first rows that can hold no value."""
    return (float(-skipped), 0.0)


@kernel
def lagged(values: Column, rows: int, memory: Memory, out: Column) -> None:
    """The value `rows` rows before. `out` is another column."""
    count = len(values)
    for row in range(min(count, rows)):
        out[row] = memory[row]
    for row in range(rows, count):
        out[row] = values[row - rows]
    for place in range(rows):
        source = place + count
        memory[place] = memory[source] if source < rows else values[source - rows]


@kernel
def rolling_sum(values: Column, rows: int, memory: Memory, out: Column) -> None:
    """Sum of the last `rows` values, none negative: that is what keeps all digits of it."""
    place, is_full, head = int(memory[0]), memory[1] == 1.0, memory[2]
    for row in range(len(values)):
        if place == rows:
            tail = 0.0
            for old in range(_SUM + rows - 1, _SUM - 1, -1):
                tail += memory[old]
                memory[old] = tail
            place, is_full, head = 0, True, 0.0
        # The tail from here on is no longer asked for: its place takes the row.
        value = values[row]
        memory[_SUM + place] = value
        head += value
        place += 1
        if place == rows:
            out[row] = head
        elif is_full:
            out[row] = memory[_SUM + place] + head
        else:
            out[row] = NAN
    memory[0], memory[1], memory[2] = place, 1.0 if is_full else 0.0, head


@kernel
def rolling_deviation(values: Column, rows: int, memory: Memory, mean: Column, squares: Column) -> None:
    """Mean of the last `rows` values and the sum of their squared distances from it, 0 or rounding around it.

    `mean` or `squares` may be `values` itself.
    """
    place, is_full, base = int(memory[0]), memory[1] == 1.0, memory[2]
    first, second, share = memory[3], memory[4], 1.0 / rows
    for row in range(len(values)):
        value = values[row]
        if place == rows:
            base, first, second = value, 0.0, 0.0
            for old in range(_DEVIATION + rows - 1, _DEVIATION - 1, -1):
                distance = memory[old] - base
                first += distance
                second += distance * distance
                memory[old] = first
                memory[old + rows] = second
            place, is_full, first, second = 0, True, 0.0, 0.0
        elif place == 0:
            base = value
        memory[_DEVIATION + place] = value
        distance = value - base
        first += distance
        second += distance * distance
        place += 1
        if place == rows:
            shift = first * share
            mean[row] = base + shift
            squares[row] = second - first * shift
        elif is_full:
            old = _DEVIATION + place
            total = first + memory[old]
            shift = total * share
            mean[row] = base + shift
            squares[row] = second + memory[old + rows] - total * shift
        else:
            mean[row] = NAN
            squares[row] = NAN
    memory[0], memory[1], memory[2] = place, 1.0 if is_full else 0.0, base
    memory[3], memory[4] = first, second


@kernel
def rolling_slope(values: Column, rows: int, memory: Memory, out: Column) -> None:
    """Slope of the least-squares line through the last `rows` values, per row."""
    place, is_full, base = int(memory[0]), memory[1] == 1.0, memory[2]
    first, moment = memory[3], memory[4]
    share = 12.0 / (rows * (rows * rows - 1))
    for row in range(len(values)):
        value = values[row]
        if place == rows:
            base, first, moment = value, 0.0, 0.0
            for old in range(_DEVIATION + rows - 1, _DEVIATION - 1, -1):
                distance = memory[old] - base
                first += distance
                moment += distance * (old - _DEVIATION - rows)
                memory[old] = first
                memory[old + rows] = moment
            place, is_full, first, moment = 0, True, 0.0, 0.0
        elif place == 0:
            base = value
        memory[_DEVIATION + place] = value
        distance = value - base
        first += distance
        moment += distance * place
        place += 1
        if place == rows:
            out[row] = (moment - first * (0.5 * (rows - 1))) * share
        elif is_full:
            old = _DEVIATION + place
            middle = place - 0.5 * (rows + 1)
            out[row] = (moment + memory[old + rows] - (first + memory[old]) * middle) * share
        else:
            out[row] = NAN
    memory[0], memory[1], memory[2] = place, 1.0 if is_full else 0.0, base
    memory[3], memory[4] = first, moment


@kernel
def wilder(values: Column, rows: int, memory: Memory, out: Column) -> None:
    """Mean of the first `rows` values, then (average * (rows - 1) + value) / rows (Wilder 1978).

    `out` may be `values` itself. A missing value makes all after it missing.
    """
    count, average = memory[0], memory[1]
    keep, take = (rows - 1) / rows, 1.0 / rows
    for row in range(len(values)):
        if count >= rows:
            average = average * keep + values[row] * take
            out[row] = average
            continue
        if count >= 0:
            average += values[row]
        count += 1
        if count == rows:
            average = average * take
        out[row] = average if count == rows else NAN
    memory[0], memory[1] = count, average


@kernel
def log_rows(values: Column, out: Column) -> None:
    """Natural logarithm, NaN where not positive."""
    for row in range(len(values)):
        value = values[row]
        out[row] = math.log(value) if value > 0.0 else NAN


@kernel
def change_rows(values: Column, memory: Memory, out: Column) -> None:
    """Value over the one before it, minus 1; NaN where the earlier one is not positive."""
    before = memory[0]
    for row in range(len(values)):
        value = values[row]
        out[row] = value / before - 1.0 if before > 0.0 else NAN
        before = value
    memory[0] = before


@kernel
def step_rows(values: Column, memory: Memory, out: Column) -> None:
    """Value minus the one before it. `out` may be `values` itself."""
    before = memory[0]
    for row in range(len(values)):
        value = values[row]
        out[row] = value - before
        before = value
    memory[0] = before


@kernel
def distance_rows(values: Column, rows: int, memory: Memory, scratch: Column, out: Column) -> None:
    """Value over its mean of the last `rows`, minus 1."""
    totals = scratch[0]
    rolling_sum(values, rows, memory[0], totals)
    first = len(values) - len(out)
    newest, totals = values[first:], totals[first:]
    for row in range(len(out)):
        total = totals[row]
        out[row] = newest[row] * rows / total - 1.0 if total > 0.0 else NAN


@kernel
def ratio_rows(volume: Column, memory: Memory, scratch: Column, out: Column) -> None:
    """Volume over the mean of the 20 before it."""
    before, totals = scratch
    lagged(volume, 1, memory[0], before)
    rolling_sum(before, 20, memory[1], totals)
    first = len(volume) - len(out)
    for row in range(len(out)):
        mean = totals[first + row] / 20.0
        out[row] = volume[first + row] / mean if mean > 0.0 else NAN


@kernel
def volatility_rows(
    logs: Column, rows: int, memory: Memory, steps: Column, squares: Column, out: Column
) -> None:
    """Sample deviation of `rows` steps of ln close, per year of sessions; NaN for zero volatility.

    `steps` may be `logs` itself.
    """
    step_rows(logs, memory[0], steps)
    rolling_deviation(steps, rows, memory[1], steps, squares)
    year, least = SESSIONS_PER_YEAR / (rows - 1), ZERO_SIZE * ZERO_SIZE
    squares = squares[len(logs) - len(out) :]
    for row in range(len(out)):
        square = squares[row]
        out[row] = math.sqrt(square * year) if square > least * (rows - 1) else NAN


@kernel
def atr_rows(high: Column, low: Column, close: Column, memory: Memory, out: Column) -> None:
    """Wilder ATR(14). A true range needs the prior close, so the first row has none."""
    before = memory[0][0]
    for row in range(len(close)):
        top, bottom = high[row], low[row]
        if before > top:
            top = before
        if before < bottom:
            bottom = before
        out[row] = top - bottom if before == before else NAN
        before = close[row]
    memory[0][0] = before
    wilder(out, 14, memory[1], out)
