"""How much of what a GemScore needs is known, and how fresh it is (SPEC 2.3). It never changes the score."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from engine.features.token_catalogue import TOKEN_CATALOGUE
from engine.features.token_look import Clock, TokenReading
from engine.model.candidates import MissingReason

NEEDED: Mapping[str, tuple[str, ...]] = {
    "s_sentiment": ("sentiment_composite",),
    "s_accumulation": (
        "dex_flow_imbalance_h24",
        "whale_netflow_24h_usd",
        "volume_24h_usd",
        "unique_buyers_h24",
        "unique_sellers_h24",
    ),
    "s_onchain": ("tx_count_24h", "unique_traders_24h", "holder_growth_7d_pct"),
    "s_liquidity_depth": ("liquidity_pool_usd",),
    "s_tokenomics": ("unlock_30d_pct", "circulating_pct", "top10_holder_pct", "owner_can_mint"),
    "s_contract_safety": (
        "honeypot_detected",
        "buy_tax_pct",
        "sell_tax_pct",
        "owner_can_mint",
        "owner_privilege_count",
        "blacklist_capable",
        "contract_verified",
        "proxy_upgradeable",
        "creator_holding_pct",
        "top10_holder_pct",
        "lp_locked_pct",
        "liquidity_change_24h_pct",
        "liquidity_pool_usd",
        "token_age_hours",
    ),
    "s_narrative": ("narrative_momentum",),
    "s_community": ("holder_growth_7d_pct", "community_members", "dev_commits_30d"),
}
"""Sub-score -> the inputs that SPEC 2.2 and 2.4 name for it."""


class Band(StrEnum):
    """Confidence in words (SPEC 2.3)."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Confidence:
    """`value` 0..100 of `recency` and `completeness`, both 0..1.

    `of_known`: the same over the inputs of the known sub-scores alone, for the provisional list (SPEC 2.5b).
    """

    value: float
    recency: float
    completeness: float
    of_known: float

    @property
    def band(self) -> Band:
        """High from 80, medium from 60."""
        return Band.HIGH if self.value >= 80 else Band.MEDIUM if self.value >= 60 else Band.LOW


def freshness(age: float, max_age: float) -> float:
    """2^(-age / max_age), both in one unit; its mean over what is known is the recency of SPEC 1.4.9.

    An age below 0, of a clock a little ahead of ours, counts as 0.
    """
    return float(2.0 ** (-age / max_age)) if age > 0.0 else 1.0


def gem_confidence(recency: float, completeness: float) -> float:
    """100 * (half recency, half completeness)."""
    return 100 * (0.5 * recency + 0.5 * completeness)


_PARTS_OF = {
    name: frozenset(part for part, names in NEEDED.items() if name in names)
    for names in NEEDED.values()
    for name in names
}
"""Input -> the sub-scores that need it."""
INPUTS = tuple(_PARTS_OF)
"""Every feature that a score or its confidence looks at."""
_SCALES = {
    name: (TOKEN_CATALOGUE[name].clock, (TOKEN_CATALOGUE[name].max_age_s or 0) * 1e6) for name in _PARTS_OF
}
_DISTINCT = tuple(dict.fromkeys(_SCALES.values()))
_CLOCKS = tuple(Clock)
_PLACES = {name: _DISTINCT.index(scale) for name, scale in _SCALES.items()}


def confidence_of(reading: TokenReading, missing_parts: tuple[str, ...]) -> Confidence:
    """Of a reading; `missing_parts` are the sub-scores that are not known."""
    ages = {clock: reading.age_us(clock) for clock in _CLOCKS}
    fresh = [0.0 if (age := ages[clock]) is None else freshness(age, max_age) for clock, max_age in _DISTINCT]
    recency, completeness = _measure(reading, INPUTS, fresh)
    value = gem_confidence(recency, completeness)
    if not missing_parts:
        return Confidence(value, recency, completeness, value)
    known = _inputs_without(missing_parts)
    return Confidence(value, recency, completeness, gem_confidence(*_measure(reading, known, fresh)))


@lru_cache(maxsize=256)
def _inputs_without(missing_parts: tuple[str, ...]) -> tuple[str, ...]:
    """Inputs that some other sub-score needs too."""
    missing = set(missing_parts)
    return tuple(name for name, parts in _PARTS_OF.items() if not parts <= missing)


def _measure(reading: TokenReading, inputs: Iterable[str], fresh: Sequence[float]) -> tuple[float, float]:
    """Recency and completeness over some inputs; one that does not apply to the token is left out."""
    values, missing = reading.values, reading.missing
    total, present, applicable = 0.0, 0, 0
    for name in inputs:
        if name in values:
            present += 1
            total += fresh[_PLACES[name]]
        elif missing[name] is not MissingReason.NOT_APPLICABLE:
            applicable += 1
    applicable += present
    return (total / present if present else 0.0), (present / applicable if applicable else 0.0)
