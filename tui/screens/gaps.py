"""Every gap candidate with its verdicts."""

from tui.screens.later import LaterScreen
from tui.widgets.pane import Emptiness


class GapsScreen(LaterScreen):
    """Every gap candidate with its verdicts."""

    name_in_navigation = "gaps"
    caption = "Gaps"
    words = Emptiness("Gaps has no screen yet", ("Press 1 for the Desk.",))
