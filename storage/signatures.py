"""Whether every approval in a journal was given: text, nonce and signature fit together (RELIABILITY 8)."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite

from engine.model.approvals import Approval
from engine.model.ids import TicketId
from engine.model.tickets import ProposalState
from storage.journal import JournalReader
from storage.keyfile import ApprovalKey

_NOT_SENT = frozenset(
    {ProposalState.NEW, ProposalState.GATED_OUT, ProposalState.PENDING, ProposalState.REJECTED}
    | {ProposalState.EXPIRED, ProposalState.SUPERSEDED}
)
Row = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """`forged` says in words what does not fit; the counts are of approvals."""

    approvals: int
    checked: int
    """Signed by the key at hand, and right."""
    unsigned: int
    other_key: int
    """Signed by a key that is not at hand: nothing can be said of them."""
    has_key: bool
    forged: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Nothing speaks against any approval."""
        return not self.forged


def verify_signatures(journal: JournalReader, key: ApprovalKey | None) -> SignatureVerdict:
    """Check every ticket that was sent. Raises StorageError where the journal cannot be read."""
    nonces = {str(row["ticket"]): str(row["nonce"]) for row in journal.rows("nonce")}
    told = dict(_told(journal))
    checked = unsigned = other = approvals = 0
    forged: list[str] = []
    for row in journal.rows("ticket"):
        name = f"T-{row['number']}" if row["number"] else f"ticket {row['id']}"
        if hashlib.sha256(str(row["body"]).encode()).hexdigest() != row["sha256"]:
            forged.append(f"{name}: its text is not the one that its hash was made of")
        if row["approved_us"] is None:
            if row["state"] not in _NOT_SENT:
                forged.append(f"{name} is {row['state']}, and nobody approved it")
            continue
        approvals += 1
        ticket, signature = str(row["id"]), str(row["approval_sig"] or "")
        if ticket not in nonces:
            forged.append(f"{name}: its approval was never used up, it has no nonce")
        elif signature != told.get(ticket):
            forged.append(f"{name}: its signature is not the one in the audit log")
        elif not signature:
            unsigned += 1
        elif key is None or not key.made(signature):
            other += 1
        elif key.fits(signature, approval_of(row, nonces[ticket]).canonical()):
            checked += 1
        else:
            forged.append(f"{name}: its approval was changed, the signature does not fit")
    return SignatureVerdict(approvals, checked, unsigned, other, key is not None, tuple(forged))


def _told(journal: JournalReader) -> Iterator[tuple[str, str]]:
    """Ticket and signature of each approval in the audit log."""
    for line in journal.audit():
        if line["kind"] == "approved":
            body = json.loads(str(line["body"]))
            yield str(body.get("ticket")), str(body.get("signature") or "")


def approval_of(row: Row, nonce: str) -> Approval:
    """What the signature of a stored ticket covers."""
    uid, price, approved = row["approved_uid"], row["approved_px"], row["approved_us"]
    shown = None
    with suppress(ValueError):  # such an approval was never signed
        shown = None if price is None else float(price)
    shown = None if shown is None or not isfinite(shown) else shown
    return Approval(
        ticket=TicketId(str(row["id"])),
        sha256=str(row["sha256"]),
        nonce=nonce,
        actor=str(row["approved_by"]),
        uid=uid if isinstance(uid, int) else None,
        approved_us=approved if isinstance(approved, int) else 0,
        price_shown=shown,
    )
