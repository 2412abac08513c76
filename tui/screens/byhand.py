"""The keys of brackets, wherever one is shown: ask the venue, cancel an entry, close a position.

Dialogs are imported where they are opened: their 30 ms would otherwise delay the first frame.
"""

from engine.model.commands import AskVenue, CancelEntry, ClosePosition
from tui.actions import Action
from tui.bracketwords import why_no_cancel, why_no_close, why_no_question
from tui.screens.paned import PanedScreen
from tui.screens.rows import bracket_of
from tui.shown.deck import BracketView
from tui.widgets.look import Look
from tui.widgets.pane import Pane

MOVED_S = 0.3
"""A row that moved this recently takes no key that acts (design 8, 9)."""


_WHY_NOT = {"bracket.ask": why_no_question, "bracket.cancel": why_no_cancel, "bracket.close": why_no_close}


class BracketKeysScreen(PanedScreen):
    """Screens on which a bracket or a position may be selected."""

    def works(self, action: Action, look: Look) -> bool:
        if not super().works(action, look):
            return False
        why_not = _WHY_NOT.get(action.id)
        if why_not is None:
            return True
        row = bracket_of(look, self.bracket_pane().selected_row)
        return row is not None and not why_not(row)

    def bracket_pane(self) -> Pane:
        """The pane whose selected row the keys of brackets are about."""
        return self.active

    def _bracket_for(self, key: str, action: str) -> BracketView | None:
        """The bracket that a key would act on; None after saying why it does nothing."""
        look = self.console.look()
        if self.may_not(key, look):
            return None
        pane = self.bracket_pane()
        row = None if look is None else bracket_of(look, pane.selected_row)
        since = self.console.options.now() - pane.moved_at
        if row is None:
            self.refuse(key, "no bracket on this row")
        elif since < MOVED_S:
            self.refuse(key, f"the row moved {since:.1f} s ago, press again")
        elif why := _WHY_NOT[action](row):
            self.refuse(key, why)
        else:
            return row
        return None

    def action_ask_venue(self) -> None:
        """Ask the venue now what became of an order; nothing is sent again."""
        row = self._bracket_for("v", "bracket.ask")
        if row is not None:
            self.send(AskVenue(row.ticket, self.console.actor))

    def action_cancel_entry(self) -> None:
        """Cancel what still works of an entry, after a dialog."""
        from tui.screens.handling import CancelDialog

        row = self._bracket_for("x", "bracket.cancel")
        if row is None:
            return

        def after(does: bool | None) -> None:
            if does:
                self.send(CancelEntry(row.ticket, self.console.actor))

        self.app.push_screen(CancelDialog(row, self.console.options.now()), after)

    def action_close_position(self) -> None:
        """Sell what is held, after a dialog."""
        from tui.screens.handling import CloseDialog

        row = self._bracket_for("X", "bracket.close")
        if row is None:
            return

        def after(does: bool | None) -> None:
            if does:
                self.send(ClosePosition(row.ticket, self.console.actor))

        self.app.push_screen(CloseDialog(row, self.console.options.now()), after)
