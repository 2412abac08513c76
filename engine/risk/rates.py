"""How fast entries and orders may follow each other (SPEC 4.9, RELIABILITY 8)."""

from collections import deque
from collections.abc import Sequence

from engine.clock import US_PER_S

MINUTE_US = 60 * US_PER_S
ENTRIES_PER_MINUTE = 5
ENTRIES_PER_DAY = 30
DUPLICATE_US = 10 * MINUTE_US
"""How long the same symbol, side and strategy is a duplicate (RELIABILITY 8)."""


class Window:
    """Times of one kind of thing within the last minute, oldest first; older ones are forgotten."""

    def __init__(self) -> None:
        self._times: deque[int] = deque()

    def add(self, ts: int, count: int = 1) -> None:
        """`count` of them happened at `ts`, int microseconds UTC, never before the last one."""
        self._times.extend([ts] * count)

    def count(self, now_us: int) -> int:
        """How many happened in the 60 s up to `now_us`."""
        while self._times and self._times[0] <= now_us - MINUTE_US:
            self._times.popleft()
        return len(self._times)


def rate_problems(entries_minute: int, entries_day: int) -> Sequence[str]:
    """What one more entry now would break, in words with number and limit."""
    counts = (
        ("in the last minute", entries_minute, ENTRIES_PER_MINUTE),
        ("today", entries_day, ENTRIES_PER_DAY),
    )
    return [f"{count} entries {when}, limit {limit}" for when, count, limit in counts if count >= limit]
