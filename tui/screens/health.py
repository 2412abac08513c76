"""Sources, engine, and who is attached."""

from collections.abc import Iterable

from tui import format as fmt
from tui.actions import Place
from tui.screens.arrange import Box, columns, rows
from tui.screens.chrome import bindings_for
from tui.screens.paned import PanedScreen
from tui.shown.health import SourceRow
from tui.widgets.ink import Line, Span, wrap
from tui.widgets.look import Look
from tui.widgets.pane import Pane
from tui.widgets.pulse import ConsolesPane, EnginePane, LatencyPane, SourcesPane


class HealthScreen(PanedScreen):
    """Whether what the other screens show can be believed."""

    name_in_navigation = "health"
    order = (Place.SOURCES, Place.ENGINE, Place.LATENCY, Place.CONSOLES)
    BINDINGS = bindings_for(frozenset(order))

    def make_panes(self) -> Iterable[Pane]:
        options = self.console.options
        yield SourcesPane(options, id="sources")
        yield EnginePane(options, id="engine")
        yield LatencyPane(options, id="latency", times=self.console.key_times)
        yield ConsolesPane(options, id="consoles")

    def boxes(self, area: Box, wide: bool) -> dict[Place, Box]:
        if not wide:
            upper, lower = rows(area, 0, 0, min(9, area.height // 2))
            return {Place.SOURCES: upper, Place.ENGINE: lower}
        upper, lower = rows(area, 1, max(area.height * 15 // 36, 8), 0)
        left, right = columns(lower, 66, 0)
        latency, consoles = rows(right, 1, max(lower.height * 10 // 20, 6), 0)
        return {
            Place.SOURCES: upper,
            Place.ENGINE: left,
            Place.LATENCY: latency,
            Place.CONSOLES: consoles,
        }

    def action_open(self) -> None:
        """Everything that is known of a source."""
        from tui.screens.sheet import Sheet

        row = self.pane(Place.SOURCES).selected_row
        if not isinstance(row, SourceRow):
            self.refuse("enter", "no row here")
            return
        name = row.name

        def build(look: Look, width: int) -> list[Line]:
            now = next((one for one in look.view.health.sources if one.name == name), row)
            return source_lines(now, width)

        self.app.push_screen(Sheet((name, "source"), build))


def source_lines(row: SourceRow, width: int) -> list[Line]:
    """Label and value of each fact."""
    facts = [
        ("state", row.word.value),
        ("last word", "never" if row.age_us is None else f"{fmt.age(row.age_us)} ago"),
        ("mute after", f"{fmt.age(row.max_age_us)} without a word"),
        ("messages", f"{row.messages:,}"),
        ("budget", "none is set" if row.budget_ratio is None else fmt.percent(row.budget_ratio)),
        ("note", row.note or "–"),
    ]
    if row.sla:
        answered = "–" if row.success_ratio is None else fmt.percent(row.success_ratio)
        facts += [
            ("expected", row.sla),
            ("p95", "–" if row.p95_ms is None else f"{row.p95_ms:,.0f} ms of the last 100 calls"),
            ("answered", answered),
            ("failures", f"{row.failures} in a row"),
            ("last error", row.last_error or "none"),
        ]
    lines: list[Line] = []
    for label, value in facts:
        for at, part in enumerate(wrap(value, width - 13)):
            lines.append((Span((label if at == 0 else "").ljust(13), "-muted"), Span(part)))
    return lines
