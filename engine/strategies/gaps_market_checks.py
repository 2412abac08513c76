"""Checks of the full rule that bars and quotes answer: universe, gap and trigger (SPEC 3.2.1-3.2.5)."""

from collections.abc import Iterator, Mapping

import numpy as np

from engine.agents.notes import against
from engine.model.candidates import FeatureValue
from engine.model.checks import Check, Step
from engine.ports import BarColumns
from engine.strategies import gaps_rules as rules
from engine.strategies.base import StrategyContext
from engine.strategies.gaps_check import judged, unknown
from engine.strategies.gaps_config import GapsConfig
from engine.strategies.gaps_scan import Gap


def market_checks(
    context: StrategyContext, gap: Gap, features: Mapping[str, FeatureValue], config: GapsConfig
) -> Iterator[Check]:
    """All of them, in the order of the funnel."""
    yield _history(gap.bars)
    yield from _newest(context, gap.bars)
    yield _price(gap, config)
    yield _traded(context, features["adv_usd_20"], config)
    yield from _splits(context, gap)
    yield _knife(context, features["knife_share_63"])
    yield _gap(gap, config)
    yield _oversold(context, features["rsi2"], config)
    yield _trend(context, features["dist_200"], config)
    if config.z5_max is not None:
        yield _shock(context, features["z5"], config)


def missing_words(feature: FeatureValue) -> str:
    """`rsi2 is not known: insufficient history`."""
    why = "" if feature.missing is None else f": {feature.missing.replace('_', ' ')}"
    return f"{feature.id} is not known{why}"


def _history(bars: BarColumns) -> Check:
    days = bars.day.astype("datetime64[D]").astype(np.int64)
    twice = np.flatnonzero(np.diff(days) <= 0)
    if len(twice):
        reason = f"the daily bars are not in order: {bars.day[twice[0] + 1]} stands twice or too late"
        return judged(
            Step.UNIVERSE, "bars", False, "not in order", "one a session", reason, "bars disordered"
        )
    count, least = len(bars), rules.BARS_MIN
    reason = f"{count} daily bars before the session, {least} are needed"
    note = against("bars", count, "<", least)
    return judged(Step.UNIVERSE, "bars", count >= least, f"{count} daily bars", f">= {least}", reason, note)


def _newest(context: StrategyContext, bars: BarColumns) -> Iterator[Check]:
    """A stored dataset has the bars that it has; a market that goes on must have told the last session."""
    if context.dataset:
        return
    last, before = bars.day[-1].astype("datetime64[D]").item(), context.previous_session
    holds = before is not None and last == before
    known = "not known" if before is None else f"{before}"
    reason = f"the last daily bar is of {last}, the session before is {known}"
    yield judged(Step.UNIVERSE, "last bar", holds, f"bar of {last}", f"bar of {known}", reason, "bars stale")


def _price(gap: Gap, config: GapsConfig) -> Check:
    low, high, close = config.price_min, config.price_max, gap.prev_close
    holds = bool(rules.is_priced(close, config))
    reason = f"prior close {close:g}, limits {low:g} to {high:g}"
    note = against("close", close, "<", low) if close < low else against("close", close, ">", high)
    return judged(
        Step.UNIVERSE, "price", holds, f"prior close {close:g}", f"{low:g} to {high:g}", reason, note
    )


def _traded(context: StrategyContext, adv: FeatureValue, config: GapsConfig) -> Check:
    limit = f">= {config.adv_min_usd:,.0f} USD"
    if adv.value is None:
        return unknown(context, Step.UNIVERSE, "ADV", limit, missing_words(adv))
    holds = bool(rules.is_traded(adv.value, config))
    reason = f"mean traded value {adv.value:,.0f} USD, limit {config.adv_min_usd:,.0f}"
    note = against("ADV", adv.value, "<", config.adv_min_usd)
    return judged(Step.UNIVERSE, "ADV", holds, f"ADV {adv.value:,.0f} USD", limit, reason, note)


def _splits(context: StrategyContext, gap: Gap) -> Iterator[Check]:
    ratio = context.ratios.get(gap.instrument, 1.0)
    today = bool(rules.is_split_ratio(ratio))
    reason = f"corporate action of today by {ratio:g}, limit 1 +- {rules.SPLIT_FROM:g}"
    limit = f"1 +- {rules.SPLIT_FROM:g}"
    yield judged(Step.UNIVERSE, "split today", not today, f"ratio {ratio:g}", limit, reason, "split today")
    seen = bool(rules.has_reverse_split(gap.bars.event_ratio)[-1])
    words = f"{'a' if seen else 'no'} reverse split in {rules.SPLIT_SESSIONS} sessions"
    limit = f"none in {rules.SPLIT_SESSIONS} sessions"
    yield judged(
        Step.UNIVERSE, "reverse split", not seen, words, limit, f"{words}, limit none", "reverse split"
    )


def _knife(context: StrategyContext, share: FeatureValue) -> Check:
    most = f"{100 * rules.KNIFE_SHARE_MAX:.0f} %"
    limit = f"<= {most} of 63 sessions"
    if share.value is None:
        return unknown(context, Step.UNIVERSE, "knife", limit, missing_words(share))
    value = f"{100 * share.value:.0f} % of 63 sessions"
    reason = f"{value} were 20 % under its 200-session mean, limit {most}"
    holds = bool(rules.is_no_knife(share.value))
    return judged(Step.UNIVERSE, "knife", holds, value, limit, reason, f"knife {100 * share.value:.0f}%>30%")


def _gap(gap: Gap, config: GapsConfig) -> Check:
    low, high = -100 * config.gap_max, -100 * config.gap_min
    holds = bool(rules.is_gap(gap.gap, config))
    value, limit = f"gap {100 * gap.gap:.2f} %", f"{low:g} to {high:g} %"
    return judged(
        Step.GAP, "gap", holds, value, limit, f"{value}, limits {limit}", f"gap {100 * gap.gap:.1f}%"
    )


def _oversold(context: StrategyContext, rsi2: FeatureValue, config: GapsConfig) -> Check:
    limit = f"<= {config.rsi2_max:g}"
    if rsi2.value is None:
        return unknown(context, Step.TRIGGER, "rsi2", limit, missing_words(rsi2))
    holds = bool(rules.is_oversold(rsi2.value, config))
    value, note = f"rsi2 {rsi2.value:.2f}", against("rsi2", rsi2.value, ">", config.rsi2_max)
    return judged(Step.TRIGGER, "rsi2", holds, value, limit, f"{value}, limit {config.rsi2_max:g}", note)


def _trend(context: StrategyContext, distance: FeatureValue, config: GapsConfig) -> Check:
    limit = f"> {100 * config.dist_200_min:g} %"
    if distance.value is None:
        return unknown(context, Step.TRIGGER, "dist 200", limit, missing_words(distance))
    holds = bool(rules.is_in_trend(distance.value, config))
    value = f"{100 * distance.value:+.2f} % from mean 200"
    note = f"d200 {100 * distance.value:.1f}%"
    reason = f"{100 * distance.value:+.2f} % from its 200-session mean, limit above {limit[2:]}"
    return judged(Step.TRIGGER, "dist 200", holds, value, limit, reason, note)


def _shock(context: StrategyContext, z5: FeatureValue, config: GapsConfig) -> Check:
    limit = f"<= {config.z5_max:g}"
    if z5.value is None or config.z5_max is None:
        return unknown(context, Step.TRIGGER, "z5", limit, missing_words(z5))
    holds = bool(rules.is_shocked(z5.value, config))
    value, note = f"z5 {z5.value:.2f}", against("z5", z5.value, ">", config.z5_max)
    return judged(Step.TRIGGER, "z5", holds, value, limit, f"{value}, limit {config.z5_max:g}", note)
