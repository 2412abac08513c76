"""`tradedeck agents`: how each agent is, and one move for one of them; and what only a phrase allows."""

import json
from typing import Any

import pytest

from engine.model.commands import Answer
from tui.commands import asking

ROWS = [
    {
        "name": "screener",
        "state": "running",
        "vote": "approve",
        "reason": "gap -6.00 %, limits -25 to -5 %",
        "judged_us": 1_451_917_800_000_000,
        "error": "ValueError: long ago",
        "failures": 0,
    },
    {
        "name": "forecaster",
        "state": "failed",
        "vote": "",
        "reason": "",
        "judged_us": None,
        "error": "ValueError: wrong shape",
        "failures": 3,
    },
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked of the engine."""
    found: list[Any] = []

    def read(at: Any, question: str) -> object:
        found.append(question)
        return ROWS

    def steer(at: Any, agent: str, move: str) -> Answer:
        found.append((agent, move))
        if agent == "trader":
            return Answer(False, "illegal_move", "trader is paused: it cannot pause. Nothing was done.")
        return Answer(True, "ok", f"{agent} is paused: nothing passes without its vote.")

    monkeypatch.setattr(asking, "read_books", read)
    monkeypatch.setattr(asking, "steer", steer)
    return found


def test_each_agent_is_one_row_with_its_last_verdict_or_its_error(deck: Any, asked: list[Any]) -> None:
    ended = deck("agents")
    assert (ended.code, asked) == (0, ["agents"])
    head, first, second = ended.out.splitlines()
    assert head.split()[:2] == ["agent", "state"]
    assert "14:30:00Z" in first
    assert "gap -6.00 %" in first
    assert "long ago" not in first
    assert second.endswith("ValueError: wrong shape")


def test_as_json_it_is_the_document(deck: Any, asked: list[Any]) -> None:
    assert json.loads(deck("agents", "--json").out) == ROWS


@pytest.mark.parametrize("move", ["start", "pause", "resume", "stop"])
def test_one_move_of_one_agent(deck: Any, asked: list[Any], move: str) -> None:
    ended = deck("agents", move, "screener")
    assert (ended.code, asked) == (0, [("screener", move)])
    assert ended.out == "screener is paused: nothing passes without its vote.\n"


def test_a_refusal_is_told_with_its_exit_code(deck: Any, asked: list[Any]) -> None:
    ended = deck("agents", "pause", "trader")
    assert (ended.code, ended.out) == (65, "")
    assert ended.err == "trader is paused: it cannot pause. Nothing was done.\n"
    assert '"code": "illegal_move"' in deck("agents", "pause", "trader", "--json").out


def test_evidence_is_waived_by_the_phrase_that_was_typed(deck: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    typed: list[Any] = []

    def waive(at: Any, strategy: str, phrase: str) -> Answer:
        typed.append((strategy, phrase))
        return Answer(False, "not_configured", "gaps.live_without_evidence is not true. Nothing was allowed.")

    monkeypatch.setattr(asking, "waive", waive)
    ended = deck("accounts", "waive", "gaps", "--phrase", "gaps WITHOUT EVIDENCE")
    assert (ended.code, typed) == (65, [("gaps", "gaps WITHOUT EVIDENCE")])
    assert ended.err.startswith("gaps.live_without_evidence is not true")
