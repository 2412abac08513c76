"""The virtual loop: a day in a moment, and never a silent wait."""

import asyncio
import selectors
import socket
import threading
from collections.abc import Callable

import pytest

from engine.clock import LiveClock
from engine.errors import InvariantBroken
from engine.loop import Deadlock, VirtualLoop, run_virtual

DAY_S = 86_400.0


async def loop_time() -> float:
    return asyncio.get_running_loop().time()


def test_day_of_ticks_never_waits_and_looks_at_descriptors_a_few_times_a_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float | None] = []
    look = selectors.DefaultSelector.select

    def counted(self: selectors.DefaultSelector, timeout: float | None = None) -> object:
        waits.append(timeout)
        return look(self, timeout)

    monkeypatch.setattr(selectors.DefaultSelector, "select", counted)

    async def day() -> tuple[int, float]:
        ticks = 0
        while asyncio.get_running_loop().time() < DAY_S:
            await asyncio.sleep(5)
            ticks += 1
        return ticks, await loop_time()

    assert run_virtual(day()) == (17_280, DAY_S)
    assert set(waits) == {0}, "a wait of the system's would be one by the wall clock"
    assert len(waits) <= 3 * 17_280


def test_sleep_longer_than_a_selector_may_wait() -> None:
    async def month() -> float:
        await asyncio.sleep(31 * DAY_S)
        return await loop_time()

    assert run_virtual(month()) == 31 * DAY_S


def test_time_starts_where_told_and_stands_still_while_work_is_ready() -> None:
    async def busy() -> tuple[float, float]:
        first = await loop_time()
        for _ in range(1000):
            await asyncio.sleep(0)
        return first, await loop_time()

    assert run_virtual(busy(), start=250.0) == (250.0, 250.0)


def test_sleepers_wake_in_order_of_time() -> None:
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, delay: float) -> None:
        await asyncio.sleep(delay)
        woken.append((name, await loop_time()))

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for name, delay in (("c", 3.0), ("a", 1.0), ("b", 2.0)):
                group.create_task(sleeper(name, delay))

    run_virtual(main())
    assert woken == [("a", 1.0), ("b", 2.0), ("c", 3.0)]


def test_same_program_gives_the_same_trace() -> None:
    def trace() -> list[tuple[int, float]]:
        seen: list[tuple[int, float]] = []

        async def worker(n: int) -> None:
            for step in range(20):
                await asyncio.sleep((n * 7 + step) % 5)
                seen.append((n, await loop_time()))

        async def main() -> None:
            async with asyncio.TaskGroup() as group:
                for n in range(30):
                    group.create_task(worker(n))

        run_virtual(main())
        return seen

    assert trace() == trace()


def test_deadlock_names_every_waiting_task_and_its_line() -> None:
    async def waits_for_nobody() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(waits_for_nobody(), name="listener")
        await task

    with pytest.raises(Deadlock, match=r"2 tasks wait: .*listener \(waits_for_nobody at test_virtual"):
        run_virtual(main())


def test_deadlock_among_many_tasks_lists_the_first_and_counts_the_rest() -> None:
    async def main() -> None:
        never = asyncio.Event()
        await asyncio.gather(*(never.wait() for _ in range(30)))

    with pytest.raises(Deadlock, match=r"31 tasks wait: .* and 11 more\. Look for an event"):
        run_virtual(main())


def test_deadlock_is_a_broken_invariant_and_still_runs_cleanup() -> None:
    cleaned: list[str] = []

    async def main() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append("closed")

    with pytest.raises(InvariantBroken):
        run_virtual(main())
    assert cleaned == ["closed"]


def test_deadlock_with_a_silent_socket_open() -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with ours, theirs:
            await asyncio.get_running_loop().sock_recv(ours, 1)

    with pytest.raises(Deadlock):
        run_virtual(main())


def test_exception_reaches_the_caller() -> None:
    async def fails() -> None:
        await asyncio.sleep(60)
        raise LookupError("late")

    with pytest.raises(LookupError, match="late"):
        run_virtual(fails())


def test_timeout_fires_at_its_virtual_time() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(600):
                await asyncio.sleep(DAY_S)
        return await loop_time()

    assert run_virtual(main()) == 600.0


def test_executor_work_runs_inline_and_passes_its_error_on() -> None:
    def work(number: int) -> tuple[int, str]:
        if number < 0:
            raise ValueError("negative")
        return number * 2, threading.current_thread().name

    async def main() -> tuple[int, str]:
        with pytest.raises(ValueError, match="negative"):
            await asyncio.to_thread(work, -1)
        return await asyncio.get_running_loop().run_in_executor(None, work, 21)

    assert run_virtual(main()) == (42, threading.current_thread().name)


def test_tcp_on_loopback_answers_before_time_moves() -> None:
    async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def main() -> tuple[bytes, float]:
        server = await asyncio.start_server(shout, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello\n")
            answer = await reader.readline()
            writer.close()
            await writer.wait_closed()
        return answer, await loop_time()

    assert run_virtual(main()) == (b"HELLO\n", 0.0)


def test_peer_with_a_life_of_its_own_is_waited_for_when_asked() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    go = threading.Event()

    def peer() -> None:
        go.wait(10)
        theirs.sendall(b"x")

    async def main() -> tuple[bytes, float]:
        go.set()
        async with asyncio.timeout(60):
            return await asyncio.get_running_loop().sock_recv(ours, 1), await loop_time()

    thread = threading.Thread(target=peer)
    thread.start()
    with ours, theirs:
        assert run_virtual(main(), io_wait_s=10) == (b"x", 0.0)
        thread.join()


def test_live_clock_on_the_virtual_loop_is_a_virtual_clock() -> None:
    open_us = 1_451_918_400_000_000

    async def main() -> list[int]:
        clock = LiveClock(open_us)
        seen = [clock.now_us()]
        for minutes in (1, 390, 10_000_000):
            await clock.sleep_until(open_us + minutes * 60_000_000)
            seen.append(clock.now_us())
        await clock.sleep_until(open_us)
        return seen

    assert run_virtual(main()) == [open_us + m * 60_000_000 for m in (0, 1, 390, 10_000_000)]


@pytest.mark.parametrize("delay", [1e-7, 1e-9, 0.1 + 0.2])
def test_tiny_and_inexact_delays_end(delay: float) -> None:
    async def main() -> float:
        for _ in range(100):
            await asyncio.sleep(delay)
        return await loop_time()

    assert run_virtual(main(), start=1e9) >= 1e9


@pytest.mark.parametrize("start", [-1.0, 2.0**32, float("nan")])
def test_start_that_a_float_cannot_resolve_is_refused(start: float) -> None:
    with pytest.raises(ValueError, match="virtual time starts"):
        VirtualLoop(start)


def test_stopped_loop_returns_without_a_jump() -> None:
    loop = VirtualLoop()
    loop.call_later(60, lambda: None)
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert loop.time() == 0.0
    loop.close()


def test_callbacks_of_one_instant_keep_their_order() -> None:
    order: list[int] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        append: Callable[[int], None] = order.append
        for n in range(50):
            loop.call_soon(append, n)
        await asyncio.sleep(1)

    run_virtual(main())
    assert order == list(range(50))


def test_a_call_that_blocks_makes_every_timer_behind_it_late() -> None:
    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        woken: list[float] = []
        loop.call_later(1.0, lambda: woken.append(loop.time()))
        loop.stall(3.0)
        await asyncio.sleep(0.5)
        return woken

    assert run_virtual(main()) == [3.0]
