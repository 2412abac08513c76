"""Brackets as trees of orders, unknown ones first."""

from tui.screens.later import LaterScreen
from tui.widgets.pane import Emptiness


class OrdersScreen(LaterScreen):
    """Brackets as trees of orders, unknown ones first."""

    name_in_navigation = "orders"
    caption = "Orders"
    words = Emptiness("Orders has no screen yet", ("Press 1 for the Desk.",))
