"""The filters of SPEC 3.7 and the scores of SPEC 3.5 as checks, with value and limit."""

from collections.abc import Iterator, Mapping

from engine.agents.notes import against
from engine.model.assessment import Assessment
from engine.model.candidates import FeatureValue
from engine.model.checks import Check, Step
from engine.money import EPSILON
from engine.strategies import filters
from engine.strategies.base import StrategyContext
from engine.strategies.gaps_check import judged, unknown
from engine.strategies.gaps_config import GapsConfig
from engine.strategies.gaps_market_checks import missing_words


def filter_checks(
    context: StrategyContext,
    features: Mapping[str, FeatureValue],
    config: GapsConfig,
) -> Iterator[Check]:
    """Those that do not depend on the size that is left; cash and sector are counted where that is known."""
    yield _steady(context, features["liquidity_delta_pct"], config)
    yield _cheap(context, features["est_slippage_pct"].value, config)
    yield _funded(context, features["issuer_runway_months"].value, config)
    yield _alive(context, features["volume_fade"])


def score_checks(found: Assessment) -> Iterator[Check]:
    """Expected value and quality score; without a forecast neither is known."""
    if found.ev is None or found.bcs is None:
        reason = found.no_forecast or "the cost of a round trip is not known"
        yield judged(Step.SCORES, "EV", False, "unknown", "> 0 %", f"EV is not known: {reason}", "EV unknown")
        return
    percent = 100 * found.ev
    reason = f"EV {percent:+.2f} % after costs, limit above 0"
    note = f"EV {percent:+.2f}%<=0"
    yield judged(Step.SCORES, "EV", found.ev > EPSILON, f"EV {percent:+.2f} %", "> 0 %", reason, note)
    total, least = found.bcs.total, found.bcs_min
    note = against("BCS", total, "<=", least)
    holds = total > least + EPSILON
    reason = f"BCS {total:.2f}, limit above {least:.2f}"
    yield judged(Step.SCORES, "BCS", holds, f"BCS {total:.2f}", f"> {least:.2f}", reason, note)


def _steady(context: StrategyContext, delta: FeatureValue, config: GapsConfig) -> Check:
    limit = f">= {config.liquidity_delta_min_pct:g} %"
    if delta.value is None:
        return unknown(context, Step.FILTERS, "volume", limit, missing_words(delta))
    value = f"volume {delta.value:+.1f} %"
    holds = bool(filters.is_steady(delta.value, config))
    surge = "; volume_surge" if holds and bool(filters.is_surge(delta.value, config)) else ""
    reason = (
        f"volume of 5 sessions {delta.value:+.1f} % of that of 20, limit {config.liquidity_delta_min_pct:g} %"
    )
    note = f"vol {delta.value:+.0f}%"
    return judged(Step.FILTERS, "volume", holds, value, limit, f"{reason}{surge}", note)


def _cheap(context: StrategyContext, slippage_pct: float | None, config: GapsConfig) -> Check:
    limit = f"< {config.slippage_max_pct:g} %"
    if slippage_pct is None:
        what = "slippage is not known: it needs a spread, a traded value and a volatility"
        return unknown(context, Step.FILTERS, "slippage", limit, what)
    assumed = f" at an assumed spread of {context.assumed_spread_bps:g} bps" if context.dataset else ""
    reason = f"slippage {slippage_pct:.3f} % one way{assumed}, limit {config.slippage_max_pct:g} %"
    note = against("slip", slippage_pct, ">=", config.slippage_max_pct)
    holds = bool(filters.is_cheap(slippage_pct, config))
    return judged(Step.FILTERS, "slippage", holds, f"slippage {slippage_pct:.3f} %", limit, reason, note)


def _funded(context: StrategyContext, months: float | None, config: GapsConfig) -> Check:
    least = config.issuer_runway_min_months
    limit = f">= {least:g} months"
    if months is None:
        if context.dataset:
            what = "the issuer's cash is not known"
            return unknown(context, Step.FILTERS, "runway", limit, what, in_dataset=True)
        reason = f"the issuer's cash is not known, which passes (limit {least:g} months)"
        return judged(Step.FILTERS, "runway", True, "unknown", limit, reason, "")
    reason = f"the issuer's cash lasts {months:.1f} months, limit {least:g}"
    holds = bool(filters.is_funded(months, config))
    note = against("runway", months, "<", least)
    return judged(Step.FILTERS, "runway", holds, f"{months:.1f} months", limit, reason, note)


def _alive(context: StrategyContext, fade: FeatureValue) -> Check:
    if fade.value is None:
        return unknown(context, Step.FILTERS, "volume fade", "no fade", missing_words(fade))
    holds = bool(filters.is_alive(fade.value))
    value = "no fade" if holds else "volume fades"
    reason = "the volume of the last sessions does not fade"
    if not holds:
        reason = (
            "the volume of the last 10 sessions falls (p < 0.05), or the last is under half the mean of 5"
        )
    return judged(Step.FILTERS, "volume fade", holds, value, "no fade", reason, "volume fades")
