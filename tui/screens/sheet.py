"""A sheet over the Desk: more about one row, scrollable, with the keys of a ticket when it has one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from textual.app import ComposeResult

from engine.model.ids import TicketId
from tui.actions import Place, actions_in
from tui.screens.chrome import DeckModal, bindings_for
from tui.widgets.board import Board
from tui.widgets.footer import FooterKey, keys_line
from tui.widgets.ink import EMPTY, Line, Span, cut, pad, width_of
from tui.widgets.look import Look
from tui.widgets.statusbar import WIDE

WIDTH_WIDE = 100
HEIGHT_WIDE = 21
MARGIN = 3
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class SheetEnd:
    """What the person pressed on the sheet."""

    approve: TicketId | None = None
    reject: TicketId | None = None
    smaller: TicketId | None = None
    snooze: TicketId | None = None

    @property
    def key(self) -> str:
        """The key that it was."""
        keys = {"a": self.approve, "r": self.reject, "e": self.smaller, "s": self.snooze}
        return next((key for key, ticket in keys.items() if ticket is not None), "")

    @property
    def ticket(self) -> TicketId | None:
        """What it is about."""
        return self.approve or self.reject or self.smaller or self.snooze


class SheetBoard(Board):
    """The surface of a sheet."""


class SheetBase(DeckModal[Result], Generic[Result]):
    """A heading and lines, on a surface with an accent bar at its left."""

    def __init__(self) -> None:
        super().__init__()
        self._first = 0
        self._most = 0

    def compose_body(self) -> ComposeResult:
        yield SheetBoard(id="sheet")

    def heading(self, look: Look) -> tuple[str, str]:
        """Bold name and muted rest."""
        raise NotImplementedError

    def sheet_lines(self, look: Look, width: int) -> Sequence[Line]:
        """The content."""
        raise NotImplementedError

    @property
    def text_width(self) -> int:
        """Cells of a content line."""
        width = WIDTH_WIDE if self.size.width >= WIDE else self.size.width - 4
        return width - 2 * MARGIN

    def show_body(self, look: Look) -> None:
        width = self.text_width
        lines = self.sheet_lines(look, width)
        most = self.size.height - 3
        chrome = 4
        height = most
        if self.size.width >= WIDE:
            height = min(max(len(lines) + chrome, HEIGHT_WIDE), most - 2)
        room = height - chrome
        self._most = max(len(lines) - room, 0)
        self._first = min(self._first, self._most)
        part = lines[self._first : self._first + room]
        name, rest = self.heading(look)
        scroll = ""
        if self._most:
            scroll = f"{self._first + 1}–{self._first + len(part)} of {len(lines)}  "
        close: Line = (Span(scroll, "-muted"), Span("esc", "-accent -bold"), Span(" close", "-muted"))
        left = cut(
            (Span(name, "-strong"), Span(f" {rest}" if rest else "", "-muted")), width - width_of(close) - 4
        )
        rule = Span("─" * (width - width_of(left) - width_of(close) - 3), "-line")
        drawn = [EMPTY, (*left, Span(" "), rule, Span("  "), *close), EMPTY, *part]
        drawn += [EMPTY] * (height - len(drawn))
        board = self.query_one(SheetBoard)
        self.place_board(board, width + 2 * MARGIN, height)
        bar = Span("▎", "-accent")
        board.show_lines([(bar, *pad((Span("  "), *line), width + 2 * MARGIN - 1)) for line in drawn])

    def action_row_down(self) -> None:
        self._scroll(self._first + 1)

    def action_row_up(self) -> None:
        self._scroll(self._first - 1)

    def action_row_first(self) -> None:
        self._scroll(0)

    def action_row_last(self) -> None:
        self._scroll(self._most)

    def _scroll(self, first: int) -> None:
        self._first = min(max(first, 0), self._most)
        self.show()

    def action_back(self) -> None:
        self.dismiss(None)

    def action_goto(self, name: str) -> None:
        """Close, and on to a screen."""
        self.dismiss(None)
        self.console.goto(name)


class Sheet(SheetBase[SheetEnd]):
    """About one row; the content is made anew from every picture."""

    BINDINGS = bindings_for(frozenset({Place.SHEET}))
    place = Place.SHEET

    def __init__(
        self,
        heading: tuple[str, str],
        build: Callable[[Look, int], Sequence[Line]],
        ticket: TicketId | None = None,
    ) -> None:
        super().__init__()
        self._heading = heading
        self._build = build
        self._ticket = ticket

    def heading(self, look: Look) -> tuple[str, str]:
        return self._heading

    def sheet_lines(self, look: Look, width: int) -> Sequence[Line]:
        return self._build(look, width)

    def footer_line(self, look: Look, room: int) -> Line:
        works = not self.console.options.view_only and not look.detached
        keys = [
            FooterKey(
                action.key_shown(self.console.options.keys),
                action.label,
                works or not action.id.startswith("ticket."),
            )
            for action in actions_in(self.place)
            if action.label and (self._ticket is not None or not action.id.startswith("ticket."))
        ]
        return keys_line(keys, room)

    def action_approve(self) -> None:
        """On to the approve dialog."""
        self._end("a", SheetEnd(approve=self._ticket))

    def action_reject(self) -> None:
        """On to the reasons."""
        self._end("r", SheetEnd(reject=self._ticket))

    def action_smaller(self) -> None:
        """On to the number."""
        self._end("e", SheetEnd(smaller=self._ticket))

    def action_snooze(self) -> None:
        """Back to it in five minutes."""
        self._end("s", SheetEnd(snooze=self._ticket))

    def _end(self, key: str, end: SheetEnd) -> None:
        if self._ticket is None:
            self.refuse(key, "no ticket here")
        else:
            self.dismiss(end)
