"""Which thresholds rule a candidate: by regime, by the account's drawdown, as adapted (SPEC 3.5, 3.6)."""

from dataclasses import dataclass
from typing import Protocol

from engine.model.candidates import Regime
from engine.strategies.gaps_config import GapsConfig

Q_STRESS = 0.68
"""`q_bounce` that spy_stress asks for where a person allowed entries in it (SPEC 3.6)."""


class Adapted(Protocol):
    """The thresholds that the Auditor may move (SPEC 3.11); a policy of the memory has them."""

    @property
    def q_min(self) -> float: ...
    @property
    def q_min_highvix(self) -> float: ...
    @property
    def bcs_min(self) -> float: ...
    @property
    def bcs_min_highvix(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Thresholds:
    """`q_bounce` must reach `q_min`; BCS must lie above `bcs_min`, not at it."""

    q_min: float
    bcs_min: float


def thresholds(regime: Regime, adapted: Adapted, is_conservative: bool = False) -> Thresholds:
    """Of a regime; an unknown one, and any while the drawdown asks for caution, is ruled like high_vix."""
    if regime is Regime.NORMAL and not is_conservative:
        return Thresholds(adapted.q_min, adapted.bcs_min)
    q_min = adapted.q_min_highvix
    if regime is Regime.SPY_STRESS:
        q_min = max(q_min, Q_STRESS)
    return Thresholds(q_min, adapted.bcs_min_highvix)


def in_force(config: GapsConfig, policy: Adapted | None) -> Adapted:
    """The adapted thresholds; those of the configuration where nothing was adapted yet."""
    return config if policy is None else policy
