"""Jobs on virtual time, over a store that outlives an engine, with a calendar that is the real one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.clock import US_PER_S, LiveClock
from engine.errors import StorageError
from engine.jobs import Job, JobDesk, Jobs, Misfire, Work
from engine.loop import run_virtual
from engine.model.events import Alarm, Event, JobEnded, JobStarted
from engine.model.jobs import Due, JobRecord
from engine.schedules import MINUTE_US, AtLocalTime
from engine.sources.sessions import ExchangeSessions

TODAY = date(2026, 11, 20)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(scope="session")
def calendar_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calendar")


@pytest.fixture(scope="session")
def sessions(calendar_cache: Path) -> ExchangeSessions:
    return ExchangeSessions(calendar_cache, TODAY)


def new_york(text: str) -> int:
    """Int microseconds UTC of `2026-11-20 09:45` in New York."""
    moment = datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)
    return int(moment.timestamp()) * US_PER_S


def in_new_york(ts: int) -> str:
    return datetime.fromtimestamp(ts / US_PER_S, NEW_YORK).strftime("%a %m-%d %H:%M")


class MemoryJobs:
    """What a process leaves behind, and a disk that may be full."""

    def __init__(self) -> None:
        self.records: dict[str, JobRecord] = {}
        self.is_full = False
        self.puts = 0

    def load(self) -> Mapping[str, JobRecord]:
        return dict(self.records)

    def put(self, record: JobRecord) -> None:
        if self.is_full:
            raise StorageError("the disk is full", "Make room")
        self.puts += 1
        self.records[record.name] = record


SCAN = Job("scan", AtLocalTime(time(9, 45)), Misfire.SKIP, 60 * US_PER_S, late_us=5 * MINUTE_US)


@dataclass
class World:
    """One process after the other on the same store, each from the virtual time it is started at."""

    sessions: ExchangeSessions
    store: MemoryJobs = field(default_factory=MemoryJobs)
    events: list[Event] = field(default_factory=list)
    began: list[str] = field(default_factory=list)
    dues: list[str] = field(default_factory=list)
    halts: list[str] = field(default_factory=list)
    draw: Callable[[], float] = lambda: 1.0
    wall: Callable[[], int] | None = None
    work: Callable[[Due], Awaitable[str]] | None = None
    jobs: Jobs = None  # type: ignore[assignment]
    clock: LiveClock = None  # type: ignore[assignment]

    def live(
        self,
        start: str,
        end: str,
        *jobs: Job,
        during: Callable[["World"], Awaitable[Any]] | None = None,
    ) -> None:
        """A process lives from `start` to `end`, New York time, and is stopped in order then."""
        origin_us, end_us = new_york(start), new_york(end)

        async def main() -> None:
            self.clock = LiveClock(origin_us, self.wall)
            self.jobs = Jobs(self.desk(), [(job, self.of(job)) for job in jobs or (SCAN,)])
            self.jobs.restore()
            running = asyncio.ensure_future(self.jobs.run())
            if during is not None:
                await during(self)
            await self.clock.sleep_until(end_us)
            running.cancel()
            await asyncio.wait({running})
            assert running.cancelled(), running.exception()

        run_virtual(main())

    def desk(self) -> JobDesk:
        return JobDesk(
            self.clock, self.sessions, self.store, self.events.append, self.halts.append, self.draw
        )

    def of(self, job: Job) -> Work:
        async def work(due: Due) -> str:
            self.began.append(in_new_york(self.clock.now_us()))
            self.dues.append(in_new_york(due.ts))
            return "3 candidates" if self.work is None else await self.work(due)

        return work

    def killed(self, name: str = "scan") -> None:
        """The process was killed in the middle of a run: nothing after its begin was written."""
        record = self.store.records[name]
        self.store.records[name] = replace(record, running_us=record.last_us or record.next_us)

    @property
    def ended(self) -> list[tuple[str, str]]:
        return [(e.result.value, e.words) for e in self.events if isinstance(e, JobEnded)]

    @property
    def started(self) -> int:
        return sum(isinstance(event, JobStarted) for event in self.events)

    @property
    def alarms(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Alarm)]


@pytest.fixture
def world(sessions: ExchangeSessions) -> World:
    return World(sessions)


@pytest.fixture
def scan() -> Job:
    """09:45 New York time, of no use five minutes later."""
    return SCAN


@pytest.fixture
def at_new_york() -> Callable[[str], int]:
    return new_york
