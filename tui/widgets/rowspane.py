"""A pane of rows: keyed, selected by identity, with its own scrolling, filter and flashes."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Generic, TypeVar

from textual import events
from textual.geometry import Region

from tui.options import ConsoleOptions
from tui.widgets.flash import FLASH_S, Flashes
from tui.widgets.ink import EMPTY, Line, Span, over, pad
from tui.widgets.look import Look
from tui.widgets.order import SteadyOrder
from tui.widgets.pane import Emptiness, Pane

Row = TypeVar("Row")


class RowsPane(Pane, Generic[Row]):
    """Rows of one kind. Subclasses say what a row is, how high and how it looks."""

    indent = 2
    """Column of the pane where a row's text begins; the cursor stands two before it."""
    follows = False
    """The first row stays in sight while nobody works in the pane: a list of what happened."""

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(options, id=id)
        self.flashes = Flashes(enabled=options.flashes)
        self._all: Mapping[str, Row] = {}
        """Every row by key, also those that a filter hides."""
        self._rows: Mapping[str, Row] = {}
        self._order: list[str] = []
        self._steady = SteadyOrder()
        self._selected: str | None = None
        self._top = 0
        self._is_dimming = False
        """Whether a later redraw puts out cells that are lit."""
        self._at: list[str | None] = []
        """Which row each screen line belongs to."""

    # What a subclass says.

    def rows(self, look: Look) -> Sequence[Row]:
        """In the order wanted."""
        raise NotImplementedError

    def key(self, row: Row) -> str:
        raise NotImplementedError

    def words(self, row: Row) -> str:
        """The text a filter looks through."""
        raise NotImplementedError

    def height_of(self, row: Row) -> int:
        """Lines that `draw` makes of a row."""
        return 1

    def draw(self, row: Row, width: int, look: Look, *, selected: bool) -> list[Line]:
        raise NotImplementedError

    def empty(self, look: Look) -> Emptiness:
        raise NotImplementedError

    def prepare(self, width: int, look: Look) -> None:
        """Before the rows of one picture are drawn: what they have in common is worked out once."""

    def head(self, width: int, look: Look) -> Line | None:
        """The row of column heads; None without columns."""
        return None

    # What a screen does with it.

    @property
    def selected_row(self) -> Row | None:
        """The row that keys act on."""
        return None if self._selected is None else self._rows.get(self._selected)

    @property
    def above(self) -> int:
        """How many rows are out of sight above the first one shown."""
        return self._top if self._order else 0

    @property
    def can_filter(self) -> bool:
        return True

    def take(self, look: Look) -> None:
        """Show a newer picture."""
        self._look = look
        self.flashes.begin_tick()
        self._arrange(look)
        self.redraw()

    def _arrange(self, look: Look) -> None:
        self._all = found = {self.key(row): row for row in self.rows(look)}
        if self.filter:
            found = {key: row for key, row in found.items() if self.filter in self.words(row).lower()}
        now = self._options.now()
        before, place = self._selected, self._place()
        old_order = self._order
        is_other = found.keys() != self._rows.keys()
        self._rows = found
        self._order = list(found) if self.follows else self._steady.arrange(list(found), now, self.key_at)
        if is_other:
            self.flashes.keep(set(found))
        if self.follows and not self.active:
            before = self._selected = None
        if self._selected not in self._rows:
            at = old_order.index(self._selected) if self._selected in old_order else 0
            self._selected = self._order[min(at, len(self._order) - 1)] if self._order else None
        if before is not None and (self._selected != before or self._place() != place):
            self.moved_at = now

    def _place(self) -> int | None:
        return self._order.index(self._selected) if self._selected in self._order else None

    def move(self, step: int) -> None:
        """Select the row `step` further down."""
        at = self._place()
        if at is not None:
            self._select(min(max(at + step, 0), len(self._order) - 1))

    def move_to_end(self, *, last: bool) -> None:
        """Select the first or the last row."""
        if self._order:
            self._select(len(self._order) - 1 if last else 0)

    def select(self, key: str) -> bool:
        """Select a row by identity; False when it is not shown."""
        if key not in self._order:
            return False
        self._select(self._order.index(key))
        return True

    def _select(self, at: int) -> None:
        self._selected = self._order[at]
        self.redraw()

    def set_filter(self, words: str) -> None:
        """Show only rows that contain `words`; "" shows all."""
        self.filter = words.lower()
        if self._look is not None:
            self._arrange(self._look)
        self.redraw()

    # Drawing.

    def content(self, look: Look, width: int, height: int) -> list[Line]:
        self._at = [None]
        inner = width - self.indent - 2
        self.prepare(inner, look)
        head = self.head(inner, look)
        lines: list[Line] = []
        if not self._order:
            empty = self.empty(look)
            if self.filter:
                empty = Emptiness(f"No row matches /{self.filter}", ("esc clears",))
            return self.empty_lines(empty, width, height + 1)
        if head is not None:
            lines.append((Span(" " * self.indent), *head))
            self._at.append(None)
        self._scroll(height - len(lines))
        lines += self._row_lines(look, width, height - len(lines))
        if not self._is_dimming and self.flashes.any_lit(self._options.now()):
            # One at a time: a picture comes before the last one's cells are out.
            self._is_dimming = True
            self.set_timer(FLASH_S, self._dim)
        return lines

    def _dim(self) -> None:
        self._is_dimming = False
        self.redraw()

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Many lines change at once: whole ones are drawn, which of their cells differ is the painter's."""
        before, width = self._lines, self.size.width
        changed = [
            at for at, (old, new) in enumerate(zip_longest(before, lines, fillvalue=EMPTY)) if old != new
        ]
        self._lines = list(lines)
        for at in changed:
            self._strips.pop(at, None)
        if changed:
            self.refresh(*(Region(0, at, width, 1) for at in changed))

    def _row_lines(self, look: Look, width: int, room: int) -> list[Line]:
        lines: list[Line] = []
        inner = width - self.indent - 2
        for key in self._order[self._top :]:
            if len(lines) >= room:
                break
            selected = self.active and key == self._selected
            for at, line in enumerate(self.draw(self._rows[key], inner, look, selected=selected)):
                lines.append(self._framed(line, width, selected=selected, first=at == 0))
                self._at.append(key)
        return lines[:room]

    def _framed(self, line: Line, width: int, *, selected: bool, first: bool) -> Line:
        if not selected:
            return (Span(" " * self.indent), *line) if line else EMPTY
        if not line:
            return EMPTY
        lead = Span(" " * (self.indent - 2))
        cursor = Span("▸ " if first else "  ", "-accent -selected")
        body = over(pad(line, width - self.indent - 2), "-selected")
        return (lead, cursor, *body)

    def _scroll(self, room: int) -> None:
        """Keep the selected row in sight, and no room unused below the last row."""
        at = self._place() or 0
        top = max(min(self._top, at), self._first_above(at, room))
        self._top = min(top, self._first_above(len(self._order) - 1, room))

    def _first_above(self, last: int, room: int) -> int:
        """The first row from which all up to `last` have room; `last` itself where not even it has."""
        first, left = last, room - self.height_of(self._rows[self._order[last]])
        while first > 0:
            left -= self.height_of(self._rows[self._order[first - 1]])
            if left < 0:
                break
            first -= 1
        return first

    # The mouse.

    def on_click(self, event: events.Click) -> None:
        super().on_click(event)
        if event.y < len(self._at) and (key := self._at[event.y]) is not None:
            self.select(key)
