"""One scan, printed as a table: what a strategy would look at, and where each candidate was lost."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import typer

from tui.commands.common import (
    ConfigOption,
    DataOption,
    JsonOption,
    RuleOption,
    SpyOption,
    StateOption,
    VixOption,
    check_files,
    given,
    parse_day,
)
from tui.commands.output import Column, keeping, say, write_json, write_line, write_table

CANDIDATES = (
    Column("symbol", "sym"),
    Column("gap_ratio", "gap", "signed_percent"),
    Column("price", "price", "price"),
    Column("q_bounce", "q", "probability"),
    Column("bcs", "BCS", "score"),
    Column("ev_ratio", "EV", "signed_percent"),
    Column("state", "state"),
    Column("margin", "what it lacks"),
)
FUNNEL = (Column("name", "step"), Column("left", "left"), Column("lost", "lost"), Column("words", "mostly"))

scans = typer.Typer(help="Look once, trade nothing.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    scans.command("gaps")(scan_gaps)
    app.add_typer(scans, name="scan")


@scans.callback()
def _scans() -> None:
    pass


def scan_gaps(
    context: typer.Context,
    day: Annotated[
        date | None,
        typer.Option("--date", parser=parse_day, metavar="DAY", help="Session; the newest with bars."),
    ] = None,
    data: DataOption = None,
    vix: VixOption = None,
    spy: SpyOption = None,
    rule: RuleOption = None,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Every stock that opened lower in a session of stored bars, judged as at the open; nothing is kept."""
    files = tuple(data or ())
    check_files(*files, vix, spy)
    at = given(context, config, state)
    settings = at.settings({"gaps.rule": rule})

    import asyncio  # this and the engine with its libraries: 1 s

    from tui.wiring.market import BarInputs
    from tui.wiring.scanning import scan_document

    inputs = BarInputs(files, vix, spy)
    with keeping("Nothing was changed"):
        document = asyncio.run(scan_document(settings, at.paths, inputs, day, say))
    if as_json:
        write_json(document)
    else:
        _write(document)


def _write(document: Mapping[str, Any]) -> None:
    from engine.model.text import clean  # keeps --help quick

    count = document["proposals"]
    why = f": {clean(document['reason'])}" if document["reason"] else ""
    rule = f", rule {document['rule']}" if document["rule"] else ""
    write_line(f"{document['session']}{rule}: {count} proposal{'' if count == 1 else 's'}{why}")
    if document["candidates"]:
        write_line("")
        write_table([_row(one) for one in document["candidates"]], CANDIDATES)
    if document["funnel"]:
        write_line("")
        write_table(document["funnel"], FUNNEL)
    near = document["nearest"]
    if near is not None:
        blocked = near["blocked_by"]
        lacks = f": {blocked['margin']}" if blocked["margin"] else ""
        write_line("")
        write_line(clean(f"nearest: {near['symbol']}, {blocked['name']} {blocked['value']}{lacks}"))


def _row(one: Mapping[str, Any]) -> dict[str, object]:
    blocked = one["blocked_by"] or {}
    state = "ticket" if one["ticket"] else one["reason"]
    return {**one, "state": state, "margin": blocked.get("margin", "")}
