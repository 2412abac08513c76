"""What the ticket writer remembers: every ticket with its state, used nonces, decision instants handled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from engine.errors import StorageError
from engine.execution.bracket import Bracket, BracketPhase
from engine.model.candidates import Verdict
from engine.model.exits import single_target
from engine.model.ids import CorrelationId, StrategyName, TicketId
from engine.model.orders import BracketSpec, OrderState
from engine.model.tickets import ProposalState, Ticket, to_plain
from engine.money import ZERO
from engine.ports import Journal, JournalRow


@dataclass(frozen=True, slots=True)
class Entry:
    """A ticket and what became of it."""

    ticket: Ticket
    state: ProposalState
    sha256: str
    reason: str = ""
    approved_by: str = ""
    approved_us: int | None = None


class TicketBook:
    """All tickets of one account in memory. Its one writer is `approvals.Tickets`."""

    def __init__(self) -> None:
        self._entries: dict[TicketId, Entry] = {}
        self._waiting: dict[TicketId, None] = {}
        self._by_candidate: dict[CorrelationId, TicketId] = {}
        self.nonces: dict[str, TicketId] = {}
        """Of approvals that were carried out: each is used once."""
        self.seen: dict[str, CorrelationId] = {}
        """Decision instants that were handled, and the candidate each was about."""
        self.last_number = 0

    def restore(self, journal: Journal) -> None:
        """Take over what the journal holds. Raises StorageError for a row that makes no sense."""
        for row in journal.rows("ticket"):
            self.keep(_entry(row))
        self.nonces = {str(row["nonce"]): TicketId(str(row["ticket"])) for row in journal.rows("nonce")}
        self.seen = {
            str(row["key"]): CorrelationId(str(row["correlation"])) for row in journal.rows("proposal_seen")
        }

    def keep(self, entry: Entry) -> None:
        """A new ticket, or a known one in another state."""
        self._entries[entry.ticket.id] = entry
        self._by_candidate[entry.ticket.correlation] = entry.ticket.id
        self.last_number = max(self.last_number, entry.ticket.number)
        if entry.state is ProposalState.PENDING:
            self._waiting[entry.ticket.id] = None
        else:
            self._waiting.pop(entry.ticket.id, None)

    def get(self, ticket: TicketId) -> Entry | None:
        """A ticket and its state; None when there is none."""
        return self._entries.get(ticket)

    def __getitem__(self, ticket: TicketId) -> Entry:
        """A ticket that must be there. Raises KeyError."""
        return self._entries[ticket]

    def of_candidate(self, correlation: CorrelationId) -> Entry | None:
        """What became of a candidate's proposal; None when it came to none."""
        ticket = self._by_candidate.get(correlation)
        return None if ticket is None else self._entries[ticket]

    def waiting(self) -> tuple[Entry, ...]:
        """Tickets that wait for a person, oldest first."""
        return tuple(self._entries[ticket] for ticket in self._waiting)

    def waiting_of(self, strategy: StrategyName, session: date) -> int:
        """How many tickets of one strategy and session wait."""
        return sum(e.ticket.strategy == strategy and e.ticket.session == session for e in self.waiting())

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries.values()))


def _entry(row: Mapping[str, str | int | None]) -> Entry:
    ticket = read_ticket(str(row["body"]))
    approved = row["approved_us"]
    try:
        state = ProposalState(str(row["state"]))
    except ValueError as error:
        raise StorageError(
            f"ticket {ticket.id} is stored in no known state: {error}", "run tradedeck audit verify"
        ) from error
    return Entry(
        ticket,
        state,
        str(row["sha256"]),
        str(row["reason"] or ""),
        str(row["approved_by"] or ""),
        approved if isinstance(approved, int) else None,
    )


def read_ticket(body: str) -> Ticket:
    """A ticket of its canonical JSON. Raises StorageError when it is not one."""
    try:
        plain = msgspec.json.decode(body, type=dict[str, Any])
        if "max_sessions" in plain:
            # From before exit plans: one target for everything.
            order, sessions = msgspec.convert(plain["order"], BracketSpec), plain.pop("max_sessions")
            stop, target = order.stop.stop_price, order.target.limit_price
            plain["exit_plan"] = to_plain(single_target(stop or ZERO, target or ZERO, sessions))
        return msgspec.convert(plain, Ticket)
    except (msgspec.MsgspecError, KeyError, ValueError) as error:
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


def ticket_row(entry: Entry, mode: str) -> JournalRow:
    """All of a new ticket."""
    ticket = entry.ticket
    values: dict[str, str | int | None] = {
        "number": ticket.number,
        "correlation": ticket.correlation,
        "created_us": ticket.created_us,
        "expires_us": ticket.expires_us,
        "body": ticket.canonical().decode(),
        "sha256": entry.sha256,
        "mode": mode,
        "account": ticket.account,
    }
    return JournalRow("ticket", {**state_row(entry).values, **values})


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
