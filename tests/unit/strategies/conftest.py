import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.features.history import StoredHistory
from engine.model.ids import CorrelationId, InstrumentId, instrument_id
from engine.model.market import Provenance, Quote
from engine.model.positions import AccountKind
from engine.ports import BarColumns
from engine.risk.limits import FULL, RiskConfig
from engine.strategies.base import StrategyContext
from engine.strategies.gaps import Gaps
from engine.strategies.gaps_config import GapsConfig

SESSION, PREVIOUS = date(2016, 1, 4), date(2016, 1, 1)
OPEN_US = int(datetime(2016, 1, 4, 14, 30, tzinfo=UTC).timestamp() * 1e6)
CLOSE_US = OPEN_US + 6 * 3_600_000_000 + 1_800_000_000


@pytest.fixture(scope="session")
def make_bars() -> Callable[..., BarColumns]:
    """Flat daily bars on consecutive weekdays that end before `session`."""

    def make(
        symbol: str, closes: np.ndarray | list[float], volume: float = 2e6, session: date = SESSION
    ) -> BarColumns:
        close = np.array(closes, dtype=np.float64)
        size = len(close)
        days = np.busday_offset(np.datetime64(session, "D"), np.arange(-size, 0), roll="forward")
        copies = [close.copy() for _ in range(4)]
        return BarColumns(
            instrument_id(symbol),
            days.astype("datetime64[D]"),
            *copies,
            np.full(size, volume),
            np.ones(size),
        )

    return make


@dataclass
class Scene:
    """A session under construction: add stocks, change anything, then `context()`."""

    make_bars: Callable[..., BarColumns]
    bars: dict[InstrumentId, BarColumns] = field(default_factory=dict)
    quotes: dict[InstrumentId, Quote] = field(default_factory=dict)
    ratios: dict[InstrumentId, float] = field(default_factory=dict)
    changes: dict[str, Any] = field(default_factory=dict)

    def stock(
        self,
        symbol: str,
        price: float,
        prev_close: float = 10.0,
        volume: float = 2e6,
        bars: int = 263,
        bid: float | None = None,
    ) -> InstrumentId:
        """A stock that closed at `prev_close` and is quoted at `price` (bid = ask unless `bid` is given)."""
        closes = prev_close * (1 + 0.02 * np.sin(1.3 * np.arange(bars)))
        if bars:
            closes[-1] = prev_close
            self.bars[instrument_id(symbol)] = self.make_bars(symbol, closes, volume)
        self.quote(symbol, price if bid is None else bid, price)
        return instrument_id(symbol)

    def quote(self, symbol: str, bid: float | None, ask: float | None, age_us: int = 0) -> None:
        name = instrument_id(symbol)
        seen = OPEN_US - age_us
        self.quotes[name] = Quote(name, bid, ask, seen, seen, Provenance.REPLAY)

    def index(self, symbol: str, last: float) -> BarColumns:
        """300 closes around 20 (VIX) or 200 (SPY) that end at `last`."""
        level = 20.0 if symbol == "VIX" else 200.0
        closes = level * (1 + 0.05 * np.sin(np.arange(300) / 9))
        closes[-1] = last
        return self.make_bars(symbol, closes)

    def context(self, **changes: Any) -> StrategyContext:
        numbers = itertools.count()
        context = StrategyContext(
            now_us=OPEN_US,
            session=SESSION,
            session_open_us=OPEN_US,
            session_close_us=CLOSE_US,
            history=StoredHistory(self.bars, SESSION),
            quotes=self.quotes,
            ratios=self.ratios,
            instruments={},
            vix=self.index("VIX", 19.0),
            spy=self.index("SPY", 201.0),
            equity=Decimal(10_000),
            cash=Decimal(10_000),
            open_instruments=frozenset(),
            open_in_strategy=0,
            entries_this_session=0,
            switches=FULL,
            account_kind=AccountKind.PAPER,
            dataset=False,
            new_correlation=lambda: CorrelationId(f"C{next(numbers)}"),
            previous_session=PREVIOUS,
        )
        return replace(context, **{**self.changes, **changes})


@pytest.fixture
def scene(make_bars: Callable[..., BarColumns]) -> Scene:
    return Scene(make_bars)


@pytest.fixture(scope="session")
def make_gaps() -> Callable[..., Gaps]:
    """The strategy with changed settings; its agents are timed by a clock that stands."""

    def make(**settings: Any) -> Gaps:
        return Gaps(GapsConfig(**settings), RiskConfig(), lambda: 0)

    return make
