"""The audit log: is it whole, and what followed from one candidate."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from tui.commands.common import ConfigOption, JsonOption, StateOption, given
from tui.commands.output import say, write_json, write_line

if TYPE_CHECKING:
    from tui.auditing import Report

audits = typer.Typer(help="The hash-chained audit log.", rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    audits.command("verify")(verify)
    audits.command("trace")(trace)
    app.add_typer(audits, name="audit")


def verify(
    context: typer.Context,
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="SEQ:HASH", help="An audit head that the daemon's log kept."),
    ] = None,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Check the whole chain, every approval and the books; exit 65 names the first broken row."""
    from tui import auditing  # the database: 0.1 s

    anchored = None if head is None else auditing.read_head(head)
    reports = auditing.verify(given(context, config, state).paths, anchored)
    if as_json:
        write_json({name: _document(report) for name, report in reports.items()})
    for name, report in reports.items():
        for problem in report.problems:
            say(f"{name}: {problem}")
        if report.chain.ok and not as_json:
            for line in _good(report):
                write_line(f"{name}: {line}")
    if not all(report.ok for report in reports.values()):
        say("Keep the file, and restore a backup")
        raise typer.Exit(65)


def _good(report: "Report") -> Iterator[str]:
    from tui import format  # keeps --help quick

    chain, signed, ledger = report.chain, report.signatures, report.ledger
    yield f"{chain.rows:,} rows, chain whole, head {chain.rows}:{chain.head}"
    if signed is not None and signed.approvals:
        more = f", {signed.unsigned:,} unsigned" if signed.unsigned else ""
        yield f"approvals {signed.approvals:,}, signatures right {signed.checked:,}{more}"
    if ledger is not None and not report.books:
        cash, profit = format.money(ledger.cash), format.signed_money(ledger.realised)
        yield f"books follow from the fills: cash {cash}, realised {profit}, fees {format.money(ledger.fees)}"


def _document(report: "Report") -> dict[str, object]:
    from engine.model.tickets import to_plain  # keeps --help quick

    chain, signed, ledger = report.chain, report.signatures, report.ledger
    return {
        "ok": report.ok,
        "rows": chain.rows,
        "first_broken_seq": chain.first_broken_seq,
        "head": chain.head,
        "problems": list(report.problems),
        "approvals": to_plain(signed),
        "cash": None if ledger is None else to_plain(ledger.cash),
        "realised": None if ledger is None else to_plain(ledger.realised),
        "fees": None if ledger is None else to_plain(ledger.fees),
    }


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
