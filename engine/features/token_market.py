"""Market and liquidity features of tokens (SPEC 1.4.1, 1.4.2)."""

from engine.features.registry import AssetClass, Category
from engine.features.token_look import US_PER_DAY, US_PER_HOUR, Look, are_shares, token_feature
from engine.model.candidates import MissingReason
from engine.model.tokens import HolderLabel, Pool

_MARKET, _LIQUIDITY = Category.MARKET, Category.LIQUIDITY
_BOTH = AssetClass.BOTH
LEAST_POOL_USD = 1_000.0
"""Smaller pools do not count (SPEC 1.4.2)."""
IMPACT_USD = 1_000.0


def _told(value: float | None) -> float | MissingReason:
    return MissingReason.MISSING if value is None else value


@token_feature(_MARKET, "USD", 300, minimum=0, minimum_excluded=True, asset_class=_BOTH)
def price_usd(look: Look) -> float | MissingReason:
    """Last price of the deepest pool, USD."""
    return look.snapshot.price_usd


@token_feature(_MARKET, "USD", 300, minimum=0, asset_class=_BOTH)
def volume_24h_usd(look: Look) -> float | MissingReason:
    """Traded value of 24 hours over all pools."""
    return _told(look.snapshot.volume_24h_usd)


@token_feature(_MARKET, "USD", 3600, minimum=0, nullable=True, asset_class=_BOTH)
def market_cap_usd(look: Look) -> float | MissingReason:
    """Circulating supply times price."""
    supply = look.snapshot.circulating_supply
    return MissingReason.MISSING if supply is None else supply * look.snapshot.price_usd


@token_feature(_MARKET, "USD", 3600, minimum=0, nullable=True)
def fdv_usd(look: Look) -> float | MissingReason:
    """Total supply times price."""
    supply = look.snapshot.total_supply
    return MissingReason.MISSING if supply is None else supply * look.snapshot.price_usd


@token_feature(_MARKET, "percent", 300, minimum=-100, asset_class=_BOTH)
def price_change_24h_pct(look: Look) -> float | MissingReason:
    """100 * (price / price 24 hours ago - 1)."""
    change = look.snapshot.price_change_24h_pct
    return look.since(US_PER_DAY) if change is None else change


@token_feature(_MARKET, "percent", 3600, minimum=-100, nullable=True, asset_class=_BOTH)
def price_change_7d_pct(look: Look) -> float | MissingReason:
    """100 * (price / price 7 days ago - 1)."""
    change = look.snapshot.price_change_7d_pct
    return look.since(7 * US_PER_DAY) if change is None else change


@token_feature(_MARKET, "percent", 3600, minimum=-100, maximum=0, nullable=True, asset_class=_BOTH)
def price_ath_distance_pct(look: Look) -> float | MissingReason:
    """100 * (price / highest price ever - 1); a price above what the source calls highest is the highest."""
    highest, price = look.snapshot.price_ath_usd, look.snapshot.price_usd
    if highest is None or highest <= 0:
        return MissingReason.MISSING
    return 100 * (price / max(highest, price) - 1)


@token_feature(_MARKET, "hours", 300, minimum=0)
def token_age_hours(look: Look) -> float | MissingReason:
    """Hours since its first pool was made."""
    return (look.now_us - look.snapshot.created_us) / US_PER_HOUR


def deepest(pools: tuple[Pool, ...]) -> Pool | None:
    """The pool with the most liquidity; None without one."""
    return max(pools, key=lambda pool: pool.liquidity_usd, default=None)


@token_feature(_LIQUIDITY, "USD", 60, minimum=0)
def liquidity_pool_usd(look: Look) -> float | MissingReason:
    """Reserves of all pools of at least 1,000 USD; a token without any pool that we know of has none."""
    pools = look.snapshot.pools
    if not pools:
        return MissingReason.MISSING
    return sum(pool.liquidity_usd for pool in pools if pool.liquidity_usd >= LEAST_POOL_USD)


@token_feature(_LIQUIDITY, "index", 300, minimum=0, maximum=1, minimum_excluded=True, nullable=True)
def volume_concentration(look: Look) -> float | MissingReason:
    """Herfindahl index of the pools' 24 hour volumes: 1 when one pool has it all."""
    volumes = [pool.volume_24h_usd for pool in look.snapshot.pools]
    known = [volume for volume in volumes if volume is not None]
    total = sum(known)
    if not known or len(known) < len(volumes):
        return MissingReason.MISSING
    if total <= 0:
        return MissingReason.NOT_APPLICABLE
    return sum((volume / total) ** 2 for volume in known)


@token_feature(
    _LIQUIDITY,
    "ratio",
    300,
    minimum=0,
    nullable=True,
    depends_on=("volume_24h_usd", "liquidity_pool_usd"),
)
def volume_to_liquidity(look: Look) -> float | MissingReason:
    """Volume of 24 hours over liquidity; above 20 it smells of wash trading."""
    volume, liquidity = look.values.get("volume_24h_usd"), look.values.get("liquidity_pool_usd")
    if volume is None or liquidity is None:
        return look.why("volume_24h_usd", "liquidity_pool_usd")
    return volume / liquidity if liquidity > 0 else MissingReason.NOT_APPLICABLE


@token_feature(_LIQUIDITY, "bps", 60, minimum=0, nullable=True)
def slippage_1k_bps(look: Look) -> float | MissingReason:
    """Impact of buying for 1,000 USD in the deepest pool: 10,000 * q / (x + q), half of it being x."""
    pool = deepest(look.snapshot.pools)
    if pool is None or pool.liquidity_usd <= 0:
        return MissingReason.MISSING
    return 10_000 * IMPACT_USD / (pool.liquidity_usd / 2 + IMPACT_USD)


@token_feature(_LIQUIDITY, "percent", 60, minimum=-100, nullable=True, depends_on=("liquidity_pool_usd",))
def liquidity_change_24h_pct(look: Look) -> float | MissingReason:
    """100 * (liquidity / liquidity 24 hours ago - 1)."""
    now, before = look.values.get("liquidity_pool_usd"), look.snapshot.liquidity_24h_ago_usd
    if now is None:
        return look.why("liquidity_pool_usd")
    if before is None or before <= 0:
        return MissingReason.INSUFFICIENT_HISTORY
    return 100 * (now / before - 1)


@token_feature(_LIQUIDITY, "percent", 3600, minimum=0, maximum=100, nullable=True, standing=True)
def lp_locked_pct(look: Look) -> float | MissingReason:
    """Share of the pools' own tokens that is burned or in a locker."""
    holders = look.snapshot.lp_holders
    if holders is None:
        return MissingReason.MISSING
    if not are_shares(holders):
        return MissingReason.OUT_OF_RANGE
    return sum(holder.share_pct for holder in holders if holder.is_locked or holder.label is HolderLabel.BURN)
