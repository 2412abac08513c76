"""The account's value over time: what its curve is drawn from, kept over restarts and thinned by age.

Written with each mark of the risk book, in the commit that it makes anyway: one row, one more every five
minutes and one more a day. Slots of the minutes of a day and of the five minutes of 30 days are used again,
so a journal holds at most 1,440 + 8,640 rows and one more for each day it was traded on: 366 a year.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from engine.clock import US_PER_S
from engine.errors import StorageError
from engine.money import ZERO
from engine.ports import Journal, JournalRow
from engine.risk.daily import day_of
from engine.risk.drawdown import Drawdown

TABLE = "equity"
MINUTE_US = 60 * US_PER_S
FIVE_US = 5 * MINUTE_US
DAY_US = 24 * 60 * MINUTE_US
MINUTES = DAY_US // MINUTE_US
FIVES = 30 * DAY_US // FIVE_US


class Tier(StrEnum):
    """How closely the value is known at a point: every minute of the last day, then less."""

    START = "start"
    """The first value of the account that is known."""
    DAY = "day"
    """The last one of each day of the account."""
    FIVE = "five"
    """The last one of each five minutes, for 30 days."""
    MINUTE = "minute"


@dataclass(frozen=True, slots=True)
class Point:
    """What the account was worth. `paid_in`: what was put in by then less what was taken out."""

    ts: int
    equity: Decimal
    paid_in: Decimal


class EquityRecord:
    """Written by the risk book alone; faces read `points`, `days` and the extremes."""

    def __init__(self, journal: Journal, day_roll: tzinfo) -> None:
        self._journal = journal
        self._day_roll = day_roll
        self._start: Point | None = None
        self._days: list[Point] = []
        self._fives: deque[Point] = deque()
        self._minutes: deque[Point] = deque()
        self._last: Point | None = None
        self._is_begun = False
        """Whether the start is written down."""
        self._high: Decimal | None = None
        self.high_us: int | None = None
        """When the high-water mark was reached; None where that lies before the record."""
        self.worst = ZERO
        """The deepest fall from the high-water mark ever marked, a fraction."""
        self.worst_us: int | None = None

    @property
    def started_us(self) -> int | None:
        """Time of the first point; None before there is one."""
        return None if self._start is None else self._start.ts

    def restore(self, before: Point, high: Decimal) -> None:
        """Take over what the journal holds. `before`: the last mark, where the record begins if it is empty.

        `high`: the high-water mark. Raises StorageError for a row that makes no sense.
        """
        self._high = high
        try:
            found = {tier: _points(self._journal.rows(TABLE, tier=tier)) for tier in Tier}
            self.worst = Decimal(self._journal.meta("equity_worst") or 0)
            self.worst_us = _whole(self._journal.meta("equity_worst_us"))
            self.high_us = _whole(self._journal.meta("equity_high_us"))
        except (ValueError, InvalidOperation) as error:
            raise StorageError(
                f"the stored account values make no sense: {error}", "restore the journal from a backup"
            ) from error
        self._is_begun = bool(found[Tier.START])
        self._start = found[Tier.START][0] if self._is_begun else before
        self._days = found[Tier.DAY]
        self._fives, self._minutes = deque(found[Tier.FIVE]), deque(found[Tier.MINUTE])
        self._last = max([self._start, *self._minutes], key=lambda point: point.ts)
        self._forget(self._last.ts)

    def note(self, point: Point, fall: Drawdown) -> list[JournalRow]:
        """One more point, later than the last: the rows that keep it, for the commit of the same mark."""
        rows = [_row(Tier.MINUTE, point.ts // MINUTE_US % MINUTES, point), *self._turned(point)]
        if not self._is_begun:
            self._start, self._is_begun = self._start or point, True
            rows.append(_row(Tier.START, 0, self._start))
        rows += self._extremes(point, fall)
        self._minutes.append(point)
        self._last = point
        self._forget(point.ts)
        return rows

    def points(self) -> tuple[Point, ...]:
        """All that is known, oldest first."""
        tiers: tuple[Iterable[Point], ...] = (self._days, self._fives, self._minutes)
        known = {point.ts: point for tier in tiers for point in tier}
        if self._start is not None:
            known.setdefault(self._start.ts, self._start)
        return tuple(known[ts] for ts in sorted(known))

    def days(self) -> tuple[Point, ...]:
        """The start, then the last point of each day of the account that is over."""
        if self._start is None:
            return ()
        return (self._start, *(point for point in self._days if point.ts > self._start.ts))

    @property
    def finished_days(self) -> int:
        """How many days are over: what follows from whole days changes only when this does."""
        return len(self._days)

    def _turned(self, point: Point) -> list[JournalRow]:
        """The last point stays the last of its five minutes and of its day, when those are over."""
        last = self._last
        rows: list[JournalRow] = []
        if last is None:
            return rows
        if point.ts // FIVE_US != last.ts // FIVE_US:
            rows.append(_row(Tier.FIVE, last.ts // FIVE_US % FIVES, last))
            self._fives.append(last)
        day = self._day(last)
        if day != self._day(point):
            rows.append(_row(Tier.DAY, day.toordinal(), last))
            self._days.append(last)
        return rows

    def _day(self, point: Point) -> date:
        return day_of(point.ts, self._day_roll)

    def _extremes(self, point: Point, fall: Drawdown) -> list[JournalRow]:
        """When the high was reached, and the worst fall: written when they change."""
        changed: dict[str, str] = {}
        paid = ZERO if self._last is None else point.paid_in - self._last.paid_in
        stood = None if self._high is None else self._high + paid
        is_at_high = point.equity == fall.high_water
        # A high that sank without a withdrawal was lifted by a person's release.
        is_reset = stood is not None and fall.high_water < stood
        if is_reset or (is_at_high and (self.high_us is None or fall.high_water != stood)):
            self.high_us = point.ts
            changed["equity_high_us"] = str(point.ts)
        self._high = fall.high_water
        if fall.ratio > self.worst:
            self.worst, self.worst_us = fall.ratio, point.ts
            changed |= {"equity_worst": format(fall.ratio, "f"), "equity_worst_us": str(point.ts)}
        return [JournalRow("meta", {"k": key, "v": value}) for key, value in changed.items()]

    def _forget(self, now: int) -> None:
        """Points whose slots are used again."""
        for kept, span in ((self._minutes, DAY_US), (self._fives, 30 * DAY_US)):
            while kept and kept[0].ts <= now - span:
                kept.popleft()


def _row(tier: Tier, slot: int, point: Point) -> JournalRow:
    return JournalRow(
        TABLE,
        {
            "tier": tier.value,
            "slot": slot,
            "ts_us": point.ts,
            "equity": format(point.equity, "f"),
            "paid_in": format(point.paid_in, "f"),
        },
    )


def _points(rows: Sequence[Mapping[str, str | int | None]]) -> list[Point]:
    """Oldest first."""
    points = [_point(row) for row in rows]
    return sorted(points, key=lambda point: point.ts)


def _point(row: Mapping[str, str | int | None]) -> Point:
    ts, equity, paid_in = row["ts_us"], Decimal(str(row["equity"])), Decimal(str(row["paid_in"]))
    if not isinstance(ts, int) or not equity.is_finite() or not paid_in.is_finite():
        raise ValueError(f"{equity} of {paid_in} at {ts}")
    return Point(ts, equity, paid_in)


def _whole(text: str | None) -> int | None:
    return None if text is None else int(text)
