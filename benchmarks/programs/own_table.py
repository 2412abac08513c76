"""Our table in the console's chrome, changed ten times a second: `own_table.py ROWS CELLS TICKS PIPE`."""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from console import StillLink, picture
from textual.screen import Screen
from ticking import COLUMNS, PHASES, Report, phases

import tui.app
from engine.model.commands import Actor
from tui.actions import Place
from tui.app import ConsoleApp
from tui.screens.arrange import Box
from tui.screens.paned import PanedScreen
from tui.screens.registry import load_later
from tui.widgets.columns import Column
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Pane, Title
from tui.widgets.table import Cell, TablePane

ROWS, CELLS, TICKS, PIPE = map(int, sys.argv[1:])
TICK_S = 0.1


@dataclass(frozen=True, slots=True)
class Row:
    """One line of ten prices."""

    id: str
    texts: tuple[str, ...]
    values: tuple[float, ...]


class Prices:
    """The rows, changed a few after the other."""

    def __init__(self) -> None:
        self._phases = [
            [Row(str(at), texts, tuple(map(float, texts))) for at, texts in enumerate(found)]
            for found in phases(ROWS)
        ]
        self.rows = list(self._phases[0])
        self._at = self._number = 0

    def change(self) -> None:
        self._number += 1
        for _ in range(CELLS // COLUMNS):
            self.rows[self._at] = self._phases[self._number % PHASES][self._at]
            self._at = (self._at + 1) % ROWS


PRICES = Prices()


class PricesPane(TablePane[Row]):
    """All of them."""

    place = Place.EVENTS
    columns = tuple(Column(str(at), f"col{at}", 8, at, right=True, aligned=True) for at in range(COLUMNS))

    def table(self, look: Look) -> Sequence[Row]:
        return PRICES.rows

    def key(self, row: Row) -> str:
        return row.id

    def words(self, row: Row) -> str:
        return row.id

    def cell(self, row: Row, column: str, look: Look, width: int) -> Cell:
        at = int(column)
        return Cell(row.texts[at], value=row.values[at])

    def heading(self, look: Look) -> Title:
        return Title("Prices", str(ROWS))

    def empty(self, look: Look) -> Emptiness:
        return Emptiness("None", ())


class PricesScreen(PanedScreen):
    """One pane."""

    name_in_navigation = "desk"
    order = (Place.EVENTS,)

    def make_panes(self) -> Iterable[Pane]:
        yield PricesPane(self.console.options, id="prices")

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        return {Place.EVENTS: area}


class TableApp(ConsoleApp):
    """The console with that screen alone."""

    CSS_PATH = Path(tui.app.__file__).parent / "deck.tcss"
    MODES: ClassVar[dict[str, str | Callable[..., Screen[Any]]]] = {"desk": PricesScreen}

    def on_mount(self) -> None:
        self._report = Report(PIPE, TICKS)
        self.set_interval(TICK_S, self._tick)

    def _tick(self) -> None:
        if self._report.tick():
            self.exit()
            return
        PRICES.change()
        look = self.look()
        if look is not None and isinstance(self.screen, PricesScreen):
            self.screen.pane(Place.EVENTS).take(replace(look, view=replace(look.view)))


if __name__ == "__main__":
    # Screens that come later are loaded a step at a time: that is no cost of a table.
    deque(load_later(), maxlen=0)
    app = TableApp(StillLink(picture(0)), actor=Actor("bench", "pty"))
    app.run()
    if app.failure is not None:
        raise app.failure
