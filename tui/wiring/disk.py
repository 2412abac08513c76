"""Looks after the journal's disk: what is kept in memory is written as soon as it can be, room is measured.

A trouble halts the account and reaches a person. The halt stays until that person resumes: nobody trades on
because a disk that was full has a little room again.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from engine.core import Engine
from engine.model.commands import ENGINE
from engine.model.events import Alarm
from engine.model.ids import CorrelationId
from engine.model.positions import AccountKind
from storage.degraded import LastingJournal
from storage.reserve import free_bytes
from storage.space import DiskGuard

PERIOD_S = 5.0
"""How often the disk is looked at."""
KIND = "disk"
"""The alarm's stable word."""


class DiskWatch:
    """Joins one account's journal and disk to its engine. Used inside the engine's loop."""

    def __init__(
        self,
        engine: Engine,
        journal: LastingJournal,
        folder: Path,
        kind: AccountKind,
        free: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._engine = engine
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        # A simulation holds no money: a person is told, and it goes on.
        stop = self._warn if kind is AccountKind.SIMULATION else self._halt
        self._guard = DiskGuard(folder, self._warn, stop, free)
        journal.watch(self._told)

    def look(self) -> None:
        """Mend the journal where that is possible, and measure the disk."""
        self._journal.mend()
        self._guard.look()

    async def watch(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await asyncio.sleep(PERIOD_S)

    def _told(self, trouble: str) -> None:
        # It is told in the middle of a commit: a halt there would plan on a state that is not yet kept.
        if trouble:
            self._loop.call_soon(self._halt, f"the journal's disk: {trouble}")
        else:
            self._loop.call_soon(self._warn, "the journal is whole again, nothing is only in memory")

    def _halt(self, why: str) -> None:
        self._engine.halt(ENGINE, why)

    def _warn(self, text: str) -> None:
        parts = self._engine.parts
        parts.publish(Alarm(text, False, CorrelationId(""), parts.clock.now_us(), KIND))
