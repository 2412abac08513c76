"""The in-process form of the link: views made from the engine's own state."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from engine.backtest.drive import Drive
from engine.bus import Bus
from engine.core import Engine
from engine.model.commands import Answer, Command
from engine.model.events import ALL_EVENTS, Event, MarketMoved
from engine.model.jobs import JobStatus
from engine.model.market import Session
from engine.notify.dispatch import Delivery
from tui.books import answer
from tui.link import Question
from tui.showing.desk import deck
from tui.showing.details import detail
from tui.showing.events import line_of
from tui.showing.figures import Figures
from tui.showing.gauges import Gauges
from tui.showing.market import market_view
from tui.shown.deck import DeckView, EventLine, LinkState, MarketView
from tui.shown.details import Detail, Topic
from tui.shown.health import GuestView

MIN_INTERVAL_S = 0.1
"""At most ten views a second."""
HEARTBEAT_S = 0.5
"""Prices and countdowns move twice a second: nobody reads faster, and a slow line carries no more."""
EVENTS_KEPT = 200


class LocalLink:
    """`tui.link.Link` on an engine of this process."""

    def __init__(
        self,
        engine: Engine,
        bus: Bus,
        drive: Drive | None,
        next_session: Callable[[int], Session | None],
        deliveries: Callable[[], Sequence[Delivery]] = tuple,
        gauges: Gauges | None = None,
        wall: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._deliveries = deliveries
        self._drive = drive
        self._next_session = next_session
        self._figures = Figures(engine, gauges, wall)
        self.guests: Callable[[], tuple[GuestView, ...]] = tuple
        """Who else looks on; set by whoever opens a door to this engine."""
        self.jobs: Callable[[], tuple[JobStatus, ...]] = tuple
        """What runs at its times; set by whoever drives this engine by the clock."""
        self._changed = asyncio.Event()
        self._events: deque[EventLine] = deque(maxlen=EVENTS_KEPT)
        self._handle = bus.subscribe_call(ALL_EVENTS, self._hear, "link")

    async def deck(self) -> DeckView:
        """The Desk as it is now."""
        now = self._engine.parts.clock.now_us()
        session = self._next_session(now)
        events = tuple(self._events)
        view = deck(self._engine, session, self._market(), LinkState.IN_PROCESS, events, self._figures)
        return replace(view, health=replace(view.health, guests=self.guests()))

    async def changes(self) -> AsyncIterator[DeckView]:
        """A view now, at once after each event, and else at a steady pace."""
        while True:
            self._changed.clear()
            yield await self.deck()
            await asyncio.sleep(MIN_INTERVAL_S)
            try:
                async with asyncio.timeout(HEARTBEAT_S - MIN_INTERVAL_S):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def give(self, command: Command) -> Answer:
        """Carry out a command."""
        return self._engine.give(command)

    async def ask(self, question: Question) -> object:
        """A JSON-able document of the books."""
        return answer(self._engine, question, self._deliveries(), self._figures.health(), self.jobs())

    async def detail(self, topic: Topic, id: str) -> Detail | None:
        """What is known of one thing."""
        return detail(self._engine, topic, id)

    async def resume_market(self) -> bool:
        """Let a market that waits, or goes slowly for a ticket, go on."""
        return self._drive is not None and self._drive.resume()

    async def close(self) -> None:
        """Stop listening."""
        self._handle.close()

    def _market(self) -> MarketView:
        return market_view(self._engine, self._drive)

    def _hear(self, event: Event) -> None:
        self._figures.hear(event)
        line = line_of(event)
        if line is not None:
            self._events.appendleft(line)
        if not isinstance(event, MarketMoved):
            self._changed.set()
