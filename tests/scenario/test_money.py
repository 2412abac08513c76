"""An unexplained cent stops new entries until a person explains it, and the books remember that."""

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.core import Engine
from engine.execution.ledger import read_ledger
from engine.model.commands import Actor, Resume, Settle
from engine.parts import EngineState

NINA = Actor("nina", "pts/7")
LOOKS_S = 70
"""Two looks by the clock, and some."""


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
