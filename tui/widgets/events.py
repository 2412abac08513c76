"""The Events pane: what happened, newest first."""

from collections.abc import Sequence

from tui import format as fmt
from tui.actions import Place
from tui.shown.deck import EventKind, EventLine
from tui.widgets.ink import Line, Span, cut, cut_text, wrap
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title
from tui.widgets.rowspane import RowsPane

MARKS = {
    EventKind.YOURS: ("◆", "-yours", "-muted"),
    EventKind.WORKING: ("●", "-up", ""),
    EventKind.PARTLY: ("◐", "-attention", ""),
    EventKind.BLOCKED: ("■", "-muted", "-muted"),
    EventKind.UNKNOWN: ("?", "-danger -bold", ""),
    EventKind.INFO: ("·", "-muted", "-muted"),
}
"""Glyph, its ink and the ink of the words."""


MOST_LINES = 2
"""Of one event: its reason stands at the end and is what a person looks for."""
LEAD = 11
"""Cells of clock and glyph."""


class EventsPane(RowsPane[EventLine]):
    """One event in at most two lines; `enter` shows it whole."""

    place = Place.EVENTS
    follows = True

    def heading(self, look: Look) -> Title:
        return Title("Events", "", f"{self.above} newer" if self.above else "")

    def rows(self, look: Look) -> Sequence[EventLine]:
        return look.view.events

    def key(self, row: EventLine) -> str:
        return f"{row.ts} {row.kind} {row.correlation} {row.text}"

    def words(self, row: EventLine) -> str:
        return row.text

    def height_of(self, row: EventLine) -> int:
        return len(self._words(row, self.size.width - self.indent - 2))

    def _words(self, row: EventLine, width: int) -> list[str]:
        room = max(width - LEAD, 10)
        lines = wrap(row.text, room)
        if len(lines) <= MOST_LINES:
            return lines
        rest = " ".join(lines[MOST_LINES - 1 :])
        return [*lines[: MOST_LINES - 1], cut_text(rest, room)]

    def empty(self, look: Look) -> Emptiness:
        return Emptiness("Nothing happened yet", ())

    def draw(self, row: EventLine, width: int, look: Look, *, selected: bool) -> list[Line]:
        glyph, mark, ink = MARKS[row.kind]
        clock = Span(f"{fmt.clock_short(row.ts)} ", "-muted")
        first, *more = self._words(row, width)
        lines: list[Line] = [cut((clock, Span(glyph, mark), Span(" "), Span(first, ink)), width)]
        return [*lines, *((Span(" " * LEAD), Span(words, ink)) for words in more)]
