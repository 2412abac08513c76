"""The Desk: gap candidates, gems, tickets, brackets and events of one account on one screen."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual import events

from engine.model.ids import CorrelationId
from tui.actions import Place
from tui.screens.acting import ActingScreen
from tui.screens.arrange import EXTRA_COLUMNS, Box, desk_boxes
from tui.screens.chrome import bindings_for
from tui.screens.paned import DETAIL_S
from tui.screens.rows import gap_of
from tui.shown.deck import GapRow
from tui.shown.details import EquityDetail, GemDetail, Topic
from tui.shown.gems import GemRow
from tui.widgets.brackets import BracketsPane
from tui.widgets.events import EventsPane
from tui.widgets.gaps import GapsPane
from tui.widgets.gems import DeskGemsPane
from tui.widgets.ink import Line
from tui.widgets.look import Look
from tui.widgets.pane import Pane
from tui.widgets.tickets import TicketsPane

if TYPE_CHECKING:
    from tui.widgets.equity import DeskEquityPane

ORDER = (Place.GAPS, Place.GEMS, Place.TICKETS, Place.BRACKETS, Place.EVENTS)
EQUITY_S = 30.0
"""How old the curve of the account may get before it is asked for again."""


class DeskScreen(ActingScreen):
    """What waits for the person, what is alive, and what just happened."""

    name_in_navigation = "desk"
    order = ORDER
    BINDINGS = bindings_for(frozenset(ORDER))

    def __init__(self) -> None:
        super().__init__()
        self._known_tickets: set[CorrelationId] | None = None
        self._equity: DeskEquityPane | None = None
        """There from the first time that the terminal is wide enough."""
        self._equity_at = float("-inf")

    def make_panes(self) -> Iterable[Pane]:
        options = self.console.options
        yield GapsPane(options, id="gaps")
        yield DeskGemsPane(options, id="gems")
        yield TicketsPane(options, id="tickets")
        yield BracketsPane(options, id="brackets")
        yield EventsPane(options, id="events")
        if self.app.size.width >= EXTRA_COLUMNS:
            yield from self._middle()

    def _middle(self) -> list[Pane]:
        """Charts, for wide terminals only."""
        # Their 30 ms would delay the first frame of those who do not see them.
        from tui.widgets.equity import DeskEquityPane
        from tui.widgets.gapchart import GapChartPane
        from tui.widgets.gemdetail import GemChartPane

        options = self.console.options
        self._equity = DeskEquityPane(options, id="equity")
        gap = GapChartPane(options, id="gap-chart", chosen=self._chosen)
        gem = GemChartPane(options, id="gem-chart")
        gem.is_named = True
        return [gap, gem, self._equity]

    def on_resize(self, event: events.Resize) -> None:
        """A terminal that became wide gets the panes in the middle."""
        if event.size.width >= EXTRA_COLUMNS and self._equity is None and self._panes:
            panes = self._middle()
            self._panes |= {pane.place: pane for pane in panes}
            self.mount(*panes)

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        return desk_boxes(area, wide, Place.GAP_CHART if self._gem() is None else Place.GEM_CHART)

    # What the chart is of.

    def _gem(self) -> GemRow | None:
        """The selected token while the keys are in the list of gems."""
        row = self.active.selected_row
        return row if isinstance(row, GemRow) else None

    def _chosen(self) -> CorrelationId | None:
        """The candidate behind the selected row, else the one selected in Gaps."""
        look = self.console.look()
        row = None if look is None else gap_of(look, self.active.selected_row)
        other = self.pane(Place.GAPS).selected_row
        row = row or (other if isinstance(other, GapRow) else None)
        return None if row is None else row.correlation

    def subject(self, look: Look) -> tuple[Topic, str] | None:
        if self._equity is None or not self._equity.display:
            return None
        gem, chosen = self._gem(), self._chosen()
        if gem is not None:
            return Topic.GEM, gem.id
        return None if chosen is None else (Topic.GAP, chosen)

    async def _ask_equity(self, pane: "DeskEquityPane") -> None:
        found = await self.console.detail(Topic.EQUITY, pane.period)
        if isinstance(found, EquityDetail) and found != pane.known:
            pane.known = found
            self.show()

    # Keys of gems; those of the other rows are everywhere the same.

    def action_open(self) -> None:
        """A token opens on its own screen; every other row as everywhere."""
        gem = self._gem()
        if gem is None:
            super().action_open()
            return
        from tui.screens.gems import GemsScreen

        self.console.goto("gems")
        front = self.app.screen_stack[0]
        if isinstance(front, GemsScreen):
            front.open_row(gem.id)

    def action_why(self) -> None:
        """Why a token is not flagged, or why a candidate is in its state."""
        gem = self._gem()
        if gem is None:
            super().action_why()
        else:
            self.run_worker(self._why(gem), group="why", exclusive=True)

    async def _why(self, row: GemRow) -> None:
        from tui.screens.sheet import Sheet
        from tui.widgets.gemdetail import score_lines
        from tui.widgets.ink import EMPTY
        from tui.widgets.verdicts import head

        found = await self._gem_detail(row)
        if found is None:
            self.refuse("w", f"{row.symbol} is not scored any more")
            return
        known, asked_at = found, self.console.options.now()

        async def ask() -> None:
            nonlocal known
            known = await self._gem_detail(row) or known

        def build(look: Look, width: int) -> list[Line]:
            nonlocal asked_at
            if self.console.options.now() - asked_at >= DETAIL_S:
                # The board goes on while the sheet is open: words and gates are to be of one moment.
                asked_at = self.console.options.now()
                self.run_worker(ask(), group="why", exclusive=True)
            now = next((item for item in look.view.gems.rows if item.id == row.id), row)
            about = score_lines(known, look, width, self.console.options.drawn_with)
            return [head("Why", width, now.words), EMPTY, *about]

        self.app.push_screen(Sheet((row.symbol, "why"), build))

    async def _gem_detail(self, row: GemRow) -> GemDetail | None:
        found = await self.console.detail(Topic.GEM, row.id)
        return found if isinstance(found, GemDetail) else None

    def after_body(self, look: Look) -> None:
        """A new ticket lights the title up once and may ring; it never takes the cursor."""
        equity, wall = self._equity, self.console.options.now()
        if equity is not None and equity.display and wall - self._equity_at >= EQUITY_S:
            self._equity_at = wall
            self.run_worker(self._ask_equity(equity), group="equity", exclusive=True)
        # By candidate: a ticket that a person made smaller is no new one.
        now = {ticket.ticket.correlation for ticket in look.view.in_sight}
        before, self._known_tickets = self._known_tickets, now
        if before is not None and now - before:
            self.pane(Place.TICKETS).flash_title()
            if self.console.options.bell:
                self.app.bell()
