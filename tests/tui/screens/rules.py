"""What design 14 asks of every screen: whole lines, numbers in line, panes side by side."""

import re
from collections.abc import Iterator
from typing import Any

from tui.app import ConsoleApp
from tui.widgets.columns import Placed
from tui.widgets.ink import drawable
from tui.widgets.pane import Pane
from tui.widgets.table import TablePane

Size = tuple[int, int]
CUT_NUMBER = re.compile(r"(?<![\w.])[-+~]?\d[\d,.]*…")
"""Digits right before an ellipsis; a word that ends in digits, `SANMERIDIAN12…`, is no number."""


def hold(app: ConsoleApp, text: str, size: Size, where: str) -> None:
    """All of them, for one screen as it stands."""
    hold_whole(text, size, where)
    hold_aligned(app, text, where)
    hold_apart(app, size, where)


def hold_whole(text: str, size: Size, where: str) -> None:
    """Every line is as wide as the terminal and made of what it can draw; no number is cut."""
    lines = text.splitlines()
    assert len(lines) == size[1], where
    for at, line in enumerate(lines):
        assert len(line) == size[0], (where, at, line)
        assert line == drawable(line), (where, at, line)
        assert not CUT_NUMBER.search(line), (where, at, line)
    assert len({line[0] + line[-1] for line in lines}) == 1, where


def hold_aligned(app: ConsoleApp, text: str, where: str) -> None:
    """Numbers end at the right edge of their column, and in a column of prices the points stand in line."""
    rows = text.splitlines()
    for pane in app.screen.query(TablePane):
        if not pane.display or not pane._order:
            continue
        for placed, cells in cells_of(pane, rows):
            name = f"{where} {pane.id} {placed.column.id}"
            if placed.column.aligned:
                assert len({cell.rindex(".") for cell in cells if "." in cell}) <= 1, (name, cells)
            elif placed.column.right:
                assert len({len(cell.rstrip()) for cell in cells if cell.strip()}) <= 1, (name, cells)


def cells_of(pane: TablePane[Any], rows: list[str]) -> Iterator[tuple[Placed, list[str]]]:
    """What stands in each column of a table, row by row, as it is drawn."""
    at, top = pane.region.x + pane.indent, pane.region.y + 2
    shown = [key for key in pane._at[2:] if key is not None]
    for placed in pane._placed:
        yield placed, [rows[top + line][at : at + placed.width] for line in range(len(shown))]
        at += placed.width + pane._gap


def hold_apart(app: ConsoleApp, size: Size, where: str) -> None:
    """No pane is drawn over another or over the frame, and each has room for a line."""
    shown = [pane.region for pane in app.screen.query(Pane) if pane.display]
    assert shown, where
    for at, one in enumerate(shown):
        assert one.x >= 1, where
        assert one.right <= size[0] - 1, where
        assert one.bottom <= size[1] - 1, where
        assert one.height >= 2, where
        assert not any(one.overlaps(other) for other in shown[at + 1 :]), where
