from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from engine.errors import StorageError
from engine.learn.boosting import BoostParams, Sample
from engine.learn.events import Events
from engine.learn.tuning import SPACE, Task, Tried, configuration, fold_loss, tune
from storage.studies import studies_in


@pytest.fixture(scope="module")
def task(make_events: Callable[..., Events]) -> Task:
    # Below 1,000 events trials are quick: what is tuned does not matter then, only how.
    events = make_events(200)
    sample = Sample(events.x, events.touched, np.ones(len(events)))
    return Task(sample, events.session, events.known, events.inputs, 3)


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'tuning.db'}"


def test_a_search_that_was_stopped_goes_on_as_if_it_was_not(task: Task, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    whole = tune(task, url_of(tmp_path / "a"), "gaps/touch", 6)
    tune(task, url_of(tmp_path / "b"), "gaps/touch", 2)
    told: list[int] = []
    resumed = tune(
        task, url_of(tmp_path / "b"), "gaps/touch", 6, told=lambda tried, total: told.append(tried.number)
    )
    assert resumed == whole
    assert told == [2, 3, 4, 5]


def test_a_finished_search_does_nothing(task: Task, tmp_path: Path) -> None:
    first = tune(task, url_of(tmp_path), "gaps/touch", 3)
    told: list[Tried] = []
    assert tune(task, url_of(tmp_path), "gaps/touch", 3, told=lambda tried, _: told.append(tried)) == first
    assert told == []


def test_trials_side_by_side_are_as_many_and_all_within_the_space(task: Task, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as executor:
        found = tune(task, url_of(tmp_path), "gaps/touch", 5, executor, 2)
    assert sorted(tried.number for tried in found) == list(range(5))
    assert len({tried.params for tried in found}) == 5
    for tried in found:
        for key, (low, high, _) in SPACE.items():
            assert low <= getattr(tried.params, key) <= high


def test_class_weights_are_not_searched() -> None:
    assert not {"scale_pos_weight", "is_unbalance"} & set(SPACE)
    assert set(SPACE) <= set(BoostParams.__dataclass_fields__)


def test_the_loss_tells_signal_from_none(make_events: Callable[..., Events]) -> None:
    losses = []
    for signal in (2.0, 0.0):
        events = make_events(1200, signal=signal)
        sample = Sample(events.x, events.bounced, np.ones(len(events)))
        given = Task(sample, events.session, events.known, events.inputs, 3)
        losses.append(fold_loss(given, BoostParams(7, 0.1, min_child_samples=20)))
    assert losses[0] < 0.6 < losses[1]


def test_one_outcome_only_has_no_finite_loss(task: Task) -> None:
    sample = Sample(task.sample.x, np.ones(len(task.session)), task.sample.weight)
    given = Task(sample, task.session, task.known, task.inputs, 3)
    assert fold_loss(given, BoostParams()) == float("inf")


def test_a_file_that_is_no_database_is_said(task: Task, tmp_path: Path) -> None:
    (tmp_path / "tuning.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError, match="not a database"), studies_in(tmp_path, None) as url:
        tune(task, url, "gaps/touch", 1)


def test_a_password_in_a_url_is_not_shown(task: Task, tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught, studies_in(tmp_path, "nosuch://me:secret@host/x") as url:
        tune(task, url, "gaps/touch", 1)
    assert "secret" not in str(caught.value)


def test_trials_are_kept_where_only_the_owner_reads(task: Task, tmp_path: Path) -> None:
    with studies_in(tmp_path / "models", None) as url:
        tune(task, url, "gaps/touch", 1)
    assert (tmp_path / "models" / "tuning.db").stat().st_mode & 0o077 == 0


def test_a_configuration_holds_all_that_was_varied() -> None:
    found = configuration(BoostParams(num_leaves=31), 5, ("a", "b"))
    assert found["seed"] == 5
    assert found["inputs"] == ["a", "b"]
    assert isinstance(found["params"], dict)
    assert found["params"]["num_leaves"] == 31
