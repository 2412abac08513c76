"""The console on an engine in another process: one that runs, or one that is started for it."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.errors import Busy
from tui.commands.common import ConfigOption, Given, StateOption, given
from tui.commands.output import Stopped, say
from tui.commands.running import Manner, console_options, require_terminal

if TYPE_CHECKING:
    from storage.paths import StatePaths
    from tui.commands.reaching import Door, Reaching
    from tui.link import Link
    from tui.server.attach import AttachServer

_ATTACHING = "It trades on by its own rules until it answers this console."
_STARTING = "It reads its books first. Nothing is sent before that is done."


@dataclass(frozen=True, slots=True)
class Manners:
    """The wishes typed behind `attach`."""

    plain: bool
    no_mouse: bool
    low_bandwidth: bool


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
    found = _typed_door(at, socket, view) if socket else _running_door(at, view)
    if found is None or not found.path.exists():
        raise _nobody(at, socket)
    from tui.commands.reaching import Reaching  # keeps --help quick

    reaching = Reaching(at, found)

    async def opening() -> "Link":
        link = await reaching.reach()
        if link is None:
            raise _nobody(at, socket)
        return link

    _show(at, reaching, opening, Manners(plain, no_mouse, low_bandwidth), _ATTACHING)


def _nobody(at: Given, socket: Path | None) -> Busy:
    where = f"on {socket}" if socket else f"on {at.paths.folder}" if at.state else "here"
    return Busy(f"no engine runs {where}", "To start one: tradedeck --demo, or tradedeck --no-ui --demo")


def attach_or_start(at: Given, manner: Manner) -> None:
    """Plain `tradedeck`: the engine that runs, else the one that ran on the state last, started again.

    Raises UsageError where there is nothing that could be started.
    """
    from tui.commands.reaching import Reaching, recalled  # keeps --help quick

    found = _running_door(at, False)
    is_there = found is not None and found.path.exists()
    if not is_there:
        recalled(at)
    reaching = Reaching(at, found or _door_of(at, at.paths, False), is_there)

    async def opening() -> "Link":
        link = await reaching.reach() if is_there else None
        return link or await reaching.start()

    _show(at, reaching, opening, manner, _ATTACHING if is_there else _STARTING)


def _typed_door(at: Given, socket: Path, view: bool) -> "Door":
    from storage.paths import StatePaths  # keeps --help quick
    from tui.commands.reaching import Door

    only_looks = view or socket.name == StatePaths(Path(), at.home).view_socket.name
    back = f"tradedeck attach --socket {socket}{' --view' if view else ''}"
    return Door(socket, back, None, only_looks)


def _running_door(at: Given, view: bool) -> "Door | None":
    """That of the state that was named; else of the first that runs: the person's own, then simulations."""
    from storage.lock import lock_holder  # keeps --help quick
    from storage.paths import folder_state
    from storage.simulations import list_simulations

    if at.state is not None:
        return _door_of(at, at.paths, view)
    newest_first = reversed(list_simulations(at.home))
    states = [at.paths, *(folder_state(at.home, folder) for folder in newest_first)]
    running = next((paths for paths in states if lock_holder(paths.lock) is not None), None)
    return None if running is None else _door_of(at, running, view)


def _door_of(at: Given, paths: "StatePaths", view: bool) -> "Door":
    from tui.commands.reaching import Door  # keeps --help quick

    named = f" --state {at.state}" if at.state else ""
    socket = paths.view_socket if view else paths.socket
    return Door(socket, f"tradedeck{named} attach{' --view' if view else ''}", paths, view)


def _show(
    at: Given,
    reaching: "Reaching",
    opening: "Callable[[], Coroutine[Any, Any, Link]]",
    manner: Manner,
    why: str,
) -> None:
    """The console until the person leaves, and how they come back."""
    import asyncio  # keeps --help quick

    from tui.commands.opening import show
    from tui.options import Opening
    from tui.wiring.garbage import put_off

    options = console_options(
        at.glance(), manner, Opening(reaching.words, why), view_only=reaching.door.view_only
    )

    async def go() -> str:
        try:
            await show(opening, options)
        finally:
            said = _parting(reaching)
            if reaching.link is not None:
                await reaching.link.close()
        return said

    try:
        with put_off():
            said = asyncio.run(go())
    except KeyboardInterrupt:
        raise Stopped(_parting(reaching)) from None
    say(f"Console closed. {said}")


def _parting(reaching: "Reaching") -> str:
    link, command = reaching.link, reaching.door.command
    if link is None:
        now = "goes on starting" if reaching.spawned else "was not reached yet"
        return f"The engine {now}: {command}"
    from tui.shown.deck import LinkState  # keeps --help quick

    pid = "" if link.engine_pid is None else f" (pid {link.engine_pid})"
    if link.is_attached:
        return f"The engine runs on{pid}: {command}"
    if link.state is LinkState.ENDED:
        return "The engine had ended before; its books are kept"
    return f"The engine{pid} did not answer any more. When it runs: {command}"
