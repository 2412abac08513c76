"""The console on an engine in another process: one that runs, or one that is started for it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import Busy, ConfigError, DataError, DeckError, InvariantBroken, UsageError
from tui.commands.common import ConfigOption, Given, StateOption, given
from tui.commands.output import keeping, say
from tui.commands.running import (
    WHAT_TO_DO,
    Manner,
    check_console_keys,
    console_options,
    require_terminal,
    show,
    start_log,
)

if TYPE_CHECKING:
    from subprocess import Popen

    from storage.paths import StatePaths
    from tui.link import Link
    from tui.server.attach import AttachServer
    from tui.server.client import RemoteLink
    from tui.settings import Settings

START_S = 60.0
"""How long a daemon may take to open its socket: it reads its books and its bars first."""
LOOK_S = 0.1
"""Between two looks whether it is there."""
_FAILURES: dict[int, type[DeckError]] = {2: UsageError, 65: DataError, 75: Busy, 78: ConfigError}


@dataclass(frozen=True, slots=True)
class Manners:
    """The wishes typed behind `attach`."""

    plain: bool
    no_mouse: bool
    low_bandwidth: bool


@dataclass(frozen=True, slots=True)
class Door:
    """A socket to attach to, and how the person comes back to it."""

    path: Path
    command: str
    log: Path
    view_only: bool = False


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("attach")(attach_command)


def door(link: "Link", state: "StatePaths") -> "AttachServer":
    """The server of a state's two sockets; the engine's own console sees who came through it."""
    from tui.local_link import LocalLink  # websockets and msgspec: 0.1 s
    from tui.server.attach import AttachServer

    server = AttachServer(link, state.socket, state.view_socket)
    if isinstance(link, LocalLink):
        link.guests = server.guests
    return server


def attach_command(
    context: typer.Context,
    view: Annotated[bool, typer.Option("--view", help="Look, never act.")] = False,
    socket: Annotated[
        Path | None, typer.Option("--socket", metavar="FILE", help="This socket, whatever the state.")
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="ASCII only.")] = False,
    no_mouse: Annotated[bool, typer.Option("--no-mouse", help="Leave the mouse to the terminal.")] = False,
    low_bandwidth: Annotated[bool, typer.Option("--low-bandwidth", help="Fewer redraws.")] = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Console on a running engine: the one of --state, else your own, else the newest demo or replay."""
    at = given(context, config, state)
    require_terminal()
    settings = at.settings()
    check_console_keys(settings)
    found = _typed_door(at, socket, view) if socket else _running_door(at, settings, view)
    if found is None or not _attached(found, settings, Manners(plain, no_mouse, low_bandwidth)):
        where = f"on {socket}" if socket else f"on {at.paths.folder}" if at.state else "here"
        raise Busy(f"no engine runs {where}", "To start one: tradedeck --demo, or tradedeck --no-ui --demo")


def attach_or_start(at: Given, settings: "Settings", manner: Manner) -> None:
    """Plain `tradedeck`: the engine that runs, else the one that ran on the state last, started again.

    Raises UsageError where there is nothing that could be started.
    """
    found = _running_door(at, settings, False)
    if found is not None and _attached(found, settings, manner):
        return
    from tui.wiring.daemonize import recall  # keeps --help quick

    start = recall(at.paths)
    if start is None:
        raise UsageError(f"no engine runs on {at.paths.folder}, and none can be started", WHAT_TO_DO)
    _started(at, settings, manner)


def _typed_door(at: Given, socket: Path, view: bool) -> Door:
    from storage.paths import StatePaths  # keeps --help quick

    only_looks = view or socket.name == StatePaths(Path(), at.home).view_socket.name
    back = f"tradedeck attach --socket {socket}{' --view' if view else ''}"
    return Door(socket, back, at.home.state / "log", only_looks)


def _running_door(at: Given, settings: "Settings", view: bool) -> Door | None:
    """That of the state that was named; else of the first that runs: the person's own, then simulations."""
    from storage.lock import lock_holder  # keeps --help quick
    from storage.paths import folder_state
    from storage.simulations import list_simulations

    if at.state is not None:
        return _door_of(at, at.paths, settings, view)
    newest_first = reversed(list_simulations(at.home))
    states = [at.paths, *(folder_state(at.home, folder) for folder in newest_first)]
    running = next((paths for paths in states if lock_holder(paths.lock) is not None), None)
    return None if running is None else _door_of(at, running, settings, view)


def _door_of(at: Given, paths: "StatePaths", settings: "Settings", view: bool) -> Door:
    from tui.wiring.daemonize import log_folder  # keeps --help quick

    named = f" --state {at.state}" if at.state else ""
    socket = paths.view_socket if view else paths.socket
    back = f"tradedeck{named} attach{' --view' if view else ''}"
    return Door(socket, back, log_folder(paths, settings.log_dir), view)


def _attached(found: Door, settings: "Settings", manner: Manner) -> bool:
    """Show the console until the person leaves; False when nobody listens there."""
    import asyncio  # keeps --help quick

    from tui.wiring.garbage import put_off

    async def go() -> bool:
        from tui.server.client import attach  # websockets and msgspec: 0.1 s

        link = await attach(found.path)
        if link is None:
            return False
        await _shown(link, found, settings, manner)
        return True

    with put_off():
        return asyncio.run(go())


async def _shown(link: "RemoteLink", found: Door, settings: "Settings", manner: Manner) -> None:
    # A folder of its own: two processes cannot take turns with one log's files.
    start_log(found.log / "console")
    try:
        await show(link, console_options(settings, manner, view_only=found.view_only))
    finally:
        words = _parting(link, found.command)
        await link.close()
    say(f"Console closed. {words}")


def _parting(link: "RemoteLink", command: str) -> str:
    from tui.shown.deck import LinkState  # keeps --help quick

    pid = "" if link.engine_pid is None else f" (pid {link.engine_pid})"
    if link.is_attached:
        return f"The engine runs on{pid}: {command}"
    if link.state is LinkState.ENDED:
        return "The engine had ended before; its books are kept"
    return f"The engine{pid} did not answer any more. When it runs: {command}"


def _started(at: Given, settings: "Settings", manner: Manner) -> None:
    """Start the daemon of the state again, wait until it listens, attach."""
    import asyncio  # keeps --help quick

    from tui.wiring.daemonize import recall, spawn

    paths, start = at.paths, recall(at.paths)
    assert start is not None  # noqa: S101 - the caller looked
    found = _door_of(at, paths, settings, False)
    process = spawn(paths, start, settings.log_dir)

    async def go() -> None:
        link = await _await_engine(process, paths, settings)
        await _shown(link, found, settings, manner)

    with keeping(f"The engine goes on by itself: {found.command}"):
        asyncio.run(go())


async def _await_engine(process: "Popen[bytes]", paths: "StatePaths", settings: "Settings") -> "RemoteLink":
    """Wait until somebody listens: our daemon, or another that was quicker. Raises what ended ours."""
    import asyncio  # keeps --help quick

    from tui.server.client import attach

    began = time.monotonic()
    with _waiting_line(process.pid) as tell:
        while (waited_s := time.monotonic() - began) < START_S:
            with suppress(Busy):  # it opens its socket a moment before it welcomes anybody
                if (link := await attach(paths.socket)) is not None:
                    return link
            if process.poll() not in (None, Busy.exit_code):
                raise _failure(process.returncode, paths, settings)
            tell(waited_s)
            await asyncio.sleep(LOOK_S)
    raise Busy(
        f"the engine (pid {process.pid}) did not listen within {START_S:g} s and goes on starting",
        f"Its log is in {_log(paths, settings)}. Then: tradedeck attach",
    )


@contextmanager
def _waiting_line(pid: int) -> Iterator[Callable[[float], None]]:
    """One line that counts the seconds on a terminal and is gone when the console opens."""
    shown = ""

    def tell(waited_s: float) -> None:
        nonlocal shown
        words = f"Starting the engine (pid {pid})  {waited_s:.0f} s"
        if words != shown and sys.stderr.isatty():
            typer.echo(f"\r{words}", err=True, nl=False)
            shown = words

    try:
        yield tell
    finally:
        if shown:
            typer.echo("\r" + " " * len(shown) + "\r", err=True, nl=False)


def _failure(code: int, paths: "StatePaths", settings: "Settings") -> DeckError:
    """What ended a daemon before it listened, in its own words and with its own exit code."""
    if code == 0:
        return UsageError(
            f"the market of {paths.folder} is over, its engine had nothing left to run", WHAT_TO_DO
        )
    from tui.wiring.daemonize import last_words  # keeps --help quick

    words = (
        last_words(paths, settings.log_dir).removeprefix("tradedeck: ") or f"it ended with exit code {code}"
    )
    kind = _FAILURES.get(code, InvariantBroken)
    return kind(f"the engine could not start: {words}", f"Its log is in {_log(paths, settings)}")


def _log(paths: "StatePaths", settings: "Settings") -> Path:
    from tui.wiring.daemonize import log_folder  # keeps --help quick

    return log_folder(paths, settings.log_dir)
