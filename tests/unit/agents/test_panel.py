import json
from pathlib import Path
from typing import Any

import pytest

from engine.agents.panel import Panel, TrackRecord, agree, weight_of
from engine.model.candidates import AgentReport, Vote

YES, NO, SKIP = Vote.APPROVE, Vote.VETO, Vote.ABSTAIN
VOTERS = ("sentinel", "screener", "forecaster", "riskofficer", "newssentry", "trader")


class Scripted:
    """An agent that answers what it was given, or raises it."""

    def __init__(self, name: str, answer: AgentReport | Exception) -> None:
        self.name = name
        self._answer = answer

    def judge(self, candidate: Any, context: Any) -> AgentReport:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def _votes(report_of: Any, *votes: Vote) -> list[AgentReport]:
    return [report_of(name, vote) for name, vote in zip(VOTERS, votes, strict=False)]


def test_every_agent_is_asked_also_after_a_hard_veto(
    candidate: Any, make_context: Any, report_of: Any
) -> None:
    agents = [Scripted("a", report_of("a", NO, hard=True)), Scripted("b", report_of("b", YES))]
    reports = Panel(agents, lambda: 0).judge(candidate, make_context())
    assert [(report.agent, report.vote) for report in reports] == [("a", NO), ("b", YES)]


def test_an_agent_that_raises_is_a_hard_veto_that_names_the_error(
    candidate: Any, make_context: Any, report_of: Any
) -> None:
    agents = [Scripted("a", ZeroDivisionError("bid is 0")), Scripted("b", report_of("b", YES))]
    first, second = Panel(agents, lambda: 0).judge(candidate, make_context())
    assert (first.agent, first.vote, first.hard, first.note) == ("a", NO, True, "agent failed")
    assert first.reasons == ("the agent failed: ZeroDivisionError: bid is 0",)
    assert second.vote is YES


def test_an_agent_that_takes_too_long_is_a_veto(candidate: Any, make_context: Any, report_of: Any) -> None:
    ticks = iter([0, 5_000_001, 10_000_000, 15_000_000])
    agents = [Scripted("a", report_of("a", YES)), Scripted("b", report_of("b", YES))]
    first, second = Panel(agents, lambda: next(ticks)).judge(candidate, make_context())
    assert (first.vote, first.hard, first.note) == (NO, True, "timeout")
    assert first.reasons[0] == "timeout: 5.0 s, limit 5 s"
    assert (first.elapsed_us, second.elapsed_us) == (5_000_001, 5_000_000)
    assert second.vote is YES


def test_at_first_all_who_vote_must_approve(report_of: Any) -> None:
    assert agree(_votes(report_of, YES, YES, SKIP, YES, SKIP, YES), TrackRecord(), 20, 0.7).approved
    count = agree(_votes(report_of, YES, YES, SKIP, YES, SKIP, NO), TrackRecord(19), 20, 0.7)
    assert not count.approved
    assert (count.reason, count.note) == ("trader: trader says veto", "trader note")


def test_a_hard_veto_rejects_whatever_the_majority(report_of: Any) -> None:
    reports = [*_votes(report_of, NO, YES, YES, YES, YES), report_of("trader", NO, hard=True)]
    count = agree(reports, TrackRecord(500), 20, 0.5)
    assert not count.approved
    assert count.note == "trader note"


def test_silence_is_not_consent(report_of: Any) -> None:
    for record in (TrackRecord(), TrackRecord(50)):
        count = agree(_votes(report_of, SKIP, SKIP), record, 20, 0.7)
        assert (count.approved, count.note) == (False, "no votes")


def test_from_twenty_trades_on_a_soft_veto_may_be_outvoted(report_of: Any) -> None:
    votes = _votes(report_of, YES, YES, YES, NO)
    assert not agree(votes, TrackRecord(19), 20, 0.7).approved
    count = agree(votes, TrackRecord(20), 20, 0.7)
    assert (count.approved, count.score) == (True, 0.75)
    count = agree(_votes(report_of, YES, YES, NO), TrackRecord(20), 20, 0.7)
    assert (count.approved, count.note) == (False, "votes .67 < .7")
    assert count.reason == "weighted approval 0.667 is below the limit 0.70"


def test_a_score_at_the_limit_approves(report_of: Any) -> None:
    assert agree(_votes(report_of, YES, YES, YES, NO), TrackRecord(20), 20, 0.75).approved


@pytest.mark.parametrize(
    ("share", "votes", "weight"),
    [
        (0.95, 5, 1.5),
        (0.90, 5, 1.5),
        (0.8999, 5, 1.0),
        (0.70, 5, 1.0),
        (0.50, 5, 0.75),
        (0.4999, 5, 0.5),
        (0.0, 5, 0.5),
        (0.1, 4, 1.0),
    ],
)
def test_weights_follow_accuracy_once_there_are_five_votes(share: float, votes: int, weight: float) -> None:
    assert weight_of(share, votes) == weight


def test_the_worked_example(market_data: Path, report_of: Any) -> None:
    path = market_data.parent / "oracles" / "oracles.json"
    if not path.is_file():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    entries = json.loads(path.read_text())
    example = next(entry for entry in entries if (entry["section"], entry["id"]) == ("3", "consensus"))
    accuracy = {name: (share, int(n)) for name, (share, n) in example["input"]["accuracy_n"].items()}
    weights = {name: weight_of(*scored) for name, scored in accuracy.items()}
    assert weights == example["expected"]["weights"]
    votes = example["input"]["votes"].items()
    reports = [report_of(name, YES if approves else NO) for name, approves in votes]
    count = agree(reports, TrackRecord(40, accuracy), 20, 0.70)
    assert count.score == pytest.approx(example["expected"]["score"], rel=1e-6)
    assert count.approved is example["expected"]["approve"]
