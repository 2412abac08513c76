"""The remote form of the link: a console or a command, attached to an engine in another process.

It reconnects by itself. A command that was sent when the connection broke is sent once more where sending it
twice does no harm (an approval carries a nonce, a halt stays a halt); its fate is never guessed.
"""

import asyncio
import dataclasses
import itertools
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.frames import CloseCode

from engine.errors import Busy, ConfigError, DeckError
from engine.model.commands import Answer, Command, Resume, Settle
from tui.link import Question
from tui.server.deltas import OutOfStep
from tui.server.peers import peer_pid
from tui.server.protocol import (
    FRAME_MAX,
    MESSAGE_MAX,
    PATH,
    Ask,
    Asked,
    Body,
    Delta,
    Look,
    Problem,
    RequestKind,
    Snapshot,
    decode_reply,
    encode_request,
    error_of,
)
from tui.server.stream import Inlet
from tui.shown.deck import DeckView, LinkState
from tui.shown.details import Detail, Topic

_log = logging.getLogger(__name__)
_ENDED_WORDS = "The engine ended in order. Shown is its last state."
_REFUSED_BY_SERVER = frozenset({"malformed", "rate_limited"})


@dataclasses.dataclass(frozen=True, slots=True)
class Pace:
    """How long a remote link waits, in seconds."""

    first_retry_s: float = 0.2
    longest_retry_s: float = 5.0
    lost_after_s: float = 30.0
    """Without a connection this long, RECONNECTING becomes LOST; trying goes on."""
    answer_s: float = 15.0
    """The longest an engine may take to answer."""
    ping_s: float = 2.0
    """Between two measurements of how long the engine takes to answer."""
    silent_s: float = 10.0
    """An engine that does not answer a ping for so long is taken for lost."""
    ask_again_s: float = 1.0
    """The shortest time between two requests for a snapshot."""
    unreadable_s: float = 5.0
    """Before an engine is asked again that sent views this version cannot read."""
    resend_s: float = 10.0
    """How long a command whose answer was cut off waits for a new connection."""


class _Cut(Exception):
    """The connection was not there, or broke before the answer came."""

    def __init__(self, was_sent: bool) -> None:
        super().__init__()
        self.was_sent = was_sent


async def attach(path: Path, pace: Pace | None = None) -> "RemoteLink | None":
    """A link to the engine that listens on `path`; None when none does.

    Raises ConfigError when the engine belongs to another user or is of another version, Busy when it takes
    nobody now or does not answer.
    """
    link = RemoteLink(path, pace or Pace())
    try:
        await link.open()
    except (FileNotFoundError, ConnectionRefusedError):
        return None
    except TimeoutError as error:
        raise Busy(
            f"the engine at {path} does not answer", "It may be stopped (SIGSTOP) or overloaded: try again"
        ) from error
    except (InvalidHandshake, InvalidMessage, OSError) as error:
        raise Busy(f"the engine at {path} went away while it was asked: {error}", "Try again") from error
    return link


class RemoteLink:
    """A `Link` over a Unix socket; made by `attach`."""

    def __init__(self, path: Path, pace: Pace) -> None:
        self._path = path
        self._pace = pace
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Body]] = {}
        self._connection: ClientConnection | None = None
        self._attached = asyncio.Event()
        self._state = LinkState.RECONNECTING
        self._view: DeckView | None = None
        self._inlet = Inlet()
        self._asked_at_s = float("-inf")
        self._version = 0
        self._changed = asyncio.Condition()
        self._wants_views = False
        self._is_closed = False
        self._lag_us: int | None = None
        self._engine_pid: int | None = None
        self._lost_since_s = 0.0
        self._keeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect for the first time; what fails now is told, later failures are tried again."""
        connection = await self._connect()
        self._keeper = asyncio.create_task(self._keep(connection))
        await self._attached.wait()

    async def close(self) -> None:
        """Leave. The engine is not touched."""
        self._is_closed = True
        connection = self._connection
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if connection is not None:
            await connection.close()
        self._cut_off()
        await self._tell()

    async def deck(self) -> DeckView:
        """The Desk as it is now; while there is no connection the last one known, marked so."""
        try:
            view = await self._request(RequestKind.DECK)
        except _Cut:
            view = self._view
        if not isinstance(view, DeckView):
            raise Busy("the engine cannot be reached", "It is tried again by itself")
        self._view = view
        return self._shown(view)

    async def changes(self) -> AsyncIterator[DeckView]:
        """The newest view after each change of the Desk or of the connection."""
        if not self._wants_views:
            self._wants_views = True
            if self._connection is not None:
                await self._subscribe(self._connection)
        seen = 0
        while True:
            async with self._changed:
                while self._version == seen and not self._is_closed:
                    await self._changed.wait()
                seen = self._version
            if self._is_closed:
                return
            if self._view is not None:
                yield self._shown(self._view)

    async def give(self, command: Command) -> Answer:
        """Carry out a command; what cannot be carried out or is not known is an answer, not an error."""
        try:
            return await self._give_once(command)
        except _Cut as cut:
            if not cut.was_sent:
                return Answer(False, "detached", self._detached_words())
        if not isinstance(command, Resume | Settle):
            try:
                async with asyncio.timeout(self._pace.resend_s):
                    await self._attached.wait()
                return await self._give_once(command)
            except (_Cut, TimeoutError):
                _log.warning("the answer to %s was lost", type(command).__name__)
        return Answer(
            False,
            "unknown_outcome",
            "The engine was lost before it answered: whether it acted is not known. Look when it is back",
        )

    async def ask(self, question: Question) -> object:
        """A document of the engine. Raises Busy while there is no connection."""
        try:
            return await self._request(RequestKind.ASK, Ask(question))
        except _Cut as cut:
            raise Busy("the engine cannot be reached", "Try again in a moment") from cut

    async def detail(self, topic: Topic, id: str) -> Detail | None:
        """What is known of one thing. Raises Busy while there is no connection."""
        try:
            found = await self._request(RequestKind.DETAIL, Look(topic, id))
        except _Cut as cut:
            raise Busy("the engine cannot be reached", "Try again in a moment") from cut
        assert found is None or isinstance(found, Detail)  # noqa: S101 - the reply's kind says so
        return found

    async def resume_market(self) -> bool:
        """Let a waiting replay go on; False when it does not wait or cannot be reached."""
        try:
            return bool(await self._request(RequestKind.RESUME_MARKET))
        except _Cut:
            return False

    async def _give_once(self, command: Command) -> Answer:
        answer = await self._request(RequestKind.GIVE, command)
        if isinstance(answer, Problem):
            return Answer(False, answer.code, answer.message)
        assert isinstance(answer, Answer)  # noqa: S101 - the reply's kind says so
        return answer

    async def _request(self, kind: RequestKind, body: Asked = None) -> Body:
        """Send and wait. Raises _Cut, and what the engine raised; its server's refusals are returned."""
        connection = self._connection
        if connection is None:
            raise _Cut(was_sent=False)
        number = next(self._ids)
        future: asyncio.Future[Body] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            async with asyncio.timeout(self._pace.answer_s):
                await connection.send(encode_request(number, kind, body))
                reply = await future
        except ConnectionClosed as error:
            raise _Cut(was_sent=True) from error
        except TimeoutError as error:
            if kind is RequestKind.GIVE:
                raise _Cut(was_sent=True) from error
            raise Busy(
                f"the engine did not answer within {self._pace.answer_s:g} s", "Look at its log"
            ) from error
        finally:
            del self._waiting[number]
        if isinstance(reply, Problem) and not (kind is RequestKind.GIVE and reply.code in _REFUSED_BY_SERVER):
            raise error_of(reply)
        return reply

    async def _connect(self) -> ClientConnection:
        try:
            return await unix_connect(
                str(self._path),
                f"ws://engine{PATH}",
                compression=None,
                max_size=(MESSAGE_MAX, 2 * FRAME_MAX),
                close_timeout=2,
                user_agent_header=None,
                # `_ping` asks more often than the library would, and says how long the answer took.
                ping_interval=None,
            )
        except InvalidStatus as error:
            words = (error.response.body or b"").decode(errors="replace").strip()
            if error.response.status_code == 503:
                raise Busy(f"the engine takes nobody now: {words}", "Try again in a moment") from error
            raise ConfigError(
                f"the engine at {self._path} refused this console, which speaks {PATH}: {words}",
                "Use the version and the user it runs as",
            ) from error
        except PermissionError as error:
            raise ConfigError(
                f"cannot open {self._path}: {error.strerror}", "It belongs to another user"
            ) from error

    async def _keep(self, connection: ClientConnection) -> None:
        """Serve one connection after the other until `close`."""
        while True:
            is_readable = await self._read(connection)
            self._lost_since_s = asyncio.get_running_loop().time()
            # A server that stops says so; one that is killed, or a line that breaks, does not.
            said_so = connection.close_code == CloseCode.GOING_AWAY
            await self._set_state(LinkState.ENDED if said_so else LinkState.RECONNECTING)
            if not is_readable:
                await asyncio.sleep(self._pace.unreadable_s)
            connection = await self._reconnect()

    async def _reconnect(self) -> ClientConnection:
        pause_s = self._pace.first_retry_s
        while True:
            try:
                return await self._connect()
            except (OSError, InvalidHandshake, InvalidMessage, DeckError, TimeoutError) as error:
                _log.debug("no engine yet: %s", error)
            lost_s = asyncio.get_running_loop().time() - self._lost_since_s
            if self._state is LinkState.RECONNECTING and lost_s >= self._pace.lost_after_s:
                await self._set_state(LinkState.LOST)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self._pace.longest_retry_s)

    async def _read(self, connection: ClientConnection) -> bool:
        """Hand out replies until the connection ends; False when it was ended over a view nobody can read."""
        self._connection = connection
        self._engine_pid = peer_pid(connection.transport.get_extra_info("socket"))
        pinging = asyncio.create_task(self._ping(connection))
        try:
            if self._wants_views:
                await self._subscribe(connection)
            await self._set_state(LinkState.ATTACHED)
            async for data in connection:
                reply, body = decode_reply(data)
                if isinstance(body, Snapshot | Delta):
                    await self._take(body, connection)
                elif (future := self._waiting.get(reply.id)) is not None and not future.done():
                    future.set_result(body)
        except ConnectionClosed as error:
            _log.debug("the connection broke: %s", error)
        except msgspec.DecodeError as error:
            _log.error("the engine sent what this version cannot read: %s", error)
            await connection.close()
            return False
        finally:
            pinging.cancel()
            self._cut_off()
        return True

    async def _ping(self, connection: ClientConnection) -> None:
        """Measure how long the engine takes to answer; leave one that does not."""
        try:
            while True:
                async with asyncio.timeout(self._pace.silent_s):
                    latency_s = await (await connection.ping())
                self._lag_us = round(latency_s * 1_000_000)
                await asyncio.sleep(self._pace.ping_s)
        except TimeoutError:
            _log.warning("the engine was silent for %g s", self._pace.silent_s)
            # Not `close`, which would wait for the silent one to agree.
            connection.transport.abort()
        except ConnectionClosed:
            _log.debug("the connection broke while the engine was asked for its pulse")

    async def _take(self, message: Snapshot | Delta, connection: ClientConnection) -> None:
        """Show what was pushed; what does not follow is answered by asking for a snapshot."""
        try:
            self._view = self._inlet.take(message)
        except OutOfStep as error:
            now_s = asyncio.get_running_loop().time()
            if now_s - self._asked_at_s >= self._pace.ask_again_s:
                self._asked_at_s = now_s
                _log.warning("asking for a snapshot: %s", error)
                await self._subscribe(connection)
        else:
            self._asked_at_s = float("-inf")
            await self._tell()

    async def _subscribe(self, connection: ClientConnection) -> None:
        try:
            await connection.send(encode_request(next(self._ids), RequestKind.SUBSCRIBE))
        except ConnectionClosed:
            _log.debug("the connection broke before it was subscribed")

    def _cut_off(self) -> None:
        self._connection = None
        self._lag_us = None
        self._attached.clear()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(_Cut(was_sent=True))

    @property
    def is_attached(self) -> bool:
        """Whether the engine answered last time."""
        return self._state is LinkState.ATTACHED

    @property
    def state(self) -> LinkState:
        """How it is joined to its engine now."""
        return self._state

    @property
    def engine_pid(self) -> int | None:
        """The process that was attached to last, where the system tells."""
        return self._engine_pid

    async def _set_state(self, state: LinkState) -> None:
        self._state = state
        if state is LinkState.ATTACHED:
            self._attached.set()
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._version += 1
            self._changed.notify_all()

    def _shown(self, view: DeckView) -> DeckView:
        header = dataclasses.replace(view.header, link=self._state, link_lag_us=self._lag_us)
        if self._state is LinkState.ENDED:
            header = dataclasses.replace(header, engine_state="STOPPED", engine_reason=_ENDED_WORDS)
        return dataclasses.replace(view, header=header)

    def _detached_words(self) -> str:
        if self._state is LinkState.ENDED:
            return "refused: the engine has stopped. Nothing was sent"
        ago_s = int(asyncio.get_running_loop().time() - self._lost_since_s)
        return (
            f"refused: console lost the engine {ago_s // 60}:{ago_s % 60:02d} ago, trying again. "
            "Nothing was sent"
        )
