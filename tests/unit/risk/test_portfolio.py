"""Correlated exposure and value at risk of holdings: unknown is never nothing."""

from collections.abc import Callable
from decimal import Decimal
from math import nan

import numpy as np
import pytest

from engine.model.ids import InstrumentId, instrument_id
from engine.ports import BarColumns
from engine.risk.exposure import correlated_exposure, room
from engine.risk.kupiec import kupiec
from engine.risk.returns import Returns, correlation, returns_of
from engine.risk.var import daily_results, portfolio_var, value_at_risk

A, B, C = (instrument_id(name) for name in ("AAA", "BBB", "CCC"))
Make = Callable[..., BarColumns]


@pytest.fixture(scope="session")
def bars() -> Make:
    """Daily bars of these closes; the last one on the 400th day, unless it ends `before` days earlier."""

    def make(closes: np.ndarray, before: int = 0, ratio: float = 1.0) -> BarColumns:
        size = len(closes)
        day = np.datetime64("2016-01-01") + np.arange(400 - before - size, 400 - before)
        ratios = np.ones(size)
        ratios[size // 2] = ratio
        return BarColumns(A, day, closes, closes, closes, closes, np.full(size, 1e6), ratios)

    return make


def walk(seed: int, size: int = 80) -> np.ndarray:
    return 10 * np.exp(np.cumsum(0.02 * np.random.default_rng(seed).standard_normal(size)))


def test_returns_begin_with_the_second_bar_and_follow_corporate_actions(bars: Make) -> None:
    closes = np.array([10.0, 11.0, 5.5, 5.5])
    found = returns_of(bars(closes, ratio=0.5))
    assert found is not None
    assert found.value.tolist() == pytest.approx([0.1, 0.0, 0.0])
    assert returns_of(bars(closes[:1])) is None
    assert returns_of(None) is None


def test_correlation_is_that_of_the_common_days(bars: Make) -> None:
    one, other = walk(1), walk(2)
    found = correlation(returns_of(bars(one)), returns_of(bars(other, before=10)))
    a = (one[1:] / one[:-1] - 1)[-60:-10]
    b = (other[1:] / other[:-1] - 1)[-50:]
    assert found == pytest.approx(np.corrcoef(a, b)[0, 1])
    same = returns_of(bars(one))
    assert correlation(same, returns_of(bars(3 * one))) == pytest.approx(1.0)


def test_correlation_looks_at_sixty_returns(bars: Make) -> None:
    one, other = walk(1, 200), walk(2, 200)
    found = correlation(returns_of(bars(one)), returns_of(bars(other)))
    assert found == correlation(returns_of(bars(one[-61:])), returns_of(bars(other[-61:])))


@pytest.mark.parametrize(("before", "known"), [(29, True), (30, True), (31, False)])
def test_correlation_needs_thirty_common_days(bars: Make, before: int, known: bool) -> None:
    found = correlation(returns_of(bars(walk(1))), returns_of(bars(walk(2), before=before)))
    assert (found is not None) is known


def test_correlation_of_a_price_that_stood_still_or_is_missing_is_unknown(bars: Make) -> None:
    holed = walk(3)
    holed[-5] = nan
    for closes in (np.full(80, 10.0), np.zeros(80), holed):
        assert correlation(returns_of(bars(walk(1))), returns_of(bars(closes))) is None
    assert correlation(returns_of(bars(walk(1))), None) is None
    assert correlation(None, returns_of(bars(walk(1)))) is None


def test_exposure_counts_what_moves_along_and_what_is_unknown() -> None:
    known = {B: 0.70, C: 0.71}
    values = {A: Decimal(100), B: Decimal(200), C: Decimal(400), InstrumentId("D.US"): Decimal(800)}
    found = correlated_exposure(A, values, lambda _, other: known.get(other), 0.70)
    assert found.value == Decimal(1300)
    assert found.names == (A, C, InstrumentId("D.US"))
    assert found.unknown == (InstrumentId("D.US"),)


def test_room_is_never_negative() -> None:
    assert room(Decimal(10_000), 0.10, Decimal(400)) == Decimal(600)
    assert room(Decimal(10_000), 0.10, Decimal(1400)) == 0


def test_value_at_risk_needs_sixty_finite_returns() -> None:
    returns = np.linspace(-0.05, 0.05, 60)
    assert value_at_risk(returns, 100.0) is not None
    assert value_at_risk(returns[:59], 100.0) is None
    assert value_at_risk(np.append(returns, nan), 100.0) is None
    assert value_at_risk(returns, nan) is None


def test_holdings_are_weighed_as_they_are_now(bars: Make) -> None:
    one, other = returns_of(bars(walk(1, 120))), returns_of(bars(walk(2, 90)))
    assert one is not None
    assert other is not None
    found = portfolio_var({A: 100.0, B: 300.0}, {A: one, B: other})
    money = 100 * one.value[-89:] + 300 * other.value
    assert found == value_at_risk(money, 1.0)
    assert found is not None
    assert found.returns == 89


def test_value_at_risk_looks_at_250_returns(bars: Make) -> None:
    found = portfolio_var({A: 100.0}, {A: returns_of(bars(walk(1, 300)))})
    assert found is not None
    assert found.returns == 250


def test_value_at_risk_is_unknown_without_every_holding(bars: Make) -> None:
    one, short = returns_of(bars(walk(1))), returns_of(bars(walk(2, 60)))
    assert portfolio_var({A: 1.0, B: 1.0}, {A: one}) is None
    assert portfolio_var({A: 1.0, B: 1.0}, {A: one, B: one}) == portfolio_var({A: 2.0}, {A: one})
    assert portfolio_var({A: 1.0, B: 1.0}, {A: one, B: None}) is None
    assert portfolio_var({A: 1.0, B: 1.0}, {A: one, B: short}) is None
    assert portfolio_var({A: nan}, {A: one}) is None


def test_nothing_held_is_no_risk() -> None:
    for values in ({}, {A: 0.0}):
        found = portfolio_var(values, {})
        assert found is not None
        assert (found.larger, found.returns) == (0.0, 0)


def test_days_are_found_by_their_date() -> None:
    day = np.array(["2016-01-04", "2016-01-06", "2016-01-08"], dtype="datetime64[D]")
    assert Returns(day, np.array([1.0, 2.0, 3.0])).on(day[1:]).tolist() == [2.0, 3.0]


@pytest.mark.parametrize(("days", "exceptions"), [(250, 0), (250, 250), (250, 12), (1, 1)])
def test_kupiec_is_defined_at_the_ends(days: int, exceptions: int) -> None:
    found = kupiec(days, exceptions, 0.05)
    assert found.ratio >= 0
    assert 0 <= found.p_value <= 1


def test_kupiec_of_exactly_the_expected_share_finds_nothing() -> None:
    found = kupiec(100, 5, 0.05)
    assert found.ratio == pytest.approx(0.0, abs=1e-12)
    assert found.p_value == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("days", "exceptions", "p"), [(0, 0, 0.05), (9, 10, 0.05), (9, -1, 0.05), (9, 1, 0.0)]
)
def test_kupiec_refuses_what_is_no_test(days: int, exceptions: int, p: float) -> None:
    with pytest.raises(ValueError, match="are no test"):
        kupiec(days, exceptions, p)


def test_what_holdings_would_have_made_is_what_their_risk_follows_from(bars: Make) -> None:
    one, other = returns_of(bars(walk(1, 100))), returns_of(bars(walk(2, 100)))
    assert one is not None
    assert other is not None
    made = daily_results({A: 100.0, B: 50.0, C: 0.0}, {A: one, B: other})
    assert made is not None
    assert made.tolist() == pytest.approx((100 * one.value + 50 * other.value).tolist())
    assert value_at_risk(made, 1.0) == portfolio_var({A: 100.0, B: 50.0}, {A: one, B: other})


def test_nothing_held_would_have_made_nothing_that_is_known(bars: Make) -> None:
    short = returns_of(bars(walk(1, 40)))
    assert daily_results({}, {}) is None
    assert daily_results({A: 0.0}, {}) is None
    assert daily_results({A: 1.0}, {A: short}) is None
    assert daily_results({A: 1.0}, {A: None}) is None
