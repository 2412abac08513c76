"""The chance of a bounce by the registered model (SPEC 3.3, 3.5.1)."""

from dataclasses import replace

from engine.agents.base import AgentContext, Objection, verdict
from engine.agents.notes import against, clip
from engine.model.assessment import Assessment
from engine.model.candidates import AgentReport, GapCandidate, Vote
from engine.model.forecasts import Forecast
from engine.model.positions import AccountKind
from engine.money import EPSILON

MAX_OUTSIDE = 1
"""Inputs beyond what the model was trained on; with one more it extrapolates (SPEC 3.3.5)."""
UNPROVED = "unproved"


class Forecaster:
    """Hard veto without a forecast, for an extrapolation, and on a live account for an unproved model.

    Soft veto for a bounce too unlikely. Under the naive rule, which asks for no model, it abstains.
    """

    name = "forecaster"

    def judge(self, candidate: GapCandidate, context: AgentContext) -> AgentReport:
        found = candidate.assessment
        if found is None:
            reason = (
                "no_model: no registered model gives a probability, so this vote is left out of the count"
            )
            return AgentReport(self.name, Vote.ABSTAIN, False, (reason,), "no_model")
        forecast = found.forecast
        if forecast is None:
            note = "no_model" if found.no_forecast.startswith("no_model") else "no forecast"
            missing = Objection(found.no_forecast, note, "no forecast", "a forecast")
            return verdict(self.name, [missing], True, ())
        hard = [*_unusable(forecast, context.market.account_kind), *_outside(forecast)]
        report = verdict(self.name, hard + _unlikely(found, forecast), bool(hard), _words(found, forecast))
        note = UNPROVED if report.vote is Vote.APPROVE and found.is_unproved else report.note
        return replace(report, score=forecast.q_bounce, note=note)


def _unusable(forecast: Forecast, kind: AccountKind) -> list[Objection]:
    if forecast.is_usable or kind is not AccountKind.LIVE:
        return []
    reason = f"model {forecast.model_id} is unproved: no skill on what is traded, and a live account needs it"
    return [Objection(reason, UNPROVED, UNPROVED, "a usable model")]


def _outside(forecast: Forecast) -> list[Objection]:
    count = len(forecast.outside)
    if count <= MAX_OUTSIDE:
        return []
    names = ", ".join(forecast.outside)
    reason = f"extrapolating: {count} inputs beyond 1 %..99 % of training ({names}), limit {MAX_OUTSIDE}"
    return [Objection(reason, clip("extrapolating"), f"{count} inputs outside", f"<= {MAX_OUTSIDE} outside")]


def _unlikely(found: Assessment, forecast: Forecast) -> list[Objection]:
    q, least = forecast.q_bounce, found.q_min
    if q >= least - EPSILON:
        return []
    reason = f"q_bounce {q:.3f} is below the limit {least:.3f}"
    return [Objection(reason, against("q", q, "<", least), f"q {q:.3f}", f">= {least:.3f}")]


def _words(found: Assessment, forecast: Forecast) -> tuple[str, ...]:
    interval = f"{forecast.low:.2f} to {forecast.high:.2f}"
    ways = (
        f"target {100 * forecast.p_revert:.1f} %, stop {100 * forecast.p_stop:.1f} %,"
        f" time {100 * forecast.p_time:.1f} %"
    )
    unproved = f"model {forecast.model_id} is unproved: it showed no skill on what is traded"
    return (
        f"q_bounce {forecast.q_bounce:.3f} ({interval}), limit {found.q_min:.3f}",
        ways,
        "" if found.ev is None else f"EV {100 * found.ev:+.2f} % after costs",
        unproved if found.is_unproved else f"model {forecast.model_id}",
    )
