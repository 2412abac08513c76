"""The daemon's front end: ready, watched, told to stop, drained, and honest about what ended it."""

import asyncio
import io
import json
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from engine.errors import Busy, InvariantBroken
from engine.model.events import Alarm, EngineStateChanged, Event
from engine.model.ids import CorrelationId
from tui import headless, logs


class FakeRuntime:
    """An engine that does what the test says and writes down the order of what was asked of it."""

    def __init__(self, steps: list[str]) -> None:
        self.steps = steps
        self.queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self.done = asyncio.Event()
        self.error: Exception | None = None
        self.healthy = True
        self.looked = 0

    async def start(self) -> None:
        self.steps.append("start")

    async def run_until_done(self) -> None:
        await self.done.wait()
        if self.error is not None:
            raise self.error

    async def stop(self) -> None:
        self.steps.append("stop")
        self.queue.put_nowait(EngineStateChanged("STOPPED", "asked", "engine", 2))
        self.queue.put_nowait(None)

    async def events(self) -> AsyncIterator[Event]:
        while (event := await self.queue.get()) is not None:
            yield event

    def is_healthy(self) -> bool:
        self.looked += 1
        return self.healthy

    def wake(self) -> None:
        self.steps.append("wake")

    def audit_head(self) -> tuple[int, str]:
        return 7, "ab" * 32


class FakeServer:
    def __init__(self, steps: list[str]) -> None:
        self.steps = steps
        self.error: Exception | None = None

    async def start(self) -> None:
        self.steps.append("serve")
        if self.error is not None:
            raise self.error

    async def stop(self) -> None:
        self.steps.append("close")


@pytest.fixture
def steps() -> list[str]:
    return []


@pytest.fixture
def runtime(steps: list[str]) -> FakeRuntime:
    return FakeRuntime(steps)


@pytest.fixture
def server(steps: list[str]) -> FakeServer:
    return FakeServer(steps)


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    stream = io.StringIO()
    root_level = logging.getLogger().level
    logs.start(None, [], stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logs.stop()
    logging.getLogger().setLevel(root_level)


@pytest.fixture
def manager() -> Iterator[tuple[socket.socket, dict[str, str]]]:
    """A service manager: its socket, and the environment it starts us with."""
    with (
        TemporaryDirectory(dir="/tmp") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener,
    ):
        path = str(Path(folder) / "notify")
        listener.bind(path)
        listener.setblocking(False)
        yield listener, {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "1000"}


async def told(listener: socket.socket, state: bytes) -> None:
    async with asyncio.timeout(5):
        while await asyncio.get_running_loop().sock_recv(listener, 64) != state:
            pass


def drain(listener: socket.socket) -> list[bytes]:
    """What arrived and was not read yet."""
    found = []
    while True:
        try:
            found.append(listener.recv(64))
        except BlockingIOError:
            return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_and_ends_well(
    runtime: FakeRuntime, server: FakeServer, steps: list[str], manager: Any, number: signal.Signals
) -> None:
    listener, environment = manager
    running = asyncio.create_task(headless.run(runtime, lambda: server, environment))
    await told(listener, b"READY=1")
    os.kill(os.getpid(), number)
    await told(listener, b"STOPPING=1")
    await running
    assert steps == ["start", "serve", "stop", "close"]


async def test_a_process_that_goes_on_looks_at_the_venue(
    runtime: FakeRuntime, server: FakeServer, steps: list[str], manager: Any
) -> None:
    listener, environment = manager
    running = asyncio.create_task(headless.run(runtime, lambda: server, environment))
    await told(listener, b"READY=1")
    os.kill(os.getpid(), signal.SIGCONT)
    for _ in range(5):
        await told(listener, b"WATCHDOG=1")
    runtime.done.set()
    await running
    assert steps == ["start", "serve", "wake", "stop", "close"]


async def test_a_manager_that_reads_nothing_does_not_stop_the_engine(
    runtime: FakeRuntime, server: FakeServer, steps: list[str], manager: Any
) -> None:
    running = asyncio.create_task(headless.run(runtime, lambda: server, manager[1]))
    while runtime.looked < 400:  # noqa: ASYNC110 - the loop turns, that is what is tested
        await asyncio.sleep(0)
    runtime.done.set()
    await running
    assert steps == ["start", "serve", "stop", "close"]


async def test_the_end_of_the_market_ends_the_run(
    runtime: FakeRuntime, server: FakeServer, steps: list[str]
) -> None:
    runtime.done.set()
    await headless.run(runtime, lambda: server, {})
    assert steps == ["start", "serve", "stop", "close"]


async def test_the_watchdog_is_fed_only_while_healthy(
    runtime: FakeRuntime, server: FakeServer, manager: Any, lines: Any
) -> None:
    listener, environment = manager
    running = asyncio.create_task(headless.run(runtime, lambda: server, environment))
    await told(listener, b"WATCHDOG=1")
    runtime.healthy = False
    looked = runtime.looked
    async with asyncio.timeout(5):
        while runtime.looked == looked:  # noqa: ASYNC110 - another task counts
            await asyncio.sleep(0)
        drain(listener)
        while runtime.looked < looked + 4:  # noqa: ASYNC110 - another task counts
            await asyncio.sleep(0)
    assert drain(listener) == []
    runtime.healthy = True
    await told(listener, b"WATCHDOG=1")
    runtime.done.set()
    await running
    assert sum("not healthy" in line["event"] for line in lines()) == 1


async def test_a_broken_invariant_stops_in_order_and_is_raised(
    runtime: FakeRuntime, server: FakeServer, steps: list[str]
) -> None:
    runtime.error = InvariantBroken("two entries for T-18")
    runtime.done.set()
    with pytest.raises(InvariantBroken, match="two entries"):
        await headless.run(runtime, lambda: server, {})
    assert steps == ["start", "serve", "stop", "close"]


async def test_an_engine_that_cannot_start_is_not_stopped(
    runtime: FakeRuntime, server: FakeServer, steps: list[str]
) -> None:
    async def fail() -> None:
        raise Busy("another tradedeck uses the folder")

    runtime.start = fail  # type: ignore[method-assign]
    with pytest.raises(Busy):
        await headless.run(runtime, lambda: server, {})
    assert steps == []


async def test_a_server_that_cannot_start_stops_the_engine(
    runtime: FakeRuntime, server: FakeServer, steps: list[str]
) -> None:
    server.error = Busy("another engine listens")
    with pytest.raises(Busy):
        await headless.run(runtime, lambda: server, {})
    assert steps == ["start", "serve", "stop", "close"]


async def test_a_service_manager_that_is_gone_does_not_stop_the_engine(
    runtime: FakeRuntime, server: FakeServer, lines: Any
) -> None:
    runtime.done.set()
    await headless.run(runtime, lambda: server, {"NOTIFY_SOCKET": "/nonexistent/notify"})
    assert any("cannot be told" in line["event"] for line in lines())


async def test_events_are_logged_up_to_the_last(runtime: FakeRuntime, server: FakeServer, lines: Any) -> None:
    runtime.queue.put_nowait(Alarm("stop leg rejected", True, CorrelationId("01JD"), 1))
    runtime.done.set()
    await headless.run(runtime, lambda: server, {})
    events = [line for line in lines() if "ts_us" in line]
    assert [line["event"] for line in events] == ["alarm", "engine_state_changed"]
    assert (events[0]["level"], events[0]["correlation"]) == ("critical", "01JD")
    assert events[1]["state"] == "STOPPED"


async def test_the_head_of_the_audit_log_is_told(
    runtime: FakeRuntime, server: FakeServer, lines: Any
) -> None:
    runtime.done.set()
    await headless.run(runtime, lambda: server, {})
    (line,) = [line for line in lines() if line["event"] == "audit head"]
    assert (line["seq"], line["sha256"]) == (7, "ab" * 32)


async def test_the_signal_handlers_are_put_back(runtime: FakeRuntime, server: FakeServer) -> None:
    before = signal.getsignal(signal.SIGTERM)
    runtime.done.set()
    await headless.run(runtime, lambda: server, {})
    assert signal.getsignal(signal.SIGTERM) == before
