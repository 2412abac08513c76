"""How far the scan came: funnel, nearest miss and reason, from the verdicts of the last decision. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from engine.core import Engine
from engine.execution.margins import margin
from engine.execution.ticketbook import Entry
from engine.model.candidates import AgentReport, GateResult, Verdict, Vote
from engine.model.checks import Check, GateStatus, Step
from engine.model.ids import symbol_of
from engine.model.text import clean
from engine.risk.gates import first_failure
from tui.shown.gaps import FunnelStep, LimitRow, NearMiss

STEPS = {
    Step.UNIVERSE: "universe",
    Step.GAP: "gap",
    Step.TRIGGER: "trigger",
    Step.EARNINGS: "earnings",
    Step.HALTS: "halts",
    Step.FILTERS: "filters",
    Step.SCORES: "scores",
}
AGENTS = {
    "sentinel": "Sentinel",
    "screener": "Screener",
    "forecaster": "Forecaster",
    "riskofficer": "RiskOfficer",
    "newssentry": "NewsSentry",
    "trader": "Trader",
}
GATES, TICKETS = "gates", "tickets"
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_GATE = re.compile(r"G\d+ ")
Judged = tuple[Verdict, Entry | None]


def limit_of(check: Check) -> LimitRow:
    """A check of the full rule."""
    words = "" if check.status is not GateStatus.FAIL else margin(check.value, check.limit)
    return LimitRow(check.name, check.status, clean(check.value), clean(check.limit), clean(words))


def veto_of(report: AgentReport) -> LimitRow:
    """What an agent's decisive objection measured."""
    value = report.value or report.note or "veto"
    words = margin(report.value, report.limit) if report.limit else ""
    name = AGENTS.get(report.agent, report.agent)
    return LimitRow(clean(name), GateStatus.FAIL, clean(value), clean(report.limit), clean(words))


def gate_of(gate: GateResult) -> LimitRow:
    """A gate of a ticket."""
    words = "" if gate.status is not GateStatus.FAIL else margin(gate.value, gate.limit)
    name = f"{gate.gate} {gate.title}"
    return LimitRow(name, gate.status, clean(gate.value), clean(gate.limit), clean(words))


def against(verdict: Verdict, entry: Entry | None) -> tuple[LimitRow, ...]:
    """Everything that speaks against a candidate, each rule once, in the order of the funnel.

    A check of the full rule stands in the words of the agent that took it up as well: those are left out.
    """
    found = verdict.candidate.assessment
    checks = () if found is None else found.failed()
    told = {clean(check.reason) for check in checks}
    rows = [limit_of(check) for check in checks]
    for report in verdict.reports:
        if report.vote is Vote.VETO and not (told and set(map(clean, report.reasons)) <= told):
            rows.append(veto_of(report))
    failure = None if entry is None else first_failure(entry.ticket.gates)
    return (*rows, gate_of(failure)) if failure is not None else tuple(rows)


def funnel(judged: Sequence[Judged], quoted: int) -> tuple[FunnelStep, ...]:
    """Counts after each step, from what was quoted down to tickets."""
    steps = [FunnelStep("quoted", quoted, 0, "")]
    steps.append(FunnelStep("opened lower", len(judged), max(quoted - len(judged), 0), ""))
    lost = [_lost_at(verdict, entry) for verdict, entry in judged]
    left = len(judged)
    has_checks = any(verdict.candidate.assessment is not None for verdict, _ in judged)
    names = (*(STEPS.values() if has_checks else ()), *AGENTS.values(), GATES)
    for name in names:
        words = [why for at, why in lost if at == name]
        left -= len(words)
        steps.append(FunnelStep(name, left, len(words), _most(words)))
    return (*steps, FunnelStep(TICKETS, left, 0, ""))


def _lost_at(verdict: Verdict, entry: Entry | None) -> tuple[str, str]:
    """The step that took a candidate, and why; ("", "") for one that came to a ticket."""
    found = verdict.candidate.assessment
    failed = () if found is None else found.failed()
    if failed:
        first = min(failed, key=lambda check: list(Step).index(check.step))
        return STEPS[first.step], first.note or first.name
    veto = next((report for report in verdict.reports if report.vote is Vote.VETO), None)
    if verdict.proposal is None:
        if veto is None:
            return GATES, verdict.reason
        return AGENTS.get(veto.agent, GATES), veto.note or verdict.reason
    if entry is None:
        return GATES, "no quote"
    failure = first_failure(entry.ticket.gates)
    return ("", "") if failure is None else (GATES, f"{failure.gate} {failure.title}")


def _most(words: Iterable[str]) -> str:
    """What most of them say, without their numbers: `ADV 1.2M < 5M` is `ADV`."""
    named = Counter(_bare(word) for word in words)
    found = named.most_common(1)
    return clean(found[0][0]) if found else ""


def _bare(note: str) -> str:
    """The words before its first number, up to a colon; all of a note that begins with one."""
    if _GATE.match(note):
        return note
    kept: list[str] = []
    for word in note.split():
        if not word[0].isalpha():
            break
        kept.append(word.removesuffix(":"))
        if word.endswith(":"):
            break
    return " ".join(kept) or note


def nearest(judged: Sequence[Judged]) -> NearMiss | None:
    """Of those without a ticket, the one with the fewest objections, then with the least missing."""
    missed = [
        (verdict, rows)
        for verdict, entry in judged
        if (rows := against(verdict, entry)) and not _is_open(entry)
    ]
    if not missed:
        return None
    verdict, rows = min(missed, key=lambda pair: (len(pair[1]), _distance(pair[1][0]), pair[0].candidate.gap))
    candidate = verdict.candidate
    return NearMiss(candidate.correlation, symbol_of(candidate.instrument), rows[0], len(rows) - 1)


def _is_open(entry: Entry | None) -> bool:
    return entry is not None and entry.ticket.number > 0


def _distance(row: LimitRow) -> float:
    """How far value and limit are apart, as a share of the limit; far where they are no numbers."""
    value, limit = _NUMBER.search(row.value), _NUMBER.search(row.limit)
    if value is None or limit is None:
        return float("inf")
    measured, bound = (float(found[0].replace(",", "")) for found in (value, limit))
    return abs(measured - bound) / (abs(bound) or 1.0)


def why(steps: Sequence[FunnelStep], proposals: int, candidates: int, quoted: int) -> str:
    """Why there are no more proposals, in one sentence."""
    if not quoted:
        return "nothing was quoted at the decision"
    if not candidates:
        return f"none of {quoted:,} that were quoted opened low enough"
    worst = max(steps[2:], key=lambda step: step.lost, default=None)
    if worst is None or not worst.lost:
        return "" if proposals else "no candidate came to a ticket"
    reason = f" ({worst.words})" if worst.words else ""
    return f"{worst.lost} of {candidates} fell at {worst.name}{reason}"


def judged_now(engine: Engine) -> tuple[Judged, ...]:
    """Verdicts of the last decision of every strategy, each with its ticket."""
    return tuple(
        (verdict, engine.tickets.of_candidate(verdict.candidate.correlation))
        for verdicts in engine.verdicts.values()
        for verdict in verdicts
    )
