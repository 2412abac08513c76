"""Position size: at most every cap, always whole lots, never more for a smaller multiplier."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.risk.sizing import SizeCap, size_position

prices = st.decimals(min_value="0.0001", max_value="100000", places=4)
values = st.decimals(min_value="-1000", max_value="10000000", places=2)
caps = st.lists(values, min_size=1, max_size=5).map(
    lambda amounts: [SizeCap(f"cap {n}", amount) for n, amount in enumerate(amounts)]
)
multipliers = st.lists(st.decimals(min_value=0, max_value=1, places=3), max_size=3)
lots = st.sampled_from([Decimal(1), Decimal(100), Decimal("0.001"), Decimal("0.00000001")])


@given(prices, caps, multipliers, lots)
def test_value_stays_within_every_cap_and_is_whole_lots(
    price: Decimal, bounds: Sequence[SizeCap], factors: Sequence[Decimal], lot: Decimal
) -> None:
    sizing = size_position(price, bounds, factors, lot)
    smallest = min(bound.value for bound in bounds)
    assert sizing.quantity >= 0
    assert sizing.quantity % lot == 0
    assert sizing.quantity * price <= max(smallest, Decimal(0))
    assert sizing.binding == next(bound.name for bound in bounds if bound.value == smallest)


@given(prices, caps, multipliers, lots)
def test_one_lot_more_would_break_the_binding_bound(
    price: Decimal, bounds: Sequence[SizeCap], factors: Sequence[Decimal], lot: Decimal
) -> None:
    sizing = size_position(price, bounds, factors, lot)
    assert (sizing.quantity + lot) * price > sizing.value


@given(prices, caps, multipliers, lots, st.decimals(min_value=0, max_value=1, places=3))
def test_another_multiplier_never_makes_it_larger(
    price: Decimal, bounds: Sequence[SizeCap], factors: list[Decimal], lot: Decimal, factor: Decimal
) -> None:
    before = size_position(price, bounds, factors, lot)
    assert size_position(price, bounds, [*factors, factor], lot).quantity <= before.quantity


@pytest.mark.parametrize(
    ("price", "bounds", "factors"),
    [
        (Decimal(8), (), ()),
        (Decimal(0), (SizeCap("cash", Decimal(100)),), ()),
        (Decimal(-1), (SizeCap("cash", Decimal(100)),), ()),
        (Decimal(8), (SizeCap("cash", Decimal(100)),), (Decimal("1.1"),)),
        (Decimal(8), (SizeCap("cash", Decimal(100)),), (Decimal("-0.1"),)),
    ],
)
def test_what_cannot_be_sized_is_refused(
    price: Decimal, bounds: Sequence[SizeCap], factors: Sequence[Decimal]
) -> None:
    with pytest.raises(ValueError, match="cannot size at price"):
        size_position(price, bounds, factors, Decimal(1))
