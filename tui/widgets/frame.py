"""The mode frame: the left and right margin of every screen says what the account is worth."""

from tui.widgets.board import Board
from tui.widgets.ink import Span

_GLYPHS = {
    "simulation": ("┊", "-muted"),
    "paper": ("│", "-accent"),
    "live": ("!", "-live"),
}


class Frame(Board):
    """One column, the same in every row."""

    def show(self, kind: str) -> None:
        """Draw the frame of a kind of account over the whole height."""
        glyph, ink = _GLYPHS[kind]
        self.show_lines([(Span(glyph, ink),)] * self.size.height)
