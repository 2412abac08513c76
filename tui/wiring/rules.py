"""The strategies' config goes to the audit log when it is another: so that decisions can be re-derived."""

import hashlib

from engine.model.tickets import canonical_json, to_plain
from engine.ports import AuditEntry, Journal, JournalRow
from engine.report.facts import RULES_KIND
from engine.strategies.gaps_config import GapsConfig

KEY = "rules_sha256"
"""Of `meta`: the hash of what was kept last."""


def keep_rules(journal: Journal, gaps: GapsConfig, now_us: int) -> None:
    """Write it down unless the newest that was kept is the same. Raises StorageError."""
    sha256 = hashlib.sha256(canonical_json(gaps)).hexdigest()
    if journal.meta(KEY) == sha256:
        return
    line = AuditEntry(now_us, "engine", RULES_KIND, "", {"gaps": to_plain(gaps), "sha256": sha256})
    journal.commit([JournalRow("meta", {"k": KEY, "v": sha256})], [line])
