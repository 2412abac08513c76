"""Each message of the link, filled with values made from its type, arrives as it was sent."""

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.commands import Answer
from tui.link import Question
from tui.server.deltas import diff
from tui.server.protocol import (
    COMMANDS,
    Ask,
    Asked,
    CommandKind,
    Delta,
    Look,
    Problem,
    ReplyKind,
    RequestKind,
    Snapshot,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
    found,
)
from tui.shown.deck import DeckView
from tui.shown.details import DETAILS, Topic

SEEDS = st.integers(0, 2**32)
PLAIN = {ReplyKind.VIEW: DeckView, ReplyKind.ANSWER: Answer, ReplyKind.DONE: bool, ReplyKind.PROBLEM: Problem}
BODILESS = (RequestKind.DECK, RequestKind.RESUME_MARKET, RequestKind.SUBSCRIBE)


def asked(kind: RequestKind, body: Asked) -> None:
    request, decoded = decode_request(encode_request(7, kind, body))
    assert (request.id, request.kind) == (7, kind)
    assert repr(decoded) == repr(body)


def told(kind: ReplyKind, body: Any, expected: Any) -> None:
    reply, decoded = decode_reply(encode_reply(7, kind, body))
    assert (reply.id, reply.kind) == (7, kind)
    assert repr(decoded) == repr(expected)


@pytest.mark.parametrize("kind", list(CommandKind))
@given(seed=SEEDS)
@settings(max_examples=50, deadline=None)
def test_a_command_arrives_as_it_was_given(maker: Any, kind: CommandKind, seed: int) -> None:
    asked(RequestKind.GIVE, maker(Random(seed)).value(COMMANDS[kind]))


@pytest.mark.parametrize("kind", list(RequestKind))
@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_a_request_arrives_as_it_was_asked(maker: Any, kind: RequestKind, seed: int) -> None:
    make = maker(Random(seed))
    bodies: dict[RequestKind, Asked] = {
        RequestKind.ASK: Ask(make.value(Question)),
        RequestKind.DETAIL: make.value(Look),
        RequestKind.GIVE: make.value(COMMANDS[CommandKind.HALT]),
        **dict.fromkeys(BODILESS, None),
    }
    asked(kind, bodies[kind])


@pytest.mark.parametrize("kind", list(PLAIN))
@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_a_reply_arrives_as_it_was_sent(maker: Any, kind: ReplyKind, seed: int) -> None:
    body = maker(Random(seed)).value(PLAIN[kind])
    told(kind, body, body)


@pytest.mark.parametrize("topic", list(Topic))
@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_a_detail_arrives_as_it_was_found(maker: Any, topic: Topic, seed: int) -> None:
    detail = maker(Random(seed)).value(DETAILS[topic] | None)
    told(ReplyKind.DETAIL, found(topic, detail), detail)


@given(seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_what_is_pushed_arrives_as_it_was_pushed(maker: Any, seed: int) -> None:
    make = maker(Random(seed))
    view = make.value(DeckView)
    told(ReplyKind.SNAPSHOT, Snapshot(3, view), Snapshot(3, view))
    delta = Delta(4, diff(view, make.edited(view, DeckView)))
    _, decoded = decode_reply(encode_reply(0, ReplyKind.DELTA, delta))
    assert msgspec.json.encode(decoded) == msgspec.json.encode(delta)


def test_every_kind_of_reply_is_tried_here() -> None:
    elsewhere = {ReplyKind.DETAIL, ReplyKind.SNAPSHOT, ReplyKind.DELTA}
    documents = {ReplyKind.DOCUMENT}  # any JSON value: tests/contract/link/test_protocol.py
    assert set(ReplyKind) == set(PLAIN) | elsewhere | documents
