"""May this key press become this order, now? Each check is a value: None lets it go on (RELIABILITY 8)."""

from math import isfinite

from engine.clock import US_PER_S, clock_text
from engine.execution.gating import Gatekeeper, GateSubject, realized_vol_of, traded_value_of
from engine.execution.policies import why_manual
from engine.execution.ticketbook import Entry, TicketBook
from engine.execution.whynot import gate_words
from engine.model.commands import Answer, ApproveTicket
from engine.model.tickets import ProposalState, Ticket
from engine.risk.gates import GateStage, first_failure

PRICE_MOVE_RATIO = 0.005
PRICE_MOVE_ATR = 0.25
"""A move beyond the tighter of 0.5 % and 0.25 ATR since the person saw the price asks again (SPEC 11.3)."""
DIALOG_US = 60 * US_PER_S
"""How long what a person was shown stays good for an approval (RELIABILITY 1, R6)."""
CLOCK_SLACK_US = US_PER_S
"""A face carries the engine's time on by itself between two pictures; further ahead nothing was shown yet."""
NONCE_MAX = 128


def objection(
    command: ApproveTicket, entry: Entry, book: TicketBook, gatekeeper: Gatekeeper, dialog_us: int
) -> Answer | None:
    """Why the approval is not carried out, or that it was already; None when it may be."""
    now = gatekeeper.clock.now_us()
    return (
        _used(command, entry, book)
        or over(entry, now)
        or other_text(command.sha256, entry, "approved")
        or _alone(command, entry, gatekeeper)
        or _old_dialog(command, entry, now, dialog_us)
        or _moved(command, entry, gatekeeper)
        or outgrown(entry, gatekeeper)
        or _gated(entry, gatekeeper)
    )


def history(entry: Entry) -> str:
    """What became of a ticket that waits no longer: who won, from which terminal and when."""
    number = f"T-{entry.ticket.number}"
    if entry.approved_us is not None:
        when = clock_text(entry.approved_us)
        return f"{number} was approved by {entry.approved_by} at {when}. Your key did nothing."
    reason = f": {entry.reason}" if entry.reason else ""
    return f"{number} is {entry.state.value}{reason}. Your key did nothing."


def _used(command: ApproveTicket, entry: Entry, book: TicketBook) -> Answer | None:
    if not 0 < len(command.nonce) <= NONCE_MAX:
        return Answer(False, "malformed", f"An approval needs a nonce of 1 to {NONCE_MAX} characters.")
    used = book.nonces.get(command.nonce)
    if used is None:
        return None
    if used == command.ticket and command.sha256 == entry.sha256:
        return Answer(True, "ok", f"T-{entry.ticket.number} was approved by this key press already.")
    return Answer(False, "nonce_used", "This approval was used.")


def over(entry: Entry, now_us: int) -> Answer | None:
    """Why a ticket is past deciding; None while it waits."""
    if entry.state is not ProposalState.PENDING:
        return Answer(False, "not_pending", history(entry))
    if now_us >= entry.ticket.expires_us:
        # Its own timer writes that down.
        when = clock_text(entry.ticket.expires_us)
        return Answer(False, "expired", f"T-{entry.ticket.number} expired at {when}.")
    return None


def other_text(sha256: str, entry: Entry, done: str) -> Answer | None:
    """Why what was `done` to a text was not done to the ticket's; None when it is the same text."""
    if sha256 == entry.sha256 == entry.ticket.sha256:
        return None
    text = f"T-{entry.ticket.number}: the {done} text is not the ticket's. Nothing was sent."
    return Answer(False, "hash_mismatch", text)


def _alone(command: ApproveTicket, entry: Entry, gatekeeper: Gatekeeper) -> Answer | None:
    """No policy approves at a venue that needs a person, nor what a person already dealt with."""
    if not command.actor.policy:
        return None
    number, why = f"T-{entry.ticket.number}", why_manual(gatekeeper.brackets.card)
    if why:
        return Answer(False, "manual_only", f"{number} needs a person: at this venue {why}.")
    if entry.is_in_hand:
        return Answer(False, "manual_only", f"{number} needs a person: one made it smaller or snoozed it.")
    return None


def _old_dialog(command: ApproveTicket, entry: Entry, now_us: int, dialog_us: int) -> Answer | None:
    """What was shown too long ago is looked at again. A policy is shown nothing."""
    if command.shown_us is None:
        return None
    age, number = now_us - command.shown_us, f"T-{entry.ticket.number}"
    if age > dialog_us:
        text = f"{number} was shown {age / US_PER_S:.0f} s ago, limit {dialog_us // US_PER_S} s. Look again."
        return Answer(False, "dialog_expired", text)
    if age < -CLOCK_SLACK_US:
        text = f"{number} cannot have been shown {-age / US_PER_S:.0f} s from now. Look again."
        return Answer(False, "dialog_expired", text)
    return None


def _moved(command: ApproveTicket, entry: Entry, gatekeeper: Gatekeeper) -> Answer | None:
    """A second look when the price moved since the person saw it."""
    ticket = entry.ticket
    quote = gatekeeper.picture.quote(ticket.instrument)
    now = None if quote is None else quote.ask
    if now is None:
        return None  # the gates say what is missing
    shown = ticket.decision_price if command.price_shown is None else command.price_shown
    if not isfinite(shown) or shown <= 0:
        return Answer(False, "price_moved", f"{shown:g} is no price that was shown: look again.")
    limit, rule = PRICE_MOVE_RATIO * shown, "0.5 %"
    if ticket.atr is not None and PRICE_MOVE_ATR * ticket.atr < limit:
        limit, rule = PRICE_MOVE_ATR * ticket.atr, "0.25 ATR"
    move = now - shown
    if abs(move) <= limit:
        return None
    text = (
        f"Price moved {100 * move / shown:+.2f} %, limit {rule} = {limit:.4g}:"
        f" {_price(shown)} to {_price(now)}, look again."
    )
    return Answer(False, "price_moved", text)


def _price(price: float) -> str:
    """As many digits as the price has, at least two behind the point."""
    return f"{price:.2f}" if round(price, 2) == price else f"{price:.10g}"


def outgrown(entry: Entry, gatekeeper: Gatekeeper) -> Answer | None:
    """Its size is from before the drawdown breaker halved sizes, or allowed cautious ones only."""
    if entry.ticket.created_us >= gatekeeper.risk.outgrown_us:
        return None
    level = int(gatekeeper.risk.view().level)
    text = f"T-{entry.ticket.number} refused: it was sized before the account's drawdown reached L{level}."
    return Answer(False, "gated_out", f"{text} Wait for the next proposal.")


def _gated(entry: Entry, gatekeeper: Gatekeeper) -> Answer | None:
    """The gates of the send, which are those of the approval too: nothing comes between the two.

    What may come between an intent and its request is looked at there (`sending.Outbox`).
    """
    subject = subject_of_ticket(entry.ticket)
    if subject is None:
        text = f"T-{entry.ticket.number} holds no limit entry. Nothing was sent."
        return Answer(False, "hash_mismatch", text)
    failure = first_failure(gatekeeper.run(GateStage.SEND, subject))
    if failure is None:
        return None
    return Answer(False, "gated_out", f"T-{entry.ticket.number} refused: {gate_words(failure)}.")


def subject_of_ticket(ticket: Ticket) -> GateSubject | None:
    """What the gates look at; None for a ticket that holds no limit entry."""
    order = ticket.order.entry
    if order is None or order.limit_price is None:
        return None
    return GateSubject(
        ticket.strategy,
        ticket.instrument,
        ticket.session,
        ticket.reports,
        ticket.regime,
        order.quantity,
        order.limit_price,
        ticket.decision_price,
        ticket.prev_close,
        traded_value_of(ticket.features),
        ticket.assessment,
        realized_vol_of(ticket.features),
        ticket.created_us,
    )
