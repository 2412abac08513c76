"""What the sheets say about a ticket, a candidate, a bracket and an event; pure functions of the picture."""

from collections.abc import Sequence

from engine.model.candidates import AgentReport, FeatureValue, GateResult, GateStatus, Vote
from engine.model.ids import short_id
from engine.model.orders import OrderRole
from engine.model.text import visible
from engine.model.tickets import Ticket
from tui import format as fmt
from tui.screens.approve import aligned_exits
from tui.shown.deck import BracketView, EventLine, GapRow, LegView, TicketView
from tui.widgets.brackets import bracket_mark
from tui.widgets.events import MARKS
from tui.widgets.ink import EMPTY, Line, Span, break_at_commas, cut, cut_text, pad, wrap
from tui.widgets.look import Look

_VOTES = {Vote.APPROVE: ("●", "-up"), Vote.VETO: ("■", "-danger"), Vote.ABSTAIN: ("○", "-faint")}
_GATES = {
    GateStatus.PASS: ("●", "-up"),
    GateStatus.FAIL: ("■", "-danger"),
    GateStatus.NOT_APPLICABLE: ("○", "-faint"),
}
_NAMES = {
    "sentinel": "Sentinel",
    "screener": "Screener",
    "forecaster": "Forecaster",
    "riskofficer": "RiskOfficer",
    "newssentry": "NewsSentry",
    "trader": "Trader",
    "historian": "Historian",
    "auditor": "Auditor",
}
"""The first six in the order of a row's votes (design 10)."""
_ROLES = {
    OrderRole.ENTRY: "entry",
    OrderRole.STOP: "stop",
    OrderRole.TARGET: "target",
    OrderRole.EXIT: "exit",
}


MANY = 1e6
"""From here on a feature is written out: `12,050,209`, never as a power of ten."""


def head(text: str, width: int, note: str = "") -> Line:
    """`Votes 4 of 4 ─────`."""
    left = f"{text} " if not note else f"{text} {note} "
    rule = "─" * max(width - len(left), 0)
    return (Span(text, "-strong"), Span(left[len(text) :], "-muted"), Span(rule, "-line"))


def paragraph(text: str, width: int, *, lead: Line = (), ink: str = "") -> list[Line]:
    """Wrapped text behind a lead that is drawn once."""
    indent = sum(len(span.text) for span in lead)
    lines = wrap(text, max(width - indent, 10))
    return [(*(lead if at == 0 else (Span(" " * indent),)), Span(line, ink)) for at, line in enumerate(lines)]


def ticket_lines(view: TicketView, look: Look, width: int) -> list[Line]:
    """Order, votes with reasons, all gates with value and limit, features, the exact text and whole hash."""
    ticket = view.ticket
    lines = _order_lines(view, look, width)
    voted = [report for report in ticket.reports if report.vote is not Vote.ABSTAIN]
    yes = sum(report.vote is Vote.APPROVE for report in voted)
    lines += [EMPTY, head("Votes", width, f"{yes} of {len(voted)}")]
    for report in ticket.reports:
        lines += _report_lines(report, width)
    passed = sum(gate.status is GateStatus.PASS for gate in ticket.gates)
    lines += [EMPTY, head("Gates", width, f"{passed} of {len(ticket.gates)}")]
    for gate in ticket.gates:
        lines += _gate_lines(gate, width)
    lines += [EMPTY, head("Features", width, "value, version, known at"), *_features(ticket, width)]
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
    if view.held_reason:
        lines += paragraph(f"Cannot be approved now: {view.held_reason}", width, ink="-attention")
    return lines


def _of_equity(ratio: float | None, room: int) -> str:
    percent = f"  {fmt.risk_percent(ratio)}"
    whole = f"{percent} of equity"
    return whole if len(whole) <= room else percent if len(percent) <= room else ""


def _report_lines(report: AgentReport, width: int) -> list[Line]:
    glyph, ink = _VOTES[report.vote]
    name = _NAMES.get(report.agent, report.agent)
    lead: Line = (
        Span(glyph, ink),
        Span(f" {cut_text(name, 11).ljust(11)} "),
        Span(report.vote.value.ljust(8)),
    )
    reasons = report.reasons or (report.note,)
    lines = paragraph(reasons[0], width, lead=lead, ink="-muted")
    for reason in reasons[1:]:
        lines += paragraph(reason, width, lead=(Span(" " * 22),), ink="-muted")
    return lines


def _gate_lines(gate: GateResult, width: int) -> list[Line]:
    glyph, ink = _GATES[gate.status]
    words = gate.reason if gate.status is not GateStatus.PASS else ""
    lead: Line = (
        Span(glyph, ink),
        Span(f" {cut_text(gate.gate, 3).ljust(3)} {cut_text(gate.title, 18).ljust(18)} "),
    )
    room = width - sum(len(span.text) for span in lead)
    measured, half = gate.value or "–", room // 2
    if len(measured) < half and len(gate.limit) <= room - half:
        lines = [cut((*lead, *pad((Span(measured),), half), Span(gate.limit, "-muted")), width)]
    else:
        lines = paragraph(measured, width, lead=lead)
        indent: Line = (Span(" " * (width - room)), Span("limit ", "-muted"))
        lines += paragraph(gate.limit, width, lead=indent, ink="-muted")
    if not words:
        return lines
    return [*lines, *paragraph(words, width, lead=(Span(" " * 6),), ink="-muted")]


def _features(ticket: Ticket, width: int) -> list[Line]:
    return [_feature_line(feature, width) for feature in ticket.features]


def _feature_line(feature: FeatureValue, width: int) -> Line:
    name = Span(cut_text(feature.id, 18).ljust(19))
    if feature.value is None:
        missing = "missing" if feature.missing is None else feature.missing.value.replace("_", " ")
        return cut((name, Span("–".rjust(12), "-muted"), Span(f"  {missing}", "-muted")), width)
    number = f"{feature.value:,.0f}" if abs(feature.value) >= MANY else f"{feature.value:.6g}"
    value = Span(number.rjust(12))
    known = f"  {feature.version}  {fmt.date_utc(feature.ts_known)} {fmt.clock_utc(feature.ts_known)}"
    return cut((name, value, Span(f"{known}  {feature.source}", "-muted")), width)


def why_lines(row: GapRow, width: int) -> list[Line]:
    """Every verdict and gate that speaks against a candidate, then what its numbers mean."""
    lines: list[Line] = [head("Why", width, row.reason)]
    for sentence in row.details:
        lines += paragraph(sentence, width, lead=(Span("· ", "-muted"),))
    if not row.details:
        lines += paragraph("Nothing speaks against it.", width, ink="-muted")
    lines += [EMPTY, head("Votes", width), *_vote_lines(row.votes, width)]
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


def _vote_lines(votes: Sequence[Vote | None], width: int) -> list[Line]:
    """`● Sentinel  ■ Screener  ○ Forecaster`: the six glyphs of the list with their names."""
    lines: list[Line] = [()]
    for name, vote in zip(_NAMES.values(), votes, strict=False):
        glyph, ink = ("○", "-faint") if vote is None else _VOTES[vote]
        cell = (Span(glyph, ink), Span(f" {name}  "))
        taken = sum(len(span.text) for span in (*lines[-1], *cell))
        if taken > width:
            lines.append(cell)
        else:
            lines[-1] = (*lines[-1], *cell)
    return lines


def bracket_lines(row: BracketView, look: Look, width: int) -> list[Line]:
    """A bracket's words and its orders with price, state, fill, age and id."""
    glyph, ink = bracket_mark(row)
    lines: list[Line] = [
        (Span(glyph, ink), Span(f" {row.symbol}", "-strong"), Span(f"  {row.words}", "-muted")),
    ]
    if row.note:
        lines += paragraph(row.note, width, ink="-attention")
    if row.held > 0:
        stop = "stop works" if row.protected else "stop does not work yet"
        lines.append((Span(f"{fmt.quantity(row.held)} held, {stop}", "-muted"),))
    lines += [EMPTY, head("Orders", width, "price, state, filled, age, id")]
    return lines + [_leg_line(leg, look, width) for leg in row.legs]


_LEG = 8 + 10 + 12 + 10 + 6 + 2
"""Cells of a leg's line before its id."""


def _leg_line(leg: LegView, look: Look, width: int) -> Line:
    unknown = leg.state.value == "unknown"
    state = leg.state.value.upper() if unknown else leg.state.value
    # Ids of one scan begin alike: only the whole one finds the order at the venue.
    whole = leg.client_order_id
    return cut(
        (
            Span(_ROLES[leg.role].ljust(8)),
            Span(fmt.price(leg.price).rjust(10)),
            Span(f"  {state.ljust(10)}", "-danger -bold" if unknown else "-muted"),
            Span(fmt.filled(leg.filled, leg.quantity).rjust(10)),
            Span(fmt.age(look.now_us - leg.since_us).rjust(6), "-muted"),
            Span(f"  {whole if len(whole) <= width - _LEG else short_id(whole)}", "-muted"),
        ),
        width,
    )


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
