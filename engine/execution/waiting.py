"""What a person may do with a ticket that waits, besides deciding it: fewer shares, or later (SPEC 11.5).

A ticket never changes: fewer shares are another ticket, which takes the place of the first in one commit. The
first is over then, so that of both at most one is ever approved.
"""

from dataclasses import dataclass, replace
from decimal import Decimal

from engine.clock import US_PER_S, clock_text
from engine.execution.approving import other_text, outgrown, over, subject_of_ticket
from engine.execution.bracket import entry_spec
from engine.execution.gating import Gatekeeper, GateSubject
from engine.execution.ticketbook import Entry
from engine.execution.whynot import gate_words
from engine.model.candidates import GateResult
from engine.model.commands import Answer, ShrinkTicket
from engine.model.ids import TicketId
from engine.model.market import Instrument
from engine.model.tickets import Ticket
from engine.money import ZERO, round_quantity
from engine.risk.gates import GateStage, first_failure

SNOOZE_US = 300 * US_PER_S
"""How long a snoozed ticket is out of sight (SPEC 11.5)."""
BOUND_BY_PERSON = "you"
"""What stands where the binding rule of a size does."""


@dataclass(frozen=True, slots=True)
class Fewer:
    """The trade in the size that a person chose, and what the gates say of it now; none of them failed."""

    subject: GateSubject
    gates: tuple[GateResult, ...]


def fewer(
    command: ShrinkTicket, entry: Entry, replacement: Entry | None, gatekeeper: Gatekeeper, waiting: int
) -> Fewer | Answer:
    """The smaller trade, or why there is none. `waiting`: other tickets of its strategy and session."""
    subject = subject_of_ticket(entry.ticket)
    if subject is None:
        text = f"T-{entry.ticket.number} holds no limit entry. Nothing was changed."
        return Answer(False, "hash_mismatch", text)
    refused = (
        _no_number(command.quantity)
        or _done(command, entry, replacement)
        or over(entry, gatekeeper.clock.now_us())
        or other_text(command.sha256, entry, "shown")
        or outgrown(entry, gatekeeper)
        or _size(command.quantity, subject, gatekeeper)
    )
    if refused is not None:
        return refused
    lot = _lot(subject, gatekeeper)
    smaller = replace(subject, quantity=round_quantity(command.quantity, lot))
    gates = gatekeeper.run(GateStage.PROPOSAL, smaller, waiting)
    failure = first_failure(gates)
    if failure is not None:
        text = f"T-{entry.ticket.number} stays as it is: {gate_words(failure)}."
        return Answer(False, "gated_out", text)
    return Fewer(smaller, gates)


def shrunk(ticket: Ticket, new: TicketId, number: int, chosen: Fewer, gatekeeper: Gatekeeper) -> Ticket:
    """The ticket that takes its place: the same proposal, as old and as long to live, in fewer shares."""
    quantity, limit, plan = chosen.subject.quantity, chosen.subject.limit_price, ticket.exit_plan
    order = entry_spec(
        new, ticket.account, ticket.instrument, quantity, limit, plan.stop_price, plan.target_price
    )
    return replace(
        ticket,
        id=new,
        number=number,
        order=order,
        # The gates have just passed on this quote.
        quote=gatekeeper.picture.quote(ticket.instrument) or ticket.quote,
        gates=chosen.gates,
        cash_after=gatekeeper.buying_power() - quantity * limit,
        size_binding=BOUND_BY_PERSON,
    )


def why_not_later(entry: Entry, now_us: int) -> Answer | None:
    """Why a ticket stays in sight; None when it may be snoozed."""
    if refused := over(entry, now_us):
        return refused
    number, until_us, expires_us = entry.ticket.number, now_us + SNOOZE_US, entry.ticket.expires_us
    if until_us < expires_us:
        return None
    back, expires = clock_text(until_us), clock_text(expires_us)
    text = f"T-{number} back at {back}, expires {expires} before that: not snoozed"
    return Answer(False, "expires_first", text)


def _done(command: ShrinkTicket, entry: Entry, replacement: Entry | None) -> Answer | None:
    """The same key press again, or another person's for the same size."""
    order = None if replacement is None else replacement.ticket.order.entry
    if replacement is None or order is None or order.quantity != command.quantity:
        return None
    text = f"T-{entry.ticket.number} is T-{replacement.ticket.number} already: {order.quantity:f} shares."
    return Answer(True, "ok", text)


def _no_number(quantity: Decimal) -> Answer | None:
    if quantity.is_finite() and quantity >= ZERO:
        return None
    return Answer(False, "not_smaller", f"{quantity} is no number of shares.")


def _size(quantity: Decimal, subject: GateSubject, gatekeeper: Gatekeeper) -> Answer | None:
    lot = _lot(subject, gatekeeper)
    if quantity == ZERO:
        return Answer(False, "not_smaller", "0 shares refused: use reject.")
    if quantity >= subject.quantity:
        text = f"Shares {subject.quantity:f}, you may only go down: {quantity:f} refused."
        return Answer(False, "not_smaller", text)
    if quantity % lot != ZERO:
        return Answer(False, "not_smaller", f"{quantity:f} shares refused: whole lots of {lot:f} only.")
    return None


def _lot(subject: GateSubject, gatekeeper: Gatekeeper) -> Decimal:
    return gatekeeper.instruments.get(subject.instrument, Instrument(subject.instrument)).lot_size
