import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.features.panel import DecisionPanel
from engine.learn.boosting import BoostParams
from engine.learn.events import Events
from engine.learn.fitting import FitSettings, Fitted, fit_gaps
from engine.learn.manifest import Standing
from engine.learn.modelfiles import Packed, Provenance, pack
from engine.model.ids import InstrumentId, instrument_id
from engine.ports import BarColumns


@pytest.fixture(scope="session")
def oracle(market_data: Path) -> Callable[[str, str], Any]:
    """The worked example `section`/`id` of the oracle file beside the market data."""
    path = market_data.parent / "oracles" / "oracles.json"
    if not path.is_file():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    entries = json.loads(path.read_text())

    def find(section: str, example: str) -> Any:
        return next(entry for entry in entries if (entry["section"], entry["id"]) == (section, example))

    return find


@pytest.fixture(scope="session")
def make_bars() -> Callable[..., BarColumns]:
    """Daily bars from rows of (open, high, low, close) on consecutive weekdays."""

    def make(rows: Any, symbol: str = "ABC", ratios: Any = None, first: str = "2016-01-04") -> BarColumns:
        prices = np.array(rows, dtype=np.float64).T.copy()
        size = prices.shape[1]
        days = np.busday_offset(np.datetime64(first), np.arange(size), roll="forward").astype("datetime64[D]")
        ratio = np.ones(size) if ratios is None else np.array(ratios, dtype=np.float64)
        return BarColumns(instrument_id(symbol), days, *prices, np.full(size, 1e6), ratio)

    return make


@pytest.fixture(scope="session")
def make_panel() -> Callable[..., DecisionPanel]:
    """A panel that buys the open of the named rows of each instrument."""

    def make(bars: Mapping[InstrumentId, BarColumns], rows: Mapping[InstrumentId, Any]) -> DecisionPanel:
        names = tuple(sorted(bars))
        owner = np.concatenate([np.full(len(rows[name]), k) for k, name in enumerate(names)])
        row = np.concatenate([np.asarray(rows[name], dtype=np.int64) for name in names])
        pairs = [(bars[names[k]], r) for k, r in zip(owner.tolist(), row.tolist(), strict=True)]
        return DecisionPanel(
            instruments=names,
            instrument=owner.astype(np.int32),
            day=np.array([b.day[r] for b, r in pairs], dtype="datetime64[D]"),
            row=row,
            entry=np.array([b.open[r] for b, r in pairs]),
            prev_close=np.array([b.close[max(r - 1, 0)] for b, r in pairs]),
            completed_bars=row.copy(),
            values={},
        )

    return make


@pytest.fixture(scope="session")
def make_events() -> Callable[..., Events]:
    """Seeded events over `sessions`, with inputs a..g; `signal` 0 makes outcomes independent of them.

    Input a moves the chance of a touch, b that of the target given a touch.
    """

    def make(
        count: int = 1500, sessions: int = 1500, signal: float = 1.5, seed: int = 0, traded: float = 0.5
    ) -> Events:
        random = np.random.default_rng(seed)
        session = np.sort(random.integers(0, sessions, count))
        x = random.normal(size=(count, 7))
        touched = random.random(count) < 1 / (1 + np.exp(-(0.8 + signal * x[:, 0])))
        bounced = random.random(count) < 1 / (1 + np.exp(-(0.2 + signal * x[:, 1])))
        way = np.where(touched, np.where(bounced, 0, 1), 2).astype(np.int8)
        return Events(
            inputs=tuple("abcdefg"),
            x=x,
            row=np.arange(count),
            session=session,
            left=session + random.integers(0, 5, count),
            known=session + 4,
            way=way,
            ret=np.choose(way, (0.06, -0.08, 0.0)),
            trains=np.ones(count, dtype=bool),
            traded=random.random(count) < traded,
        )

    return make


QUICK = BoostParams(num_leaves=7, learning_rate=0.2, min_child_samples=20)


@pytest.fixture(scope="session")
def settings() -> FitSettings:
    """Few rounds, so that a test takes no time."""
    return FitSettings(QUICK, QUICK, seed=7)


@pytest.fixture(scope="session")
def fitted(make_events: Callable[..., Events], settings: FitSettings) -> Fitted:
    """Boosted models of 1,500 events with a strong signal."""
    found = fit_gaps(make_events(1800), settings, "toy")
    assert found is not None
    return found


@pytest.fixture(scope="session")
def small(make_events: Callable[..., Events], settings: FitSettings) -> Fitted:
    """Logistic models of 300 events."""
    found = fit_gaps(make_events(300), settings, "toy")
    assert found is not None
    return found


@pytest.fixture(scope="session")
def provenance(settings: FitSettings) -> Provenance:
    """What a manifest tells of a toy."""
    return Provenance(
        name="gaps",
        first="2011-01-20",
        last="2016-12-30",
        versions=dict.fromkeys("abcdefg", "1.0.0"),
        settings=settings,
        standing=Standing(False, ("0 traded events were judged",)),
        walk_forward={},
        importance={},
        parent=None,
    )


@pytest.fixture(scope="session")
def packed(fitted: Fitted, provenance: Provenance) -> Packed:
    """The boosted toy as files."""
    return pack(fitted, provenance)
