"""Figures of trades: the worked example of SPEC 12, cases by hand, and what always holds."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.statistics.trades import excursions, longest_losing_run, trade_figures, wilson, win_rate


def decimals(*values: float) -> list[Decimal]:
    return [Decimal(str(value)) for value in values]


def test_trades(oracle: Callable[[str], Any]) -> None:
    given, expected = oracle("9/trades")
    figures = trade_figures(decimals(*given["pnl"]))
    assert (figures.rate.n, figures.rate.ratio) == (expected["n"], expected["win_rate"])
    assert figures.profit_factor == pytest.approx(expected["profit_factor"], rel=1e-6)
    assert figures.expectancy == Decimal(str(expected["expectancy"]))
    assert figures.payoff == pytest.approx(expected["payoff"], rel=1e-6)
    assert (figures.net, figures.best, figures.worst) == (Decimal(230), Decimal(200), Decimal(-80))
    assert not figures.is_meaningful


@pytest.mark.parametrize(
    ("wins", "n", "low", "high"),
    [
        # z = 1.644854, z^2 = 2.705543; by hand from the formula.
        (0, 10, 0.0, 2.705543 / 12.705543),
        (10, 10, 10 / 12.705543, 1.0),
        (5, 10, 0.5 - 0.230728, 0.5 + 0.230728),
        (14, 24, 0.417744, 0.732038),
    ],
)
def test_the_wilson_interval_by_hand(wins: int, n: int, low: float, high: float) -> None:
    assert wilson(wins, n) == pytest.approx((low, high), abs=1e-6)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_rate_and_stays_between_0_and_1(case: tuple[int, int]) -> None:
    wins, n = case
    low, high = wilson(wins, n)
    assert 0 <= low <= wins / n + 1e-12
    assert wins / n - 1e-12 <= high <= 1


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_ten_times_the_trades_narrow_the_interval(case: tuple[int, int]) -> None:
    wins, n = case
    few, many = wilson(wins, n), wilson(10 * wins, 10 * n)
    assert many[1] - many[0] < few[1] - few[0]


def test_a_trade_that_made_nothing_counts_but_did_not_win() -> None:
    rate = win_rate(decimals(3, 0, -2, 1))
    assert (rate.n, rate.wins, rate.ratio) == (4, 2, 0.5)
    assert rate.is_too_few
    assert not win_rate(decimals(3, 0, -2, 1, 1)).is_too_few


def test_nothing_closed_says_nothing() -> None:
    rate, figures = win_rate([]), trade_figures([])
    assert (rate.n, rate.ratio, rate.low, rate.high) == (0, None, None, None)
    assert (figures.profit_factor, figures.expectancy, figures.payoff) == (None, None, None)
    assert (figures.net, figures.best, figures.worst) == (Decimal(0), None, None)


def test_without_a_loss_there_is_no_profit_factor() -> None:
    figures = trade_figures(decimals(3, 1, 0))
    assert (figures.profit_factor, figures.payoff, figures.net) == (None, None, Decimal(4))


@pytest.mark.parametrize(
    ("profits", "longest"),
    [([], 0), ([1, 2], 0), ([-1, -2, 0, -1], 2), ([1, -1, -1, -1, 2, -1], 3), ([-1, -1], 2)],
)
def test_the_longest_losing_run_by_hand(profits: list[float], longest: int) -> None:
    assert longest_losing_run(profits) == longest


def test_excursions_by_hand() -> None:
    found = excursions([-0.02, -0.06, 0.0], [0.01, 0.0, 0.06])
    assert (found.mean_adverse, found.worst_adverse) == (pytest.approx(-0.08 / 3), -0.06)
    assert (found.mean_favorable, found.best_favorable) == (pytest.approx(0.07 / 3), 0.06)
    assert excursions([], []).worst_adverse is None
