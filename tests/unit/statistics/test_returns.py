"""Figures of returns: the worked examples of SPEC 12, cases by hand, and what always holds."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.statistics.returns import (
    calmar,
    drawdowns,
    exposure,
    flow_returns,
    max_drawdown,
    sharpe,
    sortino,
    turnover,
    volatility,
    yearly_growth,
)
from engine.statistics.sharpe import sharpe_interval, sharpe_probability


def test_performance(oracle: Callable[[str], Any], returns: np.ndarray) -> None:
    given, expected = oracle("9/perf")
    values = np.cumprod(np.concatenate([[1.0], 1 + returns]))
    assert sharpe(returns, given["ppy"]) == pytest.approx(expected["sharpe"], rel=1e-6)
    assert sortino(returns, given["ppy"]) == pytest.approx(expected["sortino"], rel=1e-6)
    assert max_drawdown(returns) == pytest.approx(expected["max_dd"], rel=1e-6)
    assert -drawdowns(values, np.zeros(121)).min() == pytest.approx(expected["max_dd"], rel=1e-6)
    assert np.prod(1 + flow_returns(values, np.zeros(121))) - 1 == pytest.approx(expected["total"], rel=1e-6)


def test_turnover_of_the_worked_example(oracle: Callable[[str], Any]) -> None:
    given, expected = oracle("9/turnover")
    assert turnover(np.array(given["weights"])) == pytest.approx(expected, rel=1e-6)


def test_one_period_turns_nothing_over() -> None:
    assert turnover(np.array([[0.5, 0.5]])) is None


def test_the_start_is_the_first_peak() -> None:
    assert max_drawdown(np.array([-0.10, 0.05, 0.02])) == pytest.approx(0.10)
    assert max_drawdown(np.array([])) == 0


def test_the_sortino_ratio_by_hand() -> None:
    """Mean 0.01; the squares below 0 are 0.0004 of four: 0.01 / 0.01 a period."""
    assert sortino(np.array([0.02, -0.02, 0.03, 0.01]), 1) == pytest.approx(1.0)
    assert sortino(np.array([0.02, 0.01]), 1) is None
    assert sortino(np.array([0.02]), 1) is None


def test_volatility_and_growth_of_a_year_by_hand() -> None:
    found = np.array([0.0, 0.01, 0.02])
    assert volatility(found, 252) == pytest.approx(0.01 * 252**0.5)
    assert volatility(found[:1], 252) is None
    assert yearly_growth(np.array([0.1, 0.1]), 4) == pytest.approx(1.1**4 - 1)
    assert yearly_growth(np.array([]), 252) is None
    assert yearly_growth(np.array([-1.0]), 252) is None


def test_calmar_is_growth_over_the_deepest_fall() -> None:
    found = np.array([0.20, -0.10])
    assert calmar(found, 2) == pytest.approx((1.2 * 0.9 - 1) / 0.10)
    assert calmar(np.array([0.1, 0.2]), 2) is None


def test_exposure_counts_periods_and_weights() -> None:
    assert exposure(np.array([0.0, 0.1, 0.3, 0.0])) == (0.5, pytest.approx(0.1))
    assert exposure(np.array([])) is None


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
