"""The audit log."""

from tui.screens.later import LaterScreen
from tui.widgets.pane import Emptiness


class LogScreen(LaterScreen):
    """The audit log."""

    name_in_navigation = "log"
    caption = "Log"
    words = Emptiness("Log has no screen yet", ("Press 1 for the Desk.",))
