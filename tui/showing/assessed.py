"""What the full rule found out about a candidate, as rows: chances, scores, filters and limits. Pure."""

from typing import TypedDict

from engine.model.assessment import Assessment
from engine.model.candidates import AgentReport, GateResult, Vote
from engine.model.checks import GateStatus, Step
from tui.showing.gapscan import gate_of, limit_of, veto_of
from tui.shown.gaps import LimitRow


class Numbers(TypedDict):
    """Fields of a `GapRow`."""

    q_bounce: float | None
    p_touch: float | None
    q_low: float | None
    q_high: float | None
    bcs: float | None
    ev_ratio: float | None
    filters: tuple[int, int] | None
    unproved: bool


def numbers_of(found: Assessment | None) -> Numbers:
    """Of one candidate; nothing is known under a rule without a model."""
    forecast = None if found is None else found.forecast
    return Numbers(
        q_bounce=None if forecast is None else forecast.q_bounce,
        p_touch=None if forecast is None else forecast.p_touch,
        q_low=None if forecast is None else forecast.low,
        q_high=None if forecast is None else forecast.high,
        bcs=None if found is None or found.bcs is None else found.bcs.total,
        ev_ratio=None if found is None else found.ev,
        filters=None if found is None else _filters(found),
        unproved=found is not None and found.is_unproved,
    )


def _filters(found: Assessment) -> tuple[int, int] | None:
    """Those that the data can answer."""
    asked = [
        check
        for check in found.checks
        if check.step is Step.FILTERS and check.status is not GateStatus.NOT_APPLICABLE
    ]
    passed = sum(check.status is GateStatus.PASS for check in asked)
    return (passed, len(asked)) if asked else None


def limits_of(
    reports: tuple[AgentReport, ...], found: Assessment | None, gates: tuple[GateResult, ...]
) -> tuple[LimitRow, ...]:
    """Checks in the order of the funnel, then the vetoes that are none of them, then the gates."""
    checks = () if found is None else found.checks
    told = {check.reason for check in checks if check.is_failed}
    vetoes = [
        veto_of(report)
        for report in reports
        if report.vote is Vote.VETO and not (told and set(report.reasons) <= told)
    ]
    return (*map(limit_of, checks), *vetoes, *map(gate_of, gates))
