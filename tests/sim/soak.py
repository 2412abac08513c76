"""Soak: one engine on paper for two virtual days of round-the-clock sessions; nothing may grow.

The second day must end with no more than the first: memory within 5 %, and not one more task, descriptor,
timer or unread event. The journal and the venue's book are real files; the venue's stream breaks off every
half hour; every trade is approved, entered, protected and left by its stop, its target or the close.
"""

import asyncio
import gc
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, fields
from decimal import Decimal
from pathlib import Path
from random import Random
from statistics import median_low
from typing import Any

from simulator.market import ORIGIN_US, Calendar, Market, Walk, calendar, instruments
from simulator.trader import SIM, Daily, Trader, TraderMix, no_index

from brokers.paper.broker import PaperBroker
from engine.bus import Bus
from engine.clock import US_PER_S, LiveClock
from engine.core import Engine
from engine.execution.gating import StrategyTerms
from engine.execution.policies import Hold
from engine.loop import VirtualLoop
from engine.model.commands import Actor, ApproveTicket, RejectTicket, Resume
from engine.model.events import ALL_EVENTS, Event, RoundTripClosed
from engine.model.ids import AccountId, InstrumentId
from engine.model.market import Session, SessionPhase
from engine.model.positions import AccountKind
from engine.parts import EngineState, Parts
from engine.ports import JournalRow
from engine.risk.limits import LimitSwitches
from storage.database import Synchronous
from storage.journal import open_journal
from storage.paper_book import open_paper_book
from tui.eventlines import lines_of

ACCOUNT = AccountId("SOAK-1")
ANN = Actor("ann", "pts/1")
CASH = Decimal(1_000_000)
SESSION_S, PAUSE_S = 3_300, 300
TICK_S = 5.0
RECONNECT_S = 1_800.0
APPROVE_S = 12.0
"""Between two approvals: a person, not a machine."""
LOOKS = 10
GROWTH_MAX = 0.05
MIX = TraderMix(stop=(0.005, 0.01), target=(0.005, 0.01), approval_ttl_s=300, entry_ttl_s=120)
SWITCHES = LimitSwitches("soak", False, True, True, True, False)
"""What a person may do in a day is not the subject: as many trades as there are instruments."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process holds at one moment, after a garbage collection and with no position open."""

    rss: int
    """Bytes."""
    tasks: int
    descriptors: int
    timers: int
    unread: int
    open_brackets: int
    brackets: int
    """In memory, closed ones too."""
    tickets: int
    venue_orders: int
    round_trips: int


@dataclass(frozen=True, slots=True)
class SoakReport:
    """Samples at the end of both days."""

    hours: float
    first: Sample
    second: Sample
    reconnects: int
    seconds: float
    processor_seconds: float
    troubles: tuple[str, ...]
    """What failed on the way."""

    @property
    def growth(self) -> float:
        """Of memory in the second day, as a fraction."""
        return self.second.rss / self.first.rss - 1

    @property
    def problems(self) -> tuple[str, ...]:
        """What grew, with both numbers."""
        found = list(self.troubles[:3])
        if self.growth >= GROWTH_MAX:
            found.append(f"memory grew by {self.growth:.1%}, limit {GROWTH_MAX:.0%}")
        for name in ("tasks", "descriptors", "timers", "unread", "open_brackets"):
            first, second = getattr(self.first, name), getattr(self.second, name)
            if second > first:
                found.append(f"{name} grew from {first} to {second}")
        if self.second.round_trips < 2 * self.hours or self.second.round_trips <= self.first.round_trips:
            found.append(f"only {self.second.round_trips} round trips: nothing was soaked")
        return tuple(found)

    @property
    def ok(self) -> bool:
        """Nothing grew."""
        return not self.problems

    def lines(self) -> tuple[str, ...]:
        """The report as it is printed."""
        rows = [
            f"{field.name:14} {getattr(self.first, field.name):>12,} {getattr(self.second, field.name):>12,}"
            for field in fields(Sample)
        ]
        return (
            f"{self.hours:g} h twice in {self.seconds:.1f} s, {self.processor_seconds:.1f} s of one core;"
            f" {self.reconnects} reconnects; memory {self.growth:+.2%}",
            *rows,
            *(f"PROBLEM {problem}" for problem in self.problems),
        )


class Soak:
    """One engine and what it stands on."""

    def __init__(self, folder: Path, hours: float, seed: int, opened: ExitStack) -> None:
        random = Random(seed)
        self.loop = asyncio.get_running_loop()
        self.hours = hours
        self.days = self._calendar(hours)
        walks = [
            Walk(InstrumentId(f"S{number:02d}.US"), Decimal(random.randint(2_000, 20_000)) / 100, 0.002)
            for number in range(10)
        ]
        self.market = Market(walks, self.days, random, TICK_S, self.now_us)
        self.names = sorted(self.market.walks)
        self.clock = LiveClock(self.now_us())
        journal = opened.enter_context(open_journal(folder / "journal.db", ACCOUNT, AccountKind.PAPER))
        keys = ("initial_cash", "peak_equity", "day_start_equity")
        journal.commit([JournalRow("meta", {"k": key, "v": format(CASH, "f")}) for key in keys], ())
        book = opened.enter_context(open_paper_book(folder / "book.db", Synchronous.NORMAL))
        known = instruments(self.names)
        self.broker = PaperBroker(
            ACCOUNT, AccountKind.PAPER, book, self.clock, self.days, initial_cash=CASH, instruments=known
        )
        self.bus = Bus(lambda trouble: self.troubles.append(str(trouble.error)))
        self.troubles: list[str] = []
        self.reconnects = self.round_trips = self.said = 0
        daily = Daily(self.market.first_prices)
        values: dict[str, Any] = {
            "account": ACCOUNT,
            "kind": AccountKind.PAPER,
            "clock": self.clock,
            "journal": journal,
            "broker": self.broker,
            "strategies": (Trader(MIX, random),),
            "terms": {SIM: StrategyTerms("paper", "naive", 99, 999)},
            "sessions": self.days,
            "history": lambda session: daily,
            "index": no_index,
            "instruments": known,
            "switches": SWITCHES,
            "max_positions_total": 99,
            "dataset": True,
            "policy": Hold(),
            "random_bits": random.getrandbits,
            "publish": self.bus.publish,
            "config_hash": "soak",
            "live": True,
        }
        names = {field.name for field in fields(Parts)}
        self.engine = Engine(Parts(**{name: value for name, value in values.items() if name in names}))
        self.bus.subscribe_call((RoundTripClosed,), self._count, "counter")
        self.market.opened, self.market.closed = self._opened, self._closed
        self.market.ticked = self._ticked

    @staticmethod
    def _calendar(hours: float) -> Calendar:
        return calendar([SESSION_S] * (round(2 * hours) + 1), PAUSE_S)

    def now_us(self) -> int:
        """The time of the world."""
        return ORIGIN_US + round(self.loop.time() * US_PER_S)

    def _count(self, event: Event) -> None:
        self.round_trips += 1

    async def log(self) -> None:
        """Reads every event and makes its lines, as the daemon's log does."""
        with self.bus.subscribe(ALL_EVENTS, "log", newest_only=True) as events:
            listening: AsyncIterator[Event] = events
            async for event in listening:
                self.said += sum(len(line.text) for line in lines_of(event))

    def _take(self, phase: SessionPhase | None) -> Any:
        now = self.now_us()
        batch = self.market.batch(now, now, phase, self.names)
        self.broker.on_market(batch)
        self.engine.take(batch)
        return batch

    def _opened(self, session: Session) -> None:
        batch = self._take(SessionPhase.OPEN)
        self.engine.decide(batch)
        self.engine.finish(batch)
        self.loop.call_later(1.0, self._approve)

    def _closed(self, session: Session) -> None:
        self.engine.finish(self._take(SessionPhase.CLOSE))

    def _ticked(self, names: tuple[InstrumentId, ...]) -> None:
        self._take(None)

    def _approve(self) -> None:
        if self.engine.state is EngineState.HALTED:
            self.engine.give(Resume(ANN))
        waiting = self.engine.tickets.waiting()
        if waiting and self.market.session is not None:
            self._take(None)  # a fresh quote, as it is shown
            entry = waiting[0]
            command = ApproveTicket(entry.ticket.id, entry.sha256, f"n{entry.ticket.id}", None, ANN)
            if not self.engine.give(command).ok:
                self.engine.give(RejectTicket(entry.ticket.id, "not at this price", ANN))
            self.loop.call_later(APPROVE_S, self._approve)

    async def reconnects_for_ever(self) -> None:
        """The venue's stream ends from time to time."""
        while True:
            await asyncio.sleep(RECONNECT_S)
            self.broker.disconnect()
            self.reconnects += 1

    async def until(self, end_s: float) -> Sample:
        """Run to a moment between two sessions."""
        await asyncio.sleep(end_s - self.loop.time())
        await self.engine.brackets.idle()
        gc.collect()
        tasks = []
        # At any one of them a question to the venue may be out, or a timer between two waits.
        for _ in range(LOOKS):
            tasks.append(len(asyncio.all_tasks()))
            await asyncio.sleep(1.7)
        return Sample(
            rss=_rss(),
            tasks=median_low(tasks),
            descriptors=len(os.listdir("/proc/self/fd")),
            timers=len(self.engine.scheduler._due),
            unread=sum(listener.pending for listener in self.bus.listeners()),
            open_brackets=len(self.engine.brackets.open()),
            brackets=sum(1 for _ in self.engine.brackets),
            tickets=sum(1 for _ in self.engine.tickets),
            venue_orders=len(self.broker._book.orders),
            round_trips=self.round_trips,
        )


def _rss() -> int:
    """Resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def _run(folder: Path, hours: float, seed: int) -> SoakReport:
    began, used = time.perf_counter(), time.process_time()
    with ExitStack() as opened:
        soak = Soak(folder, hours, seed, opened)
        soak.loop.set_exception_handler(lambda loop, context: soak.troubles.append(str(context)))
        tasks = [asyncio.create_task(soak.log()), asyncio.create_task(soak.reconnects_for_ever())]
        await soak.engine.start()
        soak.engine.run_timers()
        soak.market.start()
        # In the pause after the last session of the day: everything is sold then.
        day_s = round(hours) * (SESSION_S + PAUSE_S)
        first = await soak.until(day_s - PAUSE_S / 2)
        second = await soak.until(2 * day_s - PAUSE_S / 2)
        await soak.engine.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        soak.bus.close()
    seconds, processor = time.perf_counter() - began, time.process_time() - used
    return SoakReport(hours, first, second, soak.reconnects, seconds, processor, tuple(soak.troubles))


def run(hours: float = 24, seed: int = 0) -> SoakReport:
    """Two times `hours` of virtual time in one process."""
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
    ):
        return runner.run(_run(Path(folder), hours, seed))


def main(hours: float, seed: int) -> int:
    """Run, print, and answer with the exit code."""
    report = run(hours, seed)
    sys.stdout.write("\n".join(report.lines()) + "\n")
    return 0 if report.ok else 1
