"""A table on the line API: columns that leave when it gets narrow, sorting, flashes, old values marked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from tui.options import ConsoleOptions
from tui.shown.deck import DeckView
from tui.widgets.columns import Column, Placed, fit_columns
from tui.widgets.ink import Line, Span, cut, cut_text, over, pad, width_of
from tui.widgets.look import Look
from tui.widgets.rowspane import RowsPane

Row = TypeVar("Row")


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

    # What a subclass says.

    def table(self, look: Look) -> Sequence[Row]:
        """All rows, in the order of the engine."""
        raise NotImplementedError

    def cell(self, row: Row, column: str, look: Look, width: int) -> Cell:
        """What stands in a column; a text too long for it ends in `…`."""
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

        All rows are looked at, also those out of sight or filtered away: columns keep their places.
        """
        measured = (look.view, look.stale)
        if self._measured is not None and self._measured[0] is look.view and self._measured[1] is look.stale:
            return
        self._measured, self._numbers, self._behind = measured, {}, {}
        numbers = [column for column in self.columns if column.right and not column.stretch]
        rows = self.table(look) if numbers else ()
        for column in numbers if rows else ():
            texts = [self.cell(row, column.id, look, column.width).text for row in rows]
            if column.aligned:
                self._behind[column.id] = max(map(_behind_point, texts))
                texts = [self._aligned(text, column.id) for text in texts]
            self._numbers[column.id] = max(map(len, texts))

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
        lit = self.flashes.ink(self.key(row), at.column.id, cell.value, self._options.now())
        body = over((Span(cut_text(text.rstrip(), at.width), ink),), lit)
        if not at.column.right:
            return pad(body, at.width)
        tail = " " * min(len(text) - len(text.rstrip()), at.width - width_of(body))
        return (Span(" " * (at.width - width_of(body) - len(tail))), *body, Span(tail))

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
    if text in ("", "–", "-"):
        return 0
    at = text.rfind(".")
    return 0 if at < 0 else len(text) - at
