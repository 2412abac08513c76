"""Keeps tasks running for ever: one that fails is named, told, and started again after a pause."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from engine.clock import US_PER_S, Clock
from engine.errors import BrokerError, DeckError

RESTART_PAUSE_US = (US_PER_S, 2 * US_PER_S, 5 * US_PER_S, 15 * US_PER_S, 60 * US_PER_S)
"""After the first failure, the second in a row, and so on; the last for all that follow."""


class Supervisor:
    """`degrade` is told when the venue failed a task, `halt` when a rule or a disk of ours did."""

    def __init__(self, clock: Clock, degrade: Callable[[str], None], halt: Callable[[str], None]) -> None:
        self._clock = clock
        self._degrade = degrade
        self._halt = halt
        self._tasks: set[asyncio.Task[None]] = set()

    def keep(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work` from the loop's next turn on, again and again until it returns or `end` is called."""
        task = asyncio.get_running_loop().create_task(self._keep(name, work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Cancel all tasks and wait until they are gone."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        failures = 0
        while True:
            began_us = self._clock.now_us()
            try:
                await work()
                return
            except BrokerError as error:
                self._degrade(f"{name}: {error}")
            except Exception as error:  # noqa: BLE001 - the supervisor is the edge where our own bugs stop trading
                why = str(error) if isinstance(error, DeckError) else f"{type(error).__name__}: {error}"
                self._halt(f"{name} failed: {why}")
            if self._clock.now_us() - began_us > RESTART_PAUSE_US[-1]:
                failures = 0  # it ran well in between: months later a first failure is a first one again
            pause = RESTART_PAUSE_US[min(failures, len(RESTART_PAUSE_US) - 1)]
            failures += 1
            await self._clock.sleep_until(self._clock.now_us() + pause)
