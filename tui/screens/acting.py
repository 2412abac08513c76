"""Screens whose rows may be tickets, brackets or candidates: opening them, and all that a ticket takes.

Dialogs are imported where they are opened: their 30 ms would otherwise delay the first frame.
"""

from typing import TYPE_CHECKING

from engine.model.commands import RejectTicket, SnoozeTicket
from tui.actions import Action
from tui.screens.byhand import MOVED_S, BracketKeysScreen
from tui.screens.rows import bracket_of, gap_of, no_ticket, ticket_of
from tui.shown.deck import BracketView, EventLine, TicketView
from tui.widgets.ink import EMPTY, Line
from tui.widgets.look import Look
from tui.widgets.tickets import held_because

if TYPE_CHECKING:
    from tui.screens.approve import Approval
    from tui.screens.sheet import SheetEnd


NEEDS_QUOTE = frozenset({"ticket.approve", "ticket.smaller"})
"""Off while a ticket is held: the gates would refuse."""
TICKET_ACTIONS = NEEDS_QUOTE | {"ticket.reject", "ticket.snooze"}


class ActingScreen(BracketKeysScreen):
    """The keys of tickets, wherever one is shown."""

    def shows(self, action: Action, look: Look) -> bool:
        if action.id in TICKET_ACTIONS:
            return not look.halted
        return super().shows(action, look)

    def works(self, action: Action, look: Look) -> bool:
        if not super().works(action, look):
            return False
        if action.id not in TICKET_ACTIONS:
            return True
        ticket = ticket_of(look, self.active.selected_row)
        return ticket is not None and not (action.id in NEEDS_QUOTE and held_because(ticket, look))

    # What a row has to say.

    def action_open(self) -> None:
        """The ticket, or what is known of the row."""
        from tui.screens.details import event_lines
        from tui.screens.sheet import Sheet

        look, row = self.console.look(), self.active.selected_row
        if look is None or row is None:
            self.refuse("enter", "no row here")
            return
        ticket = ticket_of(look, row)
        bracket = bracket_of(look, row)
        if ticket is not None:
            self._open_ticket(ticket)
        elif bracket is not None:
            self.open_bracket(bracket)
        elif isinstance(row, EventLine):
            state = "--state latest " if self.console.options.own_engine else ""
            self.app.push_screen(Sheet(("Event", ""), lambda _look, width: event_lines(row, width, state)))
        else:
            self.action_why()

    def _open_ticket(self, ticket: TicketView) -> None:
        from tui.screens.details import gone_lines, ticket_lines
        from tui.screens.sheet import Sheet

        number, wanted = ticket.ticket.number, ticket.ticket.id

        def build(look: Look, width: int) -> list[Line]:
            now = next((item for item in look.view.tickets if item.ticket.id == wanted), None)
            if now is None:
                return [*gone_lines(f"T-{number}"), EMPTY, *ticket_lines(ticket, look, width)]
            return ticket_lines(now, look, width)

        name = ticket.order_words[0].split("  ")[0]
        sheet = Sheet((f"T-{number}", name), build, wanted)
        self.app.push_screen(sheet, self._after_sheet)

    def open_bracket(self, row: BracketView) -> None:
        """Its orders, fills and story."""
        from tui.screens.bracketsheet import BracketSheet

        self.app.push_screen(BracketSheet(row))

    def action_why(self) -> None:
        """Why the row's candidate is in its state."""
        from tui.screens.details import why_lines
        from tui.screens.sheet import Sheet

        look, row = self.console.look(), self.active.selected_row
        gap = None if look is None or row is None else gap_of(look, row)
        if gap is None:
            self.refuse("w", "no row here" if row is None else "its candidate is not of this session")
            return
        known = gap.correlation

        def build(look: Look, width: int) -> list[Line]:
            now = next((item for item in look.view.gaps if item.correlation == known), gap)
            return why_lines(now, width)

        self.app.push_screen(Sheet((gap.symbol, "why"), build))

    def _after_sheet(self, end: "SheetEnd | None") -> None:
        if end is None:
            return
        look, key = self.console.look(), end.key
        tickets = () if look is None else look.view.tickets
        ticket = next((item for item in tickets if item.ticket.id == end.ticket), None)
        if self.may_not(key, look):
            return
        if look is None or ticket is None:
            self.refuse(key, "the ticket is no longer waiting")
        elif end.approve:
            self._approve(look, ticket)
        elif end.reject:
            self._reject(ticket)
        elif end.smaller:
            self._smaller(look, ticket)
        else:
            self.send(SnoozeTicket(ticket.ticket.id, self.console.actor))

    # What moves money.

    def _may_act(self, key: str) -> TicketView | None:
        """The ticket a key would act on; None after saying why it does nothing."""
        look, pane = self.console.look(), self.active
        row = pane.selected_row
        ticket = None if look is None else ticket_of(look, row)
        since = self.console.options.now() - pane.moved_at
        if self.may_not(key, look):
            return None
        if look is None or row is None:
            self.refuse(key, "no row here")
        elif since < MOVED_S:
            self.refuse(key, f"the row moved {since:.1f} s ago, press again")
        elif ticket is None:
            self.refuse(key, no_ticket(row))
        else:
            return ticket
        return None

    def action_approve(self) -> None:
        """Open the approve dialog of the selected row's ticket."""
        look, ticket = self.console.look(), self._may_act("a")
        if look is not None and ticket is not None:
            self._approve(look, ticket)

    def _approve(self, look: Look, ticket: TicketView) -> None:
        from tui.screens.approve import ApproveDialog
        from tui.screens.sheet import SheetEnd

        if self._is_held("a", look, ticket):
            return
        number, wanted = ticket.ticket.number, ticket.ticket.id

        def after(end: "Approval | None") -> None:
            if end is None:
                return
            if end.asked_reject:
                self._after_sheet(SheetEnd(reject=wanted))
            elif end.text:
                self.console.say(f"{end.text} Follow it in 4 Orders." if end.ok else end.text, ok=end.ok)
            else:
                self.console.say(f"T-{number}: nothing was done", ok=False)

        self.app.push_screen(ApproveDialog(ticket, self.console.options.now()), after)

    def _is_held(self, key: str, look: Look, ticket: TicketView) -> bool:
        """Whether the gates would refuse, after saying why."""
        held = held_because(ticket, look)
        if held:
            name = f"T-{ticket.ticket.number} is held: " if look.held else ""
            self.refuse(key, f"{name}{held}")
        return bool(held)

    def action_smaller(self) -> None:
        """Ask for the number of shares."""
        look, ticket = self.console.look(), self._may_act("e")
        if look is not None and ticket is not None:
            self._smaller(look, ticket)

    def _smaller(self, look: Look, ticket: TicketView) -> None:
        from tui.screens.smaller import Smaller, SmallerDialog, shares

        if self._is_held("e", look, ticket):
            return
        if shares(ticket) <= 1:
            self.refuse("e", f"T-{ticket.ticket.number} is one share, r rejects it")
            return

        def after(end: "Smaller | None") -> None:
            if end is not None:
                self.console.say(end.text, ok=end.ok)

        self.app.push_screen(SmallerDialog(ticket, self.console.options.now()), after)

    def action_snooze(self) -> None:
        """Out of sight for five minutes, at once; the engine says when it is back."""
        ticket = self._may_act("s")
        if ticket is not None:
            self.send(SnoozeTicket(ticket.ticket.id, self.console.actor))

    def action_reject(self) -> None:
        """Ask for the reason."""
        ticket = self._may_act("r")
        if ticket is not None:
            self._reject(ticket)

    def _reject(self, ticket: TicketView) -> None:
        from tui.screens.reject import RejectDialog

        def after(reason: str | None) -> None:
            if reason is not None:
                command = RejectTicket(ticket.ticket.id, reason, self.console.actor)
                self.send(command)

        self.app.push_screen(RejectDialog(ticket), after)
