"""What was said of a gap candidate: every verdict, gate, feature and headline, one line each."""

import re
from collections.abc import Sequence

from engine.model.candidates import FeatureValue, GateStatus, Regime
from tui import format as fmt
from tui.actions import Place
from tui.shown.deck import GapRow, RowState
from tui.shown.details import GapDetail, HeadlineRow
from tui.widgets.assessed import assessed_lines, limit_lines
from tui.widgets.charts.graph import Graph
from tui.widgets.freepane import FreePane
from tui.widgets.gapabout import AboutGap, order_line, state_line
from tui.widgets.gaps import no_gaps
from tui.widgets.ink import EMPTY, Line, Span, cut, cut_text, cut_words, pad, spread, width_of
from tui.widgets.look import Look
from tui.widgets.pane import NOTE_RULE, Emptiness, Title
from tui.widgets.verdicts import (
    count_of,
    gate_table,
    head,
    paragraph,
    passed_of,
    report_line,
    short_feature,
)

_GATE = re.compile(r"G[0-9]+ ")
"""How a gate's row begins: those that passed have a table of their own."""
TITLE_LINES = 2
"""Of a headline; the rest is left out."""
TWO_COLUMNS = 56
"""Cells from which features stand in two columns."""


class GapVerdictsPane(AboutGap, FreePane):
    """Verdicts, then gates, features and headlines; what does not fit is scrolled to."""

    place = Place.GAP_VERDICTS

    def begin(self) -> None:
        self._first = 0

    def heading(self, look: Look) -> Title:
        row, known = self.selected_row, self.detail(look)
        if row is None and known is None:
            return Title("Verdicts", "")
        symbol = known.symbol if row is None else row.symbol  # type: ignore[union-attr]
        name = (known.name if known is not None else None) or (None if row is None else row.name)
        sector = (known.sector if known is not None else None) or (None if row is None else row.sector)
        yes = "" if known is None else count_of(known.reports)
        note = yes.replace(" of ", "/") if self.compact else yes
        note = f"{note} approve" if note else ""
        room = self.size.width - 4 - len(symbol) - len(note) - 3 - NOTE_RULE
        whole = " · ".join(part for part in (name, sector) if part)
        return Title(symbol, whole if len(whole) <= room else cut_words(name or "", room), note)

    def lines_for(self, look: Look, width: int, height: int) -> list[Line] | Emptiness:
        row, known = self.selected_row, self.detail(look)
        if known is None:
            if row is not None:
                return [*_summary(row, None, look, width), EMPTY, (Span("Reading the verdicts", "-muted"),)]
            if self._chosen() is not None:
                return Emptiness("No candidate of this session any more", ("esc goes back to the list.",))
            return no_gaps(look) if not look.view.gaps else Emptiness("No candidate selected", ())
        lines = [*_summary(row, known, look, width), EMPTY]
        lines += [report_line(report, width) for report in known.reports]
        lines += _assessed(known, look, width, self.graph)
        lines += [EMPTY, *_gates(row, known, width)]
        lines += [EMPTY, *_features(known.features, width)]
        return [*lines, EMPTY, *_headlines(known.headlines, look, width)]


def _summary(row: GapRow | None, known: GapDetail | None, look: Look, width: int) -> list[Line]:
    """What it is in numbers, its state, and its order."""
    gap = known.gap_ratio if row is None and known is not None else None if row is None else row.gap_ratio
    text = fmt.signed_percent(gap)
    ink = "-muted" if look.stale or text[0] not in "+-" else "-up" if text[0] == "+" else "-down"
    arrow = "▼ " if text.startswith("-") else "▲ " if text.startswith("+") else ""
    line: list[Span] = [Span("gap ", "-muted"), Span(f"{arrow}{text}", ink)]
    for name, value in _numbers(row):
        line += [Span(f"  {name} ", "-muted"), Span(value)]
    if row is None:
        return [cut(line, width)]
    state = state_line(row, look)
    lines = [spread(line, state, width)] if width_of(line) + width_of(state) < width else [tuple(line), state]
    order = order_line(row, look, width)
    lines += [order] if order else []
    if known is not None:
        regime = "" if known.regime == Regime.UNKNOWN.value else known.regime.replace("_", " ")
        decided = f"decided {fmt.clock_utc(known.decided_us)}, {fmt.clock_new_york(known.decided_us)}"
        said = f"{decided}, regime {regime}" if regime else decided
        if row.unproved:
            lines.append((Span("unproved", "-attention"), Span(": the model never showed skill", "-muted")))
        lines.append((Span(cut_words(said, width), "-muted"),))
    return lines


def _numbers(row: GapRow | None) -> list[tuple[str, str]]:
    """What a model says; nothing stands for what is not known."""
    if row is None:
        return []
    found = (
        ("q", row.q_bounce, fmt.probability(row.q_bounce)),
        ("BCS", row.bcs, fmt.score(row.bcs)),
        ("EV", row.ev_ratio, fmt.signed_percent(row.ev_ratio)),
    )
    return [(name, text) for name, value, text in found if value is not None]


def _assessed(known: GapDetail, look: Look, width: int, graph: Graph) -> list[Line]:
    """Limits with what is lacking, chances and score; nothing of what there is not."""
    found, lines = known.assessment, []
    limits = [row for row in known.limits if row.margin or not _GATE.match(row.name)]
    if limits:
        passed = sum(row.status is not GateStatus.FAIL for row in limits)
        note = f"{passed} of {len(limits)}" if found is not None else ""
        lines += [EMPTY, head("Limits", width, note), *limit_lines(limits, width)]
    if found is not None:
        lines += [EMPTY, *assessed_lines(found, look.view.scan.base, width, graph)]
    return lines


def _gates(row: GapRow | None, known: GapDetail, width: int) -> list[Line]:
    if known.gates:
        lines = [head("Gates", width, passed_of(known.gates))]
        return lines + gate_table(known.gates, width)
    out = row is not None and row.state is RowState.BLOCKED
    why = "Not asked: the agents did not agree." if out else "None known."
    return [head("Gates", width), *paragraph(why, width, ink="-muted")]


def _features(features: Sequence[FeatureValue], width: int) -> list[Line]:
    lines = [head("Features", width, f"{len(features)}")]
    if width < TWO_COLUMNS:
        return lines + [short_feature(feature, width) for feature in features]
    each = (width - 4) // 2
    half = -(-len(features) // 2)
    for at in range(half):
        left = pad(short_feature(features[at], each), each)
        right = short_feature(features[at + half], each) if at + half < len(features) else EMPTY
        lines.append((*left, Span("    "), *right) if right else left)
    return lines


def _headlines(headlines: Sequence[HeadlineRow], look: Look, width: int) -> list[Line]:
    lines = [head("Headlines", width, f"{len(headlines)}" if headlines else "")]
    if not headlines:
        return [*lines, (Span("None known.", "-muted"),)]
    room = width - 6
    for item in headlines:
        when = Span(f"{fmt.age(look.now_us - item.ts):>4}  ", "-muted")
        lines += paragraph(cut_words(item.title, TITLE_LINES * room), width, lead=(when,))
        source = cut_text(item.source, 20)
        if width_of(lines[-1]) + len(source) + 2 <= width:
            lines[-1] = (*lines[-1], Span(f"  {source}", "-faint"))
        else:
            lines.append((Span(" " * 6), Span(source, "-faint")))
    return lines
