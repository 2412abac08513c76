import itertools
import math
from random import Random
from statistics import mean, stdev

import pytest

from engine.sources.demo.walk import MOST_UNITS, UNITS_PER_USD, DemoWalk, walk_path


def log_returns(path: tuple[int, ...]) -> list[float]:
    return [math.log(after / before) for before, after in itertools.pairwise(path)]


def test_the_seed_profile_starts_at_a_cent_and_has_a_thousand_steps() -> None:
    path = walk_path(DemoWalk(), Random(1))
    assert path[0] == UNITS_PER_USD // 100
    assert len(path) == 1_001
    assert all(isinstance(price, int) for price in path)


@pytest.mark.parametrize("seed", range(5))
def test_log_returns_have_the_drift_and_volatility_of_the_profile(seed: int) -> None:
    returns = log_returns(walk_path(DemoWalk(steps=20_000, drift=0.0002), Random(seed)))
    assert abs(mean(returns) - 0.0002) < 4 * 0.02 / math.sqrt(20_000)
    assert abs(stdev(returns) - 0.02) < 4 * 0.02 / math.sqrt(40_000)


def test_the_default_profile_within_its_own_error() -> None:
    returns = log_returns(walk_path(DemoWalk(), Random(7)))
    assert abs(mean(returns) - 0.001) < 3 * 0.02 / math.sqrt(1_000)
    assert abs(stdev(returns) - 0.02) < 3 * 0.02 / math.sqrt(2_000)


def test_a_walk_without_chance_grows_as_its_drift_says() -> None:
    path = walk_path(DemoWalk(start=1, drift=0.01, volatility=0, steps=100), Random(1))
    assert path[100] == round(UNITS_PER_USD * math.exp(1))


@pytest.mark.parametrize(("drift", "end"), [(1.0, MOST_UNITS), (-1.0, 1)])
def test_the_wildest_profile_stays_a_price(drift: float, end: int) -> None:
    assert walk_path(DemoWalk(drift=drift), Random(1))[-1] == end
