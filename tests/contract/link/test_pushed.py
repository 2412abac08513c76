"""What is pushed: one snapshot, then numbered changes; and what a console does when one of them is lost."""

import asyncio
import dataclasses
import json
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed

from tui.server.attach import AttachServer
from tui.server.client import Pace, RemoteLink, attach
from tui.server.protocol import PATH, RequestKind, encode_request
from tui.shown.deck import DeckView, LinkState

Sockets = tuple[Path, Path]
Serve = Callable[..., Awaitable[AttachServer]]
Noted = Callable[[DeckView, str], DeckView]
Passing = Callable[[dict[str, Any]], int]
"""How often a message of the server is passed on."""


class Wire:
    """Between a console and an engine: notes every message of either side."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.told: list[dict[str, Any]] = []
        self.passing: Passing = lambda message: 1

    @property
    def kinds(self) -> list[str]:
        return [message["kind"] for message in self.told if message["id"] == 0]

    async def serve(self, console: ServerConnection, engine_path: Path) -> None:
        async with unix_connect(str(engine_path), f"ws://engine{PATH}", compression=None) as engine:
            up = asyncio.create_task(self._up(console, engine))
            try:
                async for data in engine:
                    message = json.loads(data)
                    self.told.append(message)
                    for _ in range(self.passing(message)):
                        await console.send(data)
            except ConnectionClosed:
                pass
            finally:
                up.cancel()

    async def _up(self, console: ServerConnection, engine: ClientConnection) -> None:
        async for data in console:
            self.asked.append(json.loads(data)["kind"])
            await engine.send(data)
        await engine.close()


@asynccontextmanager
async def wired(sockets: Sockets, pace: Pace) -> AsyncIterator[tuple[Wire, RemoteLink]]:
    wire, path = Wire(), sockets[0].with_name("wire.sock")
    async with unix_serve(lambda console: wire.serve(console, sockets[0]), str(path), compression=None):
        link = await attach(path, pace)
        assert link is not None
        yield wire, link
        await link.close()


async def until_note(changes: AsyncIterator[DeckView], note: str) -> DeckView:
    async with asyncio.timeout(5):
        async for view in changes:
            if view.gaps_note == note:
                return view
    raise AssertionError("the views ended")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - another task turns it
            await asyncio.sleep(0)


def is_third(message: dict[str, Any]) -> bool:
    return message["kind"] == "delta" and message["body"]["seq"] == 3


async def show_each(wire: Wire, fake: Any, view: DeckView, noted: Noted, notes: list[str]) -> None:
    """One message for each: a peer that is slow would be sent one for all."""
    for note in notes:
        count = len(wire.kinds)
        fake.show(noted(view, note))
        await until(lambda count=count: len(wire.kinds) > count)  # type: ignore[misc]


async def test_a_snapshot_comes_first_and_then_only_what_changed(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any, view: DeckView, noted: Noted
) -> None:
    await serve()
    async with wired(sockets, pace) as (wire, link):
        changes = link.changes()
        await anext(changes)
        await until(lambda: fake.listeners == 1)
        await show_each(wire, fake, view, noted, ["one", "two"])
        await until_note(changes, "two")
        assert wire.kinds == ["snapshot", "delta", "delta"]
        pushed = [message["body"] for message in wire.told if message["id"] == 0]
        assert [body["seq"] for body in pushed] == [1, 2, 3]
        assert pushed[1]["changes"] == {"gaps_note": "one"}


@pytest.mark.parametrize("times", [0, 2], ids=["missed", "repeated"])
async def test_a_number_that_does_not_follow_brings_a_snapshot_again(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any, view: DeckView, noted: Noted, times: int
) -> None:
    await serve()
    async with wired(sockets, pace) as (wire, link):
        changes = link.changes()
        await anext(changes)
        await until(lambda: fake.listeners == 1)
        wire.passing = lambda message: times if is_third(message) else 1
        await show_each(wire, fake, view, noted, ["one", "two", "three"])
        seen = await until_note(changes, "three")
        await until(lambda: wire.kinds.count("snapshot") == 2)
        assert seen.tickets == view.tickets
        assert wire.asked.count("subscribe") == 2
        await show_each(wire, fake, view, noted, ["four"])
        await until_note(changes, "four")
        assert wire.kinds[-1] == "delta"
        assert wire.asked.count("subscribe") == 2


async def test_nothing_is_shown_of_a_row_of_changes_that_has_a_hole(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any, view: DeckView, noted: Noted
) -> None:
    await serve()
    async with wired(sockets, pace) as (wire, link):
        changes = link.changes()
        await anext(changes)
        await until(lambda: fake.listeners == 1)
        # Neither the second change nor any snapshot gets through: what is shown is the first change.
        wire.passing = lambda message: int(message["kind"] != "snapshot" and not is_third(message))
        await show_each(wire, fake, view, noted, ["one", "two", "three"])
        await until(lambda: wire.kinds.count("snapshot") == 2)
        assert link._view is not None
        assert link._view.gaps_note == "one"
        wire.passing = lambda message: 1


async def test_a_view_without_a_change_says_that_the_engine_lives(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any, view: DeckView
) -> None:
    await serve()
    async with wired(sockets, pace) as (wire, link):
        changes = link.changes()
        await anext(changes)
        await until(lambda: fake.listeners == 1)
        fake.show(view)
        await anext(changes)
        await until(lambda: len(wire.kinds) == 2)
        assert wire.told[-1]["body"] == {"seq": 2, "changes": {}}


async def test_a_view_that_was_asked_for_does_not_move_what_changes_are_applied_to(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any, view: DeckView, noted: Noted
) -> None:
    await serve()
    async with wired(sockets, pace) as (wire, link):
        changes = link.changes()
        await anext(changes)
        await until(lambda: fake.listeners == 1)
        fake.view = noted(view, "asked")
        assert (await link.deck()).gaps_note == "asked"
        await show_each(wire, fake, view, noted, ["scan 09:30 ET", "later"])
        await until_note(changes, "later")
        assert wire.kinds.count("snapshot") == 1


async def test_asking_twice_at_once_is_harmless(serve: Serve, sockets: Sockets) -> None:
    await serve()
    async with unix_connect(str(sockets[0]), f"ws://engine{PATH}", compression=None) as connection:
        await connection.send(encode_request(1, RequestKind.SUBSCRIBE))
        await connection.send(encode_request(2, RequestKind.SUBSCRIBE))
        kinds = [json.loads(await connection.recv())["kind"] for _ in range(3)]
    assert sorted(kinds) == ["done", "done", "snapshot"]


async def test_views_that_cannot_be_read_are_not_asked_for_without_a_pause(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any, view: DeckView, noted: Noted
) -> None:
    """A number that is none is written as null, which no field of a number takes."""
    await serve()
    patient = dataclasses.replace(pace, unreadable_s=0.5)
    link = await attach(sockets[0], patient)
    assert link is not None
    changes = link.changes()
    await anext(changes)
    await until(lambda: fake.listeners == 1)
    began_s = asyncio.get_running_loop().time()
    bad = dataclasses.replace(view, gaps=(dataclasses.replace(view.gaps[0], gap_ratio=math.nan),))
    fake.show(bad)
    await until(lambda: link.state is LinkState.RECONNECTING)
    fake.show(noted(view, "whole"))
    found = await until_note(changes, "whole")
    assert found.header.link is LinkState.ATTACHED
    assert asyncio.get_running_loop().time() - began_s >= patient.unreadable_s
    await link.close()
