"""What a Sharpe ratio is worth: its interval, and how it stands among all that was tried (SPEC 9.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import e, sqrt
from statistics import NormalDist

import numpy as np

from engine.statistics.resampling import resampled
from engine.statistics.returns import STILL, sharpe

_EULER = 0.5772156649015329


def sharpe_interval(returns: np.ndarray, periods: int, seed: int = 0) -> tuple[float, float] | None:
    """95 % of the Sharpe ratios of 1,000 circular block bootstraps of returns (T,) (Politis, Romano 1992).

    None where `sharpe` is. Draws are seeded: the same returns give the same interval.
    """
    if sharpe(returns, periods) is None:
        return None
    drawn = resampled(returns, np.random.default_rng(seed))
    spread = drawn.std(axis=1, ddof=1)
    moving = spread > STILL
    found = drawn[moving].mean(axis=1) / spread[moving] * sqrt(periods)
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def probabilistic_sharpe(
    per_period: float, n: int, skew: float, kurtosis: float, benchmark: float = 0.0
) -> float:
    """Probability that the true Sharpe ratio of a period is above `benchmark` (Bailey, Lopez de Prado 2012).

    `Phi((SR - b) sqrt(n - 1) / sqrt(1 - skew SR + (kurt - 1)/4 SR^2))`; `kurtosis` is 3 for a normal.
    """
    spread = 1 - skew * per_period + (kurtosis - 1) / 4 * per_period**2
    return NormalDist().cdf((per_period - benchmark) * sqrt(n - 1) / sqrt(spread))


def best_of_trials(trials: int, variance: float) -> float:
    """The Sharpe ratio of a period of the best of `trials` > 1 useless ones (Bailey, Lopez de Prado 2014).

    `sqrt(V) ((1 - g) Phi^-1(1 - 1/N) + g Phi^-1(1 - 1/(N e)))`: the benchmark of the deflated Sharpe ratio.
    `variance`: of the ratios over the trials.
    """
    normal = NormalDist()
    usual, extreme = normal.inv_cdf(1 - 1 / trials), normal.inv_cdf(1 - 1 / (trials * e))
    return sqrt(variance) * ((1 - _EULER) * usual + _EULER * extreme)


@dataclass(frozen=True, slots=True)
class DeflatedSharpe:
    """Probability 0..1 that a Sharpe ratio of a period is above that of the best of `trials` useless ones."""

    per_period: float
    benchmark: float
    trials: int
    probability: float


def deflated_sharpe(
    returns: np.ndarray, trials: int, tried: Sequence[float] | None = None
) -> DeflatedSharpe | None:
    """Of returns (T,) that were the choice of `trials` configurations; None where `sharpe` is.

    `tried`: the Sharpe ratios of a period of those that are known. Of fewer than two of them the variance is
    that of a ratio without skill, 1 / (T - 1).
    """
    ratio = sharpe(returns, 1)
    if ratio is None:
        return None
    known = np.asarray(tried or (), dtype=np.float64)
    variance = float(known.var(ddof=1)) if len(known) > 1 else 1 / (len(returns) - 1)
    benchmark = best_of_trials(trials, variance) if trials > 1 else 0.0
    found = probabilistic_sharpe(ratio, len(returns), *_shape(returns), benchmark)
    return DeflatedSharpe(ratio, benchmark, trials, found)


def sharpe_probability(returns: np.ndarray) -> float | None:
    """`probabilistic_sharpe` against 0 of returns (T,) themselves; None where `sharpe` is."""
    ratio = sharpe(returns, 1)
    return None if ratio is None else probabilistic_sharpe(ratio, len(returns), *_shape(returns))


def _shape(returns: np.ndarray) -> tuple[float, float]:
    """Skew and kurtosis of the population, 0 and 3 for a normal."""
    away = returns - returns.mean()
    square = float((away**2).mean())
    return float((away**3).mean()) / square**1.5, float((away**4).mean()) / square**2
