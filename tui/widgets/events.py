"""The Events pane: what happened, newest first."""

from collections.abc import Sequence

from tui import format as fmt
from tui.actions import Place
from tui.shown.deck import EventKind, EventLine
from tui.widgets.ink import Line, Span, cut
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


class EventsPane(RowsPane[EventLine]):
    """One line an event; `enter` shows it whole."""

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
        return 1

    def empty(self, look: Look) -> Emptiness:
        return Emptiness("Nothing happened yet", ())

    def draw(self, row: EventLine, width: int, look: Look, *, selected: bool) -> list[Line]:
        glyph, mark, ink = MARKS[row.kind]
        clock = Span(f"{fmt.clock_short(row.ts)} ", "-muted")
        return [cut((clock, Span(glyph, mark), Span(" "), Span(row.text, ink)), width)]
