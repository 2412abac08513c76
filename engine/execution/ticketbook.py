"""What the ticket writer remembers: every ticket with its state, used nonces, decision instants handled."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec

from engine.clock import US_PER_S
from engine.errors import StorageError
from engine.execution.bracket import Bracket, BracketPhase
from engine.model.candidates import Verdict
from engine.model.exits import single_target
from engine.model.ids import CorrelationId, StrategyName, TicketId
from engine.model.orders import BracketSpec, OrderState
from engine.model.tickets import ProposalState, Ticket, to_plain
from engine.money import ZERO
from engine.ports import Journal, JournalRow

KEPT_US = 86_400 * US_PER_S
"""As long as closed brackets stay in memory."""
SEEN_DAYS = timedelta(days=14)
"""A decision instant is judged again after a restart only, inside its own session."""
OVER = frozenset(
    {
        ProposalState.GATED_OUT,
        ProposalState.REJECTED,
        ProposalState.EXPIRED,
        ProposalState.SUPERSEDED,
        ProposalState.CLOSED,
        ProposalState.FAILED,
    }
)
"""States that hardly ever change again: only a late fill brings a ticket back from the last two."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A ticket and what became of it."""

    ticket: Ticket
    state: ProposalState
    sha256: str
    reason: str = ""
    approved_by: str = ""
    approved_us: int | None = None
    replaces: TicketId | None = None
    """The ticket that a person made smaller, and in whose place this one waits."""
    snoozed_us: int | None = None
    """A person put it out of sight until then; None: nobody ever did."""

    def is_snoozed(self, now_us: int) -> bool:
        """Whether it waits out of sight."""
        waits = self.state is ProposalState.PENDING
        return waits and self.snoozed_us is not None and now_us < self.snoozed_us

    @property
    def is_in_hand(self) -> bool:
        """A person dealt with it: from then on no policy decides it."""
        return self.replaces is not None or self.snoozed_us is not None


class TicketBook:
    """The tickets of one account. Its one writer is `approvals.Tickets`.

    What is decided and a day old leaves memory; its row in the journal is read where it is asked for again.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._entries: dict[TicketId, Entry] = {}
        self._ended: deque[TicketId] = deque()
        self._gone: set[TicketId] = set()
        self._waiting: dict[TicketId, None] = {}
        self._by_candidate: dict[CorrelationId, TicketId] = {}
        self._replaced: dict[TicketId, TicketId] = {}
        self.nonces: dict[str, TicketId] = {}
        """Of approvals that were carried out: each is used once."""
        self.seen: dict[str, CorrelationId] = {}
        """Decision instants that were handled, and the candidate each was about."""
        self.last_number = 0

    def restore(self) -> None:
        """Take over what the journal holds. Raises StorageError for a row that makes no sense."""
        journal = self._journal
        for row in journal.rows("ticket"):
            self.keep(_entry(row))
        self.nonces = {str(row["nonce"]): TicketId(str(row["ticket"])) for row in journal.rows("nonce")}
        self.seen = {
            str(row["key"]): CorrelationId(str(row["correlation"])) for row in journal.rows("proposal_seen")
        }

    def keep(self, entry: Entry) -> None:
        """A new ticket, or a known one in another state."""
        before = self._entries.get(entry.ticket.id)
        self._entries[entry.ticket.id] = entry
        self._gone.discard(entry.ticket.id)
        if entry.state in OVER and (before is None or before.state not in OVER):
            self._ended.append(entry.ticket.id)
        if entry.state is not ProposalState.SUPERSEDED:
            self._by_candidate[entry.ticket.correlation] = entry.ticket.id
        if entry.replaces is not None:
            self._replaced[entry.replaces] = entry.ticket.id
        self.last_number = max(self.last_number, entry.ticket.number)
        if entry.state is ProposalState.PENDING:
            self._waiting[entry.ticket.id] = None
        else:
            self._waiting.pop(entry.ticket.id, None)

    def get(self, ticket: TicketId) -> Entry | None:
        """A ticket and its state; None when there is none. Raises StorageError when it cannot be read."""
        if ticket in self._gone:
            for row in self._journal.rows("ticket", id=ticket):
                self.keep(_entry(row))
        return self._entries.get(ticket)

    def __getitem__(self, ticket: TicketId) -> Entry:
        """A ticket that must be there. Raises KeyError."""
        found = self.get(ticket)
        if found is None:
            raise KeyError(ticket)
        return found

    def recall_nonce(self, nonce: str) -> None:
        """A nonce that left memory with its ticket is still used. Raises StorageError."""
        if nonce not in self.nonces:
            for row in self._journal.rows("nonce", nonce=nonce):
                self.nonces[nonce] = TicketId(str(row["ticket"]))

    def forget(self, now_us: int, session: date | None) -> None:
        """What is over for a day, and not of the session that is shown, leaves memory with its nonces.

        An approval of such a ticket is refused because it waits no longer, whatever its nonce.
        """
        gone = set(self._leaving(now_us, session))
        if not gone:
            return
        self._gone |= gone
        self.nonces = {nonce: ticket for nonce, ticket in self.nonces.items() if ticket not in gone}
        if session is not None:
            first = (session - SEEN_DAYS).isoformat()
            self.seen = {key: known for key, known in self.seen.items() if session_of(key) >= first}

    def _leaving(self, now_us: int, session: date | None) -> Iterator[TicketId]:
        while self._ended:
            entry = self._entries.get(self._ended[0])
            if entry is not None and entry.state in OVER:
                if entry.ticket.expires_us + KEPT_US > now_us or entry.ticket.session == session:
                    return
                self._drop(entry)
                yield entry.ticket.id
            self._ended.popleft()

    def _drop(self, entry: Entry) -> None:
        ticket, candidate = entry.ticket.id, entry.ticket.correlation
        del self._entries[ticket]
        # The candidate's name may be with the smaller ticket that took its place.
        if self._by_candidate.get(candidate) == ticket:
            del self._by_candidate[candidate]
        if entry.replaces is not None:
            del self._replaced[entry.replaces]

    def replacement_of(self, ticket: TicketId) -> Entry | None:
        """The smaller ticket that took its place; None when there is none in memory."""
        other = self._replaced.get(ticket)
        return None if other is None else self._entries[other]

    def of_candidate(self, correlation: CorrelationId) -> Entry | None:
        """What became of a candidate's proposal; None when it came to none, or long ago."""
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
    approved, replaces, snoozed = row["approved_us"], row["replaces"], row["snoozed_us"]
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
        TicketId(str(replaces)) if replaces else None,
        snoozed if isinstance(snoozed, int) else None,
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


def session_of(key: str) -> str:
    """The session in a `seen_key`, as ISO text."""
    return key.split("|", 2)[1]


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
        "replaces": entry.replaces,
        "snoozed_us": entry.snoozed_us,
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


def snoozed_row(entry: Entry) -> JournalRow:
    """What changes of a ticket that is put out of sight."""
    return JournalRow("ticket", {"id": entry.ticket.id, "snoozed_us": entry.snoozed_us})


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
