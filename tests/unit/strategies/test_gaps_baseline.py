"""Candidates of `propose` against an independent row-by-row form of the published rule."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.features.history import StoredHistory
from engine.model.ids import CorrelationId, InstrumentId, instrument_id
from engine.model.market import Provenance, Quote
from engine.model.positions import AccountKind
from engine.ports import BarColumns
from engine.risk.limits import NONE
from engine.strategies.base import StrategyContext

Bars = Mapping[InstrumentId, BarColumns]
HOUR_US = 3_600_000_000


def _is_trade(bars: BarColumns, t: int) -> bool:
    """The rule as the docstring of baseline_gap.py words it, for row `t` of one symbol."""
    if t < 20:
        return False
    open_ = bars.open[t]
    gap = open_ / (bars.close[t - 1] * bars.event_ratio[t]) - 1
    traded = np.mean(bars.close[t - 20 : t] * bars.volume[t - 20 : t])
    return bool(gap <= -0.03 + 1e-9 and 0.5 - 1e-9 <= open_ <= 20 + 1e-9 and traded >= 5e6)


@dataclass(frozen=True)
class Expected:
    entries: set[tuple[InstrumentId, date]]
    gaps: int


def _expected(all_bars: Bars, days: set[date]) -> Expected:
    entries, gaps = set(), 0
    for name, bars in all_bars.items():
        for t, day in enumerate(bars.day.tolist()):
            if day in days and t:
                gap = bars.open[t] / (bars.close[t - 1] * bars.event_ratio[t]) - 1
                gaps += bool(gap <= -0.03 + 1e-9)
                if _is_trade(bars, t):
                    entries.add((name, day))
    return Expected(entries, gaps)


def _context(
    all_bars: Bars, history: StoredHistory, day: date, vix: BarColumns, spy: BarColumns
) -> StrategyContext:
    opened = int(np.datetime64(day, "us").astype(np.int64)) + 14 * HOUR_US
    quotes, ratios = {}, {}
    for name, bars in all_bars.items():
        row = int(np.searchsorted(bars.day, np.datetime64(day, "D")))
        if row < len(bars) and bars.day[row] == np.datetime64(day, "D"):
            price = float(bars.open[row])
            quotes[name] = Quote(name, price, price, opened, opened, Provenance.REPLAY)
            ratios[name] = float(bars.event_ratio[row])
    numbers = itertools.count()
    return StrategyContext(
        now_us=opened,
        session=day,
        session_open_us=opened,
        session_close_us=opened + 6 * HOUR_US,
        history=history.at(day),
        quotes=quotes,
        ratios=ratios,
        instruments={},
        vix=vix,
        spy=spy,
        equity=Decimal(10_000),
        cash=Decimal(10_000),
        open_instruments=frozenset(),
        open_in_strategy=0,
        entries_this_session=0,
        switches=NONE,
        account_kind=AccountKind.SIMULATION,
        dataset=True,
        new_correlation=lambda: CorrelationId(str(next(numbers))),
    )


def _check(gaps: Any, all_bars: Bars, days: Iterable[date], vix: BarColumns, spy: BarColumns) -> None:
    days = list(days)
    history = StoredHistory(all_bars, days[0])
    seen, proposed = 0, set()
    for day in days:
        verdicts = gaps.propose(_context(all_bars, history, day, vix, spy))
        seen += len(verdicts)
        for verdict in verdicts:
            assert (verdict.proposal is None) == bool(verdict.reason)
            if verdict.proposal is not None:
                proposed.add((verdict.candidate.instrument, day))
                price = verdict.candidate.decision_price
                plan = verdict.proposal.exit_plan
                assert float(verdict.proposal.limit_price) == price
                assert float(plan.stop_price) == price * (1 - 0.08)
                assert float(plan.target_price) == price * (1 + 0.06)
    expected = _expected(all_bars, set(days))
    assert proposed == expected.entries
    assert seen == expected.gaps
    assert len(proposed) > 50


def test_generated_bars_give_the_candidates_of_the_rule(generated_market: Any, make_gaps: Any) -> None:
    market = generated_market
    _check(make_gaps(), market.bars, market.days, market.vix, market.spy)


@pytest.mark.shared
def test_real_raw_bars_give_the_candidates_of_the_rule(market_data: Path, make_gaps: Any) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow, of the extra `research`")
    table = parquet.read_table(market_data / "a_us_daily_raw_2015_2017.parquet")
    symbols = np.array(table["symbol"].to_pylist())
    names = ("open", "high", "low", "close", "volume", "event_ratio")
    fields = {name: table[name].to_numpy().astype(np.float64) for name in names}
    fields["event_ratio"] = np.nan_to_num(fields["event_ratio"], nan=1.0)
    day = table["date"].to_numpy().astype("datetime64[D]")
    order = np.lexsort((day, symbols))
    starts = np.flatnonzero(np.append(True, symbols[order][1:] != symbols[order][:-1]))
    all_bars = {}
    for rows in np.split(order, starts[1:]):
        name = instrument_id(str(symbols[rows[0]]))
        all_bars[name] = BarColumns(name, day[rows], *(fields[field][rows] for field in names))
    sessions = [d for d in np.unique(day) if np.datetime64("2016-01-04") <= d <= np.datetime64("2016-01-13")]
    index = BarColumns(instrument_id("VIX"), day[:0], *(np.empty(0) for _ in range(6)))
    _check(make_gaps(), all_bars, [d.item() for d in sessions], index, index)
