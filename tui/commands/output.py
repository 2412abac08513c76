"""How a command speaks: JSON or a plain table on stdout, narration on stderr."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import typer


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

    def show(self, done: int, total: int) -> None:
        """How far it is."""
        if self._is_on:
            self.clear()
            self._shown = f"{done:,} of {total:,}"
            typer.echo(self._shown, err=True, nl=False)

    def clear(self) -> None:
        """Make room for a line."""
        if self._shown:
            typer.echo("\r" + " " * len(self._shown) + "\r", err=True, nl=False)
            self._shown = ""


def write_json(document: object) -> None:
    """The one document of a command, on stdout."""
    _write(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def write_table(rows: Sequence[Mapping[str, object]], columns: Mapping[str, str]) -> None:
    """Rows under heads (key -> head), numbers to the right; texts from outside are cleaned."""
    cells = [list(columns.values()), *([_cell(row.get(key)) for key in columns] for row in rows)]
    numeric = [rows != [] and all(_is_number(row.get(key)) for row in rows) for key in columns]
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


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    from engine.model.text import clean  # keeps --help quick

    return clean(str(value))


def _is_number(value: object) -> bool:
    if value is None:
        return True
    try:
        float(str(value))
    except ValueError:
        return False
    return not isinstance(value, bool)


def _write(text: str) -> None:
    try:
        typer.echo(text)
    except BrokenPipeError:
        # The reader has what it wanted (`| head`). Nothing more may be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
