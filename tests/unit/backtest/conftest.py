"""Bars by hand: twenty quiet sessions at 10.00 with 10 M USD a day, then the rows that the test writes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from engine.backtest.brackets import tape_of
from engine.backtest.costs import Costs
from engine.backtest.full import Rows, read_rows
from engine.backtest.outlook import Outlook
from engine.backtest.study import Study, Terms, run_study
from engine.features.panel import decision_panel
from engine.model.ids import instrument_id
from engine.ports import BarColumns
from engine.risk.limits import RiskConfig
from engine.strategies.gaps_config import GapsConfig

_QUIET = 20
_START = np.datetime64("2016-01-04")

Row = tuple[float, float, float, float]


@pytest.fixture
def bars_of() -> Callable[..., BarColumns]:
    """`rows` (open, high, low, close) from bar 20 on; `ratios` maps a bar to its event ratio."""

    def build(
        symbol: str,
        rows: Sequence[Row],
        ratios: dict[int, float] | None = None,
        missing: Sequence[int] = (),
        volume: float = 1e6,
    ) -> BarColumns:
        prices = np.array([(10.0, 10.0, 10.0, 10.0)] * _QUIET + list(rows))
        days = np.busday_offset(_START, np.arange(len(prices) + len(missing)), roll="forward")
        days = np.delete(days, [_QUIET + gap for gap in missing]).astype("datetime64[D]")
        ratio = np.ones(len(prices))
        for at, value in (ratios or {}).items():
            ratio[_QUIET + at] = value
        return BarColumns(instrument_id(symbol), days, *prices.T.copy(), np.full(len(prices), volume), ratio)

    return build


NAMES = ("CCC", "AAA", "BBB", "DDD")
DECISIONS = (300, 320, 340)
"""Rows of the bars on which all of them open 6 % lower."""


@pytest.fixture
def small_rows() -> Rows:
    """Four stocks that gap together three times, with a forecast that is good enough each time."""
    random = np.random.default_rng(3)
    days = np.busday_offset("2015-01-05", np.arange(360), roll="forward").astype("datetime64[D]")
    bars = {}
    for name in NAMES:
        close = 10 * np.cumprod(1 + random.normal(0, 0.01, len(days)))
        opens = np.append(10.0, close[:-1]) * (1 + random.normal(0, 0.002, len(days)))
        for row in DECISIONS:
            opens[row] = close[row - 1] * 0.94
        high, low = np.maximum(opens, close) * 1.01, np.minimum(opens, close) * 0.99
        instrument = instrument_id(name)
        volume = np.full(len(days), 2e6)
        bars[instrument] = BarColumns(instrument, days, opens, high, low, close, volume, np.ones(len(days)))
    found = decision_panel(bars, None, None)
    keep = np.isin(found.row, DECISIONS)
    count = int(keep.sum())
    good = {"gap_dn": -0.06, "rsi2": 2.0, "dist_200": 0.01, "z5": -2.5, "vix_close": 15.0, "vix_pct_252": 0.2}
    values = {name: column[keep] for name, column in found.values.items()}
    values |= {name: np.full(count, value) for name, value in (good | {"spy_dist_200": 0.05}).items()}
    values |= {name: np.zeros(count) for name in ("knife_share_63", "liquidity_delta_pct", "volume_fade")}
    columns = ("instrument", "day", "row", "entry", "prev_close", "completed_bars")
    panel = replace(found, values=values, **{name: getattr(found, name)[keep] for name in columns})
    outlook = Outlook(
        *(np.full(count, value) for value in (0.8, 0.70, 0.06, -0.08, 0.0)),
        outside=np.zeros(count, dtype=np.int64),
        is_usable=np.zeros(count, dtype=bool),
        model=np.zeros(count, dtype=np.int64),
        model_ids=("gaps-test",),
    )
    return read_rows(panel, outlook, bars, tape_of(bars))


@pytest.fixture
def small_study(small_rows: Rows) -> Callable[[], Study]:
    """The whole study of them."""
    terms = Terms(GapsConfig(), RiskConfig(), Costs(), 10_000.0, 29)
    quarters = [date(2016, 1, 1), date(2016, 4, 1), date(2017, 1, 1)]
    return lambda: run_study(small_rows, small_rows.tape, (), None, terms, quarters)
