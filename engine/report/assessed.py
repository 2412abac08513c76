"""Forecast, scores, limits and evidence of one candidate as plain values."""

from typing import Any

from engine.model.assessment import Assessment
from engine.model.text import clean
from engine.model.tickets import to_plain


def assessed(found: Assessment | None) -> dict[str, Any] | None:
    """What the full rule found out; None under a rule without a model."""
    if found is None:
        return None
    forecast = found.forecast
    chances: dict[str, Any] = {"forecast": clean(found.no_forecast) or "none"}
    if forecast is not None:
        chances = {
            "model": clean(forecast.model_id),
            "proved": not found.is_unproved,
            "p_revert": forecast.p_revert,
            "p_stop": forecast.p_stop,
            "p_time": forecast.p_time,
            "p_touch": forecast.p_touch,
            "q_bounce": forecast.q_bounce,
            "q_low": forecast.low,
            "q_high": forecast.high,
            "r_target": forecast.r_target,
            "r_stop": forecast.r_stop,
            "r_time": forecast.r_time,
            "extrapolating": clean(", ".join(forecast.outside)),
        }
    moved = () if forecast is None else forecast.contributions
    return {
        **chances,
        "q_min": found.q_min,
        "ev": found.ev,
        "cost": found.cost,
        "slippage_pct": found.slippage_pct,
        "bcs": None if found.bcs is None else found.bcs.total,
        "bcs_min": found.bcs_min,
        "vote": clean(found.vote),
        "bcs_parts": None if found.bcs is None else to_plain(found.bcs),
        "contributions": [
            {"feature": clean(one.feature), "value": one.value, "amount": one.amount}
            for one in sorted(moved, key=lambda one: -abs(one.amount))
        ],
        "checks": [
            {
                "step": check.step.value,
                "name": clean(check.name),
                "status": check.status.value,
                "value": clean(check.value),
                "limit": clean(check.limit),
                "reason": clean(check.reason),
            }
            for check in found.checks
        ],
        "evidence": None if found.evidence is None else to_plain(found.evidence),
    }
