"""How a token's maker takes it from those who hold it, in one block."""

from engine.sources.demo.contracts import Fault
from engine.sources.demo.pools import MICRO
from engine.sources.demo.tokenstate import SELLS, TRANSFERS, VOLUME, Cents, LiveToken, Mood, RugKind

PULLED_PERMILLE = 965
"""Of each reserve of a pool when its liquidity is pulled."""
_PANIC_PERCENT = 150
"""What the quickest holders sell into the little that is left, in percent of its reserve."""
_MINTED_PERCENT = 1_200
"""New tokens of a maker who can mint."""


def rug_pull(token: LiveToken, cents: Cents, now_us: int) -> None:
    """Do what was planned for the token and leave it to die."""
    if token.rug is None:
        return
    kind = token.rug[1]
    token.rug = None
    token.died_us = now_us
    if kind is RugKind.PULL:
        for pool in token.pools:
            pool.withdraw(PULLED_PERMILLE)
        _sell_into(token, cents, _PANIC_PERCENT)
        token.locked = min(token.locked, 15)
    elif kind is RugKind.MINT:
        token.faults.add(Fault.MINTABLE)
        token.supply += sum(pool.base for pool in token.pools) * _MINTED_PERCENT // (100 * MICRO)
        _sell_into(token, cents, _MINTED_PERCENT)
    else:
        token.faults |= {Fault.HONEYPOT, Fault.EXTREME_TAX}
        token.sells_blocked = True
    token.facts = None
    _leave(token, cents)


def _sell_into(token: LiveToken, cents: Cents, percent: int) -> None:
    """Into each pool are sold so many tokens, in percent of its reserve."""
    counts = token.counts
    for pool in token.pools:
        got = pool.sell(pool.base * percent // 100)
        counts[VOLUME] += got * cents[pool.coin] // MICRO
        counts[SELLS] += 1
        counts[TRANSFERS] += 2


def _leave(token: LiveToken, cents: Cents) -> None:
    """Its traders lose faith: hardly an order any more, its holders leave, and what is said of it warns."""
    token.fair = token.anchor = max(1, token.price(cents) * (100 if token.sells_blocked else 60) // 100)
    token.mood = Mood.FALLING
    token.flow //= 25
    token.orders_milli //= 12
    token.buy_share = min(token.buy_share, 350)
    token.whale_chance = 0
    token.growth_micro = -token.holders_micro // 4_000
    token.mentions_micro *= 3
    token.positive, token.negative = 40, 900
    token.bots_left = 0
    token.changed = True
