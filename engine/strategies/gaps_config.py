"""`[gaps]` of config.toml: every number of the strategy that a person may change (SPEC 3, 14)."""

import re
from dataclasses import dataclass
from enum import StrEnum

from engine.strategies.stage import Stage


class GapsRule(StrEnum):
    """Which rule decides: that of the published back-test, or all of SPEC 3 with a registered model."""

    AUTO = "auto"
    """Full once a model is registered, naive until then."""
    NAIVE = "naive"
    FULL = "full"


class UnknownEarnings(StrEnum):
    """What an unknown earnings date does to a candidate (SPEC 3.2.6)."""

    VETO = "veto"
    NOTE = "note"


class Sides(StrEnum):
    """Whether only a fall of liquidity counts, or a rise too (SPEC 3.7.1)."""

    ONE = "one"
    BOTH = "both"


RANGES: dict[str, tuple[float, float]] = {
    "adv_min_usd": (0.0, 1e12),
    "price_min": (0.0001, 1e6),
    "price_max": (0.0001, 1e6),
    "mcap_min_usd": (0.0, 1e13),
    "gap_min": (0.0, 1.0),
    "gap_max": (0.0, 1.0),
    "z5_max": (-20.0, 20.0),
    "entries_per_session": (1, 100),
    "rsi2_max": (0.0, 100.0),
    "dist_200_min": (-1.0, 10.0),
    "q_min": (0.0, 1.0),
    "q_min_highvix": (0.0, 1.0),
    "bcs_min": (0.0, 10.0),
    "bcs_min_highvix": (0.0, 10.0),
    "size_pct": (0.0001, 0.10),
    "size_pct_highvix": (0.0001, 0.10),
    "max_concurrent": (1, 20),
    "max_per_sector": (1, 20),
    "stop_pct": (0.001, 0.5),
    "target_pct": (0.001, 1.0),
    "max_sessions": (1, 60),
    "slippage_max_pct": (0.0, 100.0),
    "liquidity_delta_min_pct": (-100.0, 0.0),
    "cash_cover": (0.0, 100.0),
    "issuer_runway_min_months": (0.0, 999.0),
    "earnings_window_sessions": (0, 60),
    "consensus_min": (0.5, 1.0),
    "consensus_after_trades": (1, 10_000),
}
"""Key -> smallest and largest value allowed, both inclusive."""
_WORDS: dict[str, type[StrEnum]] = {
    "rule": GapsRule,
    "stage": Stage,
    "earnings_unknown": UnknownEarnings,
    "liquidity_delta_mode": Sides,
}
_ORDERED = (("price_min", "price_max"), ("gap_min", "gap_max"))
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class GapsConfig:
    """Defaults of SPEC 14. `_pct` here are fractions of equity or price where SPEC 14 writes them so.

    Raises ValueError naming key, value and allowed range.
    """

    rule: GapsRule = GapsRule.AUTO
    stage: Stage = Stage.PAPER
    earnings_unknown: UnknownEarnings = UnknownEarnings.VETO
    adv_min_usd: float = 5_000_000.0
    price_min: float = 0.50
    price_max: float = 20.0
    mcap_min_usd: float = 50_000_000.0
    gap_min: float = 0.05
    gap_max: float = 0.25
    z5_max: float | None = None
    """None: z5 is scored, not required (SPEC 3.2.5)."""
    entries_per_session: int = 3
    live_without_evidence: bool = False
    rsi2_max: float = 10.0
    dist_200_min: float = -0.12
    q_min: float = 0.62
    q_min_highvix: float = 0.68
    bcs_min: float = 5.5
    """A score must lie above it, not at it."""
    bcs_min_highvix: float = 6.0
    size_pct: float = 0.012
    """Fraction of equity."""
    size_pct_highvix: float = 0.006
    allow_in_spy_stress: bool = False
    max_concurrent: int = 8
    max_per_sector: int = 3
    stop_pct: float = 0.08
    """Fraction of the ticket's limit price."""
    target_pct: float = 0.06
    max_sessions: int = 5
    """The entry session counts as 1."""
    decision_time_et: str = "09:45"
    slippage_max_pct: float = 0.5
    """Percent."""
    liquidity_delta_min_pct: float = -40.0
    """Percent."""
    liquidity_delta_mode: Sides = Sides.ONE
    cash_cover: float = 3.0
    issuer_runway_min_months: float = 6.0
    earnings_window_sessions: int = 5
    consensus_min: float = 0.70
    consensus_after_trades: int = 20
    auto_adapt: bool = True
    """By itself on paper accounts only."""

    def __post_init__(self) -> None:
        for key, (low, high) in RANGES.items():
            value = getattr(self, key)
            if value is not None and not low <= value <= high:
                raise ValueError(f"gaps.{key} = {value}: allowed is {low:g} to {high:g}")
        for key, words in _WORDS.items():
            value = getattr(self, key)
            if value not in tuple(words):
                raise ValueError(f"gaps.{key} = {value!r}: allowed is {' or '.join(words)}")
        for low_key, high_key in _ORDERED:
            low, high = getattr(self, low_key), getattr(self, high_key)
            if low >= high:
                raise ValueError(f"gaps.{low_key} = {low}: allowed is less than {high_key}, which is {high}")
        if not _TIME_OF_DAY.fullmatch(self.decision_time_et):
            raise ValueError(
                f"gaps.decision_time_et = {self.decision_time_et!r}: allowed is 00:00 to 23:59, New York time"
            )
