"""Rows of daily bars -> columns."""

from collections.abc import Sequence
from datetime import date

import numpy as np

from engine.model.ids import InstrumentId
from engine.ports import BarColumns

Row = tuple[float, float, float, float, float]
"""Open, high, low, close, volume."""


def day_columns(instrument: InstrumentId, days: Sequence[date], rows: Sequence[Row]) -> BarColumns:
    """Columns of adjusted bars, or of an index: every `event_ratio` is 1. `days` ascend."""
    columns = np.array(rows, dtype=np.float64).reshape(len(rows), 5).T.copy()
    day = np.array(days, dtype="datetime64[D]")
    open_, high, low, close, volume = columns
    return BarColumns(instrument, day, open_, high, low, close, volume, np.ones(len(rows)))
