"""How a check of the full rule is written down: passed, failed, or excused by what a dataset cannot hold."""

from engine.agents.notes import clip
from engine.model.checks import Check, GateStatus, Step
from engine.model.positions import AccountKind
from engine.strategies.base import StrategyContext

PASS, FAIL, EXCUSED = GateStatus.PASS, GateStatus.FAIL, GateStatus.NOT_APPLICABLE


def judged(step: Step, name: str, holds: bool, value: str, limit: str, reason: str, note: str) -> Check:
    """A rule that was measured; the note is kept only where it speaks against the candidate."""
    return Check(name, step, PASS if holds else FAIL, value, limit, reason, "" if holds else clip(note))


def unknown(
    context: StrategyContext, step: Step, name: str, limit: str, what: str, in_dataset: bool = False
) -> Check:
    """A number that is not there fails; in a dataset that can never hold it (`in_dataset`) it is excused."""
    if in_dataset and context.dataset and context.account_kind is not AccountKind.LIVE:
        reason = f"{what}: not applicable (dataset)"
        return Check(name, step, EXCUSED, "unknown", limit, reason, "")
    return Check(name, step, FAIL, "unknown", limit, what, clip(f"{name} unknown"))
