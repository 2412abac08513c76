"""The mode frame: the left and right margin of every screen says what the account is worth."""

from engine.model.positions import AccountKind
from tui.widgets.board import Board
from tui.widgets.ink import Span

_GLYPHS = {
    AccountKind.SIMULATION: ("┊", "-muted"),
    AccountKind.PAPER: ("│", "-accent"),
    AccountKind.LIVE: ("!", "-live"),
}


class Frame(Board):
    """One column, the same in every row."""

    def show(self, kind: AccountKind) -> None:
        """Draw the frame of an account kind over the whole height."""
        glyph, ink = _GLYPHS[kind]
        self.show_lines([(Span(glyph, ink),)] * self.size.height)
