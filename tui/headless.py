"""The `--no-ui` front end: an engine, its attach server and a log, until done or told to stop.

It is handed everything by the command line and knows no rim; Textual is never imported here.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from engine.model.events import Event
from tui import logs
from tui.eventlines import lines_of
from tui.sdnotify import READY, STOPPING, WATCHDOG, notify, watchdog_period_s

ANCHOR_S = 60.0
"""How often the audit log's head is told."""
LAST_WORDS_S = 2.0
"""How long the events of a stopped engine may take to end."""
_log = logs.logger(__name__)


class Runtime(Protocol):
    """What runs without a face. `stop` drains: no new entries, fates of orders in flight, stops stay."""

    async def start(self) -> None: ...
    async def run_until_done(self) -> None: ...
    async def stop(self) -> None: ...
    def events(self) -> AsyncIterator[Event]: ...
    def is_healthy(self) -> bool: ...
    def audit_head(self) -> tuple[int, str]: ...
    def wake(self) -> None: ...


class Server(Protocol):
    """The door through which faces attach."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


async def run(runtime: Runtime, make_server: Callable[[], Server], environment: Mapping[str, str]) -> None:
    """Run until the market ends, or SIGTERM or SIGINT; raises what ended it otherwise.

    Whatever happens after the engine started, it is stopped in order.
    """
    asked = asyncio.Event()
    with _signals(asked):
        teller = asyncio.create_task(_tell(runtime.events()))
        # It listens before anything can happen.
        await asyncio.sleep(0)
        try:
            await runtime.start()
        except BaseException:
            teller.cancel()
            raise
        watch = asyncio.create_task(_watch(runtime, environment))
        anchor = asyncio.create_task(_anchor(runtime))
        done = asyncio.create_task(runtime.run_until_done())
        stop = asyncio.create_task(asked.wait())
        server: Server | None = None
        try:
            server = make_server()
            await server.start()
            _notify(READY, environment)
            _log.info("ready")
            with _continued(runtime.wake):
                await asyncio.wait({done, stop, teller, watch, anchor}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            anchor.cancel()  # it reads the journal that stopping closes
            _notify(STOPPING, environment)
            _log.info("stopping", because="asked" if stop.done() else "done")
            try:
                await runtime.stop()
            finally:
                if server is not None:
                    await server.stop()
                await asyncio.wait({teller}, timeout=LAST_WORDS_S)
                for task in (stop, done, teller, watch, anchor):
                    task.cancel()
                results = await asyncio.gather(done, teller, watch, anchor, return_exceptions=True)
    for failure in results:
        if isinstance(failure, BaseException) and not isinstance(failure, asyncio.CancelledError):
            raise failure
    _log.info("stopped")


@contextmanager
def _signals(asked: asyncio.Event) -> Iterator[None]:
    """SIGTERM and SIGINT ask to stop; a second one changes nothing, stopping has its own time limit."""
    loop = asyncio.get_running_loop()

    def ask(number: signal.Signals) -> None:
        _log.info("signal", signal=number.name, already_stopping=asked.is_set())
        asked.set()

    caught = (signal.SIGTERM, signal.SIGINT)
    for number in caught:
        loop.add_signal_handler(number, ask, number)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


@contextmanager
def _continued(wake: Callable[[], None]) -> Iterator[None]:
    """SIGCONT: the process stood still, so what it knows of the venue is old (RELIABILITY 7)."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGCONT, wake)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGCONT)


def _notify(state: str, environment: Mapping[str, str]) -> None:
    try:
        notify(state, environment)
    except OSError as error:
        # The service manager went away: the engine matters more than being watched.
        _log.warning("the service manager cannot be told", state=state, reason=str(error))


async def _watch(runtime: Runtime, environment: Mapping[str, str]) -> None:
    """Tell the service manager that we live, as long as the engine is healthy and this loop turns."""
    period_s = watchdog_period_s(environment)
    if period_s is None:
        await asyncio.Event().wait()
        return
    was_healthy = True
    while True:
        healthy = runtime.is_healthy()
        if healthy:
            _notify(WATCHDOG, environment)
        elif was_healthy:
            _log.error("not healthy: the service manager is no longer told that we live")
        was_healthy = healthy
        await asyncio.sleep(period_s)


async def _anchor(runtime: Runtime) -> None:
    """Write the audit log's head into the log every minute: a log cut short shows there (RELIABILITY 5.1)."""
    while True:
        seq, digest = runtime.audit_head()
        _log.info("audit head", seq=seq, sha256=digest)
        await asyncio.sleep(ANCHOR_S)


async def _tell(events: AsyncIterator[Event]) -> None:
    async for event in events:
        for line in lines_of(event):
            _log.log(line.level, line.text, **line.fields)
