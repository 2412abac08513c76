"""The gap-down bounce (SPEC 3): two rules, and the one that is in force decides.

`naive` is the published back-test: it buys what opens at least 3 % under its prior close, priced and traded
within the limits. `full` is all of SPEC 3: a registered model, scores, filters and the agents' votes. Both
leave at +6 %, -8 % or the close of the fifth session.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from engine.agents.base import AgentContext
from engine.agents.forecaster import Forecaster
from engine.agents.newssentry import NewsSentry
from engine.agents.panel import Panel, TrackRecord, agree
from engine.agents.riskofficer import RiskOfficer
from engine.agents.roster import Roster
from engine.agents.screener import Screener
from engine.agents.sentinel import Sentinel
from engine.agents.trader import Trader
from engine.errors import InvariantBroken
from engine.features.assemble import PRICE_FEATURES, VOLUME_FEATURES, instrument_features
from engine.features.news import news_features
from engine.model.assessment import Assessment
from engine.model.candidates import AgentReport, FeatureValue, GapCandidate, Proposal, Verdict
from engine.model.exits import ExitPlan, single_target
from engine.model.ids import InstrumentId, StrategyName, symbol_of
from engine.model.market import Instrument
from engine.model.policy import TickerState
from engine.model.positions import RoundTrip
from engine.model.tickets import canonical_json
from engine.ports import Predictor
from engine.risk.kelly import binary_kelly, kelly_share
from engine.risk.limits import NONE, LimitSwitches, RiskConfig
from engine.strategies.base import StrategyContext
from engine.strategies.gaps_choice import RuleChoice, choose_rule
from engine.strategies.gaps_config import GapsConfig as GapsConfig
from engine.strategies.gaps_config import GapsRule
from engine.strategies.gaps_full import assess, is_promising
from engine.strategies.gaps_orders import price_entry, size_entry
from engine.strategies.gaps_scan import Booked, Gap, booked_now, find_gaps, rooms, sector, traded
from engine.strategies.gaps_study import look_at_morning
from engine.strategies.regime import RegimeReading, read_regime

NAIVE_GAP_LIMIT = -0.03
"""A gap is at or under this fraction of the prior close; part of the naive rule, so not configurable."""
APPROVAL_TTL_US = 600_000_000
ENTRY_TTL_US = 600_000_000
MONITORED_SHARE = 0.5
"""Of the size, for an instrument whose own past is poor (SPEC 3.11)."""
_RULE_VERSION = 1


class Gaps:
    """The plug-in. It holds no state: what it proposes follows from the context alone."""

    name = StrategyName("gaps")

    def __init__(
        self,
        config: GapsConfig,
        risk: RiskConfig,
        monotonic_us: Callable[[], int],
        roster: Roster | None = None,
    ) -> None:
        """`monotonic_us` times the agents. `roster`: their states; None: all run."""
        self._config = config
        self._risk = risk
        self._digest = hashlib.sha256(canonical_json(config)).hexdigest()[:8]
        agents = (
            Sentinel(config),
            Screener(config, NAIVE_GAP_LIMIT),
            Forecaster(),
            RiskOfficer(config),
            NewsSentry(),
            Trader(),
        )
        self._panel = Panel(agents, monotonic_us, roster)

    def choice(self, model: Predictor | None) -> RuleChoice:
        """Which rule is in force with this model on the shelf, and why."""
        return choose_rule(self._config.rule, None if model is None else model.model_id)

    def universe(self, context: StrategyContext) -> Sequence[InstrumentId]:
        """The instruments that trade enough by their last 20 bars; their price decides at the open."""
        return [
            instrument
            for instrument in context.history.instruments()
            if (adv := traded(context, instrument)) is not None and adv >= self._config.adv_min_usd
        ]

    def required_features(self) -> Sequence[str]:
        return (*PRICE_FEATURES, *VOLUME_FEATURES, "vix_regime")

    def propose(self, context: StrategyContext) -> Sequence[Verdict]:
        """A verdict for every instrument whose known quote fell far enough under its prior close.

        Under the naive rule 3 %, deepest gap first; under the full one `gap_min`, best expected value first;
        then by symbol. Limits count the proposals made before it at the same instant, so that the first get
        the slots, the entries of the session and the cash.
        """
        reading = read_regime(context.vix, context.spy, context.session, context.previous_session)
        if self.choice(context.model).rule is GapsRule.FULL:
            return self._propose_full(context, reading)
        booked, verdicts = booked_now(context), []
        gaps = find_gaps(context, NAIVE_GAP_LIMIT)
        for gap in sorted(gaps, key=lambda gap: (gap.gap, symbol_of(gap.instrument))):
            features = _naive_features(context, reading, gap)
            verdict = self._judge(context, reading, gap, booked, features, None)
            if verdict.proposal is not None:
                booked = booked.with_entry(verdict.proposal)
            verdicts.append(verdict)
        return verdicts

    def exit_plan(self, proposal: Proposal) -> ExitPlan:
        return proposal.exit_plan

    def on_outcome(self, outcome: RoundTrip) -> None:
        """What adapts is in the policy that each context brings; the memory keeps the outcomes."""

    def policy_id(self, context: StrategyContext) -> str:
        """Names rule, adapted policy and configuration: `gaps-full-1-POLICY-DIGEST`."""
        rule = self.choice(context.model).rule
        adapted = context.policy.policy_id if rule is GapsRule.FULL and context.policy is not None else ""
        return "-".join(filter(None, ("gaps", rule.value, str(_RULE_VERSION), adapted, self._digest)))

    def _propose_full(self, context: StrategyContext, reading: RegimeReading) -> Sequence[Verdict]:
        context = replace(context, switches=_with_rules(context.switches))
        inputs = () if context.model is None else context.model.inputs
        morning = look_at_morning(context, inputs)
        studied = []
        for gap in find_gaps(context, -self._config.gap_min):
            features, found = assess(
                context,
                reading,
                morning,
                gap,
                self._config,
                lambda work: self._panel.attempt(Forecaster.name, work),
            )
            studied.append((gap, features, found))
        booked, verdicts = booked_now(context), []
        studied.sort(key=lambda each: (_last_ev(each[2]), symbol_of(each[0].instrument)))
        for gap, features, found in studied:
            verdict = self._judge(context, reading, gap, booked, features, found)
            # What its scores keep out takes no place from those behind it.
            if verdict.proposal is not None and is_promising(found):
                booked = booked.with_entry(verdict.proposal)
            verdicts.append(verdict)
        return verdicts

    def _judge(
        self,
        context: StrategyContext,
        reading: RegimeReading,
        gap: Gap,
        booked: Booked,
        features: tuple[FeatureValue, ...],
        found: Assessment | None,
    ) -> Verdict:
        candidate = _candidate(context, reading, gap, features, found)
        agent_context = self._agent_context(context, reading, gap, booked, found)
        reports = self._panel.judge(candidate, agent_context)
        count = agree(
            reports,
            _record(context, found),
            self._config.consensus_after_trades,
            self._config.consensus_min,
        )
        if not count.approved:
            return Verdict(candidate, reports, None, count.note)
        if found is not None:
            candidate = replace(candidate, assessment=replace(found, vote=count.reason))
        return Verdict(candidate, reports, self._proposal(candidate, reports, agent_context), "")

    def _agent_context(
        self,
        context: StrategyContext,
        reading: RegimeReading,
        gap: Gap,
        booked: Booked,
        found: Assessment | None,
    ) -> AgentContext:
        instrument = context.instruments.get(gap.instrument, Instrument(gap.instrument))
        prices, sizing = price_entry(gap.quote, instrument, self._config), None
        if prices is not None and prices.is_ordered:
            room = rooms(context, gap.instrument, booked, self._risk.max_position_pct)
            if found is not None:
                room = replace(
                    room,
                    share=_share_of_past(context, gap.instrument),
                    kelly_pct=_kelly_pct(found, self._config, self._risk),
                )
            sizing = size_entry(prices, reading.regime, self._config, room, instrument.lot_size)
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
            *sector(context, gap.instrument, booked),
        )

    def _proposal(
        self, candidate: GapCandidate, reports: tuple[AgentReport, ...], context: AgentContext
    ) -> Proposal:
        prices, sizing, found = context.prices, context.sizing, candidate.assessment
        if prices is None or sizing is None:
            raise InvariantBroken(f"{candidate.instrument} was approved without prices or size")
        model = context.market.model
        return Proposal(
            candidate=candidate,
            reports=reports,
            limit_price=prices.limit_price,
            quantity=sizing.quantity,
            exit_plan=single_target(prices.stop_price, prices.target_price, self._config.max_sessions),
            size_binding=sizing.binding,
            entry_ttl_us=ENTRY_TTL_US,
            approval_ttl_us=APPROVAL_TTL_US,
            priority=candidate.gap if found is None else _last_ev(found),
            policy_id=self.policy_id(context.market),
            model_id=None if found is None or model is None else model.model_id,
        )


def _naive_features(context: StrategyContext, reading: RegimeReading, gap: Gap) -> tuple[FeatureValue, ...]:
    ratio = context.ratios.get(gap.instrument, 1.0)
    features = (*instrument_features(gap.bars, ratio, gap.price, gap.quote), reading.vix_regime)
    if context.headlines is not None and not context.news_mute:
        features += news_features(context.headlines(gap.instrument), context.now_us)
    return features


def _candidate(
    context: StrategyContext,
    reading: RegimeReading,
    gap: Gap,
    features: tuple[FeatureValue, ...],
    found: Assessment | None,
) -> GapCandidate:
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
        assessment=found,
    )


def _with_rules(switches: LimitSwitches) -> LimitSwitches:
    """Regime and entries of a session are part of the full rule: only a run without any limits lacks them."""
    return switches if switches == NONE else replace(switches, regime=True, per_session=True)


def _record(context: StrategyContext, found: Assessment | None) -> TrackRecord:
    """The naive rule has no scored votes to weigh agents by, so it stays unanimous."""
    if found is None or context.policy is None:
        return TrackRecord()
    return TrackRecord(context.policy.closed_trades, context.policy.accuracy)


def _last_ev(found: Assessment) -> float:
    """Rises as the expected value falls; those without one come last."""
    return float("inf") if found.ev is None else -found.ev


def _share_of_past(context: StrategyContext, instrument: InstrumentId) -> float:
    if context.policy is None:
        return 1.0
    standing = context.policy.standing(instrument, context.session)
    return MONITORED_SHARE if standing.state is TickerState.MONITORED else 1.0


def _kelly_pct(found: Assessment, config: GapsConfig, risk: RiskConfig) -> float | None:
    """The share of equity by SPEC 4.8.1, which may only lower a size; None without a forecast."""
    if found.forecast is None:
        return None
    full = binary_kelly(found.forecast.q_bounce, config.target_pct, config.stop_pct)
    return kelly_share(full, risk.kelly_fraction)
