"""What else could have come of the same returns and trades: seeded bootstraps and shuffles (SPEC 9.6).

Draws come from numpy's PCG64: the same seed gives the same numbers everywhere.
"""

from dataclasses import dataclass

import numpy as np

from engine.statistics.returns import deepest_falls, growth

BLOCK = 5
"""Returns that a bootstrap draws together (SPEC 9.3)."""
PATHS = 1000


def resampled(returns: np.ndarray, random: np.random.Generator, paths: int = PATHS) -> np.ndarray:
    """Paths (paths, T) of blocks of 5 neighbors, drawn with replacement from the circle of returns (T,)."""
    count = len(returns)
    starts = random.integers(0, count, size=(paths, -(-count // BLOCK)))
    places = (starts[:, :, None] + np.arange(BLOCK)) % count
    return np.asarray(returns[places.reshape(paths, -1)[:, :count]])


@dataclass(frozen=True, slots=True)
class MonteCarlo:
    """Of many paths; ratios are fractions. `fall`: 95 % of the paths never fell further from a peak."""

    paths: int
    low: float
    median: float
    high: float
    """5, 50 and 95 % of the final returns."""
    fall: float
    p_loss: float
    """Share of the paths that ended below their start."""
    p_ruin: float
    """Share of the paths that fell as far from a peak as the breaker's last level."""


def bootstrapped(returns: np.ndarray, ruin: float, seed: int, paths: int = PATHS) -> MonteCarlo | None:
    """Circular block bootstrap of returns (T,); `ruin`: a fall, 0..1. None for fewer than 2 returns."""
    if len(returns) < 2:
        return None
    return _measured(resampled(returns, np.random.default_rng(seed), paths), ruin)


def shuffled(returns: np.ndarray, ruin: float, seed: int, paths: int = PATHS) -> MonteCarlo | None:
    """Orders of the same returns (N,), such as those of trades on equity; None for fewer than 2.

    All end alike: what differs is how far they fell on the way.
    """
    if len(returns) < 2:
        return None
    many = np.tile(returns, (paths, 1))
    return _measured(np.random.default_rng(seed).permuted(many, axis=1), ruin)


def _measured(drawn: np.ndarray, ruin: float) -> MonteCarlo:
    values = growth(drawn)
    ends, falls = values[:, -1] - 1, deepest_falls(values)
    low, median, high = (float(one) for one in np.quantile(ends, (0.05, 0.50, 0.95)))
    return MonteCarlo(
        paths=len(drawn),
        low=low,
        median=median,
        high=high,
        fall=float(np.quantile(falls, 0.95)),
        p_loss=float((ends < 0).mean()),
        p_ruin=float((falls >= ruin).mean()),
    )
