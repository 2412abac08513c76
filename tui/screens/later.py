"""Screens whose contents come with a later release: they say so, and what there is until then."""

from collections.abc import Iterable

from tui.actions import Place
from tui.screens.arrange import Box
from tui.screens.chrome import bindings_for
from tui.screens.paned import PanedScreen
from tui.widgets.freepane import FreePane
from tui.widgets.ink import Line
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Pane, Title


class LaterPane(FreePane):
    """One title and what to do until it is there."""

    place = Place.LATER
    caption = ""
    words = Emptiness("", ())

    def heading(self, look: Look) -> Title:
        return Title(self.caption, "comes with a later release")

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        return self.words


class LaterScreen(PanedScreen):
    """Subclasses name the screen and its words."""

    order = (Place.LATER,)
    BINDINGS = bindings_for(frozenset(order))
    caption = ""
    words = Emptiness("", ())

    def make_panes(self) -> Iterable[Pane]:
        pane = LaterPane(self.console.options, id="later")
        pane.caption, pane.words = self.caption, self.words
        yield pane

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        return {Place.LATER: area}


class AgentsScreen(LaterScreen):
    """Each agent's state machine, verdicts and accuracy."""

    name_in_navigation = "agents"
    caption = "Agents"
    words = Emptiness(
        "Agents are not on a screen of their own yet",
        ("What each agent said of a candidate stands on Gaps: press 3, then enter on a row.",),
    )


class ResearchScreen(LaterScreen):
    """Models, calibration, walk-forward, back-test runs."""

    name_in_navigation = "research"
    caption = "Research"
    words = Emptiness(
        "Research has no screen yet",
        ("Back-tests run from a shell: tradedeck backtest gaps --help",),
    )
