"""Screens with a list and what is known of one row, which `enter` lets take the whole screen."""

from tui.actions import Action, Place
from tui.screens.paned import PanedScreen
from tui.widgets.look import Look


class OpenedScreen(PanedScreen):
    """The list is the first pane of `order`, the others are about the row that is selected or open."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: str | None = None
        """The key of the row that takes the whole screen."""

    @property
    def about(self) -> tuple[Place, ...]:
        """The panes that tell of one row."""
        return self.order[1:]

    def open_row(self, key: str) -> None:
        """Show one row alone."""
        self.opened, self.zoomed = key, False
        self.activate(self.about[0])

    def closed(self, key: str) -> None:
        """The list is back; `key` is what was open."""

    def reachable(self) -> tuple[Place, ...]:
        if self.opened is not None:
            return self.about
        return tuple(place for place in self.order if place is self.current or self.pane(place).display)

    def shows(self, action: Action, look: Look) -> bool:
        if action.id == "back":
            return self.opened is not None or super().shows(action, look)
        return super().shows(action, look)

    def action_back(self) -> None:
        """Out of the zoom, then back to the list."""
        if self.opened is not None and not self.zoomed:
            was, self.opened = self.opened, None
            self.activate(self.order[0])
            self.closed(was)
        else:
            super().action_back()

    def action_goto(self, name: str) -> None:
        """The own key of a screen closes what is open on it."""
        if name == self.name_in_navigation:
            self.opened = None
        super().action_goto(name)
