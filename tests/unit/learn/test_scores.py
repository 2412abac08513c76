from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.learn.scores import (
    auc,
    average_precision,
    brier,
    calibration_error,
    decisions,
    log_loss,
    perfect_error,
    skill,
)


def test_the_worked_example_of_the_calibration_error(oracle: Callable[[str, str], Any]) -> None:
    found = oracle("8", "ece")
    chance, happened = (np.array(found["input"][key], dtype=float) for key in ("p", "y"))
    assert calibration_error(chance, happened) == pytest.approx(found["expected"], abs=1e-9)


def test_ranking_counts_ties_as_half() -> None:
    happened = np.array([0.0, 1.0, 0.0, 1.0])
    assert auc(np.array([1.0, 2.0, 3.0, 4.0]), happened) == pytest.approx(0.75)
    assert auc(np.ones(4), happened) == pytest.approx(0.5)
    assert auc(np.array([1.0, 2.0, 2.0, 2.0]), happened) == pytest.approx(0.75)


def test_ranking_needs_both_outcomes() -> None:
    assert auc(np.ones(3), np.ones(3)) is None
    assert average_precision(np.ones(3), np.zeros(3)) is None


def test_average_precision_by_hand() -> None:
    score, happened = np.array([0.9, 0.8, 0.7, 0.6]), np.array([1.0, 0.0, 1.0, 0.0])
    assert average_precision(score, happened) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert average_precision(np.full(4, 0.5), happened) == pytest.approx(0.5)


def test_log_loss_and_brier_by_hand() -> None:
    chance, happened = np.array([0.8, 0.4]), np.array([1.0, 0.0])
    assert brier(chance, happened) == pytest.approx((0.04 + 0.16) / 2)
    assert log_loss(chance, happened) == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    weighted = brier(chance, happened, np.array([3.0, 1.0]))
    assert weighted == pytest.approx((3 * 0.04 + 0.16) / 4)


def test_a_certain_miss_costs_a_bounded_loss() -> None:
    found = log_loss(np.array([0.0]), np.array([1.0]))
    assert found is not None
    assert 30 < found < 40


def test_decisions_by_hand() -> None:
    chance, happened = np.array([0.7, 0.65, 0.6, 0.5]), np.array([1.0, 0.0, 1.0, 1.0])
    found = decisions(chance, happened, 0.65)
    assert (found.acted, found.precision, found.recall) == (2, 0.5, pytest.approx(1 / 3))
    assert found.f1 == pytest.approx(2 * 1 / (2 + 3))
    nothing = decisions(chance, happened, 0.9)
    assert (nothing.acted, nothing.precision, nothing.recall, nothing.f1) == (0, None, 0.0, 0.0)


@pytest.mark.parametrize(("count", "expected"), [(200, 0.057), (1000, 0.026)])
def test_chances_that_are_right_have_the_error_of_their_number(count: int, expected: float) -> None:
    # Chances as narrow as a model of the bounce gives them.
    chance = np.random.default_rng(0).normal(0.5, 0.12, count).clip(0.05, 0.95)
    assert perfect_error(chance) == pytest.approx(expected, abs=0.012)


def test_skill_is_measured_against_the_best_constant() -> None:
    random = np.random.default_rng(2)
    happened = (random.random(500) < 0.6).astype(float)
    found = skill(np.full(500, 0.6), happened, 0.6, 0.3)
    assert found.gain == pytest.approx(0.0)
    assert found.base == pytest.approx(0.6)
    worse = skill(np.full(500, 0.4), happened, 0.6, 0.3)
    assert worse.gain is not None
    assert worse.gain < 0


def test_no_events_say_nothing() -> None:
    nothing = np.empty(0)
    found = skill(nothing, nothing, 0.5)
    assert (found.n, found.brier, found.gain, found.auc, found.ece, found.perfect_ece) == (0, *[None] * 5)
