"""Every gap candidate of the session, and what was said of the one that is selected or open."""

from collections.abc import Iterable
from typing import cast

from engine.model.ids import CorrelationId
from tui.actions import Action, Place
from tui.screens.acting import ActingScreen
from tui.screens.arrange import EXTRA_COLUMNS, Box, columns, rows
from tui.screens.chrome import bindings_for
from tui.screens.opened import OpenedScreen
from tui.screens.rows import gap_of
from tui.shown.deck import GapRow
from tui.shown.details import Detail, GapDetail, Topic
from tui.widgets.gapabout import GapStripPane
from tui.widgets.gapchart import GapChartPane
from tui.widgets.gaps import GapListPane
from tui.widgets.gapverdicts import GapVerdictsPane
from tui.widgets.ink import Line
from tui.widgets.look import Look
from tui.widgets.pane import Pane

ABOUT = (Place.GAP_VERDICTS, Place.GAP_CHART)
STRIP_ROWS = 5
FEWEST_ROWS, MOST_ROWS = 8, 15
"""Of the list above the verdicts, head and title included; the most of 36."""


class GapsScreen(OpenedScreen, ActingScreen):
    """The list; `enter` opens a candidate, which then takes the whole screen."""

    name_in_navigation = "gaps"
    order = (Place.GAP_LIST, *ABOUT)
    BINDINGS = bindings_for(frozenset(order))

    def make_panes(self) -> Iterable[Pane]:
        options = self.console.options
        yield GapListPane(options, id="gap-list")
        yield GapStripPane(options, id="gap-strip", chosen=self.chosen)
        yield GapVerdictsPane(options, id="gap-verdicts", chosen=self.chosen)
        yield GapChartPane(options, id="gap-chart", chosen=self.chosen)

    def chosen(self) -> CorrelationId | None:
        """The candidate that is open, else the one selected in the list."""
        row = self.pane(Place.GAP_LIST).selected_row
        if self.opened is not None:
            return CorrelationId(self.opened)
        return row.correlation if isinstance(row, GapRow) else None

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        extra = area.width >= EXTRA_COLUMNS - 2
        if self.opened is not None:
            left, side = columns(area, 0, 29) if not wide else columns(area, 72 if extra else 62, 0)
            return {Place.GAP_VERDICTS: left, Place.GAP_CHART: side}
        if not wide:
            upper, strip = rows(area, 1, 0, STRIP_ROWS)
            return {Place.GAP_LIST: upper, Place.GAP_STRIP: strip}
        if extra:
            left, middle, side = columns(area, 70, 0, 42)
            return {Place.GAP_LIST: left, Place.GAP_VERDICTS: middle, Place.GAP_CHART: side}
        upper, lower = rows(area, 1, self._list_rows(area), 0)
        left, side = columns(lower, 66, 0)
        return {Place.GAP_LIST: upper, Place.GAP_VERDICTS: left, Place.GAP_CHART: side}

    def _list_rows(self, area: Box) -> int:
        """As many as there are candidates, within bounds: the verdicts get the rest."""
        look = self.console.look()
        found = 0 if look is None else len(look.view.gaps)
        return min(max(found + 2, FEWEST_ROWS), max(area.height * MOST_ROWS // 36, FEWEST_ROWS))

    def subject(self, look: Look) -> tuple[Topic, str] | None:
        chosen = self.chosen()
        return None if chosen is None else (Topic.GAP, chosen)

    def shows(self, action: Action, look: Look) -> bool:
        if action.id == "row.why":
            # An open candidate tells it already.
            return self.opened is None
        if action.id == "chart.longer":
            return self.pane(Place.GAP_CHART).display
        return super().shows(action, look)

    # Keys.

    def action_open(self) -> None:
        """The selected candidate takes the whole screen; opened already, its ticket or bracket."""
        if self.opened is not None:
            super().action_open()
        elif (chosen := self.chosen()) is None:
            self.refuse("enter", "no row here")
        else:
            self.open_row(chosen)

    def action_chart(self) -> None:
        """The chart of the selected candidate; where it has no room, the candidate is opened."""
        chosen = self.chosen()
        if chosen is None:
            self.refuse("c", "no row here")
            return
        if self.opened is None and not self.pane(Place.GAP_CHART).display:
            self.open_row(chosen)
        self.activate(Place.GAP_CHART)

    def action_period(self, by: int) -> None:
        """Bars of five minutes or of days."""
        key, chart = "]" if by > 0 else "[", cast(GapChartPane, self.pane(Place.GAP_CHART))
        if not chart.display:
            self.refuse(key, "no chart here, c shows it")
        elif not chart.step(by):
            self.refuse(key, "there are bars of one period only")

    def action_why(self) -> None:
        """Why the candidate is in its state, with every agent's reasons."""
        from tui.screens.details import why_lines
        from tui.screens.sheet import Sheet

        look, row = self.console.look(), self.active.selected_row
        gap = None if look is None else gap_of(look, row)
        if gap is None:
            self.refuse("w", "no row here")
            return
        first = self._known_of(gap)

        def build(look: Look, width: int) -> list[Line]:
            return why_lines(gap_of(look, gap) or gap, width, self._known_of(gap) or first)

        self.app.push_screen(Sheet((gap.symbol, "why"), build))

    def _known_of(self, row: GapRow) -> GapDetail | None:
        """The newest answer, when it is about a row."""
        known: Detail | None = None if self._detail is None else self._detail[1]
        return known if isinstance(known, GapDetail) and known.correlation == row.correlation else None
