"""Leaving a console whose engine lives in its own process stops the engine too, so it asks (design 9)."""

from engine.model.positions import AccountKind
from tui.actions import Place
from tui.screens.chrome import bindings_for
from tui.screens.dialog import Dialog, Gap, button, key_button
from tui.widgets.ink import Line, Span
from tui.widgets.look import Look


class LeaveDialog(Dialog[bool]):
    """Returns True when the engine shall stop too; Stay is in front."""

    BINDINGS = bindings_for(frozenset({Place.LEAVE}))
    place = Place.LEAVE

    def dialog_rows(self, look: Look) -> list[Line | Gap]:
        count = look.view.header.positions
        stops = f"{count} position{'' if count == 1 else 's'} keep{'s' if count == 1 else ''} venue stops."
        if look.view.header.kind is AccountKind.SIMULATION:
            open_now = f"{count} position{' is' if count == 1 else 's are'} open."
            stops = f"{open_now} The simulation ends here, its books are kept."
        words = stops if count else "No position is open."
        asked = Span("Stop the engine too?", "-strong")
        fits = len(asked.text) + 1 + len(words) <= self.inner_width
        said: list[Line] = [(asked, Span(f" {words}"))] if fits else [(asked,), (Span(words),)]
        return [
            Gap(1),
            *said,
            Gap(2),
            (*button("Stay", default=True), Span("   "), *key_button("q", "leave and stop the engine")),
            Gap(3),
        ]

    def footer_line(self, look: Look, room: int) -> Line:
        return (
            Span("enter", "-accent -bold"),
            Span(" stay  ", "-muted"),
            Span("q", "-accent -bold"),
            Span(" leave and stop the engine", "-muted"),
        )

    def action_leave(self) -> None:
        """The second `q`."""
        self.dismiss(True)
