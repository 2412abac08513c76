"""Sessions that ended while the process was down: a position's days go on without us (SPEC 3.9)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import numpy as np

from engine.clock import US_PER_S
from engine.execution.bracket import Bracket
from engine.execution.evidence import SessionOver
from engine.execution.orders import Brackets
from engine.model.ids import InstrumentId
from engine.money import ZERO
from engine.ports import BarColumns, Sessions

DAY = timedelta(days=1)
BARS = 30
"""So many daily bars are looked through: a position is held for fewer sessions."""


def count_missed(
    brackets: Brackets,
    sessions: Sessions,
    bars: Callable[[InstrumentId, date, int], BarColumns | None],
    now_us: int,
) -> tuple[str, ...]:
    """Tell every bracket of the sessions that it was not told of; what could not be decided, in words.

    `bars`: the last daily bars of an instrument before a day. A session without a bar of the instrument is
    none of its sessions; one after its last bar is not known, and not counted. Raises StorageError.
    """
    unknown = []
    for bracket in brackets.open():
        days = missed(bracket, sessions, now_us)
        if not days:
            continue
        found = bars(bracket.instrument, days[-1] + DAY, BARS)
        for day in days:
            did = traded(found, day)
            if did:
                brackets.tell(bracket.ticket, SessionOver(day))
            elif did is None:
                text = f"{bracket.instrument}: whether it traded on {day} is not known yet"
                unknown.append(f"{text}: the session does not count for B-{bracket.number}")
    return tuple(unknown)


def missed(bracket: Bracket, sessions: Sessions, now_us: int) -> tuple[date, ...]:
    """Sessions that ended after a position was taken and before now, and that it has not counted."""
    if bracket.position <= ZERO or bracket.first_fill_us is None:
        return ()
    first = bracket.session if bracket.last_session is None else bracket.last_session + DAY
    today = datetime.fromtimestamp(now_us // US_PER_S, UTC).date()
    if first > today:
        return ()
    ended = (found for found in sessions.between(first, today) if found.close_us <= now_us)
    return tuple(found.day for found in ended if found.close_us > bracket.first_fill_us)


def traded(bars: BarColumns | None, day: date) -> bool | None:
    """Whether there is a bar of a day; None when the bars do not reach so far."""
    if bars is None or not len(bars) or bars.day[-1] < np.datetime64(day):
        return None
    return bool(np.any(bars.day == np.datetime64(day)))
