"""Measures the process that an engine runs in: how late its loop is, and what it uses. Decides nothing."""

import asyncio
import os
import time
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path

from engine.metrics import Timings
from storage.degraded import LastingJournal
from storage.journal import TAIL_ROWS
from storage.journal_schema import JOURNAL
from storage.reserve import free_bytes
from tui.showing.gauges import Gauges

PERIOD_S = 0.25
"""How often the loop is asked to wake a task."""
_STATM = Path("/proc/self/statm")
_US_PER_S = 1_000_000


class Pulse:
    """Of one run. `gauges` is what faces ask; `watch` is kept running beside the engine."""

    def __init__(
        self, journal: LastingJournal, folder: Path, monotonic: Callable[[], float] = time.perf_counter
    ) -> None:
        self._monotonic = monotonic
        self._began = monotonic()
        self._lag = Timings(monotonic)
        self.gauges = Gauges(
            loop_lag=self._lag,
            writes=journal.writes,
            trouble=lambda: journal.trouble,
            log_head=lambda: (journal.head()[0], journal.latest_us()),
            checked=TAIL_ROWS,
            disk_free=lambda: _free(folder),
            memory=memory_bytes,
            up_us=self._up_us,
            pid=os.getpid(),
            version=_version(),
            schema=JOURNAL.version,
        )

    async def watch(self) -> None:
        """Measure for ever how much later than asked the loop wakes this task."""
        while True:
            due = self._monotonic() + PERIOD_S
            await asyncio.sleep(PERIOD_S)
            self._lag.add(self._monotonic() - due)

    def _up_us(self) -> int:
        return round((self._monotonic() - self._began) * _US_PER_S)


def memory_bytes() -> int | None:
    """Bytes of this process in memory; None where the system does not tell."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _free(folder: Path) -> int | None:
    try:
        return free_bytes(folder)
    except OSError:
        return None


@cache
def _version() -> str:
    return version("tradedeck")
