"""Chance in whole numbers, so that a seed gives the same market on every Python.

The tables turn random bits into draws by one look-up. They are rounded once, here, far from any half, from
functions that agree to more digits than are kept.
"""

import math
from collections.abc import Sequence
from random import Random
from statistics import NormalDist
from typing import TypeVar

T = TypeVar("T")

_QUANTILES = [NormalDist().inv_cdf((at + 0.5) / 1024) for at in range(1024)]

NORMAL = tuple(round(1000 * z) for z in _QUANTILES)
"""Standard normal draws in thousandths, by 10 random bits; within +-3.3."""

BURSTS = tuple(round(1000 * math.exp(0.9 * z - 0.405)) for z in _QUANTILES)
"""Log-normal factors in thousandths, by 10 random bits: mean 1, median 0.67, a few above 8."""


def between(rng: Random, low: int, high: int) -> int:
    """A whole number of low..high, the ends included; the bias of the plain remainder is below 1e-9."""
    return low + rng.getrandbits(64) % (high - low + 1)


def spread(rng: Random, low: int, high: int) -> int:
    """Between low and high, both above 0, as likely in each doubling: most are small."""
    doublings, rest = 0, low
    while rest * 2 < high:
        rest *= 2
        doublings += 1
    floor = low << between(rng, 0, doublings)
    return between(rng, floor, min(high, floor * 2))


def one_of(rng: Random, choices: Sequence[T]) -> T:
    """One of the choices, each as likely."""
    return choices[rng.getrandbits(64) % len(choices)]


def happens(rng: Random, permille: int) -> bool:
    """True in `permille` of 1,000 draws."""
    return rng.getrandbits(64) % 1000 < permille
