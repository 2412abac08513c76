"""Cells of a plot that can still be drawn over, each with its ink."""

from collections.abc import Sequence

from tui.widgets.charts.graph import merged
from tui.widgets.ink import Line


class Rows:
    """`height` rows of `width` blank cells; (0, 0) is the upper left one."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.chars = [[" "] * width for _ in range(height)]
        self.inks = [[""] * width for _ in range(height)]

    def put(self, x: int, y: int, char: str, ink: str) -> None:
        """One cell."""
        self.chars[y][x] = char
        self.inks[y][x] = ink

    def fill(self, y: int, chars: str, ink: str) -> None:
        """A whole row in one ink."""
        self.chars[y] = list(chars)
        self.inks[y] = [ink] * self.width

    def write(self, x: int, y: int, text: str, ink: str) -> None:
        """Text from `x` on; what leaves the plot is not drawn."""
        for at, char in enumerate(text[: self.width - x], x):
            self.put(at, y, char, ink)

    def dash(self, y: int, pattern: str, ink: str) -> None:
        """Dashes wherever row `y` is blank."""
        chars, inks, length = self.chars[y], self.inks[y], len(pattern)
        for x in range(self.width):
            char = pattern[x % length]
            if chars[x] == " " and char != " ":
                chars[x] = char
                inks[x] = ink

    def free(self, y: int, texts: Sequence[str], *, right: bool) -> tuple[int, str] | None:
        """Where the first of `texts` that fits stands in blank cells with a blank on both sides."""
        row = self.chars[y]
        for text in texts:
            last = self.width - len(text) - 1
            if not text or last < 1:
                continue
            for start in range(last, 0, -1) if right else range(1, last + 1):
                if all(char == " " for char in row[start - 1 : start + len(text) + 1]):
                    return start, text
        return None

    def lines(self) -> list[Line]:
        """Every row as spans."""
        return [merged(chars, inks) for chars, inks in zip(self.chars, self.inks, strict=True)]
