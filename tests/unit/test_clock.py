"""Clocks: the wall may be set and may jump, time never goes back."""

import asyncio

import pytest

from engine.clock import US_PER_S, LiveClock, TestClock, clock_text, wall_us
from engine.loop import run_virtual


def test_the_distance_of_the_wall_is_measured_and_only_followed_ahead() -> None:
    async def go() -> None:
        wall = [0]
        clock = LiveClock(
            1_000, lambda: 1_000 + round(asyncio.get_running_loop().time() * US_PER_S) + wall[0]
        )
        await asyncio.sleep(5)
        assert clock.jumped_us() == 0
        wall[0] = -7
        clock.follow_wall()
        assert (clock.jumped_us(), clock.now_us()) == (-7, 1_000 + 5 * US_PER_S)
        wall[0] = 9
        clock.follow_wall()
        assert (clock.jumped_us(), clock.now_us()) == (0, 1_009 + 5 * US_PER_S)

    run_virtual(go())


def test_a_clock_that_starts_elsewhere_has_no_wall() -> None:
    async def go() -> None:
        clock = LiveClock(1_000)
        await asyncio.sleep(5)
        clock.follow_wall()
        assert (clock.jumped_us(), clock.now_us()) == (0, 1_000 + 5 * US_PER_S)

    run_virtual(go())


async def test_a_live_clock_stands_at_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 5_000_000)
    clock = LiveClock()
    monkeypatch.setattr("time.time_ns", lambda: 9_000_000_000_000)
    assert wall_us() == 9_000_000_000
    assert clock.jumped_us() > 8_000_000_000
    clock.follow_wall()
    assert abs(clock.jumped_us()) < US_PER_S


def test_a_stepped_clock_has_no_wall_and_never_goes_back() -> None:
    clock = TestClock(10)
    clock.follow_wall()
    assert (clock.jumped_us(), clock.now_us()) == (0, 10)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.advance_to(9)


async def test_who_sleeps_wakes_when_the_clock_was_stepped() -> None:
    clock, woken = TestClock(10), []

    async def sleeper(ts: int) -> None:
        await clock.sleep_until(ts)
        woken.append(ts)

    tasks = [asyncio.create_task(sleeper(ts)) for ts in (5, 30, 20)]
    await asyncio.sleep(0)
    assert (woken, clock.next_wake_us()) == ([5], 20)
    tasks[2].cancel()
    await asyncio.sleep(0)
    assert clock.next_wake_us() == 30
    clock.advance_to(30)
    await asyncio.sleep(0)
    assert (woken, clock.next_wake_us()) == ([5, 30], None)


def test_clock_text() -> None:
    assert clock_text(1_451_917_898_999_999) == "14:31:38Z"
