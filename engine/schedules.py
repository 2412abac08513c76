"""When jobs are due, in the terms of an exchange: its sessions, its early closes, its clock.

A schedule is a pure function of the calendar. `after` gives the first due time later than `ts`, `newest` the
last one that is not; None past the calendar's horizon.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

from engine.clock import US_PER_S
from engine.model.jobs import Due
from engine.model.market import Session
from engine.ports import Sessions

NEW_YORK = ZoneInfo("America/New_York")
MINUTE_US = 60 * US_PER_S
_REACH = timedelta(days=15)
"""No exchange was ever closed for longer; a due time lies at most a day from its session."""
_DAY = timedelta(days=1)


class Schedule(Protocol):
    """`words` is what a person reads."""

    @property
    def words(self) -> str: ...
    def after(self, ts: int, sessions: Sessions) -> Due | None: ...
    def newest(self, ts: int, sessions: Sessions) -> Due | None: ...


class _OfSessions:
    """One due time for each of some sessions, in their order."""

    def _due(self, session: Session) -> int:
        raise NotImplementedError

    def _chosen(self, sessions: Sequence[Session]) -> Sequence[Session]:
        return sessions

    def after(self, ts: int, sessions: Sessions) -> Due | None:
        """The first due time later than `ts`."""
        return next((due for due in self._around(ts, sessions) if due.ts > ts), None)

    def newest(self, ts: int, sessions: Sessions) -> Due | None:
        """The last due time that is not later than `ts`."""
        return next((due for due in reversed(self._around(ts, sessions)) if due.ts <= ts), None)

    def _around(self, ts: int, sessions: Sessions) -> list[Due]:
        day = day_of(ts)
        near = sessions.between(day - _REACH, day + _REACH)
        return [Due(self._due(session), session.day) for session in self._chosen(near)]


@dataclass(frozen=True, slots=True)
class FromOpen(_OfSessions):
    """`offset_us` after each session's open; negative: before it."""

    offset_us: int

    @property
    def words(self) -> str:
        """`30 min before each open`."""
        return f"{_offset(self.offset_us)} each open"

    def _due(self, session: Session) -> int:
        return session.open_us + self.offset_us


@dataclass(frozen=True, slots=True)
class FromClose(_OfSessions):
    """`offset_us` after each session's close, which comes early on some days; negative: before it."""

    offset_us: int

    @property
    def words(self) -> str:
        """`30 min after each close`."""
        return f"{_offset(self.offset_us)} each close"

    def _due(self, session: Session) -> int:
        return session.close_us + self.offset_us


@dataclass(frozen=True, slots=True)
class AtLocalTime(_OfSessions):
    """A time of the exchange's own clock on each session's day."""

    at: time
    zone: ZoneInfo = NEW_YORK

    @property
    def words(self) -> str:
        """`09:45 New York time of each session`."""
        return f"{self.at:%H:%M} {self.zone.key.rpartition('/')[2].replace('_', ' ')} time of each session"

    def _due(self, session: Session) -> int:
        return us_of(datetime.combine(session.day, self.at, self.zone))


@dataclass(frozen=True, slots=True)
class WeekEnd(_OfSessions):
    """`offset_us` after the close of each week's last session: Friday, or the day before a holiday."""

    offset_us: int

    @property
    def words(self) -> str:
        """`2 h after the week's last close`."""
        return f"{_offset(self.offset_us)} the week's last close"

    def _due(self, session: Session) -> int:
        return session.close_us + self.offset_us

    def _chosen(self, sessions: Sequence[Session]) -> Sequence[Session]:
        # The last of the sequence is cut off by how far was looked, and only a week's end by chance.
        pairs = pairwise(sessions)
        return [before for before, after in pairs if _week(before.day) != _week(after.day)]


@dataclass(frozen=True, slots=True)
class Daily:
    """A time of day UTC, on every day of the year."""

    at: time

    @property
    def words(self) -> str:
        """`06:30 UTC each day`."""
        return f"{self.at:%H:%M} UTC each day"

    def after(self, ts: int, sessions: Sessions) -> Due | None:
        """The first due time later than `ts`."""
        return next(Due(due, None) for due in self._around(ts) if due > ts)

    def newest(self, ts: int, sessions: Sessions) -> Due | None:
        """The last due time that is not later than `ts`."""
        return next(Due(due, None) for due in reversed(list(self._around(ts))) if due <= ts)

    def _around(self, ts: int) -> Iterator[int]:
        day = day_of(ts)
        for each in (day - _DAY, day, day + _DAY):
            yield us_of(datetime.combine(each, self.at, UTC))


def day_of(ts: int) -> date:
    """The day UTC of int microseconds."""
    return datetime.fromtimestamp(ts // US_PER_S, UTC).date()


def us_of(moment: datetime) -> int:
    """Int microseconds UTC of a moment with a zone."""
    return int(moment.timestamp()) * US_PER_S + moment.microsecond


def _week(day: date) -> tuple[int, int]:
    year, week, _ = day.isocalendar()
    return year, week


def _offset(offset_us: int) -> str:
    minutes = abs(offset_us) // MINUTE_US
    length = f"{minutes // 60} h" if minutes and minutes % 60 == 0 else f"{minutes} min"
    return "at" if minutes == 0 else f"{length} {'before' if offset_us < 0 else 'after'}"
