"""The Tickets pane: what waits for the person, as cards, soonest to expire first."""

from collections.abc import Sequence

from tui import format as fmt
from tui.actions import Place
from tui.shown.deck import TicketView
from tui.widgets.ink import EMPTY, Line, Span, spread, width_of
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title
from tui.widgets.rail import bar, rail
from tui.widgets.rowspane import RowsPane

CARD = 44
"""Inner width from which a ticket is a card of four lines; below it has two."""
_PRICE_AT = 6


def held_because(ticket: TicketView, look: Look) -> str:
    """Why a ticket cannot be approved now; "" when it can."""
    return look.held or ticket.held_reason


class TicketsPane(RowsPane[TicketView]):
    """Tickets that wait, held ones too."""

    place = Place.TICKETS

    def heading(self, look: Look) -> Title:
        tickets = look.view.tickets
        if not tickets:
            return Title("Tickets", "")
        held, seen = look.held, look.view.in_sight
        alone = len(seen) if held else sum(bool(ticket.held_reason) for ticket in seen)
        counts = (
            (len(seen) - alone, "waiting"),
            (alone, "held"),
            (len(tickets) - len(seen), "snoozed"),
        )
        said = ", ".join(f"{count} {word}" for count, word in counts if count)
        if held:
            return Title("Tickets", said, f"held: {held}", "-attention" if held == "stale" else "-danger")
        return Title("Tickets", said)

    def rows(self, look: Look) -> Sequence[TicketView]:
        return look.view.tickets

    def key(self, row: TicketView) -> str:
        # A ticket that was made smaller stands where the one before it stood.
        return row.ticket.correlation

    def words(self, row: TicketView) -> str:
        return f"t-{row.ticket.number} {row.order_words[0]}"

    def height_of(self, row: TicketView) -> int:
        if row.snoozed_us is not None:
            return 2
        return 5 if self.size.width - 4 >= CARD else 3

    def empty(self, look: Look) -> Emptiness:
        gaps = look.view.gaps
        if not gaps:
            return Emptiness("Nothing waits for you", ())
        passed = sum(row.ticket is not None for row in gaps)
        count = f"{len(gaps)} candidate{'' if len(gaps) == 1 else 's'}, {passed} passed."
        return Emptiness("Nothing waits for you", (f"{count} w on a row says why.",))

    def draw(self, row: TicketView, width: int, look: Look, *, selected: bool) -> list[Line]:
        if row.snoozed_us is not None:
            return [self._snoozed(row, row.snoozed_us, width, look), EMPTY]
        held = bool(held_because(row, look))
        first = self._first(row, width, look, held=held)
        if width >= CARD:
            return [first, *self._card(row, width, look, held=held), EMPTY]
        return [first, self._short(row, width, held=held), EMPTY]

    def _snoozed(self, row: TicketView, until_us: int, width: int, look: Look) -> Line:
        words = row.order_words[0].split("  ")[0]
        left = (Span("◆", "-held"), Span(f" T-{row.ticket.number}  {words}", "-muted"))
        return spread(left, (Span(f"back {fmt.countdown(until_us - look.now_us)}", "-muted"),), width)

    def _first(self, row: TicketView, width: int, look: Look, *, held: bool) -> Line:
        words = row.order_words[0].split("  ")[0]
        left = [
            Span("◆", "-held" if held else "-yours"),
            Span(f" T-{row.ticket.number}  ", "-muted"),
            Span(words, "-strong"),
        ]
        entry = row.ticket.order.entry
        if width >= CARD and entry is not None and entry.limit_price is not None:
            left.append(Span(f"  lmt {fmt.price(entry.limit_price)}"))
        time = fmt.countdown(row.ticket.expires_us - look.now_us)
        return spread(left, (Span(time, "-held" if held else "-yours -bold"),), width)

    def _short(self, row: TicketView, width: int, *, held: bool) -> Line:
        order = row.ticket.order
        stop, target = fmt.price(order.stop.stop_price), fmt.price(order.target.limit_price)
        levels: Line = (
            Span(stop, "-muted" if held else "-down"),
            Span("/", "-faint"),
            Span(target, "-muted" if held else "-up"),
        )
        loss = (Span(fmt.signed_money(row.loss_at_stop), "-muted"),)
        limit = None if order.entry is None else order.entry.limit_price
        left: Line = (Span("  "), Span(f"at {fmt.price(limit)}  "), *levels)
        if width_of(left) + 1 + width_of(loss) > width:
            left = (Span("  "), *levels)
        return spread(left, loss, width)

    def _card(self, row: TicketView, width: int, look: Look, *, held: bool) -> list[Line]:
        order = row.ticket.order
        stop, target = order.stop.stop_price, order.target.limit_price
        if stop is None or target is None:
            return [EMPTY, EMPTY, EMPTY]
        money: Line = (
            Span("  "),
            Span("value ", "-muted"),
            Span(fmt.money(row.value)),
            Span("   risk ", "-muted"),
            Span(fmt.money(abs(row.loss_at_stop))),
            Span(f" {fmt.risk_percent(row.loss_ratio)}", "-muted"),
        )
        low, high = fmt.price(stop), fmt.price(target)
        lead = 2 + max(_PRICE_AT, len(low))
        tail = max(9, len(high) + 1)
        limit = None if order.entry is None else order.entry.limit_price
        middle = rail(width - lead - 1 - tail, stop, target, limit, row.last, "-muted" if held else "")
        drawn: Line = (
            Span(low.rjust(lead), "-muted" if held else "-down"),
            Span(" "),
            *middle,
            Span(high.rjust(tail), "-muted" if held else "-up"),
        )
        whole = row.ticket.expires_us - row.ticket.created_us
        share = (row.ticket.expires_us - look.now_us) / whole if whole > 0 else 0.0
        return [money, drawn, (Span("  "), *bar(width - 2, share, "-faint" if held else "-yours"))]
