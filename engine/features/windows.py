"""Rolling windows and Wilder averages over one column. All take and return (T,), NaN where not available."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.features.registry import Array

ZERO_SIZE = 1e-12
"""A deviation at or below this share of its scale is rounding noise: it counts as zero volatility."""


def rolling(values: Array, rows: int) -> Array:
    """All full windows as a view of shape (T - rows + 1, rows); (0, rows) when there are too few rows."""
    if len(values) < rows:
        return np.empty((0, rows))
    return sliding_window_view(values, rows)


def warmed_up(tail: Array, length: int) -> Array:
    """`tail` at the end of `length` rows, NaN before it."""
    full = np.full(length, np.nan)
    if len(tail):
        full[length - len(tail) :] = tail
    return full


def rolling_mean(values: Array, rows: int) -> Array:
    """Mean of the last `rows` values."""
    return warmed_up(rolling(values, rows).mean(axis=1), len(values))


def rolling_std(values: Array, rows: int, ddof: int) -> Array:
    """Deviation of the last `rows` values: ddof 1 sample, 0 population."""
    return warmed_up(rolling(values, rows).std(axis=1, ddof=ddof), len(values))


def wilder_average(values: Array, rows: int) -> Array:
    """Mean of the first `rows` values, then (average * (rows - 1) + value) / rows (Wilder 1978)."""
    if len(values) < rows:
        return np.full(len(values), np.nan)
    average = float(values[:rows].mean())
    averages = [average]
    for value in values[rows:].tolist():
        average = (average * (rows - 1) + value) / rows
        averages.append(average)
    return warmed_up(np.array(averages), len(values))


def ratio(numerator: Array, denominator: Array, floor: float | Array = 0.0) -> Array:
    """numerator / denominator where the denominator is above `floor`, else NaN."""
    result = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=result, where=denominator > floor)
    return result


def change(close: Array) -> Array:
    """close[t] / close[t-1] - 1 as (T - 1,); NaN where the earlier close is not positive."""
    return ratio(close[1:], close[:-1]) - 1


def log_of(close: Array) -> Array:
    """Natural logarithm, NaN where not positive."""
    result = np.full(len(close), np.nan)
    np.log(close, out=result, where=close > 0)
    return result
