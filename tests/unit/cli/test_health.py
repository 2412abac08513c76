"""`tradedeck health`: of an engine that runs, and of what one wrote down."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.model.positions import AccountKind
from engine.ports import AuditEntry
from storage.journal import open_journal
from storage.paths import find_home, folder_state
from tui import books
from tui.commands import asking
from tui.shown.health import HealthRow, HealthView, SourceRow, SourceWord

VIEW = HealthView(
    sources=(SourceRow("posts", SourceWord.MUTE, 61_000_000, 60_000_000, None, 7, "1 of 8\x1b[2J"),),
    sources_ok=0,
    rows=(HealthRow("loop lag", "p95 3.0 ms", "< 50 ms", True, 3.0412345, "ms"),),
    trusted=True,
    pid=4112,
    up_us=5_000_000,
    version="0.4.2",
)


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine whose health is `VIEW`."""
    monkeypatch.setattr(asking, "read_books", lambda at, question: books.health(VIEW))


@pytest.mark.usefixtures("running")
def test_the_health_of_an_engine_as_a_document(deck: Any) -> None:
    ended = deck("health", "--json")
    assert ended.code == 0
    document = json.loads(ended.out)
    assert (document["running"], document["trusted"], document["pid"]) == (True, True, 4112)
    assert document["sources"][0]["word"] == "mute"
    assert document["engine"] == [
        {
            "name": "loop lag",
            "figure": "p95 3.0 ms",
            "limit": "< 50 ms",
            "ok": True,
            "value": 3.0412345,
            "unit": "ms",
        }
    ]


@pytest.mark.usefixtures("running")
def test_the_health_of_an_engine_as_tables(deck: Any) -> None:
    out = deck("health").out
    assert "posts   mute   1m   1m" in out
    assert "loop lag  p95 3.0 ms  < 50 ms  yes" in out
    assert "\x1b" not in out


def test_without_an_engine_it_says_what_the_log_holds(deck: Any, tmp_path: Path) -> None:
    state = folder_state(find_home({"TRADEDECK_HOME": str(tmp_path / "home")}), tmp_path / "state")
    state.make()
    with open_journal(
        state.journal(AccountKind.SIMULATION, "replay"), "replay", AccountKind.SIMULATION
    ) as journal:
        journal.commit((), [AuditEntry(n, "engine", "started", "", {}) for n in range(3)])
    document = json.loads(deck("--state", str(state.folder), "health", "--json").out)
    assert (document["running"], document["trusted"], document["sources"]) == (False, False, [])
    assert document["engine"][0]["figure"] == "3 rows"
    assert "audit chain  3 rows  not checked here" in deck("--state", str(state.folder), "health").out


def test_status_has_what_was_measured() -> None:
    assert books._pulse(VIEW) == {
        "trusted": True,
        "sources_ok": 0,
        "sources": 1,
        "version": "0.4.2",
        "loop_lag_ms": 3.041,
    }
