"""The Desk: gap candidates, gems, tickets, brackets and events of one account on one screen."""

from collections.abc import Iterable

from engine.model.ids import TicketId
from tui.actions import Place
from tui.screens.acting import ActingScreen
from tui.screens.arrange import Box, desk_boxes
from tui.screens.chrome import bindings_for
from tui.widgets.brackets import BracketsPane
from tui.widgets.events import EventsPane
from tui.widgets.gaps import GapsPane
from tui.widgets.gems import DeskGemsPane
from tui.widgets.look import Look
from tui.widgets.pane import Pane
from tui.widgets.tickets import TicketsPane

ORDER = (Place.GAPS, Place.GEMS, Place.TICKETS, Place.BRACKETS, Place.EVENTS)


class DeskScreen(ActingScreen):
    """What waits for the person, what is alive, and what just happened."""

    name_in_navigation = "desk"
    order = ORDER
    BINDINGS = bindings_for(frozenset(ORDER))

    def __init__(self) -> None:
        super().__init__()
        self._known_tickets: set[TicketId] | None = None

    def make_panes(self) -> Iterable[Pane]:
        options = self.console.options
        yield GapsPane(options, id="gaps")
        yield DeskGemsPane(options, id="gems")
        yield TicketsPane(options, id="tickets")
        yield BracketsPane(options, id="brackets")
        yield EventsPane(options, id="events")

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        return desk_boxes(area, wide)

    def after_body(self, look: Look) -> None:
        """A new ticket lights the title up once and may ring; it never takes the cursor."""
        now = {ticket.ticket.id for ticket in look.view.tickets}
        before, self._known_tickets = self._known_tickets, now
        if before is not None and now - before:
            self.pane(Place.TICKETS).flash_title()
            if self.console.options.bell:
                self.app.bell()
