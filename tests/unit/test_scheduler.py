"""Callbacks at times of the engine's clock, driven by a live loop or stepped by a replay."""

import asyncio

import pytest

from engine.clock import LiveClock, TestClock
from engine.loop import run_virtual
from engine.scheduler import Scheduler


def test_what_is_due_is_called_in_order_of_time_then_of_asking() -> None:
    clock, called = TestClock(100), []
    scheduler = Scheduler(clock)
    for ts, name in ((300, "late"), (200, "b"), (150, "a"), (200, "c")):
        scheduler.call_at(ts, lambda name=name: called.append(name))  # type: ignore[misc]
    assert scheduler.next_due() == 150
    assert scheduler.run_due() == 0
    clock.advance_to(200)
    assert scheduler.run_due() == 3
    assert (called, scheduler.next_due()) == (["a", "b", "c"], 300)


def test_a_time_that_has_passed_is_due_at_once() -> None:
    scheduler, called = Scheduler(TestClock(100)), []
    scheduler.call_at(5, lambda: called.append("now"))
    assert scheduler.run_due() == 1
    assert called == ["now"]
    assert scheduler.next_due() is None


def test_what_a_callback_adds_is_called_when_due() -> None:
    clock, called = TestClock(100), []
    scheduler = Scheduler(clock)

    def again() -> None:
        called.append(clock.now_us())
        if len(called) < 3:
            scheduler.call_at(100, again)
        else:
            scheduler.call_at(101, again)

    scheduler.call_at(100, again)
    assert scheduler.run_due() == 3
    assert scheduler.next_due() == 101


def test_a_callback_that_fails_leaves_the_others_due() -> None:
    scheduler, called = Scheduler(TestClock(100)), []

    def broken() -> None:
        raise ValueError("no")

    scheduler.call_at(1, broken)
    scheduler.call_at(2, lambda: called.append("second"))
    with pytest.raises(ValueError, match="no"):
        scheduler.run_due()
    assert scheduler.run_due() == 1
    assert called == ["second"]


def test_a_live_scheduler_calls_on_time_and_hears_of_earlier_ones() -> None:
    async def main() -> list[tuple[str, int]]:
        clock = LiveClock(0)
        scheduler, called = Scheduler(clock), []

        def note(name: str) -> None:
            called.append((name, clock.now_us()))

        running = asyncio.ensure_future(scheduler.run())
        await asyncio.sleep(1)
        scheduler.call_at(5_000_000, lambda: note("five"))
        await asyncio.sleep(1)
        scheduler.call_at(3_000_000, lambda: note("three"))
        await asyncio.sleep(10)
        scheduler.call_at(1_000_000, lambda: note("past"))
        await asyncio.sleep(0.1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return called

    assert run_virtual(main()) == [("three", 3_000_000), ("five", 5_000_000), ("past", 12_000_000)]
