"""What an engine whose time runs by itself does by that time."""

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any

from engine.execution.ticketbook import Entry, ticket_row
from engine.model.events import AnomalySeen
from engine.model.market import MarketBatch, SessionPhase
from engine.model.tickets import ProposalState


async def begun(make: Callable[[], Any], world: ModuleType) -> Any:
    """Running, in the session of the world."""
    engine = make()
    await engine.start()
    await engine.watch.ready()
    engine.picture.take(
        MarketBatch(engine.parts.clock.now_us(), session=world.MONDAY, phase=SessionPhase.OPEN)
    )
    return engine


async def hold(engine: Any, venue: Any, world: ModuleType, **terms: Any) -> Any:
    """A position with its stop, which the looks find."""
    ticket = world.make_ticket(now_us=engine.parts.clock.now_us(), **terms)
    entry = Entry(ticket, ProposalState.APPROVED, "0" * 64)
    engine.parts.journal.commit((ticket_row(entry, "simulation"),), ())
    engine.tickets.restore()
    engine.brackets.start(ticket, (), ())
    await asyncio.sleep(0.1)
    venue.fill(engine.brackets.get(ticket.id).entry.id)
    while venue.outbox:
        engine.brackets.tell_venue(venue.outbox.popleft())
    await asyncio.sleep(0.1)
    return engine.brackets.get(ticket.id)


def test_a_market_that_falls_silent_is_seen_once(live: Callable[..., None], world: ModuleType) -> None:
    events: list[Any] = []

    async def test(make: Any, venue: Any) -> None:
        engine = await begun(make, world)
        await hold(engine, venue, world)
        await asyncio.sleep(50)
        seen = [event.kind for event in events if isinstance(event, AnomalySeen)]
        assert seen == ["heartbeat"]
        await engine.stop()

    live(test, publish=events.append)
