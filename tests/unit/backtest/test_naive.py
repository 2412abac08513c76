"""The rule of the naive back-test, case by case and against a plain loop on generated bars."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from engine.backtest.naive import NaiveRule, NaiveTrade, naive_trades
from engine.execution.matching import GapFill
from engine.model.positions import ExitReason
from engine.ports import BarColumns

RULE = NaiveRule()
FLAT = (9.5, 9.6, 9.4, 9.5)
ENTRY = (9.5, 9.6, 9.4, 9.5)
Build = Callable[..., BarColumns]


def only(columns: BarColumns, rule: NaiveRule = RULE) -> NaiveTrade:
    (trade,) = naive_trades({columns.instrument: columns}, rule)
    return trade


def count(columns: BarColumns, rule: NaiveRule = RULE) -> int:
    return len(naive_trades({columns.instrument: columns}, rule))


@pytest.mark.parametrize(
    ("row", "is_candidate"),
    [
        ((9.7, 9.8, 9.6, 9.7), True),
        ((9.7 + 5e-9, 9.8, 9.6, 9.7), True),
        ((9.7 + 5e-8, 9.8, 9.6, 9.7), False),
        ((9.71, 9.8, 9.6, 9.7), False),
    ],
)
def test_gap_limit_is_three_percent_with_tolerance(bars_of: Build, row: Any, is_candidate: bool) -> None:
    assert count(bars_of("A", [row])) == is_candidate


def test_gap_is_judged_after_the_event_ratio(bars_of: Build) -> None:
    split = bars_of("A", [(4.9, 5.0, 4.8, 4.9)], ratios={0: 0.5})
    assert count(split) == 0
    assert only(bars_of("A", [(4.8, 5.0, 4.8, 4.9)], ratios={0: 0.5})).gap == pytest.approx(-0.04)


def test_liquidity_needs_twenty_bars_and_five_million(bars_of: Build) -> None:
    enough, thin = bars_of("A", [ENTRY], volume=5e5), bars_of("A", [ENTRY], volume=4.99e5)
    assert (count(enough), count(thin)) == (1, 0)
    names = ("day", "open", "high", "low", "close", "volume", "event_ratio")
    young = replace(enough, **{name: getattr(enough, name)[1:] for name in names})
    assert count(young) == 0


@pytest.mark.parametrize(
    ("price", "is_candidate"), [(0.5, True), (0.49, False), (20.0, True), (20.01, False)]
)
def test_price_range_includes_its_ends(bars_of: Build, price: float, is_candidate: bool) -> None:
    row = (price, price, price, price)
    columns = bars_of("A", [row], ratios={0: price / 10 / 0.95}, volume=1e6)
    assert count(columns) == is_candidate


def test_stop_is_looked_at_before_target_in_the_entry_bar(bars_of: Build) -> None:
    trade = only(bars_of("A", [(9.5, 11.0, 8.0, 9.5)] + [FLAT] * 4))
    assert (trade.exit_reason, trade.sessions) == (ExitReason.STOP, 1)
    assert trade.exit_price == 9.5 * (1 - 0.08)


def test_touch_is_enough_for_both_levels(bars_of: Build) -> None:
    low, high = 9.5 * 0.92, 9.5 * 1.06
    assert only(bars_of("A", [(9.5, 9.6, low + 5e-10, 9.5)])).exit_reason is ExitReason.STOP
    assert only(bars_of("A", [(9.5, high - 5e-10, 9.4, 9.5)])).exit_reason is ExitReason.TARGET
    assert only(bars_of("A", [(9.5, 9.6, low + 5e-9, 9.5)])).exit_reason is None
    assert only(bars_of("A", [(9.5, high - 5e-9, 9.4, 9.5)])).exit_reason is None


@pytest.mark.parametrize(
    ("second", "reason", "gap_price", "exact_price"),
    [
        ((8.0, 8.1, 7.9, 8.0), ExitReason.STOP, 8.0, 9.5 * 0.92),
        ((10.9, 11.0, 10.5, 10.6), ExitReason.TARGET, 10.9, 9.5 * 1.06),
    ],
)
def test_later_bar_opening_beyond_a_level(
    bars_of: Build, second: Any, reason: ExitReason, gap_price: float, exact_price: float
) -> None:
    rule = replace(RULE, gap_max=-0.04)
    columns = bars_of("A", [ENTRY, second])
    gap = naive_trades({columns.instrument: columns}, rule)[0]
    exact = naive_trades({columns.instrument: columns}, replace(rule, fill=GapFill.EXACT))[0]
    assert (gap.exit_reason, gap.exit_price, gap.sessions) == (reason, gap_price, 2)
    assert exact.exit_price == pytest.approx(exact_price, abs=1e-12)


def test_bar_that_opens_above_the_target_and_falls_to_the_stop_is_a_stop(bars_of: Build) -> None:
    trade = only(bars_of("A", [ENTRY, (10.9, 11.0, 8.0, 9.0), *[FLAT] * 3]))
    assert (trade.exit_reason, trade.exit_price) == (ExitReason.STOP, 9.5 * (1 - 0.08))


def test_time_exit_is_at_the_close_of_the_last_own_bar(bars_of: Build) -> None:
    rows = [ENTRY] + [FLAT] * 3 + [(9.5, 9.6, 9.4, 9.45)]
    for missing in ((), (2,)):
        trade = only(bars_of("A", rows, missing=missing))
        assert (trade.exit_reason, trade.exit_price, trade.sessions) == (ExitReason.TIME, 9.45, 5)


def test_later_bars_come_back_to_entry_day_dollars(bars_of: Build) -> None:
    double = [tuple(4 * price for price in FLAT)] * 3
    trade = only(bars_of("A", [ENTRY, *double, (38.0, 38.4, 37.6, 39.0)], ratios={1: 4.0}))
    assert (trade.exit_reason, trade.exit_price) == (ExitReason.TIME, 39.0 / 4)
    dividend = only(bars_of("A", [ENTRY, (9.3, 9.6, 8.68, 9.5), *[FLAT] * 3], ratios={1: 0.98}))
    assert dividend.exit_reason is ExitReason.TIME  # 8.68 / 0.98 = 8.86 lies above the stop of 8.74


def test_bars_that_end_early_are_not_complete_whatever_happened(bars_of: Build) -> None:
    stopped = only(bars_of("A", [ENTRY, (9.5, 9.6, 8.0, 9.0)]))
    open_ = only(bars_of("A", [ENTRY, FLAT]))
    assert (stopped.is_complete, stopped.exit_reason) == (False, ExitReason.STOP)
    assert (open_.is_complete, open_.exit_price, open_.sessions) == (False, None, 2)


def test_nothing_of_another_instrument_leaks_in(bars_of: Build) -> None:
    first = bars_of("A", [FLAT])
    second = bars_of("B", [ENTRY, (9.5, 9.6, 8.0, 9.0), *[FLAT] * 3])
    both = naive_trades({first.instrument: first, second.instrument: second}, RULE)
    assert both[1:] == naive_trades({second.instrument: second}, RULE)


def test_no_bars_no_trades() -> None:
    assert naive_trades({}, RULE) == ()


def _slow(columns: BarColumns, rule: NaiveRule) -> list[tuple[Any, ...]]:
    """The rule again as a loop over plain numbers, written for reading and not for speed."""
    found: list[tuple[Any, ...]] = []
    bars = [
        tuple(float(x) for x in row)
        for row in zip(
            *(getattr(columns, n) for n in ("open", "high", "low", "close", "volume")), strict=True
        )
    ]
    ratios = [float(r) for r in columns.event_ratio]
    for t in range(20, len(bars)):
        entry = bars[t][0]
        gap = entry / (bars[t - 1][3] * ratios[t]) - 1
        adv = sum(bars[i][3] * bars[i][4] for i in range(t - 20, t)) / 20
        if not (gap <= -0.03 + 1e-9 and 0.5 <= entry <= 20 and adv >= 5e6):
            continue
        stop, target = entry * 0.92, entry * 1.06
        to_entry_dollars, outcome = 1.0, None
        for k in range(rule.max_sessions):
            if t + k == len(bars):
                break
            to_entry_dollars /= ratios[t + k] if k else 1
            o, h, low, c = (price * to_entry_dollars for price in bars[t + k][:4])
            gaps_through = k > 0 and rule.fill is GapFill.GAP
            if low <= stop + 1e-9:
                outcome = ("stop", o if gaps_through and o < stop else stop, k + 1)
            elif h >= target - 1e-9:
                outcome = ("target", o if gaps_through and o > target else target, k + 1)
            elif k == rule.max_sessions - 1:
                outcome = ("time", c, k + 1)
            if outcome:
                break
        is_complete = t + rule.max_sessions <= len(bars)
        found.append((columns.day[t].item(), columns.instrument, entry, outcome, is_complete))
    return found


@pytest.mark.parametrize("fill", list(GapFill))
@pytest.mark.parametrize("hold", [5, 6])
@pytest.mark.parametrize("seed", [7, 8])
def test_generated_bars_give_the_same_trades_as_a_plain_loop(
    generate_market: Any, seed: int, hold: int, fill: GapFill
) -> None:
    bars = generate_market(seed).bars
    rule = NaiveRule(max_sessions=hold, fill=fill)
    trades = naive_trades(bars, rule)
    expected = sorted(one for columns in bars.values() for one in _slow(columns, rule))
    assert len(trades) == len(expected) > 300
    assert any(not one[-1] for one in expected)
    for trade, (day, instrument, entry, outcome, is_complete) in zip(
        sorted(trades, key=lambda t: (t.session, t.instrument)), expected, strict=True
    ):
        assert (trade.session, trade.instrument, trade.entry) == (day, instrument, entry)
        assert trade.is_complete == is_complete
        if outcome is None:
            assert trade.exit_price is None
            assert trade.exit_reason is None
        else:
            assert (trade.exit_reason, trade.sessions) == (outcome[0], outcome[2])
            assert trade.exit_price == pytest.approx(outcome[1], rel=1e-12)


def test_trades_come_in_the_order_of_entry(generated_market: Any) -> None:
    trades = naive_trades(generated_market.bars, RULE)
    assert list(trades) == sorted(trades, key=lambda t: (t.session, t.gap, t.instrument))
    twins = [t for t in trades if t.instrument in ("TWNA.US", "TWNB.US")]
    assert twins
    assert [t.instrument for t in twins[:2]] == ["TWNA.US", "TWNB.US"]


def test_dates_bound_the_entry_and_not_the_bars(generated_market: Any) -> None:
    first, last = date(2016, 3, 1), date(2016, 3, 31)
    everything = naive_trades(generated_market.bars, RULE)
    inside = naive_trades(generated_market.bars, RULE, first, last)
    assert list(inside) == [t for t in everything if first <= t.session <= last]
    assert any(t.session == date(2016, 3, 31) for t in inside)
    assert np.all([t.exit_price is not None for t in inside if t.is_complete])


def test_future_bars_change_no_candidate(generated_market: Any) -> None:
    cut = np.datetime64("2016-03-31")
    names = ("day", "open", "high", "low", "close", "volume", "event_ratio")
    past = {
        name: replace(columns, **{field: getattr(columns, field)[columns.day <= cut] for field in names})
        for name, columns in generated_market.bars.items()
    }
    known = {(t.session, t.instrument, t.gap) for t in naive_trades(past, RULE)}
    later = naive_trades(generated_market.bars, RULE, None, cut.item())
    assert known == {(t.session, t.instrument, t.gap) for t in later}
