"""The console as an SVG picture, for the README. Glyphs are drawn as shapes, so no special font is needed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from engine.model.commands import Actor
from tui.app import ConsoleApp
from tui.link import Link
from tui.options import ConsoleOptions
from tui.shapes import CHART_SHAPES
from tui.theme import THEMES

CELL_WIDTH, CELL_HEIGHT = 9, 20
MARGIN = 10
FONTS = "JetBrains Mono, DejaVu Sans Mono, Menlo, Consolas, monospace"


@dataclass(frozen=True, slots=True)
class Cell:
    """One character with its colors as `#rrggbb`."""

    char: str
    color: str
    ground: str
    bold: bool


async def console_picture(
    link: Link, *, width: int = 120, height: int = 40, keys: Iterable[str] = (), theme: str = "dusk"
) -> str:
    """Run a console without a terminal on `link`, press `keys` one after another, and draw what it shows."""
    options = ConsoleOptions(theme=theme, reduce_motion=True)
    app = ConsoleApp(link, actor=Actor("picture", ""), options=options)
    app.theme = theme  # whatever the terminal that makes the picture can show
    async with app.run_test(size=(width, height)) as pilot:
        # One pause lets the first picture of the engine arrive, the next one lays the panes out.
        for _ in range(3):
            await pilot.pause()
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        return draw(screen_strips(app), theme)


def screen_strips(app: ConsoleApp) -> list[Strip]:
    """What stands on the terminal. Textual has no public name for it; its version is pinned."""
    return app.screen._compositor.render_strips()


def draw(strips: list[Strip], theme: str = "dusk") -> str:
    """Rows of cells as SVG: grounds, then shapes, then text."""
    variables = THEMES[theme].variables
    text, ground = variables["deck-text"], variables["deck-bg"]
    rows = [list(_cells(strip, text, ground)) for strip in strips]
    columns = max((len(row) for row in rows), default=0)
    width = columns * CELL_WIDTH + 2 * MARGIN
    height = len(rows) * CELL_HEIGHT + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="{FONTS}" font-size="15" xml:space="preserve">',
        "<title>tradedeck</title>",
        f'<rect width="100%" height="100%" fill="{ground}"/>',
        f'<g transform="translate({MARGIN} {MARGIN})">',
    ]
    for at, row in enumerate(rows):
        parts += _grounds(row, at, ground)
        parts += _shapes(row, at)
        parts += _texts(row, at)
    return "\n".join([*parts, "</g></svg>", ""])


def _cells(strip: Strip, text: str, ground: str) -> Iterator[Cell]:
    for segment in Segment.simplify(strip):
        style = segment.style or Style.null()
        color, back = _hex(style.color, text), _hex(style.bgcolor, ground)
        if style.reverse:
            color, back = back, color
        for char in segment.text:
            yield Cell(char, color, back, bool(style.bold))


def _hex(color: Color | None, default: str) -> str:
    return default if color is None or color.is_default else color.get_truecolor().hex


def _grounds(row: list[Cell], at: int, ground: str) -> Iterator[str]:
    start = 0
    for x in range(1, len(row) + 1):
        if x < len(row) and row[x].ground == row[start].ground:
            continue
        if row[start].ground != ground:
            yield (
                f'<path fill="{row[start].ground}" shape-rendering="crispEdges" d="M{start * CELL_WIDTH} '
                f'{at * CELL_HEIGHT}h{(x - start) * CELL_WIDTH}v{CELL_HEIGHT}H{start * CELL_WIDTH}z"/>'
            )
        start = x


def _circle(radius: float) -> str:
    return (
        f"M{4.5 - radius} 10a{radius} {radius} 0 1 0 {2 * radius} 0a{radius} {radius} 0 1 0 -{2 * radius} 0z"
    )


SHAPES = {
    **CHART_SHAPES,
    "─": "M0 9.5h9v1h-9z",
    "━": "M0 8.4h9v3.2h-9z",
    "╸": "M0 8.4h4.5v3.2h-4.5z",
    "├": "M4 0h1v20h-1zM4 9.5h5v1h-5z",
    "┤": "M4 0h1v20h-1zM0 9.5h5v1h-5z",
    "┼": "M4 0h1v20h-1zM0 9.5h9v1h-9z",
    "│": "M4 0h1v20h-1z",
    "┊": "M4 1h1v3h-1zM4 6h1v3h-1zM4 11h1v3h-1zM4 16h1v3h-1z",
    "▎": "M0 0h2.2v20h-2.2z",
    "▏": "M0 0h1.1v20h-1.1z",
    "▕": "M7.9 0h1.1v20h-1.1z",
    "◆": "M4.5 5.4l4.4 4.6l-4.4 4.6l-4.4 -4.6z",
    "■": "M0.8 6.3h7.4v7.4h-7.4z",
    "▲": "M4.5 6.4l3.9 7h-7.8z",
    "▼": "M4.5 13.6l3.9 -7h-7.8z",
    "▸": "M2 6l5 4l-5 4z",
    "●": _circle(3.6),
}
OUTLINES = {"○": "", "◐": "M4.5 6.8a3.2 3.2 0 0 0 0 6.4z"}
"""Circles drawn with a line, and what of them is filled."""


def _shapes(row: list[Cell], at: int) -> Iterator[str]:
    for x, cell in enumerate(row):
        place = f'transform="translate({x * CELL_WIDTH} {at * CELL_HEIGHT})"'
        if cell.char in SHAPES:
            yield f'<path {place} fill="{cell.color}" d="{SHAPES[cell.char]}"/>'
        elif cell.char in OUTLINES:
            yield f'<path {place} fill="none" stroke="{cell.color}" d="{_circle(3.2)}"/>'
            if half := OUTLINES[cell.char]:
                yield f'<path {place} fill="{cell.color}" d="{half}"/>'


def _texts(row: list[Cell], at: int) -> Iterator[str]:
    start: int | None = None
    for x in range(len(row) + 1):
        ends = x == len(row) or not _is_text(row[x].char) or (start is not None and _look(row, start, x))
        if start is not None and ends:
            word = "".join(cell.char for cell in row[start:x])
            bold = ' font-weight="bold"' if row[start].bold else ""
            yield (
                f'<text x="{start * CELL_WIDTH}" y="{at * CELL_HEIGHT + 15}" '
                f'textLength="{len(word) * CELL_WIDTH}" fill="{row[start].color}"{bold}>{escape(word)}</text>'
            )
            start = None
        if start is None and x < len(row) and _is_text(row[x].char):
            start = x


def _look(row: list[Cell], start: int, x: int) -> bool:
    return (row[start].color, row[start].bold) != (row[x].color, row[x].bold)


def _is_text(char: str) -> bool:
    return char != " " and char not in SHAPES and char not in OUTLINES
