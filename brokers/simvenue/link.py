"""The way between one adapter and one venue: it takes time, loses, doubles, delays, breaks, falls silent."""

import asyncio
from collections import deque
from collections.abc import Callable

from brokers.simvenue.faults import Fault, FaultPlan
from brokers.simvenue.garble import garbled
from brokers.simvenue.requests import BANNED, FAILED, OK, TOO_MANY, Response
from brokers.simvenue.venue import Venue

TIMEOUT_S = 5.0
"""How long the adapter waits for an answer."""
LATEST_S = 30.0
"""No request is under way for longer."""
NOTHING = b"{}"


class Unreachable(Exception):
    """No connection: the request was not sent."""


class NoAnswer(Exception):
    """The request was sent, and no answer came."""


class StreamEnded(Exception):
    """The connection of the stream is gone."""


class Stream:
    """One connection that the venue pushes frames to."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._reader: asyncio.Future[None] | None = None
        self.is_open = True

    def put(self, frame: bytes) -> None:
        """Deliver a frame."""
        if self.is_open:
            self._frames.append(frame)
            self._wake()

    def end(self) -> None:
        """The connection is gone; what was delivered can still be read."""
        self.is_open = False
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def next(self) -> bytes:
        """The next frame. Raises StreamEnded."""
        while not self._frames:
            if not self.is_open:
                raise StreamEnded
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._frames.popleft()


class Link:
    """One client's way to the venue."""

    def __init__(self, venue: Venue, plan: FaultPlan) -> None:
        self._venue = venue
        self._plan = plan
        self._loop = asyncio.get_running_loop()
        self._pending: dict[asyncio.Future[Response], None] = {}
        self.stream: Stream | None = None
        self._stream_order_s = 0.0
        self.down_until_s = 0.0
        self.banned_until_s = 0.0
        self.mute_until_s = 0.0
        self.changed: Callable[[], None] = lambda: None
        """Told when the venue becomes unreachable, or reachable again."""

    @property
    def is_reachable(self) -> bool:
        """Requests get through to the venue's books."""
        now = self._loop.time()
        return now >= self.down_until_s and now >= self.banned_until_s

    def heal(self) -> None:
        """No trouble from now on."""
        self.down_until_s = self.banned_until_s = self.mute_until_s = 0.0
        self.changed()

    def disconnect(self, seconds: float) -> None:
        """Everything under way is cut off; nothing gets through for a while."""
        self.down_until_s = max(self.down_until_s, self._loop.time() + seconds)
        self._drop_stream()
        for future in tuple(self._pending):
            self._fail(future)
        self._tell_reachable(seconds)

    def mute(self, seconds: float) -> None:
        """The stream stays connected, and nothing comes."""
        self.mute_until_s = max(self.mute_until_s, self._loop.time() + seconds)

    def close(self) -> None:
        """The client is gone: nobody hears answers or frames any more. What it sent still arrives."""
        self._drop_stream()
        self._pending.clear()

    async def open_stream(self) -> Stream:
        """Connect the stream. Raises Unreachable."""
        await asyncio.sleep(self._latency_s())
        if not self.is_reachable:
            raise Unreachable
        self._drop_stream()
        self.stream = Stream()
        return self.stream

    async def call(self, request: bytes, is_write: bool) -> Response:
        """One request. Raises Unreachable and NoAnswer."""
        there = self._latency_s()
        if self._loop.time() < self.down_until_s:
            await asyncio.sleep(there)
            raise Unreachable
        future: asyncio.Future[Response] = self._loop.create_future()
        self._pending[future] = None
        fault = self._plan.on_write() if is_write else self._plan.on_read()
        if fault is Fault.LATE_REQUEST:
            there = 2.0 + self._plan.random.random() * (LATEST_S - 2.0)
        if fault in (Fault.LOST_REQUEST, Fault.LATE_REQUEST, Fault.LOST_RESPONSE):
            self._loop.call_later(TIMEOUT_S, self._fail, future)
        if fault is not Fault.LOST_REQUEST:
            self._loop.call_later(there, self._arrive, request, future, fault)
        try:
            return await future
        finally:
            self._pending.pop(future, None)

    def push(self, frame: bytes) -> None:
        """The venue streams a frame."""
        stream, now = self.stream, self._loop.time()
        if stream is None or now < self.mute_until_s:
            return
        fault = self._plan.on_event()
        if fault is Fault.EVENT_DROPPED:
            return
        if fault in (Fault.BAD_FIELD, Fault.WRONG_ACCOUNT):
            frame = garbled(frame, fault, self._plan.random)
        if fault is Fault.EVENT_DELAYED:
            self._loop.call_later(0.5 + 9.5 * self._plan.random.random(), stream.put, frame)
            return
        if fault is Fault.EVENT_REORDERED:
            self._loop.call_later(0.3 * self._plan.random.random(), stream.put, frame)
            return
        at = max(now + self._latency_s(), self._stream_order_s)
        self._stream_order_s = at
        self._loop.call_at(at, stream.put, frame)
        if fault is Fault.EVENT_DOUBLED:
            self._loop.call_later(2.0 * self._plan.random.random(), stream.put, frame)

    def _arrive(self, request: bytes, future: "asyncio.Future[Response]", fault: Fault | None) -> None:
        response = self._treat(request, fault)
        if fault is Fault.DIES_AFTER_ACCEPT:
            self.disconnect(1.0 + 19.0 * self._plan.random.random())
        elif fault is not Fault.LOST_RESPONSE:
            self._loop.call_later(self._latency_s(), self._answer, future, response)

    def _treat(self, request: bytes, fault: Fault | None) -> Response:
        if self._loop.time() < self.banned_until_s:
            return Response(BANNED, NOTHING)
        if fault is Fault.ERROR_BEFORE:
            return Response(FAILED, NOTHING)
        if fault is Fault.TOO_MANY:
            return Response(TOO_MANY, NOTHING)
        if fault is Fault.BANNED:
            seconds = 5.0 + 25.0 * self._plan.random.random()
            self.banned_until_s = self._loop.time() + seconds
            self._tell_reachable(seconds)
            return Response(BANNED, NOTHING)
        if fault is Fault.REFUSED:
            return self._venue.refuse(request)
        if fault is Fault.GAP_AT_EXIT:
            self._venue.gap_against(request)
        serve = self._venue.serve_twice if fault is Fault.DUPLICATE else self._venue.serve
        response = serve(request)
        if fault is Fault.ERROR_AFTER:
            return Response(FAILED, NOTHING)
        if fault in (Fault.BAD_FIELD, Fault.WRONG_ACCOUNT) and response.status == OK:
            return Response(OK, garbled(response.body, fault, self._plan.random))
        return response

    def _answer(self, future: "asyncio.Future[Response]", response: Response) -> None:
        if not future.done():
            future.set_result(response)

    def _fail(self, future: "asyncio.Future[Response]") -> None:
        if not future.done():
            future.set_exception(NoAnswer())

    def _drop_stream(self) -> None:
        if self.stream is not None:
            self.stream.end()
            self.stream = None

    def _tell_reachable(self, seconds: float) -> None:
        self.changed()
        self._loop.call_later(seconds + 1e-6, self.changed)

    def _latency_s(self) -> float:
        return 0.004 + 0.04 * self._plan.random.random()
