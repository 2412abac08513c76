"""Everything that a journal can prove about itself: chain, anchored head, approvals, books."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from engine.errors import UsageError
from engine.execution.accounting import disagreements
from engine.execution.ledger import Ledger, read_ledger
from engine.ports import Journal
from storage.audit import AuditVerdict
from storage.journal import JournalReader, read_journal
from storage.keyfile import ApprovalKey, read_key
from storage.paths import StatePaths
from storage.signatures import SignatureVerdict, verify_signatures

_HEAD = re.compile(r"(?P<seq>[0-9]{1,18}):(?P<digest>[0-9a-fA-F]{8,64})")


@dataclass(frozen=True, slots=True)
class Head:
    """An audit line that was anchored elsewhere: its number and the start of its hash."""

    seq: int
    digest: str


@dataclass(frozen=True, slots=True)
class Report:
    """Of one journal. What stands on a broken chain is not looked at: None."""

    chain: AuditVerdict
    anchor: str
    """What the anchored head shows to be wrong; "" when it fits or none was given."""
    signatures: SignatureVerdict | None
    books: tuple[str, ...]
    ledger: Ledger | None

    @property
    def ok(self) -> bool:
        """Nothing speaks against this journal, and everything in it could be checked."""
        signed = self.signatures is None or (self.signatures.ok and not self.signatures.other_key)
        return self.chain.ok and not self.anchor and signed and not self.books

    @property
    def problems(self) -> Iterator[str]:
        """What is wrong, one line each, the first broken row first."""
        if not self.chain.ok:
            yield (
                f"audit row {self.chain.first_broken_seq} does not fit the chain."
                f" {self.chain.rows:,} rows before it are whole"
            )
        if self.anchor:
            yield self.anchor
        if self.signatures is not None:
            yield from self.signatures.forged
            if self.signatures.other_key:
                yield (
                    f"{self.signatures.other_key:,} approvals were signed with a key that is not here:"
                    " not checked. Restore the approval key of this folder"
                )
        yield from self.books


def read_head(text: str) -> Head:
    """`120:ab12…` as the daemon's log says it. Raises UsageError."""
    found = _HEAD.fullmatch(text.strip())
    if found is None:
        raise UsageError(
            f"--head {text!r} is not SEQ:HASH", "Take both from a line `audit head` of the daemon's log"
        )
    return Head(int(found["seq"]), found["digest"].lower())


def verify(state: StatePaths, head: Head | None = None) -> Mapping[str, Report]:
    """The verdict on every journal of the folder, by file name. Raises UsageError where there is none.

    An anchored head names no journal: where there are several, one that holds it is enough.
    """
    key = read_key(state.approval_key)
    reports = {}
    for file in state.require_journals():
        with read_journal(file.path) as journal:
            reports[file.path.name] = _verify(journal, key, head)
    if any(not report.anchor for report in reports.values()):
        return {name: Report(r.chain, "", r.signatures, r.books, r.ledger) for name, r in reports.items()}
    return reports


def _verify(journal: JournalReader, key: ApprovalKey | None, head: Head | None) -> Report:
    chain = journal.verify()
    anchor = "" if head is None else _anchored(journal, chain, head)
    if not chain.ok:
        return Report(chain, anchor, None, (), None)
    # The checks ask for a whole journal and only read it.
    tables = cast(Journal, journal)
    return Report(chain, anchor, verify_signatures(journal, key), disagreements(tables), read_ledger(tables))


def _anchored(journal: JournalReader, chain: AuditVerdict, head: Head) -> str:
    if not chain.ok and head.seq > chain.rows:
        return ""  # the broken row says it; nothing behind it can be read
    if head.seq == 0:
        return ""
    found = next((str(line["h"]) for line in journal.audit() if line["seq"] == head.seq), None)
    if found is None:
        return f"the audit log was cut short: row {head.seq:,} was anchored, it ends at row {chain.rows:,}"
    if not found.startswith(head.digest):
        return f"audit row {head.seq:,} is not the one that was anchored: the log was written anew"
    return ""
