"""The states of an agent: the table of moves, recovery from errors, and the vote of one that does not run."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from engine.agents.lifecycle import (
    FIRST_PAUSE_US,
    MOVES,
    AgentEvent,
    AgentState,
    AgentStatus,
    IllegalTransition,
    after,
)
from engine.agents.panel import Panel
from engine.agents.roster import KEEPERS, VOTERS, Roster
from engine.model.candidates import AgentReport, Vote
from engine.model.events import MarketMoved
from engine.model.market import MarketBatch

MINUTE_US = 60_000_000


class Voter:
    """Approves, or raises while `error` is set."""

    name = "screener"

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0

    def judge(self, candidate: Any, context: Any) -> AgentReport:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return AgentReport(self.name, Vote.APPROVE, False, ("all in order",))


class Bench:
    """One voter on a panel with a roster, and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_us = 1_000
        self.moves: list[tuple[str, AgentState, AgentState]] = []
        self.roster = Roster(lambda: self.now_us, changed=self._note)
        self.roster.start()
        self.voter = Voter()
        self.panel = Panel([self.voter], lambda: 0, self.roster)

    def _note(self, status: AgentStatus, was: AgentState) -> None:
        self.moves.append((status.name, was, status.state))

    def ask(self, candidate: Any, context: Any) -> AgentReport:
        (report,) = self.panel.judge(candidate, context)
        return report

    @property
    def status(self) -> AgentStatus:
        status = self.roster.get("screener")
        assert status is not None
        return status


def test_the_worked_example_and_every_other_pair_raises(market_data: Path) -> None:
    path = market_data.parent / "oracles" / "oracles.json"
    if not path.is_file():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    entries = {(entry["section"], entry["id"]): entry["expected"] for entry in json.loads(path.read_text())}
    legal = {(before, event): then for before, event, then in entries["5", "legal_transitions"]}
    assert {(str(state), str(event)): str(then) for (state, event), then in MOVES.items()} == legal


@pytest.mark.parametrize(("state", "event"), list(product(AgentState, AgentEvent)))
def test_what_the_table_does_not_have_raises(state: AgentState, event: AgentEvent) -> None:
    if (state, event) in MOVES:
        assert after(state, event) is MOVES[state, event]
    else:
        with pytest.raises(IllegalTransition, match=f"an agent that is {state} cannot take {event}"):
            after(state, event)


def test_all_eight_run_after_the_start() -> None:
    roster = Roster(lambda: 5)
    assert {status.state for status in roster.statuses()} == {AgentState.INITIALIZED}
    roster.start()
    assert [status.name for status in roster.statuses()] == [*VOTERS, *KEEPERS]
    assert {status.state for status in roster.statuses()} == {AgentState.RUNNING}
    roster.start()
    assert {status.since_us for status in roster.statuses()} == {5}


def test_a_judgment_is_remembered(candidate: Any, make_context: Any) -> None:
    bench = Bench()
    assert bench.ask(candidate, make_context()).vote is Vote.APPROVE
    status = bench.status
    assert (status.state, status.vote, status.reason) == (AgentState.RUNNING, "approve", "all in order")
    assert (status.judged_us, status.error) == (1_000, "")
    assert bench.moves == []


def test_an_error_is_a_hard_veto_and_the_agent_rests(candidate: Any, make_context: Any) -> None:
    bench = Bench()
    bench.voter.error = ZeroDivisionError("bid is 0")
    first = bench.ask(candidate, make_context())
    assert (first.vote, first.hard) == (Vote.VETO, True)
    assert (bench.status.state, bench.status.error) == (AgentState.ERROR, "ZeroDivisionError: bid is 0")
    bench.voter.error = None
    second = bench.ask(candidate, make_context())
    assert (second.vote, second.hard, second.limit) == (Vote.VETO, True, "running")
    assert second.reasons == (
        "screener does not run: failed 1 of 3 times, asked again in 60 s: ZeroDivisionError: bid is 0",
    )
    assert bench.voter.asked == 1


def test_after_its_pause_it_is_asked_again_and_recovers(candidate: Any, make_context: Any) -> None:
    bench = Bench()
    bench.voter.error = ValueError("no")
    bench.ask(candidate, make_context())
    bench.voter.error = None
    bench.now_us += FIRST_PAUSE_US
    assert bench.ask(candidate, make_context()).vote is Vote.APPROVE
    assert (bench.status.state, bench.status.failures) == (AgentState.RUNNING, 0)
    assert bench.status.error == "ValueError: no"
    assert [then for _, _, then in bench.moves] == [AgentState.ERROR, AgentState.RUNNING]


def test_the_third_failure_in_a_row_is_the_last(candidate: Any, make_context: Any) -> None:
    bench = Bench()
    bench.voter.error = ValueError("no")
    pauses = []
    for _ in range(3):
        bench.ask(candidate, make_context())
        pauses.append(None if bench.status.retry_us is None else bench.status.retry_us - bench.now_us)
        bench.now_us += 10 * MINUTE_US
    assert pauses == [MINUTE_US, 2 * MINUTE_US, None]
    assert bench.status.state is AgentState.FAILED
    bench.voter.error = None
    bench.now_us += 1_000 * MINUTE_US
    report = bench.ask(candidate, make_context())
    assert report.reasons == ("screener does not run: failed 3 times, limit 3: ValueError: no",)
    bench.roster.put(bench.status.started(bench.now_us, "nina"))
    assert bench.ask(candidate, make_context()).vote is Vote.APPROVE
    assert bench.status.failures == 0


def test_a_paused_or_stopped_agent_is_a_hard_veto(candidate: Any, make_context: Any) -> None:
    bench = Bench()
    bench.roster.put(bench.status.moved(AgentEvent.PAUSE, 2_000, "nina on pts/1"))
    report = bench.ask(candidate, make_context())
    assert (report.hard, report.note) == (True, "agent paused")
    assert report.reasons == ("screener does not run: paused by nina on pts/1",)
    bench.roster.put(bench.status.moved(AgentEvent.RESUME, 3_000))
    assert bench.ask(candidate, make_context()).vote is Vote.APPROVE
    bench.roster.put(bench.status.stopped(4_000))
    assert bench.ask(candidate, make_context()).reasons == ("screener does not run: stopped",)
    with pytest.raises(IllegalTransition):
        bench.status.stopped(5_000)
    with pytest.raises(IllegalTransition):
        bench.status.started(5_000).started(5_001)


def test_a_failed_agent_is_stopped_by_force() -> None:
    failed = AgentStatus("trader", AgentState.FAILED, 0, failures=3)
    assert failed.stopped(1, "nina").state is AgentState.STOPPED


def test_a_piece_of_work_gives_its_value_or_the_problem() -> None:
    bench = Bench()
    good = bench.panel.attempt("screener", lambda: 7)
    assert (good.value, good.problem) == (7, "")
    bad = bench.panel.attempt("screener", lambda: 1 // 0)
    assert (bad.value, bad.problem[:17]) == (None, "ZeroDivisionError")
    assert bench.status.state is AgentState.ERROR
    resting = bench.panel.attempt("screener", lambda: 7)
    assert resting.value is None
    assert resting.problem.startswith("screener does not run: failed 1 of 3 times")


def test_work_that_takes_too_long_says_so() -> None:
    ticks = iter([0, 5_000_001, 0, 5_000_000])
    panel = Panel([], lambda: next(ticks))
    late = panel.attempt("screener", lambda: 7)
    assert (late.is_late, late.late_words) == (True, "timeout: 5.0 s, limit 5 s")
    assert not panel.attempt("screener", lambda: 7).is_late


def test_a_listener_that_is_paused_hears_nothing_and_one_that_fails_rests() -> None:
    now, heard = [0], []

    def hear(event: str) -> None:
        heard.append(event)
        if event == "bad":
            raise ValueError(event)

    roster = Roster(lambda: now[0])
    roster.start()
    listener = roster.listening("historian", hear)
    listener("one")
    status = roster.get("historian")
    assert status is not None
    assert status.reason == "heard str"
    with pytest.raises(ValueError, match="bad"):
        listener("bad")
    listener("two")
    assert heard == ["one", "bad"]
    assert roster.why_silent("historian").endswith("asked again in 60 s: str was not dealt with")
    now[0] += FIRST_PAUSE_US
    listener("three")
    listener(MarketMoved(MarketBatch(1)))
    status = roster.get("historian")
    assert status is not None
    assert (status.state, status.reason) == (AgentState.RUNNING, "heard str")
    roster.put(status.moved(AgentEvent.PAUSE, 9, "nina"))
    listener("four")
    assert heard[2] == "three"
    assert len(heard) == 4


def test_a_listener_is_marked_by_its_work() -> None:
    roster = Roster(lambda: 9)
    roster.start()
    roster.worked("historian", "wrote 3 signals")
    status = roster.get("historian")
    assert status is not None
    assert (status.state, status.reason, status.judged_us) == (AgentState.RUNNING, "wrote 3 signals", 9)
    roster.failed("historian", "StorageError: disk full")
    assert roster.why_silent("historian").startswith("failed 1 of 3 times")
    roster.failed("historian", "again, before it was asked")
    assert roster.get("historian") is not None
    for nobody in ("nobody",):
        roster.failed(nobody, "x")
        roster.worked(nobody, "x")
        roster.judged(nobody, AgentReport(nobody, Vote.APPROVE, False, ()))
        assert roster.get(nobody) is None
        assert roster.why_silent(nobody) == ""
