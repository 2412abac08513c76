"""The naive back-test against the independent oracle's tables and its list of every trade, on real bars."""

import csv
import gzip
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.backtest.document import build_document
from engine.backtest.naive import NaiveRule
from engine.backtest.run import BacktestRun, backtest_naive
from engine.execution.matching import GapFill
from engine.model.ids import InstrumentId
from engine.ports import BarColumns
from engine.sources.bar_checks import accepted, check_file
from engine.sources.bar_files import read_bars
from engine.sources.sessions import ExchangeSessions

pytestmark = pytest.mark.shared

ADJ, RAW = "a_us_daily_adj", "a_us_daily_raw_2015_2017"
TABLE = [
    (ADJ, GapFill.GAP, 5, 8833, 54.919, -0.104, 6),
    (ADJ, GapFill.EXACT, 5, 8833, 54.919, -0.087, 6),
    (ADJ, GapFill.GAP, 6, 8828, 55.358, -0.078, 11),
    (ADJ, GapFill.EXACT, 6, 8828, 55.358, -0.064, 11),
    (RAW, GapFill.GAP, 5, 5745, 55.109, 0.006, 11),
    (RAW, GapFill.EXACT, 5, 5745, 55.109, -0.049, 11),
    (RAW, GapFill.GAP, 6, 5727, 55.317, 0.014, 29),
    (RAW, GapFill.EXACT, 6, 5727, 55.317, -0.044, 29),
]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> ExchangeSessions:
    return ExchangeSessions(tmp_path_factory.mktemp("calendar"), date(2026, 11, 20))


@pytest.fixture(scope="module")
def bars(market_data: Path, sessions: ExchangeSessions) -> dict[str, dict[InstrumentId, BarColumns]]:
    return {
        name: accepted(check_file(read_bars(market_data / f"{name}.parquet"), sessions))
        for name in (ADJ, RAW)
    }


@pytest.fixture(scope="module")
def vix(market_data: Path, sessions: ExchangeSessions) -> BarColumns:
    file = read_bars(market_data / "a_vix_daily.parquet", "VIX")
    return accepted(check_file(file, sessions))[InstrumentId("VIX.US")]


def figures(summary: Any) -> tuple[int, float, float]:
    return summary["trades"], round(summary["win_pct"], 3), round(summary["avg_ret_pct"], 3)


def document(run: BacktestRun, vix: BarColumns) -> Any:
    return build_document(run.rows, run.truncated, vix, with_rows=True)


@pytest.mark.parametrize(("name", "fill", "hold", "trades", "win_pct", "avg_ret_pct", "truncated"), TABLE)
def test_figures_are_the_oracles(
    bars: Any,
    vix: BarColumns,
    name: str,
    fill: GapFill,
    hold: int,
    trades: int,
    win_pct: float,
    avg_ret_pct: float,
    truncated: int,
) -> None:
    found = document(backtest_naive(bars[name], NaiveRule(fill=fill, max_sessions=hold)), vix)
    assert figures(found) == (trades, win_pct, avg_ret_pct)
    assert len(found["truncated"]) == truncated


def test_split_by_vix_is_the_oracles(bars: Any, vix: BarColumns) -> None:
    by_regime = document(backtest_naive(bars[ADJ], NaiveRule()), vix)["by_regime"]
    assert figures(by_regime["VIX<25"]) == (4544, 56.250, 0.231)
    assert figures(by_regime["VIX>=25"]) == (4289, 53.509, -0.458)


def test_dates_bound_the_entry_only(bars: Any, vix: BarColumns) -> None:
    run = backtest_naive(bars[RAW], NaiveRule(), date(2016, 1, 4), date(2016, 3, 31))
    assert figures(document(run, vix)) == (1537, 53.546, -0.359)


@pytest.mark.parametrize(("name", "trades"), [(ADJ, "adj"), (RAW, "raw")])
def test_every_trade_is_the_oracles(market_data: Path, bars: Any, name: str, trades: str) -> None:
    with gzip.open(market_data / f"a_baseline_trades_{trades}.csv.gz", "rt", newline="") as text:
        expected = {(row["symbol"], row["date"]): row for row in csv.DictReader(text)}
    rows = backtest_naive(bars[name], NaiveRule()).rows
    assert {(row.symbol, row.session.isoformat()) for row in rows} == set(expected)
    for row in rows:
        oracle = expected[row.symbol, row.session.isoformat()]
        assert (row.exit_reason, row.sessions) == (oracle["exit"], int(oracle["bars"]))
        assert abs(row.ret - float(oracle["ret"])) < 1e-6
        assert abs(row.entry - float(oracle["entry"])) < 1e-6
