"""Brackets as trees of orders, unknown ones first, and what happens to the selected one."""

from collections.abc import Iterable
from typing import cast

from engine.model.ids import CorrelationId
from tui.actions import Action, Place
from tui.bracketwords import why_no_question
from tui.screens.acting import ActingScreen
from tui.screens.arrange import EXTRA_COLUMNS, Box, columns, rows
from tui.screens.chrome import bindings_for
from tui.screens.rows import bracket_of, gap_of
from tui.shown.deck import BracketView
from tui.shown.details import Topic
from tui.widgets.fills import FillsPane
from tui.widgets.look import Look
from tui.widgets.orders import OrdersPane
from tui.widgets.pane import Pane
from tui.widgets.story import StoryPane

STORY_ROWS = 10
STORY_LEAST = 5
"""Rows of the story where the trees leave room below them."""
FILLS_COLUMNS = 62
NO_SETTLING = "no settling by hand yet, v asks now"


class OrdersScreen(ActingScreen):
    """Trees above; where there is room, the story of the selected bracket below."""

    name_in_navigation = "orders"
    order = (Place.ORDERS, Place.STORY, Place.FILLS)
    BINDINGS = bindings_for(frozenset(order))

    def __init__(self) -> None:
        super().__init__()
        self._rows_before = 0
        """Lines of the trees when the panes were placed."""

    def make_panes(self) -> Iterable[Pane]:
        options = self.console.options
        yield OrdersPane(options, id="orders")
        yield StoryPane(options, id="story")
        yield FillsPane(options, id="fills")

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        if not wide:
            trees = self._trees
            left = area.height - trees.rows_wanted
            trees.is_told = trees.selected_row is not None and left >= STORY_LEAST
            if not trees.is_told or self.current is Place.FILLS:
                return {Place.ORDERS: area}
            upper, lower = rows(area, 0, 0, left)
            return {Place.ORDERS: upper, Place.STORY: lower}
        upper, lower = rows(area, 1, 0, self._story_rows(area))
        if area.width < EXTRA_COLUMNS - 2:
            return {Place.ORDERS: upper, Place.STORY: lower}
        story, fills = columns(lower, 0, FILLS_COLUMNS)
        return {Place.ORDERS: upper, Place.STORY: story, Place.FILLS: fills}

    def _story_rows(self, area: Box) -> int:
        """What the trees leave, within bounds."""
        least, most = max(area.height * STORY_ROWS // 36, 7), area.height // 2
        if self._chosen() is None:
            return least
        return max(min(area.height - self._trees.rows_wanted - 1, most), least)

    @property
    def _trees(self) -> OrdersPane:
        return cast(OrdersPane, self.pane(Place.ORDERS))

    def _chosen(self) -> BracketView | None:
        return self._trees.selected_row

    def bracket_pane(self) -> Pane:
        return self.pane(Place.ORDERS)

    def subject(self, look: Look) -> tuple[Topic, str] | None:
        row = self._chosen()
        story, fills = cast(StoryPane, self.pane(Place.STORY)), cast(FillsPane, self.pane(Place.FILLS))
        story.chosen = fills.chosen = None if row is None else bracket_of(look, row)
        shown = story.display or fills.display
        return (Topic.BRACKET, row.ticket) if row is not None and shown else None

    def after_body(self, look: Look) -> None:
        """How many rows there are, and which is selected, is known once they are: its story comes at once."""
        wanted = self.subject(look)
        changed, self._rows_before = self._trees.rows_wanted != self._rows_before, self._trees.rows_wanted
        if changed or (wanted is not None and wanted != self._asked):
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
        """Prices are drawn beside the candidate that the bracket grew from: its screen opens there."""
        look, row = self.console.look(), self._chosen()
        gap = None if look is None or row is None else gap_of(look, row)
        if row is None:
            self.refuse("c", "no row here")
        elif gap is None:
            self.refuse("c", f"{row.symbol} is no candidate of this session")
        else:
            self.console.goto("gaps")
            self.app.call_after_refresh(self._draw_gap, gap.correlation)

    def _draw_gap(self, correlation: CorrelationId) -> None:
        from tui.screens.gaps import GapsScreen

        front = self.app.screen
        if isinstance(front, GapsScreen):
            front.open_row(correlation)
            front.activate(Place.GAP_CHART)

    def works(self, action: Action, look: Look) -> bool:
        return action.id not in ("order.at_venue", "order.not_at_venue") and super().works(action, look)

    def action_say_there(self) -> None:
        """A person's word on an order whose fate is unknown is not taken yet."""
        self._refuse_settling("i")

    def action_say_gone(self) -> None:
        """The same for an order that is not at the venue."""
        self._refuse_settling("u")

    def _refuse_settling(self, key: str) -> None:
        row = self._chosen()
        if self.may_not(key, self.console.look()):
            return
        if row is None:
            self.refuse(key, "no row here")
        elif why := why_no_question(row):
            self.refuse(key, why)
        else:
            self.refuse(key, NO_SETTLING)
