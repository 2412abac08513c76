"""How a token's maker takes it from those who hold it, in one block."""

from engine.sources.demo.contracts import Fault
from engine.sources.demo.pools import MICRO
from engine.sources.demo.tokenstate import SELLS, TRANSFERS, VOLUME, Cents, LiveToken, Mood, RugKind

PULLED_PERMILLE = 965
"""Of each reserve of a pool when its liquidity is pulled."""
_MINTED_TIMES = 12
"""New tokens of a maker who can mint, in base reserves of the pool."""


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
        token.locked = min(token.locked, 15)
    elif kind is RugKind.MINT:
        token.faults.add(Fault.MINTABLE)
        _dump_minted(token, cents)
    else:
        token.faults |= {Fault.HONEYPOT, Fault.EXTREME_TAX}
        token.sells_blocked = True
    token.facts = None
    _leave(token, cents)


def _dump_minted(token: LiveToken, cents: Cents) -> None:
    counts = token.counts
    for pool in token.pools:
        minted = pool.base * _MINTED_TIMES
        token.supply += minted // MICRO
        counts[VOLUME] += pool.sell(minted) * cents[pool.coin] // MICRO
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
