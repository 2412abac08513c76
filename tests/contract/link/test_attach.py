"""The attach server: who gets in, what is refused, and that nothing a peer sends can stop it."""

import asyncio
import getpass
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engine.errors import Busy, ConfigError, StorageError
from engine.model.commands import Actor, Halt, RejectTicket, Resume
from tui.server.attach import AttachLimits, AttachServer
from tui.server.client import Pace, RemoteLink, attach
from tui.server.protocol import FRAME_MAX, PATH, RequestKind, encode_request

ME = Actor("root of all", "pts/7")
Sockets = tuple[Path, Path]
Serve = Callable[..., Awaitable[AttachServer]]


async def raw(path: Path, uri: str = PATH) -> ClientConnection:
    return await unix_connect(str(path), f"ws://engine{uri}", compression=None)


async def reply_to(connection: ClientConnection, message: str | bytes) -> Any:
    await connection.send(message)
    return json.loads(await connection.recv())


async def test_both_sockets_are_for_their_owner_only(serve: Serve, sockets: Sockets) -> None:
    await serve()
    for path in sockets:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.is_socket()


async def test_stopping_removes_the_sockets(serve: Serve, sockets: Sockets) -> None:
    server = await serve()
    await server.stop()
    assert not any(path.exists() for path in sockets)


async def test_nobody_listening_is_no_error(sockets: Sockets, pace: Pace) -> None:
    assert await attach(sockets[0], pace) is None


async def test_another_user_is_refused(serve: Serve, sockets: Sockets, pace: Pace) -> None:
    await serve(uid=os.geteuid() + 1)
    with pytest.raises(ConfigError, match="belongs to another user"):
        await attach(sockets[0], pace)


async def test_a_process_of_another_user_is_refused_by_the_kernels_word(
    serve: Serve, sockets: Sockets
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to start a process as another user")
    await serve()
    sockets[0].parent.chmod(0o755)
    sockets[0].chmod(0o666)
    request = f"GET {PATH} HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n"
    request += "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\\r\\nSec-WebSocket-Version: 13\\r\\n\\r\\n"
    code = (
        "import os, socket; os.setgid(65534); os.setuid(65534); s = socket.socket(socket.AF_UNIX);"
        f"s.connect({str(sockets[0])!r}); s.send(b'{request}'); print(s.recv(4096).decode())"
    )
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-I", "-c", code],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert "403" in done.stdout.splitlines()[0], done
    assert "another user" in done.stdout


async def test_another_version_is_told_so(serve: Serve, sockets: Sockets) -> None:
    await serve()
    with pytest.raises(InvalidStatus) as caught:
        await raw(sockets[0], "/attach/999")
    assert caught.value.response.status_code == 404
    assert PATH in (caught.value.response.body or b"").decode()


async def test_too_many_consoles_are_told_to_wait(serve: Serve, sockets: Sockets, pace: Pace) -> None:
    await serve(AttachLimits(connections=1))
    first = await attach(sockets[0], pace)
    assert first is not None
    with pytest.raises(Busy, match="too many consoles"):
        await attach(sockets[0], pace)
    await first.close()


async def test_a_socket_left_by_a_killed_engine_is_replaced(
    serve: Serve, sockets: Sockets, pace: Pace
) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(sockets[0]))
    await serve()
    link = await attach(sockets[0], pace)
    assert link is not None
    await link.close()


async def test_a_second_engine_is_busy_and_leaves_the_first_alone(
    serve: Serve, sockets: Sockets, pace: Pace
) -> None:
    await serve()
    with pytest.raises(Busy, match="another engine listens") as caught:
        await serve()
    assert caught.value.exit_code == 75
    link = await attach(sockets[0], pace)
    assert link is not None
    await link.close()


async def test_a_file_in_place_of_the_socket_is_not_deleted(serve: Serve, sockets: Sockets) -> None:
    sockets[0].write_text("precious")
    with pytest.raises(StorageError, match="is not a socket"):
        await serve()
    assert sockets[0].read_text() == "precious"


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        "null",
        '"x"',
        "\x00",
        '{"id":"7"}',
        '{"id":7,"kind":"explode"}',
        '{"id":7,"kind":"ask","body":{"question":"secrets"}}',
        '{"id":7,"kind":"give","body":null}',
        '{"id":7,"kind":"give","body":{"command":"approve","body":{"ticket":7}}}',
        '{"id":7,"kind":"give","body":{"command":"halt","body":{"reason":"x"}}}',
        '{"id":7,"kind":"give","body":' + "[" * 20_000 + "]" * 20_000 + "}",
        b"\xff\xfe\x00",
        b'{"id":7,"kind":"\xff"}',
    ],
    ids=range(15),
)
async def test_a_malformed_message_is_answered_and_the_next_is_served(
    serve: Serve, sockets: Sockets, fake: Any, message: str | bytes
) -> None:
    await serve()
    connection = await raw(sockets[0])
    answer = await reply_to(connection, message)
    assert answer["kind"] == "problem"
    assert answer["body"]["code"] == "malformed"
    assert fake.given == []
    assert (await reply_to(connection, encode_request(8, RequestKind.DECK)))["id"] == 8
    await connection.close()


async def test_a_refusal_carries_the_id_when_it_can_be_read(serve: Serve, sockets: Sockets) -> None:
    await serve()
    connection = await raw(sockets[0])
    assert (await reply_to(connection, '{"id":41,"kind":"explode"}'))["id"] == 41
    await connection.close()


async def test_a_message_beyond_the_limit_ends_the_connection_and_not_the_server(
    serve: Serve, sockets: Sockets, pace: Pace
) -> None:
    await serve()
    connection = await raw(sockets[0])
    await connection.send("x" * 200_000)
    with pytest.raises(ConnectionClosed):
        await connection.recv()
    link = await attach(sockets[0], pace)
    assert link is not None
    await link.close()


async def test_a_flood_of_nonsense_is_shown_the_door(serve: Serve, sockets: Sockets) -> None:
    await serve(AttachLimits(requests_per_s=0.001, burst=3))
    connection = await raw(sockets[0])
    for _ in range(3):
        assert (await reply_to(connection, "nonsense"))["body"]["code"] == "malformed"
    with pytest.raises(ConnectionClosed):
        await reply_to(connection, "nonsense")


async def test_a_flood_of_requests_is_limited_but_a_halt_always_passes(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any
) -> None:
    await serve(AttachLimits(requests_per_s=0.001, burst=3))
    link = await attach(sockets[0], pace)
    assert link is not None
    answers = [await link.give(RejectTicket("X", "", ME)) for _ in range(5)]
    assert [answer.code for answer in answers] == ["ok"] * 3 + ["rate_limited"] * 2
    assert (await link.give(Halt(ME, "now"))).ok
    assert isinstance(fake.given[-1], Halt)
    await link.close()


async def test_the_actor_is_the_user_the_kernel_names(remote: RemoteLink, fake: Any) -> None:
    await remote.give(RejectTicket("X", "news", Actor("somebody else", "pts/7", "list")))
    assert fake.given[0].actor == Actor(getpass.getuser(), "pts/7", "", os.geteuid())


@pytest.mark.parametrize("claim", ["pts/7; rm", "\x1b[2J", "x" * 33, "pts 7"])
async def test_a_terminal_that_is_none_is_left_out(remote: RemoteLink, fake: Any, claim: str) -> None:
    await remote.give(Resume(Actor("", claim)))
    assert fake.given[0].actor.terminal == ""


async def test_a_reason_is_cleaned_on_the_way_in(remote: RemoteLink, fake: Any) -> None:
    await remote.give(RejectTicket("X", "news\x1b[31m\u202e" + "y" * 500, ME))
    reason = fake.given[0].reason
    assert reason.startswith("newsyyy")
    assert len(reason) == 200


async def test_the_view_socket_shows_and_takes_no_command(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any
) -> None:
    await serve()
    link = await attach(sockets[1], pace)
    assert link is not None
    assert (await link.deck()).gaps_note == fake.view.gaps_note
    for command in (RejectTicket("X", "", ME), Halt(ME, ""), Resume(ME)):
        answer = await link.give(command)
        assert (answer.ok, answer.code) == (False, "view_only")
    assert await link.resume_market() is False
    assert fake.given == []
    assert fake.is_waiting
    await link.close()


async def test_a_command_under_way_outlives_its_console(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any
) -> None:
    server = await serve()
    link = await attach(sockets[0], pace)
    assert link is not None
    fake.gate.clear()
    lost = asyncio.ensure_future(link.give(Resume(ME)))
    await until(lambda: len(fake.given) == 1)
    await link.close()
    assert (await lost).code == "unknown_outcome"
    stopped = asyncio.ensure_future(server.stop())
    await asyncio.sleep(0)
    assert not stopped.done()
    fake.gate.set()
    await stopped


async def test_a_view_larger_than_a_frame_comes_whole(
    remote: RemoteLink, fake: Any, view: Any, noted: Any
) -> None:
    fake.view = noted(view, "n" * (3 * FRAME_MAX))
    assert (await remote.deck()).gaps_note == fake.view.gaps_note


async def test_a_console_that_leaves_is_forgotten(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any
) -> None:
    await serve()
    link = await attach(sockets[0], pace)
    assert link is not None
    changes = link.changes()
    await anext(changes)
    await until(lambda: fake.listeners == 1)
    await link.close()
    await until(lambda: fake.listeners == 0)


async def test_a_console_that_never_reads_is_kept_no_views_and_holds_up_nobody(
    serve: Serve, sockets: Sockets, pace: Pace, fake: Any, view: Any, noted: Any
) -> None:
    taken: list[int] = []
    changes_of = fake.changes

    async def counted() -> AsyncIterator[Any]:
        mine = len(taken)
        taken.append(0)
        async for each in changes_of():
            taken[mine] += 1
            yield each

    fake.changes = counted
    await serve()
    uri = f"ws://engine{PATH}"
    async with unix_connect(str(sockets[0]), uri, compression=None, max_queue=1, close_timeout=0.1) as deaf:
        await deaf.send(encode_request(1, RequestKind.SUBSCRIBE))
        await until(lambda: fake.listeners == 1)
        link = await attach(sockets[0], pace)
        assert link is not None
        changes = link.changes()
        await anext(changes)
        await until(lambda: fake.listeners == 2)
        for number in range(40):
            note = f"{number} " + "n" * FRAME_MAX
            fake.show(noted(view, note))
            async with asyncio.timeout(5):
                while (await anext(changes)).gaps_note != note:
                    pass
        assert taken[0] <= 5, "what it does not read is not made for it"
        assert taken[1] == 40
        await link.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - another task turns it
            await asyncio.sleep(0)
