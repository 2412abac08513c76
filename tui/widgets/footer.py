"""The last row: keys of the focused pane, or why a key did nothing; sources and halt at the right."""

from collections.abc import Sequence

from tui.widgets.board import Board
from tui.widgets.ink import Line, Span, cut, spread, width_of
from tui.widgets.look import Look

HALT_WARNING = "! again within 2 s: HALT (no new orders, stops stay)"


class Footer(Board):
    """One row; what it says is decided by the screen."""

    def show(self, left: Line, look: Look | None, *, halting: bool) -> None:
        """`left` gives way to the right side, except for the warning of a first `!`."""
        width = self.size.width
        if halting:
            self.show_lines([spread((Span(f" {HALT_WARNING} ", "-halting"),), (), width)])
            return
        right = () if look is None else _right(look)
        self.show_lines([spread((Span(" "), *left), right, width)])


def keys_line(keys: Sequence[tuple[str, str]], room: int) -> Line:
    """`a approve  r reject`; a key that does not fit whole leaves, and those after it."""
    line: Line = ()
    for shown, label in keys:
        more: Line = (Span(shown, "-accent -bold"), Span(f" {label}", "-muted"))
        longer = (*line, Span("  "), *more) if line else more
        if width_of(longer) > room:
            break
        line = longer
    return line


def refusal_line(key: str, reason: str, room: int) -> Line:
    """`a refused: ORVX quote is 42 s old, limit 3 s`."""
    return cut((Span(key, "-faint"), Span(f" refused: {reason}", "-attention")), room)


def footer_room(width: int, look: Look) -> int:
    """Cells the left side may take."""
    return width - width_of(_right(look)) - 3


def _right(look: Look) -> Line:
    market = look.view.header.market
    count = f"{market.sources_ok}/{market.sources_total} sources"
    if look.halted:
        return (Span("■", "-danger"), Span(" HALTED", "-danger -bold"), Span(f" {count} ", "-muted"))
    whole = market.sources_ok >= market.sources_total and not look.stale
    mark = Span("●", "-up") if whole else Span("◐", "-attention")
    return (
        mark,
        Span(f" {count}", "-muted"),
        Span("  "),
        Span("!!", "-danger -bold"),
        Span(" halt ", "-muted"),
    )
