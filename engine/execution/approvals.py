"""Proposals become tickets, a person's key press becomes exactly one order (SPEC 11.2, 11.5, RELIABILITY 8).

An approval names the SHA-256 of the ticket's canonical bytes, is single-use by its nonce, expires with the
ticket, and runs the gates again. What was hashed is what is sent.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import msgspec

from engine.clock import Clock, clock_text
from engine.errors import DeckError, StorageError
from engine.execution.bracket import Bracket, BracketPhase, entry_spec
from engine.execution.gating import Gatekeeper, GateSubject
from engine.execution.orders import RETRY_JOURNAL_US, Brackets
from engine.model.candidates import GateResult, Proposal, Verdict
from engine.model.commands import ENGINE, Actor, Answer, ApproveTicket, RejectTicket
from engine.model.events import Event, TicketChanged
from engine.model.ids import AccountId, CorrelationId, StrategyName, TicketId, UlidFactory
from engine.model.market import Quote
from engine.model.orders import OrderState
from engine.model.tickets import ProposalState, Ticket, to_plain
from engine.money import ZERO
from engine.ports import AuditEntry, Journal, JournalRow
from engine.risk.gates import GateStage, first_failure
from engine.scheduler import Scheduler

PRICE_MOVE_RATIO = 0.005
PRICE_MOVE_ATR = 0.25
"""A move beyond the tighter of 0.5 % and 0.25 ATR since the person saw the price asks again (SPEC 11.3)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A ticket and what became of it."""

    ticket: Ticket
    state: ProposalState
    sha256: str
    reason: str = ""
    approved_by: str = ""
    approved_us: int | None = None


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


class Tickets:
    """All tickets of one account. The one writer of proposal states."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._entries: dict[TicketId, Entry] = {}
        self._waiting: dict[TicketId, None] = {}
        self._by_candidate: dict[CorrelationId, TicketId] = {}
        self._nonces: dict[str, TicketId] = {}
        self._seen: dict[str, CorrelationId] = {}
        """Decision instants that were handled, and the candidate each was about."""
        self._last_number = 0
        counter.brackets.on_changed = self._bracket_rows
        counter.brackets.on_committed = self._bracket_committed

    def restore(self) -> None:
        """Take over what the journal holds; tickets that waited wait on, or are found expired."""
        journal = self._counter.journal
        for row in journal.rows("ticket"):
            ticket = read_ticket(str(row["body"]))
            approved = row["approved_us"]
            try:
                state = ProposalState(str(row["state"]))
            except ValueError as error:
                raise StorageError(
                    f"ticket {ticket.id} is stored in no known state: {error}", "run tradedeck audit verify"
                ) from error
            self._keep(
                Entry(
                    ticket,
                    state,
                    str(row["sha256"]),
                    str(row["reason"] or ""),
                    str(row["approved_by"] or ""),
                    approved if isinstance(approved, int) else None,
                )
            )
        self._nonces = {str(row["nonce"]): TicketId(str(row["ticket"])) for row in journal.rows("nonce")}
        self._seen = {
            str(row["key"]): CorrelationId(str(row["correlation"])) for row in journal.rows("proposal_seen")
        }
        for entry in self.waiting():
            self._expire_at(entry.ticket)

    def get(self, ticket: TicketId) -> Entry | None:
        """A ticket and its state; None when there is none."""
        return self._entries.get(ticket)

    def of_candidate(self, correlation: CorrelationId) -> Entry | None:
        """What became of a candidate's proposal; None when it came to none."""
        ticket = self._by_candidate.get(correlation)
        return None if ticket is None else self._entries[ticket]

    def waiting(self) -> tuple[Entry, ...]:
        """Tickets that wait for a person, oldest first."""
        return tuple(self._entries[ticket] for ticket in self._waiting)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries.values()))

    def is_new(self, verdict: Verdict) -> bool:
        """Whether this decision instant was not handled before, also not before a crash."""
        return seen_key(verdict) not in self._seen

    def recall(self, verdict: Verdict) -> Verdict:
        """A verdict on a candidate that was judged before, under the id that it had then; else as it is."""
        known = self._seen.get(seen_key(verdict))
        if known is None:
            return verdict
        candidate = replace(verdict.candidate, correlation=known)
        proposal = None if verdict.proposal is None else replace(verdict.proposal, candidate=candidate)
        return replace(verdict, candidate=candidate, proposal=proposal)

    def record(self, verdicts: Sequence[Verdict]) -> None:
        """Journal verdicts that came to no proposal, once for each decision instant."""
        new = [verdict for verdict in verdicts if self.is_new(verdict)]
        if new:
            rows = [seen_row(verdict) for verdict in new]
            self._counter.brackets.write(rows, [self._verdict_audit(verdict) for verdict in new])
            self._seen |= {seen_key(verdict): verdict.candidate.correlation for verdict in new}

    def propose(self, verdict: Verdict, proposal: Proposal, quote: Quote, equity: Decimal) -> Entry:
        """Gate a proposal: a ticket that waits, or one that was gated out with the first failing gate."""
        counter, candidate = self._counter, proposal.candidate
        subject = GateSubject(
            candidate.strategy,
            candidate.instrument,
            candidate.session,
            proposal.reports,
            candidate.regime,
            proposal.quantity,
            proposal.limit_price,
        )
        gates = counter.gatekeeper.run(
            GateStage.PROPOSAL, subject, self._waiting_of(candidate.strategy, candidate.session)
        )
        failure = first_failure(gates)
        # Only what a person may see waiting gets a number of the row T-1, T-2, …
        number = self._last_number + 1 if failure is None else 0
        ticket = self._ticket(proposal, number, gates, quote, equity)
        state = ProposalState.PENDING if failure is None else ProposalState.GATED_OUT
        reason = "" if failure is None else gate_words(failure)
        entry = Entry(ticket, state, ticket.sha256, reason)
        audit = (
            self._verdict_audit(verdict),
            self._audit(
                ENGINE,
                state.value,
                ticket,
                {"sha256": entry.sha256, "reason": reason, "gates": to_plain(gates)},
            ),
        )
        counter.brackets.write((self._row(entry), seen_row(verdict)), audit)
        self._seen[seen_key(verdict)] = candidate.correlation
        self._keep(entry)
        if state is ProposalState.PENDING:
            self._expire_at(ticket)
        self._published(entry, ENGINE)
        return entry

    def approve(self, command: ApproveTicket) -> Answer:
        """Turn a waiting ticket into one order, or say why not; the same nonce again changes nothing."""
        entry = self._entries.get(command.ticket)
        if entry is None:
            return Answer(False, "unknown_ticket", f"There is no ticket {command.ticket}.")
        answer = self._approve(command, entry)
        if not answer.ok:
            self._audit_refusal(command, entry, answer)
        return answer

    def _approve(self, command: ApproveTicket, entry: Entry) -> Answer:
        number = f"T-{entry.ticket.number}"
        used = self._nonces.get(command.nonce)
        if used is not None:
            same = used == command.ticket
            text = f"{number} was approved by this key press already." if same else "This approval was used."
            return Answer(same, "ok" if same else "nonce_used", text)
        if entry.state is not ProposalState.PENDING:
            return Answer(False, "not_pending", self._history(entry))
        if self._counter.clock.now_us() >= entry.ticket.expires_us:
            # Its own timer writes that down.
            return Answer(False, "expired", f"{number} expired at {clock_text(entry.ticket.expires_us)}.")
        if command.sha256 != entry.sha256 or entry.ticket.sha256 != entry.sha256:
            return Answer(
                False, "hash_mismatch", f"{number}: the approved text is not the ticket's. Nothing was sent."
            )
        return self._moved(command, entry) or self._gated(entry) or self._start(command, entry)

    def _audit_refusal(self, command: ApproveTicket, entry: Entry, answer: Answer) -> None:
        body: dict[str, object] = {"nonce": command.nonce, "code": answer.code, "text": answer.text}
        with suppress(StorageError):  # `write` halts and says so; the answer is no either way
            audit = self._audit(command.actor, "approval_refused", entry.ticket, body)
            self._counter.brackets.write((), (audit,))

    def reject(self, command: RejectTicket) -> Answer:
        """Refuse a waiting ticket; its reason is kept."""
        entry = self._entries.get(command.ticket)
        if entry is None:
            return Answer(False, "unknown_ticket", f"There is no ticket {command.ticket}.")
        if entry.state is not ProposalState.PENDING:
            return Answer(False, "not_pending", self._history(entry))
        try:
            self._move(entry, ProposalState.REJECTED, command.actor, command.reason)
        except StorageError as error:
            return Answer(False, "not_journalled", f"T-{entry.ticket.number} was not rejected: {error}")
        return Answer(True, "ok", f"T-{entry.ticket.number} rejected: {command.reason}.")

    def _moved(self, command: ApproveTicket, entry: Entry) -> Answer | None:
        """A second look when the price moved since the person saw it."""
        quote = self._counter.gatekeeper.picture.quote(entry.ticket.instrument)
        now = None if quote is None else quote.ask
        if now is None:
            return None  # the gates say what is missing
        shown = entry.ticket.decision_price if command.price_shown is None else command.price_shown
        limit = PRICE_MOVE_RATIO * shown
        if entry.ticket.atr is not None:
            limit = min(limit, PRICE_MOVE_ATR * entry.ticket.atr)
        if abs(now - shown) <= limit:
            return None
        text = f"Price moved from {shown:g} to {now:g}, more than {limit:.4g}. Look again and confirm."
        return Answer(False, "price_moved", text)

    def _gated(self, entry: Entry) -> Answer | None:
        ticket, order = entry.ticket, entry.ticket.order.entry
        if order is None or order.limit_price is None:
            return Answer(
                False, "hash_mismatch", f"T-{ticket.number} holds no limit entry. Nothing was sent."
            )
        subject = GateSubject(
            ticket.strategy,
            ticket.instrument,
            ticket.session,
            ticket.reports,
            ticket.regime,
            order.quantity,
            order.limit_price,
        )
        for stage in (GateStage.APPROVAL, GateStage.SEND):
            failure = first_failure(self._counter.gatekeeper.run(stage, subject))
            if failure is not None:
                return Answer(False, "gated_out", f"T-{ticket.number} refused: {gate_words(failure)}.")
        return None

    def _start(self, command: ApproveTicket, entry: Entry) -> Answer:
        now = self._counter.clock.now_us()
        who = str(command.actor) + (f" ({command.actor.policy})" if command.actor.policy else "")
        approved = replace(entry, state=ProposalState.SUBMITTED, approved_by=who, approved_us=now)
        ticket = entry.ticket
        nonce = JournalRow(
            "nonce",
            {"nonce": command.nonce, "ticket": ticket.id, "correlation": ticket.correlation, "used_us": now},
        )
        body: dict[str, object] = {
            "sha256": command.sha256,
            "nonce": command.nonce,
            "price_shown": command.price_shown,
        }
        audit = (
            self._audit(command.actor, "approved", ticket, body),
            self._audit(ENGINE, "submitted", ticket, {"order": ticket.order_text()}),
        )
        # The state is set first: the bracket's own rows, written in the same transaction, derive from it.
        self._keep(approved)
        try:
            self._counter.brackets.start(ticket, (state_row(approved), nonce), audit)
        except DeckError as error:
            self._keep(entry)
            if not isinstance(error, StorageError):
                raise
            return Answer(False, "not_journalled", f"T-{ticket.number} was not sent: {error}")
        self._nonces[command.nonce] = ticket.id
        self._published(approved, command.actor)
        return Answer(True, "ok", f"T-{ticket.number} sent, B-{ticket.number}.")

    def _moved_by(self, bracket: Bracket) -> Entry | None:
        """Its ticket's entry in the state that follows from the bracket; None when that is no move."""
        entry = self._entries[bracket.ticket]
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
            self._keep(moved)
            self._published(moved, ENGINE)

    def _expire_at(self, ticket: Ticket) -> None:
        self._counter.scheduler.call_at(ticket.expires_us, lambda: self._expire(ticket.id))

    def _expire(self, ticket: TicketId) -> None:
        entry = self._entries[ticket]
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
        audit = self._audit(actor, state.value, entry.ticket, {"reason": reason})
        self._counter.brackets.write((state_row(moved),), (audit,))
        self._keep(moved)
        self._published(moved, actor)

    def _keep(self, entry: Entry) -> None:
        self._entries[entry.ticket.id] = entry
        self._by_candidate[entry.ticket.correlation] = entry.ticket.id
        self._last_number = max(self._last_number, entry.ticket.number)
        if entry.state is ProposalState.PENDING:
            self._waiting[entry.ticket.id] = None
        else:
            self._waiting.pop(entry.ticket.id, None)

    def _published(self, entry: Entry, actor: Actor) -> None:
        event = TicketChanged(
            entry.ticket, entry.state, str(actor), entry.reason, self._counter.clock.now_us()
        )
        self._counter.publish(event)

    def _waiting_of(self, strategy: StrategyName, session: date) -> int:
        return sum(e.ticket.strategy == strategy and e.ticket.session == session for e in self.waiting())

    def _history(self, entry: Entry) -> str:
        number = f"T-{entry.ticket.number}"
        if entry.approved_us is not None:
            when = clock_text(entry.approved_us)
            return f"{number} was approved by {entry.approved_by} at {when}. Your key did nothing."
        reason = f": {entry.reason}" if entry.reason else ""
        return f"{number} is {entry.state.value}{reason}. Your key did nothing."

    def _ticket(
        self, proposal: Proposal, number: int, gates: tuple[GateResult, ...], quote: Quote, equity: Decimal
    ) -> Ticket:
        counter, candidate = self._counter, proposal.candidate
        ticket = TicketId(counter.ids.new())
        order = entry_spec(
            ticket,
            counter.account,
            candidate.instrument,
            proposal.quantity,
            proposal.limit_price,
            proposal.exit_plan.stop_price,
            proposal.exit_plan.target_price,
        )
        now = counter.clock.now_us()
        return Ticket(
            id=ticket,
            number=number,
            correlation=candidate.correlation,
            strategy=candidate.strategy,
            account=counter.account,
            instrument=candidate.instrument,
            session=candidate.session,
            created_us=now,
            expires_us=now + proposal.approval_ttl_us,
            order=order,
            max_sessions=proposal.exit_plan.max_sessions,
            entry_ttl_us=proposal.entry_ttl_us,
            decision_price=candidate.decision_price,
            atr=candidate.atr,
            quote=quote,
            regime=candidate.regime,
            features=candidate.features,
            reports=proposal.reports,
            gates=gates,
            equity=equity,
            cash_after=counter.gatekeeper.buying_power() - proposal.quantity * proposal.limit_price,
            size_binding=proposal.size_binding,
            policy_id=proposal.policy_id,
            model_id=proposal.model_id,
            candidate_gap=candidate.gap,
            prev_close=candidate.prev_close,
        )

    def _row(self, entry: Entry) -> JournalRow:
        ticket = entry.ticket
        values: dict[str, str | int | None] = {
            "number": ticket.number,
            "correlation": ticket.correlation,
            "created_us": ticket.created_us,
            "expires_us": ticket.expires_us,
            "body": ticket.canonical().decode(),
            "sha256": entry.sha256,
            "mode": self._counter.mode,
            "account": ticket.account,
        }
        return JournalRow("ticket", {**state_row(entry).values, **values})

    def _audit(self, actor: Actor, kind: str, ticket: Ticket, body: dict[str, object]) -> AuditEntry:
        named = {"ticket": ticket.id, **body}
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


def read_ticket(body: str) -> Ticket:
    """A ticket of its canonical JSON. Raises StorageError when it is not one."""
    try:
        return msgspec.json.decode(body, type=Ticket)
    except msgspec.MsgspecError as error:
        raise StorageError(
            f"a stored ticket cannot be read: {error}", "run tradedeck audit verify"
        ) from error


def seen_key(verdict: Verdict) -> str:
    """One decision instant of one instrument."""
    candidate = verdict.candidate
    return f"{candidate.strategy}|{candidate.session.isoformat()}|{candidate.instrument}"


def seen_row(verdict: Verdict) -> JournalRow:
    """Marks a decision instant as handled."""
    return JournalRow(
        "proposal_seen", {"key": seen_key(verdict), "correlation": verdict.candidate.correlation}
    )


def state_row(entry: Entry) -> JournalRow:
    """What changes of a ticket: its state, why, and who approved it."""
    return JournalRow(
        "ticket",
        {
            "id": entry.ticket.id,
            "state": entry.state.value,
            "reason": entry.reason,
            "approved_by": entry.approved_by,
            "approved_us": entry.approved_us,
        },
    )


def gate_words(result: GateResult) -> str:
    """`G8 positions: 8 open, limit 8`."""
    return f"{result.gate} {result.title}: {result.reason}"


def proposal_state(bracket: Bracket) -> ProposalState:
    """The state of a proposal that became a bracket, derived from its facts (SPEC 11.2)."""
    entry = bracket.entry
    if bracket.position > ZERO:
        if bracket.phase is BracketPhase.EXITING:
            return ProposalState.CLOSING
        return ProposalState.PARTIAL if entry.is_live else ProposalState.FILLED
    if bracket.phase is not BracketPhase.CLOSED:
        return ProposalState.CLOSING if entry.cum > ZERO else ProposalState.SUBMITTED
    failed = entry.cum == ZERO and entry.state in (OrderState.REJECTED, OrderState.NOTPLACED)
    return ProposalState.FAILED if failed else ProposalState.CLOSED
