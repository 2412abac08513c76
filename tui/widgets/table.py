"""A table on the line API: columns that leave when it gets narrow, sorting, flashes, old values marked."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

from tui.options import ConsoleOptions
from tui.shown.deck import DeckView
from tui.widgets.columns import Column, Placed, fit_columns
from tui.widgets.ink import Line, Span, cut, cut_text, width_of
from tui.widgets.look import Look
from tui.widgets.rowspane import RowsPane

Row = TypeVar("Row")
_Width = tuple[int, int]
"""Characters before the decimal point, and from it on; where points are not aligned, all before it."""

IN_TURN = 40
"""Rows out of sight that are measured in one picture."""
_QUIETED = frozenset({"", "-up", "-down", "-strong", "-stale"})
"""Inks that a passive row does without."""


class Cell(NamedTuple):
    """`text` in one ink, or ready `spans`. `value`: a change of it lights the cell up; None never does.

    Made for every cell in sight of every picture and compared with the one before: a tuple is the quickest.
    """

    text: str = ""
    ink: str = ""
    value: float | None = None
    spans: Line | None = None


class _Slot(NamedTuple):
    """A column that is shown, as its cells are drawn."""

    id: str
    width: int
    right: bool
    behind: int | None
    """Characters behind the decimal point in an aligned column, the point included."""


class _Drawn(NamedTuple):
    """A row as it was drawn in the picture before."""

    cells: list[Cell]
    passive: bool
    slots: tuple[_Slot, ...]
    is_lit: bool
    """Whether a cell of it was lit: it goes out with time alone."""
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Sort(Generic[Row]):
    """An order of rows: `key` rises from the first row to the last."""

    name: str
    """As the title says it: `score ▼`."""
    key: Callable[[Row], object]


class TablePane(RowsPane[Row], Generic[Row]):
    """One line a row. Subclasses name the columns and say what stands in a cell."""

    columns: tuple[Column, ...] = ()
    sorts: tuple[Sort[Row], ...] = ()
    """What `o` goes through; the first is the one to begin with, none leaves the rows as they come."""

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(options, id=id)
        self._placed: tuple[Placed, ...] = ()
        self._slots: tuple[_Slot, ...] = ()
        self._drawn: dict[str, _Drawn] = {}
        """Row key -> as it stands in the picture that is made now."""
        self._drawn_before: dict[str, _Drawn] = {}
        self._placed_for: object = None
        """What `_placed` follows from."""
        self._behind: dict[str, int] = {}
        """Characters behind the decimal point in an aligned column, the point included."""
        self._sort = 0
        self._measured: tuple[DeckView, bool] | None = None
        """Of which picture `_numbers` are, and whether its values are old."""
        self._numbers: dict[str, int] = {}
        """How wide the longest number of a column is."""
        self._widths: dict[str, tuple[Row, tuple[_Width, ...]]] = {}
        """Row key -> the row as it was measured, and its numbers."""
        self._shapes: Counter[tuple[_Width, ...]] = Counter()
        """How many rows have such numbers: few shapes stand for many rows."""
        self._turn = 0
        """Place of the first row of those out of sight that are measured in this picture."""

    # What a subclass says.

    def table(self, look: Look) -> Sequence[Row]:
        """All rows, in the order of the engine."""
        raise NotImplementedError

    def cell(self, row: Row, column: str, look: Look, width: int) -> Cell:
        """What stands in a column; a text too long for it ends in `…`.

        How long a number is follows from its row, and from whether values are old, alone.
        """
        raise NotImplementedError

    def is_shown(self, column: Column, rows: Sequence[Row], look: Look) -> bool:
        """False for a column that has nothing to show in any row: it gives its room to others."""
        return True

    def is_passive(self, row: Row, look: Look) -> bool:
        """Passive rows are muted, numbers in them too."""
        return False

    # The rest is the table's.

    @property
    def sort_words(self) -> str:
        """`sort score ▼`; "" where there is one order only."""
        return f"sort {self.sorts[self._sort].name}" if len(self.sorts) > 1 else ""

    def cycle_sort(self) -> bool:
        """Sort by the next column."""
        if len(self.sorts) < 2:
            return False
        self._sort = (self._sort + 1) % len(self.sorts)
        self._steady.reset()
        if self._look is not None:
            self._arrange(self._look)
        self.redraw()
        return True

    def rows(self, look: Look) -> Sequence[Row]:
        rows = self.table(look)
        if not self.sorts:
            return rows
        return sorted(rows, key=self.sorts[self._sort].key)  # type: ignore[arg-type]  # a key of a row

    @property
    def _gap(self) -> int:
        return 1 if self.compact else 2

    def prepare(self, width: int, look: Look) -> None:
        if self._order:
            # Below the title and the heads: what a key brings into sight is measured before it is drawn.
            self._scroll(self.size.height - 2)
        rows = [self._rows[key] for key in self._order]
        shown = [column for column in self.columns if not rows or self.is_shown(column, rows, look)]
        self._measure(look)
        self._place_columns(shown, width)
        self._drawn_before, self._drawn = self._drawn, {}

    def _place_columns(self, shown: Sequence[Column], width: int) -> None:
        gap = self._gap
        placed_for = (shown, width, gap, self._numbers, self._behind)
        if placed_for == self._placed_for:
            return
        self._placed_for = placed_for
        self._placed = fit_columns(
            [replace(column, width=max(column.width, self._numbers.get(column.id, 0))) for column in shown],
            width,
            gap,
        )
        self._slots = tuple(
            _Slot(at.column.id, at.width, at.column.right, self._behind.get(at.column.id))
            for at in self._placed
        )

    def _measure(self, look: Look) -> None:
        """A column of numbers is as wide as its longest one: a number is never cut, its column leaves.

        All rows count, also those out of sight or filtered away: columns keep their places. Only rows that
        changed are looked at, and of many that are out of sight some in each picture.
        """
        view, stale = self._measured or (None, None)
        if stale is not look.stale:
            self._widths, self._shapes = {}, Counter()
        self._measured = (look.view, look.stale)
        numbers = [column for column in self.columns if column.right and not column.stretch]
        if numbers and self._measure_rows(numbers, look, IN_TURN if view is not look.view else 0):
            self._numbers, self._behind = {}, {}
            for column, widths in zip(numbers, zip(*self._shapes, strict=True), strict=False):
                self._numbers[column.id] = self._longest(column, widths)

    def _measure_rows(self, numbers: Sequence[Column], look: Look, in_turn: int) -> bool:
        """Whether a number is longer or shorter than before."""
        rows, known, shapes = self._all, self._widths, set(self._shapes)
        due = self._order[self._top : self._top + self.size.height]
        keys = list(rows)
        first = self._turn = (self._turn + in_turn) % max(len(keys), 1)
        due += keys[first : first + in_turn] + keys[: max(first + in_turn - len(keys), 0)]
        if known.keys() != rows.keys():
            for key in known.keys() - rows.keys():
                self._forget_shape(known.pop(key)[1])
            due += rows.keys() - known.keys()
        for key in due:
            row, before = rows[key], known.get(key)
            if before is not None:
                if before[0] is row or before[0] == row:
                    continue
                self._forget_shape(before[1])
            widths = self._widths_of(row, numbers, look)
            known[key] = (row, widths)
            self._shapes[widths] += 1
        return self._shapes.keys() != shapes

    def _forget_shape(self, widths: tuple[_Width, ...]) -> None:
        self._shapes[widths] -= 1
        if not self._shapes[widths]:
            del self._shapes[widths]

    def _longest(self, column: Column, widths: Sequence[_Width]) -> int:
        if not column.aligned:
            return max(widths)[0]
        heads, tails = zip(*widths, strict=True)
        behind = self._behind[column.id] = max(tails)
        # What has no point is padded by all that stands behind those of others, an empty text is not.
        longest = max(heads)
        return longest + behind if longest or behind else 0

    def _widths_of(self, row: Row, numbers: Sequence[Column], look: Look) -> tuple[_Width, ...]:
        found = []
        for column in numbers:
            text = self.cell(row, column.id, look, column.width).text
            tail = _behind_point(text) if column.aligned else 0
            found.append((len(text) - tail, tail))
        return tuple(found)

    def head(self, width: int, look: Look) -> Line:
        cells: list[Line] = []
        for at in self._placed:
            head = cut_text(at.column.head, at.width)
            cells.append((Span(head.rjust(at.width) if at.column.right else head.ljust(at.width), "-muted"),))
        return self._join(cells)

    def draw(self, row: Row, width: int, look: Look, *, selected: bool) -> list[Line]:
        """A row that says what it said is not drawn again."""
        slots, key, passive = self._slots, self.key(row), self.is_passive(row, look)
        cells = [self.cell(row, slot.id, look, slot.width) for slot in slots]
        known = self._drawn_before.get(key)
        if known is None or known.is_lit or known[:3] != (cells, passive, slots):
            known = self._draw_row(key, cells, passive=passive)
        self._drawn[key] = known
        return known.lines

    def _draw_row(self, key: str, cells: list[Cell], *, passive: bool) -> _Drawn:
        line = _Joined()
        gap, now, is_lit = " " * self._gap, self._options.now(), False
        for at, (slot, cell) in enumerate(zip(self._slots, cells, strict=True)):
            if at:
                line.add(gap)
            if cell.spans is not None:
                _add_spans(line, slot, cell.spans)
                continue
            ink = "-muted" if passive and cell.ink in _QUIETED else cell.ink
            lit = self.flashes.ink(key, slot.id, cell.value, cell.text, now)
            if lit:
                ink, is_lit = f"{ink} {lit}".strip(), True
            _add_text(line, slot, cell.text, ink)
        return _Drawn(cells, passive, self._slots, is_lit, [line.end()])

    def _join(self, cells: Sequence[Line]) -> Line:
        gap = Span(" " * self._gap)
        line: list[Span] = []
        for at, cell in enumerate(cells):
            line += [gap, *cell] if at else cell
        return tuple(line)


class _Joined:
    """A line in the making: neighbors in the same ink are one span."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._texts: list[str] = []
        self._ink = ""

    def add(self, text: str, ink: str = "") -> None:
        if ink != self._ink:
            self._flush()
            self._ink = ink
        self._texts.append(text)

    def end(self) -> Line:
        self._flush()
        return tuple(self._spans)

    def _flush(self) -> None:
        if text := "".join(self._texts):
            self._spans.append(Span(text, self._ink))
        self._texts.clear()


def _add_spans(line: _Joined, slot: _Slot, spans: Line) -> None:
    kept = cut(spans, slot.width)
    missing = " " * (slot.width - width_of(kept))
    if slot.right:
        line.add(missing)
    for span in kept:
        line.add(span.text, span.ink)
    if not slot.right:
        line.add(missing)


def _add_text(line: _Joined, slot: _Slot, text: str, ink: str) -> None:
    """Padded on the right so that the points of the column stand in one line."""
    words = text.rstrip()
    shown = cut_text(words, slot.width)
    free = slot.width - len(shown)
    if not slot.right:
        line.add(shown, ink)
        line.add(" " * free)
        return
    behind = len(text) - len(words)
    if slot.behind is not None and text:
        behind += slot.behind - _behind_point(text)
    tail = min(behind, free)
    line.add(" " * (free - tail))
    line.add(shown, ink)
    line.add(" " * tail)


def _behind_point(text: str) -> int:
    """Characters from the decimal point on; a text without a point has none."""
    at = text.rfind(".")
    return 0 if at < 0 else len(text) - at
