"""Recency on each datum's own scale, completeness over what applies, bands."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.features.token_catalogue import TOKEN_CATALOGUE, read_token
from engine.features.token_look import PostsSeen
from engine.model.market import Provenance
from engine.model.tokens import ContractFacts, TokenSnapshot
from engine.scoring.confidence import NEEDED, Band, Confidence, confidence_of, freshness, gem_confidence
from engine.scoring.gemscore import SUB_SCORES

Make = Callable[..., TokenSnapshot]


def test_recency_is_the_oracles(market_data: Path) -> None:
    path = market_data.parent / "oracles" / "oracles.json"
    if not path.is_file():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    case = next(entry for entry in json.loads(path.read_text()) if entry["id"] == "data_recency")
    ages = case["input"]["age_maxage"]
    found = sum(freshness(age, limit) for age, limit in ages) / len(ages)
    assert found == pytest.approx(case["expected"], rel=1e-6)


def test_the_future_is_now_and_an_age_at_its_limit_is_half_fresh() -> None:
    assert freshness(-1.0, 60.0) == 1
    assert freshness(60.0, 60.0) == 0.5


@pytest.mark.parametrize(
    ("value", "band"), [(80, Band.HIGH), (79.9, Band.MEDIUM), (60, Band.MEDIUM), (59, Band.LOW)]
)
def test_bands(value: float, band: Band) -> None:
    assert Confidence(value, 0, 0, 0).band is band


def test_every_input_is_a_feature_of_tokens() -> None:
    assert set(NEEDED) == set(SUB_SCORES)
    assert {name for names in NEEDED.values() for name in names} <= set(TOKEN_CATALOGUE)


@pytest.fixture
def posts(now_us: int) -> PostsSeen:
    return PostsSeen(12, 0.4, now_us, now_us, Provenance.SYNTHETIC)


def test_everything_known_this_instant_is_a_hundred(
    make_token: Make, clean_facts: ContractFacts, posts: PostsSeen, now_us: int
) -> None:
    facts = replace(clean_facts, ts_event=now_us)
    reading = read_token(make_token(ts_event=now_us, contract=facts), posts, now_us)
    found = confidence_of(reading, ())
    assert (found.recency, found.completeness, found.value, found.of_known) == (1, 1, 100, 100)


def test_old_data_lower_it_and_missing_ones_too(make_token: Make, posts: PostsSeen, now_us: int) -> None:
    whole = confidence_of(read_token(make_token(), posts, now_us), ())
    assert 0 < whole.recency < 1
    less = confidence_of(read_token(make_token(transfers_24h=None), posts, now_us), ())
    assert less.completeness < whole.completeness == 1
    assert less.value == pytest.approx(gem_confidence(less.recency, less.completeness))


def test_what_does_not_apply_is_not_missed(
    make_token: Make, solana_facts: ContractFacts, posts: PostsSeen, now_us: int
) -> None:
    token = make_token(chain="solana", contract=solana_facts)
    assert confidence_of(read_token(token, posts, now_us), ()).completeness == 1


def test_inputs_of_missing_parts_do_not_count_against_what_is_known(make_token: Make, now_us: int) -> None:
    token = make_token(community_members=None, dev_commits_30d=None)
    found = confidence_of(read_token(token, None, now_us), ("s_sentiment", "s_narrative", "s_community"))
    assert found.completeness < 1
    assert found.of_known > found.value
    assert found.of_known == pytest.approx(50 + 50 * found.recency, abs=1)


def test_an_input_that_a_known_part_shares_still_counts(
    make_token: Make, posts: PostsSeen, now_us: int
) -> None:
    """Growth of holders is missing: the community is not known by it alone, on-chain life needs it too."""
    reading = read_token(make_token(holders_7d_ago=None), posts, now_us)
    found = confidence_of(reading, ("s_community",))
    assert found.of_known < gem_confidence(found.recency, 1.0) - 1
