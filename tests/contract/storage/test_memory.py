"""What the agents' memory promises, on every database it runs on (engine.ports.Memory, SPEC 3.10)."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from engine.errors import InvariantBroken, StorageError
from engine.model.candidates import AgentReport, FeatureValue, Verdict, Vote
from engine.model.positions import ExitReason, RoundTrip
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


def test_scores_among_the_features_have_columns_of_their_own(
    memory: SqlMemory, new_verdict: Callable[..., Verdict]
) -> None:
    features = tuple(FeatureValue(name, value, None, 1, 2, "model", "1") for name, value in
                     (("p_revert", 0.61), ("bcs", 7.3)))  # fmt: skip
    memory.record_verdicts([new_verdict(features=features)])
    (signal,) = memory.signals()
    assert (signal.p_revert, signal.bcs) == (0.61, 7.3)


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
    memory: SqlMemory, new_round_trip: Callable[..., RoundTrip]
) -> None:
    trip = new_round_trip()
    memory.record_outcome(trip)
    (outcome,) = memory.outcomes(trip.correlation)
    assert (outcome.entry_px, outcome.exit_px, outcome.cost) == (trip.entry_price, trip.exit_price, trip.fees)
    assert (outcome.ticket, outcome.exit_reason, outcome.sessions) == (trip.ticket, ExitReason.TARGET, 2)
    assert outcome.ret == trip.return_ratio
    assert outcome.reward == pytest.approx(0.98)
    assert (outcome.shadow, outcome.mae, outcome.mfe) == (False, None, None)


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
    memory: SqlMemory, new_round_trip: Callable[..., RoundTrip], reason: ExitReason, expected: float | None
) -> None:
    memory.record_outcome(new_round_trip(exit_reason=reason))
    (outcome,) = memory.outcomes()
    assert outcome.reward == (None if expected is None else pytest.approx(expected))


def test_same_fact_recorded_twice_is_one_row(
    memory: SqlMemory, new_verdict: Callable[..., Verdict], new_round_trip: Callable[..., RoundTrip]
) -> None:
    for _ in range(2):
        memory.record_verdicts([new_verdict()])
        memory.record_action("01A", 5, "approve", "me", {"a": 1})
        memory.record_outcome(new_round_trip())
    assert (len(memory.signals()), len(memory.actions()), len(memory.outcomes())) == (1, 1, 1)


def test_batch_left_by_an_error_keeps_nothing(
    memory: SqlMemory, new_verdict: Callable[..., Verdict], new_round_trip: Callable[..., RoundTrip]
) -> None:
    def write_and_fail() -> None:
        with memory.batch():
            memory.record_verdicts([new_verdict()])
            memory.record_outcome(new_round_trip())
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
    memory_target: Path | str, new_round_trip: Callable[..., RoundTrip]
) -> None:
    with open_memory(memory_target) as memory:
        memory.record_outcome(new_round_trip())
    with open_memory(memory_target) as memory:
        assert len(memory.outcomes()) == 1
    with open_memory(memory_target, read_only=True) as memory:
        assert len(memory.outcomes()) == 1


def test_memory_cannot_be_read_before_it_was_made(memory_target: Path | str) -> None:
    with pytest.raises(StorageError, match="tart tradedeck once"):
        open_memory(memory_target, read_only=True)


def test_row_that_makes_no_sense_is_a_damaged_database(
    memory_target: Path | str, new_round_trip: Callable[..., RoundTrip]
) -> None:
    with open_memory(memory_target) as memory:
        memory.record_outcome(new_round_trip())
    engine = open_engine(memory_target)
    with engine.begin() as connection:
        connection.execute(text("UPDATE outcomes SET entry_px = 'eight'"))
    engine.dispose()
    with open_memory(memory_target) as memory, pytest.raises(StorageError, match="makes no sense"):
        memory.outcomes()
