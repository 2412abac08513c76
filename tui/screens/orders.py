"""Brackets as trees of orders, unknown ones first, and what happens to the selected one."""

from collections.abc import Iterable
from typing import cast

from tui.actions import Place
from tui.screens.acting import ActingScreen
from tui.screens.arrange import Box, rows
from tui.screens.chrome import bindings_for
from tui.screens.rows import bracket_of
from tui.shown.deck import BracketView
from tui.shown.details import Topic
from tui.widgets.look import Look
from tui.widgets.orders import OrdersPane
from tui.widgets.pane import Pane
from tui.widgets.story import StoryPane

STORY_ROWS = 10


class OrdersScreen(ActingScreen):
    """Trees above; where there is room, the story of the selected bracket below."""

    name_in_navigation = "orders"
    order = (Place.ORDERS, Place.STORY)
    BINDINGS = bindings_for(frozenset(order))

    def make_panes(self) -> Iterable[Pane]:
        options = self.console.options
        yield OrdersPane(options, id="orders")
        yield StoryPane(options, id="story")

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        if not wide:
            return {Place.ORDERS: area}
        upper, lower = rows(area, 1, 0, max(area.height * STORY_ROWS // 36, 7))
        return {Place.ORDERS: upper, Place.STORY: lower}

    def _chosen(self) -> BracketView | None:
        return cast(OrdersPane, self.pane(Place.ORDERS)).selected_row

    def bracket_pane(self) -> Pane:
        return self.pane(Place.ORDERS)

    def subject(self, look: Look) -> tuple[Topic, str] | None:
        row, story = self._chosen(), cast(StoryPane, self.pane(Place.STORY))
        story.chosen = None if row is None else bracket_of(look, row)
        return (Topic.BRACKET, row.ticket) if row is not None and story.display else None

    def after_body(self, look: Look) -> None:
        """Which row is selected is known once the rows are: its story is asked for at once."""
        wanted = self.subject(look)
        if wanted is not None and wanted != self._asked:
            self.call_after_refresh(self.show)

    def action_zoom(self) -> None:
        """Where there is one pane only, it has the whole screen already."""
        if not self.zoomed and sum(pane.display for pane in self.query(Pane)) == 1:
            self.refuse("z", "this pane has the whole screen")
        else:
            super().action_zoom()

    def action_open(self) -> None:
        """Fills and the full story."""
        look = self.console.look()
        row = None if look is None else bracket_of(look, self._chosen())
        if row is None:
            self.refuse("enter", "no row here")
        else:
            self.open_bracket(row)

    def action_chart(self) -> None:
        """Prices are drawn beside the candidate that they led to."""
        row = self._chosen()
        self.refuse("c", "no row here" if row is None else f"no chart here: 3 Gaps draws {row.symbol}")
