"""Tokens for the tests of all folders: what sources tell of one, and what can be changed about it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from engine.model.market import Provenance
from engine.model.tokens import ContractFacts, Holder, HolderLabel, Pool, TokenId, TokenSnapshot

NOW = 1_700_000_000_000_000
DAY_US = 86_400_000_000
ZERO = "0x0000000000000000000000000000000000000000"


@pytest.fixture(scope="session")
def look_us() -> int:
    """The instant that the tokens below are looked at."""
    return NOW


@pytest.fixture(scope="session")
def clean_facts() -> ContractFacts:
    """A contract of an EVM chain of which everything is known and nothing is wrong."""
    return ContractFacts(
        source="goplus+honeypot.is",
        ts_event=NOW - 41_000_000,
        ts_known=NOW - 40_000_000,
        is_honeypot=False,
        simulation_succeeded=True,
        cannot_buy=False,
        cannot_sell_all=False,
        buy_tax_pct=0.0,
        sell_tax_pct=0.0,
        is_tax_modifiable=False,
        is_mintable=False,
        owner_address=ZERO,
        has_hidden_owner=False,
        can_take_back_ownership=False,
        owner_can_change_balance=False,
        can_selfdestruct=False,
        is_pausable=False,
        is_personal_tax_modifiable=False,
        has_trading_cooldown=False,
        can_blacklist=False,
        is_proxy=False,
        is_verified=True,
        creator_made_honeypots=False,
        is_fake=False,
        creator_pct=2.0,
    )


@pytest.fixture(scope="session")
def solana_facts() -> ContractFacts:
    """The same for a token of Solana, where no sale is simulated."""
    return ContractFacts(
        source="goplus",
        ts_event=NOW - 41_000_000,
        ts_known=NOW - 40_000_000,
        buy_tax_pct=0.0,
        sell_tax_pct=0.0,
        is_mintable=False,
        owner_can_change_balance=False,
        is_freezable=False,
        is_non_transferable=False,
        has_transfer_hook=False,
        has_sell_route=True,
        creator_pct=2.0,
    )


@pytest.fixture(scope="session")
def make_token(clean_facts: ContractFacts) -> Callable[..., TokenSnapshot]:
    """A lively token of 41 days on an EVM chain, seen 9 s ago; any field can be given."""
    base = TokenSnapshot(
        id=TokenId("base:0x7a3e41c9"),
        symbol="PLINTH",
        name="Plinth",
        chain="base",
        created_us=NOW - 41 * DAY_US,
        price_usd=0.00008127,
        price_change_24h_pct=14.2,
        price_change_7d_pct=31.0,
        price_ath_usd=0.0001,
        buys_h1=90,
        sells_h1=60,
        buys_h24=2100,
        sells_h24=1400,
        buyers_h24=900,
        sellers_h24=500,
        volume_24h_usd=900_000.0,
        large_volume_1h_usd=8_000.0,
        volume_1h_usd=40_000.0,
        whale_netflow_24h_usd=35_000.0,
        transfers_24h=9_000,
        holders=12_408,
        holders_7d_ago=11_400,
        liquidity_24h_ago_usd=2_300_000.0,
        total_supply=1e9,
        circulating_supply=8.6e8,
        unlock_30d_pct=1.0,
        community_members=30_000,
        dev_commits_30d=40,
        mentions_24h=160,
        mentions_daily_7d=(100, 110, 90, 120, 95, 105, 100),
        pools=(
            Pool("aerodrome", "WETH", 1.05e10, 300.0, 1_710_000.0, 600_000.0),
            Pool("uniswap", "USDC", 4.3e9, 350_000.0, 700_000.0, 300_000.0),
        ),
        top_holders=(
            Holder("0xpool", 22.0, HolderLabel.POOL, is_contract=True),
            Holder("0xteam", 8.4, HolderLabel.VESTING, is_contract=True),
            Holder("0x19c2ae07", 6.1, HolderLabel.EXCHANGE),
            Holder("0xaa", 4.0),
        ),
        lp_holders=(
            Holder("0xlock", 94.1, HolderLabel.LOCK, is_contract=True, is_locked=True),
            Holder("0xbb", 5.9),
        ),
        contract=clean_facts,
        ts_event=NOW - 9_000_000,
        ts_known=NOW - 8_000_000,
        provenance=Provenance.SYNTHETIC,
    )

    def make(**changes: Any) -> TokenSnapshot:
        return replace(base, **changes)

    return make
