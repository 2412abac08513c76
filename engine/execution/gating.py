"""Assembles what the gates look at from the live state; the gates themselves are pure (engine.risk.gates)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from engine.clock import US_PER_S, Clock
from engine.execution.books import Books
from engine.execution.bracket import Bracket
from engine.execution.orders import Brackets
from engine.model.candidates import AgentReport, GateResult, Regime
from engine.model.ids import InstrumentId, StrategyName
from engine.model.market import Instrument
from engine.model.positions import AccountKind
from engine.money import ZERO
from engine.risk.gates import GateInput, GateStage, evaluate
from engine.risk.limits import LimitSwitches
from engine.state import LivePicture

QUOTE_AGE_PROPOSAL_US = 15 * US_PER_S
QUOTE_AGE_SEND_US = 3 * US_PER_S
"""Oldest quote at proposal, and at approval and send for equities (SPEC 11.3)."""


@dataclass(frozen=True, slots=True)
class StrategyTerms:
    """What the gates must know of a strategy's configuration (SPEC 14)."""

    stage: str
    rule: str
    max_concurrent: int
    entries_per_session: int


@dataclass(frozen=True, slots=True)
class GateSubject:
    """The trade in question."""

    strategy: StrategyName
    instrument: InstrumentId
    session: date
    reports: tuple[AgentReport, ...]
    regime: Regime
    quantity: Decimal
    limit_price: Decimal


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
        return evaluate(
            GateInput(
                stage=stage,
                now_us=self.clock.now_us(),
                engine_state=state,
                halt_reason=reason,
                account_kind=self.account_kind,
                strategy_stage=terms.stage,
                quote=self.picture.quote(subject.instrument),
                quote_max_age_us=QUOTE_AGE_PROPOSAL_US if stage is GateStage.PROPOSAL else QUOTE_AGE_SEND_US,
                reports=subject.reports,
                regime=subject.regime,
                dataset=self.dataset,
                rule=terms.rule,
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
            )
        )

    def entries(self, strategy: StrategyName, session: date) -> int:
        """Entries that this strategy started in a session, whatever became of them."""
        return sum(bracket.strategy == strategy for bracket in self.brackets.of_session(session))


def is_taken(bracket: Bracket) -> bool:
    """Whether a bracket uses a place: it holds a position, or its entry may still fill."""
    return bracket.position != ZERO or bracket.entry.is_live
