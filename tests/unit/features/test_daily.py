"""All bars of many instruments at once, one instrument alone, and bar after bar: the same bits."""

from collections.abc import Callable

import numpy as np
import pytest

from engine.features.catalogue import CATALOGUE
from engine.features.daily import FEATURES, DailyState, daily_features
from engine.features.decisions import tabulate
from engine.model.ids import instrument_id
from engine.ports import BarColumns

Walk = Callable[..., dict[str, np.ndarray]]
PRICES = ("open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def many(walk: Walk) -> list[BarColumns]:
    found = []
    for seed, rows in enumerate((700, 5, 0, 263, 64)):
        columns = walk(max(rows, 1), seed)
        days = np.arange(rows).astype("datetime64[D]")
        values = [columns[name][:rows] for name in PRICES]
        found.append(BarColumns(instrument_id(f"S{seed}"), days, *values, np.ones(rows)))
    found[0].close[300:303] = np.nan
    return found


def _bits(values: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(values), np.nan, values).view(np.int64)


def test_each_instrument_stands_by_itself(many: list[BarColumns]) -> None:
    table = tabulate(many)
    values = daily_features(table)
    assert set(values) == set(FEATURES)
    for name, column in values.items():
        spec = CATALOGUE[name]
        alone = [spec.compute(*(getattr(bars, key) for key in spec.inputs)) for bars in many]
        np.testing.assert_array_equal(_bits(column), _bits(np.concatenate(alone)), err_msg=name)


def test_a_state_gives_the_same_bits_bar_by_bar(many: list[BarColumns]) -> None:
    values = daily_features(tabulate(many[:1]))
    state = DailyState()
    for row in range(len(many[0])):
        told = state.update({name: float(getattr(many[0], name)[row]) for name in PRICES})
        for name, value in told.items():
            assert value.hex() == float(values[name][row]).hex(), (name, row)


def test_no_instruments_have_no_rows() -> None:
    assert all(len(column) == 0 for column in daily_features(tabulate([])).values())
