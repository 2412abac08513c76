"""On-chain and contract features of tokens (SPEC 1.4.6, 1.4.8)."""

from engine.features.registry import Category
from engine.features.token_look import US_PER_DAY, Clock, Look, are_shares, token_feature
from engine.model.candidates import MissingReason
from engine.model.tokens import ContractFacts, Holder, HolderLabel

_CHAIN, _QUALITY = Category.ON_CHAIN, Category.QUALITY
TOP = 10
RENOUNCED = frozenset(
    {
        "0x0",
        "0xdead",
        "0x0000000000000000000000000000000000000000",
        "0x000000000000000000000000000000000000dead",
    }
)
_APART = frozenset({HolderLabel.POOL, HolderLabel.BURN, HolderLabel.LOCK})


def _count(value: float | None) -> float | MissingReason:
    return MissingReason.MISSING if value is None else float(value)


def _flag(value: bool | None) -> float | MissingReason:
    return MissingReason.MISSING if value is None else float(value)


@token_feature(_CHAIN, "count", 3600, minimum=0)
def holder_count(look: Look) -> float | MissingReason:
    """Addresses with a balance."""
    return _count(look.snapshot.holders)


@token_feature(_CHAIN, "percent", 3600, minimum=-100, nullable=True)
def holder_growth_7d_pct(look: Look) -> float | MissingReason:
    """100 * (holders / holders 7 days ago - 1)."""
    now, before = look.snapshot.holders, look.snapshot.holders_7d_ago
    if now is None:
        return MissingReason.MISSING
    if not before:
        return look.since(7 * US_PER_DAY)
    return 100 * (now / before - 1)


def is_free(holder: Holder) -> bool:
    """Whether an address could sell what it holds: no pool, burn address or locker."""
    return not holder.is_locked and holder.label not in _APART


@token_feature(_CHAIN, "percent", 3600, minimum=0, maximum=100, standing=True)
def top10_holder_pct(look: Look) -> float | MissingReason:
    """Share of the ten largest holders, without pools, burned and locked tokens."""
    holders = look.snapshot.top_holders
    if not holders:
        return MissingReason.MISSING
    if not are_shares(holders):
        return MissingReason.OUT_OF_RANGE
    return sum(sorted((holder.share_pct for holder in holders if is_free(holder)), reverse=True)[:TOP])


@token_feature(_CHAIN, "percent", 3600, minimum=0, maximum=100, nullable=True, standing=True)
def creator_holding_pct(look: Look) -> float | MissingReason:
    """The creator's share of the supply: as told, else by the labels of the largest holders."""
    if look.contract is not None and look.contract.creator_pct is not None:
        return look.contract.creator_pct
    shares = [h.share_pct for h in look.snapshot.top_holders if h.label is HolderLabel.CREATOR]
    return sum(shares) if shares else MissingReason.MISSING


@token_feature(_CHAIN, "count", 3600, minimum=0)
def tx_count_24h(look: Look) -> float | MissingReason:
    """Transfers in 24 hours."""
    return _count(look.snapshot.transfers_24h)


@token_feature(_CHAIN, "count", 3600, minimum=0)
def unique_traders_24h(look: Look) -> float | MissingReason:
    """Buyers plus sellers of 24 hours: an upper bound of distinct addresses."""
    buyers, sellers = look.snapshot.buyers_h24, look.snapshot.sellers_h24
    return MissingReason.MISSING if buyers is None or sellers is None else float(buyers + sellers)


@token_feature(_CHAIN, "USD", 3600, nullable=True)
def whale_netflow_24h_usd(look: Look) -> float | MissingReason:
    """Net buys of addresses with a trade of at least max(10,000 USD, 0.5 % of the pool)."""
    return _count(look.snapshot.whale_netflow_24h_usd)


@token_feature(_CHAIN, "tokens", 86_400, minimum=0, nullable=True, standing=True)
def circulating_supply(look: Look) -> float | MissingReason:
    """Tokens that circulate."""
    return _count(look.snapshot.circulating_supply)


@token_feature(_CHAIN, "tokens", 86_400, minimum=0, minimum_excluded=True, standing=True)
def total_supply(look: Look) -> float | MissingReason:
    """All tokens."""
    return _count(look.snapshot.total_supply)


@token_feature(
    _CHAIN,
    "percent",
    86_400,
    minimum=0,
    maximum=100,
    nullable=True,
    depends_on=("circulating_supply", "total_supply"),
    standing=True,
)
def circulating_pct(look: Look) -> float | MissingReason:
    """100 * circulating / total supply."""
    circulating, total = look.values.get("circulating_supply"), look.values.get("total_supply")
    if circulating is None or total is None:
        return look.why("circulating_supply", "total_supply")
    return 100 * circulating / total


@token_feature(_CHAIN, "percent", 86_400, minimum=0, maximum=100, nullable=True, standing=True)
def unlock_30d_pct(look: Look) -> float | MissingReason:
    """Share of the total supply that unlocks within 30 days."""
    return _count(look.snapshot.unlock_30d_pct)


@token_feature(_CHAIN, "percent", 3600, minimum=0, maximum=100, clock=Clock.CONTRACT, standing=True)
def buy_tax_pct(look: Look) -> float | MissingReason:
    """What the contract keeps of a buy; the larger one where sources differ."""
    return MissingReason.MISSING if look.contract is None else _count(look.contract.buy_tax_pct)


@token_feature(_CHAIN, "percent", 3600, minimum=0, maximum=100, clock=Clock.CONTRACT, standing=True)
def sell_tax_pct(look: Look) -> float | MissingReason:
    """What the contract keeps of a sale."""
    return MissingReason.MISSING if look.contract is None else _count(look.contract.sell_tax_pct)


def _privileges(facts: ContractFacts) -> tuple[bool | None, ...]:
    return (
        facts.has_hidden_owner,
        facts.can_take_back_ownership,
        facts.owner_can_change_balance,
        facts.can_selfdestruct,
        facts.is_pausable,
        facts.is_tax_modifiable,
        facts.is_personal_tax_modifiable,
        facts.has_trading_cooldown,
    )


@token_feature(_CHAIN, "count", 3600, minimum=0, maximum=8, clock=Clock.CONTRACT, standing=True)
def owner_privilege_count(look: Look) -> float | MissingReason:
    """How many of eight powers the owner has; missing while one of them is not known."""
    if look.is_solana:
        return MissingReason.NOT_APPLICABLE
    if look.contract is None:
        return MissingReason.MISSING
    powers = _privileges(look.contract)
    return MissingReason.MISSING if None in powers else float(powers.count(True))


@token_feature(_CHAIN, "bool", 3600, minimum=0, maximum=1, clock=Clock.CONTRACT, standing=True)
def blacklist_capable(look: Look) -> float | MissingReason:
    """Whether the contract can block addresses; on Solana whether it can freeze them."""
    facts = look.contract
    if facts is None:
        return MissingReason.MISSING
    return _flag(facts.is_freezable if look.is_solana else facts.can_blacklist)


@token_feature(_QUALITY, "bool", 86_400, minimum=0, maximum=1, clock=Clock.CONTRACT, standing=True)
def contract_verified(look: Look) -> float | MissingReason:
    """Whether its source is verified; tokens of Solana have none."""
    if look.is_solana:
        return MissingReason.NOT_APPLICABLE
    return MissingReason.MISSING if look.contract is None else _flag(look.contract.is_verified)


@token_feature(_QUALITY, "bool", 900, minimum=0, maximum=1, clock=Clock.SIMULATION, standing=True)
def honeypot_detected(look: Look) -> float | MissingReason:
    """Whether a source says so or a trial sale failed.

    On Solana 0 only when all that could stop a sale is known to be clear and a route to sell exists.
    """
    facts = look.contract
    if facts is None:
        return MissingReason.MISSING
    if facts.is_honeypot or facts.simulation_succeeded is False:
        return 1.0
    if not look.is_solana:
        return 0.0 if facts.is_honeypot is False or facts.simulation_succeeded else MissingReason.MISSING
    stops = (facts.is_freezable, facts.is_non_transferable, facts.has_transfer_hook)
    if True in stops or facts.has_sell_route is False:
        return 1.0
    return 0.0 if None not in stops and facts.has_sell_route else MissingReason.MISSING


@token_feature(_QUALITY, "bool", 3600, minimum=0, maximum=1, clock=Clock.CONTRACT, standing=True)
def owner_can_mint(look: Look) -> float | MissingReason:
    """Whether a live owner can make new tokens; on Solana whether a mint authority lives."""
    facts = look.contract
    if facts is None or facts.is_mintable is None:
        return MissingReason.MISSING
    if not facts.is_mintable or look.is_solana:
        return float(facts.is_mintable)
    if facts.owner_address is None:
        return MissingReason.MISSING
    return float(facts.owner_address.lower() not in RENOUNCED)


@token_feature(_QUALITY, "bool", 3600, minimum=0, maximum=1, clock=Clock.CONTRACT, standing=True)
def proxy_upgradeable(look: Look) -> float | MissingReason:
    """Whether its logic can be replaced; tokens of Solana have none."""
    if look.is_solana:
        return MissingReason.NOT_APPLICABLE
    return MissingReason.MISSING if look.contract is None else _flag(look.contract.is_proxy)
