"""What a state keeps to start its daemon again, and what is refused of it."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from engine.errors import DataError, StorageError
from storage.paths import StatePaths, find_home, folder_state
from tui.wiring.daemonize import FILE, OUTPUT, Start, last_words, log_folder, recall, remember

REPLAY = Start(False, None, "2016-01-04", ("/bars/a b.csv",), "/v.csv", None, "inf", "hold", "/c.toml")
DEMO = Start(True, 7, None, (), None, None, None, None, None)


@pytest.fixture
def state(tmp_path: Path) -> StatePaths:
    found = folder_state(find_home({"TRADEDECK_HOME": str(tmp_path / "home")}), tmp_path / "s")
    found.make()
    return found


@pytest.mark.parametrize("start", [REPLAY, DEMO])
def test_it_is_recalled_as_it_was_kept(state: StatePaths, start: Start) -> None:
    remember(state, start)
    assert recall(state) == start
    assert stat.S_IMODE((state.folder / FILE).stat().st_mode) == 0o600


def test_the_last_start_counts(state: StatePaths) -> None:
    remember(state, REPLAY)
    remember(state, DEMO)
    assert recall(state) == DEMO
    assert [path.name for path in state.folder.glob("start*")] == [FILE]


def test_it_becomes_options_that_are_each_one_word(state: StatePaths) -> None:
    assert DEMO.arguments() == ["--demo", "--seed=7"]
    assert REPLAY.arguments() == [
        "--replay=2016-01-04",
        "--vix=/v.csv",
        "--speed=inf",
        "--policy=hold",
        "--config=/c.toml",
        "--data=/bars/a b.csv",
    ]


def test_a_state_whose_daemon_never_ran_recalls_nothing(state: StatePaths) -> None:
    assert recall(state) is None


@pytest.mark.parametrize(
    "change",
    [
        {"demo": "yes"},
        {"seed": True},
        {"seed": "7"},
        {"replay": 7},
        {"data": "/bars"},
        {"data": [7]},
        {"program": "/bin/sh"},
    ],
)
def test_a_file_of_another_form_is_refused(state: StatePaths, change: dict[str, Any]) -> None:
    remember(state, DEMO)
    path = state.folder / FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataError, match="another version, or by hand"):
        recall(state)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\udcff"])
def test_a_broken_file_is_refused(state: StatePaths, text: str) -> None:
    (state.folder / FILE).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(DataError):
        recall(state)


def test_a_link_in_place_of_the_file_is_not_followed(state: StatePaths, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("x")
    (state.folder / FILE).with_suffix(".new").symlink_to(precious)
    with pytest.raises(StorageError, match="cannot write"):
        remember(state, DEMO)
    assert precious.read_text() == "x"


def test_the_last_words_are_the_last_line_that_says_something(state: StatePaths) -> None:
    assert last_words(state, None) == ""
    folder = log_folder(state, None)
    folder.mkdir()
    (folder / OUTPUT).write_text("warming up\ntradedeck: no bars\n\n")
    assert last_words(state, None) == "tradedeck: no bars"
