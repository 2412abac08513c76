from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import DataError, InvariantBroken
from engine.learn.boosting import Sample
from engine.learn.crossfit import CrossFit, cross_fit
from engine.learn.events import Events
from engine.learn.fitting import FitSettings, Fitted, Half, fit_gaps
from engine.learn.importance import importances
from engine.learn.logistic import Logistic, fit_logistic, read_logistic
from engine.learn.trees import Trees
from engine.model.forecasts import Forecast


def asked(found: Fitted, row: np.ndarray) -> Forecast:
    return found.model.forecast(dict(zip(found.model.inputs, row.tolist(), strict=True)))


@pytest.fixture(params=["fitted", "small"])
def either(request: pytest.FixtureRequest) -> Fitted:
    found: Fitted = request.getfixturevalue(request.param)
    return found


def test_many_events_are_boosted_and_few_are_not(fitted: Fitted, small: Fitted) -> None:
    assert isinstance(fitted.touch.trained.scorer, Trees)
    assert isinstance(small.touch.trained.scorer, Logistic)


def test_below_forty_events_there_is_no_model(
    make_events: Callable[..., Events], settings: FitSettings
) -> None:
    events = make_events(39)
    assert fit_gaps(events, settings, "toy") is None


def test_one_outcome_only_is_no_model(make_events: Callable[..., Events], settings: FitSettings) -> None:
    events = make_events(200)
    assert fit_gaps(replace(events, way=np.zeros(200, dtype=np.int8)), settings, "toy") is None


def test_chances_follow_the_inputs_that_matter(either: Fitted) -> None:
    low, high = np.zeros(7), np.zeros(7)
    low[0], high[0] = -1.5, 1.5
    assert asked(either, high).p_touch > asked(either, low).p_touch + 0.2
    low, high = np.zeros(7), np.zeros(7)
    low[1], high[1] = -1.5, 1.5
    assert asked(either, high).q_bounce > asked(either, low).q_bounce + 0.2


def test_a_forecast_is_one_row_of_the_panel_form_to_the_bit(either: Fitted) -> None:
    rows = np.random.default_rng(3).normal(size=(40, 7))
    p_touch, q_bounce = either.model.chances(rows)
    forecasts = [asked(either, row) for row in rows]
    assert [found.p_touch for found in forecasts] == p_touch.tolist()
    assert [found.q_bounce for found in forecasts] == q_bounce.tolist()


def test_bounds_hold_the_chance(either: Fitted) -> None:
    for row in np.random.default_rng(4).normal(size=(40, 7)):
        found = asked(either, row)
        assert 0 < found.low <= found.q_bounce <= found.high < 1


def test_the_three_ways_out_sum_to_one(either: Fitted) -> None:
    found = asked(either, np.zeros(7))
    assert found.p_revert + found.p_stop + found.p_time == pytest.approx(1.0)


def test_contributions_lead_from_the_mean_to_the_log_odds(either: Fitted) -> None:
    row = np.random.default_rng(5).normal(size=7)
    found = asked(either, row)
    scorer = either.model.bounce.scorer
    assert [one.feature for one in found.contributions] == list(either.model.inputs)
    assert [one.value for one in found.contributions] == row.tolist()
    mean = scorer.mean if isinstance(scorer, Trees) else either.bounce.trained.scorer.intercept  # type: ignore[union-attr]
    assert mean + sum(one.amount for one in found.contributions) == pytest.approx(scorer.raw(row), abs=1e-9)


def test_mean_returns_are_those_of_training(fitted: Fitted) -> None:
    assert fitted.model.returns.target == pytest.approx(0.06)
    assert fitted.model.returns.stop == pytest.approx(-0.08)
    assert fitted.model.returns.time == pytest.approx(0.0)


def test_inputs_beyond_the_training_are_named(fitted: Fitted) -> None:
    row = np.zeros(7)
    row[[2, 5]] = 50.0, -50.0
    assert asked(fitted, row).outside == ("c", "f")
    rows = np.random.default_rng(8).normal(size=(200, 7)) * 2
    counts = [len(fitted.model.outside(one)) for one in rows]
    assert fitted.model.outside_counts(rows).tolist() == counts
    assert max(counts) > 1
    edge = fitted.model.high.copy()
    assert asked(fitted, edge).outside == ()


def test_an_absent_input_and_one_that_is_no_number_are_not_answered(fitted: Fitted) -> None:
    with pytest.raises(KeyError):
        fitted.model.forecast({"a": 1.0})
    with pytest.raises(InvariantBroken):
        asked(fitted, np.array([np.nan, *[0.0] * 6]))


def test_training_twice_gives_the_same_text(
    make_events: Callable[..., Events], settings: FitSettings, fitted: Fitted
) -> None:
    again = fit_gaps(make_events(1800), settings, "toy")
    assert again is not None
    assert again.bounce.trained.text == fitted.bounce.trained.text != ""
    other = fit_gaps(make_events(1800), replace(settings, seed=8), "toy")
    assert other is not None
    assert other.bounce.trained.text != fitted.bounce.trained.text


def auc_of(half: Half) -> float:
    found = half.skill().auc
    assert found is not None
    return found


def test_no_row_is_scored_by_a_model_that_saw_it(
    make_events: Callable[..., Events], settings: FitSettings
) -> None:
    events = make_events(300)

    def crossed(happened: np.ndarray) -> CrossFit:
        sample = Sample(events.x, happened, np.ones(300))
        return cross_fit(sample, events.session, events.known, events.inputs, settings.touch, 1)

    whole = crossed(events.touched)
    judged = whole.folds[0].test
    turned = events.touched.copy()
    turned[judged] = 1 - turned[judged]
    again = crossed(turned)
    others = whole.folds[1].test
    assert np.array_equal(whole.scores[judged], again.scores[judged])
    assert not np.array_equal(whole.scores[others], again.scores[others])


def test_labels_shuffled_in_time_have_no_skill(
    make_events: Callable[..., Events], settings: FitSettings
) -> None:
    events = make_events(3000, sessions=3000)
    random = np.random.default_rng(11)
    shuffled = replace(events, way=random.permutation(events.way))
    found = fit_gaps(shuffled, settings, "toy")
    assert found is not None
    for half in (found.touch, found.bounce):
        assert auc_of(half) == pytest.approx(0.5, abs=0.05)
    honest = fit_gaps(events, settings, "toy")
    assert honest is not None
    assert auc_of(honest.touch) > 0.7


def test_importance_names_the_inputs_that_matter(fitted: Fitted) -> None:
    for half, first in ((fitted.touch, "a"), (fitted.bounce, "b")):
        found = importances(half, fitted.events.session[half.events], fitted.model.inputs, 1)
        assert found[0].feature == first
        assert found[0].low > 0
        assert found[0].gain == max(one.gain for one in found if one.gain is not None)
        assert all(one.low < 0.01 for one in found[1:])
        assert sum(one.gain for one in found if one.gain is not None) == pytest.approx(1.0)


def test_a_shuffled_input_holds_its_own_values_and_the_others_stay(small: Fitted) -> None:
    seen: list[np.ndarray] = []

    def spy(rows: np.ndarray) -> np.ndarray:
        seen.append(rows.copy())
        return np.zeros(len(rows))

    fold = small.touch.crossed.folds[0]
    crossed = replace(small.touch.crossed, folds=(fold,), models=(spy,))
    importances(replace(small.touch, crossed=crossed), small.events.session, small.model.inputs, 1)
    original = small.touch.sample.x[fold.test]
    assert len(seen) == 5 * 7
    for number, rows in enumerate(seen):
        column = number // 5
        assert np.array_equal(np.sort(rows[:, column]), np.sort(original[:, column]))
        assert not np.array_equal(rows[:, column], original[:, column])
        others = np.arange(7) != column
        assert np.array_equal(rows[:, others], original[:, others])


def test_importance_of_a_logistic_model_has_no_gain(small: Fitted) -> None:
    found = importances(small.touch, small.events.session, small.model.inputs, 1)
    assert {one.gain for one in found} == {None}


def test_logistic_regression_meets_the_conditions_of_its_minimum() -> None:
    random = np.random.default_rng(1)
    rows = random.normal(size=(200, 3)) * (1, 10, 0.1)
    happened = (random.random(200) < 1 / (1 + np.exp(-rows[:, 0]))).astype(float)
    weight = random.random(200)
    found = fit_logistic(rows, happened, weight)
    chance = 1 / (1 + np.exp(-found.raw_rows(rows)))
    standard = (rows - found.mean) / found.deviation
    assert standard.T @ (weight * (chance - happened)) + found.slope == pytest.approx(0, abs=1e-6)
    assert (weight * (chance - happened)).sum() == pytest.approx(0, abs=1e-6)


def test_an_input_that_stands_still_has_no_slope() -> None:
    rows = np.column_stack((np.ones(50), np.arange(50.0)))
    found = fit_logistic(rows, (np.arange(50) % 3 == 0).astype(float), np.ones(50))
    assert found.slope[0] == 0


def test_outcomes_that_an_input_separates_end_with_finite_slopes() -> None:
    rows = np.arange(100.0)[:, None]
    found = fit_logistic(rows, (rows[:, 0] > 50).astype(float), np.ones(100))
    assert np.isfinite(found.slope).all()
    assert read_logistic(found.document(), 1).raw_rows(rows).tolist() == found.raw_rows(rows).tolist()


@pytest.mark.parametrize(
    "document",
    [
        None,
        {"mean": [0.0], "deviation": [0.0], "slope": [1.0], "intercept": 0.0},
        {"mean": [0.0], "deviation": [1.0], "slope": [float("nan")], "intercept": 0.0},
        {"mean": [0.0, 1.0], "deviation": [1.0], "slope": [1.0], "intercept": 0.0},
        {"mean": [0.0], "deviation": [1.0], "slope": ["1"], "intercept": 0.0},
    ],
)
def test_a_damaged_logistic_model_is_refused(document: object) -> None:
    with pytest.raises(DataError):
        read_logistic(document, 1)
