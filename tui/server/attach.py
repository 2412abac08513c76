"""The attach server: a link made reachable through two Unix sockets, one of them for looking only.

A command that was taken is carried out to its end even when the face that gave it goes away meanwhile. Who
gave it is the kernel's word on the peer, never what the peer says.
"""

import asyncio
import dataclasses
import itertools
import logging
import re
import socket
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import msgspec
from websockets.asyncio.server import Server, ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.http11 import Request as Handshake
from websockets.http11 import Response

from engine.errors import Busy, DeckError, StorageError
from engine.model.commands import Actor, Answer, Command, Halt, RejectTicket, Settle
from engine.model.text import clean
from tui.link import Link
from tui.server.peers import own_uid, peer_pid, peer_uid, terminal_of, user_name
from tui.server.protocol import (
    PATH,
    PUSHED,
    REQUEST_MAX,
    Ask,
    Asked,
    Body,
    Delta,
    Look,
    Problem,
    ReplyKind,
    Request,
    RequestKind,
    Snapshot,
    decode_request,
    encode_reply,
    found,
    frames,
    problem_of,
    request_id,
)
from tui.server.stream import Outlet
from tui.shown.deck import DeckView
from tui.shown.health import GuestView

_log = logging.getLogger(__name__)
_TERMINAL = re.compile(r"[A-Za-z0-9/._-]{1,32}")
_VIEW_ONLY = "refused: this connection may look, not act"


@dataclasses.dataclass(frozen=True, slots=True)
class AttachLimits:
    """What one connection, and all together, may ask of the server."""

    requests_per_s: float = 20.0
    burst: int = 40
    in_flight: int = 8
    connections: int = 32
    drain_s: float = 10.0
    """How long commands under way may take when the server stops."""


class AttachServer:
    """Serves `link` at `socket_path`, and without commands at `view_path`, to processes of `uid` only."""

    def __init__(
        self,
        link: Link,
        socket_path: Path,
        view_path: Path,
        limits: AttachLimits | None = None,
        uid: int | None = None,
        wall_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._link = link
        self._paths = {socket_path: False, view_path: True}
        self._limits = limits or AttachLimits()
        self._uid = own_uid() if uid is None else uid
        self._servers: list[Server] = []
        self._wall_us = wall_us
        self._numbers = itertools.count(1)
        self._guests: set[_Guest] = set()
        self._commands: set[asyncio.Task[Answer]] = set()
        self._is_stopping = False

    async def start(self) -> None:
        """Open both sockets, 0600. Raises Busy when a live server listens there, StorageError otherwise."""
        for path, view_only in self._paths.items():
            self._servers.append(await self._open(path, view_only))

    async def stop(self) -> None:
        """Take no one new, let commands under way finish, send everyone off and remove the sockets."""
        self._is_stopping = True
        if self._commands:
            await asyncio.wait(self._commands, timeout=self._limits.drain_s)
        for server in self._servers:
            server.close()
            await server.wait_closed()
        for path in self._paths if self._servers else ():
            path.unlink(missing_ok=True)
        self._servers.clear()

    async def _open(self, path: Path, view_only: bool) -> Server:
        async def welcome(connection: ServerConnection) -> None:
            guest = _Guest(self, connection, view_only, self._who(connection, view_only))
            self._guests.add(guest)
            try:
                await guest.serve()
            finally:
                self._guests.discard(guest)

        return await unix_serve(
            welcome,
            sock=_bind(path),
            process_request=self._admit,
            compression=None,
            max_size=REQUEST_MAX,
            close_timeout=2,
            server_header=None,
        )

    def guests(self) -> tuple[GuestView, ...]:
        """The consoles that look on, longest first; commands that only ask are not among them."""
        found = [guest.who for guest in self._guests if guest.is_console]
        return tuple(sorted(found, key=lambda who: who.number))

    def _who(self, connection: ServerConnection, view_only: bool) -> GuestView:
        pid = peer_pid(connection.transport.get_extra_info("socket"))
        now_us = self._wall_us()
        return GuestView(next(self._numbers), self.user, terminal_of(pid), pid, not view_only, now_us)

    def _admit(self, connection: ServerConnection, handshake: Handshake) -> Response | None:
        """None lets the peer in; anything else is the refusal it gets."""
        uid = peer_uid(connection.transport.get_extra_info("socket"))
        if uid != self._uid:
            _log.warning("attach refused: peer is uid %s, the engine runs as %s", uid, self._uid)
            return connection.respond(HTTPStatus.FORBIDDEN, "the engine belongs to another user\n")
        if handshake.path != PATH:
            return connection.respond(HTTPStatus.NOT_FOUND, f"this engine speaks {PATH}\n")
        if self._is_stopping or len(self._guests) >= self._limits.connections:
            why = "the engine stops" if self._is_stopping else "too many consoles are attached"
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, f"{why}\n")
        return None

    async def carry_out(self, command: Command) -> Answer:
        """Give a command to the engine; it goes on when the caller is cancelled."""
        task = asyncio.ensure_future(self._link.give(command))
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)
        return await asyncio.shield(task)

    @property
    def link(self) -> Link:
        """What is served."""
        return self._link

    @property
    def limits(self) -> AttachLimits:
        """What a connection may ask."""
        return self._limits

    @property
    def uid(self) -> int:
        """The user id of everyone who is let in: `_admit` compares it with the kernel's word on the peer."""
        return self._uid

    @property
    def user(self) -> str:
        """The name of everyone who is let in: there is only the one user."""
        return user_name(self._uid)


class _Guest:
    """One connection."""

    def __init__(
        self, server: AttachServer, connection: ServerConnection, view_only: bool, who: GuestView
    ) -> None:
        self.who = who
        self._server = server
        self._connection = connection
        self._view_only = view_only
        self._bucket = _Bucket(server.limits.requests_per_s, server.limits.burst)
        self._tasks: set[asyncio.Task[None]] = set()
        self._outlet: Outlet | None = None
        self._pushing = asyncio.Lock()

    @property
    def is_console(self) -> bool:
        """Whether it is shown what changes."""
        return self._outlet is not None

    async def serve(self) -> None:
        """Take requests until the peer leaves."""
        try:
            async with asyncio.TaskGroup() as group:
                async for data in self._connection:
                    await self._take(data, group)
                for task in self._tasks:
                    task.cancel()
        except* ConnectionClosed:
            _log.debug("a console left in the middle of a message")

    async def _take(self, data: str | bytes, group: asyncio.TaskGroup) -> None:
        try:
            request, body = decode_request(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if not self._bucket.take():
                await self._connection.close(CloseCode.POLICY_VIOLATION, "too many malformed messages")
            await self._refuse(request_id(data), "malformed", f"not a request: {clean(str(error))}")
            return
        # A halt is always taken: nothing may stand between a person and the kill switch.
        is_free = len(self._tasks) < self._server.limits.in_flight and self._bucket.take()
        if not is_free and not isinstance(body, Halt):
            await self._refuse(request.id, "rate_limited", "too many requests at once, try again in a second")
            return
        task = group.create_task(self._handle(request, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, request: Request, body: Asked) -> None:
        try:
            match request.kind:
                case RequestKind.DECK:
                    await self._send(request.id, ReplyKind.VIEW, await self._server.link.deck())
                case RequestKind.GIVE:
                    await self._send(request.id, ReplyKind.ANSWER, await self._give(body))
                case RequestKind.ASK if isinstance(body, Ask):
                    document = await self._server.link.ask(body.question)
                    await self._send(request.id, ReplyKind.DOCUMENT, document)
                case RequestKind.DETAIL if isinstance(body, Look):
                    detail = await self._server.link.detail(body.topic, body.id)
                    await self._send(request.id, ReplyKind.DETAIL, found(body.topic, detail))
                case RequestKind.RESUME_MARKET:
                    done = not self._view_only and await self._server.link.resume_market()
                    await self._send(request.id, ReplyKind.DONE, done)
                case RequestKind.SUBSCRIBE:
                    await self._stream(request.id)
        except DeckError as error:
            await self._send(request.id, ReplyKind.PROBLEM, problem_of(error))

    async def _give(self, body: Asked) -> Answer:
        if self._view_only:
            return Answer(False, "view_only", _VIEW_ONLY)
        if body is None or isinstance(body, Ask | Look):
            return Answer(False, "malformed", "refused: the request holds no command")
        claim = body.actor.terminal
        terminal = claim if _TERMINAL.fullmatch(claim) else ""
        actor = Actor(self._server.user, terminal, uid=self._server.uid)
        if isinstance(body, RejectTicket | Halt | Settle):
            body = dataclasses.replace(body, reason=clean(body.reason))
        return await self._server.carry_out(dataclasses.replace(body, actor=actor))

    async def _stream(self, request: int) -> None:
        """Push a snapshot, then changes until the connection ends; asked again, what it should hold by now.

        The link keeps only the newest view for a peer that is slow: its changes are then of more than one.
        """
        await self._send(request, ReplyKind.DONE, True)
        if self._outlet is not None:
            async with self._pushing:
                await self._push(self._outlet.again())
            return
        self._outlet = Outlet()
        await self._show(await self._server.link.deck())
        async for view in self._server.link.changes():
            await self._show(view)

    async def _show(self, view: DeckView) -> None:
        assert self._outlet is not None  # noqa: S101 - only a stream shows
        async with self._pushing:
            await self._push(self._outlet.next(view))

    async def _push(self, message: Snapshot | Delta | None) -> None:
        if message is not None:
            kind = ReplyKind.SNAPSHOT if isinstance(message, Snapshot) else ReplyKind.DELTA
            await self._send(PUSHED, kind, message)

    async def _refuse(self, request: int, code: str, message: str) -> None:
        await self._send(request, ReplyKind.PROBLEM, Problem(code, message))

    async def _send(self, request: int, kind: ReplyKind, body: Body) -> None:
        try:
            await self._connection.send(frames(encode_reply(request, kind, body)))
        except ConnectionClosed:
            _log.debug("a console left before its %s was sent", kind)


class _Bucket:
    """A token bucket on the loop's clock."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = burst
        self._tokens = float(burst)
        self._then_s = asyncio.get_running_loop().time()

    def take(self) -> bool:
        """Use one token; False when there is none."""
        now_s = asyncio.get_running_loop().time()
        self._tokens = min(self._burst, self._tokens + (now_s - self._then_s) * self._per_s)
        self._then_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _bind(path: Path) -> socket.socket:
    """A bound socket that only we can open; one that a killed process left behind is replaced."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.exists():
            _remove_dead(path)
        listener.bind(str(path))
        # Before the socket listens nobody can connect, so it is never open to others.
        path.chmod(0o600)
    except OSError as error:
        listener.close()
        raise StorageError(f"cannot open the socket {path}: {error}", "Check the state folder") from error
    except DeckError:
        listener.close()
        raise
    return listener


def _remove_dead(path: Path) -> None:
    """Remove a socket that nobody listens on. Raises Busy for a live one, StorageError for another file."""
    if not path.is_socket():
        raise StorageError(f"{path} is not a socket", "Move that file away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise Busy(
        f"another engine listens on {path}",
        "Use that one, or give this one a folder of its own with --state",
    )
