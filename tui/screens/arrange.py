"""Where the panes of the Desk stand for a terminal size (design 2, 10)."""

from dataclasses import dataclass

from tui.actions import Place

FEWEST_COLUMNS, FEWEST_ROWS = 60, 15
PANES_COLUMNS, PANES_ROWS = 80, 24
WIDE_COLUMNS, WIDE_ROWS = 110, 34
EXTRA_COLUMNS = 150


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


def has_room(width: int, height: int) -> bool:
    """Whether more than one pane is shown at once."""
    return width >= PANES_COLUMNS and height >= PANES_ROWS


def banner_row(width: int, height: int) -> int:
    """First row below the header; wide terminals leave one empty."""
    return 3 if is_wide(width, height) else 2


def body(width: int, height: int, banner: int) -> tuple[Box, bool]:
    """The cells below header and banner and above the footer, and whether the terminal is wide."""
    wide = is_wide(width, height)
    top = banner_row(width, height) + (banner + 1 if banner and wide else banner)
    return Box(1, top, width - 2, height - 1 - top), wide


def columns(area: Box, *widths: int) -> tuple[Box, ...]:
    """The area side by side, one empty column between neighbors; one width is 0 and takes what is left."""
    left = area.width - sum(widths) - (len(widths) - 1)
    found, x = [], area.x
    for width in widths:
        width = width or left
        found.append(Box(x, area.y, width, area.height))
        x += width + 1
    return tuple(found)


def rows(area: Box, gap: int, *heights: int) -> tuple[Box, ...]:
    """The area one below the other, `gap` rows between; one height is 0 and takes what is left."""
    left = area.height - sum(heights) - gap * (len(heights) - 1)
    found, y = [], area.y
    for height in heights:
        height = height or left
        found.append(Box(area.x, y, area.width, height))
        y += height + gap
    return tuple(found)


def desk_boxes(area: Box, wide: bool, chart: Place = Place.GAP_CHART) -> dict[Place, Box]:
    """Gaps and gems at the left; tickets, brackets and, where it is wide, events at the right.

    From 150 columns on `chart`, of the selected row, and the account's value stand in the middle.
    """
    if wide and area.width >= EXTRA_COLUMNS - 2:
        left, middle, side = columns(area, 0, 44, 48)
        above, below = rows(middle, 1, max(area.height * 28 // 46, 10), 0)
        between = {chart: above, Place.EQUITY: below}
    else:
        left, side = columns(area, 0, 48 if wide else 33)
        between = {}
    if wide:
        gaps, gems = rows(left, 1, max(area.height * 15 // 36, 6), 0)
        tickets = max(round((area.height - 2) * 16 / 34), 6)
        brackets = max(round((area.height - 2) * 11 / 34), 5)
        upper, middle, lower = rows(side, 1, tickets, brackets, 0)
        return {
            Place.GAPS: gaps,
            Place.GEMS: gems,
            Place.TICKETS: upper,
            Place.BRACKETS: middle,
            Place.EVENTS: lower,
            **between,
        }
    half = (area.height + 1) // 2
    gaps, gems = rows(left, 0, half, 0)
    upper, lower = rows(side, 0, half, 0)
    return {Place.GAPS: gaps, Place.GEMS: gems, Place.TICKETS: upper, Place.BRACKETS: lower}


def is_wide(width: int, height: int) -> bool:
    """Whether the terminal shows the long forms."""
    return width >= WIDE_COLUMNS and height >= WIDE_ROWS
