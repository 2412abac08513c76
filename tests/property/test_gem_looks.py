"""A score that was made by what changed since the last look is the one made from nothing, bit for bit."""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.features.token_catalogue import (
    CONTRACT_TIMES,
    STANDING_FIELDS,
    TOKEN_CATALOGUE,
    plan_of,
    read_again,
    read_token,
)
from engine.features.token_look import PostsSeen
from engine.model.market import Provenance
from engine.model.tokens import ContractFacts, Holder, HolderLabel, Pool, Post, TokenSnapshot
from engine.scoring.confidence import INPUTS, confidence_of
from engine.scoring.flags import judge_flag
from engine.scoring.gemscore import gem_score, sub_scores
from engine.scoring.safety import judge
from engine.strategies.gems import Gem, GemScan
from engine.strategies.gems_config import GemsConfig

Make = Callable[..., TokenSnapshot]
Change = tuple[str, Any]
HOUR_US = 3_600_000_000
PAUSES_US = (1_000_000, 59_000_000, 61_000_000, 301_000_000, 900_000_001, HOUR_US + 1, 25 * HOUR_US)
with_fixtures = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
LABELS = tuple(HolderLabel)

amounts = st.sampled_from((None, 0.0, 1.0, 3e4, 5e4, 2.5e6, 1e12, float("inf"), float("nan")))
counts = st.sampled_from((None, 0, 1, 120, 9_000, 10**9))
percents = st.sampled_from((None, -1.0, 0.0, 4.0, 10.0, 35.0, 70.5, 100.0, 100.2))
holder_lists = st.lists(
    st.builds(
        Holder,
        st.just("0xh"),
        st.sampled_from((-1.0, 0.0, 7.0, 16.0, 55.0, 90.0)),
        st.sampled_from(LABELS),
        is_locked=st.booleans(),
    ),
    max_size=4,
).map(tuple)
pool_lists = st.lists(
    st.builds(
        Pool,
        st.just("dex"),
        st.just("WETH"),
        st.just(1.0),
        st.just(1.0),
        st.sampled_from((900.0, 4e5)),
        amounts,
    ),
    max_size=2,
).map(tuple)
OF_TOKEN: dict[str, st.SearchStrategy[Any]] = {
    "chain": st.sampled_from(("ethereum", "solana", "bsc")),
    "price_usd": st.sampled_from((1e-12, 0.02, 7.5)),
    "price_change_24h_pct": percents,
    "buys_h24": counts,
    "sells_h24": counts,
    "buyers_h24": counts,
    "sellers_h24": counts,
    "volume_24h_usd": amounts,
    "whale_netflow_24h_usd": amounts,
    "transfers_24h": counts,
    "holders": counts,
    "holders_7d_ago": counts,
    "liquidity_24h_ago_usd": amounts,
    "total_supply": amounts,
    "circulating_supply": amounts,
    "unlock_30d_pct": percents,
    "community_members": counts,
    "dev_commits_30d": counts,
    "mentions_24h": counts,
    "mentions_daily_7d": st.sampled_from(((), (1, 2, 3, 4, 5, 6, 7), (9,) * 7)),
    "pools": pool_lists,
    "top_holders": holder_lists,
    "lp_holders": st.none() | holder_lists,
}
BOOLS = tuple(field.name for field in fields(ContractFacts) if "bool" in str(field.type))
OF_CONTRACT: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(BOOLS, st.sampled_from((None, False, True))),
    "buy_tax_pct": percents,
    "sell_tax_pct": percents,
    "creator_pct": percents,
    "owner_address": st.sampled_from((None, "0xdead", "0x77aa")),
    "critical_flags": st.sampled_from(((), ("high_siphon_rate",), ("harmless",))),
}


def one_of_each(of: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Change]:
    return st.one_of(*[st.tuples(st.just(name), values) for name, values in of.items()])


looks = st.lists(
    st.tuples(
        st.sampled_from(PAUSES_US),
        st.lists(one_of_each(OF_TOKEN), max_size=2),
        st.lists(one_of_each(OF_CONTRACT), max_size=2),
        st.sampled_from(("as it was", "read again", "gone", "simulated")),
        st.booleans(),
    ),
    min_size=2,
    max_size=8,
)


def from_nothing(gem: Gem, config: GemsConfig) -> tuple[object, ...]:
    reading = read_token(gem.snapshot, gem.posts, gem.scored_us)
    safety = judge(gem.snapshot, reading, config)
    score = gem_score(sub_scores(reading.values, safety.score), config.weights.as_row())
    confidence = confidence_of(reading, score.missing)
    found = judge_flag(score, safety, confidence, config)
    return score, safety.score, safety.deductions, safety.decisive, safety.findings, confidence, found


def as_served(gem: Gem) -> tuple[object, ...]:
    safety = gem.safety
    told = (safety.score, safety.deductions, safety.decisive, safety.findings)
    return gem.score, *told, gem.confidence, gem.judgement


def changed(token: TokenSnapshot, changes: Iterable[Change]) -> TokenSnapshot:
    return replace(token, **dict(changes))


@with_fixtures
@given(looks)
def test_each_score_served_is_the_one_made_from_nothing(
    make_token: Make, clean_facts: ContractFacts, look_us: int, steps: list[Any]
) -> None:
    config, now_us = GemsConfig(), look_us
    scan = GemScan(config)
    token = make_token(contract=clean_facts)
    scan.take((token,), (), now_us)
    for pause_us, of_token, of_contract, contract, is_posted in steps:
        now_us += pause_us
        facts = token.contract or clean_facts
        times = {"ts_event": now_us - 30_000_000, "ts_known": now_us} if contract != "as it was" else {}
        if contract == "simulated":
            times["ts_simulated"] = now_us - 1_000_000
        facts = replace(facts, **dict(of_contract), **times)
        token = changed(token, of_token)
        token = replace(
            token, contract=None if contract == "gone" else facts, ts_event=now_us, ts_known=now_us
        )
        said = Post(token.id, "great gem", 3, 1, now_us, now_us, Provenance.SYNTHETIC)
        scan.take((token,), (said,) if is_posted else (), now_us)
        gem = scan.get(token.id)
        assert gem is not None
        assert repr(as_served(gem)) == repr(from_nothing(gem, config))
        whole = gem.reading
        assert all(repr(whole.values[name]) == repr(value) for name, value in gem.scored.values.items())
        assert all(whole.missing[name] is why for name, why in gem.scored.missing.items())


@pytest.mark.parametrize("name", [*OF_TOKEN, *OF_CONTRACT])
@with_fixtures
@given(st.data())
def test_a_look_sees_each_fact_that_changed(
    make_token: Make, clean_facts: ContractFacts, look_us: int, name: str, data: st.DataObject
) -> None:
    plan = plan_of(TOKEN_CATALOGUE)
    posts = PostsSeen(3, 0.4, look_us, look_us, Provenance.SYNTHETIC)
    before, token = make_token(contract=clean_facts), make_token(contract=clean_facts)
    value = data.draw((OF_TOKEN | OF_CONTRACT)[name])
    if name in OF_TOKEN:
        token = replace(token, **{name: value})
    else:
        token = replace(token, contract=replace(clean_facts, **{name: value}))
    standing = read_again(before, posts, look_us, plan, None).standing
    assert standing is not None
    found = read_again(token, posts, look_us, plan, standing)
    whole = read_token(token, posts, look_us)
    assert (repr(sorted(found.values.items())), found.missing) == (
        repr(sorted(whole.values.items())),
        whole.missing,
    )


def test_what_stands_is_not_found_again(make_token: Make, clean_facts: ContractFacts, look_us: int) -> None:
    plan, token = plan_of(INPUTS), make_token(contract=clean_facts)
    first = read_again(token, None, look_us, plan, None).standing
    read_later = replace(clean_facts, ts_event=look_us, ts_known=look_us)
    second = read_again(replace(token, contract=read_later, buys_h24=77), None, look_us, plan, first)
    assert first is second.standing is not None


def test_what_stands_depends_on_nothing_that_moves() -> None:
    standing = {name for name, record in TOKEN_CATALOGUE.items() if record.is_standing}
    assert all(set(TOKEN_CATALOGUE[name].depends_on) <= standing for name in standing)
    assert set(STANDING_FIELDS) <= {field.name for field in fields(TokenSnapshot)}
    assert set(CONTRACT_TIMES) <= {field.name for field in fields(ContractFacts)}
