"""The Brackets pane: open brackets and those that closed in this session, unknown ones first."""

from collections.abc import Sequence

from tui import format as fmt
from tui.actions import Place
from tui.shown.deck import BracketView
from tui.widgets.ink import EMPTY, Line, Span, cut_text, spread
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title
from tui.widgets.rail import rail
from tui.widgets.rowspane import RowsPane

CARD = 44
"""Inner width from which a bracket has two lines; below it has one."""
_SYMBOL = 6
_RAIL_SHORT = 13


def is_closed(row: BracketView) -> bool:
    """Whether nothing more is expected of a bracket."""
    return row.phase.lower() == "closed"


def bracket_mark(row: BracketView) -> tuple[str, str]:
    """Glyph and ink of what a bracket is doing."""
    if row.unknown:
        return "?", "-danger -bold"
    if is_closed(row):
        return "●", "-muted"
    if row.phase == "protected" and not row.protected:
        return "■", "-danger"
    if row.phase != "protected" or row.held < row.quantity:
        return "◐", "-attention"
    return "●", ""


class BracketsPane(RowsPane[BracketView]):
    """Brackets with their rail."""

    place = Place.BRACKETS

    def heading(self, look: Look) -> Title:
        brackets = look.view.brackets
        unknown = sum(row.unknown for row in brackets)
        count = str(len(brackets)) if brackets else ""
        if unknown:
            return Title("Brackets", count, f" {unknown} UNKNOWN ", "-alarm")
        return Title("Brackets", count)

    def rows(self, look: Look) -> Sequence[BracketView]:
        return look.view.brackets

    def key(self, row: BracketView) -> str:
        return row.ticket

    def words(self, row: BracketView) -> str:
        return f"b-{row.number} {row.symbol} {row.words}"

    def height_of(self, row: BracketView) -> int:
        return 2 if self.size.width - 4 >= CARD else 1

    def empty(self, look: Look) -> Emptiness:
        closed = look.view.last_closed
        return Emptiness("No open brackets", (f"Last closed: {closed}.",) if closed else ())

    def draw(self, row: BracketView, width: int, look: Look, *, selected: bool) -> list[Line]:
        if width >= CARD:
            return [self._first(row, width), self._second(row, width, look)]
        return [self._short(row, width, look)]

    def _symbol(self, row: BracketView) -> Line:
        glyph, ink = bracket_mark(row)
        symbol = cut_text(row.symbol, _SYMBOL).ljust(_SYMBOL)
        return (Span(glyph, ink), Span(" "), Span(symbol, "-muted" if is_closed(row) else "-strong"))

    def _pnl(self, row: BracketView, look: Look) -> Line:
        text = fmt.signed_percent(row.pnl_ratio)
        if look.stale and row.pnl_ratio is not None:
            return (Span("~", "-attention"), Span(text, "-stale"))
        if is_closed(row) or text[0] not in "+-":
            return (Span(text, "-muted"),)
        return (Span(text, "-up" if text[0] == "+" else "-down"),)

    def _words_ink(self, row: BracketView) -> str:
        glyph, ink = bracket_mark(row)
        return ink if glyph in "?◐■" else "-muted"

    def _short(self, row: BracketView, width: int, look: Look) -> Line:
        name = self._symbol(row)
        if row.unknown or is_closed(row) or row.entry_price is None:
            room = width - _SYMBOL - 3
            return spread(name, (Span(cut_text(row.words, room), self._words_ink(row)),), width)
        ink = "-muted" if look.stale else ""
        drawn = rail(_RAIL_SHORT, row.stop_price, row.target_price, row.entry_price, row.last, ink)
        return spread((*name, Span(" "), *drawn), self._pnl(row, look), width)

    def _first(self, row: BracketView, width: int) -> Line:
        done = fmt.quantity(row.held) if row.held >= row.quantity else fmt.filled(row.held, row.quantity)
        if row.held == 0:
            done = fmt.quantity(row.quantity)
        at = row.limit_price if row.entry_price is None else row.entry_price
        left = (*self._symbol(row), Span(f" {done} at {fmt.price(at)}", "-muted"))
        words = cut_text(row.words, width - 12)
        return spread(left, (Span(words, self._words_ink(row).replace(" -bold", "")),), width)

    def _second(self, row: BracketView, width: int, look: Look) -> Line:
        if row.note:
            return (Span("  "), Span(cut_text(row.note, width - 2), "-muted"))
        if is_closed(row):
            return EMPTY
        low, high = fmt.price(row.stop_price), fmt.price(row.target_price)
        lead, tail = max(5, len(low)), max(5, len(high))
        pnl = self._pnl(row, look)
        ink = "-muted" if look.stale else ""
        middle = rail(
            width - 2 - lead - 1 - 1 - tail - 8,
            row.stop_price,
            row.target_price,
            row.limit_price if row.entry_price is None else row.entry_price,
            row.last,
            ink,
        )
        left: Line = (
            Span("  "),
            Span(low.ljust(lead), "-down"),
            Span(" "),
            *middle,
            Span(" "),
            Span(high.ljust(tail), "-up"),
        )
        return spread(left, pnl, width)
