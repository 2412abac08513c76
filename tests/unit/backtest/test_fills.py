"""The float arithmetic of a bar against the venue's Decimal rules, and against the fee schedule."""

from datetime import date
from decimal import Decimal
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.backtest.costs import Costs, cost_table
from engine.backtest.fills import (
    NOTHING,
    STOP,
    TARGET,
    commission,
    exit_on,
    sale_fees,
    slippage,
    tick_of,
    whole_shares,
)
from engine.execution.fees import COMMISSIONS, UsEquityFees
from engine.execution.matching import (
    STANDARD,
    BarPrices,
    Coverage,
    Leg,
    Liquidity,
    SlippageModel,
    exit_on_bar,
)
from engine.model.orders import OrderSide
from engine.money import to_decimal

cents = st.integers(1, 4000).map(lambda value: value / 100)
CODES = {None: NOTHING, Leg.STOP: STOP, Leg.TARGET: TARGET}


@given(st.tuples(cents, cents, cents, cents), cents, cents, st.booleans())
def test_a_bar_ends_a_bracket_as_it_does_at_the_venue(
    prices: tuple[float, float, float, float], one: float, other: float, rested: bool
) -> None:
    low, *inner, high = sorted(prices)
    open_, close = inner
    stop, target = min(one, other), max(one, other)
    bar = BarPrices(*(to_decimal(price) for price in (open_, high, low, close)))
    coverage = Coverage.BEFORE_OPEN if rested else Coverage.FROM_OPEN
    matched = exit_on_bar(to_decimal(stop), to_decimal(target), bar, coverage, None, STANDARD)
    code, price = exit_on(open_, high, low, stop, target, tick_of(target), rested)
    assert code == CODES[None if matched is None else matched.leg]
    if matched is not None:
        assert price == float(matched.price)


@given(
    st.integers(1, 100_000),
    st.integers(1, 4_000).map(lambda value: Decimal(value) / 100),
    st.dates(date(2010, 1, 1), date(2027, 1, 1)),
    st.sampled_from(sorted(COMMISSIONS)),
)
def test_fees_are_those_of_the_schedule(shares: int, price: Decimal, day: date, broker: str) -> None:
    schedule = COMMISSIONS[broker]
    table = cost_table(Costs(fees=schedule), [day])
    value = float(shares * price)
    charged = commission(shares, table.per_share, table.least, value, table.most_ratio)
    assert charged == pytest.approx(float(schedule.fee(OrderSide.BUY, Decimal(shares), price, day)), abs=1e-9)
    paid = charged + sale_fees(shares, value, table.sec[0], table.taf[0], table.taf_cap[0])
    assert paid == pytest.approx(float(schedule.fee(OrderSide.SELL, Decimal(shares), price, day)), abs=1e-9)


def test_slippage_of_the_worked_example_of_filter_two() -> None:
    """3/slippage_pct: 12 bps, 1,200 USD of 8 M, sigma 3.5 %: 0.090006249 %."""
    found = slippage(12 / 20_000, 0.7, 0.035, 1200.0, 8e6)
    assert 100 * found == pytest.approx(0.090006249, rel=1e-6)
    model = SlippageModel(spread_bps=12.0)
    assert found == pytest.approx(model.ratio(1200.0, Liquidity(8e6, 0.035), 12.0))


@pytest.mark.parametrize(
    ("sigma", "adv"), [(0.0, 8e6), (float("nan"), 8e6), (0.035, 0.0), (0.035, float("nan"))]
)
def test_without_liquidity_there_is_the_half_spread_alone(sigma: float, adv: float) -> None:
    assert slippage(0.0005, 0.7, sigma, 1200.0, adv) == 0.0005


def test_costs_at_twice_are_twice() -> None:
    once, twice = (cost_table(Costs().times(factor), [date(2016, 1, 4)]) for factor in (1, 2))
    assert twice.half_spread == 2 * once.half_spread == 2 * 10 / 20_000
    assert twice.impact == 2 * once.impact
    assert (once.scale, twice.scale) == (1, 2)
    assert twice.sec[0] == once.sec[0] == pytest.approx(18.40e-6)


def test_the_square_root_law_doubles_with_four_times_the_order() -> None:
    assert slippage(0, 0.7, 0.03, 4e4, 1e6) == pytest.approx(2 * slippage(0, 0.7, 0.03, 1e4, 1e6))
    assert slippage(0, 0.7, 0.03, 1e4, 1e6) == pytest.approx(0.7 * 0.03 * sqrt(0.01))


def test_shares_round_down_but_not_by_noise() -> None:
    assert whole_shares(100, 9.5) == 10
    assert whole_shares(0.3, 0.1) == 3


def test_no_commission_has_no_minimum() -> None:
    assert UsEquityFees().commission_per_share == 0
    assert commission(100, 0.0, 1.0, 1000.0, 1.0) == 0
