"""The bar store against the simplest model of it: a dictionary of days."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.ids import InstrumentId
from engine.ports import BarColumns
from storage.bars import open_bars

ABC = InstrumentId("ABC.US")
START = np.datetime64("2015-12-25", "D")

prices = st.floats(allow_nan=False, allow_infinity=False) | st.floats(width=32, allow_nan=False)
rows = st.dictionaries(st.integers(0, 800), st.tuples(prices, st.sampled_from([1.0, 0.5, 10.0])), max_size=6)


def bars_of(model: dict[int, tuple[float, float]]) -> BarColumns:
    days = sorted(model)
    price = np.array([model[day][0] for day in days], dtype=np.float64)
    ratio = np.array([model[day][1] for day in days], dtype=np.float64)
    offsets = np.array(days, dtype=np.int64)
    return BarColumns(ABC, START + offsets, price, price, price, price, price, ratio)


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, min_size=1, max_size=4))
def test_puts_in_any_order_leave_the_newest_bar_of_each_day(
    puts: list[dict[int, tuple[float, float]]],
) -> None:
    model: dict[int, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder, open_bars(Path(folder) / "bars.db") as store:
        for put in puts:
            changes = any(
                day not in model or np.array(model[day]).tobytes() != np.array(row).tobytes()
                for day, row in put.items()
            )
            assert store.put_daily(bars_of(put), "a.csv") is changes
            model |= put
        found = store.daily(ABC)
        if not model:
            assert found is None
            return
        assert found is not None
        wanted = bars_of(model)
        assert np.array_equal(found.day, wanted.day)
        assert found.close.tobytes() == wanted.close.tobytes()
        assert np.array_equal(found.event_ratio, wanted.event_ratio)
