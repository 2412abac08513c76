"""Expected value and quality score of a decision, worked out again from the forecast and features in it."""

from collections.abc import Iterator
from dataclasses import fields
from math import isclose

from engine.model.assessment import Assessment, BcsParts
from engine.model.candidates import GapCandidate
from engine.report.comparing import Comparison, held, unknown
from engine.report.facts import Facts
from engine.scoring.bcs import score
from engine.strategies.expected import forecast_value
from engine.strategies.gaps_study import VOLUME_NOW

_TOLERANCE = 1e-9


def scores(facts: Facts) -> Iterator[Comparison]:
    """EV, BCS and whether both thresholds were judged right; nothing under a rule without a model."""
    candidate = facts.candidate
    found = None if candidate is None else candidate.assessment
    if candidate is None or found is None:
        return
    yield _value(found)
    yield _score(candidate, found)


def _value(found: Assessment) -> Comparison:
    if found.forecast is None or found.cost is None or found.ev is None:
        return unknown("EV", found.no_forecast or "its cost is not known")
    ev = forecast_value(found.forecast, found.cost)
    ok = isclose(ev, found.ev, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    words = "chances times mean returns of the three ways out, less the cost"
    return held("EV", ok, f"{found.ev:.6f}", f"{ev:.6f}", words)


def _score(candidate: GapCandidate, found: Assessment) -> Comparison:
    if found.bcs is None:
        return unknown("BCS", "it was not scored")
    values = {feature.id: feature.value for feature in candidate.features}
    made = score(
        q_bounce=None if found.forecast is None else found.forecast.q_bounce,
        gap_dn=min(0.0, candidate.gap),
        rsi2=values.get("rsi2"),
        z5=values.get("z5"),
        volume_ratio=values.get(VOLUME_NOW),
        dist_200=values.get("dist_200"),
        regime=candidate.regime,
        adv_usd=candidate.adv_usd_20,
        slippage_pct=found.slippage_pct,
    )
    different = [part.name for part in fields(BcsParts) if not _same(made, found.bcs, part.name)]
    derived = f"{made.total:.2f}" + (f" ({', '.join(different)})" if different else "")
    return held("BCS", not different, f"{found.bcs.total:.2f}", derived, "all seven parts from the features")


def _same(made: BcsParts, stored: BcsParts, part: str) -> bool:
    return isclose(getattr(made, part), getattr(stored, part), abs_tol=_TOLERANCE)
