"""The panel of decisions holds the bits that a strategy would have seen, and nothing of the future."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import numpy as np
import pytest

from engine.features.assemble import HISTORY_BARS, Stamp, full_features, gap_breadth, spy_gap, traded_value
from engine.features.decisions import FEATURES, read_decisions, tabulate
from engine.features.history import cut, known_before
from engine.features.panel import BASE, EXTENDED, DecisionPanel, decision_panel
from engine.jit import is_compiling
from engine.model.candidates import FeatureValue
from engine.model.ids import InstrumentId, instrument_id
from engine.model.market import Provenance, Quote
from engine.ports import BarColumns
from engine.strategies.regime import read_regime

DAYS = np.arange(np.datetime64("2014-01-01"), np.datetime64("2015-09-01"))
NOW = Stamp(1, 1, "")
Bars = Mapping[InstrumentId, BarColumns]


@pytest.fixture(scope="module")
def make_stock() -> Callable[..., BarColumns]:
    """Bars of a stock that often gaps down, on its last `rows` days, with a split in the middle."""

    def make(symbol: str, rows: int, seed: int, gap_sd: float = 0.03) -> BarColumns:
        rng = np.random.default_rng(seed)
        opened, moved = rng.normal(0, gap_sd, rows), rng.normal(0.001, 0.02, rows)
        close = 10 * np.exp(np.cumsum(opened + moved))
        open_ = close / np.exp(moved)
        ratio = np.where(rng.random(rows) < 0.03, 0.995, 1.0)
        ratio[rows // 2] = 0.5
        held = np.cumprod(ratio)
        bars = [open_ * held, np.maximum(open_, close) * 1.01 * held, np.minimum(open_, close) * 0.99 * held]
        volume = np.floor(rng.uniform(5e5, 2e6, rows) / held)
        volume[rng.random(rows) < 0.01] = 0.0
        return BarColumns(instrument_id(symbol), DAYS[-rows:], *bars, close * held, volume, ratio)

    return make


@pytest.fixture(scope="module")
def market(make_stock: Callable[..., BarColumns]) -> Bars:
    stocks = [make_stock("AAA", len(DAYS), 1), make_stock("BBB", 300, 2), make_stock("CCC", 40, 3)]
    return {bars.instrument: bars for bars in stocks}


@pytest.fixture(scope="module")
def vix(make_stock: Callable[..., BarColumns]) -> BarColumns:
    bars = make_stock("VIX", len(DAYS), 4)
    level = np.clip(bars.close / np.cumprod(bars.event_ratio), 9, 80)
    return BarColumns(bars.instrument, bars.day, level, level, level, level, bars.volume, np.ones(len(level)))


@pytest.fixture(scope="module")
def spy(make_stock: Callable[..., BarColumns]) -> BarColumns:
    bars = make_stock("SPY", len(DAYS), 5, 0.005)
    return cut(bars, 0, len(bars) - 1)


@pytest.fixture(scope="module")
def panel(market: Bars, vix: BarColumns, spy: BarColumns) -> DecisionPanel:
    return decision_panel(market, vix, spy)


def _bits(value: float | None) -> str:
    return (float("nan") if value is None else value).hex()


def _told(panel: DecisionPanel, at: int, values: tuple[FeatureValue, ...]) -> tuple[list[str], list[str]]:
    names = [value.id for value in values]
    return [_bits(float(panel.values[name][at])) for name in names], [_bits(value.value) for value in values]


def test_there_is_a_row_for_each_deep_gap(panel: DecisionPanel, market: Bars) -> None:
    expected = []
    for number, bars in enumerate(market.values()):
        gaps = bars.open[1:] / (bars.close[:-1] * bars.event_ratio[1:]) - 1
        expected += [(bars.day[row + 1], number, row + 1) for row in np.flatnonzero(gaps <= -0.03)]
    found = list(zip(panel.day, panel.instrument.tolist(), panel.row.tolist(), strict=True))
    assert found == sorted(expected)
    assert len(panel) > 100
    assert panel.instruments == tuple(market)
    assert set(EXTENDED) <= set(panel.values)
    assert EXTENDED[: len(BASE)] == BASE


def test_each_row_says_what_a_decision_at_that_open_sees(panel: DecisionPanel, market: Bars) -> None:
    for at in range(len(panel)):
        bars = market[panel.instruments[panel.instrument[at]]]
        row = int(panel.row[at])
        history = cut(bars, max(0, row - HISTORY_BARS), row)
        ratio, price = float(bars.event_ratio[row]), float(bars.open[row])
        quote = Quote(bars.instrument, price, price, 1, 1, Provenance.REPLAY)
        ours, theirs = _told(panel, at, full_features(history, ratio, price, quote))
        assert ours == theirs, (bars.instrument, row)
        assert (panel.entry[at], panel.completed_bars[at]) == (price, row)
        assert panel.prev_close[at] == bars.close[row - 1] * ratio
    assert set(FEATURES) == {value.id for value in full_features(history, ratio, price, quote)}


def test_the_market_of_each_row_is_that_of_its_morning(
    panel: DecisionPanel, market: Bars, vix: BarColumns, spy: BarColumns
) -> None:
    for at in range(0, len(panel), 7):
        session: date = panel.day[at].item()
        reading = read_regime(vix, spy, session, session - timedelta(days=1))
        values = (reading.vix_close, reading.vix_pct_252, reading.vix_regime, reading.spy_dist_200)
        row = int(np.searchsorted(spy.day, panel.day[at]))
        if row < len(spy):
            ratio, price = float(spy.event_ratio[row]), float(spy.open[row])
            values += (spy_gap(known_before(spy, session), ratio, price, NOW),)
        ours, theirs = _told(panel, at, (*values, _breadth(market, session)))
        assert ours == theirs, session


def _breadth(market: Bars, session: date) -> FeatureValue:
    gaps, traded = [], []
    for bars in market.values():
        known = known_before(bars, session)
        if len(known) and len(known) < len(bars):
            prior = float(known.close[-1]) * float(bars.event_ratio[len(known)])
            gaps.append(float(bars.open[len(known)]) / prior - 1)
            traded.append(value if (value := traded_value(known).value) is not None else float("nan"))
    return gap_breadth(np.array(gaps), np.array(traded), NOW)


def test_the_future_changes_no_row(
    panel: DecisionPanel, market: Bars, vix: BarColumns, spy: BarColumns
) -> None:
    for day in (date(2014, 9, 1), date(2015, 3, 1), date(2015, 8, 20)):
        before = {name: known_before(bars, day) for name, bars in market.items()}
        part = decision_panel(before, known_before(vix, day), known_before(spy, day))
        rows = panel.day < np.datetime64(day, "D")
        assert len(part) == rows.sum()
        for name, values in part.values.items():
            np.testing.assert_array_equal(values, panel.values[name][rows], err_msg=name)


def test_the_first_and_last_session_cut_the_rows_and_nothing_else(
    panel: DecisionPanel, market: Bars, vix: BarColumns, spy: BarColumns
) -> None:
    first, last = date(2015, 2, 1), date(2015, 5, 1)
    part = decision_panel(market, vix, spy, first=first, last=last)
    rows = (panel.day >= np.datetime64(first)) & (panel.day <= np.datetime64(last))
    np.testing.assert_array_equal(part.row, panel.row[rows])
    for name, values in part.values.items():
        np.testing.assert_array_equal(values, panel.values[name][rows], err_msg=name)


def test_compiled_code_reads_the_same_bits(market: Bars, panel: DecisionPanel) -> None:
    if not is_compiling():
        pytest.skip("needs numba: install the extra research")
    table = tabulate(list(market.values()))
    at = table.starts[panel.instrument] + panel.row
    plain, compiled = (read_decisions(table, at, is_compiled) for is_compiled in (False, True))
    for name in FEATURES:
        np.testing.assert_array_equal(compiled[name].view(np.int64), plain[name].view(np.int64), err_msg=name)


def test_without_vix_and_spy_their_features_are_missing(market: Bars) -> None:
    panel = decision_panel(market, None, None)
    for name in ("vix_close", "vix_regime", "spy_dist_200", "spy_gap"):
        assert np.isnan(panel.values[name]).all(), name
    assert np.isfinite(panel.values["gap_breadth"]).any()


def test_a_vix_that_stops_is_stale_and_not_the_last_known(market: Bars, vix: BarColumns) -> None:
    panel = decision_panel(market, cut(vix, 0, 400), None)
    is_stale = panel.day > vix.day[400]
    assert np.isnan(panel.values["vix_regime"][is_stale]).all()
    assert np.isfinite(panel.values["vix_regime"][~is_stale][panel.day[~is_stale] > DAYS[80]]).all()


def test_no_bars_and_unusable_bars_make_no_rows(make_bars: Callable[..., BarColumns]) -> None:
    assert len(decision_panel({}, None, None)) == 0
    bars = make_bars([10.0, 0.0, 5.0, 4.0])
    empty = cut(make_bars([1.0]), 0, 0)
    panel = decision_panel({bars.instrument: bars, instrument_id("E"): empty}, None, None)
    # Neither an open of 0 nor one after a close of 0 is a gap; the last bar opens a fifth lower.
    assert panel.row.tolist() == [3]
