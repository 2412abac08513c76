"""The walk over whole bars against an independent one in float64, and what must hold for every bar."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from engine.execution.matching import (
    NAIVE,
    STANDARD,
    BarPrices,
    Coverage,
    GapFill,
    Leg,
    exit_on_bar,
    limit_on_bar,
    stop_on_bar,
    taker_price,
)
from engine.model.orders import OrderSide
from engine.money import to_decimal

prices = st.integers(50, 2000).map(lambda cents: cents / 100)


@st.composite
def bars(draw: st.DrawFn) -> tuple[float, float, float, float]:
    o, c, a, b = (draw(prices) for _ in range(4))
    return o, max(o, c, a, b), min(o, c, a, b), c


def independent_walk(
    entry: float, walked: list[tuple[float, float, float, float]], gap: bool
) -> tuple[str, float, int]:
    stop, target = entry * (1 - 0.08), entry * (1 + 0.06)
    for k, (o, h, low, _) in enumerate(walked):
        if low <= stop + 1e-9:
            return "stop", o if gap and k > 0 and o < stop else stop, k + 1
        if h >= target - 1e-9:
            return "target", o if gap and k > 0 and o > target else target, k + 1
    return "time", walked[-1][3], len(walked)


@given(first=bars(), rest=st.lists(bars(), min_size=1, max_size=5), gap=st.booleans())
def test_walk_equals_the_independent_one(
    first: tuple[float, float, float, float], rest: list[tuple[float, float, float, float]], gap: bool
) -> None:
    rules = replace(NAIVE, gap_fill=GapFill.GAP if gap else GapFill.EXACT)
    entry = first[0]
    expected = independent_walk(entry, [first, *rest], gap)
    stop, target = to_decimal(entry) * Decimal("0.92"), to_decimal(entry) * Decimal("1.06")
    found = ("time", rest[-1][3], len(rest) + 1)
    for k, values in enumerate([first, *rest]):
        bar = BarPrices(*(to_decimal(value) for value in values))
        coverage = Coverage.BEFORE_OPEN if k else Coverage.FROM_OPEN
        match = exit_on_bar(stop, target, bar, coverage, None, rules)
        if match is not None:
            found = (str(match.leg), float(match.price), k + 1)
            break
    assert found[0] == expected[0]
    assert found[2] == expected[2]
    assert abs(found[1] - expected[1]) <= 1e-9 * entry


@given(bar=bars(), stop=prices, target=prices, coverage=st.sampled_from(Coverage))
def test_exit_lies_inside_the_bar_or_at_its_own_level(
    bar: tuple[float, float, float, float], stop: float, target: float, coverage: Coverage
) -> None:
    found = BarPrices(*(to_decimal(value) for value in bar))
    low, high = to_decimal(min(stop, target)), to_decimal(max(stop, target))
    for rules in (NAIVE, STANDARD):
        match = exit_on_bar(low, high, found, coverage, Decimal("0.01"), rules)
        if match is None:
            assert stop_on_bar(low, found, coverage, rules) is None
        elif match.leg is Leg.STOP:
            assert match.price <= low
            assert match.price in (low, found.open)
        else:
            assert match.price >= high
            assert match.price in (high, found.open)


@given(bar=bars(), limit=prices, coverage=st.sampled_from(Coverage), side=st.sampled_from(OrderSide))
def test_limit_never_fills_worse_than_its_price(
    bar: tuple[float, float, float, float], limit: float, coverage: Coverage, side: OrderSide
) -> None:
    found = BarPrices(*(to_decimal(value) for value in bar))
    level = to_decimal(limit)
    loose = limit_on_bar(side, level, found, coverage, Decimal("0.01"), NAIVE)
    strict = limit_on_bar(side, level, found, coverage, Decimal("0.01"), STANDARD)
    for price in (loose, strict):
        assert price is None or side.sign * (price - level) <= 0
    assert strict is None or loose is not None


@given(price=prices, ratio=st.floats(0, 0.2), side=st.sampled_from(OrderSide), away=prices)
def test_slippage_is_never_a_gain_and_never_beyond_the_limit(
    price: float, ratio: float, side: OrderSide, away: float
) -> None:
    base = to_decimal(price)
    limit = base + side.sign * to_decimal(away)
    paid = taker_price(side, base, ratio, limit, Decimal("0.01"))
    assert side.sign * (paid - base) >= 0
    assert side.sign * (paid - limit) <= 0
