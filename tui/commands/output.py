"""How a command speaks: JSON or a plain table on stdout, narration on stderr."""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

import typer

from engine.errors import StorageError


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `look`: the function of `tui.format` that writes its numbers; "": as they are."""

    key: str
    head: str
    look: str = ""


class Stopped(Exception):
    """Ctrl-C; `kept` says what stays."""

    def __init__(self, kept: str) -> None:
        super().__init__(kept)
        self.kept = kept


@contextmanager
def keeping(kept: str) -> Iterator[None]:
    """Turn Ctrl-C inside the block into one line that says what was kept."""
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(kept) from None


def say(text: str) -> None:
    """One line for the person, on stderr."""
    typer.echo(text, err=True)


class Progress:
    """A count that redraws itself on stderr, on a terminal only."""

    def __init__(self) -> None:
        self._is_on = sys.stderr.isatty()
        self._shown = ""
        self._what = ""
        self._begun = 0.0

    def show(self, done: int, total: int) -> None:
        """How far it is."""
        if self._is_on:
            self.clear()
            self._shown = f"{done:,} of {total:,}"
            typer.echo(self._shown, err=True, nl=False)

    def pace(self, what: str, done: int, total: int) -> None:
        """How far it is, how quickly it goes, and how long the rest will take at that pace."""
        if not self._is_on:
            return
        now = time.monotonic()
        if what != self._what:
            self._what, self._begun = what, now
        taken = now - self._begun
        words = f"{done:,} of {total:,} {what}"
        if done and taken > 0:
            left = round(taken / done * (total - done))
            words += f"   {done / taken:.1f} {what}/s   {left // 60}m {left % 60:02d}s left"
        self.clear()
        self._shown = f"{words}   ctrl-c stops"
        typer.echo(self._shown, err=True, nl=False)

    def clear(self) -> None:
        """Make room for a line."""
        if self._shown:
            typer.echo("\r" + " " * len(self._shown) + "\r", err=True, nl=False)
            self._shown = ""


def write_json(document: object) -> None:
    """The one document of a command, on stdout."""
    _write(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def write_table(rows: Sequence[Mapping[str, object]], columns: Sequence[Column]) -> None:
    """Rows under heads, numbers to the right; texts from outside are cleaned."""
    cells = [[column.head for column in columns]]
    cells += [[_cell(row.get(column.key), column.look) for column in columns] for row in rows]
    numeric = [all(_is_number(row.get(column.key)) for row in rows) for column in columns]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        padded = (
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(line, widths, numeric, strict=True)
        )
        _write("  ".join(padded).rstrip())


def write_fields(document: Mapping[str, object]) -> None:
    """One value a line."""
    width = max(map(len, document), default=0)
    for key, value in document.items():
        _write(f"{key.ljust(width)}  {_cell(value)}")


def write_line(text: str) -> None:
    """One line of plain data on stdout."""
    _write(text)


def _cell(value: object, look: str = "") -> str:
    from engine.model.text import clean  # this and the next keep --help quick
    from tui import format

    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if look:
        number = value if isinstance(value, float | int | Decimal) else Decimal(str(value))
        return str(getattr(format, look)(number))
    return clean(str(value))


def _is_number(value: object) -> bool:
    if value is None:
        return True
    try:
        float(str(value))
    except ValueError:
        return False
    return True


def _write(text: str) -> None:
    try:
        typer.echo(text)
    except BrokenPipeError:
        # The reader has what it wanted (`| head`). Nothing more may be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise StorageError(
            f"standard output cannot be written: {error.strerror}", "Make room there, or write elsewhere"
        ) from error
