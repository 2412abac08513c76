"""The Desk: gap candidates, tickets, brackets and events of one account on one screen.

Dialogs are imported where they are opened: their 30 ms would otherwise delay the first frame.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.events import Key

from engine.model.commands import RejectTicket, Resume
from engine.model.ids import TicketId
from tui.actions import Action, Place, actions_in
from tui.screens.arrange import ORDER, arrange, banner_row, too_small
from tui.screens.chrome import DeckScreen, bindings_for
from tui.screens.rows import bracket_of, gap_of, no_ticket, ticket_of
from tui.shown.deck import BracketView, EventLine, TicketView
from tui.widgets.banner import Banner
from tui.widgets.brackets import BracketsPane
from tui.widgets.events import EventsPane
from tui.widgets.footer import FooterKey, keys_line
from tui.widgets.gaps import GapsPane
from tui.widgets.ink import EMPTY, Line, Span
from tui.widgets.look import Look
from tui.widgets.pane import Pane
from tui.widgets.tickets import TicketsPane, held_because

if TYPE_CHECKING:
    from tui.screens.approve import Approval
    from tui.screens.sheet import SheetEnd

MOVED_S = 0.3
"""A row that moved this recently takes no key that acts (design 8, 9)."""

AnyPane = GapsPane | TicketsPane | BracketsPane | EventsPane


class DeskScreen(DeckScreen[None]):
    """Exactly one pane is active; keys act on its selected row."""

    BINDINGS = bindings_for(frozenset(ORDER))

    def __init__(self) -> None:
        super().__init__()
        self.current = Place.GAPS
        self.zoomed = False
        self._typing = False
        self._known_tickets: set[TicketId] | None = None

    def compose_body(self) -> ComposeResult:
        options = self.console.options
        yield Banner()
        yield GapsPane(options, id="gaps")
        yield TicketsPane(options, id="tickets")
        yield BracketsPane(options, id="brackets")
        yield EventsPane(options, id="events")

    def pane(self, place: Place) -> AnyPane:
        """The pane of a place."""
        kinds: dict[Place, type[AnyPane]] = {
            Place.GAPS: GapsPane,
            Place.TICKETS: TicketsPane,
            Place.BRACKETS: BracketsPane,
            Place.EVENTS: EventsPane,
        }
        return self.query_one(kinds[place])

    @property
    def active(self) -> AnyPane:
        """The pane that keys act on."""
        return self.pane(self.current)

    # Drawing.

    def show_starting(self, line: Line) -> None:
        self._place(1)
        self.query_one(Banner).show_lines([line])

    def show_body(self, look: Look) -> None:
        banner = self.query_one(Banner)
        rows = banner.show(look, self.size.width - 2)
        self._place(rows)
        for place in ORDER:
            pane = self.pane(place)
            pane.set_active(place is self.current)
            pane.take(look)
        self._notice_tickets(look)

    def _place(self, banner_rows: int) -> None:
        """Give every pane its cells; panes that are not shown lose theirs."""
        width, height = self.size
        small = too_small(width, height)
        banner = self.query_one(Banner)
        banner.display = banner_rows > 0 and not small
        banner.styles.offset = (1, banner_row(width, height))
        banner.styles.width = width - 2
        banner.styles.height = max(banner_rows, 1)
        boxes = {} if small else arrange(width, height, banner_rows, self.current, zoom=self.zoomed)
        for place in ORDER:
            pane = self.pane(place)
            box = boxes.get(place)
            pane.display = box is not None
            if box is not None:
                pane.styles.offset = (box.x, box.y)
                pane.styles.width = box.width
                pane.styles.height = box.height

    def _notice_tickets(self, look: Look) -> None:
        """A new ticket lights the title up once and may ring; it never takes the cursor."""
        now = {ticket.ticket.id for ticket in look.view.tickets}
        before, self._known_tickets = self._known_tickets, now
        if before is not None and now - before:
            self.pane(Place.TICKETS).flash_title()
            if self.console.options.bell:
                self.app.bell()

    def footer_line(self, look: Look, room: int) -> Line:
        if self._typing:
            typed = Span(f"{self.active.filter}_")
            return (Span("/", "-accent -bold"), typed, Span("  enter keeps, esc clears", "-muted"))
        actions = [
            action for action in actions_in(self.current) if action.label and self._shows(action, look)
        ]
        return keys_line(
            [
                FooterKey(
                    action.key_shown(self.console.options.keys), action.label, self._works(action, look)
                )
                for action in actions
            ],
            room,
        )

    def _shows(self, action: Action, look: Look) -> bool:
        """Keys for rare states stand in the footer only while the state lasts."""
        match action.id:
            case "market.resume":
                return look.view.header.market.paused
            case "engine.resume":
                return look.halted
            case "ticket.approve" | "ticket.reject":
                return not look.halted
            case "back":
                return self.zoomed or bool(self.active.filter)
        return True

    def _works(self, action: Action, look: Look) -> bool:
        acts = action.id in ("market.resume", "engine.resume", "ticket.approve", "ticket.reject")
        if acts and (self.console.options.view_only or look.detached):
            return False
        if action.id not in ("ticket.approve", "ticket.reject"):
            return True
        ticket = ticket_of(look, self.active.selected_row)
        return ticket is not None and not (action.id == "ticket.approve" and held_because(ticket, look))

    # Keys.

    def on_key(self, event: Key) -> None:
        """Note when a key went down; while a filter is typed, letters belong to it."""
        now = self.console.options.now()
        for place in ORDER:
            self.pane(place).key_at = now
        if not self._typing:
            return
        pane = self.active
        if event.key == "escape":
            self._typing = False
            pane.set_filter("")
        elif event.key in ("enter", "tab"):
            self._typing = False
        elif event.key == "backspace":
            pane.set_filter(pane.filter[:-1])
        elif event.is_printable and event.character is not None:
            pane.set_filter(pane.filter + event.character)
        else:
            return
        event.stop()
        event.prevent_default()
        self.show()

    def on_pane_picked(self, event: Pane.Picked) -> None:
        """A click makes a pane the active one."""
        self._activate(event.place)

    def _activate(self, place: Place) -> None:
        self.current = place
        self._typing = False
        self.show()

    def action_next_pane(self) -> None:
        self._activate(ORDER[(ORDER.index(self.current) + 1) % len(ORDER)])

    def action_previous_pane(self) -> None:
        self._activate(ORDER[(ORDER.index(self.current) - 1) % len(ORDER)])

    def action_row_down(self) -> None:
        self.active.move(1)

    def action_row_up(self) -> None:
        self.active.move(-1)

    def action_row_first(self) -> None:
        self.active.move_to_end(last=False)

    def action_row_last(self) -> None:
        self.active.move_to_end(last=True)

    def action_zoom(self) -> None:
        """The active pane takes the whole screen, or gives it back."""
        self.zoomed = not self.zoomed
        self.show()

    def action_filter(self) -> None:
        self._typing = True
        self.show()

    def action_back(self) -> None:
        """Out of the filter first, then out of the zoom."""
        if self.active.filter:
            self.active.set_filter("")
        elif self.zoomed:
            self.zoomed = False
        else:
            self.refuse("esc", "nothing to go back from")
        self.show()

    def action_desk(self) -> None:
        self.zoomed = False
        self._activate(Place.GAPS)

    def action_help(self) -> None:
        from tui.screens.help import HelpSheet

        self.app.push_screen(HelpSheet(self.current))

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
            self._open_bracket(bracket)
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

    def _open_bracket(self, row: BracketView) -> None:
        from tui.screens.details import bracket_lines
        from tui.screens.sheet import Sheet

        def build(look: Look, width: int) -> list[Line]:
            now = next((item for item in look.view.brackets if item.ticket == row.ticket), row)
            return bracket_lines(now, look, width)

        self.app.push_screen(Sheet((f"B-{row.number}", row.symbol), build))

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
        wanted = end.approve or end.reject
        look = self.console.look()
        ticket = (
            None
            if look is None
            else next((item for item in look.view.tickets if item.ticket.id == wanted), None)
        )
        key = "a" if end.approve else "r"
        if self._may_not(key, look):
            return
        if look is None or ticket is None:
            self.refuse(key, "the ticket is no longer waiting")
        elif end.approve:
            self._approve(look, ticket)
        else:
            self._reject(ticket)

    # What moves money.

    def _may_act(self, key: str) -> TicketView | None:
        """The ticket a key would act on; None after saying why it does nothing."""
        look, pane = self.console.look(), self.active
        row = pane.selected_row
        ticket = None if look is None else ticket_of(look, row)
        since = self.console.options.now() - pane.moved_at
        if self._may_not(key, look):
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

    def _may_not(self, key: str, look: Look | None) -> bool:
        """Refuse a key that no row could make work."""
        if self.console.options.view_only:
            self.refuse(key, "this console may look, not act")
            return True
        if look is not None and look.detached:
            self.refuse(key, "the engine does not answer")
            return True
        return False

    def action_approve(self) -> None:
        """Open the approve dialog of the selected row's ticket."""
        look, ticket = self.console.look(), self._may_act("a")
        if look is not None and ticket is not None:
            self._approve(look, ticket)

    def _approve(self, look: Look, ticket: TicketView) -> None:
        from tui.screens.approve import ApproveDialog
        from tui.screens.sheet import SheetEnd

        if held := held_because(ticket, look):
            name = f"T-{ticket.ticket.number} is held: " if look.held else ""
            self.refuse("a", f"{name}{held}")
            return
        number, wanted = ticket.ticket.number, ticket.ticket.id

        def after(end: "Approval | None") -> None:
            if end is None:
                return
            if end.asked_reject:
                self._after_sheet(SheetEnd(reject=wanted))
            elif end.text:
                self.console.say(end.text, ok=end.ok)
            else:
                self.console.say(f"T-{number}: nothing was done", ok=False)

        self.app.push_screen(ApproveDialog(ticket, self.console.options.now()), after)

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
                self.run_worker(self._give(command))

        self.app.push_screen(RejectDialog(ticket), after)

    async def _give(self, command: RejectTicket | Resume) -> None:
        answer = await self.console.give(command)
        self.console.say(answer.text, ok=answer.ok)

    def action_resume(self) -> None:
        """Trade again after a halt."""
        from tui.screens.resume import ResumeDialog

        look = self.console.look()
        if look is None or not look.halted:
            self.refuse("R", "the engine is not halted")
            return
        if self._may_not("R", look):
            return

        def after(resumes: bool | None) -> None:
            if resumes:
                self.run_worker(self._give(Resume(self.console.actor)))

        self.app.push_screen(ResumeDialog(self.console.options.now()), after)

    def action_resume_market(self) -> None:
        """Let a waiting replay go on."""
        look = self.console.look()
        if look is None or not look.view.header.market.paused:
            self.refuse("space", "no replay waits")
        elif not self._may_not("space", look):
            self.run_worker(self._go_on())

    async def _go_on(self) -> None:
        if not await self.console.go_on():
            self.refuse("space", "no replay waits")

    def action_leave(self) -> None:
        """At once, unless leaving would stop an engine that lives here."""
        from tui.screens.leave import LeaveDialog

        if not self.console.options.own_engine:
            self.console.leave(stop_engine=False)
            return

        def after(stops: bool | None) -> None:
            if stops:
                self.console.leave(stop_engine=True)

        self.app.push_screen(LeaveDialog(), after)


def load_dialogs() -> None:
    """Import what the keys open, so that the first press is as quick as the second."""
    for name in ("approve", "details", "help", "leave", "reject", "resume", "sheet"):
        import_module(f"tui.screens.{name}")
