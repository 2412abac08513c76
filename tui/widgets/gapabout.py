"""The panes about the one gap candidate that is selected or open: which it is, and its strip."""

from collections.abc import Callable
from decimal import Decimal

from engine.model.candidates import Vote
from engine.model.ids import CorrelationId
from tui import format as fmt
from tui.actions import Place
from tui.options import ConsoleOptions
from tui.screens.rows import bracket_of, ticket_of
from tui.shown.deck import BracketView, GapRow, RowState, TicketView
from tui.shown.details import GapDetail
from tui.widgets.gaps import state_words
from tui.widgets.ink import EMPTY, Line, Span, cut, cut_words, width_of, wrap
from tui.widgets.look import Look
from tui.widgets.pane import Pane, Title
from tui.widgets.rail import rail, rail_labels

Chosen = Callable[[], CorrelationId | None]
"""The candidate that the screen is about."""


class AboutGap(Pane):
    """A pane about the chosen candidate; its row is the one that keys act on."""

    def __init__(self, options: ConsoleOptions, *, id: str, chosen: Chosen) -> None:
        super().__init__(options, id=id)
        self._chosen = chosen
        self._shown: CorrelationId | None = None

    @property
    def selected_row(self) -> GapRow | None:
        """The chosen candidate as it is now; None when the session knows it no more."""
        return None if self._look is None else row_of(self._look, self._chosen())

    def take(self, look: Look) -> None:
        """Show a newer picture; another candidate under the keys counts as a row that moved."""
        if self._chosen() != self._shown:
            if self._shown is not None:
                self.moved_at = self._options.now()
            self._shown = self._chosen()
            self.begin()
        super().take(look)

    def begin(self) -> None:
        """Another candidate is shown from now on."""

    def detail(self, look: Look) -> GapDetail | None:
        """What is known of the chosen candidate, once it is."""
        known = look.detail
        return known if isinstance(known, GapDetail) and known.correlation == self._chosen() else None


def row_of(look: Look, correlation: CorrelationId | None) -> GapRow | None:
    """The row of a candidate."""
    return next((row for row in look.view.gaps if row.correlation == correlation), None)


def state_line(row: GapRow, look: Look) -> Line:
    """Glyph and words of the list's state column."""
    glyph, glyph_ink, words, ink = state_words(row, bracket_of(look, row), look)
    return (Span(glyph, glyph_ink), Span(f" {words}", ink))


def order_line(row: GapRow, look: Look, width: int) -> Line:
    """Quantity, stop, entry, target and what is at risk; a short form where it is narrow; () without."""
    ticket, bracket = ticket_of(look, row), bracket_of(look, row)
    if bracket is not None:
        return _bracket_line(bracket, width)
    return () if ticket is None else _ticket_line(ticket, look, width)


def _ticket_line(view: TicketView, look: Look, width: int) -> Line:
    order = view.ticket.order
    limit = None if order.entry is None else order.entry.limit_price
    count = fmt.quantity(order.stop.quantity)
    stop, target = order.stop.stop_price, order.target.limit_price
    left = _priced(count, stop, limit, "limit", target)
    risk = (Span("  risk ", "-muted"), Span(f"{fmt.money(abs(view.loss_at_stop))} "))
    share = Span(fmt.risk_percent(view.loss_ratio), "-muted")
    return _first_that_fits(
        width,
        (*left, *risk, share),
        (*left, *risk),
        _brief(count, stop, limit, target, fmt.signed_money(view.loss_at_stop)),
        _brief(count, stop, limit, target, ""),
    )


def _bracket_line(view: BracketView, width: int) -> Line:
    held = view.held > 0
    count = fmt.filled(view.held, view.quantity) if held else fmt.quantity(view.quantity)
    price = view.entry_price if held else view.limit_price
    name = "entry" if held else "limit"
    pnl = fmt.signed_percent(view.pnl_ratio) if view.pnl_ratio is not None else ""
    ink = "-up" if pnl.startswith("+") else "-down" if pnl.startswith("-") else "-muted"
    left = _priced(count, view.stop_price, price, name, view.target_price)
    return _first_that_fits(
        width,
        (*left, Span("  now " if pnl else "", "-muted"), Span(pnl, ink)),
        left,
        _brief(count, view.stop_price, price, view.target_price, pnl),
        _brief(count, view.stop_price, price, view.target_price, ""),
    )


def _priced(
    count: str, stop: Decimal | None, entry: Decimal | None, name: str, target: Decimal | None
) -> Line:
    return (
        Span(count, "-strong"),
        Span(" sh", "-muted"),
        Span(f"  {fmt.price(stop)}", "-down"),
        Span(" stop", "-muted"),
        Span(f"  {fmt.price(entry)}"),
        Span(f" {name}", "-muted"),
        Span(f"  {fmt.price(target)}", "-up"),
        Span(" target", "-muted"),
    )


def _brief(count: str, stop: Decimal | None, entry: Decimal | None, target: Decimal | None, end: str) -> Line:
    return (
        Span(count, "-strong"),
        Span(" at ", "-muted"),
        Span(fmt.price(entry)),
        Span(f"  {fmt.price(stop)}", "-down"),
        Span("/", "-faint"),
        Span(fmt.price(target), "-up"),
        Span(f"  {end}" if end else "", "-muted"),
    )


def _first_that_fits(width: int, *lines: Line) -> Line:
    """Numbers are never cut: the shorter form goes in their place."""
    return next((line for line in lines if width_of(line) <= width), ())


class GapStripPane(AboutGap):
    """The selected row in five lines: who it is and why, its prices, its rail. The name is its title."""

    place = Place.GAP_STRIP

    def heading(self, look: Look) -> Title:
        return Title("", "")

    def title_line(self, title: Title, width: int) -> Line:
        look, row = self._look, self.selected_row
        if look is None or row is None:
            return EMPTY
        parts = [f" {row.name}" if row.name else "", f" · {row.sector}" if row.sector else ""]
        named = cut((Span(row.symbol, "-strong"), Span("".join(parts), "-muted")), width // 2)
        why = cut_words(reason_of(row, look), width - 4 - width_of(named) - 8)
        return (Span("  "), *named, Span(" · why: ", "-muted"), Span(why))

    def content(self, look: Look, width: int, height: int) -> list[Line]:
        row = self.selected_row
        if row is None:
            return []
        inner = width - 4
        lines = [order_line(row, look, inner)]
        drawn = _rail_of(row, look, inner)
        if not lines[0] or not drawn:
            lines = _against(row, inner, height)
        elif height >= 2 + len(drawn):
            lines += [EMPTY, *drawn]
        else:
            lines += drawn[: height - 1]
        return [(Span("  "), *line) if line else EMPTY for line in lines]


def reason_of(row: GapRow, look: Look) -> str:
    """Why it is in its state, in one sentence."""
    ticket, bracket = ticket_of(look, row), bracket_of(look, row)
    match row.state:
        case RowState.WAITING | RowState.HELD:
            held = look.held or ("" if ticket is None else ticket.held_reason)
            return f"held, {held}" if held else f"{_agreed(row)}, waits for you"
        case RowState.SNOOZED if ticket is not None and ticket.snoozed_us is not None:
            return f"snoozed, back {fmt.countdown(ticket.snoozed_us - look.now_us)}"
        case RowState.UNKNOWN:
            return "it may or may not be at the venue, never sent twice"
        case RowState.WORKING if bracket is not None:
            return bracket.words
    return row.reason or "nothing speaks against it"


def _agreed(row: GapRow) -> str:
    voted = [vote for vote in row.votes if vote in (Vote.APPROVE, Vote.VETO)]
    return f"{sum(vote is Vote.APPROVE for vote in voted)} of {len(voted)} agents approve"


def _against(row: GapRow, width: int, height: int) -> list[Line]:
    """What speaks against it, as many sentences as there is room for whole."""
    lines: list[Line] = []
    for sentence in row.details:
        wrapped = wrap(sentence, width)
        if len(lines) + len(wrapped) > height:
            break
        lines += [(Span(line, "-muted"),) for line in wrapped]
    if not lines and row.details:
        lines = [(Span(cut_words(row.details[0], width), "-muted"),)]
    margin = "" if row.blocked_by is None else row.blocked_by.margin
    if margin and len(margin) <= width and len(lines) < height:
        lines.append((Span(margin, "-attention"),))
    return lines


def _rail_of(row: GapRow, look: Look, width: int) -> list[Line]:
    """The rail and what its ends are; [] for what has no prices."""
    ticket, bracket = ticket_of(look, row), bracket_of(look, row)
    entry: Decimal | None
    if bracket is not None:
        stop, target = bracket.stop_price, bracket.target_price
        entry = bracket.entry_price or bracket.limit_price
        last = bracket.last
    elif ticket is not None:
        order = ticket.ticket.order
        if order.stop.stop_price is None or order.target.limit_price is None:
            return []
        stop, target = order.stop.stop_price, order.target.limit_price
        entry = None if order.entry is None else order.entry.limit_price
        last = ticket.last
    else:
        return []
    drawn = rail(width, stop, target, entry, last, "-muted" if look.stale else "")
    share = 0.0 if entry is None or target <= stop else float((entry - stop) / (target - stop))
    label = () if entry is None else (Span("entry ", "-muted"), Span(fmt.price(entry)))
    ends: tuple[Line, Line] = (
        (Span(fmt.price(stop), "-down"), Span(" stop", "-muted")),
        (Span("target ", "-muted"), Span(fmt.price(target), "-up")),
    )
    return [drawn, rail_labels(width, *ends, label, share)]
