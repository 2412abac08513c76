"""The seeded geometric walk that one token of the demo market follows: the profile `[demo]`."""

import math
from dataclasses import dataclass
from random import Random

UNITS_PER_USD = 100_000_000
"""A walk counts prices in whole units of 1e-8 USD."""


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
    """The price after 0..steps steps, (steps + 1,), in units of 1e-8 USD, each at least 1."""
    level = 0.0
    path = [max(1, round(walk.start * UNITS_PER_USD))]
    for _ in range(walk.steps):
        level += rng.gauss(walk.drift, walk.volatility)
        path.append(max(1, round(walk.start * UNITS_PER_USD * math.exp(level))))
    return tuple(path)
