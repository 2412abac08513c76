"""Brackets as trees: a line about each bracket, below it its orders; ended brackets last, one line each."""

from collections.abc import Sequence
from itertools import takewhile

from tui import format as fmt
from tui.actions import Place
from tui.options import ConsoleOptions
from tui.shown.deck import BracketView
from tui.widgets.brackets import bracket_mark, is_closed
from tui.widgets.columns import Placed, fit_columns
from tui.widgets.ink import EMPTY, Line, Span, cut_text, pad, spread, width_of
from tui.widgets.legs import GAP, LEAD, NO_MEASURE, Row, heads, leg_line, measure, order_rows
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title
from tui.widgets.rail import rail
from tui.widgets.rowspane import RowsPane

_WIDE = 110
"""Cells of the pane from which trees stand apart, and more is said of each."""
_NAME = 11
_RAIL, _RAIL_WIDE = 22, 26
_ALARM_US = 60 * fmt.US_PER_S
"""An order unknown for so long is told, and its symbol halted (RELIABILITY 5.2)."""


class OrdersPane(RowsPane[BracketView]):
    """One row is one bracket with all its orders."""

    place = Place.ORDERS

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(options, id=id)
        self._placed: tuple[Placed, ...] = ()
        self._measure = NO_MEASURE
        self._orders: dict[str, tuple[Row, ...]] = {}
        self._name_width = _NAME
        self._state_at = 0
        """Where the state of a bracket begins: over those of its orders."""
        self.is_told = False
        """Whether a pane beside it tells what happens to the selected bracket."""

    @property
    def wide(self) -> bool:
        """Whether trees stand apart."""
        return self.size.width >= _WIDE

    def heading(self, look: Look) -> Title:
        brackets = [row for row in look.view.brackets if not is_closed(row)]
        orders = sum(len(row.legs) for row in brackets)
        count = f"{_many(len(brackets), 'bracket')} · {_many(orders, 'order')}" if brackets else ""
        unknown = sum(row.unknown for row in brackets)
        if unknown:
            return Title("Orders", count, f" {unknown} UNKNOWN ", "-alarm")
        ended = len(look.view.brackets) - len(brackets)
        return Title("Orders", count, f"{ended} closed today" if ended else "")

    def rows(self, look: Look) -> Sequence[BracketView]:
        self._orders = {row.ticket: order_rows(row) for row in look.view.brackets}
        return look.view.brackets

    def key(self, row: BracketView) -> str:
        return row.ticket

    def words(self, row: BracketView) -> str:
        return f"b-{row.number} {row.symbol} {row.words}"

    def height_of(self, row: BracketView) -> int:
        if is_closed(row):
            return 1
        return 1 + len(self._orders[row.ticket]) + self.wide

    @property
    def rows_wanted(self) -> int:
        """Lines that show every tree, title and head included."""
        return 2 + sum(self.height_of(self._rows[key]) for key in self._order)

    def empty(self, look: Look) -> Emptiness:
        closed = look.view.last_closed
        return Emptiness("No open brackets", (f"Last closed: {closed}.",) if closed else ())

    # The tree.

    def content(self, look: Look, width: int, height: int) -> list[Line]:
        about = [] if self.wide or self.is_told else self._about(look, width - 4)
        if not about or height < 12:
            return super().content(look, width, height)
        room = height - len(about) - 1
        lines = super().content(look, width, room)
        return [*lines, *[EMPTY] * (room - len(lines) + 1), *((Span("  "), *line) for line in about)]

    def _about(self, look: Look, width: int) -> list[Line]:
        """Two lines on the selected bracket while the fate of one of its orders is not known."""
        row = self.selected_row
        leg = next((leg for leg in row.legs if leg.state == "unknown"), None) if row is not None else None
        if row is None or leg is None:
            return []
        why = f"{row.symbol} {leg.reason or 'no answer'}. It may or may not be at the venue."
        again = "" if leg.ask_us is None else f"Asked again in {fmt.countdown(leg.ask_us - look.now_us)}. "
        alarm = leg.since_us + _ALARM_US - look.now_us
        told = f"Alarm in {fmt.countdown(alarm)}." if alarm > 0 else f"{row.symbol} entries are off."
        first, second = cut_text(why, width), cut_text(f"{again}Never sent twice. {told}", width)
        return [(Span(first, "-danger"),), (Span(second),)]

    def prepare(self, width: int, look: Look) -> None:
        shown = [order for orders in self._orders.values() for order in orders]
        self._measure = measure(shown, look)
        self._placed = fit_columns(self._measure.columns, width - LEAD, GAP)
        before = takewhile(lambda at: at.column.id != "state", self._placed)
        self._state_at = LEAD + sum(at.width + GAP for at in before)
        longest = max((len(f"{row.symbol} B-{row.number}") for row in self._rows.values()), default=0)
        self._name_width = min(max(longest, _NAME), 18)

    def head(self, width: int, look: Look) -> Line | None:
        return (Span(" " * LEAD), *heads(self._placed))

    def draw(self, row: BracketView, width: int, look: Look, *, selected: bool) -> list[Line]:
        if is_closed(row):
            return [self._ended_line(row, width, look)]
        lines = [self._open_line(row, width, look)]
        orders = self._orders[row.ticket]
        for at, order in enumerate(orders):
            glyph = "└ " if at == len(orders) - 1 else "├ "
            tree = (Span(" "), Span(glyph, "-faint"))
            lines.append((*tree, *leg_line(order, self._placed, self._measure, look)))
        return [*lines, EMPTY] if self.wide else lines

    def _framed(self, line: Line, width: int, *, selected: bool, first: bool) -> Line:
        """Only the bracket's own line is lit up, and an alarm in it keeps its ground."""
        framed = super()._framed(line, width, selected=selected and first, first=first)
        if not selected or not first:
            return framed
        return tuple(Span(span.text, "-alarm") if "-alarm" in span.ink.split() else span for span in framed)

    def _lead(self, row: BracketView) -> Line:
        glyph, ink = ("●", "") if _is_safe(row) else bracket_mark(row)
        number = f" B-{row.number}"
        symbol = cut_text(row.symbol, self._name_width - len(number))
        blank = " " * (self._name_width - len(symbol) - len(number) + 1)
        strong = "-muted" if is_closed(row) else "-strong"
        return (Span(glyph, ink), Span("  "), Span(symbol, strong), Span(f"{number}{blank}", "-muted"))

    def _open_line(self, row: BracketView, width: int, look: Look) -> Line:
        left = (*self._lead(row), Span(_done(row)))
        if self.wide or row.unknown:
            left = (*pad(left, max(self._state_at, width_of(left) + 1)), *_state(row))
        return spread(left, self._right(row, look), width, gap=2)

    def _right(self, row: BracketView, look: Look) -> Line:
        if row.unknown:
            leg = next((leg for leg in row.legs if leg.state == "unknown"), row.legs[0])
            asked = f"asked {leg.asked} times, " if leg.asked != 1 else "asked once, "
            asked += "no answer, " if self.wide else ""
            return (Span(f"{asked}{fmt.elapsed(look.now_us - leg.since_us)}", "-danger"),)
        if row.entry_price is None:
            return () if self.wide else _state(row)
        ink = "-muted" if look.stale else ""
        width = _RAIL_WIDE if self.wide else _RAIL
        drawn = rail(width, row.stop_price, row.target_price, row.entry_price, row.last, ink)
        return (*drawn, Span(" "), *_pnl(row, look))

    def _ended_line(self, row: BracketView, width: int, look: Look) -> Line:
        trips = look.view.portfolio.round_trips
        trip = next((trip for trip in trips if trip.ticket == row.ticket), None)
        when = "" if row.closed_us is None else f"  {fmt.when(row.closed_us, look.now_us)}Z"
        left: Line = (*self._lead(row), Span(f"{row.words}{when}", "-muted"))
        if trip is None:
            return spread(left, (), width)
        made = f"{fmt.signed_money(trip.pnl)}  {fmt.signed_percent(trip.return_ratio).rjust(6)}"
        return spread(left, (Span(made, "-muted"),), width, gap=2)


def _many(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def _is_safe(row: BracketView) -> bool:
    """Its entry is over and all that is left has its stop."""
    return row.phase == "protected" and row.protected and not row.unknown


def _done(row: BracketView) -> str:
    """`buy 82 lmt 4.02`, `78 held, day 2/5`, `selling 78, manual`."""
    held = fmt.quantity(row.held)
    if row.exiting and row.phase == "exiting":
        return f"selling {held}, {row.exiting}"
    if row.held > 0 and row.phase != "entering":
        days = f"{row.day}/{row.max_days}" if row.max_days else f"{row.day}"
        return f"{held} held, day {days}"
    return f"buy {fmt.quantity(row.quantity)} lmt {fmt.price(row.limit_price)}"


def _state(row: BracketView) -> Line:
    """What it is doing, in the words of design 6."""
    if row.unknown:
        return (Span(" UNKNOWN ", "-alarm"),)
    if row.phase == "entering":
        if row.dropped:
            return (Span("◐ cancelling", "-attention"),)
        if row.held > 0:
            return (Span(f"◐ filling {fmt.filled(row.held, row.quantity)}", "-attention"),)
        return (Span("◐ entry working", "-attention"),)
    if row.phase != "protected":
        return (Span("◐ selling" if row.phase == "exiting" else "◐ closing", "-attention"),)
    if not row.protected:
        return (Span("■ no stop at the venue", "-danger"),)
    words = "protected" if row.trail_ratio is None else f"trailing {row.trail_ratio * 100:.0f}%"
    return (Span(f"● {words}", "-muted"),)


def _pnl(row: BracketView, look: Look) -> Line:
    text = fmt.signed_percent(row.pnl_ratio)
    if look.stale and row.pnl_ratio is not None:
        return (Span(" " * (7 - len(text))), Span("~", "-attention"), Span(text, "-stale"))
    sign = {"+": ("▲", "-up"), "-": ("▼", "-down")}
    glyph, ink = sign.get(text[0], (" ", "-muted"))
    return (Span(glyph, ink), Span(text.rjust(7), ink))
