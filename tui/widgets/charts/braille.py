"""A canvas of dots: 2x4 a cell in braille, 1x2 in half blocks and in ASCII."""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from tui.widgets.charts.graph import Graph


@dataclass(frozen=True, slots=True)
class Pen:
    """How many dots a cell has and what each combination of them looks like."""

    across: int
    down: int
    bits: tuple[tuple[int, ...], ...]
    """[column of the cell][row of the cell] -> bit of that dot."""
    glyphs: str
    """Character of each combination, a blank for none."""


PENS = {
    Graph.BRAILLE: Pen(
        2,
        4,
        ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80)),
        " " + "".join(chr(0x2800 + dots) for dots in range(1, 256)),
    ),
    Graph.BLOCK: Pen(1, 2, ((1, 2),), " ▀▄█"),
    Graph.ASCII: Pen(1, 2, ((1, 2),), " '.:"),
}


class Canvas:
    """Dots over `width` x `height` cells; (0, 0) is the upper left dot."""

    def __init__(self, width: int, height: int, graph: Graph) -> None:
        self._pen = PENS[graph]
        self._cells = [bytearray(width) for _ in range(height)]
        # One table a column of the cell: the bits of the dots first..last of it.
        self._runs = [
            [
                [sum(bits[first : last + 1]) for last in range(self._pen.down)]
                for first in range(self._pen.down)
            ]
            for bits in self._pen.bits
        ]
        self.across, self.down = width * self._pen.across, height * self._pen.down

    def column(self, x: int, top: int, bottom: int) -> None:
        """Dots top..bottom (both drawn) of one column of dots."""
        at, side = divmod(x, self._pen.across)
        runs, down = self._runs[side], self._pen.down
        first, start = divmod(top, down)
        last, end = divmod(bottom, down)
        if first == last:
            self._cells[first][at] |= runs[start][end]
            return
        self._cells[first][at] |= runs[start][down - 1]
        full = runs[0][down - 1]
        for y in range(first + 1, last):
            self._cells[y][at] |= full
        self._cells[last][at] |= runs[0][end]

    def rows(self) -> list[str]:
        """The cells as text, one string a row."""
        glyph = self._pen.glyphs.__getitem__
        return ["".join(map(glyph, row)) if any(row) else " " * len(row) for row in self._cells]


Column = tuple[int, int]
"""Top and bottom dot of one column of dots."""
Place = tuple[int, int, int]
"""The dots a line passes in one column: the highest, the lowest and the last one in time."""


def curve(places: Sequence[Place | None], breaks: Container[int]) -> list[Column | None]:
    """Columns of dots that join the places of a line from column to column.

    None is a gap; a column in `breaks` is not joined to the one before it.
    """
    columns: list[Column | None] = []
    before: int | None = None
    for x, place in enumerate(places):
        if place is None:
            columns.append(None)
            before = None
            continue
        top, bottom, last = place
        if before is not None and x not in breaks:
            # A steep line stays one dot wide: the columns meet, they do not overlap.
            if before < top - 1:
                top = before + 1
            elif before > bottom + 1:
                bottom = before - 1
        columns.append((top, bottom))
        before = last
    return columns


def places_of(dots: Sequence[int | None], across: int) -> tuple[list[Place | None], set[int]]:
    """Evenly spaced dots over `across` columns, and the columns before which the line breaks.

    Fewer dots than columns are joined by straight lines, of more each column holds the highest and lowest.
    """
    count = len(dots)
    if count > across:
        return _bucketed(dots, across)
    places: list[Place | None] = [None] * across
    if count == 1:
        places[-1] = None if dots[0] is None else (dots[0],) * 3
        return places, set()
    step = (across - 1) / (count - 1)
    for at, dot in enumerate(dots):
        if dot is None:
            continue
        x = round(at * step)
        places[x] = (dot, dot, dot)
        following = dots[at + 1] if at + 1 < count else None
        if following is not None:
            end = round((at + 1) * step)
            slope = (following - dot) / (end - x)
            for between in range(x + 1, end):
                places[between] = (round(dot + slope * (between - x)),) * 3
    return places, set()


def _bucketed(dots: Sequence[int | None], across: int) -> tuple[list[Place | None], set[int]]:
    places: list[Place | None] = []
    breaks: set[int] = set()
    count = len(dots)
    for x in range(across):
        bucket = dots[x * count // across : (x + 1) * count // across]
        present = [dot for dot in bucket if dot is not None]
        places.append((min(present), max(present), present[-1]) if present else None)
        if len(present) < len(bucket):
            if bucket[0] is None:
                breaks.add(x)
            if bucket[-1] is None:
                breaks.add(x + 1)
    return places, breaks
