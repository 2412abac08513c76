"""Between the engine and one notifier: a bounded queue and a task, so that telling a person delays nothing.

`hear` is called while an event is published: it only queues. The task delivers one alarm after the other,
each within a time limit; what fails, hangs or does not fit is counted and shown in the status.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

from engine.model.events import Alarm
from engine.ports import Notifier

BOUND = 256
"""Alarms that may wait; a page displaces an alarm that is none."""
TIMEOUT_S = 30.0
"""Seconds of the loop's own clock that one delivery may take."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Counts since the start. `dropped`: no room in the queue; `last_failure`: "" before the first."""

    notifier: str
    delivered: int
    waiting: int
    dropped: int
    failures: int
    last_failure: str


class Dispatcher:
    """Delivers alarms through one notifier; `run` is a task for the engine's whole life."""

    def __init__(self, notifier: Notifier, bound: int = BOUND, timeout_s: float = TIMEOUT_S) -> None:
        self._notifier = notifier
        self._bound = bound
        self._timeout_s = timeout_s
        self._queue: deque[Alarm] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._delivered = 0
        self._dropped = 0
        self._failures = 0
        self._last_failure = ""

    def hear(self, alarm: Alarm) -> None:
        """Queue it. Never waits and never raises."""
        if len(self._queue) >= self._bound and not self._make_room(alarm):
            return
        self._queue.append(alarm)
        self._idle.clear()
        self._arrived.set()

    def delivery(self) -> Delivery:
        """Its counts now."""
        return Delivery(
            self._notifier.name,
            self._delivered,
            len(self._queue),
            self._dropped,
            self._failures,
            self._last_failure,
        )

    async def flushed(self) -> None:
        """Wait until everything queued was delivered or given up."""
        await self._idle.wait()

    async def run(self) -> None:
        """Deliver, for ever."""
        while True:
            while self._queue:
                await self._deliver(self._queue.popleft())
            self._idle.set()
            self._arrived.clear()
            await self._arrived.wait()

    async def _deliver(self, alarm: Alarm) -> None:
        """In a task of its own: one that never ends, not even when it is cancelled, is left behind."""
        task = asyncio.ensure_future(self._notifier.notify(alarm))
        task.add_done_callback(_look_at)
        try:
            await asyncio.wait({task}, timeout=self._timeout_s)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not task.done():
            task.cancel()
            self._failed(f"no answer in {self._timeout_s:g} s")
        elif task.cancelled():
            self._failed("it was cancelled")
        elif (error := task.exception()) is not None:
            self._failed(f"{type(error).__name__}: {error}")
        else:
            self._delivered += 1

    def _make_room(self, alarm: Alarm) -> bool:
        """Drop the oldest alarm that is no page for a page; else what came last is what is dropped."""
        self._dropped += 1
        oldest = next((queued for queued in self._queue if not queued.page), None)
        if not alarm.page or oldest is None:
            return False
        self._queue.remove(oldest)
        return True

    def _failed(self, why: str) -> None:
        self._failures += 1
        self._last_failure = why


def _look_at(task: asyncio.Future[None]) -> None:
    """Also of one that was left behind: an error that nobody looks at would be told by the loop."""
    if not task.cancelled():
        task.exception()
