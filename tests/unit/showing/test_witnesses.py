"""Historian and Auditor tell of the past and never vote."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from engine.model.candidates import Vote
from engine.model.ids import InstrumentId, StrategyName
from engine.model.policy import GapsPolicy, TickerStanding, TickerState
from tui.showing.witnesses import witnesses

ABC, DAY, GAPS = InstrumentId("ABC.US"), date(2026, 11, 6), StrategyName("gaps")


def engine(policy: GapsPolicy | None) -> Any:
    return SimpleNamespace(learned=SimpleNamespace(policy=lambda strategy: policy))


@pytest.mark.parametrize(
    ("closed", "standings", "words"),
    [
        (14, {}, ("never traded", "14 closed: all six must agree")),
        (
            20,
            {ABC: TickerStanding(TickerState.MONITORED, 0.44, 1, 3)},
            ("3 past: 1 won, monitored", "20 closed: votes are weighted by accuracy"),
        ),
    ],
)
def test_both_say_what_the_past_is(closed: int, standings: Any, words: tuple[str, str]) -> None:
    policy = GapsPolicy("P", 5.5, 6.0, 0.62, 0.68, closed_trades=closed, standings=standings)
    reports = witnesses(engine(policy), GAPS, ABC, DAY)
    assert tuple(report.reasons[0] for report in reports) == words
    assert {report.vote for report in reports} == {Vote.ABSTAIN}


def test_where_nothing_is_learned_they_are_silent() -> None:
    assert witnesses(engine(None), GAPS, ABC, DAY) == ()
    nobody: Any = SimpleNamespace(learned=None)
    assert witnesses(nobody, GAPS, ABC, DAY) == ()
