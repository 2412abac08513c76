"""The smaller dialog: fewer shares for a ticket that waits; starts on the number (design 9)."""

from dataclasses import dataclass
from decimal import Decimal

from textual import events

from engine.model.commands import ShrinkTicket
from engine.model.ids import TicketId
from tui import format as fmt
from tui.actions import Place
from tui.screens.approve import CLOSES_S, fate, rail_rows, why_not_now
from tui.screens.arrange import FEWEST_COLUMNS, FEWEST_ROWS, too_small
from tui.screens.chrome import bindings_for
from tui.screens.dialog import GUARD_S, Dialog, Gap, button, key_button
from tui.shown.deck import TicketView
from tui.widgets.ink import Line, Span, cut, spread, width_of
from tui.widgets.look import Look

STAYS = frozenset({"not_smaller", "gated_out"})
"""Answers after which another number, or another moment, may do."""


@dataclass(frozen=True, slots=True)
class Smaller:
    """How the dialog ended, in words."""

    text: str
    ok: bool = False


class SmallerDialog(Dialog[Smaller]):
    """Asks the engine itself, so that a refused number can be typed again."""

    BINDINGS = bindings_for(frozenset({Place.SMALLER}))
    place = Place.SMALLER

    def __init__(self, ticket: TicketView, now: float) -> None:
        super().__init__()
        self._ticket: TicketId = ticket.ticket.id
        self._shown = ticket
        self._typed = digits(shares(ticket))
        self._is_fresh = True
        """Nothing was typed yet: the first digit replaces the number."""
        self._opened = now
        self._armed = now + GUARD_S
        self._asking = False

    def on_mount(self) -> None:
        """`enter` wakes up 300 ms after the dialog opened."""
        super().on_mount()
        self.set_timer(GUARD_S + 0.02, self.show)

    # What it says.

    @property
    def _label(self) -> str:
        return f"T-{self._shown.ticket.number}"

    @property
    def _wanted(self) -> Decimal | None:
        return Decimal(self._typed) if self._typed else None

    def bar_right(self, look: Look) -> str:
        left = self._opened + CLOSES_S - self.console.options.now()
        return f"closes {fmt.countdown(round(max(left, 0) * fmt.US_PER_S))}"

    def tick(self, look: Look) -> None:
        """Once a second: close when the time is over."""
        if self.console.options.now() - self._opened >= CLOSES_S and not self._asking:
            size = fmt.quantity(shares(self._shown))
            self.dismiss(Smaller(f"{self._label} stays at {size} shares: the dialog closed after 60 s."))

    def _current(self, look: Look) -> TicketView | None:
        return next((item for item in look.view.tickets if item.ticket.id == self._ticket), None)

    def why_off(self, look: Look) -> str:
        """Why `enter` does nothing now; "" when it makes the ticket smaller."""
        current = self._current(look)
        if self._asking:
            return "asked, waiting for the answer"
        if too_small(*self.size):
            return f"the terminal is too small, {FEWEST_COLUMNS}x{FEWEST_ROWS} is needed"
        if look.detached:
            return "the engine does not answer"
        if current is None:
            return fate(self._shown, look)
        if why := why_not_now(current, look):
            return why
        if self.console.options.now() < self._armed:
            return "ready in 0.3 s"
        return why_no_size(self._wanted, shares(current))

    def dialog_rows(self, look: Look) -> list[Line | Gap]:
        self._shown = self._current(look) or self._shown
        shown, width = self._shown, self.inner_width
        title = spread(
            (Span(f"Make {self._label} smaller", "-strong"), Span(f"   {shown.order_words[0]}", "-muted")),
            (
                Span("expires ", "-muted"),
                Span(fmt.countdown(shown.ticket.expires_us - look.now_us), "-yours -bold"),
            ),
            width,
        )
        return [
            Gap(1),
            title,
            Gap(3),
            *self._number(shown, width),
            Gap(4),
            *self._worth(shown, look, width),
            Gap(5),
            *rail_rows(shown, look, width),
            Gap(2),
            self._buttons(look, width),
            Gap(6),
        ]

    def _number(self, shown: TicketView, width: int) -> list[Line]:
        size = fmt.quantity(shares(shown))
        said: Line = (
            Span("Shares ", "-muted"),
            Span(size, "-strong"),
            Span(", you may only go down.", "-muted"),
        )
        typed = fmt.quantity(self._wanted) if self._wanted is not None else ""
        field: Line = (Span("▸ ", "-accent"), Span(typed, "-strong"), Span("_", "-accent -bold"))
        return [said, spread(field, (Span("0-9 type   ↑ ↓ one more, one fewer", "-muted"),), width)]

    def _worth(self, shown: TicketView, look: Look, width: int) -> list[Line]:
        """What the number in the field costs, loses and wins."""
        ticket, size = shown.ticket, shares(shown)
        share = (self._wanted or Decimal(0)) / size if size else Decimal(0)
        value, loss, gain = (
            amount * share for amount in (shown.value, shown.loss_at_stop, shown.gain_at_target)
        )
        equity = float(ticket.equity)
        ratio = float(loss) / equity if equity > 0 else None
        pays: Line = (
            Span("pays up to ", "-muted"),
            Span(f"{fmt.money(value)} {look.view.header.currency}", "-strong"),
        )
        risk: Line = (
            Span("at the stop ", "-muted"),
            Span(f"▼ {fmt.signed_money(loss)}" if loss else fmt.money(loss), "-down" if loss else "-muted"),
            Span(f"  {fmt.risk_percent(ratio)}", "-muted"),
        )
        win: Line = (
            Span("at the target ", "-muted"),
            Span(f"▲ {fmt.signed_money(gain)}" if gain else fmt.money(gain), "-up" if gain else "-muted"),
        )
        lines = [pays, spread(risk, win, width)]
        if width_of(risk) + 2 + width_of(win) > width:
            lines = [pays, risk, win]
        return lines

    def _buttons(self, look: Look, width: int) -> Line:
        off = self.why_off(look)
        verb = f"Make it {fmt.quantity(self._wanted)}" if self._wanted is not None else "Make it smaller"
        done = key_button("enter", verb, off=True) if off else button(verb, default=True)
        line: Line = (*done, Span("   "), *key_button("esc", "back"))
        if off:
            room = width - width_of(line) - 3
            return spread(line, (Span(off if len(off) <= room else "", "-attention"),), width)
        return spread(line, (Span("gates run again", "-muted"),) if self.wide else (), width)

    def footer_line(self, look: Look, room: int) -> Line:
        off = self.why_off(look)
        if off:
            return cut((Span("enter", "-faint"), Span(f" is off: {off}", "-attention")), room)
        now: Line = (Span("enter", "-accent -bold"), Span(" make it smaller   ", "-muted"))
        return cut((*now, Span("esc", "-accent -bold"), Span(" it stays as it is", "-muted")), room)

    # What it does.

    def on_key(self, event: events.Key) -> None:
        """Digits are the number; the first one replaces what stood there."""
        if event.key == "backspace":
            self._typed = self._typed[:-1]
        elif event.character is not None and event.character in "0123456789":
            longest = len(digits(shares(self._shown)))
            typed = event.character if self._is_fresh or self._typed == "0" else self._typed + event.character
            if len(typed) > longest:
                return
            self._typed = typed
        else:
            return
        self._is_fresh = False
        event.stop()
        event.prevent_default()
        self.show()

    def action_row_down(self) -> None:
        """One fewer."""
        self._step(-1)

    def action_row_up(self) -> None:
        """One more, up to what it is."""
        self._step(1)

    def _step(self, by: int) -> None:
        size = shares(self._shown)
        stepped = min(max((self._wanted or Decimal(0)) + by, Decimal(0)), size)
        self._typed, self._is_fresh = digits(stepped), False
        self.show()

    def action_press(self) -> None:
        """Give the command for exactly the ticket that is shown."""
        look, now, wanted = self.console.look(), self.console.options.now(), self._wanted
        if look is None:
            return
        off = self.why_off(look)
        if now < self._armed:
            # A key held down repeats itself: it is let go before it acts.
            self._armed = now + GUARD_S
            self.set_timer(GUARD_S + 0.02, self.show)
        if off or wanted is None:
            self.refuse("enter", off)
            return
        self._asking = True
        self.run_worker(self._ask(wanted), exclusive=True)
        self.show()

    async def _ask(self, wanted: Decimal) -> None:
        command = ShrinkTicket(self._ticket, self._shown.sha256, wanted, self.console.actor)
        answer = await self.console.give(command)
        self._asking = False
        if answer.code in STAYS:
            self.refuse("enter", answer.text)
        else:
            self.dismiss(Smaller(answer.text, answer.ok))

    def action_back(self) -> None:
        if not self._asking:
            self.dismiss(None)


def shares(ticket: TicketView) -> Decimal:
    """How many a ticket buys."""
    return ticket.ticket.order.stop.quantity


def digits(value: Decimal) -> str:
    """A size as it is typed: `1200`."""
    return fmt.quantity(value).replace(",", "")


def why_no_size(wanted: Decimal | None, now: Decimal) -> str:
    """Why a number is no smaller size; "" when it is one."""
    if wanted is None:
        return "type how many shares"
    if wanted == 0:
        return "0 shares: use reject"
    return "" if wanted < now else f"{fmt.quantity(wanted)} is not fewer than {fmt.quantity(now)}"
