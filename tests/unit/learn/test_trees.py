from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from engine.errors import DataError
from engine.learn.tree_text import read_trees


def grown(inputs: int, leaves: int, rounds: int, **params: Any) -> tuple[Any, tuple[str, ...]]:
    import lightgbm as lgb

    random = np.random.default_rng(inputs + leaves)
    rows = random.normal(size=(2000, inputs))
    rows[:, 0] = np.round(rows[:, 0])
    happened = (random.random(2000) < 1 / (1 + np.exp(-rows[:, 0] * rows[:, 1]))).astype(float)
    names = tuple(f"f{k}" for k in range(inputs))
    options = {"objective": "binary", "num_leaves": leaves, "verbosity": -1, "num_threads": 1, "seed": 1}
    data = lgb.Dataset(rows, happened, weight=random.random(2000), feature_name=list(names))
    return lgb.train(options | params, data, rounds), names


SHAPES = [
    (7, 20, 60, {}),
    (15, 31, 40, {"bagging_fraction": 0.7, "bagging_freq": 1, "feature_fraction": 0.6}),
    (2, 2, 5, {}),
    (7, 15, 3, {"min_child_samples": 5000}),  # no split at all
]


@pytest.mark.parametrize(("inputs", "leaves", "rounds", "params"), SHAPES)
def test_flat_trees_score_as_the_booster_to_the_bit(
    inputs: int, leaves: int, rounds: int, params: dict[str, Any]
) -> None:
    booster, names = grown(inputs, leaves, rounds, **params)
    trees = read_trees(booster.model_to_string(), names)
    rows = np.random.default_rng(5).normal(size=(300, inputs))
    for row, feature, threshold in zip(rows, trees.nodes.feature, trees.nodes.threshold, strict=False):
        row[feature] = threshold  # what equals a threshold goes to the left
    expected = booster.predict(rows, raw_score=True)
    assert np.array_equal(trees.raw_rows(rows), expected)
    assert [trees.raw(row) for row in rows] == expected.tolist()


def test_values_that_lightgbm_takes_for_zero_go_the_same_way() -> None:
    booster, names = grown(7, 20, 60)
    trees = read_trees(booster.model_to_string(), names)
    zero = float(np.float32(1e-35))
    rows = np.random.default_rng(5).normal(size=(60, 7))
    for row, value in zip(rows, [-zero, zero, -0.0, 0.0, 5e-36, -5e-36, 2e-35, -2e-35] * 7, strict=False):
        row[0] = value
    assert np.array_equal(trees.raw_rows(rows), booster.predict(rows, raw_score=True))


def test_compiled_trees_score_the_same() -> None:
    booster, names = grown(7, 20, 30)
    trees = read_trees(booster.model_to_string(), names)
    rows = np.random.default_rng(6).normal(size=(50, 7))
    score = trees.compiled()
    assert [score(row) for row in rows] == trees.raw_rows(rows).tolist()


@pytest.mark.parametrize(("inputs", "leaves", "rounds", "params"), SHAPES)
def test_contributions_are_the_boosters(
    inputs: int, leaves: int, rounds: int, params: dict[str, Any]
) -> None:
    booster, names = grown(inputs, leaves, rounds, **params)
    trees = read_trees(booster.model_to_string(), names)
    rows = np.random.default_rng(7).normal(size=(20, inputs))
    expected = booster.predict(rows, pred_contrib=True)
    found = np.array([trees.contributions(row) for row in rows])
    assert np.abs(found - expected[:, :-1]).max() < 1e-9
    assert trees.mean == pytest.approx(expected[0, -1], abs=1e-9)
    assert found.sum(axis=1) + trees.mean == pytest.approx(trees.raw_rows(rows), abs=1e-9)


def test_gains_are_the_boosters() -> None:
    booster, names = grown(7, 20, 30)
    expected = booster.feature_importance("gain")
    assert read_trees(booster.model_to_string(), names).gains == pytest.approx(expected, rel=1e-4)


def changed(text: str, key: str, value: str) -> str:
    lines = text.split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith(f"{key}="))
    lines[at] = f"{key}={value}"
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("version", "v3"),
        ("num_class", "3"),
        ("objective", "regression"),
        ("feature_names", "a b"),
        ("Tree", "1"),
        ("num_leaves", "99999999"),
        ("num_leaves", "-4"),
        ("num_leaves", "x"),
        ("num_cat", "1"),
        ("split_feature", "7 0 0"),
        ("split_feature", "0 0"),
        ("threshold", "nan 0 0"),
        ("threshold", "1e999 0 0"),
        ("decision_type", "1 2 2"),
        ("decision_type", "6 2 2"),
        ("left_child", "0 -2 -1"),
        ("left_child", "2 -2 -9"),
        ("right_child", "1 1 -4"),
        ("leaf_value", "inf 0 0 0"),
        ("internal_count", "0 1 1"),
        ("leaf_count", "1 1 1 -1"),
        ("is_linear", "1"),
    ],
)
def test_a_damaged_text_is_refused(key: str, value: str) -> None:
    booster, names = grown(7, 4, 2)
    text = booster.model_to_string()
    read_trees(text, names)
    with pytest.raises(DataError, match="cannot be read"):
        read_trees(changed(text, key, value), names)


@pytest.mark.parametrize("cut", [0, 1, 40, 300, 900])
def test_a_text_that_was_cut_off_is_refused(cut: int) -> None:
    booster, names = grown(7, 4, 2)
    with pytest.raises(DataError, match="cannot be read"):
        read_trees(booster.model_to_string()[:cut], names)


def test_inputs_in_another_order_are_refused() -> None:
    booster, names = grown(7, 4, 2)
    with pytest.raises(DataError, match="inputs"):
        read_trees(booster.model_to_string(), swapped(names))


def swapped(names: Sequence[str]) -> tuple[str, ...]:
    return (names[1], names[0], *names[2:])
