"""Single trades of 10,000 USD and more."""

from random import Random

from engine.sources.demo.draws import between, happens
from engine.sources.demo.pools import MICRO
from engine.sources.demo.tokenstate import (
    BUYS,
    LARGE,
    SELLS,
    TRANSFERS,
    VOLUME,
    WHALE_NET,
    Cents,
    LiveToken,
)

WHALE_CENTS = 1_000_000
"""10,000 USD: from here on a trade is a whale's (SPEC 1.4.6)."""
WHALE_BITS = 20
"""A minute has a whale when this many random bits are below the token's `whale_chance`."""
_LARGEST_PERMILLE = 60


def whale_trade(token: LiveToken, cents: Cents, rng: Random) -> None:
    """One whale buys or dumps; a third of what that did to the price, its traders come to believe.

    A pool too shallow for 10,000 USD sees none.
    """
    pool = token.pools[0]
    worth = cents[pool.coin]
    depth = pool.depth_cents(worth)
    size = max(WHALE_CENTS * 21 // 20, depth * between(rng, 6, 16) // 1000)
    if size * 1000 > depth * _LARGEST_PERMILLE:
        return
    buys = token.sells_blocked or happens(rng, token.whale_buys)
    before = pool.price(worth)
    spend = size * MICRO // worth
    counts = token.counts
    if buys:
        pool.buy(spend)
        traded = spend * worth // MICRO
        counts[BUYS] += 1
        counts[WHALE_NET] += traded
    else:
        traded = pool.sell_worth(spend) * worth // MICRO
        counts[SELLS] += 1
        counts[WHALE_NET] -= traded
    counts[VOLUME] += traded
    if traded >= WHALE_CENTS:
        counts[LARGE] += traded
    counts[TRANSFERS] += 2
    token.fair = max(1, token.fair + (pool.price(worth) - before) // 3)
    token.changed = True
