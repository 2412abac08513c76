"""Dialogs about money: mode bar, content between two bars, buttons with Cancel in front."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from textual.app import ComposeResult

from engine.model.positions import AccountKind
from tui.screens.chrome import DeckModal
from tui.widgets.board import Board
from tui.widgets.ink import EMPTY, Line, Span, pad, spread
from tui.widgets.look import Look
from tui.widgets.statusbar import WIDE

Result = TypeVar("Result")
WIDTH_WIDE, WIDTH_SMALL = 84, 74
HEIGHT_WIDE, HEIGHT_SMALL = 21, 19
PADDING = 2
GUARD_S = 0.3
"""The key that opened a dialog does nothing in it before it was still for so long."""


@dataclass(frozen=True, slots=True)
class Gap:
    """An empty row that leaves when the dialog must be lower: the highest rank first."""

    rank: int


class DialogBoard(Board):
    """The surface of a dialog."""


def button(label: str, *, default: bool = False) -> Line:
    """A default button is reversed: `  Cancel  `."""
    return (Span(f"  {label}  ", "-default"),) if default else (Span(label, "-muted"),)


def key_button(key: str, label: str, *, off: bool = False) -> Line:
    """`a approve`; faint while the key is off."""
    if off:
        return (Span(f"{key} {label}", "-faint"),)
    return (Span(key, "-accent -bold"), Span(f" {label}"))


def fit_rows(rows: Sequence[Line | Gap], room: int) -> list[Line | Gap]:
    """Drop gaps, the highest rank first, until the rows fit or no gap is left."""
    kept = list(rows)
    while len(kept) > room:
        gaps = [row for row in kept if isinstance(row, Gap)]
        if not gaps:
            break
        highest = max(gaps, key=lambda gap: gap.rank)
        at = next(at for at in range(len(kept) - 1, -1, -1) if kept[at] == highest)
        del kept[at]
    return kept


class Dialog(DeckModal[Result], Generic[Result]):
    """Subclasses give the mode bar's right side and the rows."""

    def compose_body(self) -> ComposeResult:
        yield DialogBoard(id="dialog")

    @property
    def wide(self) -> bool:
        """Whether the terminal has room for the long forms."""
        return self.size.width >= WIDE

    @property
    def inner_width(self) -> int:
        """Cells of a content row."""
        width = WIDTH_WIDE if self.wide else WIDTH_SMALL
        return min(width, self.size.width - 4) - 2 - 2 * PADDING

    @property
    def most_rows(self) -> int:
        """Rows a dialog may have, the mode bar included."""
        return self.size.height - 3

    def bar_right(self, look: Look) -> str:
        """What the mode bar says at its right end."""
        return ""

    def dialog_rows(self, look: Look) -> list[Line | Gap]:
        """Content rows below the mode bar."""
        raise NotImplementedError

    def show_body(self, look: Look) -> None:
        rows = fit_rows(self.dialog_rows(look), self.most_rows - 1)
        inner = self.inner_width + 2 * PADDING
        live = look.view.header.kind is AccountKind.LIVE
        side = "!" if live else "▏"
        ink = "-live" if live else "-accent"
        lines = [(Span(side, ink), *self._mode_bar(look, inner), Span("!" if live else "▕", ink))]
        for row in rows:
            line = EMPTY if isinstance(row, Gap) else row
            body = pad((Span(" " * PADDING), *line), inner)
            lines.append((Span(side, ink), *body, Span("!" if live else "▕", ink)))
        board = self.query_one(DialogBoard)
        self.place_board(board, inner + 2, len(lines))
        board.show_lines(lines)

    def _mode_bar(self, look: Look, width: int) -> Line:
        header = look.view.header
        live = header.kind is AccountKind.LIVE
        ink = "-live" if live else "-mode"
        name = header.kind.value.upper()
        left = f" !! {name}  real money  account " if live else f" {name}  account "
        right = self.bar_right(look)
        line = spread(
            (Span(f"{left}{header.account}", ink),), (Span(f"{right}  " if right else "", ink),), width
        )
        return tuple(Span(span.text, ink) for span in line)

    def action_back(self) -> None:
        """Leave the dialog; nothing is done."""
        self.dismiss(None)

    def action_press(self) -> None:
        """`enter` presses the default button."""
        self.dismiss(None)
