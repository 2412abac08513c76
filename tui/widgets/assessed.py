"""What the full rule found out about a candidate, as lines: chances, scores, limits, evidence."""

from collections.abc import Sequence

from engine.model.assessment import HIGHEST, Assessment, BcsParts
from engine.model.candidates import GateStatus
from engine.model.evidence import PROPOSALS_NEEDED, SESSIONS_NEEDED, EdgeEvidence
from engine.model.forecasts import Contribution, Forecast
from tui import format as fmt
from tui.shown.deck import TicketView
from tui.shown.gaps import EdgeView, LimitRow, RateView
from tui.widgets.charts.gauge import contribution_bar
from tui.widgets.charts.graph import Graph
from tui.widgets.ink import EMPTY, Line, Span, cut, cut_text, cut_words, pad, spread, width_of, wrap
from tui.widgets.look import Look
from tui.widgets.verdicts import GATES, head, paragraph

MOST_CONTRIBUTIONS = 7
PARTS = ("probability", "gap", "oversold", "volume", "trend", "regime", "liquidity")
GAPS = "gaps"
FEW = 5
"""Cases from which a rate says something (DESIGN 5)."""
_NAME = 13


def assessed_lines(found: Assessment, base: RateView, width: int, graph: Graph) -> list[Line]:
    """Forecast, score and evidence of one candidate."""
    lines = forecast_lines(found, base, width)
    if found.bcs is not None:
        lines += [EMPTY, *score_lines(found.bcs, found.bcs_min, width, graph)]
    return lines


def forecast_lines(found: Assessment, base: RateView, width: int) -> list[Line]:
    """The three ways out, the chance of a bounce with its bounds, and what moved it."""
    forecast = found.forecast
    if forecast is None:
        why = found.no_forecast or "no model was asked"
        return [head("Forecast", width, "none"), *paragraph(why, width, ink="-muted")]
    note = "unproved" if found.is_unproved else forecast.model_id
    lines = [head("Forecast", width, cut_text(note, width // 2)), *chance_lines(forecast, found.q_min, width)]
    if base.of:
        lines.append(_fitted(("base rate ", rate_words(base)), width))
    value = (
        Span("EV ", "-muted"),
        Span(fmt.signed_percent(found.ev), _signed_ink(found.ev)),
        Span(f"  cost {fmt.percent(found.cost)}", "-muted"),
    )
    lines.append(cut(value, width))
    if forecast.outside:
        lines += paragraph(f"extrapolating: {', '.join(forecast.outside)}", width, ink="-danger")
    return [*lines, *contribution_lines(forecast.contributions, width)]


def chance_lines(forecast: Forecast, q_min: float, width: int) -> list[Line]:
    """`target .49  stop .29  time .22`, then `q .63  .55–.70  needs .62`."""
    ways = (("target", forecast.p_revert), ("stop", forecast.p_stop), ("time", forecast.p_time))
    first: list[Span] = []
    for name, chance in ways:
        first += [Span(f"{'  ' if first else ''}{name} ", "-muted"), Span(fmt.probability(chance))]
    bounds = fmt.interval(forecast.low, forecast.high)
    second = (
        Span("q ", "-muted"),
        Span(fmt.probability(forecast.q_bounce), "-strong"),
        Span(f"  {bounds}  needs {fmt.probability(q_min)}", "-muted"),
    )
    if width_of(first) + 3 + width_of(second) <= width:
        return [(*first, Span("   "), *second)]
    return [cut(first, width), cut(second, width)]


def contribution_lines(found: Sequence[Contribution], width: int) -> list[Line]:
    """What moved the chance of a bounce most, in log-odds: up or down."""
    most = sorted(found, key=lambda one: -abs(one.amount))[:MOST_CONTRIBUTIONS]
    lines = []
    for one in most:
        amount = f"{one.amount:+.2f}" if abs(one.amount) >= 0.005 else "0.00"
        ink = "-up" if amount.startswith("+") else "-down" if amount.startswith("-") else "-muted"
        name = cut_text(one.feature, max(width - 24, 8))
        left = (Span(name.ljust(16), "-muted"), Span(f"{one.value:>10.4g}"))
        lines.append(spread(left, (Span(amount, ink),), min(width, 44)))
    return lines


def score_lines(parts: BcsParts, least: float, width: int, graph: Graph) -> list[Line]:
    """`probability  ━━━━━───  1.80 /3.0`, one bar for each part, as long as its most."""
    lines = [head("BCS", width, f"{fmt.score(parts.total)} of 10, needs above {least:g}")]
    bar = max(min(width - _NAME - 12, 36), 6)
    for name in PARTS:
        points, most = getattr(parts, name), getattr(HIGHEST, name)
        track = contribution_bar(points, most, HIGHEST.probability, bar, graph)
        tail = (Span(f"{points:6.2f}", "-strong"), Span(f" /{most:.1f}", "-muted"))
        lines.append((Span(name.ljust(_NAME), "-muted"), *track, *tail))
    return lines


def limit_lines(rows: Sequence[LimitRow], width: int) -> list[Line]:
    """Value, limit and margin of each rule; what has no room beside the value stands below it, whole."""
    name = min(max((len(row.name) for row in rows), default=0), 15)
    room = width - name - 3
    fits = [len(row.value) for row in rows if len(row.value) + len(row.limit) + 2 <= room]
    column = max(fits, default=0)
    return [line for row in rows for line in _limit(row, name, column, width)]


def _limit(row: LimitRow, name: int, column: int, width: int) -> list[Line]:
    glyph, ink = GATES[row.status]
    lead: Line = (Span(glyph, ink), Span(f" {cut_text(row.name, name).ljust(name)} "))
    below: Line = (Span(" " * (name + 3)),)
    strong = "-strong" if row.status is GateStatus.FAIL else ""
    value = row.value or fmt.NO_VALUE
    lacking = "" if row.margin == f"needs {row.limit}" else row.margin
    if len(value) <= column and name + 3 + column + 2 + len(row.limit) <= width:
        line = (*lead, *pad((Span(value, strong),), column), Span("  "), Span(row.limit, "-muted"))
        if not lacking:
            return [line]
        margin = Span(f"  {lacking}", "-attention")
        if width_of(line) + len(margin.text) <= width:
            return [(*line, margin)]
        return [line, *paragraph(lacking, width, lead=below, ink="-attention")]
    lines = paragraph(value, width, lead=lead, ink=strong)
    if row.limit:
        lines += paragraph(f"limit {row.limit}", width, lead=below, ink="-muted")
    return lines + (paragraph(lacking, width, lead=below, ink="-attention") if lacking else [])


def edge_words(edge: EdgeView | EdgeEvidence) -> str:
    """`no evidence of an edge: n 34 of 100 on 12 of 60 sessions, mean -0.2%, -1.4% to +0.9%, bound …`."""
    needs_n = edge.needs_n if isinstance(edge, EdgeView) else PROPOSALS_NEEDED
    needs_sessions = edge.needs_sessions if isinstance(edge, EdgeView) else SESSIONS_NEEDED
    start = "evidence of an edge" if edge.is_shown else "no evidence of an edge"
    words = f"{start}: n {edge.n} of {needs_n} on {edge.sessions} of {needs_sessions} sessions"
    if edge.mean is not None:
        words += f", mean {fmt.signed_percent(edge.mean)}"
    if edge.low is not None and edge.high is not None:
        words += f", {fmt.signed_percent(edge.low)} to {fmt.signed_percent(edge.high)}"
    bound = "not known" if edge.bound is None else fmt.signed_percent(edge.bound)
    return f"{words}, bound {bound}, needed above 0.0%"


def edge_brief(edge: EdgeView | EdgeEvidence) -> str:
    """The same where it is narrow."""
    start = "edge shown" if edge.is_shown else "no edge shown"
    words = f"{start}  n {edge.n}  {fmt.signed_percent(edge.mean)}"
    if edge.low is not None and edge.high is not None:
        words += f"  {fmt.signed_percent(edge.low)} to {fmt.signed_percent(edge.high)}"
    return f"{words}  bound {fmt.signed_percent(edge.bound)}, needs > 0"


def edge_of(view: TicketView, look: Look) -> EdgeView | EdgeEvidence | None:
    """What the past proposals of the ticket's strategy showed when it was made, else what they show now."""
    found = view.ticket.assessment
    if found is not None and found.evidence is not None:
        return found.evidence
    return look.view.scan.edge if view.ticket.strategy == GAPS else None


def evidence_words(view: TicketView, look: Look) -> str:
    """The evidence in a sentence; "" where nothing is followed."""
    edge = edge_of(view, look)
    return "" if edge is None else edge_words(edge)


def unproved_words(view: TicketView) -> str:
    """Why its chances are worth little; "" where there is nothing to say."""
    found = view.ticket.assessment
    is_unproved = found is not None and found.is_unproved
    return "unproved: the model never showed skill on what is traded" if is_unproved else ""


def ticket_lines(view: TicketView, look: Look, width: int, *, wide: bool) -> list[Line]:
    """For a dialog: chances and scores where a model gave some, then the evidence of an edge."""
    found, edge = view.ticket.assessment, edge_of(view, look)
    lines: list[Line] = []
    if found is not None and found.forecast is not None:
        forecast = found.forecast
        numbers = (
            ("q ", f"{fmt.probability(forecast.q_bounce)} {fmt.interval(forecast.low, forecast.high)}"),
            ("  EV ", fmt.signed_percent(found.ev)),
            ("  BCS ", fmt.score(None if found.bcs is None else found.bcs.total)),
        )
        line = [span for name, text in numbers for span in (Span(name, "-muted"), Span(text))]
        line += [Span("  unproved", "-attention")] if found.is_unproved else []
        lines.append(cut(line, width))
    if edge is not None:
        words = wrap(edge_words(edge) if wide else edge_brief(edge), width)
        lines += [(Span(words_of_line, "-attention"),) for words_of_line in words]
    return lines


def rate_words(rate: RateView) -> str:
    """`58.3%  14 of 24  39–76%`; below five cases only how many there are."""
    if rate.low is None or rate.high is None or rate.of < FEW:
        return f"too few to say, {rate.of}"
    return fmt.rate(rate.hits, rate.of, rate.low, rate.high)


def base_words(rate: RateView) -> str:
    """`target first 41.2%  7 of 17  24–61%`."""
    return f"target first {rate_words(rate)}"


def _signed_ink(value: float | None) -> str:
    text = fmt.signed_percent(value)
    return "-up" if text.startswith("+") else "-down" if text.startswith("-") else "-muted"


def _fitted(parts: tuple[str, str], width: int) -> Line:
    return (Span(parts[0], "-muted"), Span(cut_words(parts[1], width - len(parts[0]))))
