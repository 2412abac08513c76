"""Numbers of gates as texts; also of values that make no sense, which are shown as they are."""

from decimal import Decimal

_LARGEST = Decimal("1e15")


def money(value: Decimal) -> str:
    """`1,234.50`."""
    if not value.is_finite():
        return str(value)
    if abs(value) >= _LARGEST:
        return f"{value:.6g}"
    return f"{value:,.2f}"


def percent(ratio: Decimal | float | None) -> str:
    """`1.23 %` of a fraction; `unknown` for None."""
    if isinstance(ratio, Decimal) and not ratio.is_finite():
        return str(ratio)
    return "unknown" if ratio is None else f"{100 * ratio:.2f} %"
