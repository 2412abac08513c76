"""A pane of a screen: a title rule over its content, drawn as the one that keys act on or not."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message

from tui.actions import Place
from tui.options import ConsoleOptions
from tui.widgets.board import Board
from tui.widgets.flash import FLASH_S
from tui.widgets.ink import EMPTY, Line, Span, cut, width_of, wrap

if TYPE_CHECKING:
    from tui.widgets.look import Look

NOTE_RULE = 8
"""A note gives way when less than this is left of the title's rule; an alarm stays."""
COMPACT = 56
"""Panes up to this width use the short forms and single column gaps."""


@dataclass(frozen=True, slots=True)
class Title:
    """`Gaps 12 · 2 tickets ─── scan 09:45 ET`; a note that is not muted is an alarm."""

    name: str
    count: str
    note: str = ""
    note_ink: str = "-muted"


@dataclass(frozen=True, slots=True)
class Emptiness:
    """An empty state: what is, why, what to do."""

    what: str
    why: tuple[str, ...]


class Pane(Board):
    """Title and content. Subclasses say what the content is; keys reach it through the screen."""

    place: Place

    @dataclass
    class Picked(Message):
        """The person clicked in a pane."""

        place: Place

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(id=id)
        self.plain = options.plain
        self.graph = options.drawn_with
        self.active = False
        self.filter = ""
        self.key_at = float("-inf")
        """When a key was last pressed, seconds of `options.now`."""
        self.moved_at = float("-inf")
        """When the selected row last changed its place on the screen, or another row took it."""
        self._options = options
        self._look: Look | None = None
        self._lit_title = False

    # What a subclass says.

    def heading(self, look: "Look") -> Title:
        raise NotImplementedError

    def content(self, look: "Look", width: int, height: int) -> list[Line]:
        """At most `height` lines of at most `width` cells, the pane's whole width."""
        raise NotImplementedError

    # What a screen does with it.

    @property
    def selected_row(self) -> object | None:
        """The row that keys act on; None where there are no rows."""
        return None

    @property
    def compact(self) -> bool:
        """Whether the pane is too narrow for the long forms."""
        return self.size.width <= COMPACT

    def take(self, look: "Look") -> None:
        """Show a newer picture."""
        self._look = look
        self.redraw()

    def move(self, step: int) -> None:
        """A row, or a line, further down."""

    def move_to_end(self, *, last: bool) -> None:
        """To the first or the last."""

    def cycle_sort(self) -> bool:
        """Sort by the next column; False where there is nothing to sort."""
        return False

    def set_active(self, active: bool) -> None:
        """Draw the pane as the one that keys act on, or not."""
        if active != self.active:
            self.active = active
            self.redraw()

    @property
    def can_filter(self) -> bool:
        """Whether `/` finds rows here."""
        return False

    def set_filter(self, words: str) -> None:
        """Show only rows that contain `words`; "" shows all."""

    def flash_title(self) -> None:
        """Light the title up once."""
        if self._options.flashes:
            self._lit_title = True
            self.redraw()
            self.set_timer(FLASH_S, self._title_out)

    def _title_out(self) -> None:
        self._lit_title = False
        self.redraw()

    # Drawing.

    def on_resize(self) -> None:
        self.redraw()

    def redraw(self) -> None:
        """Make the lines anew from the last picture; only what differs is painted."""
        look, width, height = self._look, self.size.width, self.size.height
        if look is None or width < 10 or height < 2:
            return
        content = self.content(look, width, height - 1)
        self.show_lines([self.title_line(self.heading(look), width), *content][:height])

    def title_line(self, title: Title, width: int) -> Line:
        """Name, count, rule, note."""
        inner = width - 4
        name_ink = "-accent -bold" if self.active else "-strong"
        if self._lit_title:
            name_ink += " -flash-up"
        count = f"/{self.filter}" if self.filter else title.count
        left = cut((Span(title.name, name_ink), Span(f" {count}" if count else "", "-muted")), inner)
        alarm = title.note_ink != "-muted"
        room = inner - width_of(left) - 1
        note: Line = ()
        if title.note and room - len(title.note) - 1 >= (2 if alarm else NOTE_RULE):
            note = (Span(" "), Span(title.note, title.note_ink))
        rule = max(room - width_of(note), 0)
        drawn = Span(("━" if self.active else "─") * rule, "-accent" if self.active else "-line")
        return (Span("  "), *left, Span(" "), drawn, *note)

    def empty_lines(self, empty: Emptiness, width: int, height: int) -> list[Line]:
        """What is said where there is nothing to show; `height` of the whole pane."""
        inner = width - 6
        lines: list[Line] = [(Span("   "), Span(line, "-strong")) for line in wrap(empty.what, inner)]
        for why in empty.why:
            lines += [(Span("   "), Span(line, "-muted")) for line in wrap(why, inner)]
        above = 1 if height < 14 else 3
        return [EMPTY] * above + lines

    # The mouse.

    def on_click(self, event: events.Click) -> None:
        self.post_message(self.Picked(self.place))

    def on_mouse_scroll_down(self) -> None:
        self.move(1)

    def on_mouse_scroll_up(self) -> None:
        self.move(-1)


def ending(line: Line, *tails: Line) -> Line:
    """A title line whose rule gives way to the first of `tails` that leaves two cells of it."""
    rule = line[-1]
    for tail in tails:
        kept = len(rule.text) - width_of(tail)
        if kept >= 2:
            return (*line[:-1], Span(rule.text[:kept], rule.ink), *tail)
    return line
