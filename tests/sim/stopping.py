"""The kill switch on the whole engine: how soon each of its ways blocks entries and sends cancels (R12).

An entry rests at the venue, a second ticket waits; then the switch is thrown. All times are virtual.
"""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from engine.execution.matching import GapFill
from engine.execution.policies import PolicyName
from engine.loop import run_virtual
from engine.model.commands import Actor, ApproveTicket, Halt
from engine.model.events import Alarm
from engine.model.ids import instrument_id
from engine.model.orders import BracketSpec
from engine.ports import BarColumns, Notifier
from engine.risk.limits import FULL
from engine.sources.sessions import ExchangeSessions
from storage.paths import find_home, folder_state
from tui.app import ConsoleApp
from tui.settings import load_settings
from tui.wiring.market import BarInputs, MarketData
from tui.wiring.replay import ReplayOptions, join
from tui.wiring.runtime import RunOptions, Runtime

NINA = Actor("nina", "pts/7")
FIRST, LAST = date(2016, 2, 8), date(2016, 2, 9)
TODAY = date(2026, 11, 20)
FLAT_DAYS = 25
BLOCKED_S, CANCELED_S = 0.1, 1.0
"""RELIABILITY 1, R12."""


def market_of(sessions: ExchangeSessions) -> MarketData:
    """Two instruments flat at 10.00 that open 5 % lower on FIRST and stay there for two sessions."""

    def columns(name: str, days: list[date], prices: list[float]) -> BarColumns:
        level = np.array(prices)
        one = np.ones(len(prices))
        day = np.array(days, dtype="datetime64[D]")
        return BarColumns(instrument_id(name), day, level, level, level, level, one * 1e6, one)

    before = [session.day for session in sessions.between(date(2014, 10, 1), FIRST)][:-1]
    after = [session.day for session in sessions.between(FIRST, LAST)]
    days = [*before[-FLAT_DAYS:], *after]
    prices = [10.0] * FLAT_DAYS + [9.5] * len(after)
    found = [columns(name, days, prices) for name in ("AAA", "BBB")]
    index_days = [*before, *after]
    calm = [15.0] * len(index_days)
    vix, spy = (columns(name, index_days, calm) for name in ("VIX", "SPY"))
    return MarketData({bars.instrument: bars for bars in found}, vix, spy, ())


class Floor:
    """A run on virtual time at a venue that fills nothing below its price; it notes when it hears what."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.sent: list[str] = []
        self.cancels: list[tuple[str, float]] = []
        """Orders in the order that the venue was asked to cancel them, and when."""
        self.alarms: list[Alarm] = []
        runtime.bus.subscribe_call(Alarm, self.alarms.append, "floor")

    async def open(self) -> None:
        """Two tickets wait; the venue's ear is on."""
        await self.runtime.start()
        await until(lambda: self.runtime.drive.paused)
        broker: Any = self.runtime.engine.parts.broker
        submit, cancel = broker.submit_bracket, broker.cancel

        async def hear(spec: BracketSpec) -> None:
            self.sent.append(spec.ticket)
            await submit(spec)

        async def hear_cancel(order: Any) -> None:
            self.cancels.append((order, now_s()))
            await cancel(order)

        broker.submit_bracket, broker.cancel = hear, hear_cancel
        # Nobody sells: every entry rests at the venue.
        broker._matcher.arrive = lambda book, order, now: None

    def approve(self) -> Any:
        engine = self.runtime.engine
        entry = engine.tickets.waiting()[0]
        return engine.give(ApproveTicket(entry.ticket.id, entry.sha256, f"n-{entry.ticket.id}", 9.5, NINA))

    async def quiet(self) -> None:
        await until(lambda: not self.runtime.engine.brackets.in_flight)


def open_floor(folder: Path, sessions: ExchangeSessions, notifiers: Sequence[Notifier] = ()) -> Floor:
    """A floor on one state folder, again for each restart."""
    home = find_home({"TRADEDECK_HOME": str(folder / "home")})
    home.make()
    replay = ReplayOptions(FIRST, LAST, BarInputs(), None, GapFill.GAP, True)
    state = folder_state(home, folder / "state")
    settings = load_settings(None, folder, folder, {}, {})
    options = RunOptions(settings, home, state, PolicyName.HOLD, FULL, False, notifiers=tuple(notifiers))
    return Floor(join(options, replay, market_of(sessions), sessions))


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def until(is_so: Callable[[], bool]) -> None:
    """Look each millisecond of virtual time, for ten seconds at most."""
    for _ in range(10_000):
        if is_so():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came to that")


def put(file: Path, text: str) -> None:
    """Make the file, its folder too."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


async def by_key(floor: Floor) -> None:
    """`!` twice in the console."""
    app = ConsoleApp(floor.runtime.link, actor=NINA)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("!", "!")
        await until(lambda: floor.runtime.engine.halts.account is not None)
        app.leave(stop_engine=False)


async def by_command(floor: Floor) -> None:
    """What `tradedeck halt` sends."""
    await floor.runtime.link.give(Halt(NINA, "tradedeck halt"))


async def by_file(floor: Floor) -> None:
    put(floor.runtime.state.halt_file, "exchange is down")


async def by_signal(floor: Floor) -> None:
    os.kill(os.getpid(), signal.SIGUSR1)


@dataclass(frozen=True, slots=True)
class Way:
    """`press` throws the switch; the journal then says `reason`."""

    press: Callable[[Floor], Awaitable[None]]
    reason: str


WAYS = {
    "key": Way(by_key, "by nina on pts/7 (! !)"),
    "command": Way(by_command, "by nina on pts/7 (tradedeck halt)"),
    "file": Way(by_file, "by file HALT (exchange is down)"),
    "signal": Way(by_signal, "by signal SIGUSR1 (kill switch)"),
}


@dataclass(frozen=True, slots=True)
class Stopped:
    """What followed one throw of the switch, in virtual seconds from it."""

    way: str
    blocked_s: float
    """Until an approval is refused."""
    canceled_s: float | None
    """Until the venue was asked to cancel the entry; None: it never was."""
    problems: tuple[str, ...]


async def stop_by(way: str, floor: Floor) -> Stopped:
    """Open the floor, let one entry rest, throw the switch, and see what follows; the floor stays open."""
    await floor.open()
    engine = floor.runtime.engine
    first = floor.approve()
    await floor.quiet()
    (bracket,) = engine.brackets.open()
    problems = [] if first.ok else [f"the entry was refused: {first.text}"]
    thrown_s = now_s()
    throwing = asyncio.create_task(WAYS[way].press(floor))  # type: ignore[arg-type]
    await until(lambda: engine.halts.account is not None)
    blocked_s = now_s() - thrown_s
    refused = floor.approve()
    if (refused.ok, refused.code, "HALTED" in refused.text) != (False, "gated_out", True):
        problems.append(f"an approval while halted was answered {refused.code}: {refused.text}")
    await throwing
    await floor.quiet()
    if len(floor.sent) != 1:
        problems.append(f"{len(floor.sent)} entries were sent, not one")
    if engine.halts.account_reason != WAYS[way].reason:
        problems.append(f"the reason is {engine.halts.account_reason!r}")
    (row,) = engine.parts.journal.rows("halt")
    if (row["scope"], row["why"]) != ("account", WAYS[way].reason):
        problems.append(f"the journal holds {row['scope']}: {row['why']}")
    found = [at for order, at in floor.cancels if order == bracket.entry.id]
    canceled_s = found[0] - thrown_s if found else None
    if blocked_s > BLOCKED_S:
        problems.append(f"entries were blocked after {1000 * blocked_s:.0f} ms")
    if canceled_s is None or canceled_s > CANCELED_S:
        problems.append(f"the cancel was sent after {canceled_s} s")
    return Stopped(way, blocked_s, canceled_s, tuple(problems))


@dataclass(frozen=True, slots=True)
class StopReport:
    """All ways."""

    stops: tuple[Stopped, ...]
    seconds: float

    @property
    def violations(self) -> tuple[str, ...]:
        """What did not happen, or too late."""
        return tuple(f"{stop.way}: {problem}" for stop in self.stops for problem in stop.problems)

    def __str__(self) -> str:
        each = ", ".join(f"{stop.way} {_ms(stop.blocked_s)} / {_ms(stop.canceled_s)}" for stop in self.stops)
        head = f"entries blocked / cancel sent, virtual time: {each}; {len(self.violations)} violations"
        return "\n".join((f"{head}, {self.seconds:.1f} s", *self.violations))


def run_ways() -> StopReport:
    """Throw the switch in each of its ways."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="stopping-") as folder:
        sessions = ExchangeSessions(Path(folder) / "calendar", TODAY)
        stops = []
        for way in WAYS:
            place = Path(folder) / way
            place.mkdir()
            stops.append(run_virtual(_stopped(way, place, sessions)))
    return StopReport(tuple(stops), time.perf_counter() - began)


async def _stopped(way: str, folder: Path, sessions: ExchangeSessions) -> Stopped:
    floor = open_floor(folder, sessions)
    try:
        return await stop_by(way, floor)
    finally:
        await floor.runtime.stop()


def _ms(seconds: float | None) -> str:
    return "never" if seconds is None else f"{1000 * seconds:.0f} ms"
