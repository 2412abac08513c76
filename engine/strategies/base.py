"""The strategy port of SPEC 11.1: a strategy sees data and decides, never a broker, a clock or a store."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from engine.model.candidates import Proposal, Verdict
from engine.model.company import CompanyFacts
from engine.model.evidence import EdgeEvidence
from engine.model.exits import ExitPlan
from engine.model.ids import CorrelationId, InstrumentId, StrategyName
from engine.model.market import Headline, Instrument, Quote
from engine.model.policy import GapsPolicy
from engine.model.positions import AccountKind, RoundTrip
from engine.ports import BarColumns, Predictor
from engine.risk.limits import LimitSwitches
from engine.risk.view import UNLIMITED, SizeLimits


class History(Protocol):
    """Daily bars as they were known at one instant: nothing of the current session or later."""

    def instruments(self) -> Sequence[InstrumentId]:
        """All instruments with at least one bar before the session."""
        ...

    def daily(self, instrument: InstrumentId, bars: int) -> BarColumns | None:
        """The last `bars` raw daily bars before the session, fewer when there are fewer; None without any."""
        ...


@dataclass(frozen=True, slots=True)
class StrategyContext:
    """Everything a strategy may look at, at one decision instant. Times int microseconds UTC, prices USD."""

    now_us: int
    session: date
    session_open_us: int
    session_close_us: int
    history: History
    quotes: Mapping[InstrumentId, Quote]
    """The current quote of each instrument that has one in this session."""
    ratios: Mapping[InstrumentId, float]
    """Corporate-action ratio of this session's ex-date; absent means 1.0."""
    instruments: Mapping[InstrumentId, Instrument]
    """Tick and lot where known; absent means unrounded prices and whole units."""
    vix: BarColumns | None
    """Daily closes of the VIX before the session, oldest first."""
    spy: BarColumns | None
    equity: Decimal
    """Cash plus positions marked at the current quotes, before any entry of this instant."""
    cash: Decimal
    """Free cash before any entry of this instant."""
    open_instruments: frozenset[InstrumentId]
    """Instruments with an open position or a working entry of any strategy."""
    open_in_strategy: int
    """Open positions and working entries of this strategy."""
    entries_this_session: int
    switches: LimitSwitches
    account_kind: AccountKind
    dataset: bool
    """True when the data are a stored dataset: no news, sectors or spreads exist in it (SPEC 9.8)."""
    new_correlation: Callable[[], CorrelationId]
    """One id for each candidate."""
    previous_session: date | None = None
    """The exchange session before this one; None when no calendar is at hand: the regime is then unknown."""
    risk: SizeLimits = UNLIMITED
    """What the account lets a position be worth."""
    headlines: Callable[[InstrumentId], Sequence[Headline]] | None = None
    """Recent headlines of an instrument, some perhaps known later; None: there is no source of news."""
    news_mute: str = ""
    """Why what the source of headlines says is not all there is; "" while it speaks."""
    sector_of: Callable[[InstrumentId], str | None] | None = None
    """None: there is no source of sectors."""
    model: Predictor | None = None
    """What is on the shelf; None: no model is registered."""
    policy: GapsPolicy | None = None
    """What the memory changed of the strategy; None: nothing yet, the configuration rules."""
    evidence: EdgeEvidence | None = None
    """Of the strategy's own past proposals; None: nobody collects any."""
    company: Callable[[InstrumentId], CompanyFacts | None] | None = None
    """Listing, filings, cash and halts as they were known now; None: there is no source of them."""
    volume_ratio: Callable[[InstrumentId], float | None] | None = None
    """Volume of the session so far over its mean to the same minute of 20 sessions; None: no source."""
    sessions_between: Callable[[date, date], int] | None = None
    """How many sessions a span has, both days included; None: no calendar is at hand."""
    earnings_dates: Callable[[InstrumentId], Sequence[date]] = lambda instrument: ()
    """Days of results that the person wrote down; empty: none."""
    spy_price: float | None = None
    """SPY's price of this morning where it is not among the quotes; None: not known."""
    assumed_spread_bps: float = 10.0
    """Of a dataset, which has no quotes (SPEC 9.8)."""


class Strategy(Protocol):
    """One of the five plug-ins."""

    name: StrategyName

    def universe(self, context: StrategyContext) -> Sequence[InstrumentId]:
        """The instruments it would look at now."""
        ...

    def required_features(self) -> Sequence[str]:
        """Ids of the catalogue features that each of its candidates carries."""
        ...

    def propose(self, context: StrategyContext) -> Sequence[Verdict]:
        """All candidates of this instant with their verdicts, in order of priority, then symbol."""
        ...

    def exit_plan(self, proposal: Proposal) -> ExitPlan:
        """How a position of this proposal is left."""
        ...

    def on_outcome(self, outcome: RoundTrip) -> None:
        """Told of each finished round trip of this strategy."""
        ...
