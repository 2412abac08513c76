"""Chance of the demo market: one stream a purpose, and tables instead of functions of the C library.

Every number is made with `random.Random`, integers, the four operations and square roots, which are exact to
the last bit on every machine and every Python; the tables are rounded so far that a logarithm that differs
in its last bit changes nothing.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from math import log
from random import Random
from statistics import NormalDist
from struct import unpack

Bits = Callable[[int], int]
"""`Random.getrandbits` of a stream."""

TABLE_BITS = 12
_ROWS = 1 << TABLE_BITS
_WORD_REST = 32 - TABLE_BITS


def _normals() -> tuple[float, ...]:
    raw = [NormalDist().inv_cdf((row + 0.5) / _ROWS) for row in range(_ROWS)]
    scale = (sum(value * value for value in raw) / _ROWS) ** 0.5
    return tuple(round(value / scale, 9) for value in raw)


NORMAL = _normals()
"""Quantiles of the normal distribution, mean 0 and variance 1, reaching to about 3.7."""
EXPONENTIAL = tuple(round(-log(1 - (row + 0.5) / _ROWS), 9) for row in range(_ROWS))
"""Quantiles of the exponential distribution of mean 1."""


def _mixture(parts: Sequence[tuple[int, float]]) -> tuple[float, ...]:
    """Scales that many times each, with mean square 1."""
    scales = [scale for count, scale in parts for _ in range(count)]
    size = (sum(scale * scale for scale in scales) / len(scales)) ** 0.5
    return tuple(round(scale / size, 9) for scale in scales)


FAT_BITS = 6
FAT = _mixture(((47, 0.75), (13, 1.3), (3, 2.3), (1, 4.4)))
"""What a normal draw is multiplied by to have fat tails: of 64 days four are far wilder than the rest."""


def stream(seed: int, *names: str | int) -> Random:
    """The chance of one purpose: the same for the same seed and names, unlike that of any other."""
    key = "/".join((str(seed), *map(str, names)))
    return Random(int.from_bytes(sha256(key.encode()).digest()[:16]))  # noqa: S311 - a simulation


def normal(bits: Bits) -> float:
    """A draw of mean 0 and variance 1."""
    return NORMAL[bits(TABLE_BITS)]


def normals(bits: Bits, count: int) -> list[float]:
    """As many draws as that by `normal`, taken together: a stream hands out one word of 32 bits a draw."""
    words = unpack(f"<{count}I", bits(32 * count).to_bytes(4 * count, "little")) if count else ()
    return [NORMAL[word >> _WORD_REST] for word in words]


def fat(bits: Bits) -> float:
    """A draw of mean 0, variance 1 and a kurtosis of about 15."""
    return NORMAL[bits(TABLE_BITS)] * FAT[bits(FAT_BITS)]


def exponential(bits: Bits) -> float:
    """A positive draw of mean 1."""
    return EXPONENTIAL[bits(TABLE_BITS)]


def between(bits: Bits, low: float, high: float) -> float:
    """A draw spread evenly over low..high."""
    return low + (high - low) * bits(24) / (1 << 24)


def chance(bits: Bits, probability: float) -> bool:
    """True with that probability."""
    return bits(24) < probability * (1 << 24)


def ladder(low: float, high: float, steps: int) -> tuple[float, ...]:
    """`steps` values from low to high, each the same multiple of the one before."""
    factor = round((high / low) ** (1 / (steps - 1)), 9)
    values = [low]
    for _ in range(steps - 1):
        values.append(round(values[-1] * factor, 9))
    return tuple(values)
