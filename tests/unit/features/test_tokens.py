"""Features of tokens: their values, why they are missing, and their records."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InvariantBroken
from engine.features.catalogue import CATALOGUE
from engine.features.news import NEWS
from engine.features.registry import AssetClass, Category, Dtype, Transform
from engine.features.token_catalogue import MODULES, TOKEN_CATALOGUE, read_token
from engine.features.token_look import Clock, PostsSeen, TokenFeature, TokenReading, token_feature
from engine.model.candidates import MissingReason
from engine.model.market import Provenance
from engine.model.tokens import ContractFacts, Holder, HolderLabel, Pool, TokenId, TokenSnapshot

NOW = 1_700_000_000_000_000
DAY_US = 86_400_000_000
OWNER = "0x00000000000000000000000000000000000000aa"
DEAD = "0x000000000000000000000000000000000000dEaD"
MISSING, STALE = MissingReason.MISSING, MissingReason.STALE
YOUNG, NOT_APPLICABLE = MissingReason.INSUFFICIENT_HISTORY, MissingReason.NOT_APPLICABLE
OUT = MissingReason.OUT_OF_RANGE
LITTLE = Holder("0x3", 1.0)
FULL = (Holder("0x4", 80.0, is_locked=True),)

FACTS = ContractFacts(
    source="goplus",
    ts_event=NOW - 41_000_000,
    ts_known=NOW - 40_000_000,
    is_honeypot=False,
    simulation_succeeded=True,
    buy_tax_pct=1.0,
    sell_tax_pct=2.0,
    is_tax_modifiable=True,
    is_mintable=False,
    has_hidden_owner=False,
    can_take_back_ownership=False,
    owner_can_change_balance=False,
    can_selfdestruct=False,
    is_pausable=True,
    is_personal_tax_modifiable=False,
    has_trading_cooldown=False,
    can_blacklist=False,
    is_proxy=True,
    is_verified=True,
    is_freezable=True,
)
TOKEN = TokenSnapshot(
    id=TokenId("base:0x7a"),
    symbol="PLINTH",
    name="Plinth",
    chain="base",
    created_us=NOW - 41 * DAY_US,
    price_usd=0.5,
    price_change_24h_pct=14.2,
    price_change_7d_pct=-31.0,
    price_ath_usd=2.0,
    buys_h1=90,
    sells_h1=60,
    buys_h24=300,
    sells_h24=100,
    buyers_h24=90,
    sellers_h24=60,
    volume_24h_usd=80_000.0,
    large_volume_1h_usd=1_000.0,
    volume_1h_usd=4_000.0,
    whale_netflow_24h_usd=-3_500.0,
    transfers_24h=900,
    holders=1_100,
    holders_7d_ago=1_000,
    liquidity_24h_ago_usd=250_000.0,
    total_supply=1e6,
    circulating_supply=4e5,
    unlock_30d_pct=3.0,
    community_members=3_000,
    dev_commits_30d=4,
    mentions_24h=16,
    mentions_daily_7d=(10, 12, 8, 10, 10, 9, 11),
    pools=(
        Pool("a", "WETH", 1.0, 1.0, 198_000.0, 60_000.0),
        Pool("b", "USDC", 1.0, 1.0, 2_000.0, 20_000.0),
        Pool("c", "USDC", 1.0, 1.0, 999.0, 0.0),
    ),
    top_holders=(
        Holder("0x1", 22.0, HolderLabel.POOL),
        Holder("0x2", 9.0, HolderLabel.CREATOR),
        Holder("0x3", 7.0, HolderLabel.UNKNOWN, is_locked=True),
        Holder("0x4", 5.0, HolderLabel.BURN),
        *(Holder(f"0xa{index}", 1.0) for index in range(11)),
    ),
    lp_holders=(
        Holder("0xlock", 60.0, HolderLabel.LOCK, is_locked=True),
        Holder("0xdead", 20.0, HolderLabel.BURN),
        Holder("0xbb", 20.0),
    ),
    contract=FACTS,
    ts_event=NOW - 9_000_000,
    ts_known=NOW - 8_000_000,
    provenance=Provenance.LIVE,
)
POSTS = PostsSeen(12, 0.5, NOW - 60_000_000, NOW - 59_000_000, Provenance.LIVE)
VALUES = {
    "price_usd": 0.5,
    "volume_24h_usd": 80_000,
    "market_cap_usd": 2e5,
    "fdv_usd": 5e5,
    "price_change_24h_pct": 14.2,
    "price_change_7d_pct": -31,
    "price_ath_distance_pct": -75,
    "token_age_hours": 984,
    "liquidity_pool_usd": 200_000,
    "volume_concentration": 0.625,
    "volume_to_liquidity": 0.4,
    "slippage_1k_bps": 100,
    "liquidity_change_24h_pct": -20,
    "lp_locked_pct": 80,
    "dex_flow_imbalance_h1": 0.2,
    "dex_flow_imbalance_h24": 0.5,
    "buy_sell_txn_ratio_h24": 3,
    "avg_trade_usd_h24": 200,
    "large_trade_share_1h": 0.25,
    "unique_buyers_h24": 90,
    "unique_sellers_h24": 60,
    "holder_count": 1_100,
    "holder_growth_7d_pct": 10,
    "top10_holder_pct": 18,
    "creator_holding_pct": 9,
    "tx_count_24h": 900,
    "unique_traders_24h": 150,
    "whale_netflow_24h_usd": -3_500,
    "circulating_supply": 4e5,
    "total_supply": 1e6,
    "circulating_pct": 40,
    "unlock_30d_pct": 3,
    "buy_tax_pct": 1,
    "sell_tax_pct": 2,
    "owner_privilege_count": 2,
    "blacklist_capable": 0,
    "contract_verified": 1,
    "honeypot_detected": 0,
    "owner_can_mint": 0,
    "proxy_upgradeable": 1,
    "twitter_sentiment_24h": 0.5,
    "twitter_volume_24h": 12,
    "sentiment_composite": 0.75,
    "mention_z_7d": 6 / (10 / 6) ** 0.5,
    "narrative_momentum": 0.6 + 0.4 * 0.75,
    "community_members": 3_000,
    "dev_commits_30d": 4,
}


def read(posts: PostsSeen | None = POSTS, **changes: Any) -> TokenReading:
    return read_token(replace(TOKEN, **changes), posts, NOW)


def facts(**changes: Any) -> ContractFacts:
    return replace(FACTS, **changes)


def test_every_feature_has_its_value() -> None:
    reading = read()
    assert dict(reading.values) == pytest.approx(VALUES)
    assert reading.missing == {}
    assert set(VALUES) == set(TOKEN_CATALOGUE)


@pytest.mark.parametrize(
    ("name", "changes", "value"),
    [
        ("price_ath_distance_pct", {"price_usd": 3.0}, 0),
        ("slippage_1k_bps", {"pools": (Pool("a", "WETH", 1, 1, 0.0, 1.0),)}, None),
        ("liquidity_pool_usd", {"pools": (Pool("a", "WETH", 1, 1, 999.0, 1.0),)}, 0),
        ("buy_sell_txn_ratio_h24", {"sells_h24": 0}, 300),
        ("lp_locked_pct", {"lp_holders": ()}, 0),
        ("creator_holding_pct", {"contract": facts(creator_pct=0.0)}, 0),
        ("mention_z_7d", {"mentions_daily_7d": (16,) * 7}, 0),
        ("mention_z_7d", {"mentions_daily_7d": (10,) * 7}, 6),
        ("owner_can_mint", {"contract": facts(is_mintable=True, owner_address=OWNER)}, 1),
        ("owner_can_mint", {"contract": facts(is_mintable=True, owner_address=DEAD)}, 0),
        ("honeypot_detected", {"contract": facts(is_honeypot=True)}, 1),
        ("honeypot_detected", {"contract": facts(simulation_succeeded=False)}, 1),
        ("blacklist_capable", {"chain": "solana"}, 1),
    ],
)
def test_values_at_their_edges(name: str, changes: dict[str, Any], value: float | None) -> None:
    assert read(**changes).values.get(name) == value


@pytest.mark.parametrize(
    ("name", "changes", "reason"),
    [
        ("price_change_24h_pct", {"price_change_24h_pct": None}, MISSING),
        ("price_change_24h_pct", {"price_change_24h_pct": None, "created_us": NOW - DAY_US + 1}, YOUNG),
        ("price_change_7d_pct", {"price_change_7d_pct": None, "created_us": NOW - 6 * DAY_US}, YOUNG),
        ("price_ath_distance_pct", {"price_ath_usd": None}, MISSING),
        ("market_cap_usd", {"circulating_supply": None}, MISSING),
        ("circulating_pct", {"circulating_supply": None}, MISSING),
        ("circulating_pct", {"circulating_supply": 2e6}, OUT),
        ("circulating_pct", {"total_supply": 0.0}, OUT),
        ("total_supply", {"total_supply": 0.0}, OUT),
        ("fdv_usd", {"total_supply": None}, MISSING),
        ("volume_24h_usd", {"volume_24h_usd": None}, MISSING),
        ("volume_to_liquidity", {"volume_24h_usd": None}, MISSING),
        ("volume_to_liquidity", {"pools": (Pool("a", "W", 1, 1, 1.0, 1.0),)}, NOT_APPLICABLE),
        ("volume_concentration", {"pools": (Pool("a", "W", 1, 1, 9e4, None),)}, MISSING),
        ("volume_concentration", {"pools": (Pool("a", "W", 1, 1, 9e4, 0.0),)}, NOT_APPLICABLE),
        ("liquidity_pool_usd", {"pools": ()}, MISSING),
        ("slippage_1k_bps", {"pools": ()}, MISSING),
        ("liquidity_change_24h_pct", {"liquidity_24h_ago_usd": None}, YOUNG),
        ("liquidity_change_24h_pct", {"pools": ()}, MISSING),
        ("lp_locked_pct", {"lp_holders": None}, MISSING),
        ("lp_locked_pct", {"lp_holders": (Holder("0x1", 101.0, is_locked=True),)}, OUT),
        ("lp_locked_pct", {"lp_holders": (*FULL, Holder("0x1", float("nan")))}, OUT),
        ("dex_flow_imbalance_h1", {"buys_h1": None}, MISSING),
        ("dex_flow_imbalance_h24", {"buys_h24": 0, "sells_h24": 0}, NOT_APPLICABLE),
        ("avg_trade_usd_h24", {"buys_h24": 0, "sells_h24": 0}, NOT_APPLICABLE),
        ("avg_trade_usd_h24", {"volume_24h_usd": None}, MISSING),
        ("buy_sell_txn_ratio_h24", {"sells_h24": None}, MISSING),
        ("large_trade_share_1h", {"volume_1h_usd": 0.0}, NOT_APPLICABLE),
        ("large_trade_share_1h", {"large_volume_1h_usd": None}, MISSING),
        ("large_trade_share_1h", {"large_volume_1h_usd": 5_000.0}, OUT),
        ("unique_buyers_h24", {"buyers_h24": None}, MISSING),
        ("unique_traders_24h", {"sellers_h24": None}, MISSING),
        ("holder_count", {"holders": None}, MISSING),
        ("holder_growth_7d_pct", {"holders": None}, MISSING),
        ("holder_growth_7d_pct", {"holders_7d_ago": None, "created_us": NOW - DAY_US}, YOUNG),
        ("holder_growth_7d_pct", {"holders_7d_ago": None}, MISSING),
        ("top10_holder_pct", {"top_holders": ()}, MISSING),
        ("top10_holder_pct", {"top_holders": (Holder("0x1", 90.0), Holder("0x2", -60.0))}, OUT),
        ("top10_holder_pct", {"top_holders": (Holder("0x1", float("nan")), *(LITTLE,) * 10)}, OUT),
        ("creator_holding_pct", {"top_holders": (Holder("0x1", 3.0),)}, MISSING),
        ("whale_netflow_24h_usd", {"whale_netflow_24h_usd": None}, MISSING),
        ("unlock_30d_pct", {"unlock_30d_pct": None}, MISSING),
        ("buy_tax_pct", {"contract": None}, MISSING),
        ("buy_tax_pct", {"contract": facts(buy_tax_pct=None)}, MISSING),
        ("sell_tax_pct", {"contract": facts(sell_tax_pct=float("nan"))}, OUT),
        ("owner_privilege_count", {"contract": facts(is_pausable=None)}, MISSING),
        ("owner_privilege_count", {"chain": "solana"}, NOT_APPLICABLE),
        ("contract_verified", {"chain": "solana"}, NOT_APPLICABLE),
        ("proxy_upgradeable", {"chain": "solana"}, NOT_APPLICABLE),
        ("contract_verified", {"contract": facts(is_verified=None)}, MISSING),
        ("honeypot_detected", {"contract": facts(is_honeypot=None, simulation_succeeded=None)}, MISSING),
        ("owner_can_mint", {"contract": facts(is_mintable=True, owner_address=None)}, MISSING),
        ("mention_z_7d", {"mentions_24h": None}, MISSING),
        ("mention_z_7d", {"mentions_daily_7d": (1, 2), "created_us": NOW - 3 * DAY_US}, YOUNG),
        ("narrative_momentum", {"mentions_daily_7d": (1,), "created_us": NOW - 3 * DAY_US}, YOUNG),
        ("community_members", {"community_members": None}, MISSING),
        ("dev_commits_30d", {"dev_commits_30d": None}, MISSING),
        ("token_age_hours", {"created_us": NOW + 1_000_000}, OUT),
        ("price_usd", {"price_usd": 0.0}, OUT),
        ("price_usd", {"price_usd": float("inf")}, OUT),
        ("whale_netflow_24h_usd", {"whale_netflow_24h_usd": float("-inf")}, OUT),
    ],
)
def test_a_value_that_is_not_there_has_its_reason(
    name: str, changes: dict[str, Any], reason: MissingReason
) -> None:
    reading = read(**changes)
    assert reading.missing.get(name) is reason
    assert name not in reading.values


def test_without_a_feed_of_posts_nothing_is_said_of_the_tone() -> None:
    reading = read(None)
    names = ("twitter_sentiment_24h", "twitter_volume_24h", "sentiment_composite", "narrative_momentum")
    assert {reading.missing[name] for name in names} == {MISSING}
    assert "mention_z_7d" in reading.values


def test_a_feed_that_said_nothing_of_a_token_counts_none() -> None:
    reading = read(replace(POSTS, count=0, sentiment=None))
    assert reading.values["twitter_volume_24h"] == 0
    assert reading.missing["sentiment_composite"] is MISSING


@pytest.mark.parametrize(
    ("name", "age_s", "clock"),
    [
        ("liquidity_pool_usd", 60, Clock.MARKET),
        ("price_usd", 300, Clock.MARKET),
        ("holder_count", 3600, Clock.MARKET),
        ("community_members", 86_400, Clock.MARKET),
        ("buy_tax_pct", 3600, Clock.CONTRACT),
        ("honeypot_detected", 900, Clock.CONTRACT),
        ("sentiment_composite", 3600, Clock.SOCIAL),
    ],
)
def test_a_value_is_good_up_to_its_greatest_age(name: str, age_s: int, clock: Clock) -> None:
    def at(age_us: int) -> TokenReading:
        event_us = NOW - age_us
        match clock:
            case Clock.SOCIAL:
                return read(replace(POSTS, ts_event=event_us))
            case Clock.CONTRACT:
                return read(contract=facts(ts_event=event_us))
            case _:
                return read(ts_event=event_us)

    assert name in at(age_s * 1_000_000).values
    assert at(age_s * 1_000_000 + 1).missing[name] is STALE


def test_what_is_made_of_a_stale_value_is_stale_too() -> None:
    reading = read(ts_event=NOW - 61_000_000)
    assert reading.missing["volume_to_liquidity"] is STALE
    assert reading.missing["liquidity_change_24h_pct"] is STALE


def test_a_trial_sale_has_a_time_of_its_own() -> None:
    reading = read(contract=facts(ts_event=NOW - 1_800_000_000, ts_simulated=NOW - 30_000_000))
    assert "honeypot_detected" in reading.values
    assert reading.age_us(Clock.SIMULATION) == 30_000_000
    old = read(contract=facts(ts_simulated=NOW - 901_000_000))
    assert old.missing["honeypot_detected"] is STALE


def test_a_datum_from_the_future_is_refused() -> None:
    reading = read(ts_event=NOW + 3_000_000)
    assert reading.missing["price_usd"] is OUT
    assert read(ts_event=NOW + 2_000_000).missing == {}
    assert "buy_tax_pct" in read(contract=facts(ts_event=NOW + 3_000_000)).missing


@pytest.mark.parametrize(
    ("snapshot", "posts", "worst"),
    [
        (Provenance.LIVE, None, Provenance.LIVE),
        (Provenance.LIVE, Provenance.SYNTHETIC, Provenance.SYNTHETIC),
        (Provenance.REPLAY, Provenance.LIVE, Provenance.REPLAY),
    ],
)
def test_the_least_trusted_input_names_the_provenance(
    snapshot: Provenance, posts: Provenance | None, worst: Provenance
) -> None:
    seen = None if posts is None else replace(POSTS, provenance=posts)
    assert read(seen, provenance=snapshot).provenance is worst


def test_records_carry_time_source_version_and_reason() -> None:
    records = {value.id: value for value in read(holders=None).features()}
    assert list(records) == list(TOKEN_CATALOGUE)
    price, tax, tone = records["price_usd"], records["buy_tax_pct"], records["twitter_sentiment_24h"]
    assert (price.value, price.ts_event, price.ts_known) == (0.5, TOKEN.ts_event, TOKEN.ts_known)
    assert (price.source, tax.source, tone.source) == ("market", "goplus", "social")
    assert (tax.ts_event, tone.ts_event) == (FACTS.ts_event, POSTS.ts_event)
    assert (records["holder_count"].value, records["holder_count"].missing) == (None, MISSING)
    assert {value.version for value in records.values()} == {"1.0.0"}
    nothing = {value.id: value for value in read(None, contract=None).features()}
    assert nothing["buy_tax_pct"].ts_event == NOW


def test_records_agree_with_the_machine_readable_catalogue(market_data: Path) -> None:
    path = market_data.parent / "oracles" / "features.csv"
    if not path.is_file():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    with path.open(newline="") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    for name, record in TOKEN_CATALOGUE.items():
        row = rows[name]
        category = row["category"].lower().replace("-", "_").replace(" ", "_")
        assert (record.category, record.unit) == (category, row["unit"]), name
        age = int(row["max_age_s"].partition(" ")[0])  # what follows is of equities
        assert (record.asset_class, record.max_age_s) == (AssetClass(row["asset"]), age), name
        assert record.nullable == row["nullable"].startswith("yes"), name
        assert _range_text(record) == row["range"].replace(" ", ""), name


def _range_text(record: TokenFeature) -> str:
    low, high = record.minimum, record.maximum
    if low is None:
        return "real"
    if high is None:
        return f">{low:g}" if record.minimum_excluded else f">={low:g}"
    if record.dtype is Dtype.BOOL:
        return "{0,1}"
    return f"{'(' if record.minimum_excluded else '['}{low:g},{high:g}]"


def test_an_id_of_stocks_and_tokens_is_declared_for_both_alike() -> None:
    both = set(TOKEN_CATALOGUE) & set(CATALOGUE)
    assert both == {"volume_24h_usd", "market_cap_usd", "price_change_24h_pct"}
    for name in both:
        token, stock = TOKEN_CATALOGUE[name], CATALOGUE[name]
        assert token.asset_class is stock.asset_class is AssetClass.BOTH
        assert (token.unit, token.minimum, token.maximum) == (stock.unit, stock.minimum, stock.maximum)
    assert not set(NEWS) & (set(TOKEN_CATALOGUE) | set(CATALOGUE))
    declared = {name for module in MODULES for name in vars(module) if name in TOKEN_CATALOGUE}
    assert declared == set(TOKEN_CATALOGUE)


def test_models_scale_counts_and_money_by_logarithm() -> None:
    assert TOKEN_CATALOGUE["holder_count"].transform is Transform.LOG1P
    assert TOKEN_CATALOGUE["price_usd"].transform is Transform.LOG1P
    assert TOKEN_CATALOGUE["honeypot_detected"].transform is Transform.NONE
    assert TOKEN_CATALOGUE["lp_locked_pct"].transform is Transform.MINMAX


@pytest.mark.parametrize(
    ("name", "depends_on", "why"),
    [("price_usd", (), "declared twice"), ("new", ("newer",), "depends on newer")],
)
def test_a_declaration_that_cannot_hold_is_refused(name: str, depends_on: tuple[str, ...], why: str) -> None:
    def compute(look: object) -> float:
        return 0.0

    compute.__name__ = name
    declare: Callable[..., Any] = token_feature(Category.MARKET, "USD", 60, depends_on=depends_on)
    with pytest.raises(InvariantBroken, match=why):
        declare(compute)
