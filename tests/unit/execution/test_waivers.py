"""Trading real money without evidence of an edge: typed, kept, and only where the configuration allows it."""

from collections.abc import Sequence
from typing import Any

from engine.errors import StorageError
from engine.execution.waivers import phrase_of, waive, waiver_of
from engine.model.commands import Actor, WaiveEvidence
from engine.model.ids import StrategyName

GAPS = StrategyName("gaps")
NINA = Actor("nina", "pts/1")
NOW_US = 1_451_918_400_000_000


class Kept:
    """A journal of `meta` rows and audit lines; `is_full`: nothing can be written."""

    def __init__(self) -> None:
        self.is_full = False
        self.values: dict[str, str] = {}
        self.lines: list[Any] = []

    def commit(self, rows: Sequence[Any], audit: Sequence[Any], protective: bool = False) -> None:
        if self.is_full:
            raise StorageError("the disk is full")
        self.values |= {row.values["k"]: row.values["v"] for row in rows}
        self.lines += audit

    def meta(self, key: str) -> str | None:
        return self.values.get(key)


def test_the_phrase_is_kept_with_who_typed_it() -> None:
    kept: Any = Kept()
    answer = waive(kept, WaiveEvidence(GAPS, "gaps WITHOUT EVIDENCE", NINA), True, NOW_US)
    assert answer.ok
    assert waiver_of(kept, GAPS) == "nina on pts/1 at 14:40:00Z"
    (line,) = kept.lines
    assert (line.kind, line.actor) == ("evidence_waived", "nina on pts/1")
    assert line.body == {"strategy": "gaps", "typed": phrase_of(GAPS)}


def test_nothing_is_allowed_by_another_text_or_against_the_configuration() -> None:
    kept: Any = Kept()
    wrong = waive(kept, WaiveEvidence(GAPS, "yes", NINA), True, NOW_US)
    assert (wrong.code, wrong.text) == ("wrong_phrase", "Type gaps WITHOUT EVIDENCE. Nothing was allowed.")
    off = waive(kept, WaiveEvidence(GAPS, phrase_of(GAPS), NINA), False, NOW_US)
    assert off.code == "not_configured"
    assert waiver_of(kept, GAPS) == ""
    assert kept.lines == []


def test_what_cannot_be_written_is_not_allowed() -> None:
    kept: Any = Kept()
    kept.is_full = True
    answer = waive(kept, WaiveEvidence(GAPS, phrase_of(GAPS), NINA), True, NOW_US)
    assert (answer.ok, answer.code) == (False, "not_journalled")
    assert waiver_of(kept, GAPS) == ""
