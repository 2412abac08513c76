"""The reject dialog: why a ticket is refused; the first reason is chosen (design 9)."""

from textual import events

from tui.actions import Place
from tui.screens.chrome import bindings_for
from tui.screens.dialog import Dialog, Gap
from tui.shown.deck import TicketView
from tui.widgets.ink import Line, Span, over, pad
from tui.widgets.look import Look

REASONS = ("news I know", "price moved", "too much risk", "do not like it", "other")
_OTHER = len(REASONS) - 1
_LONGEST = 60


class RejectDialog(Dialog[str]):
    """Returns the reason in words; None when the person thought better of it."""

    BINDINGS = bindings_for(frozenset({Place.REJECT}))
    place = Place.REJECT

    def __init__(self, ticket: TicketView) -> None:
        super().__init__()
        self._ticket = ticket.ticket.id
        self._number = ticket.ticket.number
        self._words = ticket.order_words[0]
        self._at = 0
        self._typed = ""

    def tick(self, look: Look) -> None:
        """What is decided otherwise, or expired, cannot be rejected any more."""
        if all(waiting.ticket.id != self._ticket for waiting in look.view.tickets):
            self.console.say(f"T-{self._number} waits no longer: the dialog closed", ok=False)
            self.dismiss(None)

    def dialog_rows(self, look: Look) -> list[Line | Gap]:
        width = self.inner_width
        rows: list[Line | Gap] = [
            Gap(1),
            (Span(f"Reject T-{self._number} because", "-strong"), Span(f"   {self._words}", "-muted")),
            Gap(2),
        ]
        for at, reason in enumerate(REASONS):
            chosen = at == self._at
            tail: Line = ()
            if at == _OTHER:
                tail = (Span(f"  {self._typed}_"),) if chosen else (Span(" (type)", "-muted"),)
            line: Line = (
                Span("▸ " if chosen else "  ", "-accent"),
                Span(f"{at + 1}", "-accent -bold"),
                Span(f"  {reason}", "-strong" if chosen else ""),
                *tail,
            )
            rows.append(over(pad(line, width), "-selected") if chosen else line)
        said = (Span("The reason is kept in the audit log.", "-muted"),)
        return [*rows, Gap(3), said, Gap(4)]

    def footer_line(self, look: Look, room: int) -> Line:
        keys = (("enter", "reject"), ("esc", "keep it waiting"))
        spans: list[Span] = []
        for key, label in keys:
            spans += [Span(key, "-accent -bold"), Span(f" {label}  ", "-muted")]
        return tuple(spans)

    def action_press(self) -> None:
        """Reject with the chosen reason."""
        if self._at != _OTHER:
            self.dismiss(REASONS[self._at])
        elif self._typed.strip():
            self.dismiss(self._typed.strip())
        else:
            self.refuse("enter", "type the reason first")

    def action_row_down(self) -> None:
        self._choose(self._at + 1)

    def action_row_up(self) -> None:
        self._choose(self._at - 1)

    def _choose(self, at: int) -> None:
        self._at = min(max(at, 0), _OTHER)
        self.show()

    def on_key(self, event: events.Key) -> None:
        """Digits choose at once; while "other" is chosen letters are its text."""
        typing = self._at == _OTHER
        if typing and event.key == "backspace":
            self._typed = self._typed[:-1]
        elif typing and event.is_printable and event.character is not None and event.character != "!":
            self._typed = (self._typed + event.character)[:_LONGEST]
        elif event.character is not None and event.character in "12345":
            self._at = int(event.character) - 1
            if self._at != _OTHER:
                self.dismiss(REASONS[self._at])
        else:
            return
        event.stop()
        event.prevent_default()
        self.show()
