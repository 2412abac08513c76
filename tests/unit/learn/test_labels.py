from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.backtest.naive import NaiveRule, naive_trades
from engine.features.panel import DecisionPanel
from engine.learn.labels import STOP, TARGET, TIME, TRUNCATED, WAYS, Barriers, WayOut, first_touch, label_rows
from engine.model.ids import InstrumentId
from engine.model.positions import ExitReason
from engine.ports import BarColumns

RULE = Barriers()
PATHS, SESSIONS, STEPS = 20_000, 5, 78
TABLE = {
    0.02: (0.179, 0.059, 0.763),
    0.03: (0.350, 0.212, 0.438),
    0.04: (0.477, 0.327, 0.196),
    0.05: (0.530, 0.396, 0.074),
    0.07: (0.565, 0.429, 0.005),
}
_REASONS = {ExitReason.TARGET: TARGET, ExitReason.STOP: STOP, ExitReason.TIME: TIME}


@pytest.mark.parametrize("example", ["label", "label_time"])
def test_the_worked_examples(oracle: Callable[[str, str], Any], example: str) -> None:
    found = oracle("3", example)
    bars = [tuple(bar) for bar in found["input"]["bars_high_low_close"]]
    touch = first_touch(found["input"]["entry"], bars, RULE)
    way, session, ret = found["expected"]
    assert touch is not None
    assert (touch.way, touch.session) == (WayOut(way), session)
    assert touch.ret == pytest.approx(ret, rel=1e-9)


def test_both_levels_inside_one_bar_is_a_stop() -> None:
    touch = first_touch(10.0, [(10.7, 9.1, 10.5)], RULE)
    assert touch is not None
    assert (touch.way, touch.session) == (WayOut.STOP, 1)


def test_bars_that_end_early_decide_nothing() -> None:
    assert first_touch(10.0, [(10.1, 9.9, 10.0)] * 4, RULE) is None
    assert first_touch(10.0, [], RULE) is None


def label_one(make_bars: Any, make_panel: Any, rows: Any, ratios: Any = None) -> Any:
    bars = make_bars(rows, ratios=ratios)
    market = {bars.instrument: bars}
    return label_rows(market, make_panel(market, {bars.instrument: [0]}), RULE)


def test_a_later_open_beyond_a_level_is_what_the_trade_gets(make_bars: Any, make_panel: Any) -> None:
    flat = (10.0, 10.1, 9.9, 10.0)
    down = label_one(make_bars, make_panel, [flat, (8.5, 8.6, 8.4, 8.5), flat, flat, flat])
    assert (down.way[0], down.sessions[0]) == (STOP, 2)
    assert down.ret[0] == pytest.approx(-0.15)
    up = label_one(make_bars, make_panel, [flat, (11.0, 11.1, 10.9, 11.0), flat, flat, flat])
    assert (up.way[0], up.ret[0]) == (TARGET, pytest.approx(0.10))


def test_an_entry_above_the_open_is_stopped_at_its_level_not_before_it(
    make_bars: Any, make_panel: Any
) -> None:
    flat = (10.0, 11.1, 9.9, 10.0)
    bars = make_bars([flat] * 5)
    market = {bars.instrument: bars}
    later = replace(make_panel(market, {bars.instrument: [0]}), entry=np.array([11.0]))
    found = label_rows(market, later, RULE)
    assert (found.way[0], found.sessions[0], found.ret[0]) == (STOP, 1, pytest.approx(-0.08))


def test_a_split_in_the_window_is_no_move(make_bars: Any, make_panel: Any) -> None:
    before, after = (10.0, 10.1, 9.9, 10.0), (5.0, 5.05, 4.95, 5.1)
    found = label_one(make_bars, make_panel, [before, before, after, after, after], [1, 1, 0.5, 1, 1])
    assert found.way[0] == TIME
    assert found.ret[0] == pytest.approx(0.02)


def test_the_ratio_of_the_entry_session_changes_no_price(make_bars: Any, make_panel: Any) -> None:
    bar = (10.0, 10.1, 9.9, 10.2)
    found = label_one(make_bars, make_panel, [bar] * 5, [0.1, 1, 1, 1, 1])
    assert found.ret[0] == pytest.approx(0.02)


def test_without_the_whole_window_there_is_no_label_even_after_a_touch(
    make_bars: Any, make_panel: Any
) -> None:
    bar = (10.0, 12.0, 9.9, 10.0)
    found = label_one(make_bars, make_panel, [bar] * 4)
    assert found.way[0] == TRUNCATED
    assert np.isnan(found.ret[0])
    assert np.isnat(found.left[0])
    assert np.isnat(found.known[0])


def test_labels_say_when_the_trade_ended_and_when_that_is_known(make_bars: Any, make_panel: Any) -> None:
    flat = (10.0, 10.1, 9.9, 10.0)
    bars = make_bars([flat, (10.0, 10.7, 10.0, 10.6), flat, flat, flat])
    market = {bars.instrument: bars}
    found = label_rows(market, make_panel(market, {bars.instrument: [0]}), RULE)
    assert (found.left[0], found.known[0]) == (bars.day[1], bars.day[4])


def naive_rows(market: Any, rule: NaiveRule) -> tuple[Any, dict[InstrumentId, list[int]]]:
    trades = naive_trades(market.bars, rule)
    rows: dict[InstrumentId, list[int]] = {name: [] for name in market.bars}
    for trade in trades:
        rows[trade.instrument].append(trade.row)
    return trades, rows


def test_labels_are_the_trades_of_the_naive_back_test(generate_market: Any, make_panel: Any) -> None:
    market = generate_market(3)
    trades, rows = naive_rows(market, NaiveRule())
    panel: DecisionPanel = make_panel(market.bars, rows)
    labels = label_rows(market.bars, panel, RULE)
    named = [panel.instruments[k] for k in panel.instrument.tolist()]
    place = {key: at for at, key in enumerate(zip(named, panel.row.tolist(), strict=True))}
    assert len(trades) > 200
    for trade in trades:
        at = place[trade.instrument, trade.row]
        if not trade.is_complete:
            assert labels.way[at] == TRUNCATED
            continue
        assert trade.exit_reason is not None
        assert trade.exit_price is not None
        assert labels.way[at] == _REASONS[trade.exit_reason]
        assert labels.sessions[at] == trade.sessions
        assert labels.ret[at] == pytest.approx(trade.exit_price / trade.entry - 1, abs=1e-12)


def test_truncating_the_future_changes_no_label_known_before(generate_market: Any, make_panel: Any) -> None:
    market = generate_market(4)
    _, rows = naive_rows(market, NaiveRule())
    whole = make_panel(market.bars, rows)
    labels = label_rows(market.bars, whole, RULE)
    cut = np.datetime64(market.days[60], "D")
    shorter = {name: upto(columns, cut) for name, columns in market.bars.items()}
    kept = {name: [r for r in found if r < len(shorter[name])] for name, found in rows.items()}
    part = make_panel(shorter, kept)
    again = label_rows(shorter, part, RULE)
    named = {key: at for at, key in enumerate(zip(whole.instrument, whole.row, strict=True))}
    assert (again.way != TRUNCATED).sum() > 50
    for at, key in enumerate(zip(part.instrument, part.row, strict=True)):
        then = named[key]
        if labels.way[then] != TRUNCATED and labels.known[then] <= cut:
            assert (again.way[at], again.ret[at]) == (labels.way[then], labels.ret[then])
        else:
            assert again.way[at] == TRUNCATED


def upto(columns: BarColumns, last: np.datetime64) -> BarColumns:
    keep = columns.day <= last
    names = ("day", "open", "high", "low", "close", "volume", "event_ratio")
    return replace(columns, **{name: getattr(columns, name)[keep] for name in names})


@pytest.mark.parametrize("volatility", TABLE)
def test_the_driftless_walk_has_the_shares_of_the_table(
    volatility: float, make_bars: Any, make_panel: Any
) -> None:
    random = np.random.default_rng(42)
    sigma = volatility / np.sqrt(STEPS)
    rows = np.empty((PATHS * SESSIONS, 4))
    level = np.full(PATHS, 100.0)
    for session in range(SESSIONS):
        steps = random.normal(-(sigma**2) / 2, sigma, size=(PATHS, STEPS))
        path = level[:, None] * np.exp(np.cumsum(steps, axis=1))
        at = slice(session, None, SESSIONS)
        rows[at, 0] = level
        rows[at, 1] = np.maximum(path.max(axis=1), level)
        rows[at, 2] = np.minimum(path.min(axis=1), level)
        rows[at, 3] = level = path[:, -1]
    bars = make_bars(rows)
    market = {bars.instrument: bars}
    panel = make_panel(market, {bars.instrument: np.arange(0, PATHS * SESSIONS, SESSIONS)})
    way = label_rows(market, panel, RULE).way
    shares = [float((way == code).mean()) for code in range(len(WAYS))]
    assert shares == pytest.approx(TABLE[volatility], abs=0.02)
