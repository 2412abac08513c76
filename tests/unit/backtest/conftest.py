"""Bars by hand: twenty quiet sessions at 10.00 with 10 M USD a day, then the rows that the test writes."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from engine.model.ids import instrument_id
from engine.ports import BarColumns

_QUIET = 20
_START = np.datetime64("2016-01-04")

Row = tuple[float, float, float, float]


@pytest.fixture
def bars_of() -> Callable[..., BarColumns]:
    """`rows` (open, high, low, close) from bar 20 on; `ratios` maps a bar to its event ratio."""

    def build(
        symbol: str,
        rows: Sequence[Row],
        ratios: dict[int, float] | None = None,
        missing: Sequence[int] = (),
        volume: float = 1e6,
    ) -> BarColumns:
        prices = np.array([(10.0, 10.0, 10.0, 10.0)] * _QUIET + list(rows))
        days = np.busday_offset(_START, np.arange(len(prices) + len(missing)), roll="forward")
        days = np.delete(days, [_QUIET + gap for gap in missing]).astype("datetime64[D]")
        ratio = np.ones(len(prices))
        for at, value in (ratios or {}).items():
            ratio[_QUIET + at] = value
        return BarColumns(instrument_id(symbol), days, *prices.T.copy(), np.full(len(prices), volume), ratio)

    return build
