"""Where the panes of the Desk stand for a terminal size (design 2, 10)."""

from dataclasses import dataclass

from tui.actions import Place

FEWEST_COLUMNS, FEWEST_ROWS = 60, 15
TWO_COLUMNS, TWO_ROWS = 80, 24
WIDE_COLUMNS, WIDE_ROWS = 110, 34
EXTRA_COLUMNS = 150
ORDER = (Place.GAPS, Place.TICKETS, Place.BRACKETS, Place.EVENTS)


@dataclass(frozen=True, slots=True)
class Box:
    """Cells of the terminal, from its upper left corner."""

    x: int
    y: int
    width: int
    height: int


def too_small(width: int, height: int) -> bool:
    """Whether nothing can be shown but the reason."""
    return width < FEWEST_COLUMNS or height < FEWEST_ROWS


def banner_row(width: int, height: int) -> int:
    """First row below the header; wide terminals leave one empty."""
    return 3 if _wide(width, height) else 2


def arrange(width: int, height: int, banner: int, current: Place, *, zoom: bool) -> dict[Place, Box]:
    """The panes that are shown and where. Rows 0, 1 and the last belong to header and footer."""
    wide = _wide(width, height)
    top = banner_row(width, height) + (banner + 1 if banner and wide else banner)
    rows = height - 1 - top
    columns = width - 2
    if zoom or width < TWO_COLUMNS or height < TWO_ROWS:
        return {current: Box(1, top, columns, rows)}
    right = 60 if width >= EXTRA_COLUMNS else 48 if width >= WIDE_COLUMNS else 33
    left = columns - 1 - right
    x = 1 + left + 1
    if wide:
        tickets = max(round((rows - 2) * 16 / 34), 6)
        brackets = max(round((rows - 2) * 11 / 34), 5)
        events = rows - 2 - tickets - brackets
        return {
            Place.GAPS: Box(1, top, left, rows),
            Place.TICKETS: Box(x, top, right, tickets),
            Place.BRACKETS: Box(x, top + tickets + 1, right, brackets),
            Place.EVENTS: Box(x, top + tickets + brackets + 2, right, events),
        }
    upper = (rows + 1) // 2
    return {
        Place.GAPS: Box(1, top, left, upper),
        Place.EVENTS: Box(1, top + upper, left, rows - upper),
        Place.TICKETS: Box(x, top, right, upper),
        Place.BRACKETS: Box(x, top + upper, right, rows - upper),
    }


def _wide(width: int, height: int) -> bool:
    return width >= WIDE_COLUMNS and height >= WIDE_ROWS
