"""Position size: the smallest of all caps, then the multipliers (SPEC 11.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.money import ZERO, round_quantity


@dataclass(frozen=True, slots=True)
class SizeCap:
    """One upper bound on a position's value, in account currency."""

    name: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Sizing:
    """The size and the bound that made it. `value` is before rounding to the lot; quantity 0 is too small."""

    quantity: Decimal
    value: Decimal
    binding: str


def size_position(
    price: Decimal, caps: Sequence[SizeCap], multipliers: Sequence[Decimal], lot: Decimal
) -> Sizing:
    """Smallest cap (the first of equals) x all multipliers, as a quantity rounded down to the lot.

    Raises ValueError without caps, for a price that is not positive and for a multiplier outside 0..1.
    """
    if not caps or price <= ZERO or any(not ZERO <= multiplier <= 1 for multiplier in multipliers):
        raise ValueError(f"cannot size at price {price} with {len(caps)} caps and multipliers {multipliers}")
    cap = min(caps, key=lambda bound: bound.value)
    value = max(cap.value, ZERO)
    for multiplier in multipliers:
        value *= multiplier
    return Sizing(round_quantity(value / price, lot), value, cap.name)
