"""Runs the jobs of the engine at their times: each once, whatever the process, the clock or the job does.

A job's due time is kept before anything is done for it, and a run before it begins. So a start knows what the
process before it missed and what it was in the middle of. What it makes of that is the job's own rule:
`Misfire`. A run that fails is tried again after a pause; after three in a row a person is told.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from engine.clock import US_PER_S, Clock, clock_text
from engine.errors import DeckError, InvariantBroken, StorageError
from engine.model.events import Alarm, Event, JobEnded, JobStarted
from engine.model.ids import CorrelationId
from engine.model.jobs import Due, JobRecord, JobResult, JobStatus
from engine.ports import JobStore, Sessions
from engine.schedules import MINUTE_US, Schedule

Work = Callable[[Due], Coroutine[Any, Any, str]]
"""Does the job and says in a few words what came of it. Its failures are DeckErrors."""

BEAT_US = 30 * US_PER_S
"""No sleep is longer: a clock that jumped is seen that late at most."""
FIRST_PAUSE_US, LONGEST_PAUSE_US = 5 * US_PER_S, 15 * MINUTE_US
SHORTEST_PAUSE_US = US_PER_S
LAST_DOUBLING = 10
ALARM_AT = 3
"""Failures in a row."""
PATIENCE_US = 5 * US_PER_S
"""How long a run that was cancelled may take to end before a person is told."""
_LIE_US = 24 * 60 * MINUTE_US
"""A last run that lies further ahead was written by a clock that was wrong."""


class Misfire(StrEnum):
    """What becomes of due times that passed while nothing could run."""

    RUN_ONCE = "run_once"
    """One run, for the newest of them."""
    SKIP = "skip"
    """Nothing: later than the job's `late_us` a run is of no use."""
    RUN_ALL = "run_all"
    """A run for each, the oldest first."""


@dataclass(frozen=True, slots=True)
class Job:
    """`jitter_us`: a run begins up to so much after its due time, by chance, so that not all begin at once.

    `is_protective`: it guards money, and runs also where its begin cannot be recorded.
    """

    name: str
    schedule: Schedule
    misfire: Misfire
    timeout_us: int
    jitter_us: int = 0
    late_us: int = MINUTE_US
    is_protective: bool = False


@dataclass(frozen=True, slots=True)
class JobDesk:
    """What the jobs stand on. `draw`: a fraction from 0 to 1 by chance. `halt`: our own bug stops trading."""

    clock: Clock
    sessions: Sessions
    store: JobStore
    publish: Callable[[Event], None]
    halt: Callable[[str], None]
    draw: Callable[[], float]


class _Kept:
    """One job and where it stands."""

    def __init__(self, job: Job, work: Work) -> None:
        self.job = job
        self.work = work
        self.record = JobRecord(job.name)
        self.words = ""
        self.due: Due | None = None
        self.begin_us = 0
        """When it is begun; only while there is a `due`."""
        self.is_tried = False
        """A run for `due` has failed."""
        self.task: asyncio.Task[None] | None = None


class Jobs:
    """`restore` before `run`; a supervisor keeps `run` running, and ends all runs by cancelling it."""

    def __init__(self, desk: JobDesk, table: Sequence[tuple[Job, Work]]) -> None:
        self._desk = desk
        self._each = {job.name: _Kept(job, work) for job, work in table}
        if len(self._each) != len(table):
            raise InvariantBroken("two jobs have the same name")
        self._ended = asyncio.Event()
        self._is_unkept = False
        """The store cannot be written: told once."""

    def restore(self) -> None:
        """Go on from what was kept. Raises StorageError."""
        now, records = self._desk.clock.now_us(), self._desk.store.load()
        for name, each in self._each.items():
            each.record = _recovered(records.get(name, each.record))
            self._aim(each, self._first_due(each, now))
            self._save(each)

    async def run(self) -> None:
        """Begin every job when it is due, for ever."""
        try:
            while True:
                self._ended.clear()
                self._begin_due()
                await self._rest()
        finally:
            await self._end()

    def status(self) -> tuple[JobStatus, ...]:
        """Where every job stands, in the order of the table."""
        return tuple(_status(each) for each in self._each.values())

    def _begin_due(self) -> None:
        now = self._desk.clock.now_us()
        for each in self._each.values():
            if each.task is not None:
                continue
            if each.due is None and (due := each.job.schedule.after(now, self._desk.sessions)) is not None:
                self._aim(each, due)  # the calendar reaches further now
                self._save(each)
            self._catch_up(each, now)
            if each.due is not None and each.begin_us <= now:
                self._begin(each, each.due, now)

    def _catch_up(self, each: _Kept, now: int) -> None:
        """Move on from due times that the job's rule leaves out."""
        due, job = each.due, each.job
        if due is None or due.ts > now or job.misfire is Misfire.RUN_ALL:
            return
        newest = job.schedule.newest(now, self._desk.sessions)
        if newest is not None and newest.ts > due.ts:
            due = newest
            self._aim(each, due)
        if job.misfire is Misfire.SKIP and now > due.ts + job.late_us:
            if not each.is_tried:
                self._miss(each, due, now)
            self._aim(each, job.schedule.after(now, self._desk.sessions))
        if each.due is None or each.due.ts != each.record.next_us:
            self._save(each)  # before it begins: a start after a crash must know what was left

    def _miss(self, each: _Kept, due: Due, now: int) -> None:
        words = f"due {clock_text(due.ts)}, first looked at {(now - due.ts) // US_PER_S} s later"
        each.record = replace(each.record, last_result=JobResult.MISSED, last_error=words)
        each.words = words
        self._publish_end(each, due, JobResult.MISSED, words)

    def _begin(self, each: _Kept, due: Due, now: int) -> None:
        each.record = replace(each.record, running_us=now, last_us=now)
        if not self._save(each) and not each.job.is_protective:
            each.record = replace(each.record, running_us=None)
            self._fail(each, due, JobResult.FAILED, "its begin cannot be recorded")
            return
        self._desk.publish(JobStarted(each.job.name, due.ts, now))
        name = f"job {each.job.name}"
        each.task = asyncio.get_running_loop().create_task(self._run(each, due, now), name=name)

    async def _run(self, each: _Kept, due: Due, began_us: int) -> None:
        work = asyncio.get_running_loop().create_task(each.work(due), name=f"work of {each.job.name}")
        limit = asyncio.ensure_future(self._desk.clock.sleep_until(began_us + each.job.timeout_us))
        result = JobResult.INTERRUPTED
        try:
            await _first(work, limit)
            result = JobResult.DONE if work.done() else JobResult.TIMEOUT
            await self._stop(each, work)
        finally:
            # Also where the process stops: nothing of it goes on unseen.
            work.cancel()
            limit.cancel()
            await asyncio.wait({work})
            self._close(each, due, work, result)

    async def _stop(self, each: _Kept, work: "asyncio.Task[str]") -> None:
        """End a run that took too long. Until it has ended no other begins."""
        if work.done():
            return
        work.cancel()
        clock = self._desk.clock
        patience = asyncio.ensure_future(clock.sleep_until(clock.now_us() + PATIENCE_US))
        try:
            await _first(work, patience)
        finally:
            patience.cancel()
        if not work.done():
            self._alarm(f"job {each.job.name} does not end though it was cancelled: it is not begun again")
            await asyncio.wait({work})

    def _close(self, each: _Kept, due: Due, work: "asyncio.Task[str]", result: JobResult) -> None:
        each.task = None
        each.record = replace(each.record, running_us=None, runs=each.record.runs + 1)
        error = None if work.cancelled() else work.exception()
        if result is JobResult.INTERRUPTED:
            self._fail(each, due, result, "the engine stopped during the run")
        elif result is JobResult.TIMEOUT:
            limit = each.job.timeout_us // US_PER_S
            self._fail(each, due, result, f"it took longer than {limit} s and was cancelled")
        elif error is not None:
            self._fail(each, due, JobResult.FAILED, self._why(each, error))
        elif work.cancelled():
            self._fail(each, due, JobResult.FAILED, "it was cancelled from inside")
        else:
            self._done(each, due, work.result())
        self._ended.set()

    def _done(self, each: _Kept, due: Due, words: str) -> None:
        each.words = words
        each.record = replace(each.record, last_result=JobResult.DONE, last_error="", failures=0)
        self._aim(each, each.job.schedule.after(due.ts, self._desk.sessions))
        self._save(each)
        self._publish_end(each, due, JobResult.DONE, words)

    def _fail(self, each: _Kept, due: Due, result: JobResult, why: str) -> None:
        failures = each.record.failures + 1
        each.words, each.is_tried = why, True
        each.record = replace(each.record, last_result=result, last_error=why, failures=failures)
        each.begin_us = self._desk.clock.now_us() + retry_pause_us(failures, self._desk.draw)
        self._save(each)
        self._publish_end(each, due, result, why)
        if failures == ALARM_AT:
            self._alarm(f"job {each.job.name} failed {failures} times in a row: {why}")

    def _why(self, each: _Kept, error: BaseException) -> str:
        if isinstance(error, DeckError):
            why = str(error)
        else:
            why = f"{type(error).__name__}: {error}"
            self._alarm(f"job {each.job.name} has a bug: {why}")
        if isinstance(error, InvariantBroken):
            self._desk.halt(f"job {each.job.name} failed: {why}")
        return why

    def _first_due(self, each: _Kept, now: int) -> Due | None:
        """The due time that the process before this one left; else the next one."""
        schedule, sessions, record = each.job.schedule, self._desk.sessions, each.record
        if record == JobRecord(record.name):
            # Never seen before: what is of use still, as for a process that came a little late.
            newest = schedule.newest(now, sessions)
            is_young = newest is not None and now <= newest.ts + each.job.late_us
            return newest if is_young else schedule.after(now, sessions)
        if record.next_us is None or record.next_us > now:
            # A clock that was set back must not make a due time come twice.
            last_us = record.last_us or 0
            return schedule.after(max(now, last_us) if last_us <= now + _LIE_US else now, sessions)
        kept = schedule.newest(record.next_us, sessions)
        if kept is not None and kept.ts == record.next_us:
            return kept
        return schedule.after(record.next_us, sessions)  # the schedule was another one then

    def _aim(self, each: _Kept, due: Due | None) -> None:
        each.due, each.is_tried = due, False
        if due is not None:
            each.begin_us = due.ts + round(each.job.jitter_us * self._desk.draw())

    def _save(self, each: _Kept) -> bool:
        """False where it could not be kept; told once until it can again."""
        each.record = replace(each.record, next_us=None if each.due is None else each.due.ts)
        try:
            self._desk.store.put(each.record)
        except StorageError as error:
            if not self._is_unkept:
                self._is_unkept = True
                self._alarm(f"what jobs did cannot be recorded: {error}")
            return False
        self._is_unkept = False
        return True

    async def _rest(self) -> None:
        """Until something is due, a run ended, or a beat is over."""
        clock = self._desk.clock
        waiting = (each.begin_us for each in self._each.values() if each.task is None and each.due)
        until = min([*waiting, clock.now_us() + BEAT_US])
        sleeper = asyncio.ensure_future(clock.sleep_until(until))
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await _first(sleeper, ended)
        finally:
            sleeper.cancel()
            ended.cancel()

    async def _end(self) -> None:
        tasks = [each.task for each in self._each.values() if each.task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            # One that does not end is found interrupted by the next start.
            await asyncio.wait(tasks, timeout=PATIENCE_US / US_PER_S)

    def _publish_end(self, each: _Kept, due: Due, result: JobResult, words: str) -> None:
        now, failures = self._desk.clock.now_us(), each.record.failures
        self._desk.publish(JobEnded(each.job.name, due.ts, result, words, failures, now))

    def _alarm(self, text: str) -> None:
        """A page: nothing else tells that what should have happened did not."""
        self._desk.publish(Alarm(text, True, CorrelationId(""), self._desk.clock.now_us(), "job"))


async def _first(*futures: "asyncio.Future[Any]") -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


def retry_pause_us(failures: int, draw: Callable[[], float]) -> int:
    """Full jitter (SPEC 10.5): a random share of 5, 10, 20 s and so on, of 15 minutes at most."""
    ceiling = min(FIRST_PAUSE_US << min(failures - 1, LAST_DOUBLING), LONGEST_PAUSE_US)
    return max(round(ceiling * draw()), SHORTEST_PAUSE_US)


def stored_status(records: Mapping[str, JobRecord]) -> tuple[JobStatus, ...]:
    """Where jobs stand while no engine runs them."""
    return tuple(
        JobStatus(
            record.name,
            "",
            record.next_us,
            record.last_us,
            record.last_result,
            record.last_error,
            record.runs,
            record.failures,
            record.running_us,
        )
        for record in records.values()
    )


def _status(each: _Kept) -> JobStatus:
    record = each.record
    return JobStatus(
        record.name,
        each.job.schedule.words,
        None if each.due is None or each.task is not None else each.begin_us,
        record.last_us,
        record.last_result,
        each.words or record.last_error,
        record.runs,
        record.failures,
        record.running_us,
    )


def _recovered(record: JobRecord) -> JobRecord:
    """A run that was under way when its process ended has failed: nobody knows how far it came."""
    if record.running_us is None:
        return record
    why = f"the process ended during the run that began {clock_text(record.running_us)}"
    return replace(
        record,
        running_us=None,
        last_result=JobResult.INTERRUPTED,
        last_error=why,
        runs=record.runs + 1,
        failures=record.failures + 1,
    )
