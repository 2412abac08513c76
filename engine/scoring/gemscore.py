"""GemScore: eight sub-scores of a token in [0, 1], weighted to 0..100 (SPEC 2.1, 2.2).

Flows and counts are log-normal across tokens, hence the log scales. What is not known is not average: a
missing sub-score adds nothing and is listed.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from functools import lru_cache

from engine.money import EPSILON

Values = Mapping[str, float]
"""Feature id -> value; an id that is not there is missing."""
Parts = tuple[float | None, ...]
"""Eight sub-scores in the order of SUB_SCORES; None: not known."""

SUB_SCORES = (
    "s_sentiment",
    "s_accumulation",
    "s_onchain",
    "s_liquidity_depth",
    "s_tokenomics",
    "s_contract_safety",
    "s_narrative",
    "s_community",
)
SAFETY_PART = SUB_SCORES.index("s_contract_safety")
HALF = 0.5 - EPSILON
"""A sub-score needs this much of its terms' weight to be known."""
TOKENOMICS_CAP_MINT = 0.4
TOKENOMICS_CAP_UNKNOWN_UNLOCK = 0.8
UNLOCK_CAP_PCT = 10.0


@dataclass(frozen=True, slots=True)
class GemWeights:
    """Weights of the eight sub-scores (SPEC 2.1); they sum to 1."""

    s_sentiment: float = 0.15
    s_accumulation: float = 0.20
    s_onchain: float = 0.15
    s_liquidity_depth: float = 0.10
    s_tokenomics: float = 0.12
    s_contract_safety: float = 0.12
    s_narrative: float = 0.08
    s_community: float = 0.08

    def as_row(self) -> tuple[float, ...]:
        """In the order of SUB_SCORES."""
        return astuple(self)


@dataclass(frozen=True, slots=True)
class GemScore:
    """A score with what it is made of; `points` and `score` of 100.

    `score_max`: what it would be if everything missing were perfect. `known_weight`: of the sub-scores that
    are known, 0..1.
    """

    score: float
    score_max: float
    parts: Parts
    points: tuple[float, ...]
    missing: tuple[str, ...]
    known_weight: float


def clip01(value: float) -> float:
    """Within [0, 1]."""
    return 0.0 if value < 0.0 else 1.0 if value > 1.0 else value


def logscale(value: float, low: float, high: float) -> float:
    """0 at `low` and below, 1 at `high` and above, even steps of the logarithm between (SPEC 0.6)."""
    least, span = _logs(low, high)
    return clip01((math.log(value if value > low else low) - least) / span)


@lru_cache(maxsize=32)
def _logs(low: float, high: float) -> tuple[float, float]:
    """Logarithm of `low`, and how far that of `high` is from it."""
    return math.log(low), math.log(high) - math.log(low)


def wmean(*terms: tuple[float, float | None]) -> float | None:
    """Mean of (weight, value) over the known values; None when less than half of the weight is known."""
    known = total = reach = 0.0
    for weight, value in terms:
        reach += weight
        if value is not None:
            known += weight
            total += weight * value
    return total / known if known >= HALF * reach and known > 0 else None


def _whole(value: float | None) -> float | None:
    """A feature that is a sub-score; its range has a tolerance, a sub-score's has none."""
    return None if value is None else clip01(value)


def s_sentiment(values: Values) -> float | None:
    """How it is spoken of."""
    return _whole(values.get("sentiment_composite"))


def s_accumulation(values: Values) -> float | None:
    """Whether it is being bought: flow of trades, net buys of whales, share of buyers."""
    flow = values.get("dex_flow_imbalance_h24")
    whales, volume = values.get("whale_netflow_24h_usd"), values.get("volume_24h_usd")
    buyers, sellers = values.get("unique_buyers_h24"), values.get("unique_sellers_h24")
    whale_share = whales / volume if whales is not None and volume else None
    both = None if buyers is None or sellers is None else buyers + sellers
    buyer_share = buyers / both if buyers is not None and both else None
    return wmean(
        (0.40, None if flow is None else clip01((flow + 0.2) / 0.4)),
        (0.30, None if whale_share is None else clip01((whale_share + 0.05) / 0.10)),
        (0.30, None if buyer_share is None else clip01((buyer_share - 0.4) / 0.2)),
    )


def s_onchain(values: Values) -> float | None:
    """How alive it is: transfers, traders, growth of holders."""
    transfers, traders = values.get("tx_count_24h"), values.get("unique_traders_24h")
    growth = values.get("holder_growth_7d_pct")
    return wmean(
        (0.40, None if transfers is None else logscale(transfers, 50, 20_000)),
        (0.40, None if traders is None else logscale(traders, 25, 10_000)),
        (0.20, None if growth is None else clip01(growth / 10)),
    )


def s_liquidity_depth(values: Values) -> float | None:
    """How much could be sold; for a token without pools the depth of its order books."""
    pool, book = values.get("liquidity_pool_usd"), values.get("depth_2pct_usd")
    if pool is not None:
        return logscale(pool, 50e3, 5e6)
    return None if book is None else logscale(book, 10e3, 1e6)


def s_tokenomics(values: Values) -> float | None:
    """1 when no supply hangs over the market: unlocks, tokens not in circulation, large holders.

    Capped at 0.8 while unlocks are not known, at 0.4 when 10 % unlock within 30 days or while it is not
    proved that nobody can mint.
    """
    unlock, circulating = values.get("unlock_30d_pct"), values.get("circulating_pct")
    top10 = values.get("top10_holder_pct")
    risk = wmean(
        (0.35, None if unlock is None else clip01(unlock / 20)),
        (0.30, None if circulating is None else 1 - circulating / 100),
        (0.35, None if top10 is None else clip01((top10 - 20) / 60)),
    )
    if risk is None:
        return None
    cap = 1.0 if unlock is not None else TOKENOMICS_CAP_UNKNOWN_UNLOCK
    if values.get("owner_can_mint") != 0 or (unlock is not None and unlock >= UNLOCK_CAP_PCT - EPSILON):
        cap = TOKENOMICS_CAP_MINT
    return min(cap, clip01(1 - risk))


def s_narrative(values: Values) -> float | None:
    """Whether the talk about it grows."""
    return _whole(values.get("narrative_momentum"))


def s_community(values: Values) -> float | None:
    """Who stands behind it: growth of holders, members, commits."""
    growth, members = values.get("holder_growth_7d_pct"), values.get("community_members")
    commits = values.get("dev_commits_30d")
    return wmean(
        (0.40, None if growth is None else clip01(growth / 20)),
        (0.30, None if members is None else logscale(members, 500, 200_000)),
        (0.30, None if commits is None else math.log(1 + min(commits, 100)) / math.log(101)),
    )


_OF_FEATURES: tuple[Callable[[Values], float | None], ...] = (
    s_sentiment,
    s_accumulation,
    s_onchain,
    s_liquidity_depth,
    s_tokenomics,
    s_narrative,
    s_community,
)


def sub_scores(values: Values, contract_safety: float | None) -> Parts:
    """All eight in the order of SUB_SCORES; safety is judged apart (SPEC 2.4)."""
    found = [score(values) for score in _OF_FEATURES]
    return (*found[:SAFETY_PART], contract_safety, *found[SAFETY_PART:])


def gem_score(parts: Parts, weights: tuple[float, ...]) -> GemScore:
    """100 * sum of weight * part, with the points of each part (SPEC 2.1). `weights`: GemWeights.as_row()."""
    points = tuple(
        [0.0 if part is None else 100 * weight * part for weight, part in zip(weights, parts, strict=True)]
    )
    score = clip01(sum(points) / 100) * 100
    all_weights = known = sum(weights)
    missing: tuple[str, ...] = ()
    if None in parts:
        missing = tuple([name for name, part in zip(SUB_SCORES, parts, strict=True) if part is None])
        known = sum([weight for weight, part in zip(weights, parts, strict=True) if part is not None])
    return GemScore(score, min(100.0, score + 100 * (all_weights - known)), parts, points, missing, known)
