"""A rule that was held against one candidate: what was measured, and what would have passed."""

from dataclasses import dataclass
from enum import StrEnum


class GateStatus(StrEnum):
    """A gate that cannot judge says so; it never passes silently."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NOT_APPLICABLE = "not_applicable"


class Step(StrEnum):
    """The steps of the funnel, in order; a candidate is lost at the first one that it fails."""

    UNIVERSE = "universe"
    GAP = "gap"
    TRIGGER = "trigger"
    EARNINGS = "earnings"
    HALTS = "halts"
    FILTERS = "filters"
    SCORES = "scores"


@dataclass(frozen=True, slots=True)
class Check:
    """One rule: `value` was measured, `limit` would have passed, `reason` says both in a sentence.

    `note`: the form for a table, at most 16 characters. NOT_APPLICABLE: the data cannot tell, and the reason
    says why; a live account takes no such excuse.
    """

    name: str
    step: Step
    status: GateStatus
    value: str
    limit: str
    reason: str
    note: str

    @property
    def is_failed(self) -> bool:
        """Whether it speaks against the candidate."""
        return self.status is GateStatus.FAIL
