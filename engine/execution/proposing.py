"""A proposal becomes a ticket: gated, its order fixed, everything that a person must know beside it."""

from decimal import Decimal

from engine.execution.bracket import entry_spec
from engine.execution.gating import Gatekeeper, GateSubject, realized_vol_of
from engine.model.candidates import GateResult, Proposal
from engine.model.ids import AccountId, TicketId
from engine.model.market import Quote
from engine.model.tickets import Ticket


def subject_of(proposal: Proposal) -> GateSubject:
    """What the gates look at before there is a ticket."""
    candidate = proposal.candidate
    return GateSubject(
        candidate.strategy,
        candidate.instrument,
        candidate.session,
        proposal.reports,
        candidate.regime,
        proposal.quantity,
        proposal.limit_price,
        candidate.decision_price,
        candidate.prev_close,
        candidate.adv_usd_20,
        candidate.assessment,
        realized_vol_of(candidate.features),
    )


def make_ticket(
    ticket: TicketId,
    number: int,
    account: AccountId,
    proposal: Proposal,
    gates: tuple[GateResult, ...],
    quote: Quote,
    equity: Decimal,
    gatekeeper: Gatekeeper,
) -> Ticket:
    """The ticket of a proposal, with all terms of its order."""
    candidate = proposal.candidate
    order = entry_spec(
        ticket,
        account,
        candidate.instrument,
        proposal.quantity,
        proposal.limit_price,
        proposal.exit_plan.stop_price,
        proposal.exit_plan.target_price,
    )
    now = gatekeeper.clock.now_us()
    return Ticket(
        id=ticket,
        number=number,
        correlation=candidate.correlation,
        strategy=candidate.strategy,
        account=account,
        instrument=candidate.instrument,
        session=candidate.session,
        created_us=now,
        expires_us=now + proposal.approval_ttl_us,
        order=order,
        exit_plan=proposal.exit_plan,
        entry_ttl_us=proposal.entry_ttl_us,
        decision_price=candidate.decision_price,
        atr=candidate.atr,
        quote=quote,
        regime=candidate.regime,
        features=candidate.features,
        reports=proposal.reports,
        gates=gates,
        equity=equity,
        cash_after=gatekeeper.buying_power() - proposal.quantity * proposal.limit_price,
        size_binding=proposal.size_binding,
        policy_id=proposal.policy_id,
        model_id=proposal.model_id,
        candidate_gap=candidate.gap,
        prev_close=candidate.prev_close,
        assessment=candidate.assessment,
    )
