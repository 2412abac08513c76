"""Bootstraps and shuffles: the worked example of SPEC 12, and what a seed does."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.statistics.resampling import bootstrapped, resampled, shuffled
from engine.statistics.returns import max_drawdown

RUIN = 0.15


def test_block_bootstrap(oracle: Callable[[str], Any], returns: np.ndarray) -> None:
    given, expected = oracle("9/block_bootstrap")
    found = bootstrapped(returns, RUIN, given["seed"], given["B"])
    assert found is not None
    assert found.low == pytest.approx(expected["p05"], rel=1e-6)
    assert found.median == pytest.approx(expected["p50"], rel=1e-6)
    assert found.fall == pytest.approx(expected["mdd95"], rel=1e-6)
    assert (found.p_loss, found.p_ruin) == (expected["p_loss"], 0)
    assert found.low < found.median < found.high


def test_blocks_are_neighbors_on_a_circle() -> None:
    drawn = resampled(np.arange(12.0), np.random.default_rng(3), 50)
    blocks = drawn[:, :10].reshape(50, 2, 5)
    assert ((np.diff(blocks, axis=2) % 12) == 1).all()
    assert drawn.shape == (50, 12)


def test_a_seed_gives_the_same_paths_again(returns: np.ndarray) -> None:
    assert bootstrapped(returns, RUIN, 1) == bootstrapped(returns, RUIN, 1)
    assert bootstrapped(returns, RUIN, 1) != bootstrapped(returns, RUIN, 2)
    assert shuffled(returns, RUIN, 1) == shuffled(returns, RUIN, 1)


def test_shuffled_trades_end_alike_and_fall_differently() -> None:
    trades = np.array([0.06, -0.08] * 20)
    found = shuffled(trades, RUIN, 5)
    assert found is not None
    assert found.low == pytest.approx(found.high)
    assert found.fall > max_drawdown(trades)
    assert 0 < found.p_ruin <= 1


def test_a_path_that_falls_to_the_last_level_is_ruin() -> None:
    found = bootstrapped(np.full(10, -0.02), RUIN, 0)
    assert found is not None
    assert (found.p_loss, found.p_ruin) == (1, 1)


def test_one_return_is_no_sample() -> None:
    assert bootstrapped(np.array([0.01]), RUIN, 0) is None
    assert shuffled(np.array([0.01]), RUIN, 0) is None
