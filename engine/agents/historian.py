"""Remembers every candidate, decision and outcome in the agents' memory (SPEC 3.10); it never votes.

The memory is a projection: what it lacks, and all of it, can be told again from the journal.
"""

from collections.abc import Callable, Mapping

from engine.agents.past import closed_trade, followed_trades, real_trades
from engine.agents.policyrows import applied_steps
from engine.model.events import CandidatesJudged, PolicyMoved, RoundTripClosed, ShadowEnded, TicketChanged
from engine.model.ids import StrategyName
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

    def __init__(
        self,
        memory: Memory,
        journal: Journal,
        policy_of: Callable[[StrategyName], str | None] = lambda strategy: None,
    ) -> None:
        """`policy_of`: id of the policy in force."""
        self._memory = memory
        self._journal = journal
        self._policy_of = policy_of

    def catch_up(self) -> None:
        """Tell the memory the outcomes and steps that it lacks: a process may end before it could."""
        known = self._memory.known()
        with self._memory.batch():
            for trade in (*real_trades(self._journal), *followed_trades(self._journal)):
                if trade.id not in known.outcomes:
                    self._memory.record_outcome(trade)
            for step in applied_steps(self._journal):
                if step.id not in known.steps:
                    self._memory.record_policy(step)

    def hear(self, event: object) -> None:
        """Write one event of the kinds below; others are not its business."""
        match event:
            case CandidatesJudged():
                policy_id = self._policy_of(StrategyName(event.strategy))
                self._memory.record_verdicts(event.verdicts, policy_id)
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
