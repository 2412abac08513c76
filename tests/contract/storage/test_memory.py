"""What the agents' memory promises, on every database it runs on (engine.ports.Memory, SPEC 3.10)."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.errors import InvariantBroken, StorageError
from engine.model.assessment import Assessment, BcsParts
from engine.model.candidates import AgentReport, FeatureValue, Verdict, Vote
from engine.model.forecasts import Forecast
from engine.model.ids import CorrelationId, StrategyName
from engine.model.policy import Author, ClosedTrade, Param, ParamMove, PolicyStep
from engine.model.positions import ExitReason
from engine.ports import Known
from storage.memory import SqlMemory, open_memory
from storage.memory_records import ActionKind
from storage.sql import open_engine


def test_verdict_is_read_back_as_it_was(memory: SqlMemory, new_verdict: Callable[..., Verdict]) -> None:
    verdict = new_verdict()
    memory.record_verdicts([verdict])
    (signal,) = memory.signals()
    candidate = verdict.candidate
    assert (signal.correlation, signal.ts, signal.session) == (
        candidate.correlation,
        candidate.decided_us,
        candidate.session,
    )
    assert (signal.strategy, signal.instrument, signal.regime) == ("gaps", "ABC.US", candidate.regime)
    assert signal.features == candidate.features
    assert signal.votes == verdict.reports
    assert (signal.vetoed, signal.veto_agent, signal.veto_reason) == (False, None, None)
    assert (signal.policy_id, signal.model_version) == ("default", None)


def test_vetoed_verdict_names_agent_and_reason(
    memory: SqlMemory, new_verdict: Callable[..., Verdict]
) -> None:
    memory.record_verdicts([new_verdict(proposed=False)])
    (signal,) = memory.signals()
    assert (signal.vetoed, signal.veto_agent, signal.veto_reason) == (
        True,
        "screener",
        "gap -2 %, limit -5 %",
    )


def test_hard_veto_is_named_before_an_earlier_soft_one(
    memory: SqlMemory, new_verdict: Callable[..., Verdict]
) -> None:
    reports = (
        AgentReport("screener", Vote.VETO, False, ("soft",)),
        AgentReport("riskofficer", Vote.VETO, True, ("8 open, limit 8",)),
    )
    memory.record_verdicts([new_verdict(proposed=False, reports=reports)])
    (signal,) = memory.signals()
    assert (signal.veto_agent, signal.veto_reason) == ("riskofficer", "8 open, limit 8")


def test_verdict_that_no_agent_vetoed_keeps_its_reason(
    memory: SqlMemory, new_verdict: Callable[..., Verdict]
) -> None:
    reports = (AgentReport("trader", Vote.ABSTAIN, False, ("no_model",)),)
    memory.record_verdicts([new_verdict(proposed=False, reports=reports, reason="size 0")])
    (signal,) = memory.signals()
    assert (signal.vetoed, signal.veto_agent, signal.veto_reason) == (True, None, "size 0")


def test_what_the_model_found_has_columns_of_its_own(
    memory: SqlMemory, new_verdict: Callable[..., Verdict]
) -> None:
    forecast = Forecast("m7", 0.8, 0.7, 0.6, 0.75, 0.066, -0.084, -0.003, (), (), True)
    bcs = BcsParts(2.0, 1.5, 1.0, 0.5, 0.5, 1.0, 0.75)
    found = Assessment(forecast, "", 0.004, 0.01, bcs, 0.62, 5.5, 0.2, None, ())
    verdict = new_verdict(proposed=False)
    judged = replace(verdict, candidate=replace(verdict.candidate, assessment=found))
    memory.record_verdicts([judged], "p9")
    (signal,) = memory.signals()
    assert (signal.p_revert, signal.bcs) == (pytest.approx(0.56), 7.25)
    assert (signal.model_version, signal.policy_id) == ("m7", "p9")


def test_missing_number_must_be_none_not_nan(memory: SqlMemory, new_verdict: Callable[..., Verdict]) -> None:
    broken = (FeatureValue("z5", float("nan"), None, 1, 2, "replay", "1"),)
    with pytest.raises(InvariantBroken, match="JSON"):
        memory.record_verdicts([new_verdict("01A"), new_verdict("01B", features=broken)])
    assert memory.signals() == ()


def test_action_is_read_back_with_its_signal(memory: SqlMemory, new_verdict: Callable[..., Verdict]) -> None:
    verdict = new_verdict()
    correlation = verdict.candidate.correlation
    memory.record_verdicts([verdict])
    memory.record_action(correlation, 5, "approve", "me on tty1", {"price": Decimal("8.37"), "n": [1, None]})
    memory.record_action("other", 4, "reject", "me on tty1", {})
    (action,) = memory.actions(correlation)
    assert (action.kind, action.ts, action.actor) == (ActionKind.APPROVE, 5, "me on tty1")
    assert action.payload == {"price": "8.37", "n": [1, None]}
    assert [found.kind for found in memory.actions()] == [ActionKind.REJECT, ActionKind.APPROVE]


def test_action_of_an_unknown_kind_is_our_own_bug(memory: SqlMemory) -> None:
    with pytest.raises(InvariantBroken, match="'dance'"):
        memory.record_action("01A", 5, "dance", "me", {})


def test_outcome_keeps_prices_exactly_and_has_its_reward(
    memory: SqlMemory, new_trade: Callable[..., ClosedTrade]
) -> None:
    trade = new_trade()
    memory.record_outcome(trade)
    (outcome,) = memory.outcomes(trade.correlation)
    assert (outcome.entry_px, outcome.exit_px) == (trade.entry_price, trade.exit_price)
    assert (outcome.ticket, outcome.exit_reason, outcome.sessions) == (trade.id, ExitReason.TARGET, 2)
    assert (outcome.ret, outcome.cost) == (trade.ret, trade.cost)
    assert outcome.reward == pytest.approx(0.98)
    assert (outcome.shadow, outcome.mae, outcome.mfe) == (False, -0.031, 0.0625)


def test_trade_is_read_back_as_the_policy_reads_it(
    memory: SqlMemory, new_trade: Callable[..., ClosedTrade]
) -> None:
    real = new_trade()
    followed = new_trade("shadow-01B", shadow=True, proposed=False, mae=None, mfe=None, votes={}, exit_us=9)
    memory.record_outcome(real)
    memory.record_outcome(followed)
    assert memory.trades() == (followed, real)


def test_outcome_of_before_all_of_it_was_kept_is_no_trade(
    memory_target: Path | str, new_trade: Callable[..., ClosedTrade]
) -> None:
    with open_memory(memory_target) as memory:
        memory.record_outcome(new_trade())
    engine = open_engine(memory_target)
    with engine.begin() as connection:
        connection.execute(text("UPDATE outcomes SET quantity = NULL"))
    engine.dispose()
    with open_memory(memory_target) as memory:
        assert memory.trades() == ()
        assert len(memory.outcomes()) == 1


def test_step_of_policy_is_one_row_for_each_parameter(memory: SqlMemory) -> None:
    moves = (ParamMove(Param.BCS_MIN, 5.5, 5.75), ParamMove(Param.Q_MIN, 0.62, 0.63))
    step = PolicyStep(
        "01STEP",
        3,
        StrategyName("gaps"),
        7,
        "gaps-full-1-0a1b2c3d",
        moves,
        "11 of 24 at target",
        (CorrelationId("C1"), CorrelationId("C2")),
        Author.AUDITOR,
        decided_us=9,
    )
    memory.record_policy(step)
    memory.record_policy(step)
    rows = memory.policies()
    assert [(row.policy_id, row.param, row.old, row.new) for row in rows] == [
        ("01STEP.1", Param.BCS_MIN, 5.5, 5.75),
        ("01STEP.2", Param.Q_MIN, 0.62, 0.63),
    ]
    assert {(row.step, row.ts, row.parent_id, row.author) for row in rows} == {
        ("01STEP", 9, "gaps-full-1-0a1b2c3d", Author.AUDITOR)
    }
    assert rows[0].evidence == ("C1", "C2")


def test_memory_says_what_it_knows(
    memory: SqlMemory, new_verdict: Callable[..., Verdict], new_trade: Callable[..., ClosedTrade]
) -> None:
    assert memory.known() == Known(frozenset(), frozenset(), frozenset(), frozenset())
    memory.record_verdicts([new_verdict("C1")])
    memory.record_action("C2", 5, "approve", "me", {})
    memory.record_outcome(new_trade("T1"))
    found = memory.known()
    assert (found.signals, found.acted, found.outcomes) == ({"C1"}, {"C2"}, {"T1"})


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (ExitReason.STOP, -1.02),
        (ExitReason.TIME, -0.22),
        (ExitReason.MANUAL, None),
        (ExitReason.EMERGENCY, None),
    ],
)
def test_reward_of_each_exit(
    memory: SqlMemory, new_trade: Callable[..., ClosedTrade], reason: ExitReason, expected: float | None
) -> None:
    memory.record_outcome(new_trade(exit_reason=reason))
    (outcome,) = memory.outcomes()
    assert outcome.reward == (None if expected is None else pytest.approx(expected))


def test_same_fact_recorded_twice_is_one_row(
    memory: SqlMemory, new_verdict: Callable[..., Verdict], new_trade: Callable[..., ClosedTrade]
) -> None:
    for _ in range(2):
        memory.record_verdicts([new_verdict()])
        memory.record_action("01A", 5, "approve", "me", {"a": 1})
        memory.record_outcome(new_trade())
    assert (len(memory.signals()), len(memory.actions()), len(memory.outcomes())) == (1, 1, 1)


def test_batch_left_by_an_error_keeps_nothing(
    memory: SqlMemory, new_verdict: Callable[..., Verdict], new_trade: Callable[..., ClosedTrade]
) -> None:
    def write_and_fail() -> None:
        with memory.batch():
            memory.record_verdicts([new_verdict()])
            memory.record_outcome(new_trade())
            assert len(memory.signals()) == 1
            raise KeyError

    with pytest.raises(KeyError):
        write_and_fail()
    assert (memory.signals(), memory.outcomes()) == ((), ())
    with memory.batch():
        memory.record_verdicts([new_verdict()])
        memory.record_action("01A", 5, "approve", "me", {})
    assert (len(memory.signals()), len(memory.actions())) == (1, 1)


def test_no_verdicts_are_no_rows(memory: SqlMemory) -> None:
    memory.record_verdicts([])
    assert memory.signals() == ()


def test_memory_is_there_after_it_was_closed(
    memory_target: Path | str, new_trade: Callable[..., ClosedTrade]
) -> None:
    with open_memory(memory_target) as memory:
        memory.record_outcome(new_trade())
    with open_memory(memory_target) as memory:
        assert len(memory.outcomes()) == 1
    with open_memory(memory_target, read_only=True) as memory:
        assert len(memory.outcomes()) == 1


def test_memory_cannot_be_read_before_it_was_made(memory_target: Path | str) -> None:
    with pytest.raises(StorageError, match="tart tradedeck once"):
        open_memory(memory_target, read_only=True)


def test_row_that_makes_no_sense_is_a_damaged_database(
    memory_target: Path | str, new_trade: Callable[..., ClosedTrade]
) -> None:
    with open_memory(memory_target) as memory:
        memory.record_outcome(new_trade())
    engine = open_engine(memory_target)
    with engine.begin() as connection:
        connection.execute(text("UPDATE outcomes SET entry_px = 'eight'"))
    engine.dispose()
    with open_memory(memory_target) as memory, pytest.raises(StorageError, match="makes no sense"):
        memory.outcomes()
