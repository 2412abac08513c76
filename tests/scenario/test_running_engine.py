"""What an engine whose time runs by itself does by that time."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.errors import ConfigError
from engine.execution.ticketbook import Entry, ticket_row
from engine.model.commands import AcceptDifference, ResumeSymbol
from engine.model.events import AnomalySeen
from engine.model.ids import InstrumentId
from engine.model.market import (
    CorporateAction,
    MarketBatch,
    Provenance,
    SessionPhase,
    Trade,
    corporate_action_kind,
)
from engine.model.orders import OrderState
from engine.model.positions import AccountKind
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


async def enter(engine: Any, world: ModuleType, number: int = 1, **terms: Any) -> Any:
    """An entry that works."""
    ticket = world.make_ticket(number, now_us=engine.parts.clock.now_us(), **terms)
    entry = Entry(ticket, ProposalState.APPROVED, "0" * 64)
    engine.parts.journal.commit((ticket_row(entry, "simulation"),), ())
    engine.tickets.restore()
    engine.brackets.start(ticket, (), ())
    await asyncio.sleep(0.1)
    return engine.brackets.get(ticket.id)


async def hold(engine: Any, venue: Any, world: ModuleType, number: int = 1, **terms: Any) -> Any:
    """A position with its stop."""
    bracket = await enter(engine, world, number, **terms)
    venue.fill(bracket.entry.id)
    while venue.outbox:
        engine.brackets.tell_venue(venue.outbox.popleft())
    await asyncio.sleep(0.1)
    return engine.brackets.get(bracket.ticket)


def trade(engine: Any, instrument: InstrumentId, price: float) -> MarketBatch:
    """A print that the picture has seen."""
    now = engine.parts.clock.now_us()
    batch = MarketBatch(now, trades=(Trade(instrument, price, now, now, Provenance.LIVE),))
    engine.picture.take(batch)
    return batch


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


def test_a_lost_day_cancels_the_entries_that_work(live: Callable[..., None], world: ModuleType) -> None:
    async def test(make: Any, venue: Any) -> None:
        engine = await begun(make, world)
        held = await hold(engine, venue, world, quantity=100)
        waiting = await enter(engine, world, 2, instrument=InstrumentId("XYZ.US"))
        assert waiting.entry.state is OrderState.WORKING
        engine.finish(trade(engine, held.instrument, 69.9))
        await asyncio.sleep(0.1)
        assert venue.orders[waiting.entry.id].state is OrderState.CANCELED
        assert engine.risk.is_day_over
        assert engine.brackets.get(held.ticket).cover == 100
        third = await enter(engine, world, 3, instrument=InstrumentId("XYZ.US"))
        assert third.entry.id not in venue.orders
        await engine.stop()

    live(test, cash="100000")


def test_shares_that_are_not_ours_are_accepted_by_a_person(
    live: Callable[..., None], world: ModuleType
) -> None:
    async def test(make: Any, venue: Any) -> None:
        engine = await begun(make, world)
        name = InstrumentId("XYZ.US")
        venue.position[name] = Decimal(3)
        early = AcceptDifference(world.ANN, name)
        assert engine.give(early).code == "no_such_difference"
        await asyncio.sleep(40)
        assert engine.halts.symbols().keys() == {name}
        assert engine.give(ResumeSymbol(world.ANN, name)).code == "not_reconciled"
        assert engine.give(early).ok
        await asyncio.sleep(70)
        assert engine.halts.symbols() == {}
        await engine.stop()
        again = await begun(make, world)
        await asyncio.sleep(70)
        assert again.halts.symbols() == {}
        await again.stop()

    live(test)


def test_a_live_account_that_nobody_asked_for_asks_and_sends_nothing(
    live: Callable[..., None], world: ModuleType
) -> None:
    async def test(make: Any, venue: Any) -> None:
        with pytest.raises(ConfigError, match="live mode is refused: nobody asked for live mode"):
            await make().start()
        assert venue.calls == []

    live(test, kind=AccountKind.LIVE)


def test_a_close_of_yesterday_marks_a_position_and_decides_nothing(
    live: Callable[..., None], world: ModuleType
) -> None:
    async def test(make: Any, venue: Any) -> None:
        engine = await begun(make, world)
        held = await hold(engine, venue, world)
        assert engine.equity() is None
        working = await enter(engine, world, 2, instrument=InstrumentId("XYZ.US"))
        for name in (held.instrument, working.instrument):
            engine.picture.seed(name, 80.0)
        engine.brackets.review_all()
        await asyncio.sleep(0.1)
        assert engine.equity() is not None
        assert engine.brackets.get(working.ticket).entry.cancel_us is None
        engine.take(trade(engine, working.instrument, 80.0))
        await asyncio.sleep(0.1)
        assert venue.orders[working.entry.id].state is OrderState.CANCELED
        await engine.stop()

    live(test)


def test_a_corporate_action_of_what_is_held_halts_its_symbol(
    live: Callable[..., None], world: ModuleType
) -> None:
    async def test(make: Any, venue: Any) -> None:
        engine = await begun(make, world)
        bracket = await hold(engine, venue, world)
        now = engine.parts.clock.now_us()
        names = (bracket.instrument, InstrumentId("OTHER.US"))
        actions = tuple(
            CorporateAction(name, corporate_action_kind(0.5), 0.5, 100.0, world.MONDAY, now) for name in names
        )
        engine.restate(MarketBatch(now, actions=actions))
        assert "split by 0.5 of 2016-01-04" in engine.halts.reason_of(names[0])
        assert engine.halts.reason_of(names[1]) == ""
        await engine.stop()

    live(test)
