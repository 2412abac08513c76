"""From the whole numbers of a token to what sources tell of it; floats are made here and go no further."""

from engine.model.market import Provenance
from engine.model.tokens import Holder, HolderLabel, TokenSnapshot
from engine.sources.demo.contracts import DEAD_OWNER
from engine.sources.demo.pools import MARKS_A_DAY, MICRO, PRICE_UNITS
from engine.sources.demo.tokenstate import (
    BUYS,
    DEPTH,
    LARGE,
    MARKS_AN_HOUR,
    MENTIONS,
    SELLS,
    TRANSFERS,
    VOLUME,
    WHALE_NET,
    Cents,
    LiveToken,
)

_SHARES = (26, 18, 13, 10, 8, 7, 6, 5, 4, 3)
"""Percent of what the ten largest own together, the largest first."""
_START = (0,) * 8


def refresh(token: LiveToken, cents: Cents) -> None:
    """Make the shown pools and price anew."""
    pools = sorted(
        (pool.shown(cents[pool.coin]) for pool in token.pools), key=lambda pool: -pool.liquidity_usd
    )
    token.shown_pools = tuple(pools)
    first = token.pools[0]
    token.price_usd = price = first.quote * cents[first.coin] / (first.base * 100)
    token.peak = max(token.peak, price)
    token.changed = False


def count_holders(token: LiveToken) -> None:
    """Make the lists of the largest holders anew."""
    whole = token.supply * MICRO
    pooled = sum(pool.base for pool in token.pools) * 100 / whole
    # Nobody can own what the pools hold.
    rest = min(1.0, max(0.0, 100.0 - pooled - token.creator / 10) * 10 / max(token.top_ten, 1))
    mint = token.id.partition(":")[2]
    holders = [
        Holder(f"{mint[:-2]}f0", pooled, HolderLabel.POOL, is_contract=True),
        Holder(token.owner, token.creator / 10, HolderLabel.CREATOR),
    ]
    for at, share in enumerate(_SHARES):
        label = HolderLabel.EXCHANGE if at == 1 and token.holders > 5_000 else HolderLabel.UNKNOWN
        holders.append(Holder(f"{mint[:-2]}{at:02x}", token.top_ten * share / 1000 * rest, label))
    token.top_holders = tuple(sorted(holders, key=lambda holder: -holder.share_pct))
    burned = token.locked * 3 // 10 if token.locked > 900 else 0
    shares = [
        Holder(DEAD_OWNER, burned / 10, HolderLabel.BURN),
        Holder(
            f"{mint[:-2]}10", (token.locked - burned) / 10, HolderLabel.LOCK, is_contract=True, is_locked=True
        ),
        Holder(token.owner, 100.0 - token.locked / 10, HolderLabel.CREATOR),
    ]
    token.lp_holders = tuple(one for one in shares if one.share_pct > 0)


def snapshot(token: LiveToken, cents: Cents, ts: int) -> TokenSnapshot:
    """All that is known of a token at `ts`."""
    if token.changed:
        refresh(token, cents)
    counts, marks, days = token.counts, token.marks, token.days
    kept = len(marks)
    is_day_old = kept > MARKS_A_DAY
    day = marks[0] if is_day_old else _START
    hour = marks[-MARKS_AN_HOUR] if kept >= MARKS_AN_HOUR else _START
    price = token.price_usd
    sells = counts[SELLS] - day[SELLS]
    buys = counts[BUYS] - day[BUYS]
    distinct = token.distinct
    is_week_old = len(days) == 7
    return TokenSnapshot(
        token.id,
        token.symbol,
        token.name,
        token.chain,
        token.created_us,
        price,
        100 * (price / (token.closes[-MARKS_A_DAY - 1] / PRICE_UNITS) - 1) if is_day_old else None,
        100 * (price / (days[0] / PRICE_UNITS) - 1) if is_week_old else None,
        token.peak,
        counts[BUYS] - hour[BUYS],
        counts[SELLS] - hour[SELLS],
        buys,
        sells,
        -(-buys * distinct // 1000),
        -(-sells * distinct // 1040),
        (counts[VOLUME] - day[VOLUME]) / 100,
        (counts[LARGE] - hour[LARGE]) / 100,
        (counts[VOLUME] - hour[VOLUME]) / 100,
        (counts[WHALE_NET] - day[WHALE_NET]) / 100,
        counts[TRANSFERS] - day[TRANSFERS],
        token.holders_micro // MICRO,
        token.holder_days[0] if is_week_old else None,
        day[DEPTH] / 100 if is_day_old else None,
        float(token.supply),
        token.supply * token.circulating_permille / 1000,
        None if token.unlock_permille is None else token.unlock_permille / 10,
        token.members,
        token.commits,
        counts[MENTIONS] - day[MENTIONS],
        tuple(token.mention_days),
        token.shown_pools,
        token.top_holders,
        token.lp_holders,
        token.contract,
        ts,
        ts,
        Provenance.SYNTHETIC,
    )
