"""Figures of trades and returns: the worked examples of SPEC 12, cases by hand, and what always holds."""

import json
from collections.abc import Callable
from decimal import Decimal
from math import cos, sin
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.statistics import (
    best_of_trials,
    drawdowns,
    flow_returns,
    probabilistic_sharpe,
    resampled,
    sharpe,
    sharpe_interval,
    sharpe_probability,
    trade_figures,
    wilson,
    win_rate,
)


@pytest.fixture
def oracle(market_data: Path) -> Callable[[str], tuple[dict[str, Any], Any]]:
    rows = json.loads((market_data.parent / "oracles" / "oracles.json").read_text())
    by_name = {f"{row['section']}/{row['id']}": row for row in rows}
    return lambda name: (by_name[name]["input"], by_name[name]["expected"])


@pytest.fixture
def returns() -> np.ndarray:
    """The returns of the worked example `9/perf`."""
    signs = [-1 if i % 7 == 0 else 1 for i in range(120)]
    return np.array([0.004 * sin(0.9 * i) + 0.0012 + 0.003 * cos(2.3 * i) * signs[i] for i in range(120)])


def decimals(*values: float) -> list[Decimal]:
    return [Decimal(str(value)) for value in values]


def test_performance(oracle: Callable[[str], Any], returns: np.ndarray) -> None:
    given, expected = oracle("9/perf")
    values = np.cumprod(np.concatenate([[1.0], 1 + returns]))
    assert sharpe(returns, given["ppy"]) == pytest.approx(expected["sharpe"], rel=1e-6)
    assert -drawdowns(values, np.zeros(121)).min() == pytest.approx(expected["max_dd"], rel=1e-6)
    assert np.prod(1 + flow_returns(values, np.zeros(121))) - 1 == pytest.approx(expected["total"], rel=1e-6)


def test_trades(oracle: Callable[[str], Any]) -> None:
    given, expected = oracle("9/trades")
    figures = trade_figures(decimals(*given["pnl"]))
    assert (figures.rate.n, figures.rate.ratio) == (expected["n"], expected["win_rate"])
    assert figures.profit_factor == pytest.approx(expected["profit_factor"], rel=1e-6)
    assert figures.expectancy == Decimal(str(expected["expectancy"]))
    assert figures.payoff == pytest.approx(expected["payoff"], rel=1e-6)
    assert (figures.net, figures.best, figures.worst) == (Decimal(230), Decimal(200), Decimal(-80))
    assert not figures.is_meaningful


def test_deflated_sharpe(oracle: Callable[[str], Any]) -> None:
    given, expected = oracle("9/dsr")
    best = best_of_trials(given["trials"], given["var_sr"])
    found = given["sr_per_obs"], given["n"], given["skew"], given["kurt"]
    assert best == pytest.approx(expected["sr0"], rel=1e-6)
    assert probabilistic_sharpe(*found, best) == pytest.approx(expected["dsr"], rel=1e-6)
    assert probabilistic_sharpe(*found) == pytest.approx(expected["psr0"], rel=1e-6)


def test_block_bootstrap(oracle: Callable[[str], Any], returns: np.ndarray) -> None:
    given, expected = oracle("9/block_bootstrap")
    drawn = resampled(returns, np.random.default_rng(given["seed"]), given["B"])
    paths = np.cumprod(np.concatenate([np.ones((given["B"], 1)), 1 + drawn], axis=1), axis=1)
    ends = paths[:, -1] - 1
    falls = (1 - paths / np.maximum.accumulate(paths, axis=1)).max(axis=1)
    assert np.quantile(ends, 0.05) == pytest.approx(expected["p05"], rel=1e-6)
    assert np.quantile(ends, 0.50) == pytest.approx(expected["p50"], rel=1e-6)
    assert np.quantile(falls, 0.95) == pytest.approx(expected["mdd95"], rel=1e-6)
    assert (ends < 0).mean() == expected["p_loss"]


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


def test_the_sharpe_ratio_by_hand() -> None:
    """Mean 0.01, sample deviation 0.01: 1 a period, sqrt(252) a year; 0.5 a period above 0.5 % a period."""
    found = np.array([0.0, 0.01, 0.02])
    assert sharpe(found, 252) == pytest.approx(252**0.5)
    assert sharpe(found, 1, riskless=0.005) == pytest.approx(0.5)


@pytest.mark.parametrize("found", [[], [0.01], [0.01, 0.01, 0.01], [0.01, float("nan"), 0.02]])
def test_returns_that_say_nothing_have_no_sharpe_ratio(found: list[float]) -> None:
    returns = np.array(found)
    assert sharpe(returns, 252) is None
    assert sharpe_interval(returns, 252) is None
    assert sharpe_probability(returns) is None


def test_the_interval_of_the_sharpe_ratio_holds_it_and_is_the_same_again(returns: np.ndarray) -> None:
    found, ratio = sharpe_interval(returns, 252), sharpe(returns, 252)
    assert found is not None
    assert ratio is not None
    assert found[0] < ratio < found[1]
    assert sharpe_interval(returns, 252) == found
    assert sharpe_probability(returns) == pytest.approx(1, abs=1e-3)
    assert sharpe_probability(-returns) == pytest.approx(0, abs=1e-3)


def test_what_is_paid_in_is_no_return_and_what_is_taken_out_no_loss() -> None:
    values = np.array([1000.0, 2100.0, 2100.0, 1050.0])
    paid_in = np.array([1000.0, 2000.0, 2000.0, 1000.0])
    assert flow_returns(values, paid_in) == pytest.approx([0.05, 0.0, 1050 / 1100 - 1])
    assert drawdowns(values, paid_in) == pytest.approx([0.0, 0.0, 0.0, 1050 / 1100 - 1])


def test_an_account_without_money_has_no_return() -> None:
    assert np.isnan(flow_returns(np.array([0.0, 10.0]), np.zeros(2))[0])
    assert list(drawdowns(np.array([0.0, -5.0]), np.zeros(2))) == [0.0, 0.0]
    assert len(drawdowns(np.array([]), np.array([]))) == 0


@given(st.lists(st.floats(1, 1e9), min_size=1, max_size=60))
def test_a_drawdown_is_never_above_0_and_0_at_a_new_high(values: list[float]) -> None:
    falls = drawdowns(np.array(values), np.zeros(len(values)))
    assert (falls <= 0).all()
    assert (falls >= -1).all()
    assert falls[values.index(max(values))] == 0
