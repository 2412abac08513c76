"""Tasks that fail are told and started again, sooner after a long good run than after many failures."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from engine.clock import US_PER_S, LiveClock
from engine.errors import BrokerUnavailable, StorageError
from engine.loop import run_virtual
from engine.reliability.supervisor import LONGEST_PAUSE_US, SHORTEST_PAUSE_US, Supervisor, pause_us

HOUR_S = 3600.0


def starts_of(work: Callable[[int], Coroutine[Any, Any, None]], times: int) -> tuple[list[int], list[str]]:
    """When `work` was started, in whole seconds of virtual time, and what was told of its failures."""
    starts: list[int] = []
    told: list[str] = []

    async def main() -> None:
        clock, done = LiveClock(0), asyncio.Event()

        async def numbered() -> None:
            starts.append(clock.now_us() // US_PER_S)
            if len(starts) == times:
                done.set()
                await asyncio.Event().wait()
            await work(len(starts))

        supervisor = Supervisor(
            clock, lambda why: told.append(f"degrade {why}"), lambda why: told.append(f"halt {why}")
        )
        supervisor.keep("stream", numbered)
        await done.wait()
        await supervisor.end()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(main())
    return starts, told


def test_pauses_grow_to_a_minute() -> None:
    async def fail(number: int) -> None:
        raise BrokerUnavailable("cannot connect")

    starts, told = starts_of(fail, 8)
    assert starts == [0, 1, 3, 7, 15, 31, 63, 123]
    assert told == ["degrade stream: cannot connect"] * 7


def test_jitter_spreads_each_pause_and_never_makes_a_storm() -> None:
    draws = iter([0.0, 0.25, 0.5, 1.0, 0.75])
    pauses = [pause_us(failures, lambda: next(draws)) for failures in (1, 2, 4, 7, 1000)]
    assert pauses == [SHORTEST_PAUSE_US, US_PER_S // 2, 4 * US_PER_S, LONGEST_PAUSE_US, 45 * US_PER_S]


def test_a_failure_after_a_long_good_run_is_a_first_one() -> None:
    async def fail(number: int) -> None:
        if number == 5:
            await asyncio.sleep(HOUR_S)
        raise BrokerUnavailable("cannot connect")

    starts, _ = starts_of(fail, 7)
    assert starts == [0, 1, 3, 7, 15, 15 + 3600 + 1, 15 + 3600 + 1 + 2]


@pytest.mark.parametrize(
    ("error", "words"),
    [(StorageError("the disk is full"), "the disk is full"), (ValueError("no"), "ValueError: no")],
)
def test_a_bug_or_a_disk_of_ours_halts(error: Exception, words: str) -> None:
    async def fail(number: int) -> None:
        raise error

    _, told = starts_of(fail, 2)
    assert told == [f"halt stream failed: {words}"]


async def test_work_that_returns_is_over() -> None:
    ran: list[str] = []

    async def once() -> None:
        ran.append("once")

    supervisor = Supervisor(LiveClock(0), ran.append, ran.append)
    supervisor.keep("errand", once)
    await asyncio.sleep(0)
    await supervisor.end()
    assert ran == ["once"]
