"""A demo whose process is killed inside a session, and the same state after an older program."""

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.core import Engine
from engine.execution.policies import PolicyName
from engine.loop import run_virtual
from engine.model.commands import Actor, ApproveTicket
from engine.risk.limits import FULL
from engine.sources.sessions import ExchangeSessions
from storage.journal import verify_audit
from storage.journal_schema import JOURNAL
from storage.paths import Home, folder_state
from tui.settings import Settings
from tui.wiring.demo import DEFAULT_SEED, FIRST, DemoOptions, demo_market
from tui.wiring.runtime import RunOptions, Runtime

NINA = Actor("nina", "pts/7", uid=1000)
MINUTE_US = 60_000_000
Play = Callable[[Runtime], Awaitable[None]]


@dataclass(frozen=True)
class Stage:
    """Where demos are started."""

    home: Home
    settings: Settings
    sessions: ExchangeSessions
    folder: Path

    def run(self, state: str, play: Play) -> Runtime:
        """A demo in its own state at full speed, which nobody is asked by."""
        paths = folder_state(self.home, self.folder / state)
        options = RunOptions(self.settings, self.home, paths, PolicyName.HOLD, FULL, remember=False)
        market = demo_market(self.settings, paths, DemoOptions(DEFAULT_SEED, None, False), self.sessions)
        runtime = Runtime(options, market, self.sessions)

        async def go() -> None:
            await runtime.start()
            try:
                await play(runtime)
            finally:
                await runtime.stop()

        run_virtual(go())
        return runtime

    def kill(self, state: str, dead: str) -> None:
        """The files as they are at this instant: what a process that is killed now leaves behind."""
        shutil.copytree(self.folder / state, self.folder / dead)


@pytest.fixture
def stage(home: Home, settings: Settings, sessions: ExchangeSessions, tmp_path: Path) -> Stage:
    return Stage(home, settings, sessions, tmp_path)


async def until(runtime: Runtime, is_so: Callable[[], object]) -> None:
    while not is_so():
        if not runtime.is_healthy() or runtime.drive.ended:
            await runtime.run_until_done()
            raise AssertionError("the market ended first")
        await asyncio.sleep(0)


def held(engine: Engine) -> dict[str, Any]:
    """Everything that must be the same on the other side of a death."""
    return {
        "brackets": [bracket for bracket in engine.brackets.open()],
        "waiting": [(entry.ticket, entry.sha256, entry.state) for entry in engine.tickets.waiting()],
        "cash": engine.books.cash,
        "start": engine.risk.record.points()[0],
        "days": engine.risk.record.days(),
        "worst": engine.risk.record.worst,
        "marked": engine.risk.record.points()[-1].equity,
        "trips": engine.parts.journal.rows("round_trip"),
    }


async def one_held_and_one_waiting(runtime: Runtime) -> None:
    """The first ticket is approved and fills; the others wait on."""
    engine = runtime.engine
    await until(runtime, engine.tickets.waiting)
    first = engine.tickets.waiting()[0]
    quote = engine.picture.quote(first.ticket.instrument)
    assert quote is not None
    assert engine.give(ApproveTicket(first.ticket.id, first.sha256, "key", quote.ask, NINA)).ok
    await until(runtime, lambda: any(bracket.held for bracket in engine.brackets.open()))
    assert engine.tickets.waiting(), "this seed's first morning has more than one ticket"


def made_old(path: Path) -> None:
    """The journal as the program before this one wrote it: schema 3."""
    with closing(sqlite3.connect(path)) as journal, journal:
        for table in ("equity", "policy", "shadow", "excursion", "compliance", "freeze"):
            journal.execute(f"DROP TABLE {table}")
        for index in ("bracket_session", "ticket_correlation", "nonce_ticket"):
            journal.execute(f"DROP INDEX {index}")
        journal.execute("ALTER TABLE bracket DROP COLUMN entry_unwanted")
        journal.execute("ALTER TABLE ticket DROP COLUMN replaces")
        journal.execute("ALTER TABLE ticket DROP COLUMN snoozed_us")
        journal.execute("DELETE FROM meta WHERE k LIKE 'equity_%'")
        journal.execute("UPDATE meta SET v = '3' WHERE k = 'schema_version'")
        journal.execute("PRAGMA user_version = 3")


@pytest.mark.parametrize("is_old", [False, True], ids=["same_program", "older_program"])
def test_what_was_held_and_what_waited_is_there_again(stage: Stage, is_old: bool) -> None:
    before: dict[str, Any] = {}
    new = {"start": None, "days": None, "worst": None} if is_old else {}
    told: list[dict[str, tuple[str, ...]]] = []

    def news(engine: Engine) -> dict[str, tuple[str, ...]]:
        names = sorted(engine.picture.quotes)
        return {name: tuple(one.title for one in engine.picture.headlines(name)) for name in names}

    async def dies(runtime: Runtime) -> None:
        await one_held_and_one_waiting(runtime)
        engine = runtime.engine
        handled = engine.market_us()
        await until(runtime, lambda: engine.market_us() != handled)
        before.update(held(engine))
        told.append(news(engine))
        stage.kill("alive", "dead")

    async def again(runtime: Runtime) -> None:
        engine, handled = runtime.engine, runtime.engine.market_us()
        # The older program kept no record of values: it begins with the last mark.
        assert held(engine) | new == before | new
        await until(runtime, lambda: engine.market_us() != handled)
        assert engine.state.value == "RUNNING"
        assert news(engine) == told[0]
        account = await engine.parts.broker.account()
        assert account.cash == engine.books.cash
        shares = {one.instrument: one.quantity for one in account.positions}
        assert shares == {b.instrument: b.position for b in engine.brackets.open() if b.position}
        assert all(b.cover >= b.held for b in engine.brackets.open()), "a stop stands for every share"

    stage.run("alive", dies)
    (journal,) = folder_state(stage.home, stage.folder / "dead").journals()
    if is_old:
        made_old(journal.path)
    stage.run("dead", again)
    assert verify_audit(journal.path).ok
    with closing(sqlite3.connect(journal.path)) as found:
        assert found.execute("PRAGMA user_version").fetchone() == (JOURNAL.version,)


def test_an_hour_with_a_death_in_it_ends_like_the_hour_without(stage: Stage) -> None:
    hours = stage.sessions.on(FIRST)
    assert hours is not None
    ends: list[tuple[Decimal, list[Any]]] = []

    async def an_hour(runtime: Runtime) -> None:
        engine = runtime.engine
        await until(runtime, lambda: engine.picture.ts >= hours.open_us + 60 * MINUTE_US)
        columns = ("cid", "exec_id", "qty", "px", "fee", "ts_us")
        fills = [[row[name] for name in columns] for row in engine.parts.journal.rows("fill")]
        ends.append((engine.books.cash, sorted(fills)))

    async def lives(runtime: Runtime) -> None:
        await one_held_and_one_waiting(runtime)
        stage.kill("alive", "dead")
        await an_hour(runtime)

    stage.run("alive", lives)
    stage.run("dead", an_hour)
    assert len(ends[0][1]) >= 2, "bought and sold"
    assert ends[1] == ends[0]
