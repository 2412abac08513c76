"""A table on the line API: columns that leave when it gets narrow, sorting, flashes, old values marked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Generic, TypeVar

from tui.options import ConsoleOptions
from tui.shown.deck import DeckView
from tui.widgets.columns import Column, Placed, fit_columns
from tui.widgets.ink import Line, Span, cut, cut_text, width_of
from tui.widgets.look import Look
from tui.widgets.rowspane import RowsPane

Row = TypeVar("Row")
_Width = tuple[int, int]
"""Characters before the decimal point, and from it on; where points are not aligned, all before it."""

IN_TURN = 100
"""Rows out of sight that are measured in one picture."""


@dataclass(frozen=True, slots=True)
class Cell:
    """`text` in one ink, or ready `spans`. `value`: a change of it lights the cell up; None never does."""

    text: str = ""
    ink: str = ""
    value: float | None = None
    spans: Line | None = None


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
        self._behind: dict[str, int] = {}
        """Characters behind the decimal point in an aligned column, the point included."""
        self._sort = 0
        self._measured: tuple[DeckView, bool] | None = None
        """Of which picture `_numbers` are, and whether its values are old."""
        self._numbers: dict[str, int] = {}
        """How wide the longest number of a column is."""
        self._widths: dict[str, tuple[Row, tuple[_Width, ...]]] = {}
        """Row key -> the row as it was measured, and its numbers."""
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
        rows = [self._rows[key] for key in self._order]
        shown = [column for column in self.columns if not rows or self.is_shown(column, rows, look)]
        self._measure(look)
        self._placed = fit_columns(
            [replace(column, width=max(column.width, self._numbers.get(column.id, 0))) for column in shown],
            width,
            self._gap,
        )

    def _measure(self, look: Look) -> None:
        """A column of numbers is as wide as its longest one: a number is never cut, its column leaves.

        All rows count, also those out of sight or filtered away: columns keep their places. Only rows that
        changed are looked at, and of many that are out of sight some in each picture.
        """
        measured = self._measured
        if measured is not None and measured[0] is look.view and measured[1] is look.stale:
            return
        before = self._widths if measured is not None and measured[1] is look.stale else {}
        self._measured, self._numbers, self._behind = (look.view, look.stale), {}, {}
        numbers = [column for column in self.columns if column.right and not column.stretch]
        self._widths = {}
        rows = self.table(look) if numbers else ()
        in_sight = set(self._order[self._top : self._top + self.size.height])
        first = self._turn = (self._turn + IN_TURN) % max(len(rows), 1)
        for place, row in enumerate(rows):
            key = self.key(row)
            known = before.get(key)
            is_due = key in in_sight or (place - first) % len(rows) < IN_TURN
            if known is None or (is_due and known[0] is not row and known[0] != row):
                known = (row, self._widths_of(row, numbers, look))
            self._widths[key] = known
        each = zip(*(widths for _, widths in self._widths.values()), strict=True)
        for column, widths in zip(numbers, each, strict=False):
            self._numbers[column.id] = self._longest(column, widths)

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
        passive = self.is_passive(row, look)
        return [self._join([self._drawn(row, at, look, passive=passive) for at in self._placed])]

    def _drawn(self, row: Row, at: Placed, look: Look, *, passive: bool) -> Line:
        cell = self.cell(row, at.column.id, look, at.width)
        if cell.spans is not None:
            line = cut(cell.spans, at.width)
            missing = Span(" " * (at.width - width_of(line)))
            return (missing, *line) if at.column.right else (*line, missing)
        ink = cell.ink
        if passive and ink in ("", "-up", "-down", "-strong", "-stale"):
            ink = "-muted"
        text = self._aligned(cell.text, at.column.id)
        lit = self.flashes.ink(self.key(row), at.column.id, cell.value, cell.text, self._options.now())
        words = text.rstrip()
        shown = cut_text(words, at.width)
        body = Span(shown, f"{ink} {lit}".strip() if lit else ink)
        free = at.width - len(shown)
        if not at.column.right:
            return (body, _blank(free)) if free else (body,)
        tail = min(len(text) - len(words), free)
        return (_blank(free - tail), body, _blank(tail)) if tail else (_blank(free), body)

    def _aligned(self, text: str, column: str) -> str:
        """Padded on the right so that the points of the column stand in one line."""
        behind = self._behind.get(column)
        return text if behind is None or not text else text + " " * (behind - _behind_point(text))

    def _join(self, cells: Sequence[Line]) -> Line:
        gap = Span(" " * self._gap)
        line: list[Span] = []
        for at, cell in enumerate(cells):
            line += [gap, *cell] if at else cell
        return tuple(line)


def _behind_point(text: str) -> int:
    """Characters from the decimal point on; a text without a point has none."""
    at = text.rfind(".")
    return 0 if at < 0 else len(text) - at


@lru_cache
def _blank(width: int) -> Span:
    return Span(" " * width)
