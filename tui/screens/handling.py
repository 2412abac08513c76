"""Dialogs about a bracket: cancel the rest of its entry, close its position; Cancel in front (design 9)."""

from decimal import Decimal

from engine.model.ids import TicketId
from tui import format as fmt
from tui.actions import Place
from tui.bracketwords import cancel_words, name_of, sale_words, why_no_cancel, why_no_close, worst_words
from tui.screens.arrange import FEWEST_COLUMNS, FEWEST_ROWS, too_small
from tui.screens.chrome import bindings_for
from tui.screens.dialog import GUARD_S, Dialog, Gap, button, key_button
from tui.shown.deck import BracketView
from tui.widgets.ink import Line, Span, cut, spread, width_of, wrap
from tui.widgets.look import Look
from tui.widgets.rail import rail

CLOSES_S = 60.0


class HandleDialog(Dialog[bool]):
    """About one bracket. Returns True when the person goes on; the engine judges again."""

    key = ""
    verb = ""

    def __init__(self, row: BracketView, now: float) -> None:
        super().__init__()
        self._ticket: TicketId = row.ticket
        self._shown = row
        self._opened = now
        self._armed = now + GUARD_S

    def on_mount(self) -> None:
        """The key wakes up 300 ms after the dialog opened."""
        super().on_mount()
        self.set_timer(GUARD_S + 0.02, self.show)

    # What a subclass says.

    def why_not(self, row: BracketView) -> str:
        """Why there is nothing to do any more; "" while there is."""
        raise NotImplementedError

    def about(self, row: BracketView, look: Look) -> list[Line | Gap]:
        """What would be done, in the words of the order."""
        raise NotImplementedError

    # The rest is the same.

    def bar_right(self, look: Look) -> str:
        left = self._opened + CLOSES_S - self.console.options.now()
        return f"closes {fmt.countdown(round(max(left, 0) * fmt.US_PER_S))}"

    def tick(self, look: Look) -> None:
        """Once a second: close when the time is over."""
        if self.console.options.now() - self._opened >= CLOSES_S:
            self.dismiss(False)
            self.console.say(
                f"{name_of(self._shown)}: nothing was done, the dialog closed after 60 s.", ok=False
            )

    def why_off(self, look: Look) -> str:
        """Why the key does nothing now; "" when it acts."""
        current = next((row for row in look.view.brackets if row.ticket == self._ticket), None)
        if too_small(*self.size):
            return f"the terminal is too small, {FEWEST_COLUMNS}x{FEWEST_ROWS} is needed"
        if look.detached:
            return "the engine does not answer"
        if current is None:
            return f"{name_of(self._shown)} is no longer shown"
        if why := self.why_not(current):
            return why
        return "ready in 0.3 s" if self.console.options.now() < self._armed else ""

    def dialog_rows(self, look: Look) -> list[Line | Gap]:
        current = next((row for row in look.view.brackets if row.ticket == self._ticket), None)
        if current is not None:
            self._shown = current
        rows = [Gap(1), *self.about(self._shown, look), Gap(3), self._buttons(look), Gap(4)]
        return rows

    def _buttons(self, look: Look) -> Line:
        off, width = self.why_off(look), self.inner_width
        line: Line = (
            *button("Cancel", default=True),
            Span("   "),
            *key_button(self.key, self.verb, off=bool(off)),
        )
        tail = off if len(off) <= width - width_of(line) - 3 else ""
        if off:
            return spread(line, (Span(tail, "-attention"),), width)
        return spread(line, (Span("enter = cancel, nothing is done", "-muted"),) if self.wide else (), width)

    def footer_line(self, look: Look, room: int) -> Line:
        off = self.why_off(look)
        if off:
            return cut((Span(self.key, "-faint"), Span(f" is off: {off}", "-attention")), room)
        now: Line = (Span(self.key, "-accent -bold"), Span(f" {self.verb}   ", "-muted"))
        return cut((*now, Span("esc", "-accent -bold"), Span(" nothing is done", "-muted")), room)

    def action_back(self) -> None:
        self.dismiss(False)

    def action_press(self) -> None:
        self.dismiss(False)

    def confirm(self) -> None:
        """Go on with what is shown, unless something came between."""
        look, now = self.console.look(), self.console.options.now()
        if look is None:
            return
        off = self.why_off(look)
        if now < self._armed:
            # A key held down repeats itself: it is let go before it acts.
            self._armed = now + GUARD_S
            self.set_timer(GUARD_S + 0.02, self.show)
        if off:
            self.refuse(self.key, off)
        else:
            self.dismiss(True)


class CancelDialog(HandleDialog):
    """`x`: what works of the entry is cancelled, what is held keeps its stop and target."""

    BINDINGS = bindings_for(frozenset({Place.CANCEL_ENTRY}))
    place = Place.CANCEL_ENTRY
    key = "x"
    verb = "cancel the entry"

    def why_not(self, row: BracketView) -> str:
        return why_no_cancel(row)

    def about(self, row: BracketView, look: Look) -> list[Line | Gap]:
        entry = row.legs[0]
        words, after = cancel_words(row)
        order = f"buy {fmt.quantity(entry.quantity)} {row.symbol}  limit {fmt.price(entry.price)}"
        order += f"  filled {fmt.filled(entry.filled, entry.quantity)}"
        title: Line = (Span(f"Cancel entry of {name_of(row)}", "-strong"),)
        rows: list[Line | Gap] = [title, (Span(order, "-muted"),), Gap(2), (Span(words, "-strong"),)]
        return [*rows, *((Span(part),) for part in wrap(after, self.inner_width))]

    def action_cancel_entry(self) -> None:
        """The same key that opened it."""
        self.confirm()


class CloseDialog(HandleDialog):
    """`X`: everything that is held is sold, after stop and target ended."""

    BINDINGS = bindings_for(frozenset({Place.CLOSE}))
    place = Place.CLOSE
    key = "X"
    verb = "sell"

    def why_not(self, row: BracketView) -> str:
        return why_no_close(row)

    def about(self, row: BracketView, look: Look) -> list[Line | Gap]:
        width = self.inner_width
        days = f"day {row.day}/{row.max_days}" if row.max_days else f"day {row.day}"
        held: Line = (Span(f"{fmt.quantity(row.held)} held, {days}", "-muted"),) if row.held > 0 else ()
        rows: list[Line | Gap] = [spread((Span(f"Close {name_of(row)}", "-strong"),), held, width), Gap(5)]
        rows += [(Span(part, "-strong"),) for part in wrap(sale_words(row), width)]
        rows += [(Span(part, "-muted"),) for part in wrap(worst_words(row), width)]
        return [*rows, Gap(2), *self._now(row, look)]

    def _now(self, row: BracketView, look: Look) -> list[Line | Gap]:
        """Where the price stands, and what it would make now."""
        width = self.inner_width
        if row.entry_price is None or row.last is None or row.held <= 0:
            return []
        made = (Decimal(str(row.last)) - row.entry_price) * row.held
        text = fmt.signed_money(made)
        ink = {"+": "-up", "-": "-down"}.get(text[0], "-muted")
        low, high = Span(fmt.price(row.stop_price), "-down"), Span(fmt.price(row.target_price), "-up")
        old = "~" if look.stale else ""
        worth = fmt.money(row.held * Decimal(str(row.last)))
        now: Line = (
            Span(f"last {old}{fmt.price(row.last)}  worth {old}{worth}  ", "-muted"),
            Span(text, ink),
            Span(f"  {fmt.signed_percent(row.pnl_ratio)}", ink),
        )
        middle = max(width - len(low.text) - len(high.text) - width_of(now), 2)
        left = middle // 2
        line: Line = (low, Span(" " * left), *now, Span(" " * (middle - left)), high)
        return [rail(width, row.stop_price, row.target_price, row.entry_price, row.last), line]

    def action_close_position(self) -> None:
        """The same key that opened it."""
        self.confirm()
