"""Kelly shares: what is not defined sizes nothing, and nothing passes the cap."""

from math import isnan, nan

import pytest

from engine.risk.kelly import (
    binary_kelly,
    continuous_kelly,
    kelly_share,
    lower_bound,
    standard_error,
    uncertain_kelly,
)


@pytest.mark.parametrize(
    ("p", "gain", "loss"),
    [(nan, 0.1, 0.1), (1.1, 0.1, 0.1), (-0.1, 0.1, 0.1), (0.5, 0, 0.1), (0.5, 0.1, nan)],
)
def test_binary_share_of_what_is_no_bet_is_no_number(p: float, gain: float, loss: float) -> None:
    assert isnan(binary_kelly(p, gain, loss))
    assert kelly_share(binary_kelly(p, gain, loss)) == 0.0


def test_continuous_share_is_mean_over_variance() -> None:
    assert continuous_kelly(0.001, 0.02) == pytest.approx(2.5)
    assert isnan(continuous_kelly(0.001, 0.0))
    assert isnan(continuous_kelly(0.001, nan))


@pytest.mark.parametrize(("full", "share"), [(-1.0, 0.0), (0.2, 0.05), (0.4, 0.1), (9.0, 0.1), (nan, 0.0)])
def test_a_quarter_is_taken_never_less_than_nothing_or_more_than_the_cap(full: float, share: float) -> None:
    assert kelly_share(full) == pytest.approx(share)


def test_the_larger_of_disagreement_and_sampling_error_counts() -> None:
    assert standard_error(0.6, 0.01, 96) == pytest.approx(0.05)
    assert standard_error(0.6, 0.08, 96) == 0.08
    assert isnan(standard_error(0.6, 0.08, 0))
    assert isnan(standard_error(1.6, 0.08, 5))
    assert isnan(standard_error(0.6, nan, 5))


def test_a_lower_bound_is_no_probability_below_nothing() -> None:
    assert lower_bound(0.03, 0.5) == 0.0
    assert isnan(lower_bound(0.6, nan))
    assert isnan(lower_bound(nan, 0.1))
    assert isnan(lower_bound(0.6, -0.1))


@pytest.mark.parametrize(("vol", "regime"), [(nan, 1.0), (0.0, 1.0), (0.3, -0.1), (0.3, 1.1), (0.3, nan)])
def test_an_unknown_volatility_or_regime_sizes_nothing(vol: float, regime: float) -> None:
    assert uncertain_kelly(0.9, 0.01, 0.06, 0.08, vol, regime) == 0.0


def test_calm_prices_are_not_sized_up() -> None:
    calm, usual = (uncertain_kelly(0.6, 0.001, 0.06, 0.08, vol) for vol in (0.05, 0.20))
    assert calm == usual > 0
