"""How long a restart takes until new entries may be sent (RELIABILITY 1, R11): never seen by the engine."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field

from engine.execution.watch import Watch


@dataclass(slots=True)
class Restart:
    """One start of an engine that was not the first of its account."""

    began_us: int
    up_us: int
    """Time with the engine up and the venue reachable, when it began."""
    ready_us: int | None = None
    """From the start of the process until two looks in a row found nothing to doubt; None: it never came."""
    ready_up_us: int | None = None
    """The same, counting only while the venue could be reached."""


@dataclass(slots=True)
class Recovery:
    """Of one account over all lives of its engine."""

    now_us: Callable[[], int]
    restarts: list[Restart] = field(default_factory=list)
    _up_us: int = 0
    _since: int | None = None

    def counting(self, is_on: bool) -> None:
        """Whether the engine is up and the venue reachable, from now on."""
        self._up_us = self._reachable_us()
        self._since = self.now_us() if is_on else None

    def begins(self, watch: Watch) -> None:
        """A process starts again."""
        restart = Restart(self.now_us(), self._reachable_us())
        self.restarts.append(restart)
        # In a context of its own: it belongs to no life, and so it changes the order of nothing.
        asyncio.get_running_loop().create_task(self._follow(restart, watch), context=Context())

    async def _follow(self, restart: Restart, watch: Watch) -> None:
        await watch.ready()
        restart.ready_us = self.now_us() - restart.began_us
        restart.ready_up_us = self._reachable_us() - restart.up_us

    def _reachable_us(self) -> int:
        return self._up_us + (0 if self._since is None else self.now_us() - self._since)
