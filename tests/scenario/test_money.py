"""An unexplained cent stops new entries until a person explains it, and the books remember that."""

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
from engine.execution.ledger import read_ledger
from engine.execution.policies import PolicyName, policy_of
from engine.loop import run_virtual
from engine.model.commands import Actor, Resume, Settle
from engine.model.ids import InstrumentId
from engine.model.positions import AccountKind
from engine.parts import EngineState, Parts
from engine.risk.limits import FULL
from engine.sources.sessions import ExchangeSessions
from storage.journal import open_journal

NINA = Actor("nina", "pts/7")
LOOKS_S = 70
"""Two looks by the clock, and some."""


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


class QuietVenue(world.FakeVenue):  # type: ignore[misc, name-defined]
    """Its stream lasts and says nothing."""

    async def updates(self) -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield


class NoBars:
    """No stored history."""

    def daily(self, instrument: InstrumentId, count: int) -> None:
        return None


@pytest.fixture
def live(sessions: ExchangeSessions, tmp_path: Path) -> Callable[..., None]:
    """Run a test on an engine that looks by the clock; its account holds what the books say, 0."""

    def run(test: Callable[[Any, Any], Any]) -> None:
        async def go() -> None:
            clock = LiveClock(world.OPEN_US)
            venue = QuietVenue(world.CARD, clock.now_us)
            path = tmp_path / "journal.db"
            with closing(open_journal(path, world.ACCOUNT, AccountKind.SIMULATION)) as journal:
                parts = Parts(
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
                    publish=lambda event: None,
                    config_hash="test",
                    live=True,
                )
                await test(lambda: Engine(parts), venue)

        run_virtual(go())

    return run


async def begun(make: Callable[[], Engine]) -> Engine:
    engine = make()
    await engine.start()
    await engine.watch.ready()
    return engine


def test_a_cent_that_nobody_explains_halts_and_says_both_numbers(live: Callable[..., None]) -> None:
    async def test(make: Any, venue: Any) -> None:
        engine = await begun(make)
        await asyncio.sleep(LOOKS_S)
        assert engine.state is EngineState.RUNNING
        venue.paid_in = Decimal("-0.01")
        await asyncio.sleep(LOOKS_S)
        assert engine.state is EngineState.HALTED
        assert "cash differs by -0.01: the venue says -0.01, our books say 0.00" in engine.reason
        refused = engine.give(Resume(NINA))
        assert (refused.ok, refused.code) == (False, "not_reconciled")
        assert "cash differs by -0.01" in refused.text
        await engine.stop()

    live(test)


def test_a_deposit_that_is_booked_lets_trading_go_on_also_after_a_restart(live: Callable[..., None]) -> None:
    async def test(make: Any, venue: Any) -> None:
        engine = await begun(make)
        venue.paid_in = Decimal(500)
        await asyncio.sleep(LOOKS_S)
        assert engine.state is EngineState.HALTED
        assert not engine.give(Settle(NINA, Decimal(400), "wire")).ok
        assert engine.give(Settle(NINA, Decimal(500), "wire")).ok
        assert engine.give(Resume(NINA)).ok
        await asyncio.sleep(LOOKS_S)
        assert engine.state is EngineState.RUNNING
        await engine.stop()
        again = await begun(make)
        await asyncio.sleep(LOOKS_S)
        assert (again.state, again.books.cash) == (EngineState.RUNNING, Decimal(500))
        assert read_ledger(again.parts.journal).deposits == Decimal(500)
        await again.stop()

    live(test)


def test_a_difference_that_goes_away_by_itself_halts_nothing(live: Callable[..., None]) -> None:
    async def test(make: Any, venue: Any) -> None:
        engine = await begun(make)
        for amount in (5, 0, 7, 0, 9, 0):
            venue.paid_in = Decimal(amount)
            await asyncio.sleep(30)
        assert engine.state is EngineState.RUNNING
        await engine.stop()

    live(test)
