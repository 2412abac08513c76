"""The time the engine lives in. Int microseconds UTC; monotonic inside one run."""

import asyncio
import heapq
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

US_PER_S = 1_000_000


class Clock(Protocol):
    """What the engine knows of time. `sleep_until` returns at once for a time that has passed.

    `jumped_us`: how far the machine's wall clock went from `now_us`, by a step or a suspend; 0 where there is
    no wall. `follow_wall` makes that jump up, when it is one ahead: time never goes back.
    """

    def now_us(self) -> int: ...
    def jumped_us(self) -> int: ...
    def follow_wall(self) -> None: ...
    async def sleep_until(self, ts: int) -> None: ...


def wall_us() -> int:
    """Microseconds since the epoch by the machine's own clock, which may be set and may jump."""
    return time.time_ns() // 1000


class LiveClock:
    """Wall time, stepped forward by the loop's monotonic time so that it never runs backwards in one run.

    On the virtual loop of `engine.loop` the same class is a virtual clock: with an `origin_us` of its own it
    has no wall, unless one is given.
    """

    def __init__(self, origin_us: int | None = None, wall: Callable[[], int] | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._wall = wall_us if wall is None and origin_us is None else wall
        self._origin_us = wall_us() if origin_us is None else origin_us
        self._origin_s = loop.time()
        self._loop = loop

    def now_us(self) -> int:
        """Microseconds since the epoch, UTC."""
        return self._origin_us + round((self._loop.time() - self._origin_s) * US_PER_S)

    def jumped_us(self) -> int:
        """Wall time less `now_us`."""
        return 0 if self._wall is None else self._wall() - self.now_us()

    def follow_wall(self) -> None:
        """Take over a wall clock that went ahead. Whoever sleeps still sleeps as long as it meant to."""
        self._origin_us += max(self.jumped_us(), 0)

    async def sleep_until(self, ts: int) -> None:
        """Wait until `now_us() >= ts`."""
        while (remaining := ts - self.now_us()) > 0:  # noqa: ASYNC110 - a timer may wake a little early
            await asyncio.sleep(remaining / US_PER_S)


class TestClock:
    """A clock that moves only when told: replays, the demo and tests step it. It never goes back."""

    __test__ = False

    def __init__(self, start_us: int) -> None:
        self._now_us = start_us
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    def now_us(self) -> int:
        """Microseconds since the epoch, UTC."""
        return self._now_us

    def jumped_us(self) -> int:
        """It has no wall."""
        return 0

    def follow_wall(self) -> None:
        """It has no wall."""

    async def sleep_until(self, ts: int) -> None:
        """Wait until the clock was advanced to `ts`."""
        if ts <= self._now_us:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (ts, self._count, waiter))
        await waiter

    def next_wake_us(self) -> int | None:
        """When the earliest sleeper wants to wake; None when nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def advance_to(self, ts: int) -> None:
        """Set the time and wake whoever is due, in order. Raises ValueError for a step back."""
        if ts < self._now_us:
            raise ValueError(f"the clock stands at {self._now_us}, it cannot go back to {ts}")
        self._now_us = ts
        while (due := self.next_wake_us()) is not None and due <= ts:
            waiter = heapq.heappop(self._sleepers)[2]
            waiter.set_result(None)


def clock_text(ts: int) -> str:
    """`14:51:38Z` of int microseconds UTC."""
    return datetime.fromtimestamp(ts // US_PER_S, UTC).strftime("%H:%M:%SZ")
