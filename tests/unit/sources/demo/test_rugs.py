from collections.abc import Callable

import pytest

from engine.sources.demo.chance import stream
from engine.sources.demo.contracts import Fault, contract_facts, facts_of
from engine.sources.demo.rugs import PULLED_PERMILLE, rug_pull
from engine.sources.demo.tokenstate import LiveToken, RugKind
from engine.sources.demo.tokenworld import TokenWorld
from engine.sources.demo.walk import DemoWalk
from engine.sources.demo.whales import WHALE_CENTS, whale_trade

START = 1_773_149_340_000_000


@pytest.fixture(scope="module")
def make_world() -> Callable[[], TokenWorld]:
    return lambda: TokenWorld(3, START, DemoWalk())


@pytest.fixture
def world(make_world) -> TokenWorld:
    return make_world()


def doomed(world: TokenWorld, kind: RugKind) -> LiveToken:
    token = next(one for one in world.tokens if one.nature.name == "doomed" and one.rug is not None)
    token.rug = (START, kind)
    return token


def test_a_pull_takes_the_liquidity_in_one_block(world) -> None:
    token = doomed(world, RugKind.PULL)
    depth, price = token.depth_cents(world.cents), token.price(world.cents)
    rug_pull(token, world.cents, START)
    assert token.depth_cents(world.cents) * 1000 < depth * (1000 - PULLED_PERMILLE)
    assert token.price(world.cents) < price // 2
    assert token.locked <= 15
    assert token.died_us == START
    assert token.rug is None


def test_a_maker_who_mints_crashes_the_price_and_can_be_seen_to_mint(world) -> None:
    token = doomed(world, RugKind.MINT)
    supply, price = token.supply, token.price(world.cents)
    products = [pool.product for pool in token.pools]
    rug_pull(token, world.cents, START)
    assert token.supply > supply
    assert token.price(world.cents) * 20 < price
    assert all(pool.product >= before for pool, before in zip(token.pools, products, strict=True))
    facts = contract_facts(facts_of(token.faults, token.chain, token.owner, ()), START)
    assert facts.is_mintable
    assert facts.owner_address == token.owner


def test_blocked_sales_leave_the_liquidity_and_stop_every_sale(world) -> None:
    token = doomed(world, RugKind.BLOCK)
    depth = token.depth_cents(world.cents)
    rug_pull(token, world.cents, START)
    assert token.depth_cents(world.cents) == depth
    sells = token.counts[1]
    for _ in range(30 * 30):
        world.step()
    assert token.counts[1] == sells
    assert token.contract is not None
    assert token.contract.cannot_sell_all
    assert token.contract.sell_tax_pct == 99.0


def test_what_is_said_after_a_rug_warns(world) -> None:
    token = doomed(world, RugKind.PULL)
    rug_pull(token, world.cents, START)
    assert token.negative > 800
    assert token.growth_micro < 0


def test_nothing_planned_is_nothing_done(world) -> None:
    token = world.tokens[1]
    token.rug = None
    products = [pool.product for pool in token.pools]
    rug_pull(token, world.cents, START)
    assert [pool.product for pool in token.pools] == products
    assert token.died_us is None


def test_whales_trade_ten_thousand_dollars_or_more_in_deep_pools_only(world, make_world) -> None:
    rng = stream(1, "test")
    traded = 0
    for token in world.tokens:
        depth = token.pools[0].depth_cents(world.cents[token.pools[0].coin])
        large, count = token.counts[3], token.counts[0] + token.counts[1]
        whale_trade(token, world.cents, rng)
        if token.counts[0] + token.counts[1] > count:
            traded += 1
            assert token.counts[3] - large >= WHALE_CENTS or token.counts[3] == large
            assert depth > 10 * WHALE_CENTS
        else:
            assert depth < 20 * WHALE_CENTS
    assert traded > 50


def test_tokens_without_a_fault_are_told_clean_and_renounced() -> None:
    facts = contract_facts(facts_of((), "base", "0xowner", ()), START)
    assert facts.is_honeypot is False
    assert facts.simulation_succeeded
    assert facts.owner_address == "0x" + "0" * 40
    assert facts.has_sell_route is None


def test_on_solana_a_route_to_sell_stands_for_the_trial_sale() -> None:
    facts = contract_facts(facts_of((), "solana", "owner", ()), START)
    assert facts.simulation_succeeded is None
    assert facts.has_sell_route
    trapped = contract_facts(facts_of((Fault.HONEYPOT,), "solana", "owner", ()), START)
    assert trapped.is_non_transferable


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.SILENT])
@pytest.mark.parametrize("chain", ["base", "solana"])
def test_every_fault_changes_what_is_told(fault: Fault, chain: str) -> None:
    assert facts_of((fault,), chain, "0xowner", ()) != facts_of((), chain, "0xowner", ())


def test_facts_that_sources_never_tell_are_none() -> None:
    assert facts_of((Fault.FAKE,), "base", "0xowner", ("is_fake",))["is_fake"] is None
