"""What an approval commits to: the fields that its signature covers."""

from dataclasses import dataclass

from engine.model.ids import TicketId
from engine.model.tickets import canonical_json


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval as it is signed and stored. `approved_us`: int microseconds UTC of the engine's clock."""

    ticket: TicketId
    sha256: str
    """Of the ticket's canonical bytes."""
    nonce: str
    actor: str
    """Name, terminal and policy: `ann on pts/1`."""
    uid: int | None
    """User id of the process that gave it, by the kernel's word; None for a policy."""
    approved_us: int
    price_shown: float | None
    """The price that the person saw; None for a policy."""

    def canonical(self) -> bytes:
        """The bytes that are signed: JSON, sorted keys, no spaces (SPEC 11.9)."""
        return canonical_json(self)
