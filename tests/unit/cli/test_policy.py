"""`tradedeck policy` and `tradedeck memory rebuild`, on a state that no engine holds."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.agents.policybook import PolicyBook, PolicyDesk
from engine.agents.policyrows import Rules
from engine.clock import TestClock
from engine.model.commands import AcceptPolicy, Answer, ReleaseStrategy, RevertPolicy
from engine.model.ids import CorrelationId, InstrumentId, StrategyName, UlidFactory
from engine.model.market import Session
from engine.model.policy import ClosedTrade
from engine.model.positions import AccountKind, ExitReason
from engine.ports import JournalRow
from engine.risk.limits import FULL
from engine.strategies.gaps_config import GapsConfig
from storage.journal import open_journal
from tui.commands import policy as commands

GAPS = StrategyName("gaps")


class Weekdays:
    """A calendar of weekdays."""

    def between(self, first: date, last: date) -> list[Session]:
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [Session(day, 0, 1) for day in days if day.weekday() < 5]


def lost(n: int) -> ClosedTrade:

    return ClosedTrade(
        id=f"T{n}",
        correlation=CorrelationId(f"C{n}"),
        strategy=GAPS,
        instrument=InstrumentId("BAD.US"),
        session=date(2015, 12, 1),
        shadow=False,
        proposed=True,
        entry_us=n,
        entry_price=Decimal(10),
        exit_us=n,
        exit_session=date(2015, 12, 1),
        exit_price=Decimal("9.2"),
        exit_reason=ExitReason.STOP,
        sessions=1,
        quantity=Decimal(5),
        cost=Decimal(0),
    )


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder where a step waits and the strategy is frozen."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    clock = TestClock(1_451_941_200_000_000)
    calendar: Any = Weekdays()
    with open_journal(folder / "journal-paper-paper.db", "paper", AccountKind.PAPER) as journal:
        desk = PolicyDesk(
            journal, clock, calendar, UlidFactory(clock.now_us, lambda bits: 1).new, lambda event: None
        )
        book = PolicyBook(desk, GAPS, Rules(GapsConfig(auto_adapt=False), AccountKind.PAPER, FULL, 0.10))
        book.restore()
        for n in range(20):
            book.learn(lost(n))
        clock.advance_to(clock.now_us() + 1_000_000)
        book.review()
        row = {"strategy": "gaps", "why": "B-1: size 60, demanded <= 39", "since_us": 1, "by": "auditor"}
        journal.commit([JournalRow("freeze", row)], ())
    return folder


def test_policy_says_what_holds_and_what_waits(deck: Any, state: Path) -> None:
    ended = deck("policy", "--state", str(state))
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0].startswith("gaps: policy rules")
    assert lines[0].endswith("0 steps applied")
    assert "  bcs_min          5.5, moves in 5.5 to 8" in lines
    assert any("P-1 waiting: bcs_min 5.5 -> 5.75" in line for line in lines)
    assert "  To apply it: tradedeck policy accept P-1" in lines
    assert "Steps wait for you." in lines
    assert "FROZEN: B-1: size 60, demanded <= 39" in lines
    assert "  To release it: tradedeck policy release gaps" in lines


def test_policy_as_a_document(deck: Any, state: Path) -> None:
    found = json.loads(deck("policy", "--state", str(state), "--json").out)
    assert found["thresholds"]["q_min"] == {"now": 0.62, "configured": 0.62, "bounds": [0.6, 0.75]}
    assert [step["step"] for step in found["waiting"]] == ["P-1"]
    assert found["frozen"]


def test_history_names_the_trades_behind_a_step(deck: Any, state: Path) -> None:
    whole = deck("policy", "show", "--state", str(state))
    assert [line.split()[2] for line in whole.out.splitlines()][1:] == ["P-1"]
    assert whole.out.startswith("2016-01-04 21:00:00Z rules")
    one = deck("policy", "--state", str(state), "show", "1")
    assert one.out.splitlines()[1].startswith("  trades behind it: C0, C1, C2")
    document = json.loads(deck("policy", "show", "P-1", "--state", str(state), "--json").out)
    assert len(document[0]["trades"]) == 20
    unknown = deck("policy", "show", "P-7", "--state", str(state))
    assert (unknown.code, unknown.out) == (2, "")
    assert "Steps: P-1" in unknown.err


def test_state_without_rules_says_so(deck: Any, tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir(mode=0o700)
    with open_journal(folder / "journal-paper-paper.db", "paper", AccountKind.PAPER):
        pass
    ended = deck("policy", "--state", str(folder))
    assert (ended.code, ended.out) == (65, "")
    assert "no policy of gaps was kept yet" in ended.err


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (("accept", "P-1"), AcceptPolicy),
        (("revert", "P-1"), RevertPolicy),
        (("release", "gaps"), ReleaseStrategy),
    ],
)
def test_commands_reach_the_engine_and_tell_its_answer(
    deck: Any, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], command: type
) -> None:
    given: list[Any] = []

    class Link:
        def give(self, what: Any) -> Answer:
            given.append(what)
            ok = len(given) == 1
            return Answer(ok, "ok" if ok else "not_waiting", "Done." if ok else "P-1 does not wait.")

    monkeypatch.setattr(commands, "with_engine", lambda at, use: use(Link()))
    assert deck("policy", *words).out == "Done.\n"
    assert isinstance(given[0], command)
    refused = deck("policy", *words)
    assert (refused.code, refused.out, refused.err) == (65, "", "P-1 does not wait.\n")
    assert json.loads(deck("policy", *words, "--json").out)["code"] == "not_waiting"


def test_command_without_an_engine_says_how_to_start_one(deck: Any, state: Path) -> None:
    ended = deck("policy", "accept", "P-1", "--state", str(state))
    assert ended.code == 75
    assert "no engine runs on" in ended.err


def test_memory_is_told_what_it_lacks(deck: Any, state: Path) -> None:
    first = deck("memory", "rebuild", "--state", str(state))
    assert (first.code, first.err) == (0, "")
    assert first.out == (
        "paper: 0 candidates, 0 actions, 0 outcomes and 0 steps of policy were missing and are told\n"
    )
    document = json.loads(deck("memory", "rebuild", "--state", str(state), "--json").out)
    assert document == {"paper": {"signals": 0, "actions": 0, "outcomes": 0, "steps": 0}}
    assert (state / "tradedeck.db").exists()
