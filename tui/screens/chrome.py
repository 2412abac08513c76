"""What every screen has: mode frame, both header rows, footer; and what it may ask of the console."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Generic, Protocol, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from tui.actions import Place, actions_in
from tui.options import ConsoleOptions
from tui.screens.arrange import too_small
from tui.widgets.banner import starting_line
from tui.widgets.board import Board
from tui.widgets.footer import Footer, footer_room, refusal_line
from tui.widgets.frame import Frame
from tui.widgets.ink import INKS, Line
from tui.widgets.small import TooSmall, small_lines
from tui.widgets.statusbar import Navigation, StatusBar

if TYPE_CHECKING:
    from engine.model.commands import Actor, Answer, Command
    from tui.shown.details import Detail, Topic
    from tui.widgets.look import Look

Result = TypeVar("Result")
REFUSAL_S = 4.0
HEADER_ROWS = 2


class Console(Protocol):
    """The part of the app that a screen sees."""

    options: ConsoleOptions
    actor: "Actor"
    halting: bool
    """True after a first `!`, until two seconds have passed."""

    def look(self) -> "Look | None": ...
    async def give(self, command: "Command") -> "Answer": ...
    async def go_on(self) -> bool: ...
    def say(self, text: str, *, ok: bool) -> None: ...
    def leave(self, *, stop_engine: bool) -> None: ...
    async def detail(self, topic: "Topic", id: str) -> "Detail | None": ...
    def key_times(self) -> Sequence[float]:
        """Seconds from each of the last keys to the picture after it, oldest first."""
        ...

    def goto(self, name: str) -> bool:
        """Show another screen; False when it is in front already."""
        ...


def bindings_for(places: frozenset[Place]) -> list[BindingType]:
    """Key bindings of some places, from the table of actions; their ids make keys configurable."""
    wanted = {action.id: action for place in Place if place in places for action in actions_in(place)}
    return [
        Binding(",".join(action.keys), action.target, action.help, show=False, id=action.id)
        for action in wanted.values()
        if action.id != "engine.halt"
    ]


class DeckScreen(Screen[Result], Generic[Result]):
    """A screen with the chrome around it. Subclasses compose a body and say what the footer shows."""

    name_in_navigation: ClassVar[str] = ""
    """Of `tui.actions.SCREENS`; "" for dialogs, which leave the tab of the screen behind them."""

    # The inks belong to the screen: on every widget they would cost the first frame 60 ms.
    COMPONENT_CLASSES: ClassVar[set[str]] = set(INKS)
    AUTO_FOCUS = ""
    ESCAPE_TO_MINIMIZE: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._refusal = ("", "")
        self._refused_until = float("-inf")

    @property
    def console(self) -> Console:
        """The app, as far as a screen may know it."""
        return cast(Console, self.app)

    def compose(self) -> ComposeResult:
        """Frame, header rows, the screen's own body, footer."""
        yield Frame(id="frame-left")
        yield Frame(id="frame-right")
        yield StatusBar()
        yield Navigation()
        yield from self.compose_body()
        yield Footer()
        yield TooSmall()

    def compose_body(self) -> ComposeResult:
        """The widgets between header and footer."""
        yield from ()

    def on_mount(self) -> None:
        """ASCII or not is the same for every widget."""
        for board in self.query(Board):
            board.plain = self.console.options.plain

    @property
    def tab(self) -> str:
        """Which screen the navigation marks."""
        if self.name_in_navigation:
            return self.name_in_navigation
        behind = self.app.screen_stack[:1]
        return getattr(behind[0], "name_in_navigation", "") if behind else ""

    def show(self) -> None:
        """Draw everything from the console's newest picture."""
        # While a screen closes, its widgets leave before its timers do.
        if not self.is_mounted or self.size.width == 0 or not self.query(Footer):
            return
        look = self.console.look()
        if look is None:
            self._show_opening()
            return
        kind = look.view.header.kind
        for frame in self.query(Frame):
            frame.show(kind)
        self.query_one(StatusBar).show(look)
        self.query_one(Navigation).show(look, self.tab)
        self.show_body(look)
        self.show_footer(look)
        self._show_small(look)

    def _show_opening(self) -> None:
        """The engine has not answered yet: what is known without it."""
        opening = self.console.options.opening
        if opening is not None and opening.kind:
            for frame in self.query(Frame):
                frame.show(opening.kind)
        self.query_one(StatusBar).show_opening(opening)
        self.query_one(Navigation).show_opening(self.tab)
        self.show_starting(starting_line(None))
        self.show_footer(None)

    def _show_small(self, look: "Look") -> None:
        """A very small terminal shows why it shows nothing, whatever screen is in front."""
        board, (width, height) = self.query_one(TooSmall), self.size
        small = too_small(width, height)
        board.display = small
        if not small:
            return
        refused = self.console.options.now() < self._refused_until
        last = refusal_line(*self._refusal, width - 2) if refused else self.small_line(look, width - 2)
        board.show_lines(small_lines(look, width, height, halting=self.console.halting, last=last))

    def small_line(self, look: "Look", room: int) -> Line:
        """What a very small terminal says beside the reason."""
        return ()

    def on_screen_resume(self) -> None:
        """Back in front: what happened meanwhile is shown at once."""
        self.show()

    def tick(self, look: "Look") -> None:
        """Once a second, before the screen is drawn again."""

    def show_starting(self, line: Line) -> None:
        """The engine has not answered yet."""

    def show_body(self, look: "Look") -> None:
        """Draw the screen's own part."""

    def footer_line(self, look: "Look", room: int) -> Line:
        """The left side of the footer."""
        return ()

    def opening_keys(self) -> Line:
        """The left side of the footer before the engine answered."""
        return ()

    def show_footer(self, look: "Look | None") -> None:
        """Keys, or for four seconds the reason why the last one did nothing."""
        footer = self.query_one(Footer)
        view_only = self.console.options.view_only
        room = footer_room(footer.size.width, look, view_only=view_only)
        refused = self.console.options.now() < self._refused_until
        keys = self.opening_keys() if look is None else self.footer_line(look, room)
        left = refusal_line(*self._refusal, room) if refused else keys
        footer.show(left, look, halting=self.console.halting, view_only=view_only)

    def refuse(self, key: str, reason: str) -> None:
        """Say in the footer that a key did nothing, and why."""
        self._refusal = (key, reason)
        self._refused_until = self.console.options.now() + REFUSAL_S
        self.set_timer(REFUSAL_S, self.show)
        self.show()

    def on_resize(self, event: events.Resize) -> None:
        """Every widget has its new size after the layout."""
        self.call_after_refresh(self.show)


class DeckModal(DeckScreen[Result], ModalScreen[Result], Generic[Result]):
    """A dialog over the Desk; the chrome is drawn again and never dimmed."""

    place: Place

    def small_line(self, look: "Look", room: int) -> Line:
        """The dialog is still open: say its keys."""
        return self.footer_line(look, room)

    def place_board(self, board: Board, width: int, height: int) -> None:
        """Put the dialog in the middle, between header and footer."""
        across, down = self.size.width, self.size.height
        width = min(width, across - 4)
        height = min(height, down - HEADER_ROWS - 1)
        top = max((down - height + 1) // 2, HEADER_ROWS)
        top = min(top, down - 1 - height)
        board.styles.offset = ((across - width) // 2, top)
        board.styles.width = width
        board.styles.height = height
