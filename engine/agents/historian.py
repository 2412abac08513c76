"""Remembers every candidate, decision and outcome in the agents' memory (SPEC 3.10); it never votes.

The memory is a projection: what it lacks, and all of it, can be told again from the journal.
"""

from collections.abc import Mapping

from engine.agents.past import closed_trade
from engine.model.events import CandidatesJudged, PolicyMoved, RoundTripClosed, ShadowEnded, TicketChanged
from engine.model.policy import StepState
from engine.model.tickets import ProposalState
from engine.ports import Journal, Memory

KINDS: Mapping[ProposalState, str] = {
    ProposalState.PENDING: "proposal",
    ProposalState.SUBMITTED: "approve",
    ProposalState.REJECTED: "reject",
    ProposalState.EXPIRED: "expire",
    ProposalState.CLOSING: "exit",
}
"""Which moves of a ticket are actions worth remembering, and their names in the table."""
HEARD = (CandidatesJudged, TicketChanged, RoundTripClosed, ShadowEnded, PolicyMoved)
"""The events it listens to."""


class Historian:
    """A listener of the bus: hands what happened to the memory."""

    name = "historian"

    def __init__(self, memory: Memory, journal: Journal) -> None:
        self._memory = memory
        self._journal = journal

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
                self._memory.record_outcome(closed_trade(self._journal, event.round_trip))
            case ShadowEnded():
                self._memory.record_outcome(event.trade)
            case PolicyMoved() if event.step.state is StepState.APPLIED:
                self._memory.record_policy(event.step)
