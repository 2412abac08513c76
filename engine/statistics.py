"""Figures of trades and returns (SPEC 9). Pure; what is not known or says nothing is None, never 0.

Ratios are fractions. A trade that made exactly nothing counts in `n` and is neither won nor lost (SPEC 6.8).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import e, sqrt
from statistics import NormalDist

import numpy as np

from engine.money import ZERO

CONFIDENCE = 0.90
"""Of the interval beside a rate (DESIGN 5)."""
FEW = 5
"""Fewer trades than that: the rate says nothing, and the screen says `too few` (DESIGN 5)."""
MEANINGFUL = 20
"""Fewer trades, or fewer returns, than that: every ratio is `not meaningful` (SPEC 9.2)."""
SESSIONS_A_YEAR = 252
DAYS_A_YEAR = 365
"""Periods of a year for accounts that are marked on sessions, and on every day (SPEC 9.1)."""
BLOCK = 5
"""Returns that a bootstrap draws together (SPEC 9.3)."""
PATHS = 1000
_EULER = 0.5772156649015329
_STILL = 1e-15
"""A deviation under this is a value that stood still, and rounding."""


@dataclass(frozen=True, slots=True)
class WinRate:
    """Share of trades that won; `low` and `high` bound the true one with 90 % confidence."""

    n: int
    wins: int
    ratio: float | None
    low: float | None
    high: float | None

    @property
    def is_too_few(self) -> bool:
        """Whether it is better not shown."""
        return self.n < FEW


@dataclass(frozen=True, slots=True)
class TradeFigures:
    """Of closed trades; money in account currency."""

    rate: WinRate
    net: Decimal
    profit_factor: float | None
    """Gains over losses; None without a loss."""
    expectancy: Decimal | None
    """Mean profit; None without a trade."""
    payoff: float | None
    """Mean win over mean loss; None without one of them."""
    best: Decimal | None
    worst: Decimal | None

    @property
    def is_meaningful(self) -> bool:
        """Whether there are trades enough for any ratio."""
        return self.rate.n >= MEANINGFUL


def wilson(wins: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Score interval of a share, `n` > 0 (Wilson 1927, JASA 22:209; Brown, Cai, DasGupta 2001).

    `(p + z^2/2n +- z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)` with p = wins/n: never outside 0..1.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = wins / n, z * z / n
    middle = (share + weight / 2) / (1 + weight)
    half = z * sqrt(share * (1 - share) / n + weight / (4 * n)) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def win_rate(profits: Sequence[Decimal]) -> WinRate:
    """Of trades with these profits after fees: won is what made more than 0."""
    n, wins = len(profits), sum(profit > ZERO for profit in profits)
    if n == 0:
        return WinRate(0, 0, None, None, None)
    return WinRate(n, wins, wins / n, *wilson(wins, n))


def trade_figures(profits: Sequence[Decimal]) -> TradeFigures:
    """SPEC 9.2 over the profits of closed trades."""
    won = [profit for profit in profits if profit > ZERO]
    lost = [-profit for profit in profits if profit < ZERO]
    gains, losses = sum(won, ZERO), sum(lost, ZERO)
    payoff = float(gains / len(won) / (losses / len(lost))) if won and lost else None
    return TradeFigures(
        rate=win_rate(profits),
        net=gains - losses,
        profit_factor=float(gains / losses) if losses else None,
        expectancy=(gains - losses) / len(profits) if profits else None,
        payoff=payoff,
        best=max(profits, default=None),
        worst=min(profits, default=None),
    )


def sharpe(returns: np.ndarray, periods: int, riskless: float = 0.0) -> float | None:
    """`mean(r - rf) / std * sqrt(periods)` of returns (T,) of one period each (Sharpe 1994; SPEC 9.1).

    `periods` a year; the deviation is the sample's. None for fewer than 2 returns, or where all are the same.
    """
    if len(returns) < 2:
        return None
    excess = returns - riskless
    spread = float(excess.std(ddof=1))
    if not np.isfinite(spread) or spread < _STILL:
        return None
    return float(excess.mean()) / spread * sqrt(periods)


def sharpe_interval(returns: np.ndarray, periods: int, seed: int = 0) -> tuple[float, float] | None:
    """95 % of the Sharpe ratios of 1,000 circular block bootstraps of returns (T,) (Politis, Romano 1992).

    None where `sharpe` is. Draws are seeded: the same returns give the same interval.
    """
    if sharpe(returns, periods) is None:
        return None
    drawn = resampled(returns, np.random.default_rng(seed))
    spread = drawn.std(axis=1, ddof=1)
    moving = spread > _STILL
    found = drawn[moving].mean(axis=1) / spread[moving] * sqrt(periods)
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def resampled(returns: np.ndarray, random: np.random.Generator, paths: int = PATHS) -> np.ndarray:
    """Paths (paths, T) of blocks of 5 neighbors, drawn with replacement from the circle of returns (T,)."""
    count = len(returns)
    starts = random.integers(0, count, size=(paths, -(-count // BLOCK)))
    places = (starts[:, :, None] + np.arange(BLOCK)) % count
    return np.asarray(returns[places.reshape(paths, -1)[:, :count]])


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


def sharpe_probability(returns: np.ndarray) -> float | None:
    """`probabilistic_sharpe` against 0 of returns (T,) themselves; None where `sharpe` is."""
    ratio = sharpe(returns, 1)
    if ratio is None:
        return None
    away = returns - returns.mean()
    square = float((away**2).mean())
    skew, kurtosis = float((away**3).mean()) / square**1.5, float((away**4).mean()) / square**2
    return probabilistic_sharpe(ratio, len(returns), skew, kurtosis)


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
