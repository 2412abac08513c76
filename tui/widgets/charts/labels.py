"""How the values of one axis look: the same decimals in every label, so the points stand in one line."""

import math
from collections.abc import Callable, Sequence

from tui.format import amount
from tui.widgets.charts.scale import smallest_step

Labels = Callable[[Sequence[float], bool], tuple[str, ...]]
"""Values of one axis, and whether ASCII is asked for, to equally aligned texts."""

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_MOST_DECIMALS = 18
_TINIEST = 1e-18


def price_labels(values: Sequence[float], plain: bool = False) -> tuple[str, ...]:
    """Prices: two decimals from 1 up, four below, more where the steps need them."""
    least = 2 if _largest(values) >= 1 else 4
    return _fixed(values, _decimals(values, least))


def money_labels(values: Sequence[float], plain: bool = False) -> tuple[str, ...]:
    """Amounts of an account: whole where the steps are whole, else two decimals; k, M, B from ten million."""
    if _largest(values) >= 1e7:
        short = tuple(amount(value) for value in values)
        if len(set(short)) == len(set(values)):
            return short
    return _fixed(values, 0 if smallest_step(values) >= 1 and _whole(values) else 2)


def token_labels(values: Sequence[float], plain: bool = False) -> tuple[str, ...]:
    """Token prices: five significant digits at most; all under 0.001 the zeros as a subscript: `0.0₄8127`."""
    if not plain and values and all(_TINIEST <= value < 0.001 for value in values):
        return _shrunk(values)
    largest = _largest(values)
    exponent = math.floor(math.log10(largest)) if largest > 0 else 0
    decimals = min(max(4 - exponent, 2), _MOST_DECIMALS)
    texts = _fixed(values, decimals)
    while decimals > 2 and all(text.endswith("0") for text in texts):
        decimals -= 1
        texts = tuple(text[:-1] for text in texts)
    return texts


def _shrunk(values: Sequence[float]) -> tuple[str, ...]:
    """As many significant digits in each as the one that needs most."""
    parts = [f"{value:.4e}".split("e") for value in values]
    digits = [mantissa.replace(".", "") for mantissa, _ in parts]
    kept = max(2, *(len(text.rstrip("0")) for text in digits))
    zeros = [str(-int(exponent) - 1).translate(_SUBSCRIPTS) for _, exponent in parts]
    return tuple(f"0.0{count}{text[:kept]}" for count, text in zip(zeros, digits, strict=True))


def percent_labels(values: Sequence[float], plain: bool = False) -> tuple[str, ...]:
    """Ratios as percent: 0.05 is `5%`, one decimal or more where the steps need them."""
    scaled = [value * 100 for value in values]
    return tuple(f"{text}%" for text in _fixed(scaled, _decimals(scaled, 0 if _whole(scaled) else 1)))


def number_labels(unit: str = "") -> Labels:
    """Plain numbers with a unit behind: `27 ms`."""

    def labels(values: Sequence[float], plain: bool = False) -> tuple[str, ...]:
        return tuple(text + unit for text in _fixed(values, _decimals(values, 0)))

    return labels


def _largest(values: Sequence[float]) -> float:
    return max((abs(value) for value in values), default=0.0)


def _whole(values: Sequence[float]) -> bool:
    return all(abs(value - round(value)) < 1e-6 for value in values)


def _decimals(values: Sequence[float], least: int) -> int:
    """The fewest decimals, `least` or more, that keep the labels apart and the steps even to 5 %."""
    step = smallest_step(values)
    if step <= 0:
        return least
    decimals = least
    while decimals < _MOST_DECIMALS and _off(step, decimals) > 0.05 * step:
        decimals += 1
    return decimals


def _off(step: float, decimals: int) -> float:
    return abs(round(step, decimals) - step)


def _fixed(values: Sequence[float], decimals: int) -> tuple[str, ...]:
    return tuple(_no_minus_zero(f"{value:,.{decimals}f}") for value in values)


def _no_minus_zero(text: str) -> str:
    return text if any(digit in text for digit in "123456789") else text.removeprefix("-")
