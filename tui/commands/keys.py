"""Keys of venues and data sources: kept, listed and removed. No value is ever shown or logged here."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from engine.errors import Busy, ConfigError, UsageError
from tui.commands.common import ConfigOption, JsonOption, given
from tui.commands.output import Column, say, write_json, write_table

if TYPE_CHECKING:
    from engine.model.secrets import KeyKind, Place, Secret
    from storage.paths import Home
    from storage.secrets import KeyBook, KeyPlace, WritablePlace

DAY_US = 86_400_000_000
keys = typer.Typer(help="Keys of venues and data sources.", rich_markup_mode=None)
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Like alpaca.key_id; keys list has all.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    # A value behind the name must reach us, to be refused without repeating it.
    keys.command("set", context_settings={"allow_extra_args": True})(set_)
    keys.command("list")(list_)
    keys.command("rm")(rm)
    app.add_typer(keys, name="keys")


def set_(
    context: typer.Context,
    name: NameArgument,
    encrypted: Annotated[
        bool, typer.Option("--encrypted", help="Keep it in keys.enc, under a passphrase.")
    ] = False,
    keyring: Annotated[bool, typer.Option("--keyring", help="Keep it in the desktop's keyring.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Keep a key: its value is typed unseen, or read from standard input."""
    from engine.model.secrets import Place, key_kind  # keeps --help quick

    if context.args:
        raise UsageError(
            "a value never stands on the command line: it would stay in the shell's history and in ps",
            "Type tradedeck keys set NAME and give it when asked, or pipe it in. If it was a real key, make"
            " a new one at the provider",
        )
    if encrypted and keyring:
        raise UsageError("--encrypted and --keyring are two places", "Name one of them")
    kind = key_kind(name)
    at = given(context, config, None)
    book = _book(at.home)
    wanted = Place.ENCRYPTED if encrypted else Place.KEYRING if keyring else Place.FILE
    place = _writable(book, wanted)
    secret = _read_value(kind)
    if why := kind.why_not(secret.reveal()):
        raise UsageError(
            f"that cannot be {kind.name}: {why}", "Nothing was kept. Copy it anew from the provider"
        )
    with _one_at_a_time(at.home):
        place.put(kind.name, secret, _now_us())
    winner = _holders(book, kind)[0]
    say(f"{kind.name} is kept in the {wanted.value}. A running engine reads it at its next start")
    if winner is not wanted:
        say(f"The {winner.value} holds {kind.name} too and wins: remove it there")
    if as_json:
        write_json({"name": kind.name, "place": wanted.value, "used_from": winner.value})


def list_(context: typer.Context, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """Every key that there can be: where it comes from, and how old it is."""
    from engine.model.secrets import KEYS, REMIND_AFTER_DAYS  # keeps --help quick

    at = given(context, config, None)
    book, now_us = _book(at.home), _now_us()
    held = {place.place: place.names() for place in book.places}
    rows: list[dict[str, object]] = []
    for kind in KEYS.values():
        found = [place for place, names in held.items() if kind.name in names]
        set_us = held[found[0]][kind.name] if found else None
        age = None if set_us is None else max(now_us - set_us, 0) // DAY_US
        rows.append(
            {
                "name": kind.name,
                "from": found[0].value if found else None,
                "also_in": [place.value for place in found[1:]],
                "age_days": age,
                "remind": age is not None and age > REMIND_AFTER_DAYS,
                "for": kind.words,
            }
        )
    if as_json:
        write_json(rows)
        return
    columns = [
        Column("name", "NAME"),
        Column("from", "FROM"),
        Column("age_days", "DAYS"),
        Column("for", "FOR"),
    ]
    write_table([{**row, "from": row["from"] or "not set"} for row in rows], columns)
    for row in rows:
        if row["also_in"]:
            others = " and the ".join(map(str, row["also_in"]))  # type: ignore[call-overload]
            say(f"{row['name']} is in the {others} too, where it is not used")
        if row["remind"]:
            say(f"{row['name']} is {row['age_days']} days old: make a new one at the provider and set it")


def rm(
    context: typer.Context, name: NameArgument, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """Forget a key, wherever it can be forgotten from here."""
    from engine.model.secrets import key_kind  # keeps --help quick

    kind = key_kind(name)
    at = given(context, config, None)
    book = _book(at.home)
    removed: list[str] = []
    with _one_at_a_time(at.home):
        for place in book.places:
            if kind.name in place.names() and (writable := _as_writable(place)) is not None:
                writable.remove(kind.name)
                removed.append(place.place.value)
    left = [place.value for place in _holders(book, kind)]
    if not removed and not left:
        raise UsageError(f"no place holds {kind.name}", "tradedeck keys list shows what is kept")
    for where in removed:
        say(f"{kind.name} is gone from the {where}. If it is no longer used, revoke it at the provider too")
    for where in left:
        say(f"{kind.name} is still in the {where}, which is not ours to change")
    if as_json:
        write_json({"name": kind.name, "removed_from": removed, "still_in": left})


def _book(home: "Home") -> "KeyBook":
    from tui.redaction import hide  # these two keep --help quick
    from tui.wiring.keys import open_keys

    return open_keys(home, os.environ, warn=say, learned=hide)


def _writable(book: "KeyBook", wanted: str) -> "WritablePlace":
    for place in book.places:
        if place.place == wanted and (writable := _as_writable(place)) is not None:
            return writable
    raise ConfigError(
        "the package keyring is not installed here", "pipx inject tradedeck keyring, or keep it in the file"
    )


def _as_writable(place: "KeyPlace") -> "WritablePlace | None":
    from storage.secrets import Keyring, LockedFile, PlainFile  # keeps --help quick

    return place if isinstance(place, PlainFile | LockedFile | Keyring) else None


def _holders(book: "KeyBook", kind: "KeyKind") -> list["Place"]:
    return [place.place for place in book.places if kind.name in place.names()]


def _read_value(kind: "KeyKind") -> "Secret":
    """Typed without an echo at a terminal, else everything that standard input holds less one line break."""
    from engine.model.secrets import LONGEST, Secret  # these two keep --help quick
    from tui.wiring.keys import ask_unseen

    if not sys.stdin.isatty():
        text = sys.stdin.read(LONGEST + 2)
        return Secret(text.removesuffix("\n").removesuffix("\r"))
    secret = ask_unseen(f"{kind.name} ({kind.words}), it is not shown: ")
    if secret is None:
        raise UsageError("the value cannot be typed unseen at this terminal", "Pipe it into the command")
    return Secret(secret.reveal().strip())


@contextmanager
def _one_at_a_time(home: "Home") -> Iterator[None]:
    """Two commands at once would each write what it read before the other."""
    from storage.lock import StateLock  # these two keep --help quick
    from storage.paths import make_private

    folder = make_private(home.config)
    try:
        lock = StateLock.acquire(folder / "keys.lock")
    except Busy as error:
        raise Busy(f"another command changes the keys in {folder} now", "Try again") from error
    with lock:
        yield


def _now_us() -> int:
    return time.time_ns() // 1000
