"""The sheet of one bracket: its orders with whole ids, its fills, and its full story."""

from collections.abc import Sequence

from tui import format as fmt
from tui.screens.sheet import Sheet
from tui.shown.deck import BracketView
from tui.shown.details import BracketDetail, Detail, Topic
from tui.widgets.brackets import bracket_mark
from tui.widgets.columns import fit_columns
from tui.widgets.fills import fill_lines
from tui.widgets.ink import EMPTY, Line, Span
from tui.widgets.legs import GAP, ROLE, Row, heads, leg_line, measure
from tui.widgets.look import Look
from tui.widgets.story import story_lines
from tui.widgets.verdicts import head, paragraph

ASK_EVERY_S = 1.0


class BracketSheet(Sheet):
    """Made anew from every picture; what the journal knows is asked for once a second."""

    def __init__(self, row: BracketView) -> None:
        super().__init__((f"B-{row.number}", row.symbol), self._lines)
        self._row = row
        self._known: BracketDetail | None = None
        self._failed = False

    def on_mount(self) -> None:
        super().on_mount()
        self._ask()
        self.set_interval(ASK_EVERY_S, self._ask)

    def _ask(self) -> None:
        self.run_worker(self._learn(), group="detail", exclusive=True)

    async def _learn(self) -> None:
        found: Detail | None = await self.console.detail(Topic.BRACKET, self._row.ticket)
        known = found if isinstance(found, BracketDetail) else None
        if known != self._known or self._failed is not (known is None):
            self._known, self._failed = known or self._known, known is None
            self.show()

    def _lines(self, look: Look, width: int) -> Sequence[Line]:
        self._row = next((row for row in look.view.brackets if row.ticket == self._row.ticket), self._row)
        lines = _order_lines(self._row, look, width)
        known = self._known
        if known is None:
            said = "The journal has nothing of it." if self._failed else "Reading the journal."
            return [*lines, EMPTY, (Span(said, "-muted"),)]
        lines += [EMPTY, head("Fills", width, "time, role, quantity, price, fee")]
        lines += fill_lines(known.fills, width) or [(Span("None yet.", "-muted"),)]
        facts, steps = story_lines(known, look, width)
        lines += [EMPTY, head("What happened", width), *facts]
        return [*lines, EMPTY, head("What happens now", width), *steps] if steps else lines


def _order_lines(row: BracketView, look: Look, width: int) -> list[Line]:
    """What it is doing, every order it ever had, and the ids that find them at the venue."""
    glyph, ink = bracket_mark(row)
    lines: list[Line] = [
        (Span(glyph, ink), Span(f" {row.symbol}", "-strong"), Span(f"  {row.words}", "-muted"))
    ]
    if row.note:
        lines += paragraph(row.note, width, ink="-attention")
    if row.held > 0:
        stop = "stop works" if row.protected else "stop does not work yet"
        lines.append((Span(f"{fmt.quantity(row.held)} held, {stop}", "-muted"),))
    orders: list[Row] = [*row.legs, *row.planned]
    measured = measure(orders, look)
    placed = fit_columns([column for column in measured.columns if column.id != "id"], width - ROLE, GAP)
    lines += [EMPTY, head("Orders", width), (Span(" " * ROLE), *heads(placed))]
    lines += [leg_line(order, placed, measured, look) for order in orders]
    lines += [EMPTY, head("Ids", width, "ours, then the venue's")]
    for leg in row.legs:
        ids = f"{leg.client_order_id}  {leg.venue_order_id or 'not named by the venue'}"
        lines += paragraph(ids, width, lead=(Span(f"{leg.role.value} ", "-muted"),))
        if leg.reason:
            lines += paragraph(leg.reason, width, lead=(Span("  "),), ink="-muted")
    return lines
