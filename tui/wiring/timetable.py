"""The engine's jobs: what is done when, in one table. What each does is supplied by whoever joins parts."""

from dataclasses import dataclass
from datetime import time

from engine.jobs import Job, Misfire, Work
from engine.schedules import MINUTE_US, AtLocalTime, Daily, FromClose, FromOpen, WeekEnd

HOUR_US = 60 * MINUTE_US
PRE_OPEN, OPENING, TIME_EXIT = "pre-open scan", "opening scan", "time exit"
INDEX_UPDATE, WEEKLY_REPORT, RETENTION = "VIX and SPY", "weekly report", "retention"


@dataclass(frozen=True, slots=True)
class JobWork:
    """What is done for each job; None: there is nothing that could do it in this run."""

    pre_open_scan: Work
    opening_scan: Work
    time_exit: Work
    index_update: Work
    weekly_report: Work | None = None
    retention: Work | None = None


def timetable(decision: time, work: JobWork) -> tuple[tuple[Job, Work], ...]:
    """Every job with what it does. `decision`: `gaps.decision_time_et`, by the clock of New York."""
    rows: tuple[tuple[Job, Work | None], ...] = (
        # Whatever the night brought; a process that comes before the open still does it.
        (
            Job(PRE_OPEN, FromOpen(-30 * MINUTE_US), Misfire.SKIP, 20 * MINUTE_US, late_us=29 * MINUTE_US),
            work.pre_open_scan,
        ),
        # Five minutes later the prices are others than those the rule was made for.
        (
            Job(OPENING, AtLocalTime(decision), Misfire.SKIP, 3 * MINUTE_US, late_us=5 * MINUTE_US),
            work.opening_scan,
        ),
        # The brackets leave by themselves; this looks that they did, while the closing auction takes orders.
        (
            Job(
                TIME_EXIT,
                FromClose(-15 * MINUTE_US),
                Misfire.SKIP,
                MINUTE_US,
                late_us=14 * MINUTE_US,
                is_protective=True,
            ),
            work.time_exit,
        ),
        # A free account is told of the whole market when a bar is sixteen minutes old.
        (
            Job(
                INDEX_UPDATE, FromClose(30 * MINUTE_US), Misfire.RUN_ONCE, 30 * MINUTE_US, jitter_us=MINUTE_US
            ),
            work.index_update,
        ),
        (Job(WEEKLY_REPORT, WeekEnd(2 * HOUR_US), Misfire.RUN_ONCE, 5 * MINUTE_US), work.weekly_report),
        (Job(RETENTION, Daily(time(6, 30)), Misfire.RUN_ONCE, HOUR_US), work.retention),
    )
    return tuple((job, done) for job, done in rows if done is not None)


def time_of(text: str) -> time:
    """`09:45` of the config, checked there."""
    return time.fromisoformat(text)
