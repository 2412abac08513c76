"""Whatever is painted in whatever order, the terminal shows what Textual meant it to show."""

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tui.painter import Painter

ROWS, COLUMNS = 3, 14
CUT = 6
"""Where one widget of a row ends and the next begins."""
STYLES = tuple(
    Style.parse(text)
    for text in (
        "none",
        "#ff0000 on #0000ff",
        "#00ff00 on #0000ff",
        "bold #ff0000 on #0000ff",
        "underline #00ff00 on #101010",
        "reverse bold #00ff00",
        "red on black",
        "bright_blue on bright_green",
        "default on default",
    )
)
TOKEN = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[(\d+)C|\x1b\[([\d;]*)m|([^\x1b])")
Look = tuple[str, ...]

cells = st.tuples(st.sampled_from("ab 19 ▸"), st.sampled_from(STYLES))


def rows(width: int) -> st.SearchStrategy[list[tuple[str, Style]]]:
    return st.lists(cells, min_size=width, max_size=width)


class Screen:
    """A terminal that knows the codes a painter writes."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], Look] = {}
        self.row = self.column = 0
        self.pen: dict[str, str] = {}

    def feed(self, text: str) -> None:
        assert TOKEN.sub("", text) == "", "codes that no painter writes"
        for row, column, ahead, codes, char in TOKEN.findall(text):
            if row:
                self.row, self.column = int(row) - 1, int(column) - 1
            elif ahead:
                self.column += int(ahead)
            elif char:
                self.cells[self.row, self.column] = look(char, self.pen)
                self.column += 1
            else:
                self.pen = pen_after(self.pen, codes)
        assert self.pen == {}, "the pen is put back"


def pen_after(pen: dict[str, str], codes: str) -> dict[str, str]:
    found, left = dict(pen), codes.split(";")
    while left:
        code = left.pop(0)
        if code in ("", "0"):
            found = {}
        elif code in ("38", "48"):
            count = 4 if left[0] == "2" else 2
            found["ink" if code == "38" else "ground"] = ";".join(left[:count])
            del left[:count]
        elif code in ("39", "49"):
            found.pop("ink" if code == "39" else "ground", None)
        elif len(code) > 1 and code[0] in "39":
            found["ink"] = code
        elif len(code) > 1:
            found["ground"] = code
        else:
            found[code] = "on"
    return found


def look(char: str, pen: dict[str, str]) -> Look:
    """What a person sees: of a blank neither its ink nor whether it is bold."""
    if char == " " and not {"4", "7"} & pen.keys():
        return (char, pen.get("ground", ""))
    return (char, *sorted(f"{name} {value}" for name, value in pen.items()))


def strip(row: list[tuple[str, Style]]) -> Strip:
    return Strip([Segment(char, style) for char, style in row], len(row))


def meant(row: list[tuple[str, Style]]) -> list[Look]:
    return [look(c, pen_after({}, Strip.render_ansi(s, ColorSystem.TRUECOLOR))) for c, s in row]


@given(
    st.lists(rows(COLUMNS), min_size=ROWS, max_size=ROWS),
    st.lists(
        st.tuples(
            st.integers(0, ROWS - 1), rows(COLUMNS), st.integers(0, COLUMNS - 1), st.integers(1, COLUMNS)
        ),
        max_size=8,
    ),
    st.integers(0, 8),
)
def test_the_terminal_shows_what_was_meant(
    first: list[list[tuple[str, Style]]],
    changes: list[tuple[int, list[tuple[str, Style]], int, int]],
    forgets_at: int,
) -> None:
    painter, screen = Painter(), Screen()
    whole = LayoutUpdate([[strip(row)] for row in first], Region(0, 0, COLUMNS, ROWS))
    screen.feed(painter.codes(whole, ColorSystem.TRUECOLOR))
    expected = {(y, x): cell for y, row in enumerate(first) for x, cell in enumerate(meant(row))}
    assert screen.cells == expected
    for number, (y, row, start, length) in enumerate(changes):
        if number == forgets_at:
            painter.forget()
        end = min(start + length, COLUMNS)
        chops = [{0: None, CUT: None} for _ in range(ROWS)]
        chops[y] = {0: strip(row[:CUT]), CUT: strip(row[CUT:])}
        update = ChopsUpdate(chops, [(y, start, end)], [[CUT, COLUMNS] for _ in range(ROWS)])
        screen.feed(painter.codes(update, ColorSystem.TRUECOLOR))
        touched = [range(CUT), range(CUT, COLUMNS)]
        for span in touched:
            if span.start < end and span.stop > start:
                expected |= {(y, x): meant(row)[x] for x in span}
        assert screen.cells == expected
