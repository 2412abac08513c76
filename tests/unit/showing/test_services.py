"""Services that are called, as rows of Health."""

from dataclasses import replace
from typing import Any

import pytest

from engine.clock import US_PER_S
from engine.reliability.breaker import BreakerState
from engine.reliability.provider import SourceHealth
from engine.reliability.sla import SlaStatus
from tui.showing.services import service_rows
from tui.shown.health import SourceRow, SourceWord

NOW_US = 1_451_917_800_000_000
WELL = SourceHealth(
    name="alpaca",
    breaker=BreakerState.CLOSED,
    next_probe_us=None,
    sla=SlaStatus.OK,
    p95_ms=120.0,
    p99_ms=200.0,
    success_ratio=1.0,
    failures=0,
    calls=41,
    last_ok_us=NOW_US - 3 * US_PER_S,
    max_age_us=60 * US_PER_S,
    budget_ratio=0.8,
    last_error="",
    is_best_effort=False,
)


def row(**changes: Any) -> SourceRow:
    (found,) = service_rows([replace(WELL, **changes)], NOW_US)
    return found


def test_everything_that_is_known_is_in_its_row() -> None:
    assert row() == SourceRow(
        name="alpaca",
        word=SourceWord.OK,
        age_us=3 * US_PER_S,
        max_age_us=60 * US_PER_S,
        budget_ratio=0.8,
        messages=41,
        note="",
        p95_ms=120.0,
        success_ratio=1.0,
        failures=0,
        sla="OK",
        last_error="",
        best_effort=False,
    )


@pytest.mark.parametrize(
    ("changes", "word", "note"),
    [
        (
            {
                "breaker": BreakerState.OPEN,
                "next_probe_us": NOW_US + 38 * US_PER_S,
                "last_error": "it is down",
            },
            SourceWord.OFF,
            "tried again in 38s, it is down",
        ),
        ({"breaker": BreakerState.OPEN, "next_probe_us": NOW_US - 1}, SourceWord.OFF, "tried again in 0.0s"),
        ({"breaker": BreakerState.HALF_OPEN, "last_error": "it is down"}, SourceWord.TRYING, "it is down"),
        ({"sla": SlaStatus.FAILED}, SourceWord.TRYING, "failed"),
        ({"sla": SlaStatus.DEGRADED}, SourceWord.OK, "degraded"),
        ({"budget_ratio": 0.0}, SourceWord.WAITING, "budget used"),
        ({"calls": 0, "last_ok_us": None}, SourceWord.WAITING, "not called yet"),
        ({"is_best_effort": True}, SourceWord.OK, "best effort"),
        ({"last_ok_us": NOW_US - 10**12}, SourceWord.OK, ""),
    ],
)
def test_word_and_note(changes: dict[str, Any], word: SourceWord, note: str) -> None:
    found = row(**changes)
    assert (found.word, found.note) == (word, note)


def test_age_of_what_never_answered_is_not_known() -> None:
    assert row(last_ok_us=None).age_us is None
    assert row(last_ok_us=NOW_US + 5).age_us == 0
