"""Sources of data and the engine's own pulse."""

from collections.abc import Callable, Sequence

from tui import format as fmt
from tui.actions import Place
from tui.options import ConsoleOptions
from tui.shown.health import HealthRow, SourceRow, SourceWord
from tui.widgets.charts.gauge import thin_bar
from tui.widgets.charts.labels import number_labels
from tui.widgets.charts.line import line_chart
from tui.widgets.columns import Column
from tui.widgets.freepane import FreePane
from tui.widgets.ink import Line, Span, cut_text, cut_words, spread, width_of
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title
from tui.widgets.table import Cell, Sort, TablePane

_WORDS = {
    SourceWord.OK: ("●", "-up", ""),
    SourceWord.OFF: ("■", "-danger", ""),
    SourceWord.MUTE: ("■", "-danger", ""),
    SourceWord.TRYING: ("◐", "-attention", ""),
    SourceWord.WAITING: ("◐", "-attention", "-muted"),
}
_WORST_FIRST = (
    SourceWord.OFF,
    SourceWord.MUTE,
    SourceWord.TRYING,
    SourceWord.WAITING,
    SourceWord.OK,
)


class SourcesPane(TablePane[SourceRow]):
    """Each stream of data: whether it speaks, how old its word is."""

    place = Place.SOURCES
    columns = (
        Column("name", "source", 15, 0),
        Column("word", "breaker", 11, 0),
        Column("age", "age", 4, 0, right=True),
        Column("limit", "limit", 5, 6, right=True),
        Column("messages", "messages", 9, 4, right=True),
        Column("budget", "budget", 12, 2),
        Column("p95", "p95", 8, 3, right=True),
        Column("note", "note", 24, 1, stretch=True),
    )
    sorts: tuple[Sort[SourceRow], ...] = (
        Sort("given", lambda row: 0),
        Sort("worst first", lambda row: _WORST_FIRST.index(row.word)),
    )

    def heading(self, look: Look) -> Title:
        rows = look.view.health.sources
        bad = sum(row.word in (SourceWord.OFF, SourceWord.MUTE) for row in rows)
        slow = sum(row.word in (SourceWord.TRYING, SourceWord.WAITING) for row in rows)
        counts = [f"{bad} down"] * bool(bad) + [f"{slow} waiting"] * bool(slow)
        more = f" · {', '.join(counts)}" if counts else ""
        return Title("Sources", f"{len(rows)}{more}", self.sort_words)

    def table(self, look: Look) -> Sequence[SourceRow]:
        return look.view.health.sources

    def key(self, row: SourceRow) -> str:
        return row.name

    def words(self, row: SourceRow) -> str:
        return f"{row.name} {row.word.value} {row.note}"

    def empty(self, look: Look) -> Emptiness:
        return Emptiness("No source runs", ("tradedeck --demo starts a market that needs none.",))

    def is_shown(self, column: Column, rows: Sequence[SourceRow], look: Look) -> bool:
        """Streams are not called: without a service, what is known of calls gives its room away."""
        if column.id == "p95":
            return any(row.p95_ms is not None for row in rows)
        return column.id != "budget" or any(row.budget_ratio is not None for row in rows)

    def cell(self, row: SourceRow, column: str, look: Look, width: int) -> Cell:
        match column:
            case "name":
                return Cell(row.name, "" if row.word is SourceWord.OK else "-strong")
            case "word":
                glyph, ink, words = _WORDS[row.word]
                return Cell(spans=(Span(glyph, ink), Span(f" {row.word.value}", words)))
            case "age":
                return Cell(fmt.age(row.age_us), "" if row.word is SourceWord.OK else "-attention")
            case "limit":
                return Cell(fmt.age(row.max_age_us), "-muted")
            case "messages":
                return Cell(f"{row.messages:,}", "-muted")
            case "budget":
                if row.budget_ratio is None:
                    return Cell("–", "-muted")
                share = Span(f" {row.budget_ratio * 100:3.0f}%", "-muted")
                return Cell(spans=(*thin_bar(row.budget_ratio, 7, "-accent", self.graph), share))
            case "p95":
                ink = "-muted" if row.sla in ("", "OK") else "-attention"
                return Cell("–" if row.p95_ms is None else f"{row.p95_ms:,.0f} ms", ink)
            case "note":
                return Cell(row.note, "-muted")
        raise KeyError(column)


class EnginePane(FreePane):
    """Figure and limit of everything the engine stands on."""

    place = Place.ENGINE

    def heading(self, look: Look) -> Title:
        health = look.view.health
        pid = "" if health.pid is None else f"pid {health.pid}"
        up = "" if health.up_us is None else f"up {fmt.elapsed(health.up_us)}"
        note, ink = ("● trusted", "-up") if health.trusted else ("■ look at it", "-danger")
        return Title("Engine", " · ".join(part for part in (pid, up) if part), note, ink)

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        rows = look.view.health.rows
        if not rows:
            return Emptiness("The engine has not said yet", ())
        return [_pulse(row, width) for row in rows]


def _pulse(row: HealthRow, width: int) -> Line:
    glyph, ink = ("●", "-up") if row.ok else ("○", "-muted") if row.ok is None else ("■", "-danger")
    left: Line = (Span(glyph, ink), Span(f" {row.name}".ljust(15)))
    right: Line = (Span(row.limit, "-muted"),) if row.limit else ()
    room = width - width_of(left) - width_of(right) - 2
    return spread((*left, Span(cut_words(row.figure, max(room, 8)))), right, width)


class ConsolesPane(FreePane):
    """Who is attached to the engine over its socket."""

    place = Place.CONSOLES

    def heading(self, look: Look) -> Title:
        return Title("Attached", f"{len(look.view.health.guests)}")

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        guests = look.view.health.guests
        if not guests:
            return Emptiness("No other console", ("tradedeck attach --view opens one that may only look.",))
        return [
            (
                Span(cut_text(guest.terminal or "no terminal", 11).ljust(13)),
                Span(cut_text(guest.user, width - 25).ljust(width - 23)),
                Span("acts" if guest.acts else "looks only", "" if guest.acts else "-muted"),
            )
            for guest in guests
        ]


class LatencyPane(FreePane):
    """How long this console took from a key to the picture that follows it."""

    place = Place.LATENCY

    def __init__(self, options: ConsoleOptions, *, id: str, times: Callable[[], Sequence[float]]) -> None:
        """`times`: seconds of the last keys, oldest first."""
        super().__init__(options, id=id)
        self._times = times

    def heading(self, look: Look) -> Title:
        times = sorted(self._times())
        if not times:
            return Title("Key to paint", "")
        p95 = times[min(int(len(times) * 0.95), len(times) - 1)] * 1000
        return Title("Key to paint", f"last {len(times)} keys", f"p95 {p95:.0f} ms", _latency_ink(p95))

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        times = self._times()
        if len(times) < 2:
            return Emptiness("No key was pressed yet", ("This console measures itself.",))
        values = [seconds * 1000 for seconds in times]
        labels = number_labels(" ms")
        return list(line_chart(values, width, max(height - 1, 3), labels=labels, low=0.0, graph=self.graph))


def _latency_ink(p95_ms: float) -> str:
    """Up to 100 ms a hand does not notice it."""
    return "-muted" if p95_ms <= 100 else "-attention"
