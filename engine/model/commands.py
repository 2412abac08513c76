"""Every command a face may give: imperative, one receiver, answered once."""

from dataclasses import dataclass

from engine.model.ids import InstrumentId, TicketId


@dataclass(frozen=True, slots=True)
class Actor:
    """Who gives a command: user name, terminal and the policy in force ("" for a person)."""

    name: str
    terminal: str
    policy: str = ""

    def __str__(self) -> str:
        return f"{self.name} on {self.terminal}" if self.terminal else self.name


ENGINE = Actor("engine", "")


@dataclass(frozen=True, slots=True)
class ApproveTicket:
    """Approve exactly the ticket whose hash is given. `nonce` makes a repeated key press harmless.

    `price_shown` is the price that the person saw; a move beyond SPEC 11.3 asks for a second look.
    """

    ticket: TicketId
    sha256: str
    nonce: str
    price_shown: float | None
    actor: Actor


@dataclass(frozen=True, slots=True)
class RejectTicket:
    """Refuse a ticket with a reason."""

    ticket: TicketId
    reason: str
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


Command = ApproveTicket | RejectTicket | Halt | Resume | ResumeSymbol


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command: done, or refused with the reason in words fit to show.

    `code` is a stable word for programs: ok, unknown_ticket, not_pending, expired, hash_mismatch, nonce_used,
    price_moved, gated_out, not_journalled, view_only, not_halted, not_reconciled; from a link also detached,
    unknown_outcome, rate_limited, malformed.
    """

    ok: bool
    code: str
    text: str
