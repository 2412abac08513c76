"""A past decision explained from what is stored, and whether a report is what it was when it was made."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import Busy, DataError, DeckError, UsageError
from tui.commands.common import ConfigOption, Given, JsonOption, StateOption, given, me
from tui.commands.output import say, write_json, write_line

if TYPE_CHECKING:
    from engine.model.commands import Answer
    from storage.memory import SqlMemory
    from storage.signing import PublicKey
    from tui.reporting import Told, Written

REPORT_MAX = 16 * 1024 * 1024
"""Bytes of a report that is read back."""
KEY_MAX = 4096
NameArgument = Annotated[
    str, typer.Argument(metavar="ID | verify | key", help="Ticket, bracket, order or correlation id.")
]
FileArgument = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="With verify: a report.")]
HtmlOption = Annotated[
    Path | None, typer.Option("--html", metavar="FILE|DIR", help="Write the report there, as one HTML page.")
]
MarkdownOption = Annotated[
    bool, typer.Option("--md", help="Markdown on stdout; so it is without --json too.")
]
KeyOption = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", help="With verify: the public key of another installation."),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("report")(report)


def report(
    context: typer.Context,
    name: NameArgument,
    file: FileArgument = None,
    html: HtmlOption = None,
    markdown: MarkdownOption = False,
    key: KeyOption = None,
    as_json: JsonOption = False,
    state: StateOption = None,
    config: ConfigOption = None,
) -> None:
    """Explain a past decision from what is stored; verify FILE checks a report, key prints the public key.

    The decision is worked out again from its stored inputs; exit 65 when anything differs.
    """
    at = given(context, config, state)
    if name == "verify":
        _verify(at, file, key, as_json)
    elif name == "key":
        _print_key(at)
    elif file is not None:
        raise UsageError(
            f"report takes one ID, {file} is one more", "To check a file: tradedeck report verify"
        )
    elif markdown and as_json:
        raise UsageError("--md and --json are two documents on one stdout", "Ask for one at a time")
    else:
        _report(at, name, html, "json" if as_json else "md" if markdown or html is None else "")


def _report(at: Given, name: str, html: Path | None, form: str) -> None:
    from storage.artifacts import write_chosen  # this and the next: 0.5 s with their libraries
    from storage.signing import make_or_read_signing_key
    from tui.reporting import tell, write

    with ExitStack() as opened:
        told = tell(at.paths, name, _memory(at, opened))
    at.home.make()
    signing = make_or_read_signing_key(at.home.signing_key)
    reports = [write(told, one, signing) for one in ("html" if html else "", form) if one]
    for written in reports:
        if written.form == "html" and html is not None:
            say(f"written to {write_chosen(html, written.title, written.content, '.html')}")
        else:
            write_line(written.content.decode().removesuffix("\n"))
    problem = next((found for one in reports if (found := _note(at, told, one)) is not None), None)
    if problem is not None:
        say(f"tradedeck: the report is not in the audit log: {problem}")
    if told.document["verdict"]["differs"]:
        say(told.document["verdict"]["words"])
        raise typer.Exit(DataError.exit_code)
    if problem is not None:
        raise typer.Exit(problem.exit_code)


def _memory(at: Given, opened: ExitStack) -> "SqlMemory | None":
    """The agents' memory, where there is one."""
    place = at.settings().config.engine.db or at.paths.memory
    if isinstance(place, Path) and not place.exists():
        return None
    from storage.memory import open_memory  # the database: 0.5 s

    return opened.enter_context(open_memory(place, read_only=True))


def _note(at: Given, told: "Told", written: "Written") -> DeckError | None:
    """The report's hash goes to the audit log: by the engine that runs, else directly. What kept it out."""
    from engine.model.commands import NoteReport  # keeps --help quick
    from tui.commands.asking import give_if_running
    from tui.reporting import note_directly

    command = NoteReport(written.correlation, written.sha256, written.form, me())
    try:
        answer: Answer | None = give_if_running(at, command)
        if answer is None:
            now_us = time.time_ns() // 1000
            answer = note_directly(at.paths, told.file, written, command.actor, now_us)
    except DeckError as error:
        return error
    return None if answer.ok else Busy(answer.text)


def _print_key(at: Given) -> None:
    from storage.signing import make_or_read_signing_key  # keeps --help quick

    at.home.make()
    write_line(make_or_read_signing_key(at.home.signing_key).public.text)


def _verify(at: Given, file: Path | None, key: Path | None, as_json: bool) -> None:
    if file is None:
        raise UsageError("report verify needs a FILE", "Name the report")
    import hashlib  # this and the next keep --help quick

    from storage.sealed import check_seal
    from tui.reporting import noted, read_file

    keys = _keys(at, key)
    verdict = check_seal(read_file(file, REPORT_MAX), keys)
    sha256 = hashlib.sha256(verdict.body).hexdigest()
    where = noted(at.paths, sha256) if verdict.ok else ""
    if as_json:
        write_json(
            {
                "ok": verdict.ok,
                "problem": verdict.problem,
                "key": verdict.key,
                "sha256": sha256,
                "noted": where,
            }
        )
    elif verdict.ok:
        write_line(f"{file}: signed with key {verdict.key}, unchanged, sha256 {sha256}")
        write_line(f"audit log: {where}" if where else f"not in the audit log of {at.paths.folder}")
    if not verdict.ok:
        say(f"{file}: {verdict.problem}")
        raise typer.Exit(DataError.exit_code)


def _keys(at: Given, other: Path | None) -> "list[PublicKey]":
    """The installation's key, and one that was named. Raises DataError where there is none at all."""
    from storage.signing import read_public, read_signing_key  # keeps --help quick
    from tui.reporting import read_file

    own = read_signing_key(at.home.signing_key)
    keys = [] if own is None else [own.public]
    if other is not None:
        keys.append(read_public(read_file(other, KEY_MAX).decode("ascii", "replace")))
    if not keys:
        raise DataError(
            f"there is no key to check with: {at.home.signing_key} is missing",
            "Restore it, or name a public key with --key",
        )
    return keys
