"""What the file of the feature store keeps: over restarts, failed writes and other programs' files."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from engine.errors import StorageError
from engine.features.catalogue import CATALOGUE
from engine.model.features import FeatureLayout, FeatureVector, Refusal
from storage.features import open_features, read_features

LAYOUT = FeatureLayout("stocks", ("rsi2", "z5"), ("1.0.0", "1.0.0"))
NOW = 1_700_000_000_000_000


def _vector(
    at: int, z5: float = 0.5, layout: FeatureLayout = LAYOUT, entity: str = "ORVX.US"
) -> FeatureVector:
    return FeatureVector(entity, layout, np.array([12.5, z5]), at, at, "bars")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "features.db"


def test_what_was_put_is_there_after_a_restart(path: Path) -> None:
    with open_features(path, CATALOGUE) as store:
        store.put([_vector(NOW), _vector(NOW + 1, float("inf"))])
    with read_features(path, CATALOGUE) as store:
        assert store.count() == 2
        assert store.get("ORVX.US", ("z5",), NOW)["z5"].value == 0.5
        assert store.refused() == {("z5", Refusal.NOT_FINITE): 1}


def test_the_trail_and_the_clock_are_recalled_after_a_restart(path: Path) -> None:
    with open_features(path, CATALOGUE) as store:
        store.put([_vector(NOW + n, float(np.sin(n))) for n in range(300)])
    with open_features(path, CATALOGUE) as store:
        assert store.put([_vector(NOW + 300, 40.0)]).suspects == 1
        assert store.put([_vector(NOW + 3)]).refused == {("stocks", Refusal.CLOCK): 1}


def test_an_older_version_of_a_layout_is_still_read(path: Path) -> None:
    newer = FeatureLayout("stocks", ("z5", "rsi2"), ("2.0.0", "1.0.0"))
    with open_features(path, CATALOGUE) as store:
        store.put([_vector(NOW, 1.5)])
        store.put([FeatureVector("ORVX.US", newer, np.array([2.5, 30.0]), NOW + 9, NOW + 9, "bars")])
        then, now = (store.get("ORVX.US", ("z5",), at)["z5"] for at in (NOW + 8, NOW + 9))
    assert (then.value, then.version) == (1.5, "1.0.0")
    assert (now.value, now.version) == (2.5, "2.0.0")


def test_a_write_that_fails_leaves_nothing_and_the_next_one_works(path: Path) -> None:
    with open_features(path, CATALOGUE) as store, sqlite3.connect(path) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON vector BEGIN SELECT raise(ABORT, 'full'); END")
        other.commit()
        with pytest.raises(Exception, match="full"):
            store.put([_vector(NOW), _vector(NOW + 1, entity="BRVO.US")])
        other.execute("DROP TRIGGER full")
        other.commit()
        assert store.count() == 0
        assert store.put([_vector(NOW), _vector(NOW + 1, entity="BRVO.US")]).vectors == 2
        assert store.get("BRVO.US", ("z5",), NOW + 1)["z5"].value == 0.5
    other.close()


def test_another_programs_file_is_refused_untouched(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE song(title TEXT)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StorageError, match="not a tradedeck feature store"):
        open_features(path, CATALOGUE)
    assert path.read_bytes() == before


def test_a_vector_of_another_length_is_our_own_mistake(path: Path) -> None:
    with open_features(path, CATALOGUE) as store:
        with pytest.raises(ValueError, match="has 2 features, 3 values came"):
            store.put([FeatureVector("ORVX.US", LAYOUT, np.zeros(3), NOW, NOW, "bars")])
        assert store.count() == 0


def test_forgetting_much_is_done_in_short_transactions(path: Path) -> None:
    day = 86_400_000_000
    with open_features(path, CATALOGUE) as store:
        store.put([_vector(NOW - 400 * day + n) for n in range(6_001)])
        assert store.forget(NOW) == 6_000
        assert store.count() == 1


@pytest.mark.parametrize("ids", [("a", "a"), ("a",)])
def test_a_layout_has_each_id_once_with_its_version(ids: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="layout odd"):
        FeatureLayout("odd", ids, ("1.0.0", "1.0.0"))
