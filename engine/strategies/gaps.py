"""The gap-down bounce (SPEC 3), first form: the naive rule of the published back-test.

It buys what opens at least 3 % under its prior close, priced and traded within the limits, and leaves at
+6 %, -8 % or the close of the fifth session. SPEC 3.2.1-6, 3.3, 3.5 and 3.7 apply once a model is registered.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from engine.agents.base import AgentContext
from engine.agents.forecaster import Forecaster
from engine.agents.newssentry import NewsSentry
from engine.agents.panel import Panel, TrackRecord, agree
from engine.agents.riskofficer import RiskOfficer
from engine.agents.screener import Screener
from engine.agents.sentinel import Sentinel
from engine.agents.trader import Trader
from engine.errors import ConfigError, InvariantBroken
from engine.features.assemble import (
    ADV_BARS,
    HISTORY_BARS,
    PRICE_FEATURES,
    VOLUME_FEATURES,
    instrument_features,
    traded_value,
)
from engine.features.news import news_features
from engine.model.candidates import AgentReport, GapCandidate, Proposal, Verdict
from engine.model.exits import ExitPlan, single_target
from engine.model.ids import InstrumentId, StrategyName, symbol_of
from engine.model.market import Instrument, Quote
from engine.model.positions import RoundTrip
from engine.model.tickets import canonical_json
from engine.money import EPSILON, ZERO
from engine.ports import BarColumns
from engine.risk.fatfinger import liquidity_room
from engine.risk.limits import RiskConfig
from engine.risk.sectors import count_in_sector, sector_name
from engine.strategies.base import StrategyContext
from engine.strategies.gaps_config import GapsConfig as GapsConfig
from engine.strategies.gaps_config import GapsRule
from engine.strategies.gaps_orders import EntryRooms, price_entry, size_entry
from engine.strategies.regime import RegimeReading, read_regime

NAIVE_GAP_LIMIT = -0.03
"""A gap is at or under this fraction of the prior close; part of the naive rule, so not configurable."""
APPROVAL_TTL_US = 600_000_000
ENTRY_TTL_US = 600_000_000
_RULE_VERSION = 1


@dataclass(frozen=True, slots=True)
class _Gap:
    """An instrument that opened lower; prices in dollars of the session, `gap` a negative fraction."""

    instrument: InstrumentId
    quote: Quote
    price: float
    prev_close: float
    gap: float
    bars: BarColumns


@dataclass(frozen=True, slots=True)
class _Booked:
    """What the limits count: the book as it stands, and the proposals made before at the same instant."""

    open_in_strategy: int
    entries_this_session: int
    cash: Decimal
    values: Mapping[InstrumentId, Decimal]
    """Of the proposals, by instrument."""

    def with_entry(self, proposal: Proposal) -> "_Booked":
        cost, name = proposal.limit_price * proposal.quantity, proposal.candidate.instrument
        values = {**self.values, name: self.values.get(name, ZERO) + cost}
        return _Booked(self.open_in_strategy + 1, self.entries_this_session + 1, self.cash - cost, values)


class Gaps:
    """The plug-in. It holds no state: what it proposes follows from the context alone."""

    name = StrategyName("gaps")

    def __init__(self, config: GapsConfig, risk: RiskConfig, monotonic_us: Callable[[], int]) -> None:
        """`monotonic_us` times the agents. Raises ConfigError for a rule that cannot run."""
        if config.rule is not GapsRule.NAIVE:
            raise ConfigError(
                'gaps.rule = "full" needs a registered model, and none is registered',
                'set gaps.rule = "naive"',
            )
        self._config = config
        self._max_position_pct = risk.max_position_pct
        digest = hashlib.sha256(canonical_json(config)).hexdigest()[:8]
        self.policy_id = f"gaps-{config.rule}-{_RULE_VERSION}-{digest}"
        agents = (
            Sentinel(config),
            Screener(config, NAIVE_GAP_LIMIT),
            Forecaster(),
            RiskOfficer(config),
            NewsSentry(),
            Trader(),
        )
        self._panel = Panel(agents, monotonic_us)

    def universe(self, context: StrategyContext) -> Sequence[InstrumentId]:
        """The instruments that trade enough by their last 20 bars; their price decides at the open."""
        return [
            instrument
            for instrument in context.history.instruments()
            if (adv := _adv(context, instrument)) is not None and adv >= self._config.adv_min_usd
        ]

    def required_features(self) -> Sequence[str]:
        return (*PRICE_FEATURES, *VOLUME_FEATURES, "vix_regime")

    def propose(self, context: StrategyContext) -> Sequence[Verdict]:
        """A verdict for every instrument whose known quote is 3 % or more under its prior close.

        Deepest gap first, then symbol. Limits count the proposals made before it at the same instant, so that
        the deepest gaps get the slots, the entries of the session and the cash.
        """
        reading = read_regime(context.vix, context.spy, context.session, context.previous_session)
        booked = _Booked(context.open_in_strategy, context.entries_this_session, context.cash, {})
        verdicts = []
        for gap in sorted(_gaps(context), key=lambda gap: (gap.gap, symbol_of(gap.instrument))):
            verdict = self._judge(context, reading, gap, booked)
            if verdict.proposal is not None:
                booked = booked.with_entry(verdict.proposal)
            verdicts.append(verdict)
        return verdicts

    def exit_plan(self, proposal: Proposal) -> ExitPlan:
        return proposal.exit_plan

    def on_outcome(self, outcome: RoundTrip) -> None:
        """Nothing adapts under the naive rule: its voters stay unanimous whatever the past was."""

    def _judge(self, context: StrategyContext, reading: RegimeReading, gap: _Gap, booked: _Booked) -> Verdict:
        candidate = _candidate(context, reading, gap)
        agent_context = self._agent_context(context, reading, gap, booked)
        reports = self._panel.judge(candidate, agent_context)
        # An empty record keeps the vote unanimous: the naive rule has no scored votes to weigh agents by.
        count = agree(reports, TrackRecord(), self._config.consensus_after_trades, self._config.consensus_min)
        if not count.approved:
            return Verdict(candidate, reports, None, count.note)
        return Verdict(candidate, reports, self._proposal(candidate, reports, agent_context), "")

    def _agent_context(
        self,
        context: StrategyContext,
        reading: RegimeReading,
        gap: _Gap,
        booked: _Booked,
    ) -> AgentContext:
        instrument = context.instruments.get(gap.instrument, Instrument(gap.instrument))
        prices, sizing = price_entry(gap.quote, instrument, self._config), None
        if prices is not None and prices.is_ordered:
            rooms = self._rooms(context, gap, booked)
            sizing = size_entry(prices, reading.regime, self._config, rooms, instrument.lot_size)
        return AgentContext(
            context,
            reading,
            gap.quote,
            len(gap.bars),
            prices,
            sizing,
            booked.open_in_strategy,
            booked.entries_this_session,
            booked.cash,
            *_sector(context, gap.instrument, booked),
        )

    def _rooms(self, context: StrategyContext, gap: _Gap, booked: _Booked) -> EntryRooms:
        limits = context.risk
        correlation = limits.correlation_room
        # A traded value that is not known leaves no room: the screener says what is missing.
        liquid = liquidity_room(_adv(context, gap.instrument)) or ZERO
        return EntryRooms(
            context.equity,
            booked.cash if context.switches.buying_power else None,
            None if correlation is None else correlation(gap.instrument, booked.values),
            liquid if limits.liquidity else None,
            self._max_position_pct,
            limits.multiplier,
            limits.is_conservative,
        )

    def _proposal(
        self, candidate: GapCandidate, reports: tuple[AgentReport, ...], context: AgentContext
    ) -> Proposal:
        prices, sizing = context.prices, context.sizing
        if prices is None or sizing is None:
            raise InvariantBroken(f"{candidate.instrument} was approved without prices or size")
        return Proposal(
            candidate=candidate,
            reports=reports,
            limit_price=prices.limit_price,
            quantity=sizing.quantity,
            exit_plan=single_target(prices.stop_price, prices.target_price, self._config.max_sessions),
            size_binding=sizing.binding,
            entry_ttl_us=ENTRY_TTL_US,
            approval_ttl_us=APPROVAL_TTL_US,
            priority=candidate.gap,
            policy_id=self.policy_id,
            model_id=None,
        )


def _gaps(context: StrategyContext) -> list[_Gap]:
    """The cheap look at everything that is quoted: one prior close each, no features."""
    found = []
    for instrument, quote in context.quotes.items():
        price = quote.bid if quote.ask is None else quote.ask
        if price is None or quote.ts_known > context.now_us:
            continue
        bars = context.history.daily(instrument, HISTORY_BARS)
        if bars is None:
            continue
        prev_close = float(bars.close[-1]) * context.ratios.get(instrument, 1.0)
        if not (isfinite(prev_close) and prev_close > 0):
            continue
        gap = price / prev_close - 1
        if gap <= NAIVE_GAP_LIMIT + EPSILON:
            found.append(_Gap(instrument, quote, price, prev_close, gap, bars))
    return found


def _candidate(context: StrategyContext, reading: RegimeReading, gap: _Gap) -> GapCandidate:
    ratio = context.ratios.get(gap.instrument, 1.0)
    features = (*instrument_features(gap.bars, ratio, gap.price, gap.quote), reading.vix_regime)
    if context.headlines is not None and not context.news_mute:
        features += news_features(context.headlines(gap.instrument), context.now_us)
    return GapCandidate(
        correlation=context.new_correlation(),
        strategy=Gaps.name,
        instrument=gap.instrument,
        session=context.session,
        decided_us=context.now_us,
        decision_price=gap.price,
        prev_close=gap.prev_close,
        gap=gap.gap,
        adv_usd_20=next(value.value for value in features if value.id == "adv_usd_20"),
        regime=reading.regime,
        features=features,
    )


def _sector(context: StrategyContext, instrument: InstrumentId, booked: _Booked) -> tuple[str, int]:
    """The sector of an instrument and how many others are in it; "" and 0 without a source of sectors."""
    if context.sector_of is None:
        return "", 0
    taken = context.open_instruments | booked.values.keys()
    count = count_in_sector(context.sector_of, instrument, taken)
    return sector_name(context.sector_of, instrument), count


def _adv(context: StrategyContext, instrument: InstrumentId) -> float | None:
    """Mean traded value of the 20 bars before the session; None when there are fewer."""
    bars = context.history.daily(instrument, ADV_BARS)
    return None if bars is None else traded_value(bars).value
