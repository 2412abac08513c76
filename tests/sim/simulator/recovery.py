"""How long a restart takes until new entries may be sent (RELIABILITY 1, R11): never seen by the engine."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field

from engine.execution.watch import Watch


@dataclass(slots=True)
class Restart:
    """One recovery of an account: a process that starts after another, and again where the start fails."""

    began_us: int
    up_us: int
    """Time with the process up and the venue reachable, when it began."""
    took_us: int | None = None
    """Until two looks in a row found nothing to doubt and every share had its stop; None: never."""
    took_up_us: int = 0
    """The same in time with the process up and the venue reachable; as long as it lived when never."""


@dataclass(slots=True)
class Recovery:
    """Of one account over all lives of its engine."""

    now_us: Callable[[], int]
    restarts: list[Restart] = field(default_factory=list)
    _up_us: int = 0
    _since: int | None = None
    _goes_on: bool = False

    def counting(self, is_on: bool) -> None:
        """Whether the process is up and the venue reachable, from now on."""
        self._up_us = self._reachable_us()
        self._since = self.now_us() if is_on else None

    def begins(self, watch: Watch) -> None:
        """A process starts again."""
        if not self._goes_on:
            self.ends()
            self.restarts.append(Restart(self.now_us(), self._reachable_us()))
        self._goes_on = False
        # In a context of its own: it belongs to no life, and so it changes the order of nothing.
        asyncio.get_running_loop().create_task(self._follow(self.restarts[-1], watch), context=Context())

    def failed(self) -> None:
        """It did not start: the next start is the same recovery."""
        self._goes_on = bool(self.restarts) and self.restarts[-1].took_us is None

    def ends(self) -> None:
        """The last process ends, ready or not."""
        if self.restarts and self.restarts[-1].took_us is None:
            self.restarts[-1].took_up_us = self._reachable_us() - self.restarts[-1].up_us

    async def _follow(self, restart: Restart, watch: Watch) -> None:
        await watch.ready()
        if restart.took_us is None and restart is self.restarts[-1]:
            restart.took_us = self.now_us() - restart.began_us
            restart.took_up_us = self._reachable_us() - restart.up_us

    def _reachable_us(self) -> int:
        return self._up_us + (0 if self._since is None else self.now_us() - self._since)
