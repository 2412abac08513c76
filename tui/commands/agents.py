"""The eight agents from the shell: how they are, and start, pause, resume or stop of one."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tui.commands import asking
from tui.commands.common import ConfigOption, JsonOption, StateOption, given
from tui.commands.output import Column, write_json, write_table

if TYPE_CHECKING:
    from pathlib import Path


AGENTS = (
    Column("name", "agent"),
    Column("state", "state"),
    Column("vote", "last vote"),
    Column("judged", "judged"),
    Column("failures", "failures"),
    Column("words", "reason"),
)
agents = typer.Typer(help="The eight agents.", rich_markup_mode=None, invoke_without_command=True)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="screener, forecaster, …")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    agents.callback()(show)
    agents.command("start")(start)
    agents.command("pause")(pause)
    agents.command("resume")(resume)
    agents.command("stop")(stop)
    app.add_typer(agents, name="agents")


def show(
    context: typer.Context,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """State, last verdict, time and error of every agent."""
    if context.invoked_subcommand is not None:
        return
    document = asking.read_books(given(context, config, state), "agents")
    if as_json:
        write_json(document)
    elif isinstance(document, list):
        write_table([_row(each) for each in document], AGENTS)


def _row(agent: dict[str, Any]) -> dict[str, Any]:
    from tui import format  # keeps --help quick

    words = agent["error"] if agent["state"] in ("error", "failed") else agent["reason"]
    judged = agent["judged_us"]
    return {**agent, "judged": "–" if judged is None else format.clock_utc(judged), "words": words}


def start(
    context: typer.Context,
    name: NameArgument,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Start a stopped or failed agent anew."""
    _steer(context, name, "start", as_json, state, config)


def pause(
    context: typer.Context,
    name: NameArgument,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Pause an agent: while a voter is paused nothing is proposed."""
    _steer(context, name, "pause", as_json, state, config)


def resume(
    context: typer.Context,
    name: NameArgument,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Let a paused agent go on."""
    _steer(context, name, "resume", as_json, state, config)


def stop(
    context: typer.Context,
    name: NameArgument,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Stop an agent: while a voter is stopped nothing is proposed."""
    _steer(context, name, "stop", as_json, state, config)


def _steer(
    context: typer.Context,
    name: str,
    move: str,
    as_json: bool,
    state: str | None,
    config: "Path | None",
) -> None:
    asking.end(asking.steer(given(context, config, state), name, move), as_json)
