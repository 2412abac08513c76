"""What crosses the attach socket: JSON messages, one a websocket message, encoded by msgspec.

A request carries an id that its reply repeats; what is pushed has id 0. The path of the handshake carries the
version, so that a console of another version is told so instead of misreading a number.

After `subscribe` come one snapshot and then deltas, each with a number one higher than the last. A peer that
misses one asks to subscribe again and is sent a snapshot of what it should hold. An empty delta says that the
engine lives. `docs/protocol.md` is made from these types.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from engine.errors import Busy, ConfigError, DataError, DeckError, InvariantBroken, UsageError
from engine.model.commands import (
    AcceptDifference,
    AcceptPolicy,
    Answer,
    ApproveTicket,
    AskVenue,
    CancelEntry,
    ClosePosition,
    Command,
    Halt,
    NoteReport,
    RejectTicket,
    ReleaseBreaker,
    ReleaseStrategy,
    Resume,
    ResumeSymbol,
    RevertPolicy,
    Settle,
    ShrinkTicket,
    SnoozeTicket,
    SteerAgent,
    WaiveEvidence,
)
from tui.link import Question
from tui.server.deltas import delta_type
from tui.shown.deck import DeckView
from tui.shown.details import DETAILS, Detail, Topic

PATH: Final = "/attach/2"
PUSHED: Final = 0
REQUEST_MAX: Final = 64 * 1024
"""Bytes of a request, which is a command at most."""
DIGITS_MAX: Final = 32
"""Of a decimal in a command."""
FRAME_MAX: Final = 512 * 1024
"""Bytes of one websocket frame; a larger message goes in several."""
MESSAGE_MAX: Final = 64 * 1024 * 1024
"""Bytes of a whole reply: the round trips of years fit in."""


class RequestKind(StrEnum):
    """What a face asks."""

    DECK = "deck"
    """The view as it is now, once. Reply: view."""
    GIVE = "give"
    """Carry out a command. Reply: answer; on the view socket always a refusal."""
    ASK = "ask"
    """A document of the books. Reply: document."""
    RESUME_MARKET = "resume_market"
    """Let a waiting replay go on. Reply: done, false where none waits or the socket is for looking only."""
    SUBSCRIBE = "subscribe"
    """Push a snapshot, then deltas. Asked again: push a snapshot again. Reply: done."""
    DETAIL = "detail"
    """What is known of one thing. Reply: detail."""


class CommandKind(StrEnum):
    """Which command a body holds."""

    APPROVE = "approve"
    REJECT = "reject"
    SHRINK = "shrink"
    SNOOZE = "snooze"
    HALT = "halt"
    RESUME = "resume"
    RESUME_SYMBOL = "resume_symbol"
    ACCEPT_DIFFERENCE = "accept_difference"
    SETTLE = "settle"
    RELEASE_BREAKER = "release_breaker"
    ASK_VENUE = "ask_venue"
    CANCEL_ENTRY = "cancel_entry"
    CLOSE_POSITION = "close_position"
    NOTE_REPORT = "note_report"
    ACCEPT_POLICY = "accept_policy"
    REVERT_POLICY = "revert_policy"
    RELEASE_STRATEGY = "release_strategy"
    STEER_AGENT = "steer_agent"
    WAIVE_EVIDENCE = "waive_evidence"


class ReplyKind(StrEnum):
    """What a reply's body holds."""

    VIEW = "view"
    """DeckView."""
    SNAPSHOT = "snapshot"
    """Pushed: Snapshot."""
    DELTA = "delta"
    """Pushed: Delta."""
    ANSWER = "answer"
    """Answer."""
    DOCUMENT = "document"
    """Any JSON value."""
    DETAIL = "detail"
    """Found."""
    DONE = "done"
    """true or false."""
    PROBLEM = "problem"
    """Problem."""


class Request(msgspec.Struct, frozen=True):
    """`body`: a `Give`, an `Ask` or a `Look`, null for the others."""

    id: int
    kind: RequestKind
    body: msgspec.Raw = msgspec.Raw(b"null")


class Give(msgspec.Struct, frozen=True):
    """A command. The actor's name in it is a claim that the server replaces."""

    command: CommandKind
    body: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Ask:
    """Which books."""

    question: Question


@dataclass(frozen=True, slots=True)
class Look:
    """Which detail; `Topic` says what `id` is."""

    topic: Topic
    id: str


class Found(msgspec.Struct, frozen=True):
    """`body`: the detail of the topic that was asked for, null when nothing is known of that id."""

    topic: Topic
    body: msgspec.Raw


class Snapshot(msgspec.Struct, frozen=True):
    """The whole view; the delta after it has the number `seq` + 1."""

    seq: int
    view: DeckView


DeckDelta: Any = delta_type(DeckView)
"""The fields of a DeckView that changed."""


class Delta(msgspec.Struct, frozen=True):
    """What changed since the message numbered `seq` - 1."""

    seq: int
    changes: DeckDelta


class Reply(msgspec.Struct, frozen=True):
    """What comes back, or is pushed (id 0); `kind` says what `body` is."""

    id: int
    kind: ReplyKind
    body: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request was not carried out; `code` is the name of an error class or a stable word."""

    code: str
    message: str
    hint: str = ""


COMMANDS: Final[dict[CommandKind, type[Command]]] = {
    CommandKind.APPROVE: ApproveTicket,
    CommandKind.REJECT: RejectTicket,
    CommandKind.SHRINK: ShrinkTicket,
    CommandKind.SNOOZE: SnoozeTicket,
    CommandKind.HALT: Halt,
    CommandKind.RESUME: Resume,
    CommandKind.RESUME_SYMBOL: ResumeSymbol,
    CommandKind.ACCEPT_DIFFERENCE: AcceptDifference,
    CommandKind.SETTLE: Settle,
    CommandKind.RELEASE_BREAKER: ReleaseBreaker,
    CommandKind.ASK_VENUE: AskVenue,
    CommandKind.CANCEL_ENTRY: CancelEntry,
    CommandKind.CLOSE_POSITION: ClosePosition,
    CommandKind.NOTE_REPORT: NoteReport,
    CommandKind.ACCEPT_POLICY: AcceptPolicy,
    CommandKind.REVERT_POLICY: RevertPolicy,
    CommandKind.RELEASE_STRATEGY: ReleaseStrategy,
    CommandKind.STEER_AGENT: SteerAgent,
    CommandKind.WAIVE_EVIDENCE: WaiveEvidence,
}
_KINDS: Final = {kind: name for name, kind in COMMANDS.items()}
_ERRORS: Final[dict[str, type[DeckError]]] = {
    error.__name__: error for error in (Busy, ConfigError, DataError, InvariantBroken, UsageError)
}
"""One for each exit code: all that a command needs to know of an error on the other side."""
_BODIES: Final[dict[ReplyKind, type]] = {
    ReplyKind.VIEW: DeckView,
    ReplyKind.SNAPSHOT: Snapshot,
    ReplyKind.DELTA: Delta,
    ReplyKind.ANSWER: Answer,
    ReplyKind.DONE: bool,
    ReplyKind.PROBLEM: Problem,
}
_ID = re.compile(rb'^\{"id":(\d{1,15})[,}]')

Asked = Ask | Look | Command | None
"""What a request carries."""
Body = DeckView | Snapshot | Delta | Answer | Detail | Problem | bool | object


def encode_request(id: int, kind: RequestKind, body: Asked = None) -> bytes:
    """A request as bytes; a command is wrapped with its kind."""
    if body is None:
        return msgspec.json.encode(Request(id, kind))
    if not isinstance(body, Ask | Look):
        wrapped = Give(_KINDS[type(body)], msgspec.Raw(msgspec.json.encode(body)))
        return msgspec.json.encode(Request(id, kind, msgspec.Raw(msgspec.json.encode(wrapped))))
    return msgspec.json.encode(Request(id, kind, msgspec.Raw(msgspec.json.encode(body))))


def decode_request(data: bytes | str) -> tuple[Request, Asked]:
    """A request and what it carries. Raises msgspec.DecodeError for anything that is not one."""
    try:
        request = msgspec.json.decode(data, type=Request)
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deeply") from error
    if request.kind is RequestKind.ASK:
        return request, msgspec.json.decode(request.body, type=Ask)
    if request.kind is RequestKind.DETAIL:
        return request, msgspec.json.decode(request.body, type=Look)
    if request.kind is RequestKind.GIVE:
        give = msgspec.json.decode(request.body, type=Give)
        command = msgspec.json.decode(give.body, type=COMMANDS[give.command])
        _check_decimals(command)
        return request, command
    return request, None


def _check_decimals(command: Command) -> None:
    """Raises msgspec.ValidationError for a number that no account has: endless, not a number, too long."""
    for field in fields(command):
        value = getattr(command, field.name)
        if isinstance(value, Decimal) and not _is_ordinary(value):
            raise msgspec.ValidationError(f"`$.{field.name}`: not a number of at most {DIGITS_MAX} digits")


def _is_ordinary(value: Decimal) -> bool:
    """Before anything computes with it: a short text can stand for gigabytes of digits."""
    return (
        value.is_finite()
        and len(value.as_tuple().digits) <= DIGITS_MAX
        and abs(value.adjusted()) <= DIGITS_MAX
    )


def request_id(data: bytes | str) -> int:
    """The id of a request that cannot be decoded, as far as it starts like ours; else 0."""
    found = _ID.match(data.encode() if isinstance(data, str) else data)
    return int(found[1]) if found else PUSHED


def encode_reply(id: int, kind: ReplyKind, body: Body) -> bytes:
    """A reply as bytes."""
    return msgspec.json.encode(Reply(id, kind, msgspec.Raw(msgspec.json.encode(body))))


def found(topic: Topic, detail: Detail | None) -> Found:
    """A detail as the body of a reply."""
    return Found(topic, msgspec.Raw(msgspec.json.encode(detail)))


def decode_reply(data: bytes | str) -> tuple[Reply, Body]:
    """A reply and its body; of a Found, the detail or None. Raises msgspec.DecodeError.

    An answer whose body cannot be read is a Problem: it costs whoever asked, and nobody else.
    """
    reply = msgspec.json.decode(data, type=Reply)
    try:
        return reply, _body(reply)
    except msgspec.DecodeError as error:
        if reply.id == PUSHED:
            raise
        why = f"cannot read the engine's answer: {error}"
        return reply, Problem(DataError.__name__, why, "Use the version that the engine runs")


def _body(reply: Reply) -> Body:
    if reply.kind is ReplyKind.DETAIL:
        what = msgspec.json.decode(reply.body, type=Found)
        detail: Detail | None = msgspec.json.decode(what.body, type=DETAILS[what.topic] | None)
        return detail
    kind: Any = object if reply.kind is ReplyKind.DOCUMENT else _BODIES[reply.kind]
    body: Body = msgspec.json.decode(reply.body, type=kind)
    return body


def frames(data: bytes) -> Iterator[bytes]:
    """A message cut into pieces that a peer takes."""
    return (data[start : start + FRAME_MAX] for start in range(0, len(data), FRAME_MAX))


def problem_of(error: DeckError) -> Problem:
    """One of our errors as it is sent: its words, and the class that stands for its exit code."""
    code = next((name for name, kind in _ERRORS.items() if kind.exit_code == error.exit_code), Busy.__name__)
    return Problem(code, error.message, error.hint)


def error_of(problem: Problem) -> DeckError:
    """What `problem_of` made, and Busy for a refusal by the server itself."""
    return _ERRORS.get(problem.code, Busy)(problem.message, problem.hint)
