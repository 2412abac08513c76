import numpy as np
import pytest

from engine.errors import InvariantBroken
from engine.features.catalogue import CATALOGUE
from engine.features.registry import Array, Category, feature, registered


def test_a_name_declared_twice_is_refused() -> None:
    def z5(close: Array) -> Array:
        return close

    declare = feature(version="2.0.0", category=Category.TECHNICAL, unit="z", lookback=1)
    with pytest.raises(InvariantBroken, match="feature z5 is declared twice"):
        declare(z5)
    assert registered()["z5"].version == "1.0.0"


def test_columns_are_the_positional_parameters() -> None:
    assert CATALOGUE["atr_14_pct"].inputs == ("high", "low", "close")
    assert CATALOGUE["realized_vol_20"].inputs == ("close",)


@pytest.mark.parametrize(
    ("name", "value", "holds"),
    [
        ("rsi2", 0.0, True),
        ("rsi2", -1e-10, True),
        ("rsi2", -0.1, False),
        ("rsi2", 100.1, False),
        ("dist_200", -1.0, False),
        ("dist_200", -0.99, True),
        ("z5", 1e9, True),
        ("z5", np.nan, False),
        ("vix_close", 4.9, False),
        ("vix_close", 151.0, False),
    ],
)
def test_a_range_holds_its_ends_unless_they_are_excluded(name: str, value: float, holds: bool) -> None:
    assert CATALOGUE[name].holds(value) is holds
