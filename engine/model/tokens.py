"""Crypto tokens as sources tell of them: pools, flow, holders, contract facts and posts at one instant.

Nothing here is computed or scored. `None` is what a source did not tell, never zero; amounts are float, in
the unit of the name. Each fact carries when it was true (`ts_event`) and when it was known (`ts_known`),
int microseconds UTC.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from engine.model.market import Provenance

TokenId = NewType("TokenId", str)
"""`chain:address`, lower case: what a token is. A symbol is only what it calls itself."""


class HolderLabel(StrEnum):
    """What is known of an address that holds a token."""

    UNKNOWN = ""
    POOL = "pool"
    LOCK = "LP lock"
    BURN = "burn"
    CREATOR = "creator"
    EXCHANGE = "exchange"
    VESTING = "vesting"


@dataclass(frozen=True, slots=True)
class Holder:
    """One of the largest holders; `share_pct` of the total supply, 0..100."""

    address: str
    share_pct: float
    label: HolderLabel = HolderLabel.UNKNOWN
    is_contract: bool = False
    is_locked: bool = False


@dataclass(frozen=True, slots=True)
class Pool:
    """One pool of a token. Reserves in whole tokens and whole units of the quote currency."""

    dex: str
    quote_symbol: str
    base_reserve: float
    quote_reserve: float
    liquidity_usd: float
    volume_24h_usd: float | None


@dataclass(frozen=True, slots=True)
class ContractFacts:
    """What was found out about a token's contract (SPEC 2.4). A fact that no source told is None.

    Taxes in percent. `critical_flags` are the simulation's own words, such as `high_siphon_rate`.
    """

    source: str
    ts_event: int
    ts_known: int
    is_honeypot: bool | None = None
    simulation_succeeded: bool | None = None
    cannot_buy: bool | None = None
    cannot_sell_all: bool | None = None
    buy_tax_pct: float | None = None
    sell_tax_pct: float | None = None
    is_tax_modifiable: bool | None = None
    is_mintable: bool | None = None
    owner_address: str | None = None
    """`0x0000000000000000000000000000000000000000` or `…dead` when renounced."""
    has_hidden_owner: bool | None = None
    can_take_back_ownership: bool | None = None
    owner_can_change_balance: bool | None = None
    can_selfdestruct: bool | None = None
    is_pausable: bool | None = None
    is_personal_tax_modifiable: bool | None = None
    has_trading_cooldown: bool | None = None
    can_blacklist: bool | None = None
    is_proxy: bool | None = None
    is_verified: bool | None = None
    is_freezable: bool | None = None
    is_non_transferable: bool | None = None
    creator_made_honeypots: bool | None = None
    is_fake: bool | None = None
    critical_flags: tuple[str, ...] = ()
    creator_pct: float | None = None
    """Of the supply; None: look at the labels of the holders."""
    has_transfer_hook: bool | None = None
    """Solana only, where no service simulates a sale: part of the honeypot verdict."""
    has_sell_route: bool | None = None
    """Solana only: whether a router quoted an amount above 0 for selling it."""
    ts_simulated: int | None = None
    """When the sale was simulated or quoted; None: at `ts_event`."""


@dataclass(frozen=True, slots=True)
class Post:
    """One post of a social feed about a token. The text is untrusted."""

    token: TokenId
    text: str
    likes: int
    reposts: int
    ts_event: int
    ts_known: int
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class TokenSnapshot:
    """Everything that is known of one token at `ts_known`. Counts are of the last 1 or 24 hours."""

    id: TokenId
    symbol: str
    """As the token calls itself: untrusted text."""
    name: str
    chain: str
    created_us: int
    """When its first pool was made."""
    price_usd: float
    price_change_24h_pct: float | None
    """None while it is younger."""
    price_change_7d_pct: float | None
    price_ath_usd: float | None
    buys_h1: int | None
    sells_h1: int | None
    buys_h24: int | None
    sells_h24: int | None
    buyers_h24: int | None
    """Distinct addresses."""
    sellers_h24: int | None
    volume_24h_usd: float | None
    large_volume_1h_usd: float | None
    """In trades of at least 10,000 USD."""
    volume_1h_usd: float | None
    whale_netflow_24h_usd: float | None
    transfers_24h: int | None
    holders: int | None
    holders_7d_ago: int | None
    liquidity_24h_ago_usd: float | None
    total_supply: float | None
    circulating_supply: float | None
    unlock_30d_pct: float | None
    community_members: int | None
    dev_commits_30d: int | None
    mentions_24h: int | None
    mentions_daily_7d: tuple[int, ...]
    """Mentions of each of the seven days before; fewer while it is younger."""
    pools: tuple[Pool, ...]
    top_holders: tuple[Holder, ...]
    lp_holders: tuple[Holder, ...] | None
    """Who holds the liquidity tokens of its pools; `share_pct` of those, not of the supply."""
    contract: ContractFacts | None
    ts_event: int
    ts_known: int
    provenance: Provenance
