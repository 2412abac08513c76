"""`tradedeck train`, `tune` and `models` over real files, a real registry and a real reading process."""

import json
import os
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest

from engine.sources.sessions import ExchangeSessions
from storage.memory import open_memory
from storage.model_registry import open_registry
from storage.paths import Home, find_home, folder_state
from storage.simulations import list_simulations
from tui.wiring.shelf import registry_shelf, serving_model

Run = Callable[..., Any]
SYMBOLS = 12
FIRST, LAST = date(2012, 1, 3), date(2015, 7, 31)


def walk(random: np.random.Generator, days: int, gaps: bool) -> np.ndarray:
    """Rows of open, high, low, close, volume; one day in 15 opens lower by up to a tenth where `gaps`."""
    rows = np.empty((days, 5))
    close = float(random.uniform(5, 12))
    for day in range(days):
        gap = -random.uniform(0.03, 0.10) if gaps and random.random() < 1 / 15 else random.normal(0.004, 0.01)
        open_ = min(max(close * (1 + gap), 2.0), 18.0)
        path = open_ * np.cumprod(1 + random.normal(0.0005, 0.012, 6))
        close = float(path[-1])
        rows[day] = open_, max(open_, path.max()), min(open_, path.min()), close, 4e6
    return rows


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Options that name bars of three and a half years."""
    folder = tmp_path_factory.mktemp("bars")
    sessions = ExchangeSessions(folder / "calendar", date(2026, 11, 20))
    days = [session.day for session in sessions.between(FIRST, LAST)]
    random = np.random.default_rng(5)
    with (folder / "bars.csv").open("w") as file:
        file.write("symbol,date,open,high,low,close,volume\n")
        for number in range(SYMBOLS):
            for day, row in zip(days, walk(random, len(days), gaps=True), strict=True):
                file.write(f"S{chr(65 + number)},{day},{','.join(f'{value:.4f}' for value in row)}\n")
    for name, scale in (("vix", 2.0), ("spy", 20.0)):
        with (folder / f"{name}.csv").open("w") as file:
            file.write("date,open,high,low,close,volume\n")
            for day, row in zip(days, walk(random, len(days), gaps=False), strict=True):
                prices = ",".join(f"{value * scale:.4f}" for value in row[:4])
                file.write(f"{day},{prices},0\n")
    names = {name: str(folder / f"{name}.csv") for name in ("bars", "vix", "spy")}
    return ("--data", names["bars"], "--vix", names["vix"], "--spy", names["spy"])


@pytest.fixture
def home() -> Home:
    return find_home(os.environ)


@pytest.fixture
def trained(deck: Run, files: tuple[str, ...]) -> dict[str, Any]:
    """The document of a model that was trained just now."""
    ended = deck("train", "gaps", *files, "--json")
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


def test_a_trained_model_is_registered_signed_and_served(
    deck: Run, trained: dict[str, Any], home: Home
) -> None:
    assert trained["name"] == "gaps"
    assert trained["signed"] is True
    assert trained["stage"] == "validate"
    assert trained["problem"] is None
    assert trained["trials"] == 1
    assert [quarter["first"] for quarter in trained["quarters"]][:1] == ["2015-04-01"]
    (listed,) = json.loads(deck("models", "--json").out)
    assert listed["version"] == trained["version"]
    assert listed["importance"]["touch"][0]["feature"] in [note["id"] for note in listed["features"]]
    served = serving_model(home, lambda text: pytest.fail(text))
    assert served is not None
    assert served.model_id == trained["version"]
    assert not served.is_usable
    values = {note["id"]: note["low"] for note in listed["features"]}
    assert 0 < served.forecast(values).p_revert < 1


def test_no_session_is_decided_by_a_model_that_was_trained_on_it(
    deck: Run, files: tuple[str, ...], trained: dict[str, Any], home: Home
) -> None:
    older = json.loads(deck("train", "gaps", *files, "--to", "2015-05-29", "--json").out)
    shelf = registry_shelf(home, lambda text: pytest.fail(text))
    last = {one["version"]: date.fromisoformat(one["data"]["last"]) for one in (older, trained)}
    assert last[older["version"]] < last[trained["version"]]
    for day, version in (
        (last[older["version"]], None),
        (last[trained["version"]], older["version"]),
        (date(2030, 1, 2), older["version"]),  # it was registered last
    ):
        model = shelf.as_of(day)
        assert (None if model is None else model.model_id) == version


def test_a_replay_asks_the_model_that_is_registered(deck: Run, files: tuple[str, ...], home: Home) -> None:
    trained = json.loads(deck("train", "gaps", *files, "--to", "2015-05-29", "--json").out)
    after = ("replay", "--from", "2015-06-22", "--to", "2015-07-10")
    ended = deck(*after, *files, "--json")
    assert ended.code == 0, ended.err
    newest = folder_state(home, list_simulations(home)[-1])
    with open_memory(newest.memory, read_only=True) as memory:
        judged = memory.signals()
    asked = {one.model_version for one in judged if one.p_revert is not None}
    assert asked == {trained["version"]}
    assert all(0 < one.p_revert < 1 for one in judged if one.p_revert is not None)


def test_training_again_is_the_same_model_and_no_new_trial(
    deck: Run, files: tuple[str, ...], trained: dict[str, Any]
) -> None:
    again = json.loads(deck("train", "gaps", *files, "--json").out)
    assert again["version"] == trained["version"]
    assert again["trials"] == 1


def test_the_challenger_is_a_model_of_its_own(
    deck: Run, files: tuple[str, ...], trained: dict[str, Any], home: Home
) -> None:
    other = json.loads(deck("train", "gaps", *files, "--extended", "--json").out)
    assert other["name"] == "gaps-extended"
    assert len(other["features"]) == 15
    served = serving_model(home, lambda text: pytest.fail(text))
    assert served is not None
    assert served.model_id == trained["version"]


def test_what_a_person_reads_names_the_proof(deck: Run, files: tuple[str, ...]) -> None:
    ended = deck("train", "gaps", *files)
    assert ended.code == 0
    assert "unproved" in ended.err
    assert "out of time" in ended.out
    assert "log loss lost" in ended.out
    listed = deck("models")
    assert "gaps-" in listed.out
    version = listed.out.splitlines()[1].split()[0]
    shown = deck("models", "show", version)
    assert (shown.code, "q_bounce" in shown.out) == (0, True)


def test_one_changed_byte_is_found_and_the_older_model_serves(
    deck: Run, files: tuple[str, ...], trained: dict[str, Any], home: Home
) -> None:
    newer = json.loads(deck("train", "gaps", *files, "--to", "2015-06-30", "--json").out)["version"]
    assert newer != trained["version"]
    assert deck("models", "verify").code == 0
    path = home.models / "gaps" / newer / "calibration.json"
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))
    ended = deck("models", "verify", "--json")
    assert ended.code == 65
    problems = {one["version"]: one["problem"] for one in json.loads(ended.out)}
    assert problems[trained["version"]] is None
    assert "SHA-256" in problems[newer]
    told: list[str] = []
    served = serving_model(home, told.append)
    assert served is not None
    assert served.model_id == trained["version"]
    assert newer in told[0]


def test_a_model_of_another_key_is_not_used(deck: Run, trained: dict[str, Any], home: Home) -> None:
    home.signing_key.unlink()
    home.signing_key.write_text("00" * 32 + "\n")
    home.signing_key.chmod(0o600)
    ended = deck("models", "verify")
    assert ended.code == 65
    assert "signature" in ended.out
    assert serving_model(home, lambda text: None) is None


def test_a_search_is_counted_kept_and_used(deck: Run, files: tuple[str, ...], home: Home) -> None:
    refused = deck("train", "gaps", *files, "--tuned")
    assert refused.code == 2
    assert "never tuned" in refused.err
    ended = deck("tune", "gaps", *files, "--trials", "2", "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert (found["touch"]["trials"], found["bounce"]["trials"]) == (2, 2)
    with open_registry(home.models) as registry:
        assert registry.trials("gaps/touch") == 2
    assert deck("tune", "gaps", *files, "--trials", "2").code == 0
    trained = json.loads(deck("train", "gaps", *files, "--tuned", "--json").out)
    assert trained["trials"] == 5  # four of the search, one of the training


def test_moves_follow_the_stages(deck: Run, trained: dict[str, Any]) -> None:
    version = trained["version"]
    assert deck("models", "move", version, "shadow", "--reason", "first look").code == 0
    ended = deck("models", "move", version, "live", "--reason", "in a hurry")
    assert ended.code == 2
    assert "does not follow" in ended.err
    assert deck("models", "move", version, "nosuch", "--reason", "x").code == 2
    assert deck("models", "move", "gaps-000000000000", "shadow", "--reason", "x").code == 65


def test_without_models_nothing_is_said_but_how_to_make_one(deck: Run, home: Home) -> None:
    ended = deck("models")
    assert (ended.code, ended.out) == (0, "")
    assert "train gaps" in ended.err
    assert deck("models", "verify").code == 0
    assert deck("models", "show", "gaps-1").code == 2
    assert serving_model(home, lambda text: pytest.fail(text)) is None
    assert not home.models.exists()


def test_bars_without_an_index_cannot_be_learned_from(deck: Run, files: tuple[str, ...]) -> None:
    ended = deck("train", "gaps", *files[:2])
    assert ended.code == 65
    assert "VIX" in ended.err


def test_options_that_make_no_sense_are_refused(deck: Run, files: tuple[str, ...]) -> None:
    assert deck("train", "gaps", "--data", "nosuch.csv").code == 65
    assert deck("train", "gaps", *files, "--from", "2015-01-01", "--to", "2014-01-01").code == 2
    assert deck("train", "gaps", *files, "--jobs", "0").code == 2
    ended = deck("tune", "gaps", *files, "--trials", "1", "--storage", "nosuch://me:secret@host/x")
    assert ended.code == 65
    assert "secret" not in ended.err
