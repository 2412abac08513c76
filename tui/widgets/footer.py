"""The last row: keys of the focused pane, or why a key did nothing; sources and halt at the right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.widgets.board import Board
from tui.widgets.ink import Line, Span, cut_words, spread, width_of

if TYPE_CHECKING:
    from tui.widgets.look import Look

HALT_WARNING = "! again within 2 s: HALT (no new orders, stops stay)"


class Footer(Board):
    """One row; what it says is decided by the screen."""

    def show(self, left: Line, look: "Look | None", *, halting: bool, view_only: bool) -> None:
        """`left` gives way to the right side, except for the warning of a first `!`.

        Without a look the engine has not answered yet.
        """
        width = self.size.width
        if halting:
            self.show_lines([spread((Span(f" {HALT_WARNING} ", "-halting"),), (), width)])
            return
        self.show_lines([spread((Span(" "), *left), _right(look, view_only=view_only), width)])


@dataclass(frozen=True, slots=True)
class FooterKey:
    """A key as the footer shows it; faint while pressing it would be refused."""

    shown: str
    label: str
    works: bool = True


def keys_line(keys: Sequence[FooterKey], room: int, kept: Sequence[FooterKey] = ()) -> Line:
    """`a approve  r reject`; where not all fit whole, the last leave, but those to be kept last of all."""
    left = list(keys)
    while left and width_of(_joined(left)) > room:
        others = [key for key in left if key not in kept]
        left.remove((others or left)[-1])
    return _joined(left)


def _joined(keys: Sequence[FooterKey]) -> Line:
    line: Line = ()
    for key in keys:
        line = (*line, Span("  "), *_key(key)) if line else _key(key)
    return line


def _key(key: FooterKey) -> Line:
    if not key.works:
        return (Span(f"{key.shown} {key.label}", "-faint"),)
    return (Span(key.shown, "-accent -bold"), Span(f" {key.label}", "-muted"))


def refusal_line(key: str, reason: str, room: int) -> Line:
    """`a refused: ORVX quote is 42 s old, limit 3 s`."""
    lead = f" refused: {reason[:1].lower() + reason[1:] if reason[1:2].islower() else reason}"
    return (Span(key, "-faint"), Span(cut_words(lead, max(room - len(key), 0)), "-attention"))


def footer_room(width: int, look: "Look | None", *, view_only: bool) -> int:
    """Cells the left side may take."""
    return width - width_of(_right(look, view_only=view_only)) - 3


def _right(look: "Look | None", *, view_only: bool) -> Line:
    halt: Line = (Span("!!", "-danger -bold"), Span(" halt ", "-muted"))
    if view_only:
        halt = (Span("view only ", "-muted"),)
    if look is None:
        return halt
    market = look.view.header.market
    count = f"{market.sources_ok}/{market.sources_total} sources"
    if look.halted:
        return (Span("■", "-danger"), Span(" HALTED", "-danger -bold"), Span(f" {count} ", "-muted"))
    whole = market.sources_ok >= market.sources_total and not look.stale
    mark = Span("●", "-up") if whole else Span("◐", "-attention")
    return (mark, Span(f" {count}", "-muted"), Span("  "), *halt)
