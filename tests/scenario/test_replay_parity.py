"""The real engine on stored days makes the round trips that the back-test says, row by row (SPEC 9.8)."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from engine.execution.matching import GapFill
from engine.risk.limits import DATASET, NONE, LimitSwitches
from engine.sources.sessions import ExchangeSessions
from storage.paths import folder_state
from tui.wiring.market import BarInputs, MarketData
from tui.wiring.research import BacktestOptions, backtest_document, backtest_of, replay_document, run_document
from tui.wiring.runtime import Runtime

FIRST, LAST = date(2016, 1, 4), date(2016, 3, 31)


def _silent(line: str) -> None:
    assert line


def _backtest(run: Any, limits: bool) -> BacktestOptions:
    options, replayed = run.options, run.replay
    state = folder_state(options.home, options.state.folder.parent / "backtest")
    return BacktestOptions(
        options.settings,
        options.home,
        state,
        replayed.inputs,
        replayed.first,
        replayed.last,
        replayed.fill,
        options.settings.config.gaps.max_sessions,
        limits,
    )


@pytest.mark.parametrize("fill", list(GapFill))
@pytest.mark.parametrize("switches", [NONE, DATASET], ids=["free", "limited"])
@pytest.mark.parametrize("seed", [7, 8])
async def test_generated_days_replay_as_the_back_test_says(
    seed: int,
    switches: LimitSwitches,
    fill: GapFill,
    generate_market: Callable[[int], Any],
    options: Callable[..., Any],
    runtime: Callable[[Any, Any], Runtime],
    sessions: ExchangeSessions,
) -> None:
    market = generate_market(seed)
    run = options(market.days[0], market.days[-30], switches, fill=fill)
    data = MarketData(market.bars, market.vix, market.spy, ())
    replayed = await run_document(runtime(run, market), data, True, _silent)
    tested = backtest_of(_backtest(run, switches is DATASET), data, sessions, True, _silent)
    assert tested["trades"], "a market without trades proves nothing"
    assert replayed == tested


@pytest.mark.shared
@pytest.mark.parametrize(("switches", "trades"), [(NONE, 1537), (DATASET, 255)], ids=["free", "limited"])
async def test_real_days_replay_as_the_back_test_says(
    switches: LimitSwitches, trades: int, data_folder: Path, options: Callable[..., Any]
) -> None:
    inputs = BarInputs(
        (data_folder / "a_us_daily_raw_2015_2017.parquet",),
        data_folder / "a_vix_daily.parquet",
        data_folder / "a_spy_daily.parquet",
    )
    run = options(FIRST, LAST, switches, inputs=inputs)
    replayed = await replay_document(run.options, run.replay, True, _silent)
    tested = backtest_document(_backtest(run, switches is DATASET), True, _silent)
    assert replayed["trades"] == trades
    assert replayed == tested
