"""How little is written for a change."""

import pytest
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from tui.painter import Painter

INK = Style.parse("#0a0b0c on #141a22")
MUTED = Style.parse("#93a1b3 on #141a22")
BOLD = Style.parse("bold #0a0b0c on #141a22")


def whole(*segments: Segment) -> LayoutUpdate:
    strip = Strip(list(segments))
    return LayoutUpdate([[strip]], Region(0, 0, strip.cell_length, 1))


def line(*segments: Segment) -> ChopsUpdate:
    strip = Strip(list(segments))
    return ChopsUpdate([{0: strip}], [(0, 0, strip.cell_length)], [[strip.cell_length]])


@pytest.fixture
def painter() -> Painter:
    return Painter()


def codes(painter: Painter, update: ChopsUpdate | LayoutUpdate) -> str:
    return painter.codes(update, ColorSystem.TRUECOLOR)


def test_only_the_cells_that_changed_are_written(painter: Painter) -> None:
    codes(painter, whole(Segment("price 12.34 of GAPA", INK)))
    assert codes(painter, line(Segment("price 12.39 of GAPA", INK))) == (
        "\x1b[1;11H\x1b[38;2;10;11;12;48;2;20;26;34m9\x1b[0m"
    )


def test_what_did_not_change_is_not_written(painter: Painter) -> None:
    codes(painter, whole(Segment("same", INK)))
    assert codes(painter, line(Segment("same", INK))) == ""


def test_near_changes_are_one_and_far_ones_are_jumped_to(painter: Painter) -> None:
    codes(painter, whole(Segment("1 3 5      7", INK)))
    written = codes(painter, line(Segment("2 4 5      8", INK)))
    assert written == "\x1b[1;1H\x1b[38;2;10;11;12;48;2;20;26;34m2 4\x1b[8C8\x1b[0m"


def test_of_a_style_only_what_differs_is_written(painter: Painter) -> None:
    written = codes(painter, whole(Segment("a", INK), Segment("b", MUTED), Segment("c", BOLD)))
    assert written == (
        "\x1b[1;1H\x1b[38;2;10;11;12;48;2;20;26;34ma\x1b[38;2;147;161;179mb\x1b[1;38;2;10;11;12mc\x1b[0m"
    )


def test_blanks_take_the_pen_that_is_at_hand(painter: Painter) -> None:
    written = codes(painter, whole(Segment("a", INK), Segment("  ", MUTED), Segment("b", INK)))
    assert written == "\x1b[1;1H\x1b[38;2;10;11;12;48;2;20;26;34ma  b\x1b[0m"


def test_a_whole_layout_is_written_although_it_is_shown_already(painter: Painter) -> None:
    assert codes(painter, whole(Segment("same", INK))) == codes(painter, whole(Segment("same", INK))) != ""


def test_a_layout_without_a_cell_writes_nothing(painter: Painter) -> None:
    assert codes(painter, whole()) == ""


def test_a_forgotten_terminal_is_written_again(painter: Painter) -> None:
    codes(painter, whole(Segment("same", INK)))
    painter.forget()
    assert "same" in codes(painter, line(Segment("same", INK)))


def test_wide_characters_and_links_are_left_to_textual(painter: Painter) -> None:
    link = Style(link="https://example.org")
    for segment in (Segment("\u6f22\u5b57", INK), Segment("here", link)):
        written = codes(painter, line(segment))
        assert segment.text in written
        assert written.startswith("\x1b[1;1H")
        assert segment.text in codes(painter, line(segment)), "its row is not known"


def test_control_characters_take_no_cell(painter: Painter) -> None:
    codes(painter, line(Segment("a\x07b", INK)))
    assert "ab" in codes(painter, line(Segment("ab", INK))), "its row is not known"


def test_a_blank_after_a_letter_is_written_and_a_blank_in_another_ink_is_not(painter: Painter) -> None:
    codes(painter, whole(Segment("a b", INK)))
    assert codes(painter, line(Segment("a", INK), Segment(" ", MUTED), Segment("b", INK))) == ""
    assert codes(painter, line(Segment("a  ", INK))) == "\x1b[1;3H\x1b[48;2;20;26;34m \x1b[0m"


def test_an_update_becomes_one_that_is_worked_out_when_it_is_written(painter: Painter) -> None:
    update = painter.least(line(Segment("ab", None)))
    assert update.render_segments(Console(color_system=None)) == "\x1b[1;1Hab"
    assert update.render_segments(Console(color_system=None)) == ""


def test_updates_of_another_kind_pass(painter: Painter) -> None:
    other = CompositorUpdate()
    assert painter.least(other) is other
