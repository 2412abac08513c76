"""A pane of the Desk: title rule, keyed rows, selection by identity, own scrolling, filter and flashes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Generic, TypeVar

from textual import events
from textual.message import Message

from tui.actions import Place
from tui.options import ConsoleOptions
from tui.widgets.board import Board
from tui.widgets.flash import FLASH_S, Flashes
from tui.widgets.ink import EMPTY, Line, Span, cut, over, pad, width_of, wrap
from tui.widgets.look import Look
from tui.widgets.order import SteadyOrder

Row = TypeVar("Row")
NOTE_RULE = 8
"""A note gives way when less than this is left of the title's rule; an alarm stays."""
COMPACT = 56
"""Panes up to this width use the short forms and single column gaps."""


@dataclass(frozen=True, slots=True)
class Title:
    """`Gaps 12 · 2 tickets ─── scan 09:45 ET`; a note that is not muted is an alarm."""

    name: str
    count: str
    note: str = ""
    note_ink: str = "-muted"


@dataclass(frozen=True, slots=True)
class Emptiness:
    """An empty state: what is, why, what to do."""

    what: str
    why: tuple[str, ...]


class Pane(Board, Generic[Row]):
    """Rows of one kind. Subclasses say what a row is, how high and how it looks."""

    place: Place
    indent = 2
    """Column of the pane where a row's text begins; the cursor stands two before it."""
    follows = False
    """The first row stays in sight while nobody works in the pane: a list of what happened."""

    @dataclass
    class Picked(Message):
        """The person clicked in a pane."""

        place: Place

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(id=id)
        self.plain = options.plain
        self.active = False
        self.filter = ""
        self.key_at = float("-inf")
        """When a key was last pressed, seconds of `options.now`."""
        self.moved_at = float("-inf")
        """When the selected row last changed its place on the screen, or another row took it."""
        self.flashes = Flashes(enabled=options.flashes)
        self.numbered = False
        self._options = options
        self._look: Look | None = None
        self._rows: dict[str, Row] = {}
        self._order: list[str] = []
        self._steady = SteadyOrder()
        self._selected: str | None = None
        self._top = 0
        self._at: list[str | None] = []
        """Which row each screen line belongs to."""
        self._lit_title = False

    # What a subclass says.

    def heading(self, look: Look) -> Title:
        raise NotImplementedError

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
        raise NotImplementedError

    def draw(self, row: Row, width: int, look: Look, *, selected: bool) -> list[Line]:
        raise NotImplementedError

    def empty(self, look: Look) -> Emptiness:
        raise NotImplementedError

    def prepare(self, width: int, look: Look) -> None:
        """Before the rows of one picture are drawn: what they have in common is worked out once."""

    def head(self, width: int, look: Look) -> Line | None:
        """The row of column heads; None without columns."""
        return None

    # What the Desk does with it.

    @property
    def selected_row(self) -> Row | None:
        """The row that keys act on."""
        return None if self._selected is None else self._rows.get(self._selected)

    @property
    def above(self) -> int:
        """How many rows are out of sight above the first one shown."""
        return self._top if self._order else 0

    @property
    def compact(self) -> bool:
        """Whether the pane is too narrow for the long forms."""
        return self.size.width <= COMPACT

    def take(self, look: Look) -> None:
        """Show a newer picture."""
        self._look = look
        self.flashes.begin_tick()
        self._arrange(look)
        self.redraw()

    def _arrange(self, look: Look) -> None:
        found = {self.key(row): row for row in self.rows(look)}
        if self.filter:
            found = {key: row for key, row in found.items() if self.filter in self.words(row).lower()}
        now = self._options.now()
        before, place = self._selected, self._place()
        old_order = self._order
        self._rows = found
        self._order = list(found) if self.follows else self._steady.arrange(list(found), now, self.key_at)
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

    def set_active(self, active: bool) -> None:
        """Draw the pane as the one that keys act on, or not."""
        if active != self.active:
            self.active = active
            self.redraw()

    def set_filter(self, words: str) -> None:
        """Show only rows that contain `words`; "" shows all."""
        self.filter = words.lower()
        if self._look is not None:
            self._arrange(self._look)
        self.redraw()

    def flash_title(self) -> None:
        """Light the title up once."""
        if self._options.flashes:
            self._lit_title = True
            self.redraw()
            self.set_timer(FLASH_S, self._title_out)

    def _title_out(self) -> None:
        self._lit_title = False
        self.redraw()

    # Drawing.

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Make the lines anew from the last picture; only what differs is painted."""
        look, width, height = self._look, self.size.width, self.size.height
        if look is None or width < 10 or height < 2:
            return
        self._at = [None]
        self.prepare(width - self.indent - 2, look)
        head = self.head(width - self.indent - 2, look)
        if self._order:
            self._scroll(height - (1 if head is None else 2))
        lines = [self._title_line(self.heading(look), width)]
        if head is not None and self._order:
            lines.append((Span(" " * self.indent), *head))
            self._at.append(None)
        if self._order:
            lines += self._row_lines(look, width, height - len(lines))
        else:
            lines += self._empty_lines(look, width, height)
        self.show_lines(lines[:height])
        if self.flashes.any_lit(self._options.now()):
            self.set_timer(FLASH_S, self.redraw)

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
        ends = list(accumulate(self.height_of(self._rows[key]) for key in self._order))
        self._top = min(self._top, at)
        while self._top < at and ends[at] - (ends[self._top - 1] if self._top else 0) > room:
            self._top += 1
        while self._top > 0 and ends[-1] - (ends[self._top - 2] if self._top > 1 else 0) <= room:
            self._top -= 1

    def _title_line(self, title: Title, width: int) -> Line:
        inner = width - 4
        name_ink = "-accent -bold" if self.active else "-strong"
        if self._lit_title:
            name_ink += " -flash-up"
        count = f"/{self.filter}" if self.filter else title.count
        left = cut((Span(title.name, name_ink), Span(f" {count}" if count else "", "-muted")), inner)
        alarm = title.note_ink != "-muted"
        room = inner - width_of(left) - 1
        note: Line = ()
        if title.note and room - len(title.note) - 1 >= (2 if alarm else NOTE_RULE):
            note = (Span(" "), Span(title.note, title.note_ink))
        rule = max(room - width_of(note), 0)
        drawn = Span(("━" if self.active else "─") * rule, "-accent" if self.active else "-line")
        return (Span("  "), *left, Span(" "), drawn, *note)

    def _empty_lines(self, look: Look, width: int, height: int) -> list[Line]:
        if self.filter:
            empty = Emptiness(f"No row matches /{self.filter}", ("esc clears",))
        else:
            empty = self.empty(look)
        inner = width - 6
        lines: list[Line] = [(Span("   "), Span(line, "-strong")) for line in wrap(empty.what, inner)]
        for why in empty.why:
            lines += [(Span("   "), Span(line, "-muted")) for line in wrap(why, inner)]
        above = 1 if height < 14 else 3
        return [EMPTY] * above + lines

    # The mouse.

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Picked(self.place))
        if event.y < len(self._at) and (key := self._at[event.y]) is not None:
            self.select(key)

    def on_mouse_scroll_down(self) -> None:
        self.move(1)

    def on_mouse_scroll_up(self) -> None:
        self.move(-1)
