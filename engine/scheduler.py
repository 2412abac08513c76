"""Callbacks at times of the engine's clock."""

import asyncio
import heapq
from collections.abc import Callable

from engine.clock import Clock


class Scheduler:
    """A heap of due times. A live engine runs `run`; a replay steps the clock and calls `run_due` itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._earlier = asyncio.Event()
        """Something is due before what `run` sleeps for."""

    def call_at(self, ts: int, callback: Callable[[], None]) -> None:
        """Call once when the clock reached `ts`, int microseconds UTC. No cancelling: check on call."""
        self._count += 1
        heapq.heappush(self._due, (ts, self._count, callback))
        if self._due[0][1] == self._count:
            self._earlier.set()

    def next_due(self) -> int | None:
        """The earliest due time; None when nothing waits."""
        return self._due[0][0] if self._due else None

    def run_due(self) -> int:
        """Call everything that is due now, in order of time; how many were called."""
        called = 0
        while self._due and self._due[0][0] <= self._clock.now_us():
            heapq.heappop(self._due)[2]()
            called += 1
        return called

    async def run(self) -> None:
        """Call what is due, for ever."""
        while True:
            self.run_due()
            # What the callbacks asked for is seen in `next_due`.
            self._earlier.clear()
            due = self.next_due()
            if due is None:
                await self._earlier.wait()
                continue
            sleeper = asyncio.ensure_future(self._clock.sleep_until(due))
            earlier = asyncio.ensure_future(self._earlier.wait())
            try:
                await asyncio.wait({sleeper, earlier}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                sleeper.cancel()
                earlier.cancel()
