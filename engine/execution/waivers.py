"""A person takes it upon themselves to trade real money without evidence of an edge (SPEC 3.3.6).

Typed once, kept in the journal and in its audit log, and said on every ticket from then on.
"""

from engine.clock import clock_text
from engine.errors import StorageError
from engine.model.commands import Answer, WaiveEvidence
from engine.model.ids import StrategyName
from engine.ports import AuditEntry, Journal, JournalRow

_KEY = "without_evidence_"


def phrase_of(strategy: StrategyName) -> str:
    """What must be typed."""
    return f"{strategy} WITHOUT EVIDENCE"


def waiver_of(journal: Journal, strategy: StrategyName) -> str:
    """Who allowed it and when; "" nobody."""
    return journal.meta(f"{_KEY}{strategy}") or ""


def waive(journal: Journal, command: WaiveEvidence, is_configured: bool, now_us: int) -> Answer:
    """Keep it where the configuration allows it and the phrase is right."""
    key = f"{command.strategy}.live_without_evidence"
    if not is_configured:
        return Answer(False, "not_configured", f"{key} is not true. Nothing was allowed.")
    if command.typed != phrase_of(command.strategy):
        return Answer(False, "wrong_phrase", f"Type {phrase_of(command.strategy)}. Nothing was allowed.")
    said = f"{command.actor} at {clock_text(now_us)}"
    row = JournalRow("meta", {"k": f"{_KEY}{command.strategy}", "v": said})
    body = {"strategy": command.strategy, "typed": command.typed}
    line = AuditEntry(now_us, str(command.actor), "evidence_waived", "", body)
    try:
        journal.commit((row,), (line,))
    except StorageError as error:
        return Answer(False, "not_journalled", f"Nothing was allowed: {error}")
    text = f"{command.strategy} may trade real money without evidence of an edge. Every ticket says so."
    return Answer(True, "ok", text)
