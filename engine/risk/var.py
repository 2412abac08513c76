"""One-day value at risk of the holdings as they are now (SPEC 4.8.3). Unknown is None, never 0."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from engine.model.ids import InstrumentId
from engine.risk.returns import Returns

BARS = 250
"""Daily returns looked at."""
MIN_RETURNS = 60
"""Fewer common ones say nothing."""


@dataclass(frozen=True, slots=True)
class ValueAtRisk:
    """Losses in account currency that one day exceeds with the tail probability; < 0 is a sure gain."""

    historical: float
    parametric: float
    returns: int
    """How many daily returns they follow from."""

    @property
    def larger(self) -> float:
        """The one that counts."""
        return max(self.historical, self.parametric)


def value_at_risk(returns: np.ndarray, value: float, confidence: float = 0.95) -> ValueAtRisk | None:
    """Of daily returns (T,) as fractions and a value in currency: `-quantile*V` and `-(mean - z*std)*V`.

    None for fewer than 60 returns, or where one of the numbers is not finite.
    """
    if len(returns) < MIN_RETURNS or not np.isfinite(returns).all() or not np.isfinite(value):
        return None
    z = NormalDist().inv_cdf(confidence)
    historical = -float(np.quantile(returns, 1 - confidence)) * value
    parametric = -(float(returns.mean()) - z * float(returns.std(ddof=1))) * value
    return ValueAtRisk(historical, parametric, len(returns))


def portfolio_var(
    values: Mapping[InstrumentId, float],
    returns: Mapping[InstrumentId, Returns | None],
    confidence: float = 0.95,
) -> ValueAtRisk | None:
    """Of holdings (currency) at today's weights over the days that all of them traded; None when unknown.

    Nothing held is no risk: 0 of 0 returns.
    """
    if not any(values.values()):
        return ValueAtRisk(0.0, 0.0, 0)
    money = daily_results(values, returns)
    return None if money is None else value_at_risk(money, 1.0, confidence)


def daily_results(
    values: Mapping[InstrumentId, float], returns: Mapping[InstrumentId, Returns | None]
) -> np.ndarray | None:
    """What holdings (currency) would have made on each day (T,) that all of them traded, oldest first.

    At most 250 days. None where nothing is held, or fewer than 60 days are known of all of it.
    """
    held = {name: value for name, value in values.items() if value != 0}
    found = [returns.get(name) for name in held]
    known = [series for series in found if series is not None]
    if not held or len(known) < len(found):
        return None
    days = _common_days([series.last(BARS) for series in known])
    if len(days) < MIN_RETURNS:
        return None
    money = np.zeros(len(days))
    for series, value in zip(known, held.values(), strict=True):
        money += value * series.on(days)
    return money


def _common_days(series: Sequence[Returns]) -> np.ndarray:
    days = series[0].day
    for other in series[1:]:
        if not np.array_equal(days, other.day):
            days = np.intersect1d(days, other.day, assume_unique=True)
    return days
