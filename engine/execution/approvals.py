"""Proposals become tickets, a person's key press becomes exactly one order (SPEC 11.2, 11.5, RELIABILITY 8).

An approval names the SHA-256 of the ticket's canonical bytes, is single-use by its nonce, expires with the
ticket and with what was shown, is signed, and runs the gates again. What was hashed is what is sent.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.clock import Clock, clock_text
from engine.errors import DeckError, StorageError
from engine.execution.approving import DIALOG_US, NONCE_MAX, history, objection
from engine.execution.bracket import Bracket
from engine.execution.gating import Gatekeeper
from engine.execution.orders import RETRY_JOURNAL_US, Brackets
from engine.execution.proposing import make_ticket, subject_of
from engine.execution.refusals import Refusals
from engine.execution.ticketbook import (
    Entry,
    TicketBook,
    proposal_state,
    seen_key,
    seen_row,
    snoozed_row,
    state_row,
    ticket_row,
)
from engine.execution.waiting import SNOOZE_US, fewer, shrunk, why_not_later
from engine.execution.whynot import (
    decided_row,
    gate_words,
    gated_row,
    replaced_row,
    unquoted_row,
    vetoed_row,
    waiting_row,
)
from engine.model.approvals import Approval
from engine.model.candidates import Proposal, Verdict
from engine.model.commands import (
    ENGINE,
    Actor,
    Answer,
    ApproveTicket,
    RejectTicket,
    ShrinkTicket,
    SnoozeTicket,
)
from engine.model.events import Event, TicketChanged, TicketSnoozed
from engine.model.ids import AccountId, CorrelationId, TicketId, UlidFactory
from engine.model.market import Quote
from engine.model.tickets import ProposalState, Ticket, to_plain
from engine.model.whynot import Outcome
from engine.ports import AuditEntry, Journal, JournalRow
from engine.risk.gates import GateStage, first_failure
from engine.scheduler import Scheduler

_OUTCOMES = {ProposalState.REJECTED: Outcome.REJECTED, ProposalState.EXPIRED: Outcome.EXPIRED}


def unsigned(message: bytes) -> str:
    """Stands in for a signature where no key is at hand; `audit verify` counts such approvals."""
    return ""


@dataclass(frozen=True, slots=True)
class Counter:
    """What the ticket book works with."""

    account: AccountId
    mode: str
    journal: Journal
    clock: Clock
    scheduler: Scheduler
    gatekeeper: Gatekeeper
    brackets: Brackets
    ids: UlidFactory
    publish: Callable[[Event], None]
    sign: Callable[[bytes], str] = unsigned
    """Of an approval's canonical bytes; the key stays at the rim."""
    dialog_us: int = DIALOG_US
    """How long what a person was shown may be approved."""


class Tickets:
    """All tickets of one account. The one writer of proposal states."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._book = TicketBook(counter.journal)
        self._refusals = Refusals(counter.brackets.write, counter.clock.now_us)
        counter.brackets.on_changed = self._bracket_rows
        counter.brackets.on_committed = self._bracket_committed

    def restore(self) -> None:
        """Take over what the journal holds; tickets that waited wait on, or are found expired."""
        self._book.restore()
        self.forget()
        for entry in self.waiting():
            self._expire_at(entry.ticket)
            self._wake_at(entry)

    def forget(self) -> None:
        """What was decided long ago leaves memory."""
        gatekeeper = self._counter.gatekeeper
        self._book.forget(gatekeeper.clock.now_us(), gatekeeper.picture.session)

    def get(self, ticket: TicketId) -> Entry | None:
        """A ticket and its state; None when there is none."""
        return self._book.get(ticket)

    def of_candidate(self, correlation: CorrelationId) -> Entry | None:
        """What became of a candidate's proposal; None when it came to none."""
        return self._book.of_candidate(correlation)

    def waiting(self) -> tuple[Entry, ...]:
        """Tickets that wait for a person, oldest first."""
        return self._book.waiting()

    def awake(self) -> tuple[Entry, ...]:
        """Those of `waiting` that nobody put out of sight."""
        now = self._counter.clock.now_us()
        return tuple(entry for entry in self._book.waiting() if not entry.is_snoozed(now))

    def __iter__(self) -> Iterator[Entry]:
        """Those that wait or were decided lately."""
        return iter(self._book)

    def is_new(self, verdict: Verdict) -> bool:
        """Whether this decision instant was not handled before, also not before a crash."""
        return seen_key(verdict) not in self._book.seen

    def recall(self, verdict: Verdict) -> Verdict:
        """A verdict on a candidate that was judged before, under the id that it had then; else as it is."""
        known = self._book.seen.get(seen_key(verdict))
        if known is None:
            return verdict
        candidate = replace(verdict.candidate, correlation=known)
        proposal = None if verdict.proposal is None else replace(verdict.proposal, candidate=candidate)
        return replace(verdict, candidate=candidate, proposal=proposal)

    def record(self, verdicts: Sequence[Verdict]) -> None:
        """Journal verdicts that come to no ticket, once for each decision instant.

        That is a veto; or, for one with a proposal, that its quote is gone.
        """
        new = [verdict for verdict in verdicts if self.is_new(verdict)]
        if new:
            now = self._counter.clock.now_us()
            rows = [seen_row(verdict) for verdict in new]
            rows += [vetoed_row(v, now) if v.proposal is None else unquoted_row(v, now) for v in new]
            self._counter.brackets.write(rows, [self._verdict_audit(verdict) for verdict in new])
            self._book.seen |= {seen_key(verdict): verdict.candidate.correlation for verdict in new}

    def propose(self, verdict: Verdict, proposal: Proposal, quote: Quote, equity: Decimal) -> Entry:
        """Gate a proposal: a ticket that waits, or one that was gated out with the first failing gate."""
        counter, candidate = self._counter, proposal.candidate
        waiting = self._book.waiting_of(candidate.strategy, candidate.session)
        gates = counter.gatekeeper.run(GateStage.PROPOSAL, subject_of(proposal), waiting)
        failure = first_failure(gates)
        # Only what a person may see waiting gets a number of the row T-1, T-2, …
        number = self._book.last_number + 1 if failure is None else 0
        identifier = TicketId(counter.ids.new())
        ticket = make_ticket(
            identifier, number, counter.account, proposal, gates, quote, equity, counter.gatekeeper
        )
        if failure is None:
            entry = Entry(ticket, ProposalState.PENDING, ticket.sha256)
            why = waiting_row(verdict, ticket.created_us, number)
        else:
            entry = Entry(ticket, ProposalState.GATED_OUT, ticket.sha256, gate_words(failure))
            why = gated_row(verdict, ticket.created_us, failure)
        body = {"sha256": entry.sha256, "reason": entry.reason, "gates": to_plain(gates)}
        audit = (self._verdict_audit(verdict), self._audit(ENGINE, entry.state.value, ticket, body))
        counter.brackets.write((ticket_row(entry, counter.mode), seen_row(verdict), why), audit)
        self._book.seen[seen_key(verdict)] = candidate.correlation
        self._book.keep(entry)
        self.forget()
        if failure is None:
            self._expire_at(ticket)
        self._published(entry, ENGINE)
        return entry

    def approve(self, command: ApproveTicket) -> Answer:
        """Turn a waiting ticket into one order, or say why not; the same nonce again changes nothing."""
        entry = self._found(command.ticket, command.nonce)
        if isinstance(entry, Answer):
            return entry
        answer = objection(command, entry, self._book, self._counter.gatekeeper, self._counter.dialog_us)
        if answer is None:
            answer = self._start(command, entry)
        if not answer.ok:
            self._audit_refusal(command, entry, answer)
        return answer

    def _found(self, ticket: TicketId, nonce: str = "") -> Entry | Answer:
        """The ticket, with what is known of the nonce in memory too."""
        try:
            entry = self._book.get(ticket)
            self._book.recall_nonce(nonce)
        except StorageError as error:
            return Answer(False, "not_readable", f"Ticket {ticket} cannot be read: {error}")
        return entry or Answer(False, "unknown_ticket", f"There is no ticket {ticket}.")

    def _audit_refusal(self, command: ApproveTicket, entry: Entry, answer: Answer) -> None:
        body: dict[str, object] = {
            "nonce": command.nonce[:NONCE_MAX],
            "code": answer.code,
            "text": answer.text,
        }
        with suppress(StorageError):  # `write` halts and says so; the answer is no either way
            audit = self._audit(command.actor, "approval_refused", entry.ticket, body)
            self._counter.brackets.write((), (audit,))

    def _told(self, command: RejectTicket | ShrinkTicket | SnoozeTicket, answer: Answer) -> Answer:
        """The answer, after what was refused is written."""
        if not answer.ok:
            entry = self._found(command.ticket)
            known = "" if isinstance(entry, Answer) else entry.ticket.correlation
            self._refusals.note(command, answer, known)
        return answer

    def reject(self, command: RejectTicket) -> Answer:
        """Refuse a waiting ticket; its reason is kept."""
        return self._told(command, self._reject(command))

    def _reject(self, command: RejectTicket) -> Answer:
        entry = self._found(command.ticket)
        if isinstance(entry, Answer):
            return entry
        if entry.state is not ProposalState.PENDING:
            return Answer(False, "not_pending", history(entry))
        try:
            self._move(entry, ProposalState.REJECTED, command.actor, command.reason)
        except StorageError as error:
            return Answer(False, "not_journalled", f"T-{entry.ticket.number} was not rejected: {error}")
        return Answer(True, "ok", f"T-{entry.ticket.number} rejected: {command.reason}.")

    def shrink(self, command: ShrinkTicket) -> Answer:
        """Put the same ticket with fewer shares in its place, or say why not; gates are run for it."""
        return self._told(command, self._shrink(command))

    def _shrink(self, command: ShrinkTicket) -> Answer:
        old = self._found(command.ticket)
        if isinstance(old, Answer):
            return old
        counter, ticket = self._counter, old.ticket
        # The ticket itself is among those that wait; in its new size it takes its own place.
        others = self._book.waiting_of(ticket.strategy, ticket.session) - 1
        replacement = self._book.replacement_of(ticket.id)
        chosen = fewer(command, old, replacement, counter.gatekeeper, others)
        if isinstance(chosen, Answer):
            return chosen
        number, identifier = self._book.last_number + 1, TicketId(counter.ids.new())
        made = shrunk(ticket, identifier, number, chosen, counter.gatekeeper)
        new = Entry(made, ProposalState.PENDING, made.sha256, replaces=ticket.id)
        shares = f"{chosen.subject.quantity:f} of {ticket.order.stop.quantity:f} shares"
        try:
            self._replace(old, new, command.actor, shares)
        except StorageError as error:
            return Answer(False, "not_journalled", f"T-{ticket.number} stays as it is: {error}")
        return Answer(True, "ok", f"T-{ticket.number} is now T-{number}: {shares}.")

    def _replace(self, old: Entry, new: Entry, actor: Actor, shares: str) -> None:
        """One commit: never do both wait, and never neither."""
        counter, ticket = self._counter, new.ticket
        reason = f"{shares} by {actor} at {clock_text(counter.clock.now_us())}, now T-{ticket.number}"
        over = replace(old, state=ProposalState.SUPERSEDED, reason=reason)
        body = {"sha256": new.sha256, "replaces": old.ticket.id, "gates": to_plain(ticket.gates)}
        audit = (
            self._audit(actor, over.state.value, old.ticket, {"reason": reason, "by": ticket.id}),
            self._audit(actor, new.state.value, ticket, body),
        )
        rows = (
            state_row(over),
            ticket_row(new, counter.mode),
            replaced_row(ticket.correlation, ticket.number),
        )
        counter.brackets.write(rows, audit)
        self._book.keep(over)
        self._book.keep(new)
        self._expire_at(ticket)
        self._published(over, actor)
        self._published(new, actor)

    def snooze(self, command: SnoozeTicket) -> Answer:
        """Put a waiting ticket out of sight for five minutes, or say why not; again changes nothing."""
        return self._told(command, self._snooze(command))

    def _snooze(self, command: SnoozeTicket) -> Answer:
        entry, now = self._found(command.ticket), self._counter.clock.now_us()
        if isinstance(entry, Answer):
            return entry
        number = f"T-{entry.ticket.number}"
        if entry.snoozed_us is not None and entry.is_snoozed(now):
            return Answer(True, "ok", f"{number} is snoozed already, back at {clock_text(entry.snoozed_us)}.")
        refused = why_not_later(entry, now)
        if refused is not None:
            return refused
        until = now + SNOOZE_US
        snoozed = replace(entry, snoozed_us=until)
        audit = self._audit(command.actor, "snoozed", entry.ticket, {"until_us": until})
        try:
            self._counter.brackets.write((snoozed_row(snoozed),), (audit,))
        except StorageError as error:
            return Answer(False, "not_journalled", f"{number} was not snoozed: {error}")
        self._book.keep(snoozed)
        self._wake_at(snoozed)
        self._counter.publish(TicketSnoozed(entry.ticket, until, str(command.actor), now))
        return Answer(True, "ok", f"{number} back at {clock_text(until)}.")

    def _wake_at(self, entry: Entry) -> None:
        """Whoever looks is told when it is back; it is back by the time alone."""
        until = entry.snoozed_us
        if until is not None and entry.is_snoozed(self._counter.clock.now_us()):
            self._counter.scheduler.call_at(until, lambda: self._wake(entry.ticket.id))

    def _wake(self, ticket: TicketId) -> None:
        entry, now = self._book[ticket], self._counter.clock.now_us()
        if entry.state is ProposalState.PENDING and not entry.is_snoozed(now):
            self._counter.publish(TicketSnoozed(entry.ticket, None, str(ENGINE), now))

    def _start(self, command: ApproveTicket, entry: Entry) -> Answer:
        actor, now = command.actor, self._counter.clock.now_us()
        who = str(actor) + (f" ({actor.policy})" if actor.policy else "")
        shown = None if command.price_shown is None else float(command.price_shown)
        approval = Approval(entry.ticket.id, entry.sha256, command.nonce, who, actor.uid, now, shown)
        signature = self._counter.sign(approval.canonical())
        approved = replace(entry, state=ProposalState.SUBMITTED, approved_by=who, approved_us=now)
        ticket = entry.ticket
        rows = (
            _signed_row(approved, approval, signature),
            JournalRow(
                "nonce",
                {
                    "nonce": command.nonce,
                    "ticket": ticket.id,
                    "correlation": ticket.correlation,
                    "used_us": now,
                },
            ),
            decided_row(ticket.correlation, Outcome.APPROVED, who, "", now),
        )
        body = {**to_plain(approval), "shown_us": command.shown_us, "terminal": actor.terminal}
        audit = (
            self._audit(actor, "approved", ticket, {**body, "signature": signature}),
            self._audit(ENGINE, "submitted", ticket, {"order": ticket.order_text()}),
        )
        # The state is set first: the bracket's own rows, written in the same transaction, derive from it.
        self._book.keep(approved)
        try:
            self._counter.brackets.start(ticket, rows, audit)
        except DeckError as error:
            self._book.keep(entry)
            if not isinstance(error, StorageError):
                raise
            return Answer(False, "not_journalled", f"T-{ticket.number} was not sent: {error}")
        self._book.nonces[command.nonce] = ticket.id
        self._published(approved, actor)
        return Answer(True, "ok", f"T-{ticket.number} sent, B-{ticket.number}.")

    def _moved_by(self, bracket: Bracket) -> Entry | None:
        """Its ticket's entry in the state that follows from the bracket; None when that is no move."""
        entry = self._book[bracket.ticket]
        state = proposal_state(bracket)
        if state is ProposalState.CLOSING and entry.state is ProposalState.SUBMITTED:
            # A fill whose exit begins at the same instant: first the fill.
            state = ProposalState.FILLED
        return replace(entry, state=state) if entry.state.can_become(state) else None

    def _bracket_rows(self, bracket: Bracket) -> tuple[JournalRow, ...]:
        moved = self._moved_by(bracket)
        return () if moved is None else (state_row(moved),)

    def _bracket_committed(self, bracket: Bracket) -> None:
        moved = self._moved_by(bracket)
        if moved is not None:
            self._book.keep(moved)
            self._published(moved, ENGINE)

    def _expire_at(self, ticket: Ticket) -> None:
        self._counter.scheduler.call_at(ticket.expires_us, lambda: self._expire(ticket.id))

    def _expire(self, ticket: TicketId) -> None:
        entry = self._book[ticket]
        if entry.state is not ProposalState.PENDING:
            return
        try:
            self._move(entry, ProposalState.EXPIRED, ENGINE, "nobody decided in time")
        except StorageError:
            # `write` has halted the account and said why. All other timers go on.
            again = self._counter.clock.now_us() + RETRY_JOURNAL_US
            self._counter.scheduler.call_at(again, lambda: self._expire(ticket))

    def _move(self, entry: Entry, state: ProposalState, actor: Actor, reason: str) -> None:
        moved = replace(entry, state=state, reason=reason)
        now = self._counter.clock.now_us()
        audit = self._audit(actor, state.value, entry.ticket, {"reason": reason})
        why = decided_row(entry.ticket.correlation, _OUTCOMES[state], str(actor), reason, now)
        self._counter.brackets.write((state_row(moved), why), (audit,))
        self._book.keep(moved)
        self._published(moved, actor)

    def _published(self, entry: Entry, actor: Actor) -> None:
        event = TicketChanged(
            entry.ticket, entry.state, str(actor), entry.reason, self._counter.clock.now_us()
        )
        self._counter.publish(event)

    def _audit(self, actor: Actor, kind: str, ticket: Ticket, body: dict[str, object]) -> AuditEntry:
        # The ticket's id is the last word: no body may name another.
        named = {**body, "ticket": ticket.id}
        return AuditEntry(self._counter.clock.now_us(), str(actor), kind, ticket.correlation, named)

    def _verdict_audit(self, verdict: Verdict) -> AuditEntry:
        candidate = verdict.candidate
        body = {
            "candidate": to_plain(candidate),
            "reports": to_plain(verdict.reports),
            "reason": verdict.reason,
        }
        return AuditEntry(
            self._counter.clock.now_us(), candidate.strategy, "candidate", candidate.correlation, body
        )


def _signed_row(entry: Entry, approval: Approval, signature: str) -> JournalRow:
    shown = approval.price_shown
    signed: dict[str, str | int | None] = {
        "approved_uid": approval.uid,
        "approved_px": None if shown is None else repr(shown),
        "approval_sig": signature,
    }
    return JournalRow("ticket", {**state_row(entry).values, **signed})
