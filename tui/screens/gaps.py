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
from tui.widgets.gapabout import GapStripPane, row_of
from tui.widgets.gapchart import GapChartPane
from tui.widgets.gaps import GapListPane
from tui.widgets.gapscan import GapScanPane
from tui.widgets.gapverdicts import GapVerdictsPane
from tui.widgets.ink import Line
from tui.widgets.look import Look
from tui.widgets.pane import Pane

ABOUT = (Place.GAP_VERDICTS, Place.GAP_CHART)
STRIP_ROWS = 5
FEWEST_ROWS, MOST_ROWS = 8, 15
"""Of the list above the verdicts, head and title included; the most of 36."""
EMPTY_ROWS = 4
"""Of a list without a row: title and why."""
SCAN_ROWS, SHORT_STRIP = 9, 4
"""Of the scan and of the strip above it, where the screen is small and nothing qualifies."""


class GapsScreen(OpenedScreen, ActingScreen):
    """The list; `enter` opens a candidate, which then takes the whole screen."""

    name_in_navigation = "gaps"
    order = (Place.GAP_LIST, *ABOUT, Place.GAP_SCAN)
    BINDINGS = bindings_for(frozenset(order))

    def __init__(self) -> None:
        super().__init__()
        self._beside: tuple[Place, ...] = ()
        """Panes that stand beside each other, also while one covers them."""

    def make_panes(self) -> Iterable[Pane]:
        options = self.console.options
        yield GapListPane(options, id="gap-list")
        yield GapStripPane(options, id="gap-strip", chosen=self.chosen)
        yield GapVerdictsPane(options, id="gap-verdicts", chosen=self.chosen)
        yield GapChartPane(options, id="gap-chart", chosen=self.chosen)
        yield GapScanPane(options, id="gap-scan")

    def chosen(self) -> CorrelationId | None:
        """The candidate that is open, else the one selected in the list."""
        row = self.pane(Place.GAP_LIST).selected_row
        if self.opened is not None:
            return CorrelationId(self.opened)
        return row.correlation if isinstance(row, GapRow) else None

    @property
    def about(self) -> tuple[Place, ...]:
        return ABOUT

    def reachable(self) -> tuple[Place, ...]:
        """The scan can always be looked at; where it has no place it covers the others."""
        if self.opened is not None:
            return ABOUT
        shown = {*self._beside, self.current, Place.GAP_SCAN}
        return tuple(place for place in self.order if place in shown)

    def _is_quiet(self) -> bool:
        """Whether nothing qualifies: how far the scan came stands in the place of the chart."""
        look = self.console.look()
        return look is not None and all(row.number is None for row in look.view.gaps)

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        found = self._boxes_of(area, wide)
        self._beside = tuple(found)
        return found

    def _boxes_of(self, area: Box, wide: bool) -> dict[Place, Box]:
        extra = area.width >= EXTRA_COLUMNS - 2
        if self.opened is not None:
            left, side = columns(area, 0, 29) if not wide else columns(area, 72 if extra else 62, 0)
            return {Place.GAP_VERDICTS: left, Place.GAP_CHART: side}
        quiet = self._is_quiet()
        if not wide:
            return self._quiet_boxes(area) if quiet else _small_boxes(area)
        last = Place.GAP_SCAN if quiet else Place.GAP_CHART
        if extra:
            left, middle, side = columns(area, 70, 0, 42)
            return {Place.GAP_LIST: left, Place.GAP_VERDICTS: middle, last: side}
        upper, lower = rows(area, 1, self._list_rows(area), 0)
        left, side = columns(lower, 66, 0)
        return {Place.GAP_LIST: upper, Place.GAP_VERDICTS: left, last: side}

    def _quiet_boxes(self, area: Box) -> dict[Place, Box]:
        """The list as high as it needs to be, and the scan below."""
        found = self._found()
        if not found:
            upper, scan = rows(area, 1, EMPTY_ROWS, 0)
            return {Place.GAP_LIST: upper, Place.GAP_SCAN: scan}
        most = max(area.height - SHORT_STRIP - SCAN_ROWS - 2, FEWEST_ROWS - 3)
        upper, strip, scan = rows(area, 1, min(found + 2, most), SHORT_STRIP, 0)
        return {Place.GAP_LIST: upper, Place.GAP_STRIP: strip, Place.GAP_SCAN: scan}

    def _found(self) -> int:
        look = self.console.look()
        return 0 if look is None else len(look.view.gaps)

    def _list_rows(self, area: Box) -> int:
        """As many as there are candidates, within bounds: the verdicts get the rest."""
        return min(max(self._found() + 2, FEWEST_ROWS), max(area.height * MOST_ROWS // 36, FEWEST_ROWS))

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
        """The selected candidate takes the whole screen; opened already, its ticket or bracket.

        On the scan it is the candidate that came nearest.
        """
        if self.opened is not None:
            super().action_open()
        elif self.current is Place.GAP_SCAN:
            if (near := self._nearest("enter")) is not None:
                self.open_row(near.correlation)
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
        if self.current is Place.GAP_SCAN and (row := self._nearest("w")) is None:
            return
        gap = None if look is None else gap_of(look, row)
        if gap is None:
            self.refuse("w", "no row here")
            return
        first = self._known_of(gap)

        def build(look: Look, width: int) -> list[Line]:
            return why_lines(gap_of(look, gap) or gap, width, self._known_of(gap) or first)

        self.app.push_screen(Sheet((gap.symbol, "why"), build))

    def _nearest(self, key: str) -> GapRow | None:
        """The row of the candidate that came nearest; None after saying that there is none."""
        look = self.console.look()
        near = None if look is None else look.view.scan.nearest
        found = None if look is None or near is None else row_of(look, near.correlation)
        if found is None:
            self.refuse(key, "no candidate missed")
        return found

    def _known_of(self, row: GapRow) -> GapDetail | None:
        """The newest answer, when it is about a row."""
        known: Detail | None = None if self._detail is None else self._detail[1]
        return known if isinstance(known, GapDetail) and known.correlation == row.correlation else None


def _small_boxes(area: Box) -> dict[Place, Box]:
    upper, strip = rows(area, 1, 0, STRIP_ROWS)
    return {Place.GAP_LIST: upper, Place.GAP_STRIP: strip}
