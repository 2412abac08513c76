"""Assembles what the gates look at from the live state; the gates themselves are pure (engine.risk.gates)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from engine.clock import US_PER_S, Clock
from engine.execution.books import Books
from engine.execution.bracket import Bracket, BracketPhase
from engine.execution.orders import Brackets
from engine.execution.riskbook import RiskBook
from engine.features.severe import severe_term
from engine.model.assessment import Assessment
from engine.model.candidates import AgentReport, FeatureValue, GateResult, Regime
from engine.model.evidence import EdgeEvidence
from engine.model.ids import InstrumentId, StrategyName
from engine.model.market import Instrument
from engine.model.positions import AccountKind
from engine.money import ZERO
from engine.risk.collar import PriceReferences
from engine.risk.exposure import Exposure
from engine.risk.gates import GateInput, GateStage, evaluate
from engine.risk.limits import LimitSwitches
from engine.risk.live import LiveRequest, missing
from engine.risk.rates import DUPLICATE_US
from engine.risk.sectors import count_in_sector
from engine.risk.var import ValueAtRisk
from engine.state import LivePicture

QUOTE_AGE_PROPOSAL_US = 15 * US_PER_S
QUOTE_AGE_SEND_US = 3 * US_PER_S
QUOTE_AGE_SEND_CRYPTO_US = 5 * US_PER_S
"""Oldest quote at proposal, and at approval and send (SPEC 11.3)."""


@dataclass(frozen=True, slots=True)
class StrategyTerms:
    """What the gates must know of a strategy's configuration (SPEC 14)."""

    stage: str
    rule: str
    max_concurrent: int
    entries_per_session: int
    max_per_sector: int = 3
    is_crypto: bool = False
    slippage_max_pct: float = 0.5
    """One way, percent."""
    without_evidence: bool = False
    """Whether a person may waive the evidence of an edge."""
    leaves_on_news: bool = False
    """Whether a position ends by a severe headline, a severe filing or results (SPEC 3.9)."""


@dataclass(frozen=True, slots=True)
class GateSubject:
    """The trade in question. Prices float; `prev_close` is given by strategies that decide on a gap."""

    strategy: StrategyName
    instrument: InstrumentId
    session: date
    reports: tuple[AgentReport, ...]
    regime: Regime
    quantity: Decimal
    limit_price: Decimal
    decision_price: float | None = None
    prev_close: float | None = None
    adv_usd: float | None = None
    """Mean traded value of a day, USD; None where it is not known."""
    assessment: Assessment | None = None
    """What the full rule found out; None under a rule that has none."""
    realized_vol: float | None = None
    """Of the instrument, per year."""
    decided_us: int | None = None
    """When the agents judged; None: now."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a strategy stands: what its past shows, why it is frozen ("" when not), who waived evidence."""

    evidence: EdgeEvidence | None = None
    frozen: str = ""
    waiver: str = ""


@dataclass(frozen=True, slots=True)
class VenueHealth:
    """How well the venue is known; the defaults are those of a replay, whose venue lives in the process."""

    symbol_halt: Callable[[InstrumentId], str] = lambda instrument: ""
    """Why an instrument is halted; "" when it is not."""
    reconciled_age_us: Callable[[], int | None] = lambda: None
    clock_skew_us: Callable[[], int | None] = lambda: None
    sector_of: Callable[[InstrumentId], str | None] | None = None
    """None: there is no source of sectors."""
    live_request: Callable[[], LiveRequest | None] = lambda: None
    """What a live account brings with it; None: nobody asked for live mode."""


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """Runs the gates against the state of this instant."""

    clock: Clock
    picture: LivePicture
    brackets: Brackets
    books: Books
    account_kind: AccountKind
    dataset: bool
    switches: LimitSwitches
    max_total: int
    terms: Mapping[StrategyName, StrategyTerms]
    instruments: Mapping[InstrumentId, Instrument]
    engine_state: Callable[[], tuple[str, str]]
    """State word and reason of the engine."""
    risk: RiskBook
    health: VenueHealth = VenueHealth()
    standing: Callable[[StrategyName], Standing] = lambda strategy: Standing()

    def buying_power(self) -> Decimal:
        """Cash that no working entry has reserved."""
        return self.books.cash - self.books.reserved(self.brackets.open())

    def run(self, stage: GateStage, subject: GateSubject, waiting: int = 0) -> tuple[GateResult, ...]:
        """All eleven results. `waiting`: tickets of this session and strategy that wait for a person."""
        terms = self.terms[subject.strategy]
        taken = [bracket for bracket in self.brackets.open() if is_taken(bracket)]
        ours = [bracket for bracket in taken if bracket.strategy == subject.strategy]
        state, reason = self.engine_state()
        instrument = self.instruments.get(subject.instrument, Instrument(subject.instrument))
        exposure, value_at_risk = self._measured(subject)
        standing, found = self.standing(subject.strategy), subject.assessment
        return evaluate(
            GateInput(
                stage=stage,
                now_us=self.clock.now_us(),
                engine_state=state,
                halt_reason=reason,
                account_kind=self.account_kind,
                strategy_stage=terms.stage,
                quote=self.picture.quote(subject.instrument),
                quote_max_age_us=_quote_age(stage, terms.is_crypto),
                reports=subject.reports,
                regime=subject.regime,
                dataset=self.dataset,
                rule=terms.rule if found is None else "full",
                open_in_strategy=len(ours),
                max_in_strategy=terms.max_concurrent,
                open_total=len(taken),
                max_total=self.max_total,
                open_in_instrument=sum(bracket.instrument == subject.instrument for bracket in taken),
                entries_this_session=self.entries(subject.strategy, subject.session) + waiting,
                max_entries_per_session=terms.entries_per_session,
                quantity=subject.quantity,
                lot_size=instrument.lot_size,
                limit_price=subject.limit_price,
                tick_size=instrument.tick_size,
                buying_power=self.buying_power(),
                market_open=self.picture.is_session_open,
                switches=self.switches,
                config=self.risk.config,
                symbol_halt=self.health.symbol_halt(subject.instrument),
                reconciled_age_us=self.health.reconciled_age_us(),
                clock_skew_us=self.health.clock_skew_us(),
                risk=self.risk.view(),
                exposure=exposure,
                value_at_risk=value_at_risk,
                sector_open=self._in_sector(subject.instrument, taken),
                max_per_sector=terms.max_per_sector,
                duplicates=self._duplicates(subject),
                references=self._references(subject, terms),
                adv_usd=subject.adv_usd,
                live_missing=missing(self.account_kind, self.switches, self.health.live_request()),
                assessment=found,
                evidence=standing.evidence,
                waiver=standing.waiver,
                frozen=standing.frozen,
                late_news=self._late_news(subject),
                realized_vol=subject.realized_vol,
                slippage_max_pct=terms.slippage_max_pct,
            )
        )

    def _late_news(self, subject: GateSubject) -> str:
        """A severe headline since the agents judged; a ticket may wait for minutes."""
        if subject.decided_us is None:
            return ""
        now = self.clock.now_us()
        told = [
            item
            for item in self.picture.headlines(subject.instrument)
            if subject.decided_us < item.ts_known <= now and severe_term(item.title) is not None
        ]
        return f'{severe_term(told[-1].title)}: "{told[-1].title}"' if told else ""

    def entries(self, strategy: StrategyName, session: date) -> int:
        """Entries that this strategy started in a session, whatever became of them."""
        return sum(bracket.strategy == strategy for bracket in self.brackets.of_session(session))

    def _measured(self, subject: GateSubject) -> tuple[Exposure | None, ValueAtRisk | None]:
        """Nothing is measured that does not limit this run."""
        if not self.switches.portfolio and self.account_kind is not AccountKind.LIVE:
            return None, None
        return self.risk.exposure(subject.session, subject.instrument), self.risk.value_at_risk(
            subject.session
        )

    def _in_sector(self, instrument: InstrumentId, taken: list[Bracket]) -> int | None:
        sector_of = self.health.sector_of
        if sector_of is None:
            return None
        return count_in_sector(sector_of, instrument, (bracket.instrument for bracket in taken))

    def _duplicates(self, subject: GateSubject) -> int:
        """Every bracket of version 1 is bought first, so the side is the same."""
        young_us = self.clock.now_us() - DUPLICATE_US
        recent = self.brackets.of_session(subject.session)
        same = {
            bracket.ticket
            for bracket in (*self.brackets.open(), *recent)
            if bracket.instrument == subject.instrument
            and bracket.strategy == subject.strategy
            and (bracket.phase is not BracketPhase.CLOSED or bracket.opened_us > young_us)
        }
        return len(same)

    def _references(self, subject: GateSubject, terms: StrategyTerms) -> PriceReferences:
        return PriceReferences(
            self.picture.last(subject.instrument),
            subject.decision_price,
            subject.prev_close,
            is_gap=subject.prev_close is not None,
            is_crypto=terms.is_crypto,
        )


def is_taken(bracket: Bracket) -> bool:
    """Whether a bracket uses a place: it holds a position, or its entry may still fill."""
    return bracket.position != ZERO or bracket.entry.is_live


def realized_vol_of(features: tuple[FeatureValue, ...]) -> float | None:
    """The volatility per year that a candidate was judged with; None where it is missing."""
    return next((feature.value for feature in features if feature.id == "realized_vol_20"), None)


def traded_value_of(features: tuple[FeatureValue, ...]) -> float | None:
    """The mean traded value of a day that a candidate was judged with; None where it is missing."""
    return next((feature.value for feature in features if feature.id == "adv_usd_20"), None)


def _quote_age(stage: GateStage, is_crypto: bool) -> int:
    if stage is GateStage.PROPOSAL:
        return QUOTE_AGE_PROPOSAL_US
    return QUOTE_AGE_SEND_CRYPTO_US if is_crypto else QUOTE_AGE_SEND_US
