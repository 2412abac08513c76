"""All that the full rule looks at of one candidate: features with their times and sources (SPEC 3.2.4, 3.7).

A number whose source is not there is in the list as missing, with the reason: what is not known is part of a
decision as well.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from engine.features.assemble import Stamp, absent, full_features, gap_breadth, observe, spy_gap
from engine.features.catalogue import CATALOGUE
from engine.features.history import known_before
from engine.features.news import news_features
from engine.model.candidates import FeatureValue, MissingReason
from engine.model.company import CompanyFacts
from engine.model.ids import instrument_id
from engine.model.market import Provenance
from engine.model.positions import AccountKind
from engine.strategies.base import StrategyContext
from engine.strategies.gaps_config import GapsConfig
from engine.strategies.gaps_orders import size_share
from engine.strategies.gaps_scan import Gap, traded
from engine.strategies.regime import RegimeReading

SPY = instrument_id("SPY")
EDGAR = "edgar"
VOLUME_NOW = "volume_ratio_20"


@dataclass(frozen=True, slots=True)
class Morning:
    """What all candidates of one instant share."""

    spy_gap: FeatureValue
    gap_breadth: FeatureValue


def look_at_morning(context: StrategyContext, inputs: Collection[str]) -> Morning:
    """SPY's gap, and how many of the liquid names gap down, where a model asks for that: it looks at all."""
    if "gap_breadth" in inputs:
        return Morning(_spy_gap(context), _breadth(context))
    unasked = absent("gap_breadth", MissingReason.NOT_APPLICABLE, Stamp(0, 0, "quotes"))
    return Morning(_spy_gap(context), unasked)


def study(
    context: StrategyContext,
    reading: RegimeReading,
    morning: Morning,
    gap: Gap,
    facts: CompanyFacts | None,
    config: GapsConfig,
) -> tuple[FeatureValue, ...]:
    """Every feature of a candidate, in an order that never changes."""
    ratio = context.ratios.get(gap.instrument, 1.0)
    of_bars = full_features(gap.bars, ratio, gap.price, gap.quote)
    known = {value.id: value for value in of_bars}
    now = Stamp(gap.quote.ts_event, gap.quote.ts_known, "quote")
    news: tuple[FeatureValue, ...] = ()
    if context.headlines is not None and not context.news_mute:
        news = news_features(context.headlines(gap.instrument), context.now_us)
    spread = _spread(context, gap, now)
    return (
        *of_bars,
        reading.vix_regime,
        reading.vix_close,
        reading.vix_pct_252,
        reading.spy_dist_200,
        morning.spy_gap,
        morning.gap_breadth,
        _volume_now(context, gap, now),
        spread,
        _slippage(context, reading, spread, known, now, config),
        _worth(context, gap, facts),
        _runway(context, facts),
        *news,
    )


def _spread(context: StrategyContext, gap: Gap, now: Stamp) -> FeatureValue:
    if context.dataset:
        return absent("bid_ask_spread_bps", MissingReason.NOT_APPLICABLE, now)
    if gap.quote.bid is None or gap.quote.ask is None:
        return absent("bid_ask_spread_bps", MissingReason.MISSING, now)
    columns = {"bid": np.array([gap.quote.bid]), "ask": np.array([gap.quote.ask])}
    return observe("bid_ask_spread_bps", columns, now)


def _slippage(
    context: StrategyContext,
    reading: RegimeReading,
    spread: FeatureValue,
    known: Mapping[str, FeatureValue],
    now: Stamp,
    config: GapsConfig,
) -> FeatureValue:
    """Of an order as large as the strategy's share of equity: what rooms and breakers leave is never more."""
    spread_bps = context.assumed_spread_bps if context.dataset else spread.value
    adv, volatility = known["adv_usd_20"].value, known["realized_vol_20"].value
    if spread_bps is None or adv is None or volatility is None:
        return absent("est_slippage_pct", MissingReason.MISSING, now)
    share = size_share(reading.regime, config, context.risk.is_conservative)
    columns = {
        "bid_ask_spread_bps": np.array([spread_bps]),
        "order_usd": np.array([float(context.equity) * share]),
        "adv_usd_20": np.array([adv]),
        "realized_vol_20": np.array([volatility]),
    }
    return observe("est_slippage_pct", columns, now)


def _volume_now(context: StrategyContext, gap: Gap, now: Stamp) -> FeatureValue:
    """Of the session so far, against the same minutes of other sessions (SPEC 3.5.3)."""
    ratio = None if context.volume_ratio is None else context.volume_ratio(gap.instrument)
    if ratio is None:
        reason = MissingReason.NOT_APPLICABLE if context.dataset else MissingReason.MISSING
        return absent(VOLUME_NOW, reason, now)
    spec = CATALOGUE[VOLUME_NOW]
    if not spec.holds(ratio):
        return absent(VOLUME_NOW, MissingReason.OUT_OF_RANGE, now)
    return FeatureValue(VOLUME_NOW, ratio, None, now.ts_event, now.ts_known, now.source, spec.version)


def _worth(context: StrategyContext, gap: Gap, facts: CompanyFacts | None) -> FeatureValue:
    shares = None if facts is None else facts.shares_outstanding
    if shares is None or not is_fit(shares.provenance, context.account_kind):
        return absent("market_cap_usd", _why_none(context), Stamp(0, 0, EDGAR))
    columns = {"close": np.array([gap.price]), "shares_outstanding": np.array([shares.value])}
    return observe("market_cap_usd", columns, Stamp(shares.ts_event, shares.ts_known, EDGAR))


def _runway(context: StrategyContext, facts: CompanyFacts | None) -> FeatureValue:
    funds = None if facts is None else facts.fundamentals
    cash = None if funds is None else funds.cash
    flow = None if funds is None or not funds.quarters else funds.quarters[-1]
    kind = context.account_kind
    if cash is None or flow is None or not (is_fit(cash.provenance, kind) and is_fit(flow.provenance, kind)):
        return absent("issuer_runway_months", _why_none(context), Stamp(0, 0, EDGAR))
    columns = {"cash": np.array([cash.value]), "quarterly_cash_flow": np.array([flow.value])}
    known = Stamp(min(cash.ts_event, flow.ts_event), max(cash.ts_known, flow.ts_known), EDGAR)
    return observe("issuer_runway_months", columns, known)


def is_fit(provenance: Provenance, kind: AccountKind) -> bool:
    """Only what a live source told decides outside of simulations (SPEC 5.6)."""
    return kind is AccountKind.SIMULATION or provenance is Provenance.LIVE


def _why_none(context: StrategyContext) -> MissingReason:
    if context.dataset:
        return MissingReason.NOT_APPLICABLE
    return MissingReason.SOURCE_DOWN if context.company is None else MissingReason.MISSING


def _spy_gap(context: StrategyContext) -> FeatureValue:
    quote, price = context.quotes.get(SPY), context.spy_price
    if quote is not None and quote.ts_known <= context.now_us:
        price = quote.ask or quote.bid or price
    bars = None if context.spy is None else known_before(context.spy, context.session)
    if price is None or bars is None or not len(bars):
        return absent("spy_gap", MissingReason.MISSING, Stamp(0, 0, "spy"))
    return spy_gap(bars, context.ratios.get(SPY, 1.0), price, Stamp(context.now_us, context.now_us, "spy"))


def _breadth(context: StrategyContext) -> FeatureValue:
    """Of every instrument with a quote and a prior close."""
    gaps, values, newest = [], [], 0
    for instrument, quote in context.quotes.items():
        price = quote.bid if quote.ask is None else quote.ask
        bars = context.history.daily(instrument, 1)
        if price is None or bars is None or quote.ts_known > context.now_us:
            continue
        prior = float(bars.close[-1]) * context.ratios.get(instrument, 1.0)
        adv = traded(context, instrument)
        gaps.append(price / prior - 1 if prior > 0 else np.nan)
        values.append(np.nan if adv is None else adv)
        newest = max(newest, quote.ts_known)
    stamp = Stamp(newest, newest, "quotes")
    return gap_breadth(np.array(gaps, dtype=np.float64), np.array(values, dtype=np.float64), stamp)
