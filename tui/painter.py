"""What is written to the terminal: only the cells that changed, in the fewest escape codes.

Textual writes a changed line anew from the left edge of its widget, each span with all of its style. Over a
slow line that is ten times what has changed. Here a picture of what the terminal shows is kept, and new lines
are compared with it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from operator import is_not

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

SKIP = 4
"""Unchanged cells between two changed ones that are written again: to jump over them costs as much."""
_RUNS = re.compile(rb"\x01+(?:\x00{1,%d}\x01+)*" % SKIP)
_COLOR_SYSTEMS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
    "windows": ColorSystem.WINDOWS,
}
_SEEN_ON_BLANK = frozenset({"4", "7", "9", "21", "53"})
"""Codes of lines through, under and over a cell, and of exchanged colors."""


@dataclass(frozen=True, slots=True)
class Pen:
    """How a cell is drawn: codes as a terminal takes them, "" for its default."""

    manner: str = ""
    """Bold, reverse and the like."""
    ink: str = ""
    ground: str = ""
    marks_blanks: bool = False
    """Whether even a blank cell shows more than its ground."""

    def after(self, before: "Pen") -> str:
        """The shortest escape code that makes this pen of another one."""
        if self == before:
            return ""
        fresh = ";".join(code for code in ("0", self.manner, self.ink, self.ground) if code)
        if before.manner not in ("", self.manner):
            return f"\x1b[{fresh}m"
        steps = [self.manner] if self.manner != before.manner else []
        steps += [self.ink or "39"] if self.ink != before.ink else []
        steps += [self.ground or "49"] if self.ground != before.ground else []
        return f"\x1b[{min(';'.join(steps), fresh, key=len)}m"


PLAIN = Pen()
Cell = tuple[str, Pen]
_Piece = tuple[int, int, list[Segment]]
"""Row, column and what is drawn from there on."""


class Painter:
    """Of one terminal. Knows what each of its cells shows."""

    def __init__(self) -> None:
        self._rows: dict[int, list[Cell | None]] = {}
        """None: not known."""

    def forget(self) -> None:
        """Somebody else wrote to the terminal."""
        self._rows.clear()

    def least(self, update: CompositorUpdate) -> CompositorUpdate:
        """The same update in fewer codes. It is worked out when it is written, and may be written once."""
        return _Least(self, update) if isinstance(update, ChopsUpdate | LayoutUpdate) else update

    def codes(self, update: ChopsUpdate | LayoutUpdate, system: ColorSystem) -> str:
        """What to write. A whole layout is written in full: that mends whatever a terminal lost."""
        hand = _Hand()
        is_whole = isinstance(update, LayoutUpdate)
        for row, column, segments in _pieces(update):
            cells = _cells(segments, system)
            if cells is None:
                self._rows.pop(row, None)
                hand.write_raw(row, column, segments, system)
                continue
            if not cells:
                continue
            shown = self._rows.setdefault(row, [])
            end = column + len(cells)
            if len(shown) < end:
                shown.extend(repeat(None, end - len(shown)))
            runs = [(0, len(cells))] if is_whole else _changed(shown[column:end], cells)
            shown[column:end] = cells
            for first, last in runs:
                hand.write(row, column + first, cells[first:last])
        return hand.end()


class _Hand:
    """Writes runs of cells one after the other; each begins with the pen of the one before."""

    def __init__(self) -> None:
        self._written: list[str] = []
        self._pen = PLAIN
        self._at = (-1, 0)

    def write(self, row: int, column: int, cells: Sequence[Cell]) -> None:
        written, pen = self._written, self._pen
        written.append(self._move(row, column))
        self._at = (row, column + len(cells))
        chars, pens = zip(*cells, strict=True)
        if pens.count(pen) == len(pens):
            written += chars
            return
        for char, wanted in cells:
            if wanted is not pen and not (char == " " and _looks_same(pen, wanted)):
                written.append(wanted.after(pen))
                pen = wanted
            written.append(char)
        self._pen = pen

    def write_raw(self, row: int, column: int, segments: Sequence[Segment], system: ColorSystem) -> None:
        """Something that does not take one cell a character: as Textual writes it."""
        self._written += (PLAIN.after(self._pen), _absolute(row, column))
        for text, style, _ in segments:
            drawn = text if style is None else Strip.render_style(style, text, color_system=system)
            self._written.append(drawn)
        self._pen, self._at = PLAIN, (-1, 0)

    def end(self) -> str:
        return "".join((*self._written, PLAIN.after(self._pen)))

    def _move(self, row: int, column: int) -> str:
        last_row, last_column = self._at
        if row != last_row or column < last_column:
            return _absolute(row, column)
        ahead = column - last_column
        return f"\x1b[{ahead}C" if ahead else ""


def _absolute(row: int, column: int) -> str:
    return f"\x1b[{row + 1};{column + 1}H"


def _looks_same(one: Pen, other: Pen) -> bool:
    """On a blank cell."""
    return one.ground == other.ground and not (one.marks_blanks or other.marks_blanks)


class _Least(CompositorUpdate):
    """An update that goes through a painter."""

    def __init__(self, painter: Painter, update: ChopsUpdate | LayoutUpdate) -> None:
        self._painter = painter
        self._update = update

    def render_segments(self, console: Console) -> str:
        system = _COLOR_SYSTEMS.get(console.color_system or "", ColorSystem.TRUECOLOR)
        return self._painter.codes(self._update, system)


def _pieces(update: ChopsUpdate | LayoutUpdate) -> Iterator[_Piece]:
    if isinstance(update, LayoutUpdate):
        for row, line in enumerate(update.strips, update.region.y):
            yield row, update.region.x, [segment for strip in line for segment in strip]
        return
    for row, first, last in update.spans:
        for end, (column, strip) in zip(update.chop_ends[row], update.chops[row].items(), strict=False):
            if strip is not None and column < last and end > first:
                yield row, column, list(strip)


def _cells(segments: Sequence[Segment], system: ColorSystem) -> list[Cell] | None:
    """One for each character; None where one does not take exactly a cell, or is a link."""
    cells: list[Cell] = []
    for text, style, _ in segments:
        if (style is not None and style.link) or not _is_single(text):
            return None
        cells.extend(map(_drawn(style, system).__getitem__, text))
    return cells


def _is_single(text: str) -> bool:
    """Whether each character takes one cell."""
    return (text.isascii() and text.isprintable()) or len(text) == cell_len(text)


class _Drawn(dict[str, Cell]):
    """The cells of one pen by their character, each made once: equal ones are known by being the same."""

    def __init__(self, pen: Pen) -> None:
        super().__init__()
        self._pen = pen

    def __missing__(self, char: str) -> Cell:
        cell = self[char] = (char, self._pen)
        return cell


@lru_cache(4096)
def _drawn(style: Style | None, system: ColorSystem) -> _Drawn:
    """The color of a blank is not seen, so that it has a pen of its own."""
    pen, blank = _pens(style, system)
    return _of_pens(pen, blank)


@lru_cache(4096)
def _of_pens(pen: Pen, blank: Pen) -> _Drawn:
    drawn = _Drawn(pen)
    if blank != pen:
        drawn[" "] = _of_pens(blank, blank)[" "]
    return drawn


def _pens(style: Style | None, system: ColorSystem) -> tuple[Pen, Pen]:
    """For a character, and for a blank cell: the color of a blank is not seen."""
    if style is None:
        return PLAIN, PLAIN
    codes = Strip.render_ansi(style, system).split(";")
    manner: list[str] = []
    colors = {"3": "", "4": ""}
    while codes and codes[0]:
        code = codes.pop(0)
        if code in ("38", "48"):
            count = 4 if codes[0] == "2" else 2
            colors[code[0]] = ";".join((code, *codes[:count]))
            del codes[:count]
        elif code.startswith(("3", "9")) and len(code) == 2:
            colors["3"] = code if code != "39" else ""
        elif code.startswith(("4", "10")) and len(code) > 1:
            colors["4"] = code if code != "49" else ""
        else:
            manner.append(code)
    pen = Pen(";".join(manner), colors["3"], colors["4"], not _SEEN_ON_BLANK.isdisjoint(manner))
    return pen, pen if pen.marks_blanks else Pen(ground=pen.ground)


def _changed(old: Sequence[Cell | None], new: Sequence[Cell]) -> list[tuple[int, int]]:
    """From where to where cells differ, near ones together."""
    return [run.span() for run in _RUNS.finditer(bytes(map(is_not, old, new)))]
