"""Figures of the returns of an account (SPEC 9.1). Pure; what says nothing is None, never 0.

Returns (T,) are of one period each, on total equity after costs, money that lies idle included.
"""

from math import sqrt

import numpy as np

SESSIONS_A_YEAR = 252
DAYS_A_YEAR = 365
"""Periods of a year for accounts that are marked on sessions, and on every day (SPEC 9.1)."""
STILL = 1e-15
"""A deviation under this is a value that stood still, and rounding."""


def sharpe(returns: np.ndarray, periods: int, riskless: float = 0.0) -> float | None:
    """`mean(r - rf) / std * sqrt(periods)` of returns (T,) of one period each (Sharpe 1994; SPEC 9.1).

    `periods` a year; the deviation is the sample's. None for fewer than 2 returns, or where all are the same.
    """
    if len(returns) < 2:
        return None
    excess = returns - riskless
    spread = float(excess.std(ddof=1))
    if not np.isfinite(spread) or spread < STILL:
        return None
    return float(excess.mean()) / spread * sqrt(periods)


def sortino(returns: np.ndarray, periods: int, least: float = 0.0) -> float | None:
    """`(mean - mar) / sqrt(mean(min(r - mar, 0)^2)) * sqrt(periods)` with all T below the line (SPEC 9.1).

    `least`: the return of a period that is asked for, mar. None for fewer than 2 returns, or without one
    below it.
    """
    if len(returns) < 2:
        return None
    excess = returns - least
    downside = sqrt(float((np.minimum(excess, 0.0) ** 2).mean()))
    if not np.isfinite(downside) or downside < STILL:
        return None
    return float(excess.mean()) / downside * sqrt(periods)


def volatility(returns: np.ndarray, periods: int) -> float | None:
    """Sample deviation of returns (T,), a year's; None for fewer than 2."""
    return float(returns.std(ddof=1)) * sqrt(periods) if len(returns) > 1 else None


def growth(returns: np.ndarray) -> np.ndarray:
    """What 1 becomes: (T + 1,), the start first. The last axis is time; more axes are more paths."""
    start = np.ones((*returns.shape[:-1], 1))
    return np.concatenate([start, np.cumprod(1 + returns, axis=-1)], axis=-1)


def max_drawdown(returns: np.ndarray) -> float:
    """Largest fall from a peak, 0..1, the start as the first peak: `max(1 - E / peak)`."""
    return float(deepest_falls(growth(returns)))


def deepest_falls(values: np.ndarray) -> np.ndarray:
    """Largest fall of each path (..., T) of values above 0, as a share of the peak; shape (...)."""
    return np.asarray((1 - values / np.maximum.accumulate(values, axis=-1)).max(axis=-1))


def yearly_growth(returns: np.ndarray, periods: int) -> float | None:
    """The return of a year that compounds to the same; None without a return, or where all is lost."""
    total = float(np.prod(1 + returns))
    return total ** (periods / len(returns)) - 1 if len(returns) and total > 0 else None


def calmar(returns: np.ndarray, periods: int) -> float | None:
    """`yearly_growth` over `max_drawdown` (Young 1991); None where nothing ever fell."""
    yearly, fall = yearly_growth(returns, periods), max_drawdown(returns)
    return None if yearly is None or fall < STILL else yearly / fall


def exposure(gross: np.ndarray) -> tuple[float, float] | None:
    """Share of periods with a position, and the mean of the gross weights (T,); None without a period."""
    return (float((gross > 0).mean()), float(gross.mean())) if len(gross) else None


def turnover(weights: np.ndarray) -> float | None:
    """Mean over the periods of half the absolute changes of the weights (T, K); None for fewer than 2."""
    if len(weights) < 2:
        return None
    return float((np.abs(np.diff(weights, axis=0)).sum(axis=1) / 2).mean())


def flow_returns(values: np.ndarray, paid_in: np.ndarray) -> np.ndarray:
    """Returns (T-1,) of an account's values (T,); what was paid in by then (T,) is no return.

    `value / (value before + what came in between) - 1`: money that comes works from the start of the period.
    NaN where nothing was there to work.
    """
    base = values[:-1] + np.diff(paid_in)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(base > 0, values[1:] / base - 1, np.nan)


def drawdowns(values: np.ndarray, paid_in: np.ndarray) -> np.ndarray:
    """Fall (T,) of each value from the highest until then, fractions at or below 0.

    The high rises and falls with what is paid in and taken out (T,), as the engine's does.
    """
    falls, high, before = np.zeros(len(values)), -np.inf, paid_in[0] if len(paid_in) else 0.0
    for place, (value, paid) in enumerate(zip(values, paid_in, strict=True)):
        high = max(high + paid - before, value)
        before = paid
        falls[place] = min(0.0, value / high - 1) if high > 0 else 0.0
    return falls
