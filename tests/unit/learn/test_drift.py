from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.learn.drift import Level, adjusted, distance, drift, is_severe, mean_shift, worse_brier


def test_the_worked_example(oracle: Callable[[str, str], Any]) -> None:
    expected = oracle("8", "drift")["expected"]
    rows, newer = np.arange(400), np.arange(200)
    found = distance(np.sin(rows) + 0.0005 * rows, np.sin(1.3 * newer) + 0.35)
    assert found.ks == pytest.approx(expected["ks"])
    assert found.p == pytest.approx(expected["p"], rel=1e-6)
    assert found.psi == pytest.approx(expected["psi"], rel=1e-6)
    assert found.wasserstein == pytest.approx(expected["wasserstein_over_sd"], rel=1e-6)


def test_the_same_values_are_no_drift() -> None:
    values = np.random.default_rng(0).normal(size=3000)
    (found,) = drift({"a": values}, {"a": values[::10]})
    assert found.level is Level.NONE
    assert not is_severe((found,))


def test_a_moved_feature_is_severe_and_one_of_five_is_enough() -> None:
    random = np.random.default_rng(1)
    reference = {name: random.normal(size=2000) for name in "abcde"}
    current = {name: random.normal(size=250) for name in "abcd"} | {"e": random.normal(1.0, 1, 250)}
    found = {one.feature: one.level for one in drift(reference, current)}
    assert found["e"] is Level.SEVERE
    assert Level.SEVERE not in [found[name] for name in "abcd"]
    assert is_severe(drift(reference, current))
    assert not is_severe(())


def test_few_values_say_nothing() -> None:
    reference = {"a": np.arange(100.0)}
    assert drift(reference, {"a": np.arange(49.0)}) == ()
    assert drift(reference, {}) == ()


def test_only_the_newest_values_count() -> None:
    random = np.random.default_rng(2)
    before, now = random.normal(5, 1, 1000), random.normal(0, 1, 250)
    (found,) = drift({"a": random.normal(size=2000)}, {"a": np.concatenate((before, now))})
    assert found.psi is not Level.SEVERE


def test_a_reference_that_stands_still_has_no_deviations() -> None:
    assert distance(np.ones(100), np.ones(100)).wasserstein is None


def test_false_alarms_are_held_by_the_order_of_p() -> None:
    assert adjusted(np.array([0.01, 0.04, 0.03, 0.5])) == pytest.approx([0.04, 0.16 / 3, 0.16 / 3, 0.5])
    assert adjusted(np.array([1.0, 1.0])).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("shift", "level"), [(0.0, Level.NONE), (3.0, Level.WARN), (6.0, Level.SEVERE)])
def test_a_shift_of_the_mean_counts_in_standard_errors(shift: float, level: Level) -> None:
    values = np.tile([0.4, 0.6], 100)
    error = float(np.sqrt(2 * values.var(ddof=1) / 200))
    assert mean_shift(values, values + shift * error) is level


def test_chances_that_stand_still_shift_or_do_not() -> None:
    assert mean_shift(np.ones(60), np.ones(60)) is Level.NONE
    assert mean_shift(np.ones(60), np.zeros(60)) is Level.SEVERE


@pytest.mark.parametrize(("rolling", "level"), [(0.25, Level.NONE), (0.28, Level.WARN), (0.32, Level.SEVERE)])
def test_a_worse_brier_score(rolling: float, level: Level) -> None:
    assert worse_brier(0.25, rolling) is level
