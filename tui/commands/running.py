"""The console and the daemon: what `tradedeck` itself runs."""

import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from engine.errors import ConfigError, UsageError
from tui.commands.common import Given, check_files, me
from tui.commands.output import keeping, say

if TYPE_CHECKING:
    from storage.paths import StatePaths
    from tui.link import Link
    from tui.options import ConsoleOptions
    from tui.settings import Settings
    from tui.widgets.charts.graph import Graph
    from tui.wiring.daemonize import Start
    from tui.wiring.runtime import Runtime

SESSION_S = 23_400
REPLAY_SPEED = SESSION_S / 60
"""Market seconds a second: a session in a minute (SPEC 11.5)."""
DEMO_SPEED = 120.0
"""A session in 195 seconds: time to look at what trades inside it."""
WHAT_TO_DO = "Try tradedeck --demo, or replay real days: tradedeck --replay 2016-01-04 --data FILE"
FIRST_FRAME_S = 0.5
"""What loads later than this does not delay the console's first picture."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The options of `tradedeck` itself. `speed` in market seconds a second, inf for no waiting."""

    demo: bool
    seed: int | None
    first: date | None
    data: tuple[Path, ...]
    vix: Path | None
    spy: Path | None
    speed: float | None
    """None: that of the market."""
    policy: str | None
    no_ui: bool
    plain: bool
    no_mouse: bool
    low_bandwidth: bool
    picture: Path | None


def new_state(at: Given) -> "StatePaths":
    """The state a replay writes: the one named, made where it is missing, else a new simulation."""
    from storage.paths import folder_state  # keeps --help quick
    from storage.simulations import LATEST, new_simulation

    if at.state is None:
        return new_simulation(at.home, time.time_ns() // 1000)
    return at.paths if at.state == LATEST else folder_state(at.home, Path(at.state))


def run(at: Given, wanted: Wanted) -> None:
    """Run the console, or the daemon. Raises UsageError where it cannot run here."""
    if not wanted.no_ui and wanted.picture is None:
        require_terminal()
    _refuse_mixed(wanted)
    check_files(*wanted.data, wanted.vix, wanted.spy)
    settings = at.settings({"engine.headless_policy": wanted.policy})
    if not wanted.no_ui:
        check_console_keys(settings)
    if not wanted.demo and wanted.first is None:
        if wanted.no_ui:
            raise UsageError("no live market source exists in this release", WHAT_TO_DO)
        from tui.commands import attaching  # keeps --help quick

        attaching.attach_or_start(at, settings, wanted)
        return
    if wanted.no_ui and wanted.picture is None:
        # What is refused is in the log too, where a service's operator looks.
        start_log(settings.log_dir)
    from tui.wiring.garbage import put_off  # keeps --help quick

    with put_off():
        runtime = _runtime(at, settings, wanted)
        if wanted.picture is not None:
            _draw(runtime, wanted.picture)
        elif wanted.no_ui:
            _daemon(runtime, wanted, at.config)
        else:
            _console_with_engine(runtime, wanted)
    say(f"state kept in {runtime.state.folder}")


def require_terminal() -> None:
    """Raises UsageError where there is nothing to draw on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "the console needs a terminal, and standard input or output is none",
            "Run it in a terminal, or use --no-ui or the commands of tradedeck --help",
        )


def _refuse_mixed(wanted: Wanted) -> None:
    """One market at a time: what the demo tells never mixes with what really was."""
    others = {
        "--replay": wanted.first is not None,
        "--data": bool(wanted.data),
        "--vix": wanted.vix is not None,
        "--spy": wanted.spy is not None,
    }
    clash = next((name for name, given in others.items() if given), None)
    if wanted.demo and clash is not None:
        raise UsageError(
            f"--demo cannot be combined with {clash}: its market is made up", "Leave out one of the two"
        )
    if wanted.seed is not None and not wanted.demo:
        raise UsageError("--seed is the seed of --demo", "Add --demo, or leave it out")


def check_console_keys(settings: "Settings") -> None:
    """Raises ConfigError for a key of the person's own that no action has, or two have."""
    from tui.actions import ACTIONS, clash  # keeps --help quick
    from tui.settings import check_keys

    check_keys(settings, [action.id for action in ACTIONS], clash(settings.config.keys))


def _runtime(at: Given, settings: "Settings", wanted: Wanted) -> "Runtime":
    """The engine on the market that was asked for."""
    from engine.execution.matching import GapFill  # the engine and its libraries: 1 s
    from engine.execution.policies import PolicyName
    from engine.notify.log import LogNotifier
    from engine.risk.limits import FULL
    from tui.wiring.runtime import RunOptions

    policy = settings.config.engine.headless_policy
    if not wanted.no_ui and wanted.policy is None:
        # A person sits at the console; the policy of the config is for when nobody does.
        policy = PolicyName.HOLD
    speed = wanted.speed or (DEMO_SPEED if wanted.demo else REPLAY_SPEED)
    finite = None if speed == float("inf") else speed
    waits = policy is PolicyName.HOLD
    options = RunOptions(settings, at.home, new_state(at), policy, FULL, notifiers=(LogNotifier(),))
    if wanted.demo:
        from tui.wiring import demo

        return demo.build_demo(options, demo.DemoOptions(wanted.seed, finite, waits))
    from tui.wiring import replay
    from tui.wiring.market import BarInputs

    assert wanted.first is not None  # noqa: S101 - checked by the caller
    inputs = BarInputs(wanted.data, wanted.vix, wanted.spy)
    days = replay.ReplayOptions(wanted.first, None, inputs, finite, GapFill.GAP, waits, in_ticks=True)
    return replay.build(options, days, say)


def _daemon(runtime: "Runtime", wanted: Wanted, config: Path | None) -> None:
    import asyncio  # keeps --help quick

    from tui import headless
    from tui.commands.attaching import door
    from tui.server.attach import AttachServer
    from tui.wiring.daemonize import remember
    from tui.wiring.garbage import settle_soon

    def open_door() -> AttachServer:
        settle_soon()
        remember(runtime.state, start_of(wanted, config))
        return door(runtime.link, runtime.state)

    asyncio.run(headless.run(runtime, open_door, os.environ))


def start_of(wanted: Wanted, config: Path | None) -> "Start":
    """What starts the same engine again, from any folder."""
    from tui.wiring.daemonize import Start  # keeps --help quick

    def full(path: Path | None) -> str | None:
        return None if path is None else str(path.absolute())

    return Start(
        demo=wanted.demo,
        seed=wanted.seed,
        replay=None if wanted.first is None else wanted.first.isoformat(),
        data=tuple(str(path.absolute()) for path in wanted.data),
        vix=full(wanted.vix),
        spy=full(wanted.spy),
        speed=None if wanted.speed is None else str(wanted.speed),
        policy=wanted.policy,
        config=full(config),
    )


def _draw(runtime: "Runtime", path: Path) -> None:
    """The Desk at the first decision, as a person would find it."""
    import asyncio  # keeps --help quick

    from tui.picture import console_picture  # Textual: 0.3 s

    async def go() -> str:
        await runtime.start()
        try:
            await runtime.run_until_waiting()
            return await console_picture(runtime.link)
        finally:
            await runtime.stop()

    picture = asyncio.run(go())
    try:
        path.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", "Name another file") from error


def _console_with_engine(runtime: "Runtime", wanted: Wanted) -> None:
    """The engine and the console on one loop; the engine outlives the console until it is drained."""
    import asyncio  # keeps --help quick

    options = runtime.options
    start_log(options.settings.log_dir or options.state.folder / "log")

    async def go() -> None:
        await runtime.start()
        async with _reachable(runtime.link, options.state):
            try:
                await show(runtime.link, console_options(options.settings, wanted, own_engine=True))
            finally:
                await runtime.stop()

    with keeping(f"State kept in {options.state.folder}"):
        asyncio.run(go())


@asynccontextmanager
async def _reachable(link: "Link", state: "StatePaths") -> AsyncIterator[None]:
    """While inside, other shells may look and act: the kill switch works from each of them."""
    import asyncio  # keeps --help quick

    door = asyncio.create_task(_serve(link, state))
    try:
        yield
    finally:
        door.cancel()
        await asyncio.wait({door})
    if not door.cancelled():
        door.result()


async def _serve(link: "Link", state: "StatePaths") -> None:
    import asyncio  # keeps --help quick

    await asyncio.sleep(FIRST_FRAME_S)
    from engine.errors import Busy, StorageError
    from tui import logs
    from tui.commands.attaching import door  # websockets and msgspec: 0.1 s

    server = door(link, state)
    try:
        await server.start()
        await asyncio.Event().wait()
    except (Busy, StorageError) as error:
        # The console itself works without: its keys, the file HALT and SIGUSR1 halt.
        logs.logger(__name__).warning("other shells cannot reach this engine", reason=str(error))
    finally:
        await server.stop()


def start_log(folder: Path | None) -> None:
    """Log to files in `folder`, or to stdout. Raises ConfigError for a folder that cannot be written."""
    from tui import logs  # keeps --help quick

    try:
        logs.start(folder)
    except OSError as error:
        raise ConfigError(
            f"the log cannot be written in {folder}: {error.strerror}",
            "Set engine.log_dir to a folder of your own",
        ) from error


class Manner(Protocol):
    """How the person wants the console to behave; `Wanted` is one."""

    @property
    def plain(self) -> bool: ...
    @property
    def no_mouse(self) -> bool: ...
    @property
    def low_bandwidth(self) -> bool: ...


async def show(link: "Link", options: "ConsoleOptions") -> None:
    """The console on a link, until the person leaves."""
    from tui.app import run_console  # Textual: 0.3 s, and never in the daemon
    from tui.wiring.garbage import settle_soon

    settle_soon()
    await run_console(link, actor=me(), options=options)


def console_options(
    settings: "Settings", manner: Manner, *, own_engine: bool = False, view_only: bool = False
) -> "ConsoleOptions":
    """The config's and the command line's wishes."""
    from tui.options import ConsoleOptions  # keeps --help quick

    console = settings.config.console
    return ConsoleOptions(
        plain=manner.plain,
        no_mouse=manner.no_mouse,
        low_bandwidth=manner.low_bandwidth,
        reduce_motion=console.reduce_motion,
        bell=console.bell,
        theme=console.theme.value,
        graph=_graph(console.graph, os.environ.get("TERM", "")),
        keys=settings.config.keys,
        own_engine=own_engine,
        view_only=view_only,
    )


def _graph(chosen: "Graph", terminal: str) -> "Graph":
    """The font of a Linux console has no braille."""
    from tui.widgets.charts.graph import Graph  # keeps --help quick

    return Graph.BLOCK if terminal == "linux" and chosen is Graph.BRAILLE else chosen
