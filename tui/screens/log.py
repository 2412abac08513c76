"""The audit log."""

from collections.abc import Iterable
from typing import cast

from tui.actions import Place
from tui.screens.arrange import Box, columns
from tui.screens.chrome import bindings_for
from tui.screens.paned import PanedScreen
from tui.shown.details import LogDetail, LogRecord, Topic
from tui.widgets.auditlog import LogPane, RecordPane
from tui.widgets.look import Look
from tui.widgets.pane import Pane


class LogScreen(PanedScreen):
    """Every line that was written, whoever caused it."""

    name_in_navigation = "log"
    order = (Place.LOG, Place.RECORD)
    BINDINGS = bindings_for(frozenset(order))

    def make_panes(self) -> Iterable[Pane]:
        options = self.console.options
        yield LogPane(options, id="log")
        yield RecordPane(options, id="record")

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        if not wide:
            return {Place.LOG: area}
        left, right = columns(area, 0, 46)
        return {Place.LOG: left, Place.RECORD: right}

    def subject(self, look: Look) -> tuple[Topic, str] | None:
        return Topic.LOG, ""

    def show_body(self, look: Look) -> None:
        row = self.pane(Place.LOG).selected_row
        record = cast(RecordPane, self.pane(Place.RECORD))
        if isinstance(row, LogRecord):
            record.show_record(row)
        super().show_body(look)

    def action_open(self) -> None:
        """The whole line."""
        row = self.pane(Place.LOG).selected_row
        if not isinstance(row, LogRecord):
            self.refuse("enter", "no row here")
            return
        self.activate(Place.RECORD)

    def action_row_last(self) -> None:
        """The oldest line read; at it once more, the page before."""
        log = cast(LogPane, self.pane(Place.LOG))
        row = log.selected_row
        at_end = isinstance(row, LogRecord) and row.seq == log.oldest
        super().action_row_last()
        if self.current is Place.LOG and at_end and log.has_older:
            self.run_worker(self._read_on(log), group="older", exclusive=True)

    async def _read_on(self, log: LogPane) -> None:
        page = await self.console.detail(Topic.LOG, f"{log.oldest}")
        if isinstance(page, LogDetail):
            log.add(page)
            self.show()
            super().action_row_last()
