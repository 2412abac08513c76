"""The remote form alone: what it does while its engine is away."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import Busy
from engine.model.commands import Actor, Answer, ApproveTicket, Halt, Resume
from tui.link import Question
from tui.server.attach import AttachServer
from tui.server.client import Pace, RemoteLink, attach
from tui.shown.deck import DeckView, LinkState
from tui.shown.details import Topic

ME = Actor("", "pts/7")
APPROVE = ApproveTicket("01JD4Q9M7AZZZZZZZZZZZZZZZZ", "ab" * 32, "nonce", 8.33, ME)
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
    await server.stop()
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
    await server.stop()
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


async def drop(server: AttachServer) -> None:
    """Cut every connection as a lost SSH session does; the server goes on."""
    for guest in tuple(server._guests):
        guest._connection.transport.abort()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - another task turns it
            await asyncio.sleep(0)
