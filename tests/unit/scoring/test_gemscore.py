"""Sub-scores at their ends, what is missing, caps, and the sum."""

import math

import pytest

from engine.scoring.gemscore import (
    SUB_SCORES,
    GemWeights,
    clip01,
    gem_score,
    logscale,
    s_accumulation,
    s_community,
    s_liquidity_depth,
    s_narrative,
    s_onchain,
    s_sentiment,
    s_tokenomics,
    sub_scores,
    wmean,
)

WEIGHTS = GemWeights().as_row()
CALM = {"unlock_30d_pct": 0.0, "circulating_pct": 100.0, "top10_holder_pct": 20.0, "owner_can_mint": 0.0}


def test_weights_sum_to_one_in_the_order_of_the_sub_scores() -> None:
    assert math.fsum(WEIGHTS) == pytest.approx(1, abs=1e-9)
    assert tuple(GemWeights.__dataclass_fields__) == SUB_SCORES


@pytest.mark.parametrize(("value", "scaled"), [(10, 0), (50, 0), (1_000, 0.5), (20_000, 1), (1e9, 1)])
def test_logscale_is_even_in_the_logarithm(value: float, scaled: float) -> None:
    assert logscale(value, 50, 20_000) == pytest.approx(scaled)


def test_wmean_needs_half_of_the_weight() -> None:
    assert wmean((0.4, None), (0.3, 1.0), (0.3, 0.5)) == pytest.approx(0.75)
    assert wmean((0.5, 0.8), (0.5, None)) == pytest.approx(0.8)
    assert wmean((0.6, None), (0.4, 1.0)) is None
    assert wmean((0.6, None), (0.4, None)) is None


def test_the_score_is_the_sum_of_its_points() -> None:
    score = gem_score((1.0,) * 8, WEIGHTS)
    assert (score.score, score.score_max) == (pytest.approx(100), pytest.approx(100))
    assert score.points == pytest.approx((15, 20, 15, 10, 12, 12, 8, 8))
    assert (score.missing, score.known_weight) == ((), pytest.approx(1))


def test_a_missing_part_adds_nothing_is_listed_and_counts_in_the_most() -> None:
    score = gem_score((None, 0.8, 0.7, 0.6, 0.8, 1.0, None, None), WEIGHTS)
    assert score.missing == ("s_sentiment", "s_narrative", "s_community")
    assert score.score == pytest.approx(16 + 10.5 + 6 + 9.6 + 12)
    assert score.score_max == pytest.approx(score.score + 31)
    assert score.known_weight == pytest.approx(0.69)
    assert (score.points[0], score.points[6], score.points[7]) == (0, 0, 0)


def test_what_is_known_without_keys_cannot_reach_the_flag() -> None:
    """SPEC 2.5b: accumulation, on-chain, liquidity, tokenomics at its cap and safety sum to 66.6."""
    score = gem_score((None, 1, 1, 1, 0.8, 1, None, None), WEIGHTS)
    assert score.score == pytest.approx(66.6)


def test_sentiment_and_narrative_are_their_features() -> None:
    assert s_sentiment({"sentiment_composite": 0.72}) == 0.72
    assert s_narrative({"narrative_momentum": 0.58}) == 0.58
    assert s_sentiment({}) is None
    assert s_narrative({}) is None


@pytest.mark.parametrize(("flow", "part"), [(-0.2, 0), (-0.9, 0), (0, 0.5), (0.2, 1), (1, 1)])
def test_accumulation_by_flow_alone_needs_another_term(flow: float, part: float) -> None:
    assert s_accumulation({"dex_flow_imbalance_h24": flow}) is None
    both = {"dex_flow_imbalance_h24": flow, "unique_buyers_h24": 50.0, "unique_sellers_h24": 50.0}
    assert s_accumulation(both) == pytest.approx((0.4 * part + 0.3 * 0.5) / 0.7)


def test_accumulation_without_volume_or_traders_drops_those_terms() -> None:
    values = {
        "dex_flow_imbalance_h24": 0.2,
        "whale_netflow_24h_usd": 100.0,
        "volume_24h_usd": 0.0,
        "unique_buyers_h24": 0.0,
        "unique_sellers_h24": 0.0,
    }
    assert s_accumulation(values) is None
    values["volume_24h_usd"] = 2_000.0
    assert s_accumulation(values) == pytest.approx(1.0)


def test_onchain_without_history_stands_on_counts() -> None:
    assert s_onchain({"tx_count_24h": 20_000, "unique_traders_24h": 10_000}) == pytest.approx(1)
    assert s_onchain({"tx_count_24h": 20_000, "holder_growth_7d_pct": 10}) == pytest.approx(1)
    assert s_onchain({"tx_count_24h": 20_000}) is None


def test_liquidity_by_pools_else_by_books() -> None:
    assert s_liquidity_depth({"liquidity_pool_usd": 5e6}) == pytest.approx(1)
    assert s_liquidity_depth({"liquidity_pool_usd": 50e3, "depth_2pct_usd": 1e6}) == 0
    assert s_liquidity_depth({"depth_2pct_usd": 100e3}) == pytest.approx(0.5)
    assert s_liquidity_depth({}) is None


def test_tokenomics_without_any_risk_is_one() -> None:
    assert s_tokenomics(CALM) == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "score"),
    [
        ({"owner_can_mint": 1.0}, 0.4),
        ({"owner_can_mint": None}, 0.4),
        ({"unlock_30d_pct": 10.0}, 0.4),
        ({"unlock_30d_pct": 9.9}, 1 - 0.35 * 9.9 / 20),
        ({"unlock_30d_pct": None}, 0.8),
        ({"unlock_30d_pct": None, "top10_holder_pct": 80.0}, 1 - 0.35 / 0.65),
        ({"circulating_pct": 0.0}, 0.7),
        ({"top10_holder_pct": 80.0}, 0.65),
        ({"unlock_30d_pct": None, "circulating_pct": None}, None),
        ({"unlock_30d_pct": 40.0, "circulating_pct": 0.0, "top10_holder_pct": 100.0}, 0.0),
    ],
)
def test_tokenomics_falls_with_what_hangs_over_the_market(
    change: dict[str, float | None], score: float | None
) -> None:
    values = {name: value for name, value in {**CALM, **change}.items() if value is not None}
    found = s_tokenomics(values)
    assert found is None if score is None else found == pytest.approx(score)


def test_community_counts_at_most_a_hundred_commits() -> None:
    values = {"holder_growth_7d_pct": 20.0, "community_members": 200_000.0, "dev_commits_30d": 5_000.0}
    assert s_community(values) == pytest.approx(1)
    assert s_community({"dev_commits_30d": 3.0}) is None
    assert s_community({"holder_growth_7d_pct": -5.0, "dev_commits_30d": 0.0}) == 0


def test_safety_takes_its_place_among_the_parts() -> None:
    parts = sub_scores({"liquidity_pool_usd": 5e6}, 0.7)
    assert parts == (None, None, None, pytest.approx(1), None, 0.7, None, None)
    assert sub_scores({}, None) == (None,) * 8


def test_clip01() -> None:
    assert [clip01(value) for value in (-1, 0.3, 7)] == [0, 0.3, 1]
