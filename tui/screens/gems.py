"""Every scored token, and what its score and safety stand on."""

from collections.abc import Iterable
from typing import cast

from tui.actions import Action, Place
from tui.screens.arrange import Box, columns, rows
from tui.screens.chrome import bindings_for
from tui.screens.opened import OpenedScreen
from tui.shown.details import Topic
from tui.shown.gems import GemRow
from tui.widgets.gemdetail import GemChartPane, GemHoldersPane, GemScorePane
from tui.widgets.gems import GemListPane
from tui.widgets.look import Look
from tui.widgets.pane import Pane

ABOUT = (Place.GEM_SCORE, Place.GEM_CHART, Place.GEM_HOLDERS)


class GemsScreen(OpenedScreen):
    """The list; `enter` opens a token, which then takes the whole screen."""

    name_in_navigation = "gems"
    order = (Place.GEM_LIST, *ABOUT)
    BINDINGS = bindings_for(frozenset(order))

    def make_panes(self) -> Iterable[Pane]:
        options = self.console.options
        yield GemListPane(options, id="gem-list")
        yield GemScorePane(options, id="gem-score")
        yield GemChartPane(options, id="gem-chart")
        yield GemHoldersPane(options, id="gem-holders")

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        if self.opened is not None:
            return _opened_boxes(area, wide, self.current)
        if not wide:
            return {Place.GEM_LIST: area}
        left, right = columns(area, 60, 0)
        score, chart = rows(right, 1, max(area.height * 24 // 36, 12), 0)
        return {Place.GEM_LIST: left, Place.GEM_SCORE: score, Place.GEM_CHART: chart}

    def subject(self, look: Look) -> tuple[Topic, str] | None:
        row = self.pane(Place.GEM_LIST).selected_row
        wanted = self.opened or (row.id if isinstance(row, GemRow) else None)
        shows = self.opened is not None or any(self.pane(place).display for place in ABOUT)
        return (Topic.GEM, wanted) if wanted is not None and shows else None

    def works(self, action: Action, look: Look) -> bool:
        return action.id != "gem.propose" and super().works(action, look)

    def action_open(self) -> None:
        """The selected token takes the whole screen."""
        row = self.pane(Place.GEM_LIST).selected_row
        if not isinstance(row, GemRow):
            self.refuse("enter", "no row here")
            return
        self.open_row(row.id)

    def action_chart(self) -> None:
        """The price of the selected token."""
        row = self.pane(Place.GEM_LIST).selected_row
        if not isinstance(row, GemRow):
            self.refuse("c", "no row here")
            return
        self.opened = self.opened or row.id
        self.activate(Place.GEM_CHART)

    def action_propose(self) -> None:
        """A person may ask for a ticket of a gem once entries of gems exist."""
        self.refuse("p", "gems are watched and scored, not yet traded")

    def closed(self, key: str) -> None:
        """Opened from the Desk it is not the row that was selected here."""
        if cast(GemListPane, self.pane(Place.GEM_LIST)).select(key):
            self.show()


def _opened_boxes(area: Box, wide: bool, current: Place) -> dict[Place, Box]:
    """Score left, price right; holders below the price, or in its place where it is narrow."""
    if not wide:
        score, side = columns(area, 0, 29)
        shown = Place.GEM_HOLDERS if current is Place.GEM_HOLDERS else Place.GEM_CHART
        if shown is Place.GEM_HOLDERS:
            return {Place.GEM_HOLDERS: area}
        return {Place.GEM_SCORE: score, Place.GEM_CHART: side}
    score, side = columns(area, 62, 0)
    chart, holders = rows(side, 1, max(area.height * 21 // 36, 10), 0)
    return {Place.GEM_SCORE: score, Place.GEM_CHART: chart, Place.GEM_HOLDERS: holders}
