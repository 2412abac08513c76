"""Sessions that once broke a rule are replayed for ever, and the simulator itself is held to its word."""

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SIMULATOR = Path(__file__).resolve().parents[1] / "sim"
SEEDS = Path(__file__).resolve().parents[1] / "seeds"
STORED = sorted(SEEDS.glob("seed_*.json"), key=lambda path: path.name)


@pytest.fixture
def run_seed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs one session of the simulator."""
    monkeypatch.syspath_prepend(str(SIMULATOR))
    return importlib.import_module("simulator.session").run_seed


def traced(seed: int, hash_seed: str) -> bytes:
    """The trace of a seed, printed by a process of its own."""
    return subprocess.run(
        [sys.executable, str(SIMULATOR), "--seed", str(seed), "--trace"],
        capture_output=True,
        check=False,
        env={"PYTHONHASHSEED": hash_seed, "PATH": ""},
    ).stdout


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_a_seed_that_once_broke_a_rule_breaks_none(path: Path, run_seed: Callable[..., Any]) -> None:
    stored = json.loads(path.read_text())
    assert run_seed(stored["seed"]).violations == [], stored["found"]


@pytest.mark.parametrize("seed", [7, 30])
def test_the_same_seed_gives_the_same_trace_to_the_byte(seed: int) -> None:
    first, second = traced(seed, "1"), traced(seed, "2")
    assert len(first.splitlines()) > 50
    assert first == second


def test_nothing_is_violated_where_nothing_fails(run_seed: Callable[..., Any]) -> None:
    results = [run_seed(seed) for seed in range(-12, 0)]
    assert [violation for result in results for violation in result.violations] == []
    assert sum(result.brackets for result in results) >= 8


def test_sessions_with_faults_trade_and_are_disturbed(run_seed: Callable[..., Any]) -> None:
    results = [run_seed(seed) for seed in range(24)]
    faults: dict[str, int] = {}
    for result in results:
        for name, count in result.faults.items():
            faults[name] = faults.get(name, 0) + count
    assert sum(result.brackets for result in results) >= 12
    assert sum(result.crashes for result in results) >= 3
    assert len(faults) >= 25


def test_fifty_brackets_are_held_over_four_accounts(run_seed: Callable[..., Any]) -> None:
    result = run_seed(499)
    assert result.family == "crowd"
    assert result.most_open >= 50
