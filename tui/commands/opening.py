"""The console before its engine: it is shown at once, and what it stands on is loaded and made meanwhile."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from engine.errors import Busy, StorageError
from tui.commands.common import me
from tui.commands.running import start_log
from tui.opening_link import OpeningLink

if TYPE_CHECKING:
    from pathlib import Path

    from storage.paths import StatePaths
    from tui.link import Link
    from tui.options import ConsoleOptions
    from tui.wiring.runtime import Runtime

DOOR_S = 0.5
"""After the engine began: what lets other shells in takes 0.1 s to load, and the first rows come first."""
FIRST_SCREEN = ("tui.screens.desk", "tui.widgets.look")
ENGINE = (
    "tui.settings",
    "numpy",
    "engine.strategies.gaps",
    "engine.core",
    "storage.degraded",
    "tui.wiring.runtime",
)
"""One after the other: who leaves meanwhile waits for one of them at most."""


async def load(*modules: str) -> None:
    """Import them in a thread, so that the console answers meanwhile."""
    for module in modules:
        await asyncio.to_thread(import_module, module)


async def show(opening: "Callable[[], Coroutine[Any, Any, Link]]", options: "ConsoleOptions") -> None:
    """The console on a link that opens meanwhile, until the person leaves. Raises what kept it shut."""
    from tui.app import run_console  # Textual: 0.15 s, and never in the daemon
    from tui.wiring.garbage import settle_soon

    async def opened() -> "Link":
        found = await opening()
        settle_soon()
        return found

    link = OpeningLink(opened)
    try:
        await run_console(link, actor=me, options=options)
    finally:
        await link.give_up()


class OwnEngine:
    """An engine in the process of its console: made once the first frame is painted, stopped by `end`."""

    def __init__(self, make: "Callable[[], Runtime]", log_folder: "Callable[[Runtime], Path]") -> None:
        """`make` runs in a thread and opens nothing for writing; `log_folder`: where its run is logged."""
        self._make = make
        self._log_folder = log_folder
        self._door: asyncio.Task[None] | None = None
        self.runtime: Runtime | None = None
        """None until it has begun."""

    async def open(self) -> "Link":
        """The link of an engine that runs. Raises what its start raises."""
        await load(*ENGINE)
        runtime = await asyncio.to_thread(self._make)
        await load(*FIRST_SCREEN)
        start_log(self._log_folder(runtime))
        start = asyncio.create_task(runtime.start())
        try:
            await asyncio.shield(start)
        except asyncio.CancelledError:
            # What has begun is ended in order, not cut off.
            await asyncio.wait({start})
            self.runtime = runtime if start.exception() is None else None
            raise
        self.runtime = runtime
        self._door = asyncio.create_task(_serve(runtime.link, runtime.state))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
        return runtime.link

    async def end(self) -> None:
        """Stop it in order; other shells may look until it has stopped."""
        if self.runtime is None:
            return
        try:
            await self.runtime.stop()
        finally:
            if self._door is not None:
                self._door.cancel()
                await asyncio.wait({self._door})
        if self._door is not None and not self._door.cancelled():
            self._door.result()


@contextmanager
def kill_switch_waits() -> Iterator[None]:
    """While inside, SIGUSR1 waits for an engine that can halt, instead of ending the process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    try:
        yield
    finally:
        if signal.SIGUSR1 in signal.sigpending():
            signal.sigwait({signal.SIGUSR1})
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})


async def _serve(link: "Link", state: "StatePaths") -> None:
    """Other shells may look and act: the kill switch works from each of them."""
    await asyncio.sleep(DOOR_S)
    await load("tui.server.attach")
    from tui import logs
    from tui.commands.attaching import door

    server = door(link, state)
    try:
        await server.start()
        await asyncio.Event().wait()
    except (Busy, StorageError) as error:
        # The console itself works without: its keys, the file HALT and SIGUSR1 halt.
        logs.logger(__name__).warning("other shells cannot reach this engine", reason=str(error))
    finally:
        await server.stop()
