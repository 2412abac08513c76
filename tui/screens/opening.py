"""The Desk before there is an engine: its frame, the titles of its panes, and what is being waited for."""

from collections.abc import Iterable
from typing import ClassVar

from tui.actions import FIRST_SCREEN, Place
from tui.options import ConsoleOptions, Opening
from tui.screens.arrange import Box, desk_boxes
from tui.screens.chrome import bindings_for
from tui.screens.paned import PanedScreen
from tui.widgets.ink import Line
from tui.widgets.pane import Emptiness, Pane, Title

TITLES = {
    Place.GAPS: "Gaps",
    Place.GEMS: "Gems",
    Place.TICKETS: "Tickets",
    Place.BRACKETS: "Brackets",
    Place.EVENTS: "Events",
    Place.GAP_CHART: "Chart",
    Place.EQUITY: "Equity",
}
COUNTED_S = 2
"""A person who waits for longer sees how long."""


class OpeningPane(Pane):
    """A title; the pane with `opening` says what is being waited for."""

    def __init__(self, options: ConsoleOptions, place: Place, opening: Opening | None) -> None:
        super().__init__(options, id=f"opening-{place.name.lower()}")
        self.place = place
        self._opening = opening
        self._began = options.now()

    def redraw(self) -> None:
        """Nothing in it comes from an engine."""
        width, height = self.size
        if width < 10 or height < 2:
            return
        said: list[Line] = []
        if self._opening is not None:
            waited_s = int(self._options.now() - self._began)
            what = self._opening.what() + (f"  {waited_s} s" if waited_s >= COUNTED_S else "")
            said = self.empty_lines(Emptiness(what, (self._opening.why,)), width, height)
        self.show_lines([self.title_line(Title(TITLES[self.place], ""), width), *said][:height])


class OpeningScreen(PanedScreen):
    """Gives way to the first screen as soon as there is something to show.

    Light on purpose: it imports nothing of what an engine knows, so that it is there at once. Everything
    stands where the Desk has it, so that nothing jumps.
    """

    order: ClassVar[tuple[Place, ...]] = tuple(TITLES)
    # What works on every screen, as on one without rows.
    BINDINGS = bindings_for(frozenset({Place.LATER}))

    @property
    def tab(self) -> str:
        return FIRST_SCREEN

    def make_panes(self) -> Iterable[Pane]:
        options = self.console.options
        for place in self.order:
            yield OpeningPane(options, place, options.opening if place is self.order[0] else None)

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        return desk_boxes(area, wide)

    def show(self) -> None:
        if self.console.look() is None:
            super().show()
        elif self.is_current:
            self.console.goto(FIRST_SCREEN)

    def show_starting(self, line: Line) -> None:
        self._place(0)
        for place, pane in self._panes.items():
            pane.set_active(place is self.current)
            pane.redraw()

    def action_goto(self, name: str) -> None:
        """The first screen is this one, as far as it is known."""
        if name != FIRST_SCREEN:
            super().action_goto(name)
