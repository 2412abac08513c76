"""The agents' memory: a projection that can be told again from the journals."""

from typing import Annotated

import typer

from tui.commands.common import ConfigOption, JsonOption, StateOption, given
from tui.commands.output import write_json, write_line

memories = typer.Typer(help="The agents' memory.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    memories.command("rebuild")(rebuild)
    app.add_typer(memories, name="memory")


def rebuild(
    context: typer.Context,
    database: Annotated[
        str | None, typer.Option("--db", metavar="URL", help="Another one than engine.db of the config.")
    ] = None,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Tell the memory everything that the state's journals hold and it does not; nothing is changed."""
    from engine.agents.retelling import retell  # the databases: 0.4 s
    from storage.memory import open_memory
    from tui.stored import opened_journal

    at = given(context, config, state)
    place = database or at.settings().config.engine.db or at.paths.memory
    told = {}
    with open_memory(place) as memory:
        for file in at.paths.require_journals():
            with opened_journal(file) as journal:
                told[file.account] = retell(journal, memory)
    if as_json:
        from engine.model.tickets import to_plain  # keeps --help quick

        write_json({account: to_plain(counts) for account, counts in told.items()})
        return
    for account, counts in told.items():
        candidates = f"{counts.signals:,} candidates, {counts.actions:,} actions"
        ends = f"{counts.outcomes:,} outcomes and {counts.steps:,} steps of policy"
        write_line(f"{account}: {candidates}, {ends} were missing and are told")
