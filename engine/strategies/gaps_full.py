"""The full rule of `gaps` (SPEC 3.2-3.7): what it finds out about a candidate before anybody judges it."""

from collections.abc import Callable
from dataclasses import replace
from math import isfinite

from engine.agents.roster import Attempt
from engine.model.assessment import Assessment, BcsParts
from engine.model.candidates import FeatureValue
from engine.model.checks import GateStatus, Step
from engine.model.forecasts import Forecast
from engine.ports import Predictor
from engine.scoring.bcs import score
from engine.strategies.base import StrategyContext
from engine.strategies.expected import forecast_value, round_trip_cost
from engine.strategies.gaps_company_checks import company_checks, facts_of
from engine.strategies.gaps_config import GapsConfig
from engine.strategies.gaps_filter_checks import filter_checks, score_checks
from engine.strategies.gaps_limits import in_force, thresholds
from engine.strategies.gaps_market_checks import market_checks
from engine.strategies.gaps_scan import Gap
from engine.strategies.gaps_study import VOLUME_NOW, Morning, study
from engine.strategies.regime import RegimeReading

NO_MODEL = "no_model: no model is registered"
Attempting = Callable[[Callable[[], Forecast]], Attempt[Forecast]]
"""Runs a forecast within its limits: errors and delays come back as words."""


def assess(
    context: StrategyContext,
    reading: RegimeReading,
    morning: Morning,
    gap: Gap,
    config: GapsConfig,
    attempt: Attempting,
) -> tuple[tuple[FeatureValue, ...], Assessment]:
    """The features and everything that follows from them, whatever speaks against the candidate."""
    facts = facts_of(context, gap)
    features = study(context, reading, morning, gap, facts, config)
    known = {value.id: value for value in features}
    limits = thresholds(reading.regime, in_force(config, context.policy), context.risk.is_conservative)
    forecast, problem = forecast_of(context.model, known, attempt)
    slippage = known["est_slippage_pct"].value
    cost = None if slippage is None else float(round_trip_cost(slippage))
    found = Assessment(
        forecast=forecast,
        no_forecast=problem,
        cost=cost,
        ev=None if forecast is None or cost is None else forecast_value(forecast, cost),
        bcs=_bcs(reading, gap, known, forecast, slippage),
        q_min=limits.q_min,
        bcs_min=limits.bcs_min,
        slippage_pct=slippage,
        evidence=context.evidence,
        checks=(
            *market_checks(context, gap, known, config),
            *company_checks(context, gap, known, facts, config),
            *filter_checks(context, known, config),
        ),
    )
    return features, replace(found, checks=(*found.checks, *score_checks(found)))


def forecast_of(
    model: Predictor | None, known: dict[str, FeatureValue], attempt: Attempting
) -> tuple[Forecast | None, str]:
    """A model's forecast, or why there is none. An input that is missing asks for none."""
    if model is None:
        return None, NO_MODEL
    values: dict[str, float] = {}
    for name in model.inputs:
        feature = known.get(name)
        if feature is None or feature.value is None or not isfinite(feature.value):
            why = "is not among the features" if feature is None else f"is {feature.missing or 'no number'}"
            return None, f"model {model.model_id} needs {name}, which {why.replace('_', ' ')}"
        values[name] = feature.value
    asked = attempt(lambda: model.forecast(values))
    if asked.is_late:
        return None, f"model {model.model_id} gave no forecast: {asked.late_words}"
    if asked.value is None:
        return None, f"model {model.model_id} gave no forecast: {asked.problem or 'nothing came back'}"
    if problem := _nonsense(asked.value):
        return None, f"model {model.model_id} gave no forecast: {problem}"
    return asked.value, ""


def is_promising(found: Assessment) -> bool:
    """Whether the scores let it through, so that it takes one of the session's places."""
    return not any(check.status is GateStatus.FAIL for check in found.checks if check.step is Step.SCORES)


def _nonsense(forecast: Forecast) -> str:
    chances = {"p_touch": forecast.p_touch, "q_bounce": forecast.q_bounce}
    for name, value in chances.items():
        if not 0 <= value <= 1:
            return f"{name} {value:g} is no chance between 0 and 1"
    if not all(isfinite(value) for value in (forecast.r_target, forecast.r_stop, forecast.r_time)):
        return "its mean returns are not numbers"
    return ""


def _bcs(
    reading: RegimeReading,
    gap: Gap,
    known: dict[str, FeatureValue],
    forecast: Forecast | None,
    slippage: float | None,
) -> BcsParts:
    return score(
        q_bounce=None if forecast is None else forecast.q_bounce,
        gap_dn=min(0.0, gap.gap),
        rsi2=known["rsi2"].value,
        z5=known["z5"].value,
        volume_ratio=known[VOLUME_NOW].value,
        dist_200=known["dist_200"].value,
        regime=reading.regime,
        adv_usd=known["adv_usd_20"].value,
        slippage_pct=slippage,
    )
