"""A process may die at any journal write, and again while it recovers; the power may fail in the middle.

TRADEDECK_CRASH_LIVES (9), TRADEDECK_CRASH_PAIRS (80) and TRADEDECK_POWERLOSS_KB (8)
make these runs longer; at night they cover everything.
"""

import asyncio
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from engine.execution.orders import Brackets

LIVES = int(os.environ.get("TRADEDECK_CRASH_LIVES", "9"))
PAIRS = int(os.environ.get("TRADEDECK_CRASH_PAIRS", "80"))
POWERLOSS_KB = int(os.environ.get("TRADEDECK_POWERLOSS_KB", "8"))


@pytest.fixture
def crashes(sim: Callable[[str], ModuleType]) -> ModuleType:
    return sim("crashes")


def test_a_crash_at_any_write_leaves_one_entry_a_stop_and_books_that_agree(crashes: ModuleType) -> None:
    report = crashes.run_matrix(LIVES)
    assert report.violations == ()
    assert report.crashes == report.runs - LIVES
    wanted = {
        "started",
        "candidate",
        "approved",
        "Accepted",
        "VenueOrder",
        "Fill",
        "meta",
        "stopped",
    }
    assert wanted <= set(report.kinds)


def test_a_second_crash_during_the_recovery_changes_nothing(crashes: ModuleType) -> None:
    report = crashes.run_pairs(PAIRS)
    assert report.violations == ()
    assert report.crashes > 1.5 * PAIRS


def test_the_matrix_sees_a_bracket_that_is_sent_before_its_intent_is_durable(
    crashes: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Brackets.write

    def write_late(brackets: Brackets, rows: Any, audit: Any, protective: bool = False) -> None:
        if protective or not any(row.table == "ord" for row in rows):
            write(brackets, rows, audit, protective)
            return

        async def later() -> None:
            for _ in range(5):
                await asyncio.sleep(0)
            write(brackets, rows, audit)

        kept.append(asyncio.ensure_future(later()))

    kept: list[asyncio.Future[None]] = []
    monkeypatch.setattr(Brackets, "write", write_late)
    violations = crashes.run_matrix(1).violations
    assert any("sent without an intent" in fault for fault in violations)
    assert any("does not start again" in fault for fault in violations)


def test_a_power_loss_leaves_whole_commits_only(sim: Callable[[str], ModuleType]) -> None:
    report = sim("powerloss").run_powerloss(POWERLOSS_KB)
    assert report.violations == ()
    assert report.cuts > 4 * POWERLOSS_KB
