"""Drives the real engine over a market whose clock it steps: stored days or the demo (SPEC 9.8, 11.5).

With a speed a session takes its length divided by it; without one everything runs as fast as it goes. Nights
are skipped. While a ticket waits for a person the market stands still, or goes on slowly, as its pace says.
"""

import asyncio
from collections.abc import Callable

from engine.backtest.pace import TICK_S, Meter, Pace, stretch_at
from engine.clock import US_PER_S, TestClock
from engine.core import Engine
from engine.model.ids import TicketId
from engine.model.market import MarketBatch, SessionPhase
from engine.ports import Sessions, Source

LOOK_BACK_US = 4 * 86_400 * US_PER_S
"""Before the instant that a run goes on at: headlines count for three days."""


class Drive:
    """One run of a source through an engine."""

    def __init__(
        self,
        engine: Engine,
        clock: TestClock,
        source: Source,
        venue_sees: Callable[[MarketBatch], None],
        venue_busy: Callable[[], bool],
        pace: Pace,
        sessions: Sessions,
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._source = source
        self._venue_sees = venue_sees
        self._venue_busy = venue_busy
        self._sessions = sessions
        self.pace = pace
        self.paused = False
        """The market stands still for a ticket."""
        self.ended = False
        self._meter = Meter()
        self._ignored: frozenset[TicketId] = frozenset()
        """Tickets that a person let wait while the market went on."""
        self._stopping = asyncio.Event()

    @property
    def speed(self) -> float | None:
        """Of this instant, market seconds a second; None: as fast as it goes."""
        return stretch_at(
            self.pace, self._sessions, self._clock.now_us(), self._in_session, bool(self._slow_for())
        ).speed

    @property
    def why_slow(self) -> str:
        """For whom the market goes slowly, `T-1` or `3 tickets`; "" when it does not."""
        numbers = self._slow_for() if self._in_session else ()
        return f"T-{numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} tickets" if numbers else ""

    @property
    def _in_session(self) -> bool:
        return self._engine.picture.is_session_open

    def _slow_for(self) -> tuple[int, ...]:
        """Numbers of the tickets that it goes slowly for."""
        pace = self.pace
        if pace.slow is None or pace.speed is None or pace.speed <= pace.slow:
            return ()
        return self._wanted()

    def _wanted(self) -> tuple[int, ...]:
        """Numbers of the tickets that a person is to decide now: in sight, and not let go."""
        awake = (entry.ticket for entry in self._engine.tickets.awake())
        return tuple(ticket.number for ticket in awake if ticket.id not in self._ignored)

    def resume(self) -> bool:
        """Go on, at full speed, although tickets wait; False when it neither stands nor goes slowly."""
        if not (self.paused or self.why_slow):
            return False
        self._ignored = frozenset(entry.ticket.id for entry in self._engine.tickets.waiting())
        return True

    def stop(self) -> None:
        """End before the next batch."""
        self._stopping.set()

    async def run(self, until_flat_after_us: int | None = None) -> None:
        """All batches; from `until_flat_after_us` on it ends as soon as no bracket is open.

        A run that was interrupted goes on with the instant it was in: what was done of it is found done.
        """
        handled = self._engine.market_us()
        after_us = -1 if handled is None else handled - LOOK_BACK_US
        async for batch in self._source.batches(after_us):
            if self._stopping.is_set():
                return
            if handled is not None and batch.ts <= handled:
                await self._go_on(batch, handled)
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

    async def _go_on(self, batch: MarketBatch, handled: int) -> None:
        """Stand again at the last instant of an interrupted run; tickets that waited there wait again.

        What its session told before it, and what was news then, is looked at again; nothing is done about it.
        """
        if batch.ts == handled:
            self._engine.prime(batch)
            self._venue_sees(batch)
            await self._settled()
            await self._decided(batch)
            return
        if batch.ts >= self._began_us():
            self._engine.prime(batch)
        elif batch.headlines:
            self._engine.picture.take(MarketBatch(batch.ts, headlines=batch.headlines))
        await asyncio.sleep(0)

    def _began_us(self) -> int:
        """When the session that the market stands in opened; now between sessions."""
        session = self._engine.picture.session
        hours = self._sessions.on(session) if session is not None and self._in_session else None
        return self._clock.now_us() if hours is None else hours.open_us

    async def _decided(self, batch: MarketBatch) -> None:
        if batch.phase is SessionPhase.OPEN and self.pace.wait_for_tickets:
            await self._wait_for_tickets()

    async def _handle(self, batch: MarketBatch) -> None:
        engine = self._engine
        if batch.phase is None:
            await self._pass_on(batch)
            return
        engine.restate(batch)
        self._venue_sees(batch)
        await self._settled()
        engine.take(batch)
        await self._settled()
        engine.decide(batch)
        await self._settled()
        engine.finish(batch)

    async def _pass_on(self, batch: MarketBatch) -> None:
        """One of the many instants of a session or a night: nothing is decided, mostly nothing done."""
        engine = self._engine
        engine.restate(batch)
        self._venue_sees(batch)
        await self._answered()
        engine.take(batch)
        await self._answered()
        engine.finish(batch)
        await asyncio.sleep(0)

    async def _answered(self) -> None:
        """Settled, where anything is under way at all."""
        if self._engine.brackets.in_flight or self._venue_busy():
            await self._settled()

    async def _settled(self) -> None:
        await self._engine.settled(self._venue_busy)

    async def _reach(self, batch: MarketBatch) -> None:
        """Move the clock to the batch, timers on the way; at the pace, or until `stop`."""
        while (now := self._clock.now_us()) < batch.ts and not self._stopping.is_set():
            stretch = stretch_at(self.pace, self._sessions, now, self._in_session, bool(self._slow_for()))
            until_us = batch.ts if stretch.until_us is None else min(batch.ts, stretch.until_us)
            if stretch.speed is None:
                self._meter.reset()
                await self._advance(until_us)
            else:
                await self._advance(now + await self._meter.take_us(stretch.speed, until_us - now))

    async def _advance(self, ts: int) -> None:
        """Due timers run at their own times, in order."""
        if ts <= self._clock.now_us():
            return
        # What a person gave between two instants goes out at the instant that its gates were checked at.
        await self._answered()
        while (due := self._engine.scheduler.next_due()) is not None and due <= ts:
            self._clock.advance_to(max(due, self._clock.now_us()))
            self._engine.scheduler.run_due()
            await self._settled()
            if self.pace.wait_for_tickets:
                # One that was snoozed may be back.
                await self._wait_for_tickets()
        self._clock.advance_to(ts)
        await self._answered()

    async def _wait_for_tickets(self) -> None:
        """Hold the market while a person decides; what they approve fills at this instant's prices."""
        while self._wanted() and not self._stopping.is_set():
            self.paused = True
            await asyncio.sleep(TICK_S)
        self.paused = False
        await self._settled()
