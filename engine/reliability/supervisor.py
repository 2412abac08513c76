"""Keeps tasks running for ever: one that fails is named, told, and started again after a pause."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from engine.clock import US_PER_S, Clock
from engine.errors import BrokerError, DeckError

LONGEST_PAUSE_US = 60 * US_PER_S
SHORTEST_PAUSE_US = US_PER_S // 10
"""Jitter may not make a storm."""
LAST_DOUBLING = 6
"""2^6 s lies beyond the longest pause."""


def pause_us(failures: int, jitter: Callable[[], float]) -> int:
    """How long to wait after so many failures in a row, from 1 on: 1, 2, 4 s and so on up to 60, by `jitter`.

    `jitter` draws a fraction from 0 to 1 each time, so that many do not come back at once (full jitter).
    """
    ceiling = min(US_PER_S << min(failures - 1, LAST_DOUBLING), LONGEST_PAUSE_US)
    return max(round(ceiling * jitter()), SHORTEST_PAUSE_US)


def no_jitter() -> float:
    """Every pause in full."""
    return 1.0


class Supervisor:
    """`degrade` is told when the venue failed a task, `halt` when a rule or a disk of ours did."""

    def __init__(
        self,
        clock: Clock,
        degrade: Callable[[str], None],
        halt: Callable[[str], None],
        jitter: Callable[[], float] = no_jitter,
    ) -> None:
        self._clock = clock
        self._degrade = degrade
        self._halt = halt
        self._jitter = jitter
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
            if self._clock.now_us() - began_us > LONGEST_PAUSE_US:
                failures = 0  # it ran well in between: months later a first failure is a first one again
            failures += 1
            await self._clock.sleep_until(self._clock.now_us() + pause_us(failures, self._jitter))
