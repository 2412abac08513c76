"""Figures of closed trades (SPEC 9.2). Pure; what is not known or says nothing is None, never 0.

Ratios are fractions. A trade that made exactly nothing counts in `n` and is neither won nor lost (SPEC 6.8).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from statistics import NormalDist

from engine.money import ZERO

CONFIDENCE = 0.90
"""Of the interval beside a rate (DESIGN 5)."""
FEW = 5
"""Fewer trades than that: the rate says nothing, and the screen says `too few` (DESIGN 5)."""
MEANINGFUL = 20
"""Fewer trades, or fewer returns, than that: every ratio is `not meaningful` (SPEC 9.2)."""


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


def rate_of(wins: int, n: int) -> WinRate:
    """`wins` of `n` with their interval; nothing is said of no trade."""
    return WinRate(n, wins, wins / n, *wilson(wins, n)) if n else WinRate(0, 0, None, None, None)


def win_rate(profits: Sequence[Decimal]) -> WinRate:
    """Of trades with these profits after fees: won is what made more than 0."""
    return rate_of(sum(profit > ZERO for profit in profits), len(profits))


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


@dataclass(frozen=True, slots=True)
class Excursions:
    """How far trades went against and for their holder before they ended, fractions of the entry price."""

    mean_adverse: float | None
    worst_adverse: float | None
    mean_favorable: float | None
    best_favorable: float | None


def excursions(adverse: Sequence[float], favorable: Sequence[float]) -> Excursions:
    """`adverse` at or below 0, `favorable` at or above it, one each for a trade; None without a trade."""
    if not adverse or not favorable:
        return Excursions(None, None, None, None)
    return Excursions(
        sum(adverse) / len(adverse), min(adverse), sum(favorable) / len(favorable), max(favorable)
    )


def longest_losing_run(profits: Iterable[float | Decimal]) -> int:
    """Most trades in a row, in the order of their exits, that lost; one that made nothing ends a run."""
    longest = run = 0
    for profit in profits:
        run = run + 1 if profit < 0 else 0
        longest = max(longest, run)
    return longest
