"""Every command a face may give: imperative, one receiver, answered once."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from engine.model.ids import CorrelationId, InstrumentId, StrategyName, TicketId


@dataclass(frozen=True, slots=True)
class Actor:
    """Who gives a command: user name, terminal and the policy in force ("" for a person).

    `uid`: the user id of the process, by the kernel's word; None where no process asks.
    """

    name: str
    terminal: str
    policy: str = ""
    uid: int | None = None

    def __str__(self) -> str:
        return f"{self.name} on {self.terminal}" if self.terminal else self.name


ENGINE = Actor("engine", "")


@dataclass(frozen=True, slots=True)
class ApproveTicket:
    """Approve exactly the ticket whose hash is given. `nonce` makes a repeated key press harmless.

    `price_shown` is the price that the person saw; a move beyond SPEC 11.3 asks for a second look. `shown_us`
    is when the confirmation opened, int microseconds of the engine's time; None where nothing was shown.
    """

    ticket: TicketId
    sha256: str
    nonce: str
    price_shown: float | None
    actor: Actor
    shown_us: int | None = None


@dataclass(frozen=True, slots=True)
class RejectTicket:
    """Refuse a ticket with a reason."""

    ticket: TicketId
    reason: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class ShrinkTicket:
    """Put the ticket whose hash is given in fewer shares: another one takes its place and waits.

    `quantity` is the new size, whole lots, less than now. The same command again changes nothing.
    """

    ticket: TicketId
    sha256: str
    quantity: Decimal
    actor: Actor


@dataclass(frozen=True, slots=True)
class SnoozeTicket:
    """Put a ticket out of sight for five minutes; it expires when it would have expired."""

    ticket: TicketId
    actor: Actor


@dataclass(frozen=True, slots=True)
class Halt:
    """No new orders; working entries are cancelled, stops stay. `flatten`: every position is sold too."""

    actor: Actor
    reason: str
    flatten: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    """Leave HALTED."""

    actor: Actor


@dataclass(frozen=True, slots=True)
class ResumeSymbol:
    """Trade one halted instrument again."""

    actor: Actor
    instrument: InstrumentId


@dataclass(frozen=True, slots=True)
class AcceptDifference:
    """What the venue holds of a halted instrument beyond our books is not ours; then trade it again.

    Only a proved difference can be accepted, and never one of shares that the venue lacks.
    """

    actor: Actor
    instrument: InstrumentId


@dataclass(frozen=True, slots=True)
class Settle:
    """Book the difference between the venue's cash and ours as a deposit (> 0) or a withdrawal (< 0).

    Only a difference that the last look at the account found can be booked.
    """

    actor: Actor
    difference: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseBreaker:
    """Lift the latched third level of drawdown. `typed`: the account's name, as the person wrote it."""

    actor: Actor
    typed: str


@dataclass(frozen=True, slots=True)
class AskVenue:
    """Ask the venue at once for the orders of a bracket whose fate is not known. Nothing is sent again."""

    ticket: TicketId
    actor: Actor


@dataclass(frozen=True, slots=True)
class CancelEntry:
    """Cancel what still works of a bracket's entry; what is filled keeps its stop and target."""

    ticket: TicketId
    actor: Actor


@dataclass(frozen=True, slots=True)
class ClosePosition:
    """Sell what a bracket holds: everything else of it ends first."""

    ticket: TicketId
    actor: Actor


@dataclass(frozen=True, slots=True)
class NoteReport:
    """Keep the SHA-256 of a report of one decision in the audit log; the same report again changes nothing.

    `correlation` names the decision, `form` is json, md or html.
    """

    correlation: CorrelationId
    sha256: str
    form: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class AcceptPolicy:
    """Apply a step of policy that waits. `step`: its number, P-3 or 3, or its id."""

    step: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class RevertPolicy:
    """Take an applied step of policy back, by a step of its own. `step`: as for AcceptPolicy."""

    step: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class ReleaseStrategy:
    """Let a strategy propose again that a finding of the Auditor froze."""

    strategy: StrategyName
    actor: Actor


class AgentMove(StrEnum):
    """What a person may do to an agent."""

    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class SteerAgent:
    """Start, pause, resume or stop one agent. One that does not run counts as a hard veto."""

    agent: str
    move: AgentMove
    actor: Actor


@dataclass(frozen=True, slots=True)
class WaiveEvidence:
    """Let a strategy trade real money without evidence of an edge. `typed`: the phrase, as it was written."""

    strategy: StrategyName
    typed: str
    actor: Actor


Command = (
    ApproveTicket
    | RejectTicket
    | ShrinkTicket
    | SnoozeTicket
    | Halt
    | Resume
    | ResumeSymbol
    | AcceptDifference
    | Settle
    | ReleaseBreaker
    | AskVenue
    | CancelEntry
    | ClosePosition
    | NoteReport
    | AcceptPolicy
    | RevertPolicy
    | ReleaseStrategy
    | SteerAgent
    | WaiveEvidence
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command: done, or refused with the reason in words fit to show.

    `code` is a stable word for programs: ok, unknown_ticket, not_pending, expired, hash_mismatch, nonce_used,
    price_moved, dialog_expired, gated_out, manual_only, not_smaller, expires_first, not_journalled,
    not_readable, view_only, not_halted, not_reconciled, no_such_difference, not_stopped, wrong_name,
    no_equity, malformed, unknown_bracket, not_ready, nothing_unknown, asked_already, nothing_to_cancel,
    no_position, unknown_decision, unknown_step, not_waiting, outdated, quarter_full, not_applied, reverted,
    not_frozen, unknown_agent, illegal_move, not_configured, wrong_phrase; from a link also detached,
    unknown_outcome, rate_limited.
    """

    ok: bool
    code: str
    text: str
