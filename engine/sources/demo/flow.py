"""The many small orders of a token, and those who level its pools.

Each minute what was bought in one pool goes in as one trade and what was sold as another. Prices move only by
that: traders carry the price most of the way to what they think the token is worth.
"""

from engine.sources.demo.draws import BURSTS, NORMAL
from engine.sources.demo.pools import MICRO, PRICE_UNITS
from engine.sources.demo.tokenstate import BUYS, SELLS, TRANSFERS, VOLUME, Cents, LiveToken

_PRICE_CENTS = PRICE_UNITS // 100
ROOTS = {1: 1000, 5: 2236}
"""Square roots of the minutes of a step, in thousandths."""
_DRIFT_PPM = (-55, 0, 50)
"""A minute, by mood: falling, calm, rising; so are the two below."""
_HEAT = (90, 80, 120)
"""Percent of the usual flow."""
_LEAN = (-60, -12, 12)
"""Permille added to the share of orders that buy."""
_GAP_MAX_PPM = 40_000
_DRAW_BACK = 14_400
"""Minutes after which 63 % of a distance to the anchor would be gone: ten days."""
_LEVEL_MARGIN_PPM = 1_000
_SOLD_OUT_PPM = 900_000
"""When a pool holds so much of the supply, nobody has more to sell."""


def trade_minutes(token: LiveToken, cents: Cents, bits: int, minutes: int) -> None:
    """One step of `minutes`, 1 or 5; `bits` are 64 random ones."""
    mood = token.mood
    fair = token.fair
    move = NORMAL[bits & 1023] * token.move_ppm * ROOTS[minutes] // 1_000_000 + _DRIFT_PPM[mood] * minutes
    fair += fair * move // 1_000_000 + (token.anchor - fair) * minutes // _DRAW_BACK
    token.fair = fair = fair or 1
    heat = BURSTS[bits >> 10 & 1023] * _HEAT[mood] * minutes // 100
    orders = (token.orders_milli * heat + (bits >> 20 & 1023) * 977) // 1_000_000
    if not orders:
        return
    # Lean and share stay below 1,000, so there are never more buys than orders.
    buys = (orders * (token.buy_share + _LEAN[mood]) + (bits >> 30 & 1023) * 999 // 1023) // 1000
    sells = 0 if token.sells_blocked else orders - buys
    pools = token.pools
    pool = pools[0] if len(pools) == 1 or bits >> 40 & 3 else pools[1 + (bits >> 42) % (len(pools) - 1)]
    worth = cents[pool.coin]
    price = pool.quote * worth * _PRICE_CENTS // pool.base or 1
    gap = (fair - price) * 1_000_000 // price
    if not -_GAP_MAX_PPM < gap < _GAP_MAX_PPM:
        gap = _GAP_MAX_PPM if gap > 0 else -_GAP_MAX_PPM
    net = pool.quote * gap // 3_000_000
    volume = token.flow * heat // (worth * 10)
    if volume * 20 > pool.quote:
        volume = pool.quote // 20
    bought = volume * (500 + (NORMAL[bits >> 50 & 1023] >> 4)) // 1000
    sold = volume - bought
    if net > 0:
        bought += net
    else:
        sold -= net
    counts = token.counts
    traded = 0
    if buys and bought > 0:
        pool.buy(bought)
        traded += bought
        counts[BUYS] += buys
    if sells and sold > 0 and pool.base < token.supply * _SOLD_OUT_PPM:
        traded += pool.sell_worth(sold)
        counts[SELLS] += sells
    counts[VOLUME] += traded * worth // MICRO
    counts[TRANSFERS] += (buys + sells) * 3 // 2 + 1
    token.holders_micro += token.growth_micro * heat // 1000
    token.changed = True
    if len(pools) > 1:
        level(token, cents)


def level(token: LiveToken, cents: Cents) -> None:
    """Arbitrage: buy where the token is cheap and sell where it is dear until fees eat the difference."""
    first = token.pools[0]
    for other in token.pools[1:]:
        here, there = first.price(cents[first.coin]), other.price(cents[other.coin])
        cheap, dear = (first, other) if here < there else (other, first)
        low, high = (here, there) if here < there else (there, here)
        gap = (high - low) * 1_000_000 // max(low, 1) - (cheap.fee_bps + dear.fee_bps) * 100
        if gap <= _LEVEL_MARGIN_PPM:
            continue
        cheap_worth, dear_worth = cents[cheap.coin], cents[dear.coin]
        cheap_side, dear_side = cheap.quote * cheap_worth, dear.quote * dear_worth
        # A buy of v lifts a price by 2 v / side and a sale of v lowers it by as much.
        value = gap * (cheap_side * dear_side // (cheap_side + dear_side)) // 2_000_000
        spent = min(value // cheap_worth, cheap.quote // 4)
        if spent <= 0 or token.sells_blocked:
            continue
        got = dear.sell(cheap.buy(spent))
        counts = token.counts
        counts[BUYS] += 1
        counts[SELLS] += 1
        counts[TRANSFERS] += 2
        counts[VOLUME] += (spent * cheap_worth + got * dear_worth) // MICRO
