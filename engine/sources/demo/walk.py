"""The seeded geometric walk that one token of the demo market follows: the profile `[demo]`."""

import math
from dataclasses import dataclass
from random import Random

UNITS_PER_USD = 100_000_000
"""A walk counts prices in whole units of 1e-8 USD."""

MOST_UNITS = 10**20
"""1e12 USD: a profile that only rises stays there."""
_MOST_LEVEL = math.log(MOST_UNITS)


@dataclass(frozen=True, slots=True)
class DemoWalk:
    """`[demo]`: the price path of the token SEED, one step a market minute.

    Log returns are normal with mean `drift` and deviation `volatility` a step; `start` in USD. Like any
    config it holds anything; `engine.config` says what its numbers may be.
    """

    start: float = 0.01
    drift: float = 0.001
    volatility: float = 0.02
    steps: int = 1000


def walk_path(walk: DemoWalk, rng: Random) -> tuple[int, ...]:
    """The price after 0..steps steps, (steps + 1,), in units of 1e-8 USD, within 1..MOST_UNITS."""
    level = math.log(walk.start * UNITS_PER_USD)
    path = [_units(level)]
    for _ in range(walk.steps):
        level += rng.gauss(walk.drift, walk.volatility)
        path.append(_units(level))
    return tuple(path)


def _units(level: float) -> int:
    return max(1, round(math.exp(level))) if level < _MOST_LEVEL else MOST_UNITS
