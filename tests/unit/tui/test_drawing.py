"""Lines, columns, rails, steady order, flashes, and where panes stand."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.actions import Place
from tui.screens.arrange import body, desk_boxes, has_room, too_small
from tui.screens.desk import ORDER
from tui.screens.dialog import Gap, fit_rows
from tui.widgets.columns import fit_columns
from tui.widgets.flash import FLASH_S, MOST_PER_TICK, Flashes
from tui.widgets.gaps import COLUMNS
from tui.widgets.ink import Line, Span, break_at_commas, cut, drawable, pad, spread, width_of, wrap
from tui.widgets.order import SteadyOrder
from tui.widgets.rail import bar, rail


def text_of(line: Line) -> str:
    return "".join(span.text for span in line)


def test_text_that_is_too_long_ends_in_an_ellipsis() -> None:
    assert text_of(cut((Span("hello "), Span("world")), 8)) == "hello w…"
    assert text_of(cut((Span("hello world"),), 7)) == "hello…"
    assert text_of(pad((Span("hi"),), 4)) == "hi  "


def test_the_left_side_gives_way() -> None:
    assert text_of(spread((Span("a long left side"),), (Span("right"),), 14)) == "a long…  right"


@given(st.text(max_size=80))
def test_every_drawn_character_takes_one_cell_and_is_of_the_allowed_blocks(text: str) -> None:
    result = drawable(text)
    for char in result:
        code = ord(char)
        assert (
            (0x20 <= code < 0x7F)
            or (0xA0 < code <= 0xFF)
            or code == 0xA0
            or 0x2500 <= code <= 0x25FF
            or 0x2800 <= code <= 0x28FF
            or char in "–…₀₁₂₃₄₅₆₇₈₉↑↓"
        )


def test_other_scripts_become_visible_placeholders() -> None:
    assert drawable("Аpple") == "_pple"
    assert drawable("市場 e\u0301") == "__ é"


@given(st.text(alphabet='ab,":{}', max_size=200), st.integers(4, 40))
def test_an_order_broken_at_commas_loses_nothing(text: str, width: int) -> None:
    lines = break_at_commas(text, width)
    assert "".join(lines) == text
    assert all(len(line) <= width for line in lines)
    for line in lines[:-1]:
        assert line.endswith(",") or "," not in line


def test_wrap_breaks_between_words() -> None:
    assert wrap("12 candidates, 0 passed. w on a row says why.", 20) == [
        "12 candidates, 0",
        "passed. w on a row",
        "says why.",
    ]


def ids(width: int, gap: int) -> list[str]:
    return [placed.column.id for placed in fit_columns(COLUMNS, width, gap)]


def test_columns_leave_from_the_highest_number_down() -> None:
    assert ids(39, 1) == ["sym", "gap", "q", "bcs", "state"]
    assert ids(64, 2) == ["sym", "gap", "price", "q", "bcs", "ev", "votes", "state"]
    assert ids(200, 2) == [column.id for column in COLUMNS]


def test_the_stretching_column_takes_what_is_left() -> None:
    placed = fit_columns(COLUMNS, 39, 1)
    assert sum(at.width for at in placed) + len(placed) - 1 == 39
    assert placed[-1].width == 19


@pytest.mark.parametrize(
    ("entry", "last", "expected"),
    [
        ("8.37", 8.36, "├─────────────●──────────┤"),
        ("8.37", 8.60, "├─────────────┼━━━━●─────┤"),
        ("8.37", 8.00, "├──────●━━━━━━┼──────────┤"),
        ("8.37", 99.0, "├─────────────┼━━━━━━━━━●┤"),
        ("8.37", 1.0, "├●━━━━━━━━━━━━┼──────────┤"),
        ("7.00", 8.36, "├┼━━━━━━━━━━━━●──────────┤"),
        (None, None, "├────────────────────────┤"),
    ],
)
def test_rail_of_the_pictures(entry: str | None, last: float | None, expected: str) -> None:
    line = rail(26, Decimal("7.70"), Decimal("8.87"), None if entry is None else Decimal(entry), last)
    assert text_of(line) == expected


def test_rail_of_a_bracket_without_width_does_not_divide_by_zero() -> None:
    assert width_of(rail(13, Decimal(5), Decimal(5), Decimal(5), 5.0)) == 13


def test_bar_has_half_cells() -> None:
    assert text_of(bar(42, 422 / 600, "-yours")) == "━" * 29 + "╸" + "─" * 12
    assert text_of(bar(10, 0.0, "-yours")) == "─" * 10
    assert text_of(bar(10, 7.0, "-yours")) == "━" * 10


def test_rows_keep_their_places_while_a_person_types() -> None:
    order = SteadyOrder()
    assert order.arrange(["a", "b", "c"], 0.0, -9.0) == ["a", "b", "c"]
    assert order.arrange(["c", "a", "b", "d"], 1.0, -9.0) == ["a", "b", "c", "d"]
    assert order.arrange(["c", "b", "d"], 2.5, 2.0) == ["b", "c", "d"]
    assert order.arrange(["c", "b", "d"], 3.1, 2.0) == ["c", "b", "d"]


def test_a_changed_number_lights_up_once() -> None:
    flashes = Flashes(enabled=True)
    assert flashes.ink("r", "price", 1.0, "1.0", 0.0) == ""
    flashes.begin_tick()
    assert flashes.ink("r", "price", 1.1, "1.1", 1.0) == "-flash-up"
    assert flashes.ink("r", "price", 1.1, "1.1", 1.0 + FLASH_S - 0.01) == "-flash-up"
    assert flashes.ink("r", "price", 1.1, "1.1", 1.0 + FLASH_S) == ""
    flashes.begin_tick()
    assert flashes.ink("r", "price", 1.0, "1.0", 2.0) == "-flash-down"


def test_a_number_that_reads_the_same_does_not_light_up() -> None:
    flashes = Flashes(enabled=True)
    flashes.ink("r", "score", 83.41, "83.4", 0.0)
    assert flashes.ink("r", "score", 83.44, "83.4", 1.0) == ""
    assert flashes.ink("r", "score", 83.46, "83.5", 2.0) == "-flash-up"


def test_at_most_twenty_cells_light_up_in_one_tick() -> None:
    flashes = Flashes(enabled=True)
    rows = [f"r{at}" for at in range(MOST_PER_TICK + 5)]
    for row in rows:
        flashes.ink(row, "price", 1.0, "1.0", 0.0)
    flashes.begin_tick()
    assert sum(flashes.ink(row, "price", 2.0, "2.0", 1.0) != "" for row in rows) == MOST_PER_TICK


def test_no_flash_when_motion_is_reduced() -> None:
    flashes = Flashes(enabled=False)
    flashes.ink("r", "price", 1.0, "1.0", 0.0)
    assert flashes.ink("r", "price", 2.0, "2.0", 1.0) == ""


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 50), (109, 30), (110, 34), (200, 24)])
@pytest.mark.parametrize("banner", [0, 1, 2])
def test_panes_tile_without_overlap(size: tuple[int, int], banner: int) -> None:
    width, height = size
    area, wide = body(width, height, banner)
    boxes = desk_boxes(area, wide)
    middle = {Place.GAP_CHART, Place.EQUITY} if wide and width >= 150 else set()
    assert set(boxes) == (set(ORDER) | middle) - (set() if wide else {Place.EVENTS})
    seen: set[tuple[int, int]] = set()
    for box in boxes.values():
        cells = {(x, y) for x in range(box.x, box.x + box.width) for y in range(box.y, box.y + box.height)}
        assert not cells & seen
        seen |= cells
    assert min(x for x, _ in seen) == 1
    assert max(x for x, _ in seen) == width - 2
    assert max(y for _, y in seen) == height - 2


def test_sizes_of_the_pictures() -> None:
    small = desk_boxes(*body(80, 24, 0))
    assert (small[Place.GAPS].width, small[Place.GAPS].height) == (44, 11)
    assert (small[Place.GEMS].width, small[Place.GEMS].height) == (44, 10)
    assert (small[Place.TICKETS].width, small[Place.BRACKETS].height) == (33, 10)
    wide = desk_boxes(*body(120, 40, 0))
    assert (wide[Place.GAPS].width, wide[Place.TICKETS].width, wide[Place.TICKETS].height) == (69, 48, 16)
    assert (wide[Place.GAPS].height, wide[Place.GEMS].height) == (15, 20)
    assert (wide[Place.BRACKETS].height, wide[Place.EVENTS].height) == (11, 7)


def test_a_small_terminal_has_room_for_one_pane_or_for_none() -> None:
    assert has_room(80, 24)
    assert not has_room(79, 40)
    assert not has_room(120, 23)
    assert too_small(59, 40)
    assert too_small(80, 14)
    assert not too_small(60, 15)


def test_gaps_of_a_dialog_leave_by_rank() -> None:
    row: Line = (Span("row"),)
    rows: list[Line | Gap] = [Gap(1), row, Gap(3), row, Gap(2)]
    assert fit_rows(rows, 4) == [Gap(1), row, row, Gap(2)]
    assert fit_rows(rows, 1) == [row, row]
