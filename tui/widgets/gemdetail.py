"""One token: what its score is made of, its safety gates, who holds it, its price."""

from tui import format as fmt
from tui.actions import Place
from tui.options import ConsoleOptions
from tui.shown.details import GemDetail, SafetyRow
from tui.widgets.charts.gauge import contribution_bar
from tui.widgets.charts.graph import Graph
from tui.widgets.charts.labels import token_labels
from tui.widgets.charts.line import line_chart
from tui.widgets.charts.times import time_marks
from tui.widgets.freepane import FreePane
from tui.widgets.ink import EMPTY, Line, Span, cut, cut_text, pad, width_of, wrap
from tui.widgets.look import Look
from tui.widgets.pane import Emptiness, Title, ending

BANDS = ((80.0, "high"), (60.0, "medium"), (0.0, "low"))
"""Of confidence (SPEC 2.3)."""
ALL_COLUMNS = 52
"""Cells from which the gates show their age too."""
FIVE_MINUTES_US = 300_000_000
READING: Line = (Span("Reading the token", "-muted"),)
_MARKS = {"pass": ("●", "-up"), "block": ("■", "-danger"), "unknown": ("?", "-danger -bold")}


def gem_of(look: Look) -> GemDetail | None:
    """The token that is open, once it is known."""
    return look.detail if isinstance(look.detail, GemDetail) else None


class GemPane(FreePane):
    """A pane about the one token that is selected."""

    def __init__(self, options: ConsoleOptions, *, id: str) -> None:
        super().__init__(options, id=id)
        self._of: str | None = None

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        gem = gem_of(look)
        if gem is None:
            return Emptiness("No token selected", ()) if not look.view.gems.rows else [READING]
        if gem.id != self._of:
            self._of, self._first = gem.id, 0
        return self.about(gem, look, width, height)

    def about(self, gem: GemDetail, look: Look, width: int, height: int) -> list[Line]:
        raise NotImplementedError


class GemScorePane(GemPane):
    """Contributions, then safety."""

    place = Place.GEM_SCORE

    def heading(self, look: Look) -> Title:
        gem = gem_of(look)
        if gem is None:
            return Title("Score", "")
        pair = f" / {gem.quote_symbol}" if gem.quote_symbol else ""
        where = f"{pair} · {gem.chain} · {_short(gem.address)}"
        return Title(cut_text(gem.symbol, 20), where.removeprefix(" ").removeprefix("· "))

    def about(self, gem: GemDetail, look: Look, width: int, height: int) -> list[Line]:
        return score_lines(gem, look, width, self.graph, roomy=height >= 24)


def score_lines(gem: GemDetail, look: Look, width: int, graph: Graph, *, roomy: bool = True) -> list[Line]:
    """Score, contributions, safety, and what is missing: for the pane and for `w` on the Desk."""
    gap = [EMPTY] if roomy else []
    lines = [_summary(gem, width), *gap, *_contributions(gem, width, graph), EMPTY]
    lines += [*_safety_head(gem, width), *(_gate(row, look, width) for row in gem.gates)]
    if gem.deductions:
        lines += [EMPTY, *(_wrapped("deducted", ", ".join(gem.deductions), width))]
    if gem.missing:
        lines += [EMPTY, *_wrapped("not known", ", ".join(gem.missing), width)]
    return lines


def _short(address: str) -> str:
    return address if len(address) <= 13 else f"{address[:6]}…{address[-4:]}"


def _summary(gem: GemDetail, width: int) -> Line:
    band = next(word for least, word in BANDS if gem.confidence >= least)
    line: list[Span] = [Span(f"{gem.score:.1f}", "-strong"), Span(" of 100", "-muted")]
    if gem.score_max - gem.score > 0.05 and any(part.score is None for part in gem.contributions):
        line.append(Span(f", at most {gem.score_max:.1f}", "-muted"))
    if gem.change_6h is not None and round(gem.change_6h, 1):
        up = gem.change_6h > 0
        line += [Span("  "), Span(f"{'▲' if up else '▼'} {gem.change_6h:+.1f}", "-up" if up else "-down")]
        line.append(Span(" in 6 h", "-muted"))
    line += [Span("   conf ", "-muted"), Span(f"{gem.confidence:.0f} {band}", "-strong")]
    signals = (Span("   signals ", "-muted"), Span(f"{gem.signals}", "-strong"))
    return cut((*line, *signals) if width_of((*line, *signals)) <= width else line, width)


def _contributions(gem: GemDetail, width: int, graph: Graph) -> list[Line]:
    name = max((len(part.name) for part in gem.contributions), default=0)
    tail = 12
    bar = max(width - name - 8 - tail, 6)
    heaviest = max((part.weight for part in gem.contributions), default=0.0)
    lines: list[Line] = []
    for part in gem.contributions:
        score = "–" if part.score is None else f"{part.score:.2f}"
        head = (Span(part.name.ljust(name + 2), "-muted"), Span(f"{score:>4}  "))
        if part.score is None:
            lines.append((*head, Span(cut_text(part.missing, width - name - 8), "-muted")))
            continue
        track = contribution_bar(part.points, part.weight, heaviest, bar, graph)
        points = (Span(f"{part.points:6.1f}", "-strong"), Span(f" / {part.weight:2.0f}", "-muted"))
        lines.append((*head, *track, *points))
    return lines


def _safety_head(gem: GemDetail, width: int) -> list[Line]:
    passed = sum(row.verdict == "pass" for row in gem.gates)
    ink = {"pass": "-up", "caution": "-attention"}.get(gem.safety, "-danger")
    score = "" if gem.safety_score is None else f" · score {gem.safety_score:.2f}"
    left: Line = (
        Span("Safety", "-strong"),
        Span(f" {gem.safety}", ink),
        Span(f" · {passed} of {len(gem.gates)} gates{score} ", "-muted"),
    )
    rule = Span("─" * max(width - width_of(left), 0), "-line")
    gate, value, limit, age = _columns(width)
    head: Line = (Span("gate".ljust(gate), "-muted"), Span("  value".ljust(value), "-muted"))
    return [
        (*left, rule),
        (*head, Span("limit".ljust(limit), "-muted"), Span("age".rjust(age)[:age], "-muted")),
    ]


def _columns(width: int) -> tuple[int, int, int, int]:
    """Cells of gate, value, limit and age; the age leaves where it is narrow."""
    limit, age = (15, 4) if width >= ALL_COLUMNS else (14, 0)
    return 11, width - 11 - limit - age, limit, age


def _gate(row: SafetyRow, look: Look, width: int) -> Line:
    gate, value, limit, age = _columns(width)
    glyph, ink = _MARKS.get(row.verdict, ("?", "-danger"))
    text = "" if row.verdict == "pass" else "-strong"
    since = None if row.ts_event is None else look.now_us - row.ts_event
    return (
        Span(cut_text(row.gate, gate - 1).ljust(gate), "-muted"),
        Span(glyph, ink),
        Span(f" {cut_text(row.value, value - 3)}".ljust(value - 1), text),
        Span(cut_text(row.limit, limit - 1).ljust(limit), "-muted"),
        Span(fmt.age(since).rjust(4)[:age], "-muted"),
    )


def _wrapped(name: str, words: str, width: int) -> list[Line]:
    lead = 11
    parts = wrap(words, width - lead)
    return [
        (Span((name if at == 0 else "").ljust(lead), "-muted"), Span(part, "-muted"))
        for at, part in enumerate(parts)
    ]


class GemHoldersPane(GemPane):
    """Who holds it, and where it trades."""

    place = Place.GEM_HOLDERS

    def heading(self, look: Look) -> Title:
        gem = gem_of(look)
        count = "" if gem is None or gem.holder_count is None else f"{gem.holder_count:,} holders"
        return Title("Holders and pools", count)

    def about(self, gem: GemDetail, look: Look, width: int, height: int) -> list[Line]:
        name = min(max((len(row.name) + len(row.note) + 1 for row in gem.holders), default=10), width - 24)
        lines: list[Line] = []
        for row in gem.holders:
            text = pad((Span(row.name), Span(f" {row.note}", "-muted")), name + 2)
            bar = contribution_bar(row.share_pct, 100.0, 100.0, max(width - name - 9, 4), self.graph)
            lines.append((*text, *bar, Span(f"{row.share_pct:6.1f}%")))
        if not gem.holders:
            lines.append((Span("Holders are not known", "-muted"),))
        lines += [EMPTY, *_wrapped("pools", " · ".join(gem.pools) or "none known", width)]
        if gem.since_flag_ratio is not None and gem.flagged_us is not None:
            ago = fmt.age(look.now_us - gem.flagged_us)
            since = f"{fmt.signed_percent(gem.since_flag_ratio)} in {ago}"
            lines += _wrapped("since flag", since, width)
        return lines


class GemChartPane(GemPane):
    """The price of 24 hours."""

    place = Place.GEM_CHART
    is_named = False
    """Whether the title names the token: where no other pane does."""

    def heading(self, look: Look) -> Title:
        gem = gem_of(look)
        name = cut_text(gem.symbol, 12) if gem is not None and self.is_named else "Price"
        return Title(name, "24 h" if gem is None or self.compact else "5m · 24 h")

    def title_line(self, title: Title, width: int) -> Line:
        """The last price and its change end the title."""
        gem = gem_of(self._look) if self._look is not None else None
        line = super().title_line(title, width)
        if gem is None:
            return line
        day = None if gem.change_24h_pct is None else gem.change_24h_pct / 100
        text = fmt.signed_percent(day)
        up = text.startswith("+")
        ink = "-muted" if text[0] not in "+-" else "-up" if up else "-down"
        arrow = "" if ink == "-muted" else "▲ " if up else "▼ "
        price = (Span(f" {fmt.token_price(gem.price_usd, table=not self.plain)} ", "-strong"),)
        change = Span(f"{arrow}{text}", ink)
        return ending(line, (*price, change), (Span(" "), change))

    def about(self, gem: GemDetail, look: Look, width: int, height: int) -> list[Line]:
        bars = gem.chart
        if bars is None or len(bars.close) < 2:
            return [(Span("No prices of the last day", "-muted"),)]
        marks = time_marks(bars.ts[0], bars.ts[-1] + FIVE_MINUTES_US, count=2 if width < 40 else 3)
        return list(line_chart(bars.close, width, height, labels=token_labels, marks=marks, graph=self.graph))
