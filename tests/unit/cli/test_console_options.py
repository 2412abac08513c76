"""How the console looks is the config's choice, as far as the terminal can draw it."""

import pytest

from tui.commands.running import _graph
from tui.console_config import ThemeName
from tui.options import ConsoleOptions
from tui.theme import THEMES, choose_theme
from tui.widgets.charts.graph import Graph


@pytest.mark.parametrize(
    ("chosen", "terminal", "drawn"),
    [
        (Graph.BRAILLE, "xterm-256color", Graph.BRAILLE),
        (Graph.BRAILLE, "linux", Graph.BLOCK),
        (Graph.ASCII, "linux", Graph.ASCII),
        (Graph.BLOCK, "screen", Graph.BLOCK),
    ],
)
def test_a_linux_console_gets_blocks_where_braille_was_chosen(
    chosen: Graph, terminal: str, drawn: Graph
) -> None:
    assert _graph(chosen, terminal) is drawn


def test_plain_draws_with_ascii_whatever_was_chosen() -> None:
    assert ConsoleOptions(plain=True, graph=Graph.BLOCK).drawn_with is Graph.ASCII
    assert ConsoleOptions(graph=Graph.BLOCK).drawn_with is Graph.BLOCK


def test_every_theme_that_can_be_chosen_exists() -> None:
    assert {name.value for name in ThemeName} <= THEMES.keys()
    assert choose_theme(ThemeName.PAPER, no_color=False, color_system="truecolor") == "paper"
    assert choose_theme(ThemeName.PAPER, no_color=True, color_system="truecolor") == "mono"
