"""Remembers every candidate, decision and outcome in the agents' memory (SPEC 3.10); it never votes."""

from collections.abc import Mapping

from engine.model.events import CandidatesJudged, RoundTripClosed, TicketChanged
from engine.model.tickets import ProposalState
from engine.ports import Memory

KINDS: Mapping[ProposalState, str] = {
    ProposalState.PENDING: "proposal",
    ProposalState.SUBMITTED: "approve",
    ProposalState.REJECTED: "reject",
    ProposalState.EXPIRED: "expire",
    ProposalState.CLOSING: "exit",
}
"""Which moves of a ticket are actions worth remembering, and their names in the table."""


class Historian:
    """A listener of the bus: hands what happened to the memory."""

    name = "historian"

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def hear(self, event: object) -> None:
        """Write one event of the kinds below; others are not its business."""
        match event:
            case CandidatesJudged():
                self._memory.record_verdicts(event.verdicts)
            case TicketChanged():
                kind = KINDS.get(event.state)
                if kind is not None:
                    payload = {
                        "ticket": event.ticket.id,
                        "sha256": event.ticket.sha256,
                        "reason": event.reason,
                    }
                    self._memory.record_action(event.ticket.correlation, event.ts, kind, event.actor, payload)
            case RoundTripClosed():
                self._memory.record_outcome(event.round_trip)
