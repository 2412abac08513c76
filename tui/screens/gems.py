"""Every scored token, and what its score and safety stand on."""

from tui.screens.later import LaterScreen
from tui.widgets.pane import Emptiness


class GemsScreen(LaterScreen):
    """Every scored token, and what its score and safety stand on."""

    name_in_navigation = "gems"
    caption = "Gems"
    words = Emptiness("Gems has no screen yet", ("Press 1 for the Desk.",))
