"""Brackets from the shell: cancel the rest of an entry, close a position."""

import re
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import DataError, UsageError
from tui.commands import asking
from tui.commands.common import ConfigOption, Given, JsonOption, StateOption, given, me
from tui.commands.output import keeping, say

if TYPE_CHECKING:
    from engine.model.commands import CancelEntry, ClosePosition
    from tui.link import Link
    from tui.shown.deck import BracketView, DeckView

_NAME = re.compile(r"(?:B-)?(?P<number>\d{1,9})|(?:td-?)?(?P<ulid>[0-9A-HJKMNP-TV-Z]{4,26})", re.IGNORECASE)
BracketArgument = Annotated[str, typer.Argument(metavar="ID", help="B-12, 12, or the id of its ticket.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking, and without a terminal.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("cancel")(cancel)
    app.command("close")(close)


def cancel(
    context: typer.Context,
    bracket: BracketArgument,
    yes: YesOption = False,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Cancel the rest of a working entry; what is held keeps its stop and target."""
    from tui.bracketwords import cancel_words, why_no_cancel  # keeps --help quick

    at = given(context, config, state)
    _need_a_terminal("cancel", yes)
    row = _find(at, bracket)
    _refuse(why_no_cancel(row))
    words = " ".join(cancel_words(row))
    if yes or _confirmed(row, words, "Cancel the entry of", "Nothing was cancelled"):
        from engine.model.commands import CancelEntry  # keeps --help quick

        _give(at, CancelEntry(row.ticket, me()), as_json)


def close(
    context: typer.Context,
    bracket: BracketArgument,
    yes: YesOption = False,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Sell what a bracket holds; its stop and target are cancelled first."""
    from tui.bracketwords import sale_words, why_no_close, worst_words  # keeps --help quick

    at = given(context, config, state)
    _need_a_terminal("close", yes)
    row = _find(at, bracket)
    _refuse(why_no_close(row))
    words = f"{sale_words(row)}. {worst_words(row)}"
    if yes or _confirmed(row, words, "Close", "Nothing was sold"):
        from engine.model.commands import ClosePosition  # keeps --help quick

        _give(at, ClosePosition(row.ticket, me()), as_json)


def _need_a_terminal(name: str, yes: bool) -> None:
    if not yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            f"{name} needs a terminal to ask in, or --yes",
            "Look at the bracket with tradedeck orders, then add --yes",
        )


def _find(at: Given, name: str) -> "BracketView":
    """The bracket named B-12, 12 or by its ticket. Raises UsageError for a name that no bracket has."""
    match = _NAME.fullmatch(name.strip())
    if match is None:
        raise UsageError(f"{name!r} is not the id of a bracket", "Write it like B-12")

    async def look(link: "Link") -> "DeckView":
        return await link.deck()

    rows = asking.with_engine(at, look).brackets
    if match["number"]:
        found = [row for row in rows if row.number == int(match["number"])]
    else:
        found = [row for row in rows if row.ticket.startswith(match["ulid"].upper())]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"B-{row.number}" for row in rows if row.phase != "closed") or "none"
    why = "no bracket is" if not found else f"{len(found)} brackets are"
    raise UsageError(f"{why} named {name}", f"Open now: {names}")


def _refuse(why: str) -> None:
    if why:
        raise DataError(why, "Look at it with tradedeck orders")


def _confirmed(row: "BracketView", words: str, question: str, kept: str) -> bool:
    """Whether the person said yes to what was shown."""
    from engine.model.text import clean  # keeps --help quick
    from tui.bracketwords import name_of

    with keeping(kept):
        say(clean(f"{name_of(row)}: {words}"))
        if typer.confirm(f"{question} B-{row.number}?", default=False, err=True):
            return True
    say(kept)
    return False


def _give(at: Given, command: "CancelEntry | ClosePosition", as_json: bool) -> None:
    """Give the command, show the answer and leave with its exit code."""
    with keeping("The engine may have carried it out: look with tradedeck orders"):
        answer = asking.with_engine(at, lambda link: link.give(command))
    asking.end(answer, as_json, {"ticket": command.ticket})
