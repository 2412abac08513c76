"""Sources, engine, and who is attached."""

from tui.screens.later import LaterScreen
from tui.widgets.pane import Emptiness


class HealthScreen(LaterScreen):
    """Sources, engine, and who is attached."""

    name_in_navigation = "health"
    caption = "Health"
    words = Emptiness("Health has no screen yet", ("Press 1 for the Desk.",))
