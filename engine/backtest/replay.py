"""Drives the real engine over stored market data, on a clock that it steps (SPEC 9.8, 11.5).

With a speed the market waits at each decision until no ticket waits or the person lets it go on, and a
session takes its length divided by the speed; without one, everything runs as fast as it can. Nights are
skipped.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from engine.clock import US_PER_S, TestClock
from engine.core import Engine
from engine.model.market import MarketBatch, SessionPhase
from engine.ports import Source

TICK_S = 0.1
"""How often a paced replay moves the clock, seconds of wall time."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a replay is shown to a person."""

    speed: float | None
    """Market seconds a second inside a session; None: as fast as possible."""
    wait_for_tickets: bool


class Replay:
    """One run of a source through an engine."""

    def __init__(
        self,
        engine: Engine,
        clock: TestClock,
        source: Source,
        venue_sees: Callable[[MarketBatch], None],
        venue_busy: Callable[[], bool],
        pace: Pace,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._source = source
        self._venue_sees = venue_sees
        self._venue_busy = venue_busy
        self.pace = pace
        self.paused = False
        self.ended = False
        self._released = asyncio.Event()
        self._stopping = asyncio.Event()

    def resume(self) -> bool:
        """Go on although tickets wait; False when it does not wait."""
        if not self.paused:
            return False
        self._released.set()
        return True

    def stop(self) -> None:
        """End before the next batch."""
        self._stopping.set()
        self._released.set()

    async def run(self, until_flat_after_us: int | None = None) -> None:
        """All batches; from `until_flat_after_us` on it ends as soon as no bracket is open.

        A run that was interrupted goes on with the instant it was in: what was done of it is found done.
        """
        handled = self._engine.market_us()
        async for batch in self._source.batches(-1 if handled is None else handled - 1):
            if self._stopping.is_set():
                return
            if batch.ts == handled:
                await self._go_on(batch)
                continue
            over = until_flat_after_us is not None and batch.ts > until_flat_after_us
            if over and not self._engine.brackets.open():
                break
            await self._reach(batch)
            if self._stopping.is_set():
                return
            await self._handle(batch)
            await self._decided(batch)
        self.ended = True

    async def _go_on(self, batch: MarketBatch) -> None:
        """Stand again at the last instant of an interrupted run; tickets that waited there wait again."""
        self._engine.prime(batch)
        self._venue_sees(batch)
        await self._settled()
        await self._decided(batch)

    async def _decided(self, batch: MarketBatch) -> None:
        if batch.phase is SessionPhase.OPEN and self.pace.wait_for_tickets:
            await self._wait_for_tickets()

    async def _handle(self, batch: MarketBatch) -> None:
        engine = self._engine
        engine.restate(batch)
        self._venue_sees(batch)
        await self._settled()
        engine.take(batch)
        await self._settled()
        engine.decide(batch)
        await self._settled()
        engine.finish(batch)

    async def _settled(self) -> None:
        await self._engine.settled(self._venue_busy)

    async def _reach(self, batch: MarketBatch) -> None:
        """Move the clock to the batch, timers on the way; inside a session at the pace, or until `stop`."""
        in_session = self._engine.picture.is_session_open
        speed = self.pace.speed if in_session else None
        while speed is not None and self._clock.now_us() < batch.ts and not self._stopping.is_set():
            await asyncio.sleep(TICK_S)
            step = round(TICK_S * speed * US_PER_S)
            await self._advance(min(self._clock.now_us() + step, batch.ts))
        if not self._stopping.is_set():
            await self._advance(batch.ts)

    async def _advance(self, ts: int) -> None:
        """Due timers run at their own times, in order."""
        if ts <= self._clock.now_us():
            return
        while (due := self._engine.scheduler.next_due()) is not None and due <= ts:
            self._clock.advance_to(max(due, self._clock.now_us()))
            self._engine.scheduler.run_due()
            await self._settled()
        self._clock.advance_to(ts)
        await self._settled()

    async def _wait_for_tickets(self) -> None:
        """Hold the market while a person decides; what they approve fills at this instant's prices."""
        self._released.clear()
        while self._engine.tickets.waiting() and not (self._released.is_set() or self._stopping.is_set()):
            self.paused = True
            await asyncio.sleep(TICK_S)
        self.paused = False
        await self._settled()
