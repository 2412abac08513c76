"""What agents, gates and features said of a candidate, as lines: for the Gaps screen and for sheets.

Long forms keep every word and take as many lines as they need; short ones take one line each.
"""

from collections.abc import Sequence

from engine.model.candidates import AgentReport, FeatureValue, GateResult, GateStatus, Vote
from tui import format as fmt
from tui.widgets.ink import Line, Span, cut, cut_text, cut_words, pad, spread, width_of, wrap

VOTES = {Vote.APPROVE: ("●", "-up"), Vote.VETO: ("■", "-danger"), Vote.ABSTAIN: ("○", "-faint")}
GATES = {
    GateStatus.PASS: ("●", "-up"),
    GateStatus.FAIL: ("■", "-danger"),
    GateStatus.NOT_APPLICABLE: ("○", "-faint"),
}
NAMES = {
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
VOTE_WORDS = {Vote.APPROVE: "approve", Vote.VETO: "veto", Vote.ABSTAIN: "no vote"}
WITH_WORDS = 56
"""Cells from which a short verdict has the vote in words and its time beside the glyph."""
MANY = 1e6
"""From here on a feature is written out: `12,050,209`, never as a power of ten."""
_CODES = {
    "no_model": "no usable model, not counted",
    "no_source": "no news source, not counted",
}
"""Notes of those who abstain, in words."""


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


def name_of(agent: str) -> str:
    """An agent as people read it."""
    return NAMES.get(agent, agent)


def count_of(reports: Sequence[AgentReport]) -> str:
    """`4 of 5`: who approves, of all who voted."""
    voted = [report for report in reports if report.vote is not Vote.ABSTAIN]
    return f"{sum(report.vote is Vote.APPROVE for report in voted)} of {len(voted)}"


def passed_of(gates: Sequence[GateResult]) -> str:
    """`10 of 11`."""
    return f"{sum(gate.status is GateStatus.PASS for gate in gates)} of {len(gates)}"


def report_lines(report: AgentReport, width: int) -> list[Line]:
    """An agent's vote with all its reasons, whole."""
    glyph, ink = VOTES[report.vote]
    lead: Line = (
        Span(glyph, ink),
        Span(f" {cut_text(name_of(report.agent), 11).ljust(11)} "),
        Span(report.vote.value.ljust(8)),
    )
    reasons = report.reasons or (report.note,)
    lines = paragraph(reasons[0], width, lead=lead, ink="-muted")
    for reason in reasons[1:]:
        lines += paragraph(reason, width, lead=(Span(" " * 22),), ink="-muted")
    return lines


def report_line(report: AgentReport, width: int) -> Line:
    """`● Screener  approve  gap -7.2%, limit -3.0%   11 ms`; the vote's word and the time leave first."""
    glyph, ink = VOTES[report.vote]
    lead: list[Span] = [Span(glyph, ink), Span(f" {cut_text(name_of(report.agent), 11).ljust(11)} ")]
    tail: Line = ()
    if width >= WITH_WORDS:
        lead.append(Span(VOTE_WORDS[report.vote].ljust(9), "-muted"))
        tail = (Span(f"{_took(report.elapsed_us):>6}", "-faint"),)
    room = width - width_of(lead) - (width_of(tail) + 1 if tail else 0)
    text = "" if report.vote is Vote.APPROVE else "-strong" if report.vote is Vote.VETO else "-muted"
    return spread((*lead, Span(short_reason(report, room), text)), tail, width)


def _took(us: int) -> str:
    return f"{us / 1000:.0f} ms" if us >= 1000 else "<1 ms"


def short_reason(report: AgentReport, room: int) -> str:
    """Its reasons as far as they fit whole; where the first one does not, the short note in its place."""
    if report.vote is Vote.ABSTAIN and report.note in _CODES:
        return cut_words(_CODES[report.note], room)
    reasons = [reason for reason in report.reasons if reason]
    if not reasons or (len(reasons[0]) > room and report.vote is Vote.VETO and report.note):
        return cut_words(report.note, room)
    text = reasons[0]
    for reason in reasons[1:]:
        if len(text) + len(reason) + 3 > room:
            break
        text = f"{text} · {reason}"
    return cut_words(text, room)


def gate_lines(gate: GateResult, width: int) -> list[Line]:
    """A gate with value and limit, whole, and its reason unless it passed."""
    glyph, ink = GATES[gate.status]
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


_GATE_LEAD = 14


def gate_table(gates: Sequence[GateResult], width: int) -> list[Line]:
    """`● liquidity   ADV 11.8M   >= 5M`, one line each, the limits below each other."""
    room = width - _GATE_LEAD
    fits = [len(gate.value) for gate in gates if len(gate.value) + len(gate.limit) + 2 <= room]
    return [_gate_line(gate, room, max(fits, default=0) + 2) for gate in gates]


def _gate_line(gate: GateResult, room: int, column: int) -> Line:
    """What a gate that does not apply says stands in the place of value and limit."""
    glyph, ink = GATES[gate.status]
    lead: Line = (Span(glyph, ink), Span(f" {cut_text(gate.title, 11).ljust(11)} "))
    if gate.status is GateStatus.NOT_APPLICABLE:
        return (*lead, Span(cut_words(gate.reason or gate.value, room), "-muted"))
    value = gate.value or fmt.NO_VALUE
    text = "-strong" if gate.status is GateStatus.FAIL else ""
    if len(value) + len(gate.limit) + 2 <= room:
        place = max(min(column, room - len(gate.limit)), len(value) + 2)
        return (*lead, *pad((Span(value, text),), place), Span(gate.limit, "-muted"))
    return (*lead, Span(cut_words(value, room), text))


def feature_number(feature: FeatureValue) -> str:
    """A feature's value with six significant digits; `–` when it is missing."""
    if feature.value is None:
        return fmt.NO_VALUE
    return f"{feature.value:,.0f}" if abs(feature.value) >= MANY else f"{feature.value:.6g}"


def missing_words(feature: FeatureValue) -> str:
    """Why it has no value."""
    return "missing" if feature.missing is None else feature.missing.value.replace("_", " ")


def feature_line(feature: FeatureValue, width: int) -> Line:
    """A feature with its version, when it was known and where it comes from."""
    name = Span(cut_text(feature.id, 18).ljust(19))
    if feature.value is None:
        return cut(
            (name, Span("–".rjust(12), "-muted"), Span(f"  {missing_words(feature)}", "-muted")), width
        )
    value = Span(feature_number(feature).rjust(12))
    known = f"  {feature.version}  {fmt.date_utc(feature.ts_known)} {fmt.clock_utc(feature.ts_known)}"
    return cut((name, value, Span(f"{known}  {feature.source}", "-muted")), width)


def short_feature(feature: FeatureValue, width: int) -> Line:
    """`rsi2            4.1`; without a value the reason where it fits."""
    name = cut_text(feature.id, 20)
    if feature.value is not None:
        return spread((Span(name, "-muted"),), (Span(feature_number(feature)),), width)
    why = missing_words(feature)
    fits = len(name) + 1 + len(why) <= width
    return spread((Span(name, "-muted"),), (Span(why if fits else fmt.NO_VALUE, "-muted"),), width)


def vote_lines(votes: Sequence[Vote | None], width: int) -> list[Line]:
    """`● Sentinel  ■ Screener  ○ Forecaster`: the six glyphs of the list with their names."""
    lines: list[Line] = [()]
    for name, vote in zip(NAMES.values(), votes, strict=False):
        glyph, ink = ("○", "-faint") if vote is None else VOTES[vote]
        cell = (Span(glyph, ink), Span(f" {name}  "))
        taken = sum(len(span.text) for span in (*lines[-1], *cell))
        if taken > width:
            lines.append(cell)
        else:
            lines[-1] = (*lines[-1], *cell)
    return lines
