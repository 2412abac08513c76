"""Textual's own table in a terminal, changed ten times a second: `their_table.py ROWS CELLS TICKS PIPE`."""

import sys
from collections.abc import Iterator

from textual.app import App, ComposeResult
from textual.widgets import DataTable
from ticking import COLUMNS, PHASES, Report, phases

ROWS, CELLS, TICKS, PIPE = map(int, sys.argv[1:])
TICK_S = 0.1


class TableApp(App[None]):
    """A full screen of it."""

    def compose(self) -> ComposeResult:
        yield DataTable()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for column in range(COLUMNS):
            table.add_column(f"col{column}", width=8, key=str(column))
        self._phases = phases(ROWS)
        for row, texts in enumerate(self._phases[0]):
            table.add_row(*texts, key=str(row))
        self._report = Report(PIPE, TICKS)
        self._changes = self._change()
        self.set_interval(TICK_S, self._tick)

    def _change(self) -> Iterator[None]:
        table = self.query_one(DataTable)
        row = number = 0
        while True:
            number += 1
            for _ in range(CELLS // COLUMNS):
                for column, text in enumerate(self._phases[number % PHASES][row]):
                    table.update_cell(str(row), str(column), text)
                row = (row + 1) % ROWS
            yield

    def _tick(self) -> None:
        if self._report.tick():
            self.exit()
        else:
            next(self._changes)


if __name__ == "__main__":
    TableApp().run()
