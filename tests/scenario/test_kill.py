"""SIGKILL at any durable write: a restart goes on with every bracket, and none is doubled or naked."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.execution.records import restore_brackets
from engine.model.ids import symbol_of
from engine.model.orders import OrderState
from storage.journal import read_journal, verify_audit
from storage.paths import find_home, folder_state

RUNNER = Path(__file__).with_name("killed_run.py")
POINTS = 12
KILLS = int(os.environ.get("TRADEDECK_KILLS", "40"))
"""Statements of short lives at which the process is killed, evenly spread over all of them."""


def run(folder: Path, calendar: Path, at: int, when: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CALENDAR_CACHE": str(calendar)}
    command = [sys.executable, str(RUNNER), str(folder), str(at), when]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, calendar_cache: Path) -> dict[str, Any]:
    finished = run(tmp_path_factory.mktemp("undisturbed"), calendar_cache, 0, "after")
    assert finished.returncode == 0, finished.stderr
    document: dict[str, Any] = json.loads(finished.stdout)
    return document


@pytest.mark.parametrize("point", range(POINTS))
def test_a_killed_replay_goes_on_to_the_same_end(
    point: int, undisturbed: dict[str, Any], tmp_path: Path, calendar_cache: Path
) -> None:
    at = 40 + point * (undisturbed["writes"] - 60) // POINTS
    killed = run(tmp_path, calendar_cache, at, ("before", "after")[point % 2])
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    finished = run(tmp_path, calendar_cache, 0, "after")
    assert finished.returncode == 0, finished.stderr
    ended, reference = trades(json.loads(finished.stdout)), trades(undisturbed)
    state = folder_state(find_home({"TRADEDECK_HOME": str(tmp_path / "home")}), tmp_path / "state")
    (journal_file,) = state.journals()
    assert verify_audit(journal_file.path).ok
    with read_journal(journal_file.path) as journal:
        brackets = restore_brackets(journal.rows("bracket"), journal.rows("ord"), journal.rows("fill"))
        approved = [row for row in journal.rows("ticket") if row["approved_us"] is not None]
        halts = [row["why"] for row in journal.rows("halt")]
    # What was traded is the same trade; what is missing was on its way and provably never arrived.
    assert {key: reference[key] for key in ended} == ended
    never_placed = {
        (symbol_of(bracket.instrument), bracket.session.isoformat())
        for bracket in brackets
        if bracket.entry.state is OrderState.NOTPLACED
    }
    assert reference.keys() - ended.keys() == never_placed
    assert len(brackets) == len(approved) == len(reference)
    assert halts == []
    for bracket in brackets:
        assert bracket.entry.attempts == 1
        assert bracket.entry.cum in (0, bracket.quantity)
        assert bracket.position == 0 or bracket.cover == bracket.position


def test_forty_kills_inside_transactions_on_a_durable_file_double_nothing(
    sim: Callable[[str], ModuleType],
) -> None:
    report = sim("crashes").run_sigkill(KILLS)
    assert report.violations == ()
    assert report.crashes == report.runs == KILLS
    assert {"BEGIN IMMEDIATE", "COMMIT"} <= set(report.kinds)


def trades(finished: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Rows and truncated trades by symbol and session."""
    document = finished["document"]
    return {(row["symbol"], row["date"]): row for row in (*document["rows"], *document["truncated"])}
