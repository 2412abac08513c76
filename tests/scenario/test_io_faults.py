"""The journal's disk fails at any statement: nothing is doubled, naked or lost, and nothing new begins.

TRADEDECK_IO_STRIDE (each n-th of all faults: 47; 1 at night) makes these runs longer.
"""

import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from storage.degraded import LastingJournal

STRIDE = int(os.environ.get("TRADEDECK_IO_STRIDE", "47"))


@pytest.fixture
def iofaults(sim: Callable[[str], ModuleType]) -> ModuleType:
    return sim("iofaults")


def test_any_statement_may_fail_once_or_for_a_while(iofaults: ModuleType) -> None:
    report = iofaults.run_io(stride=STRIDE)
    assert report.violations == ()
    assert report.failed > report.runs
    assert report.kept > 0
    assert report.restarts < report.runs // 2, "most faults are lived through without a restart"


def test_a_process_that_dies_with_commits_in_memory_finds_them_at_the_venue(iofaults: ModuleType) -> None:
    report = iofaults.run_lost_memory(stride=2 * STRIDE)
    assert report.violations == ()
    assert report.restarts > 0
    assert report.kept > 0


def test_the_faults_see_a_journal_that_keeps_entries_too(
    iofaults: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = LastingJournal.commit

    def keep_all(journal: LastingJournal, rows: Any, audit: Any, protective: bool = False) -> None:
        commit(journal, rows, audit, True)

    monkeypatch.setattr(LastingJournal, "commit", keep_all)
    # The halt that follows would stop the send as well: here only the journal stands in its way.
    monkeypatch.setattr(LastingJournal, "watch", lambda journal, tell: None)
    found = iofaults.run_io(["stopped"], stride=17).violations
    assert any("without an intent" in fault or "an entry was sent while" in fault for fault in found)
