"""Virtual time: an event loop whose clock jumps to the next timer instead of waiting for it.

A trading day then costs as much wall time as its callbacks do, and the same program gives the same trace.
Three things differ from a real loop: `time()` moves only when nothing is ready; work given to an executor
runs inline, so no thread can finish at a random moment; and when nothing can ever become ready the loop
raises Deadlock and names who waits.

Descriptors work as usual, as long as the other end answers without waiting for wall time: both ends on this
loop, or a pipe that is already written. For a peer in another process give `io_wait_s`, otherwise time
jumps over its answer.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

from engine.errors import InvariantBroken

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_NAMED = 20
"""How many waiting tasks a Deadlock lists."""
_LAST_WAIT_S = 0.1
"""Wall seconds that open descriptors get before a loop without timers is called deadlocked."""
_LATEST_S = 2.0**32
"""Below it a float64 of seconds still resolves half a microsecond."""


class Deadlock(InvariantBroken):
    """Tasks wait for something that nobody is left to do."""


class _JumpingSelector(selectors.DefaultSelector):
    """Polls descriptors without blocking; where a real selector would sleep, it moves `now` instead."""

    def __init__(self, start: float, io_wait_s: float) -> None:
        super().__init__()
        self.now = start
        self._io_wait_s = io_wait_s

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and (timeout is None or timeout > 0):
            patience_s = self._patience_s(timeout)
            ready = super().select(patience_s) if patience_s else []
            if not ready:
                self.now += self._jump(timeout)
        return sorted(ready, key=lambda item: item[0].fd)

    def _patience_s(self, timeout: float | None) -> float:
        """Wall seconds to wait for descriptors; the loop's own wake-up pipe is always registered."""
        patience_s = self._io_wait_s if timeout is not None else max(self._io_wait_s, _LAST_WAIT_S)
        return patience_s if patience_s and len(self.get_map()) > 1 else 0.0

    def _jump(self, timeout: float | None) -> float:
        if timeout is None:
            raise _deadlock()
        return timeout


def _deadlock() -> Deadlock:
    tasks = sorted(asyncio.all_tasks(), key=lambda task: task.get_name())
    named = ", ".join(_where(task) for task in tasks[:_NAMED])
    more = f" and {len(tasks) - _NAMED} more" if len(tasks) > _NAMED else ""
    return Deadlock(
        f"nothing can happen any more: no timer, no ready descriptor, {len(tasks)} tasks wait: {named}{more}",
        "Look for an event that is never set or a queue that is never filled",
    )


def _where(task: asyncio.Task[Any]) -> str:
    """`Task-3 (feed at sources.py:41)`."""
    frames = task.get_stack(limit=1)
    if not frames:
        return task.get_name()
    code = frames[0].f_code
    file = code.co_filename.rpartition("/")[2]
    return f"{task.get_name()} ({code.co_name} at {file}:{frames[0].f_lineno})"


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` starts at `start` seconds and moves only by jumps to the next timer."""

    def __init__(self, start: float = 0.0, io_wait_s: float = 0.0) -> None:
        self._jumping = _JumpingSelector(start, io_wait_s)
        super().__init__(self._jumping)
        if not 0 <= start < _LATEST_S:
            self.close()
            raise ValueError(f"virtual time starts between 0 and {_LATEST_S} s, not at {start}")
        # asyncio runs a timer once `time() + resolution` is past it. With the system's 1e-9 that sum is
        # rounded away after 97 days, and a timer due exactly now would never run.
        self._clock_resolution = 5e-7

    def time(self) -> float:
        """Virtual seconds."""
        return self._jumping.now

    def stall(self, seconds: float) -> None:
        """Time goes by while nothing can run: a call that blocks the loop, such as a slow disk."""
        self._jumping.now += seconds

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run `func` on this loop at its next step, whatever the executor."""

        async def call() -> T:
            return func(*args)

        return self.create_task(call())


def run_virtual(main: Coroutine[Any, Any, T], start: float = 0.0, io_wait_s: float = 0.0) -> T:
    """`asyncio.run` in virtual time. `start`: the loop's time at first, in seconds.

    `io_wait_s`: wall seconds that open descriptors get before each jump. Raises Deadlock.
    """
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(start, io_wait_s)) as runner:
        return runner.run(main)
