"""Every message survives the wire, and nothing but a message is taken for one."""

import dataclasses
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import (
    AuthFailed,
    Busy,
    DataError,
    DeckError,
    InvariantBroken,
    RateLimited,
    StorageError,
    UsageError,
)
from engine.model.commands import (
    AcceptDifference,
    AcceptPolicy,
    Actor,
    Answer,
    ApproveTicket,
    AskVenue,
    CancelEntry,
    ClosePosition,
    Command,
    Halt,
    RejectTicket,
    ReleaseBreaker,
    ReleaseStrategy,
    Resume,
    ResumeSymbol,
    RevertPolicy,
    ShrinkTicket,
    SnoozeTicket,
)
from engine.model.ids import InstrumentId, StrategyName, TicketId
from tui.link import Question
from tui.server.protocol import (
    FRAME_MAX,
    Ask,
    Problem,
    ReplyKind,
    RequestKind,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
    error_of,
    frames,
    problem_of,
)
from tui.shown.deck import DeckView

ACTOR = Actor("nina", "pts/7", "")
COMMANDS: list[Command] = [
    ApproveTicket("T", "ab" * 32, "nonce", 0.1 + 0.2, ACTOR),
    RejectTicket("T", "spread „1.4 %“ ◆", ACTOR),
    ShrinkTicket("T", "a" * 64, Decimal("12.500"), ACTOR),
    SnoozeTicket("T", ACTOR),
    Halt(ACTOR, ""),
    Halt(ACTOR, "enough", flatten=True),
    Resume(ACTOR),
    ResumeSymbol(ACTOR, InstrumentId("ABC.US")),
    AcceptDifference(ACTOR, InstrumentId("ABC.US")),
    ReleaseBreaker(ACTOR, "paper"),
    AskVenue(TicketId("T"), ACTOR),
    CancelEntry(TicketId("T"), ACTOR),
    ClosePosition(TicketId("T"), ACTOR),
    AcceptPolicy("P-3", ACTOR),
    RevertPolicy("P-3", ACTOR),
    ReleaseStrategy(StrategyName("gaps"), ACTOR),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_each_command_survives(command: Command) -> None:
    request, body = decode_request(encode_request(7, RequestKind.GIVE, command))
    assert (request.id, request.kind, body) == (7, RequestKind.GIVE, command)


@pytest.mark.parametrize("difference", ["NaN", "sNaN", "-Infinity", "1" * 33, "1E+9999999999"])
def test_a_number_that_no_account_has_is_no_request(difference: str) -> None:
    command = {"actor": {"name": "nina", "terminal": ""}, "difference": difference, "reason": "x"}
    request = {"id": 7, "kind": "give", "body": {"command": "settle", "body": command}}
    with pytest.raises(msgspec.DecodeError):
        decode_request(json.dumps(request))


@pytest.mark.parametrize("question", list(Question))
def test_each_question_survives(question: Question) -> None:
    assert decode_request(encode_request(7, RequestKind.ASK, Ask(question)))[1] == Ask(question)


@pytest.mark.parametrize("kind", [RequestKind.DECK, RequestKind.RESUME_MARKET, RequestKind.SUBSCRIBE])
def test_a_request_without_a_body_survives(kind: RequestKind) -> None:
    request, body = decode_request(encode_request(7, kind))
    assert (request.id, request.kind, body) == (7, kind, None)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (ReplyKind.ANSWER, Answer(False, "expired", "T-18 expired")),
        (ReplyKind.PROBLEM, Problem("Busy", "the engine stops", "")),
        (ReplyKind.DONE, True),
        (ReplyKind.DOCUMENT, None),
        (ReplyKind.DOCUMENT, [{"price": "8.37", "age": 1.5, "none": None}]),
    ],
)
def test_each_reply_survives(kind: ReplyKind, body: Any) -> None:
    reply, decoded = decode_reply(encode_reply(7, kind, body))
    assert (reply.id, reply.kind, decoded) == (7, kind, body)


def test_a_view_survives_with_types_and_exact_digits(view: DeckView) -> None:
    _, decoded = decode_reply(encode_reply(0, ReplyKind.VIEW, view))
    assert decoded == view
    assert repr(decoded) == repr(view)


def test_every_field_of_a_view_is_filled_in_the_builder(view: DeckView) -> None:
    for item in dataclasses.fields(view):
        assert getattr(view, item.name) or item.name == "last_closed"


@given(st.binary(max_size=200))
def test_bytes_that_are_no_request_raise_one_error(data: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        decode_request(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.fixed_dictionaries({"id": st.integers(), "kind": st.sampled_from(["give", "ask"]), "body": JSON}))
def test_a_request_with_any_body_raises_one_error(document: dict[str, Any]) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_request(json.dumps(document))


@given(st.binary(max_size=4096))
def test_frames_join_to_the_message(data: bytes) -> None:
    assert b"".join(frames(data)) == data


def test_no_frame_is_longer_than_agreed() -> None:
    assert [len(frame) for frame in frames(b"x" * (FRAME_MAX + 1))] == [FRAME_MAX, 1]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UsageError("a", "b"), UsageError),
        (DataError("a", "b"), DataError),
        (StorageError("a", "b"), DataError),
        (InvariantBroken("a", "b"), InvariantBroken),
        (Busy("a", "b"), Busy),
        (RateLimited("a", 1.0, "b"), Busy),
        (AuthFailed("a", "b"), None),
    ],
)
def test_an_error_keeps_words_and_exit_code(error: DeckError, kind: type[DeckError] | None) -> None:
    again = error_of(problem_of(error))
    assert (again.message, again.hint, again.exit_code) == ("a", "b", error.exit_code)
    assert kind is None or type(again) is kind
