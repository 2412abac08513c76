"""A screen of panes: exactly one is active, keys act on its selected row. What every screen's keys do."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.events import Key

from tui.actions import Action, Place, actions_in
from tui.screens.arrange import Box, banner_row, body, has_room, too_small
from tui.screens.chrome import DeckScreen
from tui.widgets.banner import Banner
from tui.widgets.footer import FooterKey, keys_line
from tui.widgets.ink import Line, Span
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from engine.model.commands import Command
    from tui.shown.details import Detail, Topic
    from tui.widgets.look import Look

DETAIL_S = 1.0
"""How old the answer about an opened row may get before it is asked for again."""


class PanedScreen(DeckScreen[None]):
    """Subclasses name their panes, where they stand, and what their rows' keys do."""

    order: ClassVar[tuple[Place, ...]]
    """In the order of `tab`; the first is active at the start."""

    def __init__(self) -> None:
        super().__init__()
        self.current = self.order[0]
        self.zoomed = False
        self._typing = False
        self._alone = False
        """Whether the active pane has no place beside the others and covers them."""
        self._single = False
        """Whether the screen has one pane only at this size."""
        self._panes: dict[Place, Pane] = {}
        self._detail: tuple[tuple[Topic, str], Detail | None] | None = None
        self._asked: tuple[Topic, str] | None = None
        self._asked_at = float("-inf")

    # What a subclass says.

    def make_panes(self) -> Iterable[Pane]:
        """One for each place of `order`."""
        raise NotImplementedError

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        """Where the panes stand in the area below banner and header; those left out are not shown."""
        raise NotImplementedError

    def subject(self, look: "Look") -> "tuple[Topic, str] | None":
        """What the screen wants to know more of: asked for, and given to the panes in `Look.detail`."""
        return None

    # Panes.

    def compose_body(self) -> ComposeResult:
        yield Banner()
        for pane in self.make_panes():
            self._panes[pane.place] = pane
            yield pane

    def pane(self, place: Place) -> Pane:
        """The pane of a place."""
        return self._panes[place]

    @property
    def active(self) -> Pane:
        """The pane that keys act on."""
        return self._panes[self.current]

    # Drawing.

    def show_starting(self, line: Line) -> None:
        self._place(1)
        self.query_one(Banner).show_lines([line])

    def show_body(self, look: "Look") -> None:
        rows = self.query_one(Banner).show(look, self.size.width - 2)
        look = replace(look, detail=self._known(look))
        shown = self._place(rows)
        for place, pane in self._panes.items():
            pane.set_active(place is self.current)
            if place in shown:
                pane.take(look)
        self.after_body(look)

    def after_body(self, look: "Look") -> None:
        """Once the panes have the newest picture."""

    def _place(self, banner_rows: int) -> dict[Place, Box]:
        """Give every pane its cells; panes that are not shown lose theirs."""
        width, height = self.size
        small = too_small(width, height)
        banner = self.query_one(Banner)
        banner.display = banner_rows > 0 and not small
        banner.styles.offset = (1, banner_row(width, height))
        banner.styles.width = width - 2
        banner.styles.height = max(banner_rows, 1)
        boxes = {} if small else self._boxes(width, height, banner_rows)
        for place, pane in self._panes.items():
            box = boxes.get(place)
            pane.display = box is not None
            if box is not None:
                pane.styles.offset = (box.x, box.y)
                pane.styles.width = box.width
                pane.styles.height = box.height
        return boxes

    def _boxes(self, width: int, height: int, banner_rows: int) -> dict[Place, Box]:
        area, wide = body(width, height, banner_rows)
        self._alone = False
        if self.zoomed:
            return {self.current: area}
        if not has_room(width, height):
            return {self.current: area}
        boxes = self.boxes(area, wide)
        self._alone = self.current not in boxes
        self._single = len(boxes) == 1
        return {self.current: area} if self._alone else boxes

    # Details of what is opened.

    def _known(self, look: "Look") -> "Detail | None":
        """The newest answer about what the screen wants; asks where it is old or about something else."""
        wanted, now = self.subject(look), self.console.options.now()
        if wanted is None:
            # Wanted again, it is asked for at once.
            self._detail = self._asked = None
            return None
        if wanted != self._asked or now - self._asked_at >= DETAIL_S:
            self._asked, self._asked_at = wanted, now
            self.run_worker(self._ask(wanted), group="detail", exclusive=True)
        return self._detail[1] if self._detail is not None and self._detail[0] == wanted else None

    async def _ask(self, wanted: "tuple[Topic, str]") -> None:
        answer = await self.console.detail(*wanted)
        if wanted == self._asked and (self._detail is None or self._detail != (wanted, answer)):
            self._detail = (wanted, answer)
            self.show()

    # Footer.

    def footer_line(self, look: "Look", room: int) -> Line:
        if self._typing:
            typed = Span(f"{self.active.filter}_")
            return (Span("/", "-accent -bold"), typed, Span("  enter keeps, esc clears", "-muted"))
        chosen = self.console.options.keys
        keys = {
            action.id: FooterKey(action.key_shown(chosen), action.label, self.works(action, look))
            for action in actions_in(self.current)
            if action.label and self.shows(action, look)
        }
        kept = [key for id, key in keys.items() if id in ("back", "help")]
        found = list(keys.values())
        if next(iter(keys)) == "market.resume":  # no ticket is here: what the screen is for comes first
            found = [*found[1:4], found[0], *found[4:]]
        return keys_line(found, room, kept)

    def opening_keys(self) -> Line:
        chosen, shown = self.console.options.keys, ("help", "leave")
        keys = [action for action in actions_in(self.current) if action.id in shown]
        return keys_line([FooterKey(key.key_shown(chosen), key.label) for key in keys], self.size.width)

    def shows(self, action: Action, look: "Look") -> bool:
        """Keys for rare states stand in the footer only while the state lasts."""
        match action.id:
            case "market.resume":
                return look.view.header.market.waits
            case "engine.resume":
                return look.halted
            case "back":
                return self.zoomed or self._alone or bool(self.active.filter)
        return True

    def works(self, action: Action, look: "Look") -> bool:
        """Whether pressing its key would be refused now; its key is then faint."""
        acts = self.console.options.view_only or look.detached
        return not (acts and action.is_acting)

    # Keys that are the same on every screen.

    def on_key(self, event: Key) -> None:
        """Note when a key went down; while a filter is typed, letters belong to it."""
        now = self.console.options.now()
        for pane in self._panes.values():
            pane.key_at = now
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
        self.activate(event.place)

    def activate(self, place: Place) -> None:
        """Make a pane the one that keys act on."""
        self.current = place
        self._typing = False
        self.show()

    def reachable(self) -> tuple[Place, ...]:
        """The panes that `tab` goes through."""
        return self.order

    def action_next_pane(self) -> None:
        self._step(1)

    def action_previous_pane(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        places = self.reachable()
        at = places.index(self.current) if self.current in places else 0
        self.activate(places[(at + by) % len(places)])

    def action_row_down(self) -> None:
        self.active.move(1)
        self.show()

    def action_row_up(self) -> None:
        self.active.move(-1)
        self.show()

    def action_row_first(self) -> None:
        self.active.move_to_end(last=False)
        self.show()

    def action_row_last(self) -> None:
        self.active.move_to_end(last=True)
        self.show()

    def action_zoom(self) -> None:
        """The active pane takes the whole screen, or gives it back."""
        if self._alone or (self._single and not self.zoomed):
            self.refuse("z", "the pane has the whole screen already")
            return
        self.zoomed = not self.zoomed
        self.show()

    def action_filter(self) -> None:
        if not self.active.can_filter:
            self.refuse("/", "there are no rows to find here")
            return
        self._typing = True
        self.show()

    def action_sort(self) -> None:
        if self.active.selected_row is None:
            self.refuse("o", "there are no rows to sort")
        elif not self.active.cycle_sort():
            self.refuse("o", "these rows have one order only")

    def action_back(self) -> None:
        """Out of the filter first, then out of the zoom, then off a pane that covers the others."""
        if self.active.filter:
            self.active.set_filter("")
        elif self.zoomed:
            self.zoomed = False
        elif self._alone:
            self.activate(self.order[0])
        else:
            self.refuse("esc", "nothing to go back from")
        self.show()

    def action_goto(self, name: str) -> None:
        """Another screen; this one's own key goes back to where it began."""
        if not self.console.goto(name):
            self.zoomed = False
            self.activate(self.order[0])

    def action_help(self) -> None:
        from tui.screens.help import HelpSheet

        self.app.push_screen(HelpSheet(self.current, self.order))

    def action_tour(self) -> None:
        """Cards beside the panes, one after the other: not made yet."""
        self.refuse("T", "no tour yet: ? tells the keys, ? ? the words")

    def action_palette(self) -> None:
        """Every command by name."""
        from tui.screens.palette import PaletteDialog

        def after(target: str | None) -> None:
            if target is not None:
                self.run_worker(self.run_action(target))

        self.app.push_screen(PaletteDialog(self.current), after)

    # What moves money, or lets it move, on every screen.

    def may_not(self, key: str, look: "Look | None") -> bool:
        """Refuse a key that no row could make work."""
        if self.console.options.view_only:
            self.refuse(key, "this console may look, not act")
            return True
        if look is not None and look.detached:
            self.refuse(key, "the engine does not answer")
            return True
        return False

    def send(self, command: "Command") -> None:
        """Give a command, and say what the engine answers."""
        self.run_worker(self._send(command))

    async def _send(self, command: "Command") -> None:
        answer = await self.console.give(command)
        self.console.say(answer.text, ok=answer.ok)

    def action_resume(self) -> None:
        """Trade again after a halt."""
        from engine.model.commands import Resume
        from tui.screens.resume import ResumeDialog

        look = self.console.look()
        if look is None or not look.halted:
            self.refuse("R", "the engine is not halted")
            return
        if self.may_not("R", look):
            return

        def after(resumes: bool | None) -> None:
            if resumes:
                self.send(Resume(self.console.actor))

        self.app.push_screen(ResumeDialog(self.console.options.now()), after)

    def action_resume_market(self) -> None:
        """Let a waiting replay go on."""
        look = self.console.look()
        if look is None or not look.view.header.market.waits:
            self.refuse("space", "the market waits for nobody")
        elif not self.may_not("space", look):
            self.run_worker(self._go_on())

    async def _go_on(self) -> None:
        if not await self.console.go_on():
            self.refuse("space", "the market waits for nobody")

    def action_leave(self) -> None:
        """At once, unless leaving would stop an engine that lives and runs here."""
        if not self.console.options.own_engine or self.console.look() is None:
            self.console.leave(stop_engine=False)
            return
        from tui.screens.leave import LeaveDialog

        def after(stops: bool | None) -> None:
            if stops:
                self.console.leave(stop_engine=True)

        self.app.push_screen(LeaveDialog(), after)
