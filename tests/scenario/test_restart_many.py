"""A restart with fifty working orders: ready in time, and only when every position has its stop (R4, R11)."""

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from engine.clock import LiveClock
from engine.core import Engine
from engine.execution.policies import PolicyName, policy_of
from engine.execution.ticketbook import Entry, ticket_row
from engine.loop import run_virtual
from engine.model.events import EngineStateChanged
from engine.model.ids import InstrumentId
from engine.model.market import SessionPhase
from engine.model.orders import OrderState
from engine.model.positions import AccountKind
from engine.model.tickets import ProposalState
from engine.parts import EngineState, Parts
from engine.ports import JournalRow
from engine.risk.limits import FULL
from engine.sources.sessions import ExchangeSessions
from storage.journal import open_journal

ORDERS = 50
LATENCY_S = 0.12
"""A venue over the internet: of each answer."""
READY_S = 10
"""RELIABILITY 1, R4."""


def load() -> ModuleType:
    # By path: another distribution installs a top-level package `tests`.
    name = "execution_world"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "unit" / "execution" / "world.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


world = load()


class FarVenue(world.FakeVenue):  # type: ignore[misc, name-defined]
    """Answers late; its stream lasts until it is cut."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        super().__init__(world.CARD, now_us)
        self.lines: list[asyncio.Queue[Any]] = []

    async def _submit(self, specs: Any, parent: Any) -> None:
        await asyncio.sleep(LATENCY_S)
        await super()._submit(specs, parent)

    async def order(self, order: Any) -> Any:
        await asyncio.sleep(LATENCY_S)
        return await super().order(order)

    async def open_orders(self) -> Any:
        await asyncio.sleep(LATENCY_S)
        return await super().open_orders()

    async def executions(self, since_us: int) -> Any:
        await asyncio.sleep(LATENCY_S)
        return await super().executions(since_us)

    async def account(self) -> Any:
        await asyncio.sleep(LATENCY_S)
        return await super().account()

    async def updates(self) -> AsyncIterator[Any]:
        line: asyncio.Queue[Any] = asyncio.Queue()
        self.lines.append(line)
        while True:
            yield await line.get()

    def deliver(self) -> None:
        while self.outbox:
            self.lines[-1].put_nowait(self.outbox.popleft())


class NoBars:
    """No stored history."""

    def daily(self, instrument: InstrumentId, count: int) -> None:
        return None


@pytest.fixture
def make(sessions: ExchangeSessions) -> Callable[..., Engine]:
    """An engine that runs by the clock, without strategies."""

    def engine(journal: Any, venue: Any, clock: Any, events: list[Any]) -> Engine:
        return Engine(
            Parts(
                account=world.ACCOUNT,
                kind=AccountKind.SIMULATION,
                clock=clock,
                journal=journal,
                broker=venue,
                strategies=(),
                terms={},
                sessions=sessions,
                history=lambda session: NoBars(),  # type: ignore[arg-type, return-value]
                index=lambda name, session: None,
                instruments={},
                switches=FULL,
                max_positions_total=20,
                dataset=True,
                policy=policy_of(PolicyName.HOLD, AccountKind.SIMULATION, {}),
                random_bits=lambda bits: 1,
                publish=events.append,
                config_hash="test",
                live=True,
            )
        )

    return engine


def test_ready_within_ten_seconds_of_a_restart_with_fifty_working_orders(
    make: Callable[..., Engine], tmp_path: Path
) -> None:
    def opened() -> Any:
        return closing(open_journal(tmp_path / "journal.db", world.ACCOUNT, AccountKind.SIMULATION))

    async def before(venue: Any, clock: Any) -> None:
        with opened() as journal:
            tickets = [
                world.make_ticket(number, instrument=InstrumentId(f"A{number:03d}.US"))
                for number in range(1, ORDERS + 1)
            ]
            entries = [Entry(ticket, ProposalState.APPROVED, "0" * 64) for ticket in tickets]
            market = {"market_session": world.MONDAY.isoformat(), "market_phase": SessionPhase.OPEN.value}
            journal.commit([JournalRow("meta", {"k": key, "v": value}) for key, value in market.items()], ())
            journal.commit([ticket_row(entry, "simulation") for entry in entries], ())
            engine = make(journal, venue, clock, [])
            await engine.start()
            for ticket in tickets:
                engine.brackets.start(ticket, (), ())
            await asyncio.sleep(1)
            for bracket in engine.brackets.open()[: ORDERS // 2]:
                venue.fill(bracket.entry.id)
            venue.deliver()
            await asyncio.sleep(1)
            assert len(venue.live()) == ORDERS // 2 * 5
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()  # the process ends here
            await asyncio.sleep(0)

    def meanwhile(venue: Any) -> None:
        """Entries fill, wholly and in part, stops go, and nobody is told."""
        entries = [order for order in venue.live() if order[-3] == "E"]
        stops = [order for order in venue.live() if order[-3] == "S" and venue.is_awake(order)]
        for order in entries[:5]:
            venue.fill(order)
        for order in entries[5:10]:
            venue.fill(order, 4)
            venue.end(order, OrderState.CANCELED)
        for order in stops[:5]:
            venue.end(order, OrderState.CANCELED)
        venue.outbox.clear()

    async def after(venue: Any, clock: Any) -> float:
        loop = asyncio.get_running_loop()
        events: list[Any] = []
        with opened() as journal:
            engine = make(journal, venue, clock, events)
            began = loop.time()
            await engine.start()
            delivering = asyncio.create_task(deliver(venue))
            await engine.watch.ready()
            taken = loop.time() - began
            delivering.cancel()
            assert engine.state is EngineState.RUNNING
            states = [event.state for event in events if isinstance(event, EngineStateChanged)]
            assert states == ["RUNNING"]
            held = {b.instrument: b.position for b in engine.brackets.open() if b.position}
            assert len(held) == ORDERS // 2 + 10
            assert held == {name: quantity for name, quantity in venue.position.items() if quantity}
            for bracket in engine.brackets.open():
                resting = [
                    venue.orders[leg.id].remaining
                    for leg in bracket.legs
                    if leg.id in venue.live() and leg.id[-3] == "S" and venue.is_awake(leg.id)
                ]
                assert sum(resting, Decimal(0)) == bracket.position == bracket.cover
            await engine.stop()
        return taken

    async def deliver(venue: Any) -> None:
        while True:
            await asyncio.sleep(LATENCY_S)
            venue.deliver()

    async def go() -> float:
        clock = LiveClock(world.OPEN_US)
        venue = FarVenue(clock.now_us)
        await before(venue, clock)
        meanwhile(venue)
        return await after(venue, clock)

    assert run_virtual(go()) <= READY_S
