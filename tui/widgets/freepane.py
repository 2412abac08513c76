"""A pane of free lines that scrolls: a chart, a list of facts, a story."""

from tui.options import ConsoleOptions
from tui.widgets.ink import EMPTY, Line, Span, pad
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Pane


class FreePane(Pane):
    """Subclasses draw lines for a size; what does not fit is reached by scrolling."""

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(options, id=id)
        self._first = 0
        self._most = 0

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        """The content for a width; a height is what can be seen at once, more lines scroll."""
        raise NotImplementedError

    def content(self, look: Look, width: int, height: int) -> list[Line]:
        lines = self.lines_for(look, width - 4, height)
        if isinstance(lines, Emptiness):
            self._first = self._most = 0
            return self.empty_lines(lines, width, height + 1)
        self._most = max(len(lines) - height, 0)
        self._first = min(self._first, self._most)
        shown = lines[self._first : self._first + height]
        if self._first < self._most:
            below = len(lines) - self._first - height + 1
            key = ": j" if self.active else ""
            shown[-1] = (Span(f"{below} more below{key}", "-muted"),)
        return [(Span("  "), *pad(line, width - 4)) if line else EMPTY for line in shown]

    def move(self, step: int) -> None:
        self._go_to(self._first + step)

    def move_to_end(self, *, last: bool) -> None:
        self._go_to(self._most if last else 0)

    def _go_to(self, first: int) -> None:
        self._first = min(max(first, 0), self._most)
        self.redraw()
