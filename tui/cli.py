"""The command line. Imports no library but Typer before a command runs, so that `--help` is instant."""

import os
import resource
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from engine.errors import DeckError
from tui import redaction
from tui.commands import (
    accounts,
    agents,
    attaching,
    audit,
    brackets,
    configs,
    desk,
    features,
    keys,
    memory,
    models,
    policy,
    reports,
    research,
    scan,
    whynot,
)
from tui.commands.common import (
    ConfigOption,
    DataOption,
    Given,
    PolicyOption,
    SpyOption,
    StateOption,
    VixOption,
    parse_day,
)
from tui.commands.output import Stopped, say
from tui.commands.running import Wanted, run
from tui.commands.sparing import spared

INTERRUPTED = 130
INTERNAL = 70
_WRONG_INPUT = frozenset({2, 78})
"""Exit codes of mistakes that a person made: there is nothing in a traceback to look at."""

app = typer.Typer(
    name="tradedeck", rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=False
)


def _version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version  # 20 ms

        typer.echo(f"tradedeck {version('tradedeck')}")
        raise typer.Exit


def _speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not speed > 0:
        raise typer.BadParameter(f"{text!r} is not a number above 0, or inf")
    return speed


@app.callback(invoke_without_command=True)
def console(
    context: typer.Context,
    replay: Annotated[
        date | None,
        typer.Option(
            "--replay", parser=parse_day, metavar="DAY", help="Replay stored days from this one on."
        ),
    ] = None,
    data: DataOption = None,
    vix: VixOption = None,
    spy: SpyOption = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="The built-in simulated market: no keys, no network, no money.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", help="Another demo market; the same one for each N.")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(parser=_speed, metavar="X", help="Market seconds a second; inf: as fast as it goes."),
    ] = None,
    policy: PolicyOption = None,
    state: StateOption = None,
    config: ConfigOption = None,
    no_ui: Annotated[
        bool, typer.Option("--no-ui", help="Daemon: no console, JSON log lines on stdout.")
    ] = False,
    plain: Annotated[bool, typer.Option("--plain", help="ASCII only.")] = False,
    no_mouse: Annotated[bool, typer.Option("--no-mouse", help="Leave the mouse to the terminal.")] = False,
    low_bandwidth: Annotated[bool, typer.Option("--low-bandwidth", help="Fewer redraws.")] = False,
    picture: Annotated[
        Path | None,
        typer.Option("--picture", metavar="FILE", help="Write the first decision of a replay as SVG, leave."),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Trading console: proposes, explains and safely brackets trades that you approve."""
    context.obj = Given(config, state)
    if context.invoked_subcommand is None:
        files = tuple(data or ())
        wanted = Wanted(
            demo, seed, replay, files, vix, spy, speed, policy, no_ui, plain, no_mouse, low_bandwidth, picture
        )
        run(context.obj, wanted)


for _commands in (
    attaching,
    research,
    models,
    desk,
    brackets,
    whynot,
    scan,
    reports,
    features,
    accounts,
    agents,
    policy,
    memory,
    audit,
    configs,
    keys,
):
    _commands.register(app)


def main() -> None:
    """Run the command line and leave with its exit code."""
    _leave_no_memory_behind()
    sys.exit(_guarded())


def _leave_no_memory_behind() -> None:
    """No core dump of this process or its children: it would hold the keys."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    redaction.guard_crashes()


def _guarded() -> int:
    """The application's edge: whatever happens, one line for the person and the rest for the log."""
    try:
        spared(app)()
    except SystemExit as done:
        if done.code == INTERRUPTED:
            say("stopped. Nothing was changed")
        return done.code if isinstance(done.code, int) else 0
    except Stopped as stopped:
        say(f"stopped. {stopped.kept}")
        return INTERRUPTED
    except DeckError as error:
        if error.exit_code not in _WRONG_INPUT:
            _log(error)
        say(f"tradedeck: {redaction.PROCESS.text(str(error))}")
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the edge of the application
        place = _log(error)
        words = redaction.PROCESS.text(f"{type(error).__name__}: {error}")
        say(f"tradedeck: internal error: {words}. Its traceback is in {place}")
        return INTERNAL
    return 0


def _log(error: Exception) -> str:
    """Write the traceback to the log that is open, else to the person's own; says where."""
    import logging  # only when something failed

    from storage.paths import find_home
    from tui import logs

    place = "the log"
    if not logs.is_started():
        folder = find_home(os.environ).state / "log"
        try:
            logs.start(folder)
        except OSError as refused:
            return f"no log: {folder} cannot be written ({refused.strerror})"
        place = str(folder / logs.FILE)
    logging.getLogger(__name__).error("a command failed", exc_info=error)
    return place
