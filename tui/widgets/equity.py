"""The account's value over a period, with its falls below."""

from dataclasses import replace

from tui.actions import Place
from tui.options import ConsoleOptions
from tui.shown.details import EquityDetail
from tui.widgets.charts.labels import money_labels, percent_labels
from tui.widgets.charts.line import line_chart
from tui.widgets.charts.times import time_marks
from tui.widgets.freepane import FreePane
from tui.widgets.ink import Line, Span, width_of
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title

PERIODS = ("1d", "7d", "30d", "90d", "1y", "all")


class EquityPane(FreePane):
    """`[` and `]` change the period."""

    place = Place.EQUITY

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(options, id=id)
        self.period = PERIODS[0]

    def step(self, by: int) -> None:
        """A longer or a shorter period, round and round."""
        self.period = PERIODS[(PERIODS.index(self.period) + by) % len(PERIODS)]

    def heading(self, look: Look) -> Title:
        return Title("Equity", self.period)

    def title_line(self, title: Title, width: int) -> Line:
        """The periods stand at the right, the chosen one marked."""
        line = super().title_line(title, width)
        room = sum(len(period) + 1 for period in PERIODS)
        if width < room + 24:
            return line
        choice: list[Span] = []
        for period in PERIODS:
            choice += [Span(" "), Span(period, "-accent -bold" if period == self.period else "-muted")]
        rule = line[-1]
        kept = len(rule.text) - width_of(choice)
        return (*line[:-1], Span(rule.text[:kept], rule.ink), *choice)

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        found = look.detail
        if not isinstance(found, EquityDetail) or found.period != self.period:
            return [(Span("Reading the record", "-muted"),)]
        if len(found.ts) < 2:
            return Emptiness("No curve yet", ("A point is kept each minute of the market.",))
        return self.chart(found, width, height)

    def chart(self, found: EquityDetail, width: int, height: int) -> list[Line]:
        """The curve itself."""
        return list(
            line_chart(
                found.equity,
                width,
                height,
                labels=money_labels,
                marks=time_marks(found.ts[0], found.ts[-1]),
                drawdown=found.drawdown,
                graph=self.graph,
            )
        )


class FallsPane(EquityPane):
    """How far below its highest value the account stood, over time."""

    place = Place.DRAWDOWNS

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(options, id=id)
        self.period = "90d"

    def heading(self, look: Look) -> Title:
        return Title("Drawdown", f"history {self.period}")

    def chart(self, found: EquityDetail, width: int, height: int) -> list[Line]:
        marks = time_marks(found.ts[0], found.ts[-1])
        lines = line_chart(
            found.drawdown, width, height, labels=percent_labels, high=0.0, marks=marks, graph=self.graph
        )
        return list(lines)


class DeskEquityPane(EquityPane):
    """On the Desk, whose own question is about the selected row: it is told its answer beside."""

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(options, id=id)
        self.period = "30d"
        self.known: EquityDetail | None = None

    def take(self, look: Look) -> None:
        """Show a newer picture."""
        super().take(replace(look, detail=self.known))
