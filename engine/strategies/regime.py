"""The equity market regime of SPEC 3.6, from the daily closes of VIX and SPY before the session."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from engine.features.assemble import Stamp, absent, day_stamp, observe
from engine.features.history import known_before
from engine.features.market import NERVOUS_FROM
from engine.model.candidates import FeatureValue, MissingReason, Regime
from engine.money import EPSILON
from engine.ports import BarColumns

SPY_STRESS_BELOW = -0.10
"""`spy_dist_200` under this is stress."""
HIGH_VIX_FROM = NERVOUS_FROM
"""`vix_pct_252` from this on is high."""
VIX_FEATURES = ("vix_close", "vix_pct_252", "vix_regime")
SPY_FEATURES = ("spy_dist_200",)


@dataclass(frozen=True, slots=True)
class RegimeReading:
    """The regime, the numbers it follows from and the sentence that says so."""

    regime: Regime
    reason: str
    vix_close: FeatureValue
    vix_pct_252: FeatureValue
    vix_regime: FeatureValue
    spy_dist_200: FeatureValue


def classify(vix_pct_252: float | None, spy_dist_200: float | None) -> Regime:
    """SPEC 3.6; a missing number gives UNKNOWN."""
    if vix_pct_252 is None or spy_dist_200 is None:
        return Regime.UNKNOWN
    if spy_dist_200 < SPY_STRESS_BELOW - EPSILON:
        return Regime.SPY_STRESS
    return Regime.HIGH_VIX if vix_pct_252 >= HIGH_VIX_FROM - EPSILON else Regime.NORMAL


def read_regime(
    vix: BarColumns | None, spy: BarColumns | None, session: date, previous_session: date | None
) -> RegimeReading:
    """The regime at the open of `session`. Data that do not reach `previous_session` are stale."""
    close, percentile, step = _observe(VIX_FEATURES, "vix", vix, session, previous_session)
    (distance,) = _observe(SPY_FEATURES, "spy", spy, session, previous_session)
    # A VIX that is not in its declared range is no VIX: its rank among the others says nothing.
    rank = None if close.value is None else percentile.value
    regime = classify(rank, distance.value)
    return RegimeReading(
        regime, _reason(regime, close, percentile, distance), close, percentile, step, distance
    )


def _observe(
    feature_ids: tuple[str, ...],
    column: str,
    bars: BarColumns | None,
    session: date,
    previous_session: date | None,
) -> list[FeatureValue]:
    known = None if bars is None else known_before(bars, session)
    if known is None or not len(known):
        return [absent(name, MissingReason.MISSING, Stamp(0, 0, column)) for name in feature_ids]
    stamp = day_stamp(known.day[-1], column)
    if previous_session is None or known.day[-1] < np.datetime64(previous_session, "D"):
        return [absent(name, MissingReason.STALE, stamp) for name in feature_ids]
    return [observe(name, {column: known.close}, stamp) for name in feature_ids]


def _reason(regime: Regime, close: FeatureValue, percentile: FeatureValue, distance: FeatureValue) -> str:
    if regime is Regime.UNKNOWN:
        gone = [
            f"{value.id} is {value.missing.replace('_', ' ')}"
            for value in (close, percentile, distance)
            if value.missing is not None
        ]
        return f"regime unknown: {', '.join(gone)}"
    spy, vix = distance.value, percentile.value
    spy_words = f"SPY {_signed(spy)} from its 200-session mean, limit {_signed(SPY_STRESS_BELOW)}"
    return f"regime {regime.value}: {spy_words}; VIX rank {vix:.2f}, high from {HIGH_VIX_FROM:.2f}"


def _signed(ratio: float | None) -> str:
    return "unknown" if ratio is None else f"{100 * ratio:+.1f}%"
