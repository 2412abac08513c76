"""The budget of calls: one for all tasks, weighted, in order, and never more than it allows."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.clock import US_PER_S, LiveClock, TestClock
from engine.errors import RateLimited
from engine.loop import run_virtual
from engine.reliability.ratelimit import Budget, BudgetConfig


class Calls:
    """Calls by many tasks through one budget, and at what second each was let through."""

    def __init__(self, config: BudgetConfig) -> None:
        self.clock = LiveClock(0)
        self.budget = Budget("venue", config, self.clock)
        self.passed: list[tuple[str, float]] = []

    async def call(self, name: str, weight: float = 1.0, patience_s: float = 1e6) -> None:
        await self.budget.take(weight, patience_s)
        self.passed.append((name, self.clock.now_us() / US_PER_S))


async def together(*calls: Coroutine[Any, Any, None]) -> None:
    async with asyncio.TaskGroup() as group:
        for call in calls:
            group.create_task(call)


def test_burst_passes_at_once_and_the_rest_in_order_at_the_rate() -> None:
    async def main() -> list[tuple[str, float]]:
        calls = Calls(BudgetConfig(2, 3))
        await together(*(calls.call(str(n)) for n in range(6)))
        return calls.passed

    assert run_virtual(main()) == [("0", 0), ("1", 0), ("2", 0), ("3", 0.5), ("4", 1), ("5", 1.5)]


def test_heavy_call_waits_for_all_it_needs_and_nobody_overtakes_it() -> None:
    async def main() -> list[tuple[str, float]]:
        calls = Calls(BudgetConfig(1, 2))
        await together(calls.call("heavy", 5), calls.call("light"))
        return calls.passed

    assert run_virtual(main()) == [("heavy", 3), ("light", 4)]


def test_budget_comes_back_up_to_the_burst_and_no_further() -> None:
    async def main() -> list[float]:
        calls = Calls(BudgetConfig(1, 2))
        seen = [calls.budget.left_ratio]
        await calls.call("a", 2)
        seen.append(calls.budget.left_ratio)
        await asyncio.sleep(1)
        seen.append(calls.budget.left_ratio)
        await asyncio.sleep(100)
        return [*seen, calls.budget.left_ratio]

    assert run_virtual(main()) == [1, 0, 0.5, 1]


def test_who_would_wait_too_long_is_told_how_long_and_takes_nothing() -> None:
    async def main() -> list[tuple[str, float]]:
        calls = Calls(BudgetConfig(1, 1))
        await calls.call("a")
        with pytest.raises(RateLimited, match=r"venue: the next call is allowed in 10 s") as told:
            await calls.call("b", 10, patience_s=5)
        assert told.value.retry_after_s == 10
        await calls.call("c")
        return calls.passed

    assert run_virtual(main()) == [("a", 0), ("c", 1)]


def test_canceled_caller_gives_its_part_back() -> None:
    async def main() -> list[tuple[str, float]]:
        calls = Calls(BudgetConfig(1, 1))
        await calls.call("a")
        waiting = asyncio.create_task(calls.call("gone", 5))
        await asyncio.sleep(0.5)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await calls.call("b")
        return calls.passed

    assert run_virtual(main()) == [("a", 0), ("b", 1)]


def test_pause_that_the_service_asks_for_holds_everybody() -> None:
    async def main() -> list[tuple[str, float]]:
        calls = Calls(BudgetConfig(1, 2))

        async def hold() -> None:
            await asyncio.sleep(0.5)
            calls.budget.hold(10)
            assert calls.budget.left_ratio == 0

        await together(*(calls.call(str(n)) for n in range(4)), hold())
        return calls.passed

    # Of those that waited when the pause began each waits ten seconds longer; the rate is kept after it.
    assert run_virtual(main()) == [("0", 0), ("1", 0), ("2", 11), ("3", 12)]


def test_shorter_pause_inside_a_longer_one_changes_nothing() -> None:
    async def main() -> list[tuple[str, float]]:
        calls = Calls(BudgetConfig(1, 1))
        calls.budget.hold(10)
        calls.budget.hold(3)
        await calls.call("a")
        return calls.passed

    assert run_virtual(main()) == [("a", 10)]


@pytest.mark.parametrize(
    ("per_s", "burst"), [(0, 1), (-1, 1), (1, 0.5), (float("nan"), 1), (1, float("inf"))]
)
def test_rate_that_is_none_is_refused(per_s: float, burst: float) -> None:
    with pytest.raises(ValueError, match="not a rate"):
        BudgetConfig(per_s, burst)


@settings(max_examples=60, deadline=None)
@given(
    per_s=st.floats(0.5, 20),
    burst=st.floats(1, 10),
    calls=st.lists(st.tuples(st.floats(0, 5), st.floats(0.1, 4)), min_size=1, max_size=25),
    pause=st.none() | st.tuples(st.floats(0, 5), st.floats(0, 3)),
)
def test_no_stretch_of_time_sees_more_than_burst_and_rate(
    per_s: float, burst: float, calls: list[tuple[float, float]], pause: tuple[float, float] | None
) -> None:
    async def main() -> list[tuple[float, float]]:
        clock = LiveClock(0)
        budget = Budget("venue", BudgetConfig(per_s, burst), clock)
        passed: list[tuple[float, float]] = []

        async def call(start_s: float, weight: float) -> None:
            await asyncio.sleep(start_s)
            await budget.take(weight, 1e6)
            passed.append((clock.now_us() / US_PER_S, weight))

        async def hold() -> None:
            if pause is not None:
                await asyncio.sleep(pause[0])
                budget.hold(pause[1])

        await together(*(call(*one) for one in calls), hold())
        return passed

    passed = run_virtual(main())
    assert len(passed) == len(calls)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            weights = [weight for _, weight in passed[first : last + 1]]
            # A call heavier than the burst waits until all of it is there: it starts the stretch on credit.
            allowed = max(burst, weights[0]) + per_s * (passed[last][0] - passed[first][0])
            assert sum(weights) <= allowed + 1e-3


def test_budget_needs_no_loop_to_be_looked_at() -> None:
    assert Budget("venue", BudgetConfig(1, 1), TestClock(0)).left_ratio == 1
