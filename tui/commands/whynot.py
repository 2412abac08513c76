"""Why something was not traded: how each judged candidate ended, and what would have let it pass."""

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import UsageError
from tui.commands.common import ConfigOption, Given, JsonOption, StateOption, given, parse_day
from tui.commands.output import Column, say, write_json, write_line, write_table

if TYPE_CHECKING:
    from engine.model.whynot import WhyNot
    from storage.whynot import SessionTally, WhyNotReader

SHOWN = 5
"""How many sessions of a symbol are told; --json tells all."""
PLAIN_WIDTH = 80
"""Columns where the output is no terminal."""
TALLIES = (
    Column("session", "session"),
    Column("judged", "judged"),
    Column("approved", "approved"),
    Column("rejected", "rejected"),
    Column("expired", "expired"),
    Column("vetoed", "vetoed"),
    Column("gated_out", "gated"),
    Column("waiting", "waits"),
    Column("residual", "left"),
)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("whynot")(whynot)


def whynot(
    context: typer.Context,
    symbol: Annotated[str | None, typer.Argument(metavar="SYMBOL", help="Like ORVX or ORVX.US.")] = None,
    summary: Annotated[bool, typer.Option("--summary", help="How the candidates of each session ended.")] = (
        False
    ),
    session: Annotated[
        date | None, typer.Option("--session", parser=parse_day, metavar="DATE", help="Only this session.")
    ] = None,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Why a symbol was not traded: who said no first, the value, its limit and what was missing."""
    if (symbol is None) != summary:
        raise UsageError("whynot needs a SYMBOL or --summary, and not both", "Try tradedeck whynot --summary")
    with ExitStack() as opened:
        readers = _open(given(context, config, state), opened)
        if symbol is None:
            _summary(readers, session, as_json)
        else:
            _symbol(readers, symbol.strip(), session, as_json)


def _open(at: Given, opened: ExitStack) -> "list[WhyNotReader]":
    from storage.whynot import read_whynot  # the database: 0.1 s

    return [opened.enter_context(read_whynot(file.path)) for file in at.paths.require_journals()]


def _symbol(readers: "Sequence[WhyNotReader]", symbol: str, session: date | None, as_json: bool) -> None:
    found = _find(readers, symbol, session)
    if as_json:
        write_json([_document(row) for row in found])
        return
    if not found:
        from engine.model.text import clean  # keeps --help quick

        earlier = () if session is None else _find(readers, symbol, None)
        on = "" if session is None else f" on {session}"
        more = f"; it was one on {earlier[0].session} last" if earlier else ""
        write_line(f"{clean(symbol)} was no candidate{on}: no strategy had reason to judge it{more}")
        return
    for row in found[:SHOWN]:
        for line in lines_of(row, whole=len(found) == 1):
            write_line(line)
    if len(found) > SHOWN:
        say(f"{len(found) - SHOWN:,} older: --json shows all, --session one of them")


def _find(readers: "Sequence[WhyNotReader]", symbol: str, session: date | None) -> "tuple[WhyNot, ...]":
    """As it was typed, else in capitals."""
    for name in dict.fromkeys((symbol, symbol.upper())):
        found = tuple(row for reader in readers for row in reader.of_symbol(name, session))
        if found:
            return found
    return ()


def lines_of(row: "WhyNot", whole: bool) -> Iterator[str]:
    """One candidate as a person reads it, no wider than the terminal; `whole`: with the full sentence."""
    from engine.model.text import clean  # keeps --help quick

    yield _cut(clean(f"{row.instrument.rpartition('.')[0]}  {row.session}  {_ended(row)}"))
    if row.value or row.limit:
        missing = f": {row.margin}" if row.margin else ""
        yield from _wrapped(clean(f"{row.value}, limit {row.limit}{missing}"))
    if row.reason and (whole or not row.limit):
        yield from _wrapped(clean(row.reason))


def _ended(row: "WhyNot") -> str:
    from engine.model.whynot import Outcome  # keeps --help quick
    from tui import format

    ticket = "" if row.number is None else f" as T-{row.number}"
    when = "" if row.decided_us is None else f", {format.clock_utc(row.decided_us)}"
    match row.outcome:
        case Outcome.VETOED | Outcome.GATED_OUT:
            word = row.outcome.value.replace("_", " ")
            return f"{word} by {row.who}" if row.who else word
        case Outcome.WAITING:
            return f"waits{ticket} for a decision"
        case Outcome.EXPIRED:
            return f"expired{ticket}{when}"
        case _:
            return f"{row.outcome.value}{ticket} by {row.who}{when}"


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else PLAIN_WIDTH


def _cut(line: str) -> str:
    return line if len(line) <= _width() else line[: _width() - 1] + "…"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, max(_width(), 20), initial_indent="  ", subsequent_indent="  ")


def _summary(readers: "Sequence[WhyNotReader]", session: date | None, as_json: bool) -> None:
    tallies = [tally for reader in readers for tally in reader.tallies(session)]
    blockers = _blockers(readers, session) if session is not None else {}
    if as_json:
        document: dict[str, object] = {"sessions": [_tally(tally) for tally in tallies]}
        write_json(document | ({} if session is None else {"blocked_by": blockers}))
        return
    if not tallies:
        write_line("no candidate was judged" + ("" if session is None else f" on {session}"))
        return
    write_table([_tally(tally) for tally in tallies], TALLIES)
    if blockers:
        names = ", ".join(f"{name} {count}" for name, count in blockers.items())
        for line in textwrap.wrap(f"first to say no: {names}", _width()):
            write_line(line)
    left = sum(tally.residual for tally in tallies)
    if left:
        say(f"{left:,} do not add up: the journal was changed, or damaged. Look with tradedeck audit verify")
        raise typer.Exit(65)


def _blockers(readers: "Sequence[WhyNotReader]", session: date) -> Mapping[str, int]:
    """Agents and gates by how many candidates of a session each stopped first."""
    from engine.model.whynot import Outcome  # keeps --help quick

    stopped = (Outcome.VETOED, Outcome.GATED_OUT)
    rows = (row for reader in readers for row in reader.of_session(session))
    return dict(Counter(row.who for row in rows if row.outcome in stopped).most_common())


def _tally(tally: "SessionTally") -> dict[str, object]:
    from engine.model.whynot import Outcome  # keeps --help quick

    counts = {outcome.value: tally.outcomes.get(outcome, 0) for outcome in Outcome}
    return {
        "session": tally.session.isoformat(),
        "judged": tally.judged,
        **counts,
        "residual": tally.residual,
    }


def _document(row: "WhyNot") -> dict[str, object]:
    from engine.model.tickets import to_plain  # keeps --help quick

    document: dict[str, object] = to_plain(row)
    return document | {"symbol": row.instrument.rpartition(".")[0]}
