"""A block of ready lines on Textual's line API; every widget of the console is one."""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.format import plain
from tui.widgets.ink import EMPTY, Line, Span


class Board(Widget):
    """Paints lines it was handed. Only the cells that differ from the last ones are painted again."""

    ALLOW_SELECT = False
    can_focus = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.plain = False
        """ASCII glyphs only."""
        self._lines: list[Line] = []
        self._strips: dict[int, Strip] = {}
        self._styles: dict[str, Style] = {}

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown, without styles beyond the names of inks."""
        return tuple(self._lines)

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Replace the content; unchanged cells are left alone."""
        changed: list[Region] = []
        for y in range(max(len(lines), len(self._lines))):
            old = self._lines[y] if y < len(self._lines) else EMPTY
            new = lines[y] if y < len(lines) else EMPTY
            if old != new:
                start, end = _difference(old, new)
                changed.append(Region(start, y, max(end - start, 1), 1))
                self._strips.pop(y, None)
        self._lines = list(lines)
        if changed:
            self.refresh(*changed)

    def render_line(self, y: int) -> Strip:
        """One line in the colors of the theme."""
        strip = self._strips.get(y)
        if strip is None or strip.cell_length != self.size.width:
            strip = self._draw(self._lines[y] if y < len(self._lines) else EMPTY)
            self._strips[y] = strip
        return strip

    def _draw(self, line: Line) -> Strip:
        segments: list[Segment] = []
        width = self.size.width
        missing = width - sum(len(span.text) for span in line)
        filled = (*line, Span(" " * missing)) if missing > 0 else line
        for span in filled:
            words = plain(span.text) if self.plain else span.text
            style = self._style(span.ink)
            if segments and _joins(segments[-1], words, style):
                before = segments.pop()
                if before.style is not None and (words.isspace() or not before.text.isspace()):
                    style = before.style
                words = before.text + words
            segments.append(Segment(words, style))
        return Strip(segments, sum(len(segment.text) for segment in segments)).crop(0, width)

    def _style(self, ink: str) -> Style:
        style = self._styles.get(ink)
        if style is None:
            style = self.rich_style
            for name in ink.split():
                style += self.screen.get_component_rich_style(name, partial=True)
            self._styles[ink] = style
        return style

    def notify_style_update(self) -> None:
        """The theme or a class changed: every style is made anew."""
        self._styles.clear()
        self._strips.clear()
        super().notify_style_update()


def _joins(before: Segment, words: str, style: Style) -> bool:
    """Whether two neighbors can be written under one style: the color of a blank cell is not seen."""
    if before.style == style:
        return True
    if before.style is None or before.style.reverse or style.reverse:
        return False
    same_ground = before.style.bgcolor == style.bgcolor
    return same_ground and (words.isspace() or before.text.isspace())


def _difference(old: Line, new: Line) -> tuple[int, int]:
    """First and last-but-one column at which two lines differ."""
    before, after = _cells(old), _cells(new)
    longest = max(len(before), len(after))
    before += [(" ", "")] * (longest - len(before))
    after += [(" ", "")] * (longest - len(after))
    start = next((at for at in range(longest) if before[at] != after[at]), 0)
    end = next((at for at in range(longest, start, -1) if before[at - 1] != after[at - 1]), start)
    return start, end


def _cells(line: Line) -> list[tuple[str, str]]:
    return [(char, span.ink) for span in line for char in span.text]


def blank(count: int = 1) -> list[Line]:
    """Empty lines."""
    return [EMPTY] * count


def text(content: str, ink: str = "") -> Line:
    """A line of one span."""
    return (Span(content, ink),)
