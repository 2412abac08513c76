"""The price of a gap candidate: five-minute or daily bars with entry, stop and target."""

from collections.abc import Sequence
from typing import NamedTuple

from tui import format as fmt
from tui.actions import Place
from tui.options import ConsoleOptions
from tui.screens.rows import bracket_of
from tui.shown.deck import GapRow
from tui.shown.details import ChartBars, GapDetail
from tui.widgets.charts.candles import candle_chart
from tui.widgets.charts.graph import Graph
from tui.widgets.charts.levels import Level, bracket_levels
from tui.widgets.freepane import FreePane
from tui.widgets.gapabout import AboutGap, Chosen
from tui.widgets.ink import EMPTY, Line, Span
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title, ending
from tui.widgets.verdicts import head

DAILY = "1d"
ROOMY = 40
"""Columns from which the title says what the bars are of."""
TWO_CHARTS = 40
"""Rows from which both periods are drawn, one below the other."""


class Candle(NamedTuple):
    """One bar as the chart wants it (`tui.widgets.charts.candles.PriceBar`)."""

    ts_open: int
    open: float
    high: float
    low: float
    close: float
    volume: float


def candles(bars: ChartBars) -> list[Candle]:
    """Columns as bars; a volume that is not told is 0, then none is drawn."""
    volume = bars.volume or (0.0,) * len(bars.ts)
    columns = zip(bars.ts, bars.open, bars.high, bars.low, bars.close, volume, strict=True)
    return [Candle(*each) for each in columns]


def days_of(known: GapDetail, days: ChartBars) -> list[Candle]:
    """Daily bars, and the session of the decision so far: without it the gap would not be seen."""
    found = candles(days)
    minutes = next((chart for chart in known.charts if chart.period != DAILY), None)
    if minutes is None or not minutes.ts or not found:
        return found
    today = minutes.ts[0] // fmt.US_PER_DAY
    if today != known.decided_us // fmt.US_PER_DAY or today <= found[-1].ts_open // fmt.US_PER_DAY:
        return found
    whole = (minutes.open[0], max(minutes.high), min(minutes.low), minutes.close[-1])
    return [*found, Candle(today * fmt.US_PER_DAY, *whole, 0.0)]


class GapChartPane(AboutGap, FreePane):
    """`[` and `]` change the period."""

    place = Place.GAP_CHART

    def __init__(self, options: ConsoleOptions, *, id: str, chosen: Chosen) -> None:
        super().__init__(options, id=id, chosen=chosen)
        self._period: str | None = None
        """None: the one that the answer has first."""

    def step(self, by: int) -> bool:
        """The next period that there are bars of; False where there is no other."""
        known = None if self._look is None else self.detail(self._look)
        if known is None or len(known.charts) < 2:
            return False
        periods = [chart.period for chart in known.charts]
        self._period = periods[(periods.index(self._chart(known).period) + by) % len(periods)]
        self.redraw()
        return True

    def _chart(self, known: GapDetail) -> ChartBars:
        """The chosen period, or the first one."""
        return next((chart for chart in known.charts if chart.period == self._period), known.charts[0])

    def heading(self, look: Look) -> Title:
        known = self.detail(look)
        if known is None:
            return Title("Chart", "")
        if not known.charts:
            return Title(known.symbol, "")
        chart = self._chart(known)
        return Title(known.symbol, chart.period if self.size.width < ROOMY else _period_words(chart))

    def title_line(self, title: Title, width: int) -> Line:
        """The last price and its change since the close before end the title."""
        line = super().title_line(title, width)
        known = None if self._look is None else self.detail(self._look)
        if self._look is None or known is None or known.last is None:
            return line
        old = self._look.stale
        price = (Span(f" {'~' if old else ''}{fmt.price(known.last)}", "-stale" if old else "-strong"),)
        text = fmt.signed_percent(_change(known))
        up = text.startswith("+")
        if text[0] not in "+-":
            return ending(line, price)
        ink = "-muted" if old else "-up" if up else "-down"
        return ending(line, (*price, Span(f" {'▲' if up else '▼'} {text}", ink)), price)

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        known = self.detail(look)
        if known is None:
            return Emptiness("No candidate selected", ()) if self._chosen() is None else [EMPTY]
        if not known.charts:
            return Emptiness(
                "No bars yet", ("The first bar of five minutes ends five minutes after the open.",)
            )
        levels = levels_of(self.selected_row, known, look)
        first = self._chart(known)
        if height < TWO_CHARTS or len(known.charts) < 2:
            return _drawn(known, first, levels, width, height, self.graph)
        other = next(chart for chart in known.charts if chart is not first)
        above = (height - 2) // 2
        lines = _drawn(known, first, levels, width, above, self.graph)
        lines += [EMPTY, head(known.symbol, width, _period_words(other))]
        return lines + _drawn(known, other, levels, width, height - 2 - above, self.graph)


def _drawn(
    known: GapDetail, bars: ChartBars, levels: Sequence[Level], width: int, height: int, graph: Graph
) -> list[Line]:
    daily = bars.period == DAILY
    found = days_of(known, bars) if daily else candles(bars)
    return list(candle_chart(found, width, height, levels=levels, graph=graph, daily=daily))


def _period_words(bars: ChartBars) -> str:
    return bars.period if bars.period == DAILY else f"{bars.period} · today"


def _change(known: GapDetail) -> float | None:
    """Of the last price against the close before the session."""
    days = next((chart for chart in known.charts if chart.period == DAILY), None)
    if known.last is None or days is None or not days.close or days.close[-1] <= 0:
        return None
    return known.last / days.close[-1] - 1


def levels_of(row: GapRow | None, known: GapDetail, look: Look) -> tuple[Level, ...]:
    """Of the bracket as it works now; of the ticket before; none without an order."""
    bracket = None if row is None else bracket_of(look, row)
    if bracket is None:
        return bracket_levels(known.stop_price, known.entry_price, known.target_price)
    if bracket.phase == "closed":
        return ()
    if bracket.entry_price is None:
        return bracket_levels(bracket.stop_price, bracket.limit_price, bracket.target_price)
    return bracket_levels(bracket.stop_price, bracket.entry_price, bracket.target_price, entry_name="entry")
