"""The palette: every command by name. Typing narrows the list, `enter` runs the marked one."""

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.events import Key

from tui.actions import ACTIONS, Group, Place
from tui.screens.chrome import DeckModal, bindings_for
from tui.screens.sheet import SheetBoard
from tui.widgets.board import Board
from tui.widgets.ink import EMPTY, Line, Span, over, pad, spread
from tui.widgets.look import Look
from tui.widgets.statusbar import WIDE

WIDTH_WIDE, WIDTH_SMALL = 72, 60
ROWS = 12


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette; `target` is what `run_action` takes."""

    name: str
    key: str
    target: str

    def fits(self, typed: str) -> bool:
        """Whether each typed word is in the name."""
        return all(word in self.name.lower() for word in typed.lower().split())


def commands_for(place: Place, chosen: dict[str, str]) -> list[Command]:
    """What can be done at a place: its own keys, then the screens, then what works everywhere."""
    found = [
        Command(
            f"go to {action.help}" if action.group is Group.SCREENS else action.help,
            action.key_shown(chosen),
            f"app.{action.target}" if action.id == "engine.halt" else f"screen.{action.target}",
        )
        for group in (Group.SCREEN, Group.SCREENS, Group.EVERYWHERE, Group.MOVE)
        for action in ACTIONS
        if action.group is group and place in action.places and action.help and action.id != "palette"
    ]
    return [Command(each.name, each.key, each.target.replace("app.halt", "app.halt_now")) for each in found]


class PaletteDialog(DeckModal[str]):
    """Returns the target of the chosen command; None when the person went back."""

    BINDINGS = bindings_for(frozenset({Place.PALETTE}))
    place = Place.PALETTE

    def __init__(self, about: Place) -> None:
        super().__init__()
        self._about = about
        self._typed = ""
        self._at = 0

    def compose_body(self) -> ComposeResult:
        yield SheetBoard(id="sheet")

    def found(self) -> list[Command]:
        """The commands that fit what was typed."""
        keys = dict(self.console.options.keys)
        return [command for command in commands_for(self._about, keys) if command.fits(self._typed)]

    def show_body(self, look: Look) -> None:
        width = WIDTH_WIDE if self.size.width >= WIDE else min(WIDTH_SMALL, self.size.width - 4)
        inner = width - 5
        found = self.found()
        self._at = min(self._at, max(len(found) - 1, 0))
        room = min(ROWS, self.size.height - 8)
        first = max(min(self._at - room + 1, len(found) - room), 0) if self._at >= room else 0
        typed: Line = (Span("> ", "-accent -bold"), Span(f"{self._typed}_", "-strong"))
        count = (Span(f"{len(found)} command{'' if len(found) == 1 else 's'}", "-muted"),)
        lines: list[Line] = [EMPTY, spread(typed, count, inner), EMPTY]
        for at, command in enumerate(found[first : first + room], first):
            line = spread((Span(command.name),), (Span(command.key, "-accent"),), inner - 2)
            marked = at == self._at
            lines.append(
                (Span("▸ ", "-accent -selected"), *over(line, "-selected")) if marked else (Span("  "), *line)
            )
        if not found:
            lines.append((Span(f"  No command matches {self._typed}", "-muted"),))
        lines += [EMPTY] * (room + 4 - len(lines))
        board: Board = self.query_one(SheetBoard)
        self.place_board(board, width, len(lines))
        bar = Span("▎", "-accent")
        board.show_lines([(bar, *pad((Span("  "), *line), width - 1)) for line in lines])

    def footer_line(self, look: Look, room: int) -> Line:
        return (
            Span("enter", "-accent -bold"),
            Span(" run  ", "-muted"),
            Span("esc", "-accent -bold"),
            Span(" back", "-muted"),
        )

    def on_key(self, event: Key) -> None:
        """Letters narrow the list."""
        found = self.found()
        if event.key in ("down", "ctrl+n"):
            self._at = min(self._at + 1, max(len(found) - 1, 0))
        elif event.key in ("up", "ctrl+p"):
            self._at = max(self._at - 1, 0)
        elif event.key == "enter" and found:
            self.dismiss(found[self._at].target)
        elif event.key == "backspace":
            self._typed, self._at = self._typed[:-1], 0
        elif event.is_printable and event.character not in (None, "!"):
            self._typed, self._at = self._typed + str(event.character), 0
        else:
            return
        event.stop()
        event.prevent_default()
        self.show()

    def action_back(self) -> None:
        self.dismiss(None)
