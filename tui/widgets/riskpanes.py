"""How far the account has fallen, what is held by sector, what a day may cost, what moves together."""

from tui import format as fmt
from tui.actions import Place
from tui.shown.risk import EntryCheck, RiskView, SectorRow, VarHistogram
from tui.widgets.charts.gauge import GaugeStep, drawdown_gauge, thin_bar
from tui.widgets.charts.graph import Graph
from tui.widgets.charts.parts import stacked
from tui.widgets.freepane import FreePane
from tui.widgets.ink import EMPTY, Line, Span, cut, cut_text, cut_words, pad, spread, width_of, wrap
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title

VAR_WIDE = 46
"""Cells from which the title of the value at risk names its days too; the value itself always stands."""
_LEVEL_INKS = ("-muted", "-attention", "-danger", "-danger -bold")


class DrawdownPane(FreePane):
    """The gauge with the steps of the breaker."""

    place = Place.DRAWDOWN

    def heading(self, look: Look) -> Title:
        risk = look.view.risk
        day = "" if risk.high_us is None else f" of {fmt.date_utc(risk.high_us)}"
        note = f"{fmt.percent(risk.drawdown_ratio)}  level {risk.level}"
        ink = "-muted" if risk.level == 0 else _LEVEL_INKS[min(risk.level, 3)]
        return Title("Drawdown", f"from the high {fmt.money(risk.high_water)}{day}", note, ink)

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        risk = look.view.risk
        inks = ("-attention", "-attention", "-danger")
        steps = [
            GaugeStep(step.at_ratio, f"L{step.level}", step.effect, ink)
            for step, ink in zip(risk.steps, inks, strict=False)
        ]
        gauge = drawdown_gauge(
            risk.drawdown_ratio, risk.worst_drawdown_ratio, steps, width, min(height, 4), self.graph
        )
        more = _releases(risk, width)
        return [*gauge, *more] if len(gauge) + len(more) <= height else list(gauge)


def _releases(risk: RiskView, width: int) -> list[Line]:
    """What ends each level, in one line where that is possible."""
    if not risk.steps:
        return []
    ends = [f"ends {step.release}" if step.release_ratio else f"stays {step.release}" for step in risk.steps]
    long = ", ".join(f"L{step.level} {words}" for step, words in zip(risk.steps, ends, strict=True))
    # The first says what ends it in full, those after it need the number alone.
    words = f"{long if len(long) < width else long.replace(', L2 ends below', ', L2')}."
    return [(Span(line, "-muted"),) for line in wrap(words, width)]


class EntriesPane(FreePane):
    """Every switch that a new entry must pass."""

    place = Place.ENTRIES

    def heading(self, look: Look) -> Title:
        risk = look.view.risk
        ink = "-up" if risk.entries_on and risk.entries_words == "on" else "-attention"
        ink = ink if risk.entries_on else "-danger"
        on = risk.entries_words.split(",")[0] if self.compact else risk.entries_words
        return Title("Entries", "", f"{'●' if risk.entries_on else '■'} {on}", ink)

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        checks = look.view.risk.checks
        if not checks:
            return Emptiness("The engine has not said yet", ())
        name = min(max(len(check.name) for check in checks) + 2, max(width // 2, 12))
        lines = [line for check in checks for line in _check(check, name, width)]
        if len(lines) <= height:
            return lines
        # Where not all can be seen, what keeps entries out comes first.
        refused = sorted(checks, key=lambda check: (check.ok, not check.is_stop))
        return [line for check in refused for line in _check(check, name, width)]


def _check(check: EntryCheck, name: int, width: int) -> list[Line]:
    """One line; where what is wrong does not fit beside its name, it stands below whole."""
    glyph, ink = ("●", "-up") if check.ok else ("■", "-danger" if check.is_stop else "-attention")
    room = width - name - 2
    if check.ok or len(check.words) <= room:
        head = (Span(glyph, ink), Span(f" {cut_text(check.name, name - 1)}".ljust(name + 1)))
        return [(*head, Span(cut_words(check.words, room), "-muted" if check.ok else ""))]
    below = wrap(check.words, width - 2)
    lines: list[Line] = [(Span(glyph, ink), Span(f" {cut_text(check.name, width - 2)}"))]
    return [*lines, *((Span("  "), Span(words)) for words in below)]


class ExposurePane(FreePane):
    """What is held in each sector, and what waiting tickets would add."""

    place = Place.EXPOSURE

    def heading(self, look: Look) -> Title:
        risk = look.view.risk
        share = "" if risk.exposure_ratio is None else f" · {fmt.percent(risk.exposure_ratio)} of equity"
        return Title("Exposure", f"{fmt.money(risk.exposure)}{share}", "long only")

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        sectors = look.view.risk.sectors
        if not sectors:
            return Emptiness("Nothing is held", ())
        name = min(max(len(row.sector) for row in sectors) + 2, 16)
        most = max((row.ratio or 0.0 for row in sectors), default=0.0) or 1.0
        return [_sector(row, name, width, most, self.graph) for row in sectors]


def _sector(row: SectorRow, name: int, width: int, most: float, graph: Graph) -> Line:
    bar = 16 if width >= 60 else 8
    ink = "" if row.value else "-muted"
    words = " ".join(row.symbols)
    if row.uncertain:
        words += f"{', ' if words else ''}{' '.join(row.uncertain)} ?"
    if row.waiting:
        adds = ", ".join(f"T-{share.number} would add {fmt.percent(share.ratio)}" for share in row.waiting)
        words += f"{', ' if words else ''}{adds}"
    line: Line = (
        Span(cut_text(row.sector, name - 1).ljust(name), ink),
        *thin_bar((row.ratio or 0.0) / most, bar, "-accent", graph),
        Span(f"{fmt.percent(row.ratio):>7}  ", ink),
    )
    return (*line, Span(cut_text(words, width - width_of(line)), "-muted"))


class VarPane(FreePane):
    """Daily results of what is held now, and the loss that one day in twenty exceeds."""

    place = Place.VAR

    def heading(self, look: Look) -> Title:
        risk = look.view.risk
        name = f"VaR {risk.var_confidence * 100:.0f}%"
        if risk.var is None:
            return Title(name, "one day")
        days = f"one day, {risk.var_days} days" if risk.var_days else "one day"
        note = f"{fmt.signed_money(-risk.var)}  {fmt.percent(risk.var_ratio)}"
        return Title(name, "" if self.size.width < VAR_WIDE else days, note, "-down")

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        risk = look.view.risk
        if risk.histogram is None:
            why = risk.var_reason or "nothing is held"
            return Emptiness("No distribution", (f"{why[0].upper()}{why[1:]}.",))
        lines = distribution(risk.histogram, risk.var_ratio, width, min(height, 10), self.graph)
        if height >= len(lines) + 2 and risk.var_parametric is not None:
            lines += [EMPTY, _both_ways(risk, width)]
        return lines


def _both_ways(risk: RiskView, width: int) -> Line:
    words = f"history {fmt.money(risk.var_historical)}, normal curve {fmt.money(risk.var_parametric)}"
    return cut((Span(f"{words}: the larger counts", "-muted"),), width)


def distribution(
    found: VarHistogram, var_ratio: float | None, width: int, height: int, graph: Graph
) -> list[Line]:
    """Bars of the bins, those beyond the value at risk in the color of a loss; the ends named below."""
    edges, counts = _merged(found, width)
    most, each = max(counts, default=0), max(width // max(len(counts), 1), 1)
    border = None if var_ratio is None else -var_ratio
    rows: list[Line] = []
    shares = [count / most if most else 0.0 for count in counts]
    inks = [
        "-down" if border is not None and edges[at + 1] <= border + 1e-12 else "-track"
        for at in range(len(shares))
    ]
    for text in stacked(shares, max(height - 1, 1), graph):
        rows.append(tuple(Span(char * each, ink) for char, ink in zip(text, inks, strict=True)))
    low, high = fmt.signed_percent(edges[0]), fmt.signed_percent(edges[-1])
    inner = each * len(shares)
    middle = "" if border is None else f"VaR {fmt.signed_percent(border)}"
    left: Line = (Span(low, "-muted"), Span("  "), Span(middle, "-down"))
    rows.append(spread(left, (Span(high, "-muted"),), max(inner, width_of(left) + len(high) + 1)))
    return [cut(row, width) for row in rows]


def _merged(found: VarHistogram, width: int) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """Neighboring bins joined until each has a column of its own."""
    step = -(-len(found.counts) // max(width, 1)) or 1
    edges = (*found.edges[:-1:step], found.edges[-1])
    counts = tuple(sum(found.counts[at : at + step]) for at in range(0, len(found.counts), step))
    return edges, counts


class CorrelationPane(FreePane):
    """Which of what is held moves together."""

    place = Place.CORRELATION

    def heading(self, look: Look) -> Title:
        limit = fmt.probability(look.view.risk.correlation_limit)
        return Title("Correlation", f"daily, above {limit} counts as one")

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        risk = look.view.risk
        if len(risk.names) < 2:
            return Emptiness("Fewer than two are held or wait", ())
        cell = 6
        names = risk.names[: max((width - cell) // cell, 1)]
        known = {(pair.one, pair.other): pair.value for pair in risk.pairs}
        head = (Span(" " * cell), *(Span(cut_text(name, 5).rjust(cell), "-muted") for name in names))
        lines: list[Line] = [head]
        for at, name in enumerate(names):
            line: list[Span] = [Span(cut_text(name, 5).ljust(cell))]
            for other in names[:at]:
                line.append(_correlation(known.get((other, name), known.get((name, other))), risk, cell))
            line.append(Span("·".rjust(cell), "-line"))
            lines.append(pad(tuple(line), width))
        return lines


def _correlation(value: float | None, risk: RiskView, cell: int) -> Span:
    if value is None:
        return Span("?".rjust(cell), "-danger")
    text = f"{value:.2f}".replace("0.", ".", 1)
    counts = value > risk.correlation_limit
    return Span(text.rjust(cell), "-danger -bold" if counts else "" if abs(value) >= 0.4 else "-muted")
