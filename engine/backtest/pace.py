"""How fast a market of our own is shown: what passes of its time for how much of a person's."""

import asyncio
from dataclasses import dataclass

from engine.clock import US_PER_S
from engine.ports import Sessions

TICK_S = 0.1
"""How often a paced market moves at least, seconds of wall time."""
LATE_S = 0.25
"""Wall time that is made up for at most: a market that came late does not race to catch up."""
EVE_US = 60 * US_PER_S
"""The last minute before an open, which may be shown."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Speeds are market seconds a second; None: as fast as it goes, and no slower for anybody."""

    speed: float | None
    """Inside a session. Nights are skipped."""
    wait_for_tickets: bool = False
    """The market stands still at each decision until no ticket waits (SPEC 11.5)."""
    slow: float | None = None
    """While a ticket waits for a person, in a market that never stands still; None: never slower."""
    eve_s: float = 0.0
    """Wall seconds that the last minute before an open takes."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A speed and up to when it holds, int microseconds; None: until something happens."""

    speed: float | None
    until_us: int | None = None


def stretch_at(pace: Pace, sessions: Sessions, now_us: int, in_session: bool, is_slow: bool) -> Stretch:
    """The speed of this instant."""
    if pace.speed is None:
        return Stretch(None)
    if in_session:
        return Stretch(min(pace.slow, pace.speed) if is_slow and pace.slow is not None else pace.speed)
    following = sessions.next_after(now_us) if pace.eve_s else None
    if following is None or now_us >= following.open_us:
        return Stretch(None)
    eve_us = following.open_us - EVE_US
    if now_us < eve_us:
        return Stretch(None, eve_us)
    return Stretch(EVE_US / US_PER_S / pace.eve_s, following.open_us)


class Meter:
    """Wall time that went by and was not spent yet; needs a running loop."""

    def __init__(self) -> None:
        self._left_s = 0.0
        self._read_s: float | None = None

    async def take_us(self, speed: float, most_us: int) -> int:
        """Market time that may pass now at a speed, 1..most_us; waits until that is all of it, or a tick."""
        self._read()
        # However little has gone by is not worth a move: a market that took it would never let the loop rest.
        missing_s = min(most_us / speed / US_PER_S, TICK_S) - self._left_s
        if missing_s > 0:
            await asyncio.sleep(missing_s)
            self._read()
        allowed_us = max(1, min(most_us, round(self._left_s * speed * US_PER_S)))
        self._left_s -= allowed_us / speed / US_PER_S
        return allowed_us

    def _read(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if self._read_s is not None:
            self._left_s = min(self._left_s + now_s - self._read_s, LATE_S)
        self._read_s = now_s

    def reset(self) -> None:
        """What went by unmetered counts for nothing."""
        self._left_s, self._read_s = 0.0, None
