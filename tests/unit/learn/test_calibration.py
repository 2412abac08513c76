from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.errors import DataError
from engine.learn.calibration import (
    Isotonic,
    Platt,
    cross_calibrated,
    fit_band,
    fit_calibrator,
    fit_isotonic,
    fit_platt,
    pool_adjacent,
    read_band,
    read_calibrator,
)
from engine.learn.folds import Fold, purged_folds


def test_the_worked_example_of_pooling(oracle: Callable[[str, str], Any]) -> None:
    found = oracle("8", "isotonic_pav")
    happened = np.array(found["input"]["y_sorted_by_score"], dtype=float)
    assert pool_adjacent(happened) == pytest.approx(found["expected"], abs=1e-6)


def test_the_worked_example_of_platt(oracle: Callable[[str, str], Any]) -> None:
    found = oracle("8", "platt")
    scores, happened = (np.array(found["input"][key], dtype=float) for key in ("scores", "y"))
    platt = fit_platt(scores, happened)
    assert platt.slope == pytest.approx(found["expected"]["A"], abs=1e-4)
    assert platt.intercept == pytest.approx(found["expected"]["B"], abs=1e-4)


def draws(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    scores = random.normal(size=count)
    return scores, (random.random(count) < 1 / (1 + np.exp(-scores / 2))).astype(float)


def test_few_events_get_the_sigmoid_many_the_steps() -> None:
    scores, happened = draws(1000)
    assert isinstance(fit_calibrator(scores, happened, np.ones(1000)), Isotonic)
    assert isinstance(fit_calibrator(scores[1:], happened[1:], np.ones(999)), Platt)


@pytest.mark.parametrize("count", [300, 3000])
def test_calibrated_chances_are_near_the_true_ones(count: int) -> None:
    scores, happened = draws(count)
    calibrator = fit_calibrator(scores, happened, np.ones(count))
    at = np.array([-1.5, 0.0, 1.5])
    assert calibrator.chances(at) == pytest.approx(1 / (1 + np.exp(-at / 2)), abs=0.11)


def test_nothing_becomes_certain() -> None:
    scores = np.arange(1200, dtype=float)
    chances = fit_isotonic(scores, (scores >= 600).astype(float), np.ones(1200)).chances(scores)
    assert chances.min() > 0
    assert chances.max() < 1


def test_equal_scores_get_one_chance() -> None:
    scores = np.repeat([0.0, 1.0], 600)
    happened = np.tile([0.0, 1.0, 1.0], 400)
    assert len(np.unique(fit_isotonic(scores, happened, np.ones(1200)).chances(scores))) <= 2


def test_a_score_that_ranks_backwards_becomes_the_base_rate() -> None:
    scores, happened = draws(400)
    found = fit_calibrator(-scores, happened, np.ones(400))
    assert isinstance(found, Platt)
    assert found.slope == 0
    assert found.chances(np.array([-3.0, 3.0])) == pytest.approx([happened.mean()] * 2, abs=0.01)


def test_no_chance_is_of_a_calibrator_that_saw_its_row() -> None:
    scores, happened = draws(600)
    folds = purged_folds(np.arange(600), np.arange(600))
    whole = cross_calibrated(scores, happened, np.ones(600), folds)
    fold = folds[2]
    turned = happened.copy()
    turned[fold.test] = 1 - turned[fold.test]
    again = cross_calibrated(scores, turned, np.ones(600), folds)
    assert np.array_equal(whole[fold.test], again[fold.test])
    assert not np.array_equal(whole, again, equal_nan=True)


def test_rows_without_a_score_stay_without_a_chance() -> None:
    scores, happened = draws(100)
    scores[:10] = np.nan
    folds = [Fold(np.arange(50, 100), np.arange(50)), Fold(np.arange(50), np.arange(50, 100))]
    chances = cross_calibrated(scores, happened, np.ones(100), folds)
    assert np.isnan(chances[:10]).all()
    assert np.isfinite(chances[10:]).all()


@pytest.mark.parametrize("count", [400, 2000])
def test_bounds_hold_the_chance_and_narrow_with_more_events(count: int) -> None:
    scores, happened = draws(count)
    band = fit_band(scores, happened, np.ones(count), np.arange(count), seed=1)
    low, high = band.at(0.0)
    assert low < 0.5 < high
    assert high - low < 0.35


def test_bounds_widen_when_events_share_their_sessions() -> None:
    scores, happened = draws(1200)
    apart = fit_band(scores, happened, np.ones(1200), np.arange(1200), seed=1)
    # Whole sessions of one outcome: 30 draws in truth.
    order = np.argsort(happened, kind="stable")
    together = fit_band(scores[order], happened[order], np.ones(1200), np.arange(1200) // 40, seed=1)
    assert np.subtract(*together.at(0.0)) < np.subtract(*apart.at(0.0))


@pytest.mark.parametrize("count", [300, 1500])
def test_what_is_written_is_read_again(count: int) -> None:
    scores, happened = draws(count)
    calibrator = fit_calibrator(scores, happened, np.ones(count))
    again = read_calibrator(calibrator.document())
    assert np.array_equal(again.chances(scores), calibrator.chances(scores))
    band = fit_band(scores, happened, np.ones(count), np.arange(count), seed=1)
    assert read_band(band.document()).at(0.3) == band.at(0.3)


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"kind": "spline"},
        {"kind": "platt", "slope": "1", "intercept": 0.0},
        {"kind": "platt", "slope": float("nan"), "intercept": 0.0},
        {"kind": "platt", "slope": -1.0, "intercept": 0.0},
        {"kind": "isotonic", "scores": [], "chances": []},
        {"kind": "isotonic", "scores": [0.0, 0.0], "chances": [0.1, 0.2]},
        {"kind": "isotonic", "scores": [0.0, 1.0], "chances": [0.2, 0.1]},
        {"kind": "isotonic", "scores": [0.0, 1.0], "chances": [0.2]},
        {"kind": "isotonic", "scores": [0.0, 1.0], "chances": [0.2, 1.5]},
        {"kind": "isotonic", "scores": [0.0, float("inf")], "chances": [0.1, 0.2]},
        {"kind": "isotonic", "scores": "01", "chances": "01"},
    ],
)
def test_a_damaged_calibration_is_refused(document: object) -> None:
    with pytest.raises(DataError):
        read_calibrator(document)
