"""The console and the daemon: what `tradedeck` itself runs."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from engine.errors import ConfigError, UsageError
from tui.commands.common import Given, check_files
from tui.commands.output import Stopped, say

if TYPE_CHECKING:
    from storage.paths import StatePaths
    from tui.commands.opening import OwnEngine
    from tui.console_config import Glance
    from tui.options import ConsoleOptions, Opening
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
    has_console = not wanted.no_ui and wanted.picture is None
    if has_console:
        require_terminal()
    _refuse_mixed(wanted)
    check_files(*wanted.data, wanted.vix, wanted.spy)
    if not has_console:
        _run_unseen(at, wanted)
    elif wanted.demo or wanted.first is not None:
        _console_with_engine(at, wanted)
    else:
        from tui.commands import attaching  # keeps --help quick

        attaching.attach_or_start(at, wanted)


def _run_unseen(at: Given, wanted: Wanted) -> None:
    """The daemon, or one picture."""
    settings = _settings(at, wanted)
    if wanted.picture is not None and is_live(wanted):
        raise UsageError("a picture is made of a replay or the demo", "Add --demo, or --replay DAY")
    if wanted.picture is None:
        # What is refused is in the log too, where a service's operator looks.
        start_log(settings.log_dir)
    from tui.wiring.garbage import put_off  # keeps --help quick

    with put_off():
        runtime = _runtime(at, settings, wanted, say)
        if wanted.picture is not None:
            _draw(runtime, wanted.picture)
        else:
            _daemon(runtime, wanted, at.config)
    say(f"state kept in {runtime.state.folder}")


def _settings(at: Given, wanted: Wanted) -> "Settings":
    """The checked config of a run, with its keys where it has a console."""
    settings = at.settings({"engine.headless_policy": wanted.policy})
    if not wanted.no_ui:
        check_console_keys(settings)
    return settings


def require_terminal() -> None:
    """Raises UsageError where there is nothing to draw on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "the console needs a terminal, and standard input or output is none",
            "Run it in a terminal, or use --no-ui or the commands of tradedeck --help",
        )


def is_live(wanted: Wanted) -> bool:
    """Neither made up nor stored: what trades now."""
    return not wanted.demo and wanted.first is None


def live_state(at: Given) -> "StatePaths":
    """The state that live prices write: the person's own, or the one named, made where it is missing."""
    from storage.paths import folder_state  # keeps --help quick
    from storage.simulations import LATEST

    return at.paths if at.state in (None, LATEST) else folder_state(at.home, Path(at.state or ""))


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


def _runtime(at: Given, settings: "Settings", wanted: Wanted, narrate: Callable[[str], None]) -> "Runtime":
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
    state = live_state(at) if is_live(wanted) else new_state(at)
    options = RunOptions(settings, at.home, state, policy, FULL, notifiers=(LogNotifier(),))
    if is_live(wanted):
        from tui.redaction import hide
        from tui.wiring import live

        return live.build_live(options, os.environ, narrate, hide)
    if wanted.demo:
        from tui.wiring import demo

        return demo.build_demo(options, demo.DemoOptions(wanted.seed, finite, waits))
    from tui.wiring import replay
    from tui.wiring.market import BarInputs

    assert wanted.first is not None  # noqa: S101 - checked by the caller
    inputs = BarInputs(wanted.data, wanted.vix, wanted.spy)
    days = replay.ReplayOptions(wanted.first, None, inputs, finite, GapFill.GAP, waits, in_ticks=True)
    return replay.build(options, days, narrate)


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


def _console_with_engine(at: Given, wanted: Wanted) -> None:
    """The engine and the console on one loop; the engine outlives the console until it is drained."""
    import asyncio  # keeps --help quick

    from tui.commands.opening import OwnEngine, kill_switch_waits, show
    from tui.wiring.garbage import put_off

    _refuse_early(at, wanted)
    options = console_options(at.glance(), wanted, _opening(wanted), own_engine=True)
    notes: list[str] = []

    def make() -> "Runtime":
        return _runtime(at, _settings(at, wanted), wanted, notes.append)

    engine = OwnEngine(make, lambda runtime: runtime.options.settings.log_dir or runtime.state.folder / "log")

    async def go() -> None:
        with kill_switch_waits():
            try:
                await show(engine.open, options)
            finally:
                await engine.end()

    try:
        with put_off():
            asyncio.run(go())
    except KeyboardInterrupt:
        raise Stopped(_kept(engine)) from None
    finally:
        # Said while the console was shown, they would have been lost under it.
        for note in notes:
            say(note)
    say(_kept(engine))


def _kept(engine: "OwnEngine") -> str:
    if engine.runtime is None:
        return "closed before the engine began, nothing was kept"
    return f"state kept in {engine.runtime.state.folder}"


def _refuse_early(at: Given, wanted: Wanted) -> None:
    """What was typed is looked at before the console opens, as far as that is quick."""
    if at.state is not None:
        from storage.lock import require_free  # keeps --help quick

        require_free(new_state(at).lock)
    if wanted.policy is not None:
        _settings(at, wanted)


def _opening(wanted: Wanted) -> "Opening":
    """What the console says until its engine has begun."""
    from tui.options import Opening  # keeps --help quick

    what = "Starting the demo market" if wanted.demo else f"Reading the bars of {wanted.first}"
    account = "demo" if wanted.demo else "replay"
    return Opening(
        lambda: what, "The engine is not running yet. Nothing is sent before it is.", "simulation", account
    )


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


def console_options(
    glance: "Glance",
    manner: Manner,
    opening: "Opening",
    *,
    own_engine: bool = False,
    view_only: bool = False,
) -> "ConsoleOptions":
    """The config's and the command line's wishes."""
    from tui.options import ConsoleOptions  # keeps --help quick

    console = glance.console
    return ConsoleOptions(
        plain=manner.plain,
        no_mouse=manner.no_mouse,
        low_bandwidth=manner.low_bandwidth,
        reduce_motion=console.reduce_motion,
        bell=console.bell,
        opening=opening,
        theme=console.theme.value,
        graph=_graph(console.graph, os.environ.get("TERM", "")),
        keys=glance.keys,
        own_engine=own_engine,
        view_only=view_only,
    )


def _graph(chosen: "Graph", terminal: str) -> "Graph":
    """The font of a Linux console has no braille."""
    from tui.widgets.charts.graph import Graph  # keeps --help quick

    return Graph.BLOCK if terminal == "linux" and chosen is Graph.BRAILLE else chosen
