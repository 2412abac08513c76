from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.learn.folds import inner_fold, purged_folds
from engine.learn.weights import average_uniqueness, training_weights


def test_the_worked_example_of_a_purged_fold(oracle: Callable[[str, str], Any]) -> None:
    found = oracle("8", "purged_fold")
    given, expected = found["input"], found["expected"]
    session = np.arange(given["n"])
    fold = purged_folds(session, session + given["horizon"], given["folds"], given["embargo"])[given["fold"]]
    before, after = expected["edges"]
    first, end = expected["test"]
    assert fold.test.tolist() == list(range(first, end))
    assert len(fold.train) == expected["n_train"]
    assert fold.train[fold.train < first].max() == before
    assert fold.train[fold.train >= end].min() == after


def test_the_worked_example_of_uniqueness(oracle: Callable[[str, str], Any]) -> None:
    found = oracle("8", "uniqueness")
    spans = np.array(found["input"]["spans"])
    assert average_uniqueness(spans[:, 0], spans[:, 1]) == pytest.approx(found["expected"])


def test_blocks_are_of_sessions_not_of_rows() -> None:
    # 90 of 100 events fall into the first session of ten.
    session = np.array([0] * 90 + list(range(10)))
    folds = purged_folds(session, session, folds=5, embargo=0)
    assert [len(fold.test) for fold in folds] == [92, 2, 2, 2, 2]


def test_no_window_of_training_meets_a_window_of_the_test_block() -> None:
    random = np.random.default_rng(3)
    session = np.sort(random.integers(0, 400, 900))
    known = session + random.integers(0, 12, 900)
    for fold in purged_folds(session, known):
        first, last = session[fold.test].min(), known[fold.test].max()
        trained = (known[fold.train] < first) | (session[fold.train] > last + 4)
        assert trained.all()
        assert not set(fold.train) & set(fold.test)


def test_every_event_is_judged_once() -> None:
    session = np.sort(np.random.default_rng(1).integers(0, 300, 500))
    judged = np.concatenate([fold.test for fold in purged_folds(session, session + 4)])
    assert sorted(judged.tolist()) == list(range(500))


def test_without_events_there_is_no_fold() -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert purged_folds(nothing, nothing) == []
    assert len(training_weights(nothing, nothing)) == 0


def test_one_session_leaves_nothing_to_train_on() -> None:
    session = np.zeros(10, dtype=np.int64)
    assert purged_folds(session, session + 4) == []


def test_the_inner_fold_is_the_newest_and_purged() -> None:
    session = np.arange(100)
    fold = inner_fold(session, session + 4, 0.2)
    assert fold.test.tolist() == list(range(80, 100))
    assert fold.train.max() == 75


def test_crowded_sessions_count_for_less() -> None:
    first = np.array([0] * 100 + [50])
    weight = training_weights(first, first + 4)
    assert weight.mean() == pytest.approx(1.0)
    assert weight[-1] == pytest.approx(100 * weight[0])
