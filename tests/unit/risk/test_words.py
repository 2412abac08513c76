"""Numbers of gates as texts, also those that make no sense."""

from decimal import Decimal

import pytest

from engine.risk.words import money, percent


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1234.5", "1,234.50"),
        ("-0.005", "-0.00"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("1e20", "1e+20"),
    ],
)
def test_money(value: str, text: str) -> None:
    assert money(Decimal(value)) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(None, "unknown"), (0.0123, "1.23 %"), (Decimal("0.5"), "50.00 %"), (Decimal("sNaN"), "sNaN")],
)
def test_percent(ratio: Decimal | float | None, text: str) -> None:
    assert percent(ratio) == text
