"""The engine's jobs: once each, whatever the process, the clock or the job does."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest

from engine.clock import US_PER_S
from engine.errors import InvariantBroken, SourceUnavailable, StorageError
from engine.jobs import Job, JobDesk, Jobs, Misfire, retry_pause_us, stored_status
from engine.model.events import JobEnded
from engine.model.jobs import Due, JobRecord, JobResult
from engine.schedules import MINUTE_US, AtLocalTime, Daily, FromClose, WeekEnd

HOUR_US = 60 * MINUTE_US
DONE = ("done", "3 candidates")
World = Any
ONCE = Job("update", Daily(time(6, 30)), Misfire.RUN_ONCE, 60 * US_PER_S)
EACH = Job("retention", Daily(time(6, 30)), Misfire.RUN_ALL, 60 * US_PER_S)


async def fails(due: Due) -> str:
    raise SourceUnavailable("no answer in 5 s")


def test_a_job_runs_once_at_each_of_its_times(world: World) -> None:
    world.live("2026-11-23 08:00", "2026-11-30 16:00")
    assert world.began == [
        "Mon 11-23 09:45",
        "Tue 11-24 09:45",
        "Wed 11-25 09:45",
        "Fri 11-27 09:45",
        "Mon 11-30 09:45",
    ]
    assert world.ended == [("done", "3 candidates")] * 5
    record = world.store.records["scan"]
    assert (record.runs, record.failures, record.last_result, record.running_us) == (5, 0, "done", None)


def test_status_says_when_next_and_how_it_went(world: World, scan: Job, at_new_york: Any) -> None:
    seen = []

    async def look(here: World) -> None:
        seen.append(here.jobs.status()[0])
        await here.clock.sleep_until(at_new_york("2026-11-25 12:00"))
        seen.append(here.jobs.status()[0])

    world.live("2026-11-25 08:00", "2026-11-25 13:00", during=look)
    before, after = seen
    assert before.schedule == "09:45 New York time of each session"
    assert (before.next_us, before.last_us, before.runs) == (at_new_york("2026-11-25 09:45"), None, 0)
    assert after.next_us == at_new_york("2026-11-27 09:45")
    assert (after.last_us, after.last_result, after.last_words) == (
        at_new_york("2026-11-25 09:45"),
        JobResult.DONE,
        "3 candidates",
    )


def test_a_restart_at_the_same_minute_does_not_run_it_twice(world: World) -> None:
    world.live("2026-11-25 08:00", "2026-11-25 09:46")
    world.live("2026-11-25 09:46", "2026-11-25 12:00")
    assert world.began == ["Wed 11-25 09:45"]


def test_a_time_that_passed_while_nothing_ran_follows_the_rule_of_the_job(world: World) -> None:
    jobs = (
        replace(ONCE, name="once"),
        replace(EACH, name="each"),
        Job("skip", Daily(time(6, 30)), Misfire.SKIP, US_PER_S),
    )
    world.live("2026-11-20 12:00", "2026-11-20 13:00", *jobs)
    world.live("2026-11-24 12:00", "2026-11-24 13:00", *jobs)
    assert Counter(world.dues) == {
        "Sat 11-21 01:30": 1,
        "Sun 11-22 01:30": 1,
        "Mon 11-23 01:30": 1,
        "Tue 11-24 01:30": 2,
    }
    assert set(world.began) == {"Tue 11-24 12:00"}
    assert world.store.records["skip"].last_result is JobResult.MISSED
    assert "first looked at" in world.store.records["skip"].last_error
    assert [words for result, words in world.ended if result == "missed"] == [
        "due 06:30:00Z, first looked at 37800 s later"
    ]


def test_a_skipped_job_still_runs_when_the_process_came_a_little_late(world: World) -> None:
    world.live("2026-11-25 08:00", "2026-11-25 09:00")
    world.live("2026-11-25 09:49", "2026-11-25 10:00")
    assert world.began == ["Wed 11-25 09:49"]
    world.live("2026-11-27 09:51", "2026-11-27 10:00")
    assert world.began == ["Wed 11-25 09:49"]


def test_the_very_first_start_does_what_is_of_use_still(world: World) -> None:
    world.live("2026-11-25 09:48", "2026-11-25 10:00")
    assert (world.began, world.dues) == (["Wed 11-25 09:48"], ["Wed 11-25 09:45"])


def test_the_very_first_start_has_missed_nothing(world: World) -> None:
    world.live("2026-11-25 09:51", "2026-11-25 10:00", ONCE, EACH, replace(ONCE, name="skip"))
    assert (world.began, world.ended) == ([], [])


def test_a_missed_time_is_not_missed_again_by_the_next_start(world: World) -> None:
    world.live("2026-11-25 08:00", "2026-11-25 09:00")
    for _ in range(3):
        world.live("2026-11-25 12:00", "2026-11-25 12:10")
    assert [result for result, _ in world.ended] == ["missed"]


def test_many_missed_times_are_run_the_oldest_first(world: World) -> None:
    world.live("2026-11-20 12:00", "2026-11-20 13:00", EACH)
    world.live("2026-12-20 12:00", "2026-12-20 13:00", EACH)
    assert len(world.dues) == 30
    assert (world.dues[0], world.dues[-1]) == ("Sat 11-21 01:30", "Sun 12-20 01:30")


def test_a_run_in_the_middle_of_which_the_process_died_is_known_and_not_run_twice(
    world: World, scan: Job, at_new_york: Any
) -> None:
    world.store.put(
        JobRecord(
            "scan",
            at_new_york("2026-11-25 09:45"),
            at_new_york("2026-11-25 09:45"),
            running_us=at_new_york("2026-11-25 09:45"),
        )
    )
    world.live("2026-11-25 10:30", "2026-11-25 11:00")
    assert world.began == []
    record = world.store.records["scan"]
    assert (record.last_result, record.failures, record.running_us) == (JobResult.MISSED, 1, None)


@pytest.mark.parametrize(("job", "runs"), [(ONCE, 1), (EACH, 1)])
def test_a_run_that_died_is_done_again_where_it_may_be_late(
    world: World, at_new_york: Any, job: Job, runs: int
) -> None:
    due = at_new_york("2026-11-25 01:30")
    world.store.put(JobRecord(job.name, due, due, running_us=due))
    world.live("2026-11-25 08:00", "2026-11-25 09:00", job)
    assert world.dues == ["Wed 11-25 01:30"] * runs
    assert (world.store.records[job.name].last_result, world.store.records[job.name].runs) == ("done", 2)


def test_a_run_that_was_stopped_with_the_engine_is_found_so(world: World) -> None:
    async def long(due: Due) -> str:
        await asyncio.sleep(3600)
        return "never"

    world.work = long
    job = replace(ONCE, timeout_us=2 * HOUR_US)
    world.live("2026-11-25 01:00", "2026-11-25 01:31", job)
    assert world.ended == [("interrupted", "the engine stopped during the run")]
    assert world.store.records["update"].running_us is None
    world.work = None
    world.live("2026-11-25 01:40", "2026-11-25 02:00", job)
    assert world.began == ["Wed 11-25 01:30", "Wed 11-25 01:40"]


def test_a_run_under_way_is_not_begun_again(world: World) -> None:
    under_way = 0

    async def long(due: Due) -> str:
        nonlocal under_way
        under_way += 1
        assert under_way == 1
        await asyncio.sleep(3 * 24 * 3600)
        under_way -= 1
        return "at last"

    world.work = long
    world.live("2026-11-20 00:00", "2026-11-26 12:00", replace(ONCE, timeout_us=90 * HOUR_US))
    assert world.dues == ["Fri 11-20 01:30", "Mon 11-23 01:30", "Thu 11-26 01:30"]
    assert world.started == 3


def test_a_run_that_takes_too_long_is_cancelled_and_tried_again(world: World) -> None:
    async def hangs(due: Due) -> str:
        await asyncio.Event().wait()
        return "never"

    world.work = hangs
    world.live(
        "2026-11-25 09:00",
        "2026-11-25 09:47",
    )
    assert world.ended[0] == ("timeout", "it took longer than 60 s and was cancelled")
    assert world.began == ["Wed 11-25 09:45", "Wed 11-25 09:46"]


def test_a_run_that_ignores_its_cancelling_is_told_and_not_doubled(world: World) -> None:
    async def stubborn(due: Due) -> str:
        for _ in range(10):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue
        return "late"

    world.work = stubborn
    world.live("2026-11-25 09:00", "2026-11-25 10:00", replace(ONCE, schedule=AtLocalTime(time(9, 45))))
    assert any("does not end though it was cancelled" in text for text in world.alarms)
    assert world.began[0] == "Wed 11-25 09:45"
    assert len(world.began) <= 2
    assert world.ended[0][0] == "timeout"


def test_a_failed_run_is_tried_again_with_longer_pauses_until_it_is_done(world: World) -> None:
    tries = []

    async def third_time(due: Due) -> str:
        tries.append(world.clock.now_us())
        if len(tries) < 4:
            raise SourceUnavailable("no answer in 5 s")
        return "at last"

    world.work = third_time
    world.live("2026-11-25 01:00", "2026-11-25 02:00", ONCE)
    pauses = [(b - a) // US_PER_S for a, b in pairwise(tries)]
    assert pauses == [5, 10, 20]
    assert [result for result, _ in world.ended] == ["failed", "failed", "failed", "done"]
    assert set(world.dues) == {"Wed 11-25 01:30"}
    assert world.alarms == ["job update failed 3 times in a row: no answer in 5 s"]
    assert (world.store.records["update"].failures, world.store.records["update"].last_error) == (0, "")


def test_a_skipped_job_that_fails_is_given_up_when_it_is_of_no_use(world: World) -> None:
    world.work = fails
    world.live("2026-11-25 09:00", "2026-11-25 16:00")
    assert 3 <= len(world.began) <= 8
    assert world.began[-1] <= "Wed 11-25 09:50"
    record = world.store.records["scan"]
    assert (record.last_result, record.last_error) == (JobResult.FAILED, "no answer in 5 s")
    assert len(world.alarms) == 1


def test_a_job_that_fails_for_days_alarms_once_and_follows_the_newest_time(world: World) -> None:
    world.work = fails
    world.live("2026-11-20 00:00", "2026-11-23 00:00", ONCE)
    assert len(world.alarms) == 1
    assert set(world.dues) == {"Fri 11-20 01:30", "Sat 11-21 01:30", "Sun 11-22 01:30"}
    assert len(world.began) < 400


def test_failures_are_counted_over_a_restart(world: World) -> None:
    world.work = fails
    world.live("2026-11-25 01:30", "2026-11-25 01:30", ONCE)
    world.live("2026-11-26 01:29", "2026-11-26 01:31", ONCE)
    before = world.store.records["update"].failures
    world.live("2026-11-26 01:31", "2026-11-26 01:45", ONCE)
    assert world.store.records["update"].failures > before >= 1


@pytest.mark.parametrize("seed", range(5))
def test_pauses_are_drawn_from_nothing_to_the_ceiling(seed: int) -> None:
    import random

    draw = random.Random(seed).random
    for failures, ceiling_s in ((1, 5), (2, 10), (3, 20), (8, 640), (9, 900), (60, 900)):
        drawn = [retry_pause_us(failures, draw) for _ in range(200)]
        assert min(drawn) >= US_PER_S
        assert max(drawn) <= ceiling_s * US_PER_S
        assert max(drawn) - min(drawn) > 0.5 * (ceiling_s - 1) * US_PER_S


def test_a_bug_in_a_job_pages_at_once_and_the_others_run_on(world: World) -> None:
    async def buggy(due: Due) -> str:
        raise KeyError("z5")

    world.work = buggy
    world.live("2026-11-25 01:00", "2026-11-25 01:30", ONCE)
    world.live("2026-11-25 01:30", "2026-11-25 01:31", ONCE)
    assert world.alarms[0] == "job update has a bug: KeyError: 'z5'"
    assert world.halts == []


def test_a_broken_rule_of_our_own_stops_trading(world: World) -> None:
    async def broken(due: Due) -> str:
        raise InvariantBroken("the books do not add up")

    world.work = broken
    world.live("2026-11-25 01:29", "2026-11-25 01:31", ONCE)
    assert world.halts[0] == "job update failed: the books do not add up"


def test_a_job_that_cancels_itself_has_failed(world: World) -> None:
    async def quits(due: Due) -> str:
        raise asyncio.CancelledError

    world.work = quits
    world.live("2026-11-25 01:29", "2026-11-25 01:31", ONCE)
    assert world.ended[0] == ("failed", "it was cancelled from inside")


def test_a_run_whose_begin_cannot_be_recorded_does_not_begin(world: World) -> None:
    async def full(here: World) -> None:
        here.store.is_full = True

    world.live("2026-11-25 01:00", "2026-11-25 01:32", ONCE, during=full)
    assert world.began == []
    assert ("failed", "its begin cannot be recorded") in world.ended
    assert sum("cannot be recorded: the disk is full" in text for text in world.alarms) == 1
    world.store.is_full = False
    world.live("2026-11-25 01:40", "2026-11-25 01:41", ONCE)
    assert world.began == ["Wed 11-25 01:40"]


def test_a_job_that_guards_money_runs_without_a_record(world: World) -> None:
    async def full(here: World) -> None:
        here.store.is_full = True

    world.live("2026-11-25 01:00", "2026-11-25 01:32", replace(ONCE, is_protective=True), during=full)
    assert world.began == ["Wed 11-25 01:30"]
    assert len(world.alarms) == 1


def test_a_store_that_cannot_be_read_stops_the_start(world: World, sessions: Any) -> None:
    class Unreadable:
        def load(self) -> dict[str, JobRecord]:
            raise StorageError("the memory cannot be read")

        def put(self, record: JobRecord) -> None:
            raise AssertionError

    desk = JobDesk(_Clock(), sessions, Unreadable(), print, print, lambda: 1.0)  # type: ignore[arg-type]
    with pytest.raises(StorageError):
        Jobs(desk, []).restore()


class _Clock:
    def now_us(self) -> int:
        return 1


def test_two_jobs_of_one_name_are_a_bug(world: World, sessions: Any) -> None:
    desk = JobDesk(_Clock(), sessions, world.store, print, print, lambda: 1.0)  # type: ignore[arg-type]
    with pytest.raises(InvariantBroken, match="same name"):
        Jobs(desk, [(ONCE, fails), (replace(EACH, name="update"), fails)])


def test_a_clock_that_jumps_ahead_begins_what_became_due_within_half_a_minute(
    world: World, at_new_york: Any
) -> None:
    jump_us = 0

    def wall() -> int:
        return world.clock._origin_us + round(world.clock._loop.time() * US_PER_S) + jump_us

    async def jumps(here: World) -> None:
        nonlocal jump_us
        await here.clock.sleep_until(at_new_york("2026-11-25 08:47"))
        jump_us = HOUR_US
        here.clock.follow_wall()
        jump_us = 0

    world.wall = wall
    world.live("2026-11-25 08:00", "2026-11-25 12:00", during=jumps)
    assert world.began == ["Wed 11-25 09:47"]
    assert world.store.records["scan"].last_us - at_new_york("2026-11-25 09:47") <= 30 * US_PER_S


def test_a_clock_that_jumps_over_a_time_leaves_it_to_the_rule(world: World, at_new_york: Any) -> None:
    jump_us = 0

    async def jumps(here: World) -> None:
        nonlocal jump_us
        await here.clock.sleep_until(at_new_york("2026-11-25 09:00"))
        jump_us = HOUR_US
        here.clock.follow_wall()
        jump_us = 0

    world.wall = lambda: world.clock._origin_us + round(world.clock._loop.time() * US_PER_S) + jump_us
    late = Job("late", AtLocalTime(time(9, 45)), Misfire.RUN_ONCE, US_PER_S)
    world.live(
        "2026-11-25 08:00",
        "2026-11-25 12:00",
        Job("scan", late.schedule, Misfire.SKIP, US_PER_S),
        late,
        during=jumps,
    )
    assert world.dues == ["Wed 11-25 09:45"]
    assert world.began == ["Wed 11-25 10:00"]
    assert world.store.records["scan"].last_result is JobResult.MISSED


def test_a_clock_that_is_set_back_over_a_restart_does_not_run_it_twice(world: World) -> None:
    world.live("2026-11-25 09:00", "2026-11-25 09:50")
    world.live("2026-11-25 08:50", "2026-11-25 12:00")
    assert world.began == ["Wed 11-25 09:45"]
    world.live("2026-11-27 09:00", "2026-11-27 12:00")
    assert world.began == ["Wed 11-25 09:45", "Fri 11-27 09:45"]


def test_a_clock_that_was_years_ahead_does_not_silence_a_job(world: World) -> None:
    world.live("2027-11-24 09:00", "2027-11-24 12:00")
    world.live("2026-11-25 09:00", "2026-11-25 12:00")
    assert world.began == ["Wed 11-24 09:45", "Wed 11-25 09:45"]


def test_a_schedule_that_was_changed_takes_effect_at_the_next_start(world: World, scan: Job) -> None:
    world.live("2026-11-25 08:00", "2026-11-25 09:00")
    later = replace(scan, schedule=AtLocalTime(time(10, 15)))
    world.live("2026-11-25 09:50", "2026-11-25 12:00", later)
    assert world.began == ["Wed 11-25 10:15"]


def test_chance_spreads_the_begin_but_not_the_time_it_is_for(world: World) -> None:
    world.draw = lambda: 0.5
    world.live(
        "2026-11-25 08:00",
        "2026-11-25 12:00",
        replace(ONCE, schedule=AtLocalTime(time(9, 45)), jitter_us=4 * MINUTE_US),
    )
    assert (world.began, world.dues) == (["Wed 11-25 09:47"], ["Wed 11-25 09:45"])


def test_half_days_and_week_ends_are_those_of_the_exchange(world: World) -> None:
    close = Job("close", FromClose(30 * MINUTE_US), Misfire.RUN_ONCE, US_PER_S)
    week = Job("week", WeekEnd(2 * HOUR_US), Misfire.RUN_ONCE, US_PER_S)
    world.live("2026-11-25 00:00", "2026-12-01 00:00", close, week)
    assert world.began == ["Wed 11-25 16:30", "Fri 11-27 13:30", "Fri 11-27 15:00", "Mon 11-30 16:30"]


def test_past_the_calendar_a_job_has_no_next_time(world: World) -> None:
    seen = []

    async def look(here: World) -> None:
        seen.append(here.jobs.status()[0])

    world.live("2028-01-05 09:00", "2028-01-05 12:00", during=look)
    assert (seen[0].next_us, world.began) == (None, [])


def test_what_is_kept_is_shown_without_an_engine(world: World) -> None:
    world.live("2026-11-25 08:00", "2026-11-25 12:00")
    (status,) = stored_status(world.store.load())
    assert (status.name, status.last_result, status.runs) == ("scan", JobResult.DONE, 1)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_processes_live_through_each_time_is_done_once(world: World, seed: int) -> None:
    """Lives that end in order or are killed in the middle of a run, gaps between them, runs that fail."""
    chance = random.Random(seed)

    async def sometimes(due: Due) -> str:
        await asyncio.sleep(chance.randrange(1, 3000))
        if chance.random() < 0.3:
            raise SourceUnavailable("no answer in 5 s")
        return "done"

    world.work, world.draw = sometimes, chance.random
    job, hour = replace(EACH, timeout_us=HOUR_US), 12
    while hour < 24 * 12:
        life = chance.randrange(1, 40)
        start, end = (datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=h) for h in (hour, hour + life))
        world.live(f"{start:%Y-%m-%d %H:%M}", f"{end:%Y-%m-%d %H:%M}", job)
        if chance.random() < 0.3:
            world.killed(job.name)
        hour += life + chance.randrange(0, 30)
    world.work = None
    world.live("2026-11-20 12:00", "2026-11-20 13:00", job)
    done = [event.due_us for event in world.events if isinstance(event, JobEnded) and event.words in DONE]
    days = [datetime.fromtimestamp(due / US_PER_S, UTC).date() for due in done]
    assert days == [date(2026, 11, 2) + timedelta(days=number) for number in range(19)]
