"""The remote form alone: what it does while its engine is away."""

import asyncio
import base64
import dataclasses
import hashlib
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Busy, DataError
from engine.model.commands import Actor, Answer, ApproveTicket, Halt, Resume
from tui.link import Question
from tui.server.attach import AttachServer
from tui.server.client import Pace, RemoteLink, attach
from tui.shown.deck import DeckView, LinkState
from tui.shown.details import Topic

ME = Actor("", "pts/7")
APPROVE = ApproveTicket("01JD4Q9M7AZZZZZZZZZZZZZZZZ", "ab" * 32, "nonce", 8.33, ME)
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
Sockets = tuple[Path, Path]
Serve = Callable[..., Awaitable[AttachServer]]


async def until_state(changes: Any, *states: LinkState) -> DeckView:
    async with asyncio.timeout(5):
        async for view in changes:
            if view.header.link in states:
                return view
    raise AssertionError("the views ended")


async def connect(serve: Serve, sockets: Sockets, pace: Pace) -> tuple[AttachServer, RemoteLink]:
    server = await serve()
    link = await attach(sockets[0], pace)
    assert link is not None
    return server, link


async def test_attached_is_shown_as_attached(remote: RemoteLink) -> None:
    assert (await remote.deck()).header.link is LinkState.ATTACHED


async def test_a_lost_engine_is_shown_and_found_again(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any, view: DeckView, noted: Any
) -> None:
    server, link = await connect(serve, sockets, pace)
    changes = link.changes()
    await until_state(changes, LinkState.ATTACHED)
    await crash(server)
    away = await until_state(changes, LinkState.RECONNECTING)
    assert away.gaps == view.gaps
    await until_state(changes, LinkState.LOST)
    assert (await link.deck()).header.link is LinkState.LOST
    fake.view = noted(view, "new")
    await serve()
    async with asyncio.timeout(5):
        async for found in changes:
            if found.gaps_note == "new" and found.header.link is LinkState.ATTACHED:
                break
    await link.close()


async def test_a_key_pressed_while_detached_does_nothing_and_says_so(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any
) -> None:
    server, link = await connect(serve, sockets, pace)
    changes = link.changes()
    await until_state(changes, LinkState.ATTACHED)
    await crash(server)
    await until_state(changes, LinkState.RECONNECTING, LinkState.LOST)
    answer = await link.give(APPROVE)
    assert answer.code == "detached"
    assert "lost the engine 0:00 ago" in answer.text
    assert fake.given == []
    with pytest.raises(Busy, match="cannot be reached"):
        await link.ask(Question.STATUS)
    with pytest.raises(Busy, match="cannot be reached"):
        await link.detail(Topic.LOG, "")
    assert await link.resume_market() is False
    await link.close()


async def test_an_approval_cut_off_is_sent_once_more_with_its_nonce(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any
) -> None:
    server, link = await connect(serve, sockets, pace)
    fake.gate.clear()
    approving = asyncio.ensure_future(link.give(APPROVE))
    await until(lambda: len(fake.given) == 1)
    await drop(server)
    await until(lambda: len(fake.given) == 2)
    fake.answer = Answer(False, "nonce_used", "T-18 was approved already")
    fake.gate.set()
    assert (await approving).code == "nonce_used"
    assert [command.nonce for command in fake.given] == ["nonce", "nonce"]
    await link.close()


async def test_a_resume_cut_off_is_not_repeated(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any
) -> None:
    server, link = await connect(serve, sockets, pace)
    fake.gate.clear()
    resuming = asyncio.ensure_future(link.give(Resume(ME)))
    await until(lambda: len(fake.given) == 1)
    await drop(server)
    answer = await resuming
    assert answer.code == "unknown_outcome"
    assert "not known" in answer.text
    fake.gate.set()
    await link.close()
    assert len(fake.given) == 1


async def test_an_engine_that_does_not_answer_is_not_waited_for(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any
) -> None:
    hasty = dataclasses.replace(pace, answer_s=0.05, resend_s=0.05)
    _, link = await connect(serve, sockets, hasty)
    fake.gate.clear()
    assert (await link.give(Halt(ME, "x"))).code == "unknown_outcome"
    fake.gate.set()
    await link.close()


async def test_closing_ends_the_views(remote: RemoteLink) -> None:
    changes = remote.changes()
    await anext(changes)
    await remote.close()
    with pytest.raises(StopAsyncIteration):
        await anext(changes)


async def test_an_engine_that_stopped_in_order_is_shown_as_stopped_and_found_again(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any
) -> None:
    server, link = await connect(serve, sockets, pace)
    changes = link.changes()
    await until_state(changes, LinkState.ATTACHED)
    await server.stop()
    ended = (await until_state(changes, LinkState.ENDED)).header
    assert (ended.engine_state, ended.engine_reason) == (
        "STOPPED",
        "The engine ended in order. Shown is its last state.",
    )
    answer = await link.give(APPROVE)
    assert (answer.code, answer.text) == ("detached", "refused: the engine has stopped. Nothing was sent")
    assert fake.given == []
    await serve()
    again = (await until_state(changes, LinkState.ATTACHED)).header
    assert (again.engine_state, again.engine_reason) == ("RUNNING", "")
    await link.close()


async def test_the_time_an_answer_takes_is_shown_while_attached(remote: RemoteLink) -> None:
    async with asyncio.timeout(5):
        while (lag := (await remote.deck()).header.link_lag_us) is None:
            pass  # each look is an answer of the engine, and the ping's comes among them
    assert 0 <= lag < 5_000_000


async def test_an_engine_that_stands_still_is_taken_for_lost(sockets: Sockets, pace: Pace) -> None:
    hasty = dataclasses.replace(pace, silent_s=0.05)
    async with standing_still(sockets[0]) as met:
        link = RemoteLink(sockets[0], hasty)
        opening = asyncio.create_task(link.open())
        await opening
        await until(lambda: len(met) == 2)  # it left the first and tried again
        await link.close()


async def test_what_hangs_up_before_it_shook_hands_is_busy(sockets: Sockets, pace: Pace) -> None:
    server = await asyncio.start_unix_server(lambda reader, writer: writer.close(), sockets[0])
    with pytest.raises(Busy, match="went away while it was asked"):
        await attach(sockets[0], pace)
    server.close()
    await server.wait_closed()


@asynccontextmanager
async def standing_still(path: Path) -> AsyncIterator[list[asyncio.StreamWriter]]:
    """Shakes hands like an engine, and then neither reads nor answers: a process stopped by SIGSTOP."""
    met: list[asyncio.StreamWriter] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", asked)
        assert key is not None
        accept = base64.b64encode(hashlib.sha1(key[1] + GUID).digest())  # noqa: S324 - RFC 6455
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        met.append(writer)

    server = await asyncio.start_unix_server(greet, path)
    try:
        yield met
    finally:
        server.close()
        for writer in met:
            writer.close()


async def crash(server: AttachServer) -> None:
    """End the server as `kill -9` does: nobody is told, its sockets stay."""
    for each in server._servers:
        each.close(close_connections=False)
    server._servers.clear()
    await drop(server)


async def drop(server: AttachServer) -> None:
    """Cut every connection as a lost SSH session does; the server goes on."""
    for guest in tuple(server._guests):
        guest._connection.transport.abort()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - another task turns it
            await asyncio.sleep(0)


async def test_an_answer_that_cannot_be_read_costs_the_answer_and_no_more(
    remote: RemoteLink, fake: Any, details: dict[Topic, Any]
) -> None:
    fake.details[Topic.EQUITY, "30d"] = dataclasses.replace(details[Topic.EQUITY], equity=(math.nan, 1.0))
    with pytest.raises(DataError, match="cannot read the engine's answer"):
        await remote.detail(Topic.EQUITY, "30d")
    assert remote.is_attached
