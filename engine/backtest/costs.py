"""What trading costs in a back-test (SPEC 9.4): commissions, fees of sales by date, slippage; 1x and 2x."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from engine.execution.fees import COMMISSIONS, UsEquityFees, rates_on


@dataclass(frozen=True, slots=True)
class Costs:
    """Slippage one way is half the spread + `impact` x sigma_d x sqrt(Q / ADV). `scale` multiplies it all."""

    spread_bps: float = 10.0
    impact: float = 0.7
    fees: UsEquityFees | None = COMMISSIONS["alpaca"]
    """None: no commission and no fees of sales."""
    scale: float = 1.0

    @property
    def half_spread(self) -> float:
        """Fraction of the price."""
        return self.scale * self.spread_bps / 20_000

    def times(self, factor: float) -> "Costs":
        """The same costs, so many times."""
        return replace(self, scale=self.scale * factor)


FREE = Costs(spread_bps=0.0, impact=0.0, fees=None)
"""Prices as they stand in the bars."""


@dataclass(frozen=True, slots=True)
class CostTable:
    """Costs as plain numbers. `sec`, `taf`, `taf_cap` are arrays (T,), one entry for each session."""

    half_spread: float
    impact: float
    per_share: float
    least: float
    most_ratio: float
    scale: float
    sec: np.ndarray
    taf: np.ndarray
    taf_cap: np.ndarray


def cost_table(costs: Costs, sessions: Iterable[date]) -> CostTable:
    """Of these sessions, in order."""
    days, fees = list(sessions), costs.fees
    rates = np.zeros((len(days), 3))
    charged = (0.0, 0.0, 0.0)
    if fees is not None:
        charged = (
            float(fees.commission_per_share),
            float(fees.commission_min),
            float(fees.commission_max_ratio),
        )
        for place, day in enumerate(days):
            sec, taf = rates_on(day)
            rates[place] = float(sec.usd_per_million) / 1e6, float(taf.usd_per_share), float(taf.cap)
    return CostTable(costs.half_spread, costs.scale * costs.impact, *charged, costs.scale, *rates.T.copy())
