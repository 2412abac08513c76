"""What the sheets say about a ticket, a candidate, a bracket and an event; pure functions of the picture."""

from collections.abc import Sequence

from engine.model.text import visible
from tui import format as fmt
from tui.screens.approve import aligned_exits
from tui.shown.deck import EventLine, GapRow, TicketView
from tui.shown.details import GapDetail
from tui.widgets.assessed import assessed_lines, evidence_words, unproved_words
from tui.widgets.charts.graph import Graph
from tui.widgets.events import MARKS
from tui.widgets.ink import EMPTY, Line, Span, break_at_commas
from tui.widgets.look import Look
from tui.widgets.verdicts import (
    count_of,
    feature_line,
    gate_lines,
    head,
    paragraph,
    passed_of,
    report_lines,
    vote_lines,
)


def ticket_lines(view: TicketView, look: Look, width: int) -> list[Line]:
    """Order, votes with reasons, all gates with value and limit, features, the exact text and whole hash."""
    ticket = view.ticket
    lines = _order_lines(view, look, width)
    lines += [EMPTY, head("Votes", width, count_of(ticket.reports))]
    for report in ticket.reports:
        lines += report_lines(report, width)
    if ticket.assessment is not None:
        lines += [EMPTY, *assessed_lines(ticket.assessment, look.view.scan.base, width, Graph.BLOCK)]
    lines += [EMPTY, head("Gates", width, passed_of(ticket.gates))]
    for gate in ticket.gates:
        lines += gate_lines(gate, width)
    lines += [EMPTY, head("Features", width, "value, version, known at")]
    lines += [feature_line(feature, width) for feature in ticket.features]
    lines += [EMPTY, head("Exact order", width)]
    lines += [(Span(line),) for line in break_at_commas(visible(view.order_text), width)]
    groups = [view.sha256[start : start + 4] for start in range(0, len(view.sha256), 4)]
    half = len(groups) // 2
    lines.append((Span("sha256 ", "-muted"), Span(" ".join(groups[:half]))))
    lines.append((Span("       "), Span(" ".join(groups[half:]))))
    return lines


def _order_lines(view: TicketView, look: Look, width: int) -> list[Line]:
    ticket = view.ticket
    entry = view.order_words[0]
    gain = float(view.gain_at_target) / float(ticket.equity) if ticket.equity > 0 else None
    stop, target = aligned_exits(view.order_words[1], view.order_words[2])
    loss, win = fmt.signed_money(view.loss_at_stop), fmt.signed_money(view.gain_at_target)
    room = width - 6 - max(len(stop), len(target)) - 3 - max(len(loss), len(win))
    lines: list[Line] = [
        (Span(entry, "-strong"),),
        (
            Span("then  ", "-muted"),
            Span(stop),
            Span(f"   {loss}", "-down"),
            Span(_of_equity(view.loss_ratio, room), "-muted"),
        ),
        (
            Span("  or  ", "-muted"),
            Span(target),
            Span(f"   {win}", "-up"),
            Span(_of_equity(gain, room), "-muted"),
        ),
    ]
    model = ticket.model_id or "none"
    facts = (
        f"value {fmt.money(view.value)}",
        f"size bound by {ticket.size_binding}",
        f"at most {ticket.max_sessions} sessions" if ticket.max_sessions else "no time exit",
        f"regime {ticket.regime.value.replace('_', ' ')}",
        f"model {model}",
        f"policy {ticket.policy_id}",
        f"expires {fmt.countdown(ticket.expires_us - look.now_us)}",
    )
    lines += paragraph(", ".join(facts), width, ink="-muted")
    for words in (unproved_words(view), evidence_words(view, look)):
        lines += paragraph(words, width, ink="-attention") if words else []
    if view.held_reason:
        lines += paragraph(f"Cannot be approved now: {view.held_reason}", width, ink="-attention")
    return lines


def _of_equity(ratio: float | None, room: int) -> str:
    percent = f"  {fmt.risk_percent(ratio)}"
    whole = f"{percent} of equity"
    return whole if len(whole) <= room else percent if len(percent) <= room else ""


def why_lines(row: GapRow, width: int, detail: GapDetail | None = None) -> list[Line]:
    """Every verdict and gate that speaks against a candidate, then what its numbers mean.

    With its `detail` every agent's reasons stand in place of the mere votes.
    """
    lines: list[Line] = [head("Why", width, row.reason)]
    for sentence in row.details:
        lines += paragraph(sentence, width, lead=(Span("· ", "-muted"),))
    if not row.details:
        lines += paragraph("Nothing speaks against it.", width, ink="-muted")
    if detail is None:
        lines += [EMPTY, head("Votes", width), *vote_lines(row.votes, width)]
    else:
        lines += [EMPTY, head("Votes", width, count_of(detail.reports))]
        for report in detail.reports:
            lines += report_lines(report, width)
    lines += [EMPTY, head("Numbers", width)]
    numbers = (
        ("gap%", fmt.signed_percent(row.gap_ratio), "open against the close before, splits taken out"),
        ("price", fmt.price(row.price), "the price the decision was made at"),
        ("q", fmt.probability(row.q_bounce), "chance of the target before the stop"),
        ("tch", fmt.probability(row.p_touch), "chance that the target is touched at all"),
        ("BCS", fmt.score(row.bcs), "bounce score, 0 to 10"),
        ("EV%", fmt.signed_percent(row.ev_ratio), "expected net return of the trade"),
    )
    for name, value, meaning in numbers:
        text = f"{meaning}; not known" if value == fmt.NO_VALUE else meaning
        lines += paragraph(
            text, width, lead=(Span(name.ljust(7)), Span(value.rjust(8)), Span("  ")), ink="-muted"
        )
    return lines


def event_lines(event: EventLine, width: int, state: str = "") -> list[Line]:
    """An event whole, with its day and the command that prints its chain; `state` names the folder."""
    glyph, ink, _ = MARKS[event.kind]
    when = f"{fmt.date_utc(event.ts)} {fmt.clock_utc(event.ts)}"
    lines: list[Line] = [(Span(when, "-muted"),)]
    lines += paragraph(event.text, width, lead=(Span(f"{glyph} ", ink),))
    if event.correlation:
        lines += [EMPTY, (Span(f"tradedeck {state}audit trace ", "-muted"), Span(event.correlation))]
    return lines


def gone_lines(what: str) -> Sequence[Line]:
    """The row left while its sheet was open."""
    return [(Span(f"{what} is no longer on the Desk.", "-muted"),)]
