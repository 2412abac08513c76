"""What stands there instead of a screen in a very small terminal."""

from typing import TYPE_CHECKING

from tui.widgets.board import Board
from tui.widgets.footer import HALT_WARNING
from tui.widgets.ink import EMPTY, Line, Span, cut

if TYPE_CHECKING:
    from tui.widgets.look import Look


class TooSmall(Board):
    """Covers the whole screen."""


def small_lines(look: "Look", width: int, height: int, *, halting: bool, last: Line) -> list[Line]:
    """Why nothing is shown, what keeps working, and `last`: what a key would do or why one did nothing."""
    protected = look.view.header.protected
    still = "Halted" if look.halted else "Engine silent" if look.detached else "Still trading"
    words = (
        f"Terminal is {width}x{height}.",
        "tradedeck needs 60x15.",
        f"{still}, {protected} position{'' if protected == 1 else 's'} protected.",
    )
    joined = " ".join(words)
    told = [joined] if len(joined) + 2 <= width else list(words)
    lines = [EMPTY, *(cut((Span(f" {line}"),), width) for line in told)]
    if halting:
        return [*lines, EMPTY, cut((Span(f" {HALT_WARNING}", "-halting"),), width)]
    return [*lines, EMPTY, cut((Span(" "), *last), width)] if last else lines
