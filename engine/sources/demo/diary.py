"""Which day of the simulation is which session, and the daily bars of all days that were made."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Protocol

from engine.errors import UsageError
from engine.model.ids import InstrumentId
from engine.model.market import Session
from engine.sources.demo.days import HISTORY, Days, StockDay
from engine.sources.demo.intraday import BLOCK_S
from engine.sources.demo.universe import NAMES

US_PER_S = 1_000_000
_ONE_DAY = timedelta(days=1)
_REACH = timedelta(days=500)
"""Holds more than 320 sessions, and any pause of an exchange."""
_KEPT = 4

Row = tuple[int, int, int, int, int]
"""Open, high, low, close in units of 0.0001 USD, volume in shares."""


class Calendar(Protocol):
    """What the simulation needs of `engine.ports.Sessions`, which a bare Python cannot import."""

    def between(self, first: date, last: date) -> Sequence[Session]: ...
    def next_after(self, ts: int) -> Session | None: ...


def blocks_of(session: Session) -> int:
    """Whole quarters of an hour of a session: 26, or 14 before a holiday."""
    return (session.close_us - session.open_us) // (BLOCK_S * US_PER_S)


class Diary:
    """Days are made in order and kept for a while; an older one is made again from the beginning."""

    def __init__(self, seed: int, sessions: Calendar, first: date) -> None:
        """`first`: the session that is shown first; a day without one means the next.

        Raises UsageError when the calendar knows none.
        """
        following = sessions.between(first, first + _REACH)
        if not following:
            raise UsageError(f"the exchange calendar has no session from {first} on", "name an earlier day")
        self._seed, self._calendar = seed, sessions
        before = list(sessions.between(first - _REACH, first - _ONE_DAY)[-HISTORY:])
        self._skipped = HISTORY - len(before)
        """Days of the simulation from before the calendar."""
        self._sessions = [*before, following[0]]
        self._days = Days(seed)
        self._made: dict[int, Mapping[InstrumentId, StockDay]] = {}
        self._dates: list[date] = []
        self._rows: dict[InstrumentId, list[Row]] = {name: [] for name in NAMES}

    def session(self, number: int) -> Session | None:
        """The session of a day of the simulation; None where the calendar ends."""
        place = number - self._skipped
        while place >= len(self._sessions):
            following = self._calendar.next_after(self._sessions[-1].close_us)
            if following is None:
                return None
            self._sessions.append(following)
        return self._sessions[place]

    def first_after(self, ts: int) -> int:
        """The number of the first shown day that is not over at `ts`."""
        number = HISTORY
        while (session := self.session(number)) is not None and session.close_us <= ts:
            number += 1
        return number

    def day(self, number: int) -> Mapping[InstrumentId, StockDay]:
        """All instruments of a day that has a session."""
        if number not in self._made and number < self._days.number:
            self._days = Days(self._seed)
        while number not in self._made:
            self._make()
        return self._made[number]

    def before(self, day: date) -> tuple[Sequence[date], Mapping[InstrumentId, Sequence[Row]]]:
        """The sessions before `day` and the daily bars of each instrument in them, oldest first."""
        while (session := self.session(max(len(self._dates) + self._skipped, self._skipped))) is not None:
            if session.day >= day:
                break
            self.day(len(self._dates) + self._skipped)
        known = bisect_left(self._dates, day)
        return self._dates[:known], {name: rows[:known] for name, rows in self._rows.items()}

    def _make(self) -> None:
        number = self._days.number
        session = self.session(number) if number >= self._skipped else None
        made = self._days.next() if session is None else self._days.next(blocks_of(session))
        self._made[number] = made
        if len(self._made) > _KEPT:
            del self._made[next(iter(self._made))]
        if session is not None and number == self._skipped + len(self._dates):
            self._dates.append(session.day)
            for name, one in made.items():
                path = one.nodes
                self._rows[name].append((path[0], max(path), min(path), path[-1], one.volume))
