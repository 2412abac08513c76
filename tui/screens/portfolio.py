"""What the account is worth, holds and earned."""

from tui.screens.later import LaterScreen
from tui.widgets.pane import Emptiness


class PortfolioScreen(LaterScreen):
    """What the account is worth, holds and earned."""

    name_in_navigation = "portfolio"
    title = "Portfolio"
    words = Emptiness("Portfolio has no screen yet", ("Press 1 for the Desk.",))
