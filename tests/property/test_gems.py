"""GemScore: within its bounds, rising with each part, never helped by what is not known."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.features.token_catalogue import TOKEN_CATALOGUE, read_token
from engine.model.tokens import ContractFacts, TokenSnapshot
from engine.scoring.confidence import confidence_of
from engine.scoring.findings import GateVerdict, SafetyLimits
from engine.scoring.flags import FlagLimits, judge_flag
from engine.scoring.gemscore import SUB_SCORES, GemWeights, gem_score, sub_scores
from engine.scoring.safety import judge

WEIGHTS = GemWeights().as_row()
Make = Callable[..., TokenSnapshot]
levels = st.floats(0, 1)
part_rows = st.tuples(*[st.none() | levels for _ in SUB_SCORES])
places = st.integers(0, len(SUB_SCORES) - 1)
with_fixtures = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

FACT_NAMES = [field.name for field in fields(ContractFacts) if "bool" in str(field.type)]
flags = st.none() | st.booleans()
amounts = st.none() | st.floats(0, 1e12)
counts = st.none() | st.integers(0, 10**9)
facts = st.fixed_dictionaries({name: flags for name in FACT_NAMES}).flatmap(
    lambda known: st.tuples(st.just(known), st.none() | st.floats(0, 100), st.none() | st.floats(0, 100))
)
MARKET = {
    "price_usd": st.floats(1e-12, 1e6),
    "price_change_24h_pct": st.none() | st.floats(-100, 1e4),
    "buys_h24": counts,
    "sells_h24": counts,
    "buyers_h24": counts,
    "sellers_h24": counts,
    "volume_24h_usd": amounts,
    "whale_netflow_24h_usd": st.none() | st.floats(-1e9, 1e9),
    "transfers_24h": counts,
    "holders": counts,
    "holders_7d_ago": counts,
    "liquidity_24h_ago_usd": amounts,
    "total_supply": amounts,
    "circulating_supply": amounts,
    "unlock_30d_pct": st.none() | st.floats(0, 100),
    "community_members": counts,
    "dev_commits_30d": counts,
    "mentions_24h": counts,
}
EVIDENCE = ("is_honeypot", "cannot_buy", "cannot_sell_all", "is_mintable", "has_hidden_owner")
markets = st.fixed_dictionaries({}, optional=MARKET)


@given(part_rows)
def test_a_score_lies_between_nothing_and_a_hundred(parts: tuple[float | None, ...]) -> None:
    score = gem_score(parts, WEIGHTS)
    assert 0 <= score.score <= score.score_max <= 100
    assert sum(score.points) == pytest.approx(score.score)
    assert len(score.missing) == parts.count(None)


@given(part_rows, places, levels, levels)
def test_it_rises_with_each_part(
    parts: tuple[float | None, ...], place: int, one: float, other: float
) -> None:
    low, high = sorted((one, other))
    at_low = gem_score((*parts[:place], low, *parts[place + 1 :]), WEIGHTS)
    at_high = gem_score((*parts[:place], high, *parts[place + 1 :]), WEIGHTS)
    assert at_low.score <= at_high.score + 1e-9


@given(part_rows, places)
def test_forgetting_a_part_never_raises_it(parts: tuple[float | None, ...], place: int) -> None:
    without = gem_score((*parts[:place], None, *parts[place + 1 :]), WEIGHTS)
    assert without.score <= gem_score(parts, WEIGHTS).score + 1e-9
    assert SUB_SCORES[place] in without.missing


@given(st.dictionaries(st.sampled_from(sorted(TOKEN_CATALOGUE)), st.floats(-1e12, 1e12)), levels)
def test_parts_of_any_values_lie_in_the_unit_interval(values: dict[str, float], safety: float) -> None:
    inside = {name: value for name, value in values.items() if TOKEN_CATALOGUE[name].holds(value)}
    assert all(part is None or 0 <= part <= 1 for part in sub_scores(inside, safety))


@with_fixtures
@given(facts=facts, market=markets)
def test_a_whole_scoring_holds_its_promises(
    make_token: Make,
    clean_facts: ContractFacts,
    look_us: int,
    facts: tuple[dict[str, bool | None], float | None, float | None],
    market: dict[str, Any],
) -> None:
    known, buy, sell = facts
    contract = replace(clean_facts, buy_tax_pct=buy, sell_tax_pct=sell, **known)
    token = make_token(contract=contract, **market)
    reading = read_token(token, None, look_us)
    assert set(reading.values) | set(reading.missing) == set(TOKEN_CATALOGUE)
    assert not set(reading.values) & set(reading.missing)
    assert all(TOKEN_CATALOGUE[name].holds(value) for name, value in reading.values.items())
    safety = judge(token, reading, SafetyLimits())
    score = gem_score(sub_scores(reading.values, safety.score), WEIGHTS)
    confidence = confidence_of(reading, score.missing)
    judgement = judge_flag(score, safety, confidence, FlagLimits())
    assert 0 <= safety.score <= 1
    assert 0 <= confidence.value <= 100
    assert 0 <= confidence.of_known <= 100
    assert len(judgement.obstacle) <= 14
    assert safety.is_blocked == any(found.verdict is not GateVerdict.PASS for found in safety.findings)
    assert all(len(found.note) <= 14 for found in safety.findings)
    if safety.is_blocked:
        assert not judgement.passes
        assert not judgement.is_provisional


@with_fixtures
@given(name=st.sampled_from(EVIDENCE), market=markets)
def test_unknown_evidence_never_passes(
    make_token: Make, clean_facts: ContractFacts, look_us: int, name: str, market: dict[str, Any]
) -> None:
    changes: dict[str, Any] = {name: None}
    if name == "is_honeypot":
        changes["simulation_succeeded"] = None
    token = make_token(contract=replace(clean_facts, **changes), **market)
    reading = read_token(token, None, look_us)
    safety = judge(token, reading, SafetyLimits())
    assert safety.is_blocked
    assert safety.score == 0
