from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from engine.agents.base import AgentContext
from engine.features.history import StoredHistory
from engine.model.candidates import AgentReport, FeatureValue, GapCandidate, MissingReason, Regime, Vote
from engine.model.ids import CorrelationId, StrategyName, instrument_id
from engine.model.market import Provenance, Quote
from engine.model.positions import AccountKind
from engine.risk.limits import FULL
from engine.risk.sizing import Sizing
from engine.strategies.base import StrategyContext
from engine.strategies.gaps_orders import EntryPrices
from engine.strategies.regime import RegimeReading

ABC = instrument_id("ABC")
OPEN_US = int(datetime(2016, 1, 4, 14, 30, tzinfo=UTC).timestamp() * 1e6)
CLOSE_US = OPEN_US + 6 * 3_600_000_000
_MARKET_FIELDS = {field.name for field in fields(StrategyContext)}


def _reading(regime: Regime) -> RegimeReading:
    absent = FeatureValue("vix_close", None, MissingReason.MISSING, 0, 0, "vix", "1.0.0")
    return RegimeReading(regime, f"regime {regime.value}: SPY +1.0%, limit -10.0%", *(absent,) * 4)


@pytest.fixture(scope="session")
def candidate() -> GapCandidate:
    """ABC, 6 % lower at 9.40, with everything inside the rule."""
    return GapCandidate(
        CorrelationId("C0"),
        StrategyName("gaps"),
        ABC,
        date(2016, 1, 4),
        OPEN_US,
        9.40,
        10.0,
        -0.06,
        2e7,
        Regime.NORMAL,
        (),
    )


@pytest.fixture(scope="session")
def make_context() -> Callable[..., AgentContext]:
    """An open market and a good quote; fields of either context are changed by name, `regime` by its word."""

    def make(*, regime: Regime = Regime.NORMAL, **changes: Any) -> AgentContext:
        market = StrategyContext(
            now_us=OPEN_US + 1_000_000,
            session=date(2016, 1, 4),
            session_open_us=OPEN_US,
            session_close_us=CLOSE_US,
            history=StoredHistory({}, date(2016, 1, 4)),
            quotes={},
            ratios={},
            instruments={},
            vix=None,
            spy=None,
            equity=Decimal(10_000),
            cash=Decimal(10_000),
            open_instruments=frozenset(),
            open_in_strategy=0,
            entries_this_session=0,
            switches=FULL,
            account_kind=AccountKind.PAPER,
            dataset=False,
            new_correlation=lambda: CorrelationId("C0"),
        )
        own = ("open_in_strategy", "entries_this_session", "cash")
        of_market = {name: value for name, value in changes.items() if name in _MARKET_FIELDS - set(own)}
        context = AgentContext(
            market=replace(market, **of_market),
            regime=_reading(regime),
            quote=Quote(ABC, 9.39, 9.40, OPEN_US, OPEN_US, Provenance.REPLAY),
            completed_bars=263,
            prices=EntryPrices(Decimal("9.40"), Decimal("8.64"), Decimal("9.96")),
            sizing=Sizing(Decimal(12), Decimal(120), "strategy"),
            open_in_strategy=0,
            entries_this_session=0,
            cash=Decimal(10_000),
        )
        return replace(context, **{name: changes[name] for name in changes if name not in of_market})

    return make


@pytest.fixture(scope="session")
def quote_of() -> Callable[..., Quote]:
    """A quote of ABC, so old when the market of `make_context` looks at it."""

    def make(bid: float | None, ask: float | None, age_s: float = 1.0) -> Quote:
        seen = OPEN_US + 1_000_000 - int(age_s * 1_000_000)
        return Quote(ABC, bid, ask, seen, seen, Provenance.LIVE)

    return make


@pytest.fixture(scope="session")
def report_of() -> Callable[..., AgentReport]:
    """A report with nothing but a vote."""

    def make(agent: str, vote: Vote, hard: bool = False) -> AgentReport:
        return AgentReport(agent, vote, hard, (f"{agent} says {vote}",), f"{agent} note"[:16])

    return make
