"""Tokens that catch on and are forgotten again, so that a market that runs for weeks is never the same."""

from random import Random

from engine.sources.demo.draws import between, happens, one_of
from engine.sources.demo.launches import DAY_US, take_up
from engine.sources.demo.natures import FRESH, LOUD, PROMISING, RISING, STEADY, Nature
from engine.sources.demo.tokenstate import Cents, LiveToken, Mood, RugKind

HOUR_US = 3_600_000_000
_SPELL_HOURS = (9, 34)
_DEPTH_CENTS = 12_000_000
"""A shallower pool than 120,000 USD is not found by a crowd."""
_RUGGED_PERMILLE = 250
"""Of those that catch on, how many were made for nothing else."""
_MATURE_US = 2 * DAY_US
_CROWDED: tuple[Nature, ...] = (STEADY, LOUD, PROMISING)


def set_spell(token: LiveToken, rng: Random, now_us: int) -> None:
    """How long its fame lasts."""
    token.cools_us = now_us + between(rng, *_SPELL_HOURS) * HOUR_US


def catch_on(tokens: list[LiveToken], cents: Cents, rng: Random, now_us: int) -> None:
    """One of the tokens with a deep pool is discovered by the crowd; a few of those will be taken from it."""
    able = [one for one in tokens if one.nature in _CROWDED and one.depth_cents(cents) >= _DEPTH_CENTS]
    if not able:
        return
    token = one_of(rng, able)
    take_up(token, RISING, cents, rng)
    set_spell(token, rng, now_us)
    if happens(rng, _RUGGED_PERMILLE):
        kind = RugKind.BLOCK if happens(rng, 300) else RugKind.PULL
        token.rug = (now_us + between(rng, 8, 20) * HOUR_US, kind)


def cool_off(token: LiveToken, cents: Cents, rng: Random, now_us: int) -> None:
    """Fame ends after its time; a launch that is still there after two days is a token like others."""
    if token.died_us is not None:
        return
    is_over = token.cools_us is not None and now_us >= token.cools_us
    is_grown = token.nature is FRESH and token.rug is None and now_us - token.created_us >= _MATURE_US
    if is_over or is_grown:
        take_up(token, STEADY, cents, rng)
        token.cools_us = None
        token.mood = Mood.FALLING
