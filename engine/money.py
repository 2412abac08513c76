"""The only border between float and Decimal, and the rounding rules of SPEC 0.5."""

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from math import isfinite

ZERO = Decimal(0)
CENT = Decimal("0.01")
EPSILON = 1e-9
"""Tolerance of every comparison of an unrounded float with a threshold."""


def to_decimal(value: float) -> Decimal:
    """The shortest decimal that reads back as the same float64. Raises ValueError for NaN and infinities."""
    if not isfinite(value):
        raise ValueError(f"not a finite number: {value!r}")
    return Decimal(repr(float(value)))


def equity_tick(price: Decimal) -> Decimal:
    """Tick of a US equity: 0.0001 below 1 USD, else 0.01."""
    return Decimal("0.0001") if price < 1 else CENT


def _to_tick(price: Decimal, tick: Decimal | None, rounding: str) -> Decimal:
    """`tick` None leaves the price as it is."""
    return price if tick is None else (price / tick).to_integral_value(rounding) * tick


def round_down(price: Decimal, tick: Decimal | None) -> Decimal:
    """Stops and targets of longs round down to the tick."""
    return _to_tick(price, tick, ROUND_FLOOR)


def round_up(price: Decimal, tick: Decimal | None) -> Decimal:
    """To the next tick above; what a buyer pays after slippage."""
    return _to_tick(price, tick, ROUND_CEILING)


def round_quantity(quantity: Decimal, lot: Decimal) -> Decimal:
    """Quantities always round down to the lot."""
    return (quantity / lot).to_integral_value(ROUND_DOWN) * lot


def round_cents(amount: Decimal) -> Decimal:
    """Money to the cent, half to even."""
    return amount.quantize(CENT, ROUND_HALF_EVEN)
