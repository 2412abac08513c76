"""What happens inside a session: the shape of its volatility and volume, and paths in whole ticks.

A session is a row of blocks of a quarter of an hour. The day is drawn at the ends of the blocks (its nodes);
between two nodes a path is filled in that starts at one and ends at the other and never leaves the range of
the day's nodes, so that the daily bar is known before a single print of it is told.
"""

from collections.abc import Sequence
from itertools import accumulate
from math import sqrt
from random import Random

from engine.sources.demo.chance import Bits, normals

BLOCK_S = 900
STEP_S = 2
STEPS = BLOCK_S // STEP_S
"""Steps of two seconds in a block."""
UNIT = 10_000
"""Units a dollar: prices are whole numbers of 0.0001 USD."""
CENT = UNIT // 100

_VARIANCE = (15, 8, 6.3, 5, 4.3, 3.9, 3.9, 3.8, 3.6, 3.3, 2.8, 2.5, 2.5, 2.5, 2.2, 2.2)
_VARIANCE_LATE = (3.3, 3.4, 2.5, 2.5, 2.5, 2.5, 2.6, 2.9, 3.4, 3.9)
_VOLUME = (8.3, 5.8, 5.1, 4.6, 4, 3.6, 3.3, 3.2, 3.3, 3.3, 2.8, 2.7, 2.4)
_VOLUME_LATE = (2.4, 2.6, 2.6, 2.3, 2.3, 2.8, 2.9, 2.4, 2.4, 3.2, 3.9, 6.6, 11.4)
VARIANCE = _VARIANCE + _VARIANCE_LATE
"""Share of a session's variance by quarter of an hour, percent: the first half hour has a fourth of all."""
VOLUME = _VOLUME + _VOLUME_LATE
"""Share of a session's volume: 14 % in its first half hour, 18 % in its last, 5 % around noon."""


def shares(profile: Sequence[float], blocks: int) -> tuple[float, ...]:
    """A profile for a session of that many blocks, with sum 1: a short day has no noon."""
    first = blocks - blocks // 2
    cut = [*profile[:first], *profile[len(profile) - blocks // 2 :]]
    return tuple(share / sum(cut) for share in cut)


def in_ticks(units: float) -> int:
    """A price as stocks are quoted: whole cents from one dollar on, below it 0.0001 (SPEC 0.5)."""
    whole = int(units + 0.5)
    return whole if whole < UNIT else (whole + CENT // 2) // CENT * CENT


def nodes(
    start: int, market: Sequence[float], beta: float, roots: Sequence[float], sigma: float, drift: float,
    bits: Bits,
) -> tuple[int, ...]:  # fmt: skip
    """Prices at the ends of the blocks, the open first. `roots`: square roots of the blocks' variance."""
    price, found = float(start), [start]
    step = drift / len(market)
    for move, root, draw in zip(market, roots, normals(bits, len(market)), strict=True):
        price *= 1 + beta * move + sigma * root * draw + step
        whole = int(price + 0.5)
        found.append(whole if whole < UNIT else (whole + 50) // CENT * CENT)
    return tuple(found)


def path(
    first: int, last: int, count: int, sigma: float, low: int, high: int, random: Random, ends: bool
) -> list[int]:
    """`count` prices from one node toward the next; `ends`: the last of them is that next node.

    `sigma`: standard deviation of the block in units. Below a dollar in units, from there on in cents.
    """
    gaps = count - 1 if ends else count
    walk = [0.0, *accumulate(normals(random.getrandbits, gaps))]
    scale = sigma / sqrt(gaps) if gaps else 0.0
    slope = (last - first - scale * walk[-1]) / gaps if gaps else 0.0
    found = []
    at = first + 0.5
    for place in range(count):
        price = int(at + slope * place + scale * walk[place])
        if price >= UNIT:
            price = (price + 50) // CENT * CENT
        if price > high:
            price = high
        elif price < low:
            price = low
        found.append(price)
    found[0] = first
    if ends:
        found[-1] = last
    return found
