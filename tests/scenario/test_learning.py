"""Learning from real bars: what was measured of them (SPEC 3.3.7), and that nothing looks ahead."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from engine.features.panel import BASE, EXTENDED, decision_panel
from engine.learn.events import Events
from engine.learn.fitting import FitSettings, Fitted, fit_gaps
from engine.learn.labels import TRUNCATED
from engine.model.ids import InstrumentId
from engine.ports import BarColumns
from engine.sources.bar_checks import accepted, check_file
from engine.sources.bar_files import read_bars
from engine.sources.sessions import ExchangeSessions
from engine.strategies.gaps_config import GapsConfig
from engine.strategies.population import Population, populate

pytestmark = pytest.mark.shared

EVERY = 4
"""Of the symbols, so that the test is quick."""
CUT = np.datetime64("2018-07-02")


@dataclass(frozen=True)
class Market:
    bars: dict[InstrumentId, BarColumns]
    vix: BarColumns
    spy: BarColumns

    def until(self, last: np.datetime64) -> "Market":
        return Market(
            {name: upto(columns, last) for name, columns in self.bars.items()},
            upto(self.vix, last),
            upto(self.spy, last),
        )

    def population(self) -> Population:
        return populate(self.bars, decision_panel(self.bars, self.vix, self.spy), GapsConfig())


def upto(columns: BarColumns, last: np.datetime64) -> BarColumns:
    keep = columns.day <= last
    names = ("day", "open", "high", "low", "close", "volume", "event_ratio")
    return replace(columns, **{name: getattr(columns, name)[keep] for name in names})


@pytest.fixture(scope="module")
def market(market_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Market:
    sessions = ExchangeSessions(tmp_path_factory.mktemp("calendar"), date(2026, 11, 20))

    def read(name: str, symbol: str | None = None) -> dict[InstrumentId, BarColumns]:
        return accepted(check_file(read_bars(market_data / f"{name}.parquet", symbol), sessions))

    bars = read("a_us_daily_adj")
    (vix,) = read("a_vix_daily", "VIX").values()
    (spy,) = read("a_spy_daily", "SPY").values()
    return Market({name: bars[name] for name in sorted(bars)[::EVERY]}, vix, spy)


@pytest.fixture(scope="module")
def population(market: Market) -> Population:
    return market.population()


def known(events: Events) -> Events:
    return events.take(events.learnable(int(events.session.max()) + 99))


def fit(events: Events) -> Fitted:
    found = fit_gaps(events, FitSettings(), "toy")
    assert found is not None
    return found


def auc(half: object) -> float:
    found = half.skill().auc  # type: ignore[attr-defined]
    assert found is not None
    return float(found)


def test_a_touch_can_be_foreseen_and_the_bounce_cannot(population: Population) -> None:
    found = fit(known(population.events(EXTENDED)))
    assert auc(found.touch) > 0.75
    assert 0.44 < auc(found.bounce) < 0.58
    returns = found.model.returns
    assert (returns.target, returns.stop) == (
        pytest.approx(0.063, abs=0.004),
        pytest.approx(-0.084, abs=0.004),
    )


def test_labels_shuffled_in_time_teach_nothing(population: Population) -> None:
    events = known(population.events(BASE))
    random = np.random.default_rng(1)
    for _ in range(2):
        order = random.permutation(len(events))
        shuffled = replace(events, way=events.way[order], ret=events.ret[order])
        found = fit(shuffled)
        assert auc(found.touch) == pytest.approx(0.5, abs=0.05)
        assert auc(found.bounce) == pytest.approx(0.5, abs=0.05)


def test_truncating_the_future_changes_no_past_training_row(market: Market, population: Population) -> None:
    before = market.until(CUT).population()
    whole, part = population.events(EXTENDED), before.events(EXTENDED)
    place = int(np.searchsorted(population.axis, CUT, side="right"))
    assert len(before.axis) == place
    kept = np.flatnonzero(whole.session < place)
    past = whole.take(kept)
    assert len(part) == len(past) > 500
    for name in ("x", "session", "trains", "traded"):
        changed = getattr(past, name) != getattr(part, name)
        if name == "trains":  # whether a window was too long to learn from is known when it ends
            changed &= (past.known < place) & (past.way != TRUNCATED)
        assert not changed.any(), name
    told = (past.known < place) & (past.way != TRUNCATED)
    assert told.sum() > 500
    for name in ("way", "ret", "left", "known"):
        assert np.array_equal(getattr(past, name)[told], getattr(part, name)[told]), name
    assert (part.way[~told] == TRUNCATED).all()


def test_what_is_traded_is_a_part_of_what_is_learned_from(population: Population) -> None:
    assert population.traded.sum() > 20
    assert (population.trains[population.traded]).all()
    gap = population.panel.values["gap_dn"][population.traded]
    assert gap.max() <= -0.05 + 1e-9
    assert gap.min() >= -0.25 - 1e-9
