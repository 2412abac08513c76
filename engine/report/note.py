"""The hash of a report goes to the audit log: which report was made of a decision can be proved later."""

import re

from engine.errors import StorageError
from engine.model.commands import Answer, NoteReport
from engine.ports import AuditEntry, Journal
from engine.report.facts import REPORT_KIND

FORMS = ("json", "md", "html")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def note(journal: Journal, command: NoteReport, now_us: int) -> Answer:
    """Write the hash down, once for each report; of a decision that the log does not know, nothing."""
    if not _SHA256.fullmatch(command.sha256) or command.form not in FORMS:
        return Answer(False, "malformed", f"A report has a SHA-256 and is {', '.join(FORMS)}.")
    try:
        lines = journal.audit(command.correlation) if command.correlation else ()
        if not lines:
            return Answer(False, "unknown_decision", "The log tells nothing of this decision.")
        body = {"sha256": command.sha256, "form": command.form}
        if any(_is_same(str(line["body"]), command.sha256) for line in lines if line["kind"] == REPORT_KIND):
            return Answer(True, "ok", "This report is in the audit log already.")
        journal.commit((), (AuditEntry(now_us, str(command.actor), REPORT_KIND, command.correlation, body),))
    except StorageError as error:
        return Answer(False, "not_journalled", f"The report is not in the audit log: {error}")
    return Answer(True, "ok", "The report's hash is in the audit log.")


def _is_same(body: str, sha256: str) -> bool:
    """A hash stands nowhere else in such a line."""
    return f'"sha256":"{sha256}"' in body
