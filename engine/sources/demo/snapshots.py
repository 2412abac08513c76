"""From the whole numbers of a token to what sources tell of it; floats are made here and go no further."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from engine.model.market import Provenance
from engine.model.tokens import Holder, HolderLabel, Pool, TokenSnapshot
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
_SYNTHETIC = Provenance.SYNTHETIC
_SNAPSHOT: Callable[..., TokenSnapshot] = TokenSnapshot
"""By place, which is the fastest way to fill so many fields; mypy cannot count what stands in a tuple."""
_DEPTH_OF = attrgetter("liquidity_usd")


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
        token.told = _facts(token, cents)
        token.changed = False
    return _SNAPSHOT(*token.told, token.contract, ts, ts, _SYNTHETIC)


def _facts(token: LiveToken, cents: Cents) -> tuple[Any, ...]:
    """All fields of the snapshot but the last four, in their order."""
    counts, marks, days = token.counts, token.marks, token.days
    kept = len(marks)
    is_day_old = kept > MARKS_A_DAY
    day = marks[0] if is_day_old else _START
    hour = marks[-MARKS_AN_HOUR] if kept >= MARKS_AN_HOUR else _START
    first = token.pools[0]
    price = first.quote * cents[first.coin] / (first.base * 100)
    bought, sold = counts[BUYS], counts[SELLS]
    buys, sells = bought - day[BUYS], sold - day[SELLS]
    distinct = token.distinct
    is_week_old = len(days) == 7
    return (
        token.id,
        token.symbol,
        token.name,
        token.chain,
        token.created_us,
        price,
        100 * (price * PRICE_UNITS / token.closes[-MARKS_A_DAY - 1] - 1) if is_day_old else None,
        100 * (price * PRICE_UNITS / days[0] - 1) if is_week_old else None,
        max(token.peak / PRICE_UNITS, price),
        bought - hour[BUYS],
        sold - hour[SELLS],
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
        _pools(token, cents),
        token.top_holders,
        token.lp_holders,
    )


def _pools(token: LiveToken, cents: Cents) -> tuple[Pool, ...]:
    """The pools as told, the deepest first."""
    pools = token.pools
    if len(pools) == 1:
        return (pools[0].shown(cents[pools[0].coin]),)
    told = [pool.shown(cents[pool.coin]) for pool in pools]
    return tuple(sorted(told, key=_DEPTH_OF, reverse=True))
