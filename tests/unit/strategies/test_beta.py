"""The distribution of a win rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc

from engine.strategies.beta import beta_cdf

sizes = st.floats(min_value=0.05, max_value=2_000)


@given(st.floats(min_value=0, max_value=1), sizes, sizes)
def test_it_is_the_regularised_incomplete_beta_function(x: float, a: float, b: float) -> None:
    assert beta_cdf(x, a, b) == pytest.approx(float(betainc(a, b, x)), abs=1e-10)


def test_ends_are_exact() -> None:
    assert (beta_cdf(0.0, 5.6, 4.4), beta_cdf(1.0, 5.6, 4.4)) == (0.0, 1.0)


@pytest.mark.parametrize(("x", "a", "b"), [(-0.1, 1, 1), (1.1, 1, 1), (0.5, 0, 1), (0.5, 1, -1)])
def test_what_is_no_beta_is_refused(x: float, a: float, b: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        beta_cdf(x, a, b)
