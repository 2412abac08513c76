"""What the full gap rule found out about one candidate (SPEC 3.2, 3.5, 3.7): every number beside its limit.

Computed once, judged by the agents and gates, shown on the ticket and kept with it.
"""

from dataclasses import dataclass, fields

from engine.model.checks import Check, Step
from engine.model.evidence import EdgeEvidence
from engine.model.forecasts import Forecast


@dataclass(frozen=True, slots=True)
class BcsParts:
    """The seven parts of the quality score, in points (SPEC 3.5.3); a missing input gives 0."""

    probability: float
    gap: float
    oversold: float
    volume: float
    trend: float
    regime: float
    liquidity: float

    @property
    def total(self) -> float:
        """BCS, 0 to 10."""
        return float(sum(getattr(self, part.name) for part in fields(self)))


HIGHEST = BcsParts(probability=3.0, gap=1.5, oversold=1.5, volume=1.0, trend=1.0, regime=1.0, liquidity=1.0)
"""The most that each part can give; together 10."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """Ratios are fractions unless the name says otherwise; None: not known, and a reason stands elsewhere."""

    forecast: Forecast | None
    no_forecast: str
    """Why there is none; "" when there is one."""
    cost: float | None
    """Of a round trip, as a fraction of the entry."""
    ev: float | None
    """Expected net return: after the cost."""
    bcs: BcsParts | None
    q_min: float
    bcs_min: float
    slippage_pct: float | None
    """One way, percent."""
    evidence: EdgeEvidence | None
    """Of the strategy's own past proposals; None: nobody collected any."""
    checks: tuple[Check, ...]
    vote: str = ""
    """How the agents' votes were counted, once they agreed: the sentence with share and limit."""

    @property
    def is_unproved(self) -> bool:
        """A forecast of a model that never showed skill on what is traded."""
        return self.forecast is not None and not self.forecast.is_usable

    def failed(self, *steps: Step) -> tuple[Check, ...]:
        """The checks of these steps that speak against the candidate; of all steps when none is named."""
        return tuple(check for check in self.checks if check.is_failed and (not steps or check.step in steps))

    def check(self, name: str) -> Check | None:
        """The check of a name; None when it was not made."""
        return next((check for check in self.checks if check.name == name), None)
