"""A stop waits for fates at most ten seconds, and says which orders it leaves unknown."""

import asyncio
from types import ModuleType
from typing import Any

import pytest

from engine.clock import LiveClock
from engine.execution import sending
from engine.execution.drain import drain
from engine.loop import run_virtual
from engine.model.orders import OrderRole, OrderState


def drained(world: ModuleType, prepare: Any, *, asks: bool) -> tuple[Any, tuple[str, ...], float]:
    """A rig on virtual time, prepared and drained: the rig, what stays unknown, and the seconds it took."""

    async def main() -> tuple[Any, tuple[str, ...], float]:
        rig = world.Rig()
        rig.clock = LiveClock(world.OPEN_US)
        rig._boot()
        await prepare(rig)
        rig.brackets.start(world.make_ticket(), (), ())
        timers = asyncio.create_task(rig.scheduler.run())
        began = asyncio.get_running_loop().time()
        unknown = await drain(rig.brackets, asks=asks)
        took = asyncio.get_running_loop().time() - began
        timers.cancel()
        return rig, unknown, took

    return run_virtual(main())


async def nothing(rig: Any) -> None:
    return None


async def hang(rig: Any) -> None:
    rig.venue.faults["send"].append("no answer until released")


async def lose(rig: Any) -> None:
    rig.venue.faults["send"].append("answer lost")


def test_answers_are_waited_for(world: ModuleType) -> None:
    rig, unknown, took = drained(world, nothing, asks=True)
    assert (unknown, took) == ((), 0.0)
    assert rig.now().entry.state is OrderState.WORKING


def test_a_send_that_nobody_answers_is_left_after_ten_seconds(world: ModuleType) -> None:
    rig, unknown, took = drained(world, hang, asks=False)
    assert took == pytest.approx(10.0)
    assert unknown[0] == f"ABC entry {rig.now().entry.id}"
    assert rig.brackets.in_flight == 0


def test_unknown_orders_are_asked_about_meanwhile(world: ModuleType) -> None:
    rig, unknown, took = drained(world, lose, asks=True)
    assert (unknown, rig.now().entry.state) == ((), OrderState.WORKING)
    assert 0.4 < took < 2.0


def test_where_no_timer_runs_nobody_waits_for_them(world: ModuleType) -> None:
    _, unknown, took = drained(world, lose, asks=False)
    assert took == 0.0
    assert len(unknown) == 3


def test_a_task_that_does_not_end_is_left_behind(world: ModuleType) -> None:
    async def deaf(rig: Any) -> None:
        async def submit(spec: Any) -> None:
            for _ in range(3):
                try:
                    await asyncio.sleep(100)
                except asyncio.CancelledError:
                    continue

        rig.venue.submit_bracket = submit

    _, unknown, took = drained(world, deaf, asks=False)
    assert took == pytest.approx(10.0 + sending.ABANDON_S)
    assert len(unknown) == 3


async def test_an_entry_whose_send_has_not_begun_is_not_sent_after_a_halt(
    rig: Any, world: ModuleType
) -> None:
    rig.brackets.start(world.make_ticket(), (), ())
    rig.halt("enough")
    await rig.settle()
    assert rig.venue.calls == []
    bracket = rig.now()
    assert bracket.entry.state is OrderState.REJECTED
    assert bracket.entry.reason == "halted before the send (not sent)"
    rig.assert_over()


async def test_an_entry_is_not_sent_when_the_process_stood_still_before_it(
    rig: Any, world: ModuleType
) -> None:
    rig.brackets.start(world.make_ticket(), (), ())
    rig.clock.advance_to(rig.clock.now_us() + 3_000_000)
    await rig.settle()
    assert rig.venue.calls == []
    assert rig.now().entry.reason == "the send came 3.0 s after its gates (not sent)"
    rig.assert_over()


@pytest.mark.parametrize(("before_us", "after_us", "sent"), [(-3600, -3600, True), (0, 3600, False)])
async def test_a_machine_that_slept_before_the_send_is_told_by_how_far_its_clock_went_since(
    rig: Any, world: ModuleType, before_us: int, after_us: int, sent: bool
) -> None:
    """Not by a step of the clock that was made up or told long ago."""
    rig.clock.jumped_us = lambda: before_us * 1_000_000
    rig.brackets.start(world.make_ticket(), (), ())
    rig.clock.jumped_us = lambda: after_us * 1_000_000
    await rig.settle()
    assert bool(rig.venue.calls) is sent
    assert rig.now().entry.reason == ("" if sent else "the send came 3600.0 s after its gates (not sent)")


async def test_nothing_is_out_that_could_be_given_up(rig: Any) -> None:
    bracket = await rig.hold()
    await rig.brackets.abandon()
    assert rig.now() == bracket


async def test_exits_and_stops_are_sent_while_halted(rig: Any) -> None:
    bracket = await rig.hold()
    rig.halt("enough")
    rig.venue.end(bracket.of_role(OrderRole.STOP)[0].id, OrderState.CANCELED)
    await rig.settle()
    rig.assert_covered()
