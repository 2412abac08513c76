"""The real engine with the full rule makes the round trips that the back-test says, row by row (SPEC 9.8).

The thresholds are lax, so that there are trades to compare; the model is a small one, trained for the test.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.backtest.brackets import tape_of
from engine.backtest.costs import Costs
from engine.backtest.document import build_document
from engine.backtest.full import read_rows
from engine.backtest.outlook import look_out
from engine.backtest.replayed import replayed_rows
from engine.backtest.study import Terms
from engine.features.panel import BASE, decision_panel
from engine.learn.fitting import FitSettings, fit_gaps
from engine.learn.lightgbm_model import GapsModel
from engine.learn.walkforward import Quarter, QuarterShelf
from engine.ports import BarColumns
from engine.risk.limits import LimitSwitches, RiskConfig
from engine.sources.sessions import ExchangeSessions
from engine.strategies.gaps_config import GapsConfig, GapsRule
from engine.strategies.knowledge import Knowledge
from engine.strategies.population import populate
from storage.paths import folder_state
from tui.wiring.market import BarInputs, MarketData, load_market
from tui.wiring.replay import replay_market
from tui.wiring.research import run_document
from tui.wiring.runtime import Runtime

LIFT = 0.0105
SWITCHES = LimitSwitches("full dataset", True, True, True, True, True)
LAX = GapsConfig(
    rule=GapsRule.FULL,
    q_min=0.40,
    q_min_highvix=0.40,
    bcs_min=1.0,
    bcs_min_highvix=1.0,
    rsi2_max=40.0,
    dist_200_min=-0.30,
    slippage_max_pct=5.0,
    price_max=1e6,
)


@dataclass(frozen=True)
class Taught:
    """A market, and a model of its own gaps before `since`."""

    data: MarketData
    model: GapsModel
    since: date


def teach(data: MarketData, since: date, inputs: tuple[str, ...] = BASE) -> Taught:
    panel = decision_panel(data.bars, data.vix, data.spy)
    population = populate(data.bars, panel, LAX)
    events = replace(population, trains=np.ones(len(panel), dtype=bool)).events(inputs)
    before = int(np.searchsorted(population.axis, np.datetime64(since)))
    fitted = fit_gaps(events.take(events.learnable(before)), FitSettings(), "gaps-parity")
    assert fitted is not None
    return Taught(data, replace(fitted.model, returns=replace(fitted.model.returns, target=0.2)), since)


def backtest(taught: Taught, last: date) -> dict[str, object]:
    data = taught.data
    panel = decision_panel(data.bars, data.vix, data.spy, first=taught.since, last=last)
    shelf = QuarterShelf((Quarter(taught.since, last, 0, taught.model, np.zeros((2, 2)), None),))
    rows = read_rows(panel, look_out(panel, shelf), data.bars, tape_of(data.bars))
    terms = Terms(LAX, RiskConfig(), Costs(), 10_000.0, 1)
    return build_document(*replayed_rows(rows, terms), data.vix, with_rows=True)


async def replay(
    taught: Taught, last: date, options: Callable[..., Any], sessions: ExchangeSessions
) -> dict[str, object]:
    made = options(taught.since, last, SWITCHES)
    config = replace(made.options.settings.config, gaps=LAX)
    run = replace(made.options, settings=replace(made.options.settings, config=config))
    market = replay_market(made.replay, taught.data, sessions, run.state.folder.name)
    knowledge = Knowledge(model=lambda session: taught.model)
    runtime = Runtime(run, replace(market, knowledge=knowledge), sessions)
    return await run_document(runtime, taught.data, True, lambda line: None)


def differences(one: Any, other: Any) -> list[object]:
    return [pair for pair in zip(one["rows"], other["rows"], strict=False) if pair[0] != pair[1]]


def lifted(bars: BarColumns) -> BarColumns:
    """Without the fall of the generated prices, about 1 % a session, that no falling knife filter passes."""
    rise = np.exp(LIFT * np.arange(len(bars)))
    return replace(
        bars, open=bars.open * rise, high=bars.high * rise, low=bars.low * rise, close=bars.close * rise
    )


@pytest.mark.parametrize("seed", [7, 8])
async def test_generated_days_replay_as_the_back_test_says(
    seed: int, generate_market: Callable[..., Any], options: Callable[..., Any], sessions: ExchangeSessions
) -> None:
    market = generate_market(seed, 60, 400)
    bars = {name: lifted(columns) for name, columns in market.bars.items()}
    taught = teach(MarketData(bars, market.vix, market.spy, ()), market.days[330])
    replayed = await replay(taught, market.days[-20], options, sessions)
    tested = backtest(taught, market.days[-20])
    assert isinstance(tested["trades"], int)
    assert tested["trades"] > 10, "a market without trades proves nothing"
    assert replayed == tested, differences(replayed, tested)


@pytest.mark.shared
async def test_real_days_replay_as_the_back_test_says(
    data_folder: Path, tmp_path: Path, options: Callable[..., Any], sessions: ExchangeSessions, home: Any
) -> None:
    inputs = BarInputs(
        (data_folder / "a_us_daily_raw_2015_2017.parquet",),
        data_folder / "a_vix_daily.parquet",
        data_folder / "a_spy_daily.parquet",
    )
    data = load_market(inputs, folder_state(home, tmp_path / "bars"), sessions)
    taught = teach(data, date(2016, 9, 1))
    replayed = await replay(taught, date(2016, 12, 30), options, sessions)
    tested = backtest(taught, date(2016, 12, 30))
    assert isinstance(tested["trades"], int)
    assert tested["trades"] > 20
    assert replayed == tested, differences(replayed, tested)
