"""Drawdown, limits used, and why entries are off."""

from collections.abc import Iterable
from typing import cast

from tui.actions import Place
from tui.screens.arrange import EXTRA_COLUMNS, Box, columns, rows
from tui.screens.chrome import bindings_for
from tui.screens.paned import PanedScreen
from tui.shown.details import Topic
from tui.shown.risk import LimitRow
from tui.widgets.equity import FallsPane
from tui.widgets.ink import EMPTY, Line, Span, wrap
from tui.widgets.limits import LimitsPane, allowed_words, used_words
from tui.widgets.look import Look
from tui.widgets.pane import Pane
from tui.widgets.riskpanes import CorrelationPane, DrawdownPane, EntriesPane, ExposurePane, VarPane


class RiskScreen(PanedScreen):
    """What may still be lost, and what keeps it from being lost."""

    name_in_navigation = "risk"
    order = (
        Place.LIMITS,
        Place.ENTRIES,
        Place.VAR,
        Place.EXPOSURE,
        Place.CORRELATION,
        Place.DRAWDOWN,
        Place.DRAWDOWNS,
    )
    BINDINGS = bindings_for(frozenset(order))

    def make_panes(self) -> Iterable[Pane]:
        options = self.console.options
        yield DrawdownPane(options, id="drawdown")
        yield LimitsPane(options, id="limits")
        yield EntriesPane(options, id="entries")
        yield ExposurePane(options, id="exposure")
        yield VarPane(options, id="var")
        yield CorrelationPane(options, id="correlation")
        yield FallsPane(options, id="falls")

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        if not wide:
            gauge, lower = rows(area, 0, 6, 0)
            left, right = columns(lower, 47, 0)
            entries, var = rows(right, 0, max(lower.height * 9 // 15, 5), 0)
            return {Place.DRAWDOWN: gauge, Place.LIMITS: left, Place.ENTRIES: entries, Place.VAR: var}
        gauge, lower = rows(area, 1, 7, 0)
        left, right = columns(lower, 66, 0)
        boxes = {Place.DRAWDOWN: gauge}
        if area.width >= EXTRA_COLUMNS - 2:
            # The history of falls takes the foot, and what stands above it keeps its shape.
            left, boxes[Place.DRAWDOWNS] = rows(left, 1, 0, lower.height * 12 // 38)
        boxes[Place.LIMITS], boxes[Place.EXPOSURE] = rows(left, 1, max(left.height * 14 // 28, 8), 0)
        entries, var, together = rows(right, 1, lower.height * 8 // 28, lower.height * 9 // 28, 0)
        return {**boxes, Place.ENTRIES: entries, Place.VAR: var, Place.CORRELATION: together}

    def subject(self, look: Look) -> tuple[Topic, str] | None:
        falls = cast(FallsPane, self.pane(Place.DRAWDOWNS))
        return (Topic.EQUITY, falls.period) if falls.display else None

    def after_body(self, look: Look) -> None:
        """Whether the history is on the screen is known once the panes stand: it is asked for at once."""
        wanted = self.subject(look)
        if wanted is not None and wanted != self._asked:
            self.call_after_refresh(self.show)

    def action_period(self, by: int) -> None:
        """A longer or a shorter history."""
        falls = cast(FallsPane, self.pane(Place.DRAWDOWNS))
        if not falls.display:
            self.refuse("]" if by > 0 else "[", "the history is not on the screen")
            return
        falls.step(by)
        self.show()

    def action_open(self) -> None:
        """What the limit under the cursor means."""
        from tui.screens.sheet import Sheet

        row = self.pane(Place.LIMITS).selected_row
        if not isinstance(row, LimitRow):
            self.refuse("enter", "no row here")
            return
        wanted = (row.name, row.subject)

        def build(look: Look, width: int) -> list[Line]:
            now = next((one for one in look.view.risk.limits if (one.name, one.subject) == wanted), row)
            return limit_lines(now, width)

        self.app.push_screen(Sheet((row.name, row.subject), build))


MEANINGS = {
    "unknown orders": "An order whose answer was lost may or may not work. Until its fate is proved, nothing "
    "new is sent in its instrument.",
    "positions open": "Positions and working entries of one strategy.",
    "positions total": "Positions and working entries of all strategies together.",
    "entries a minute": "Orders that open a position, in the last minute.",
    "entries today": "Orders that open a position, since the account's day began.",
    "sector": "Positions and working entries in one sector.",
    "daily loss": "Fall of the account's value since its day began. Past it entries stop until the next day.",
    "VaR": "Loss that one day in twenty exceeds, of what is held now: the larger of history and a "
    "normal curve.",
    "largest position": "Value of the largest position as a share of equity. It bounds the size of a ticket.",
    "correlated": "What moves together counts as one position. It bounds the size of a ticket.",
}
"""Of each limit, by how its name begins."""


def limit_lines(row: LimitRow, width: int) -> list[Line]:
    """Figures first, then what they mean."""
    meaning = next((words for name, words in MEANINGS.items() if row.name.startswith(name)), "")
    used = f"{used_words(row)} of {allowed_words(row)} used, {row.subject}"
    lines: list[Line] = [(Span(used, "-strong"),)]
    if row.note:
        lines.append((Span(row.note, "-danger" if row.is_full else "-muted"),))
    return [*lines, EMPTY, *((Span(line),) for line in wrap(meaning, width))]
