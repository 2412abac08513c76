"""The fills of the selected bracket, oldest first, with what was paid and what it cost."""

from collections.abc import Sequence

from tui import format as fmt
from tui.actions import Place
from tui.shown.deck import BracketView
from tui.shown.details import BracketDetail, FillRow
from tui.widgets.freepane import FreePane
from tui.widgets.ink import Line, Span, cut
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title

_ROLES = {"E": "entry", "S": "stop", "T": "target", "X": "exit"}


def fill_lines(fills: Sequence[FillRow], width: int) -> list[Line]:
    """Prices and fees with their points in one line."""
    counts = [fmt.quantity(fill.quantity) for fill in fills]
    prices = fmt.align_points([fmt.average(fill.price) for fill in fills])
    fees = fmt.align_points([fmt.money(fill.fee) for fill in fills])
    longest = [max(map(len, texts), default=0) for texts in (counts, prices, fees)]
    return [
        cut(
            (
                Span(f"{fmt.date_utc(fill.ts)} {fmt.clock_utc(fill.ts)}  ", "-muted"),
                Span(_ROLES[fill.role.value].ljust(8)),
                Span(count.rjust(max(longest[0], 6))),
                Span(f"  {price.rjust(max(longest[1], 9))}"),
                Span(f"  {fee.rjust(max(longest[2], 6))}", "-muted"),
            ),
            width,
        )
        for fill, count, price, fee in zip(fills, counts, prices, fees, strict=True)
    ]


class FillsPane(FreePane):
    """Beside the story where it is wide."""

    place = Place.FILLS
    chosen: BracketView | None = None
    """The bracket that the screen has selected."""

    def heading(self, look: Look) -> Title:
        row = self.chosen
        return Title("Fills", "" if row is None else f"B-{row.number} {row.symbol}", "price, fee")

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        row, detail = self.chosen, look.detail
        if row is None:
            return Emptiness("No bracket is selected", ())
        if not isinstance(detail, BracketDetail) or detail.ticket != row.ticket:
            return [(Span("Reading the journal.", "-muted"),)]
        return fill_lines(detail.fills, width) or Emptiness("Nothing was bought or sold yet", ())
