"""The resume dialog: what must be true before trading goes on, Cancel in front (design 9)."""

from textual import events

from engine.model.positions import AccountKind
from tui import format as fmt
from tui.actions import Place
from tui.screens.chrome import bindings_for
from tui.screens.dialog import GUARD_S, Dialog, Gap, button, key_button
from tui.widgets.banner import unknown_words
from tui.widgets.ink import Line, Span, spread, wrap
from tui.widgets.look import Look

MOST_REASON_ROWS = 3


class ResumeDialog(Dialog[bool]):
    """Returns True when the person resumes; the engine still judges the conditions itself."""

    BINDINGS = bindings_for(frozenset({Place.RESUME}))
    place = Place.RESUME

    def __init__(self, now: float) -> None:
        super().__init__()
        self._typed = ""
        self._armed = now + GUARD_S

    def _needs_name(self, look: Look) -> bool:
        return look.view.header.kind is AccountKind.LIVE

    def conditions(self, look: Look) -> list[tuple[bool, str]]:
        """What must hold, and whether it does."""
        header = look.view.header
        unknown = header.unknown_orders
        naked = header.positions - header.protected
        found = [
            (not look.detached, "the engine answers" if not look.detached else "the engine does not answer"),
            (
                not unknown,
                f"reconciliation is clean{f', now: {unknown_words(unknown)}' if unknown else ''}",
            ),
            (not naked, f"{header.protected} of {header.positions} positions have their stop"),
        ]
        if self._needs_name(look):
            typed = self._typed == header.account
            found.append((typed, f"type the account name {header.account}: {self._typed}_"))
        return found

    def dialog_rows(self, look: Look) -> list[Line | Gap]:
        header = look.view.header
        reason = header.engine_reason or header.engine_state
        since = f"Halted {fmt.clock_utc(header.engine_since_us)}  "
        why = wrap(reason, self.inner_width - len(since))[:MOST_REASON_ROWS]
        rows: list[Line | Gap] = [
            Gap(1),
            (Span("Resume trading", "-strong"),),
            *(
                (Span(f"{'' if at else since:{len(since)}}{words}", "-muted"),)
                for at, words in enumerate(why)
            ),
            Gap(2),
        ]
        for holds, words in self.conditions(look):
            mark = Span("●", "-up") if holds else Span("■", "-danger")
            rows.append((mark, Span(f" {words}")))
        for limit in header.restrictions:
            rows.append((Span("◐", "-attention"), Span(f" stays on: {limit.text}")))
            if limit.command:
                rows.append((Span("  to end it: ", "-muted"), Span(limit.command, "-accent")))
        off = self._why_off(look)
        buttons = (*button("Cancel", default=True), Span("   "), *key_button("R", "resume", off=bool(off)))
        hint: Line = (Span("enter = cancel", "-muted"),) if self.wide else ()
        tail: Line = (Span(off, "-attention"),) if off else hint
        return [*rows, Gap(3), spread(buttons, tail, self.inner_width), Gap(4)]

    def _why_off(self, look: Look) -> str:
        failed = [words for holds, words in self.conditions(look) if not holds]
        return f"{len(failed)} of these must change first" if failed else ""

    def footer_line(self, look: Look, room: int) -> Line:
        return (Span("R", "-accent -bold"), Span(" resume  ", "-muted"), *_cancel())

    def action_back(self) -> None:
        self.dismiss(False)

    def action_press(self) -> None:
        self.dismiss(False)

    def on_key(self, event: events.Key) -> None:
        """For a live account letters type its name until it stands there."""
        look = self.console.look()
        if look is None or event.character in (None, "!") or not event.is_printable:
            return
        account = look.view.header.account
        if self._needs_name(look) and self._typed != account:
            self._typed = f"{self._typed}{event.character}"[-len(account) :]
            event.stop()
            event.prevent_default()
            self.show()

    def action_resume(self) -> None:
        """Resume when every condition holds."""
        look = self.console.look()
        if look is None:
            return
        now = self.console.options.now()
        if now < self._armed:
            # A key held down repeats itself: it is let go before it resumes.
            self._armed = now + GUARD_S
            self.refuse("R", self._why_off(look) or "ready in 0.3 s")
        elif off := self._why_off(look):
            self.refuse("R", off)
        else:
            self.dismiss(True)


def _cancel() -> Line:
    return (Span("esc", "-accent -bold"), Span(" cancel", "-muted"))
