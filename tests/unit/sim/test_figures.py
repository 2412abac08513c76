"""Percentiles over shares and over restarts, by hand."""

from collections.abc import Callable
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture
def figures(sim: Callable[[str], ModuleType]) -> ModuleType:
    return sim("simulator.figures")


def test_seconds_without_a_stop_are_weighed_by_shares(figures: ModuleType) -> None:
    lots = [(2_000_000, Decimal(30)), (5_000_000, Decimal(18)), (9_000_000, Decimal(2))]
    assert figures.of_shares(lots, Decimal(0)) == (2.0, 9.0, 9.0)
    assert figures.of_shares(lots, Decimal(50)) == (0.0, 9.0, 9.0)
    assert figures.of_shares(lots, Decimal(1_000)) == (0.0, 5.0, 9.0)
    assert figures.of_shares([], Decimal(7)) == (0.0, 0.0, 0.0)


def test_a_ratio_of_values_is_the_smallest_that_holds_so_many(figures: ModuleType) -> None:
    values = list(range(1, 21))
    assert [figures.at_ratio(values, ratio) for ratio in (0.5, 0.95, 1.0)] == [10, 19, 20]
    assert figures.at_ratio([], 0.95) == 0
    assert figures.at_ratio([3], 0.0) == 3


def test_a_recovery_that_was_cut_short_shows_nothing_and_a_slow_one_counts(
    figures: ModuleType, sim: Callable[[str], ModuleType]
) -> None:
    restart = sim("simulator.recovery").Restart
    result: Any = sim("simulator.session").Result(1, "swarm")
    result.restarts = [
        restart(0, 0, 2_000_000, 1_000_000),
        restart(0, 0, None, 14_000_000),
        restart(0, 0, None, 16_000_000),
    ]
    found = figures.Figures()
    found.add([result])
    assert (found.restarts, found.ready_us) == (3, [1_000_000, 16_000_000])
    assert found.ready_s() == (1.0, 16.0, 16.0)


def test_the_lowest_seed_of_a_violation_is_kept(
    figures: ModuleType, sim: Callable[[str], ModuleType]
) -> None:
    session = sim("simulator.session")
    found = figures.Figures()
    for seed in (9, 4, 6):
        found.add([session.Result(seed, "swarm", violations=[("I1", f"in {seed}")])])
    assert found.violations["I1"] == 3
    assert found.first["I1"] == (4, "in 4")
