"""The audit log: is it whole, and what followed from one candidate."""

from typing import Annotated

import typer

from tui.commands.common import ConfigOption, JsonOption, StateOption, given
from tui.commands.output import say, write_json, write_line

audits = typer.Typer(help="The hash-chained audit log.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    audits.command("verify")(verify)
    audits.command("trace")(trace)
    app.add_typer(audits, name="audit")


def verify(
    context: typer.Context,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Check the whole chain; exit 65 names the first broken row."""
    from tui.stored import verify_audit  # the database: 0.1 s

    verdicts = verify_audit(given(context, config, state).paths)
    if as_json:
        write_json(
            {
                name: {
                    "ok": verdict.ok,
                    "rows": verdict.rows,
                    "first_broken_seq": verdict.first_broken_seq,
                    "head": verdict.head,
                }
                for name, verdict in verdicts.items()
            }
        )
    for name, verdict in verdicts.items():
        if not verdict.ok:
            say(
                f"{name}: audit row {verdict.first_broken_seq} does not fit the chain. "
                f"{verdict.rows:,} rows before it are whole. Keep the file and restore a backup"
            )
        elif not as_json:
            write_line(f"{name}: {verdict.rows:,} rows, chain whole, head {verdict.head}")
    if not all(verdict.ok for verdict in verdicts.values()):
        raise typer.Exit(65)


def trace(
    context: typer.Context,
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Ticket, order or correlation id.")],
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Everything that followed from one candidate, in order of time."""
    from engine.model.text import clean  # keeps --help quick
    from tui import format
    from tui.stored import trace as read_trace

    lines = read_trace(given(context, config, state).paths, identifier)
    if as_json:
        write_json([{"ts": line.ts, "table": line.table, **line.values} for line in lines])
        return
    for line in lines:
        when = "-" if line.ts is None else format.clock_utc(line.ts)
        told = "  ".join(f"{key}={value}" for key, value in line.values.items() if value is not None)
        cut = clean(told)
        more = "… (--json shows all)" if len(told) > len(cut) else ""
        write_line(f"{when:9}  {line.table:12}  {cut}{more}")
