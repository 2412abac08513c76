"""What a Sharpe ratio is worth: the worked example of SPEC 12, and what always holds."""

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pytest

from engine.statistics.returns import sharpe
from engine.statistics.sharpe import (
    best_of_trials,
    deflated_sharpe,
    probabilistic_sharpe,
    sharpe_interval,
    sharpe_probability,
)


def test_deflated_sharpe(oracle: Callable[[str], Any]) -> None:
    given, expected = oracle("9/dsr")
    best = best_of_trials(given["trials"], given["var_sr"])
    found = given["sr_per_obs"], given["n"], given["skew"], given["kurt"]
    assert best == pytest.approx(expected["sr0"], rel=1e-6)
    assert probabilistic_sharpe(*found, best) == pytest.approx(expected["dsr"], rel=1e-6)
    assert probabilistic_sharpe(*found) == pytest.approx(expected["psr0"], rel=1e-6)


def test_the_interval_of_the_sharpe_ratio_holds_it_and_is_the_same_again(returns: np.ndarray) -> None:
    found, ratio = sharpe_interval(returns, 252), sharpe(returns, 252)
    assert found is not None
    assert ratio is not None
    assert found[0] < ratio < found[1]
    assert sharpe_interval(returns, 252) == found
    assert sharpe_probability(returns) == pytest.approx(1, abs=1e-3)
    assert sharpe_probability(-returns) == pytest.approx(0, abs=1e-3)


def test_more_trials_ask_for_more(returns: np.ndarray) -> None:
    one, few, many = (deflated_sharpe(returns, trials) for trials in (1, 10, 1000))
    assert one is not None
    assert few is not None
    assert many is not None
    assert one.benchmark == 0
    assert one.probability == pytest.approx(sharpe_probability(returns))
    assert 0 < few.benchmark < many.benchmark
    assert one.probability > few.probability > many.probability


def test_without_known_trials_their_spread_is_that_of_no_skill(returns: np.ndarray) -> None:
    found = deflated_sharpe(returns, 40)
    assert found is not None
    assert found.benchmark == pytest.approx(best_of_trials(40, 1 / 119))
    assert found.per_period == pytest.approx(sharpe(returns, 1))


def test_known_trials_give_their_own_spread(returns: np.ndarray) -> None:
    found = deflated_sharpe(returns, 40, [0.01, 0.05, -0.03])
    assert found is not None
    assert found.benchmark == pytest.approx(best_of_trials(40, 0.0016))
    assert found.benchmark == pytest.approx(sqrt(0.0016) * best_of_trials(40, 1.0))


def test_returns_that_stood_still_have_no_deflated_ratio() -> None:
    assert deflated_sharpe(np.full(30, 0.01), 5) is None
