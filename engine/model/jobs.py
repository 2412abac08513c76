"""What a scheduled job is known by, and what is remembered of it over a restart."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class JobResult(StrEnum):
    """How a run ended."""

    DONE = "done"
    FAILED = "failed"
    TIMEOUT = "timeout"
    """It took longer than it may, and was cancelled."""
    INTERRUPTED = "interrupted"
    """The process ended during it."""
    MISSED = "missed"
    """Its time passed while nothing could run, and it is of no use later."""


@dataclass(frozen=True, slots=True)
class Due:
    """One time that a job is for: int microseconds UTC, and the session it belongs to; None: no session's."""

    ts: int
    session: date | None


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What outlives the process; times are int microseconds UTC, None where there was none yet.

    `next_us`: the due time that is run next, also while it is tried again. `last_us`: when the last run
    began. `failures`: in a row. `running_us`: since when a run is under way.
    """

    name: str
    next_us: int | None = None
    last_us: int | None = None
    last_result: JobResult | None = None
    last_error: str = ""
    """Why it was not done; "" after a run that was done."""
    runs: int = 0
    failures: int = 0
    running_us: int | None = None


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job as it is shown. `next_us`: when it is begun next, a pause after a failure included."""

    name: str
    schedule: str
    """In words: `09:45 New York time of each session`."""
    next_us: int | None
    last_us: int | None
    last_result: JobResult | None
    last_words: str
    """What the last run said of itself, or why it was not done."""
    runs: int
    failures: int
    running_us: int | None
