"""Drawdown, limits used, and why entries are off."""

from tui.screens.later import LaterScreen
from tui.widgets.pane import Emptiness


class RiskScreen(LaterScreen):
    """Drawdown, limits used, and why entries are off."""

    name_in_navigation = "risk"
    caption = "Risk"
    words = Emptiness("Risk has no screen yet", ("Press 1 for the Desk.",))
