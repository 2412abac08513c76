"""Reaches an engine in another process while the console is shown already, and starts one where none runs."""

import asyncio
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import Busy, ConfigError, DataError, DeckError, InvariantBroken, UsageError
from tui.commands.common import Given
from tui.commands.opening import FIRST_SCREEN, load
from tui.commands.output import say
from tui.commands.running import WHAT_TO_DO, check_console_keys, start_log

if TYPE_CHECKING:
    from subprocess import Popen

    from storage.paths import StatePaths
    from tui.server.client import RemoteLink
    from tui.settings import Settings
    from tui.wiring.daemonize import Start

START_S = 60.0
"""How long a daemon may take to open its socket: it reads its books and its bars first."""
LOOK_S = 0.1
"""Between two looks whether it is there."""
_FAILURES: dict[int, type[DeckError]] = {2: UsageError, 65: DataError, 75: Busy, 78: ConfigError}


@dataclass(frozen=True, slots=True)
class Door:
    """A socket to attach to, and how the person comes back to it."""

    path: Path
    command: str
    state: "StatePaths | None"
    """Whose socket it is; None for one that was typed."""
    view_only: bool = False


class Reaching:
    """The way of one console to its engine."""

    def __init__(self, at: Given, door: Door, is_there: bool = True) -> None:
        """`is_there`: an engine was seen behind the door."""
        self._at = at
        self.door = door
        self._is_there = is_there
        self.link: RemoteLink | None = None
        """None until an engine answered."""
        self.spawned: int | None = None
        """Pid of the daemon that was started, which goes on by itself."""

    def words(self) -> str:
        """What is being waited for."""
        if self.spawned is not None:
            return f"Starting the engine (pid {self.spawned})"
        return "Attaching to the engine" if self._is_there else "Starting the engine"

    async def reach(self) -> "RemoteLink | None":
        """The engine that listens; None when none does. Raises ConfigError and Busy."""
        await self._settings()
        await load("tui.server.client", *FIRST_SCREEN)
        from tui.server.client import attach

        self.link = await attach(self.door.path)
        return self.link

    async def start(self) -> "RemoteLink":
        """Start the daemon of the state again and wait until it listens. Raises what ended it."""
        paths, settings = self._at.paths, await self._settings()
        start = recalled(self._at)
        await load("tui.wiring.daemonize")
        from tui.wiring.daemonize import spawn

        process = spawn(paths, start, settings.log_dir)
        self.spawned = process.pid
        await load("tui.server.client", *FIRST_SCREEN)
        self.link = await _await_engine(process, paths, settings)
        return self.link

    async def _settings(self) -> "Settings":
        """The whole config, checked; from here on there is a log."""
        await load("tui.settings")
        settings = await asyncio.to_thread(self._at.settings)
        check_console_keys(settings)
        paths = self.door.state
        # A folder of its own: two processes cannot take turns with one log's files.
        start_log((self._at.home.state / "log" if paths is None else _log(paths, settings)) / "console")
        return settings


def recalled(at: Given) -> "Start":
    """How the state's daemon was started last; where none ever ran, on live prices.

    Raises ConfigError where those cannot be had, DataError.
    """
    from tui.wiring.daemonize import recall  # not needed where an engine runs

    start = recall(at.paths)
    return _live_start(at) if start is None else start


def _live_start(at: Given) -> "Start":
    """A paper account on live prices, where the keys for it are there. Raises ConfigError where not."""
    from tui.redaction import hide  # only where nothing ran yet
    from tui.wiring.daemonize import Start
    from tui.wiring.keys import open_keys, require_live

    require_live(open_keys(at.home, os.environ, warn=say, learned=hide))
    config = None if at.config is None else str(at.config.absolute())
    return Start(False, None, None, (), None, None, None, None, config)


async def _await_engine(process: "Popen[bytes]", paths: "StatePaths", settings: "Settings") -> "RemoteLink":
    """Wait until somebody listens: our daemon, or another that was quicker. Raises what ended ours."""
    from tui.server.client import attach  # websockets and msgspec: 0.1 s

    began = time.monotonic()
    while time.monotonic() - began < START_S:
        with suppress(Busy):  # it opens its socket a moment before it welcomes anybody
            if (link := await attach(paths.socket)) is not None:
                return link
        if process.poll() not in (None, Busy.exit_code):
            raise _failure(process.returncode, paths, settings)
        await asyncio.sleep(LOOK_S)
    raise Busy(
        f"the engine (pid {process.pid}) did not listen within {START_S:g} s and goes on starting",
        f"Its log is in {_log(paths, settings)}. Then: tradedeck attach",
    )


def _failure(code: int, paths: "StatePaths", settings: "Settings") -> DeckError:
    """What ended a daemon before it listened, in its own words and with its own exit code."""
    if code == 0:
        return UsageError(
            f"the market of {paths.folder} is over, its engine had nothing left to run", WHAT_TO_DO
        )
    from tui.wiring.daemonize import last_words  # only when something failed

    words = (
        last_words(paths, settings.log_dir).removeprefix("tradedeck: ") or f"it ended with exit code {code}"
    )
    kind = _FAILURES.get(code, InvariantBroken)
    return kind(f"the engine could not start: {words}", f"Its log is in {_log(paths, settings)}")


def _log(paths: "StatePaths", settings: "Settings") -> Path:
    from tui.wiring.daemonize import log_folder  # 20 ms

    return log_folder(paths, settings.log_dir)
