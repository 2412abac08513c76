"""Which limits are in force, and their sizes (SPEC 4.8, 11.3, 14)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RiskConfig:
    """`[risk]` of config.toml. Ratios are fractions of equity unless said otherwise."""

    max_position_pct: float = 0.10
    kelly_fraction: float = 0.25
    corr_threshold: float = 0.70
    corr_exposure_max: float = 0.10
    var_conf: float = 0.95
    var_max_pct: float = 0.05
    dd_levels: tuple[float, float, float] = (0.05, 0.10, 0.15)
    dd_release: tuple[float, float] = (0.03, 0.07)
    dd_flatten_at_l3: bool = False
    daily_loss_max: float = 0.03
    max_positions_total: int = 20


@dataclass(frozen=True, slots=True)
class LimitSwitches:
    """Which limits apply to a run. A limit that is off is reported as not applicable, never as passed."""

    name: str
    regime: bool
    concurrent: bool
    one_per_instrument: bool
    buying_power: bool
    per_session: bool
    """The strategy's own cap on new entries in one session (SPEC 3.8)."""
    portfolio: bool = False
    """What the account as a whole allows: drawdown, daily loss, entry rates, correlated exposure, value at
    risk, price collar, fat finger, duplicates."""


FULL = LimitSwitches("full", True, True, True, True, True, True)
"""Daemon and console."""
DATASET = LimitSwitches("dataset", False, True, True, True, False)
"""Back-test and replay with limits: exactly the concurrent cap, one per instrument, and cash."""
NONE = LimitSwitches("none", False, False, False, False, False)
"""`--no-limits`: every candidate is its own trade, to compare the engine with a back-test row by row."""
