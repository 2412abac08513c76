"""Daily bars as they were known before one session; the same bars serve every session of a replay."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import numpy.typing as npt

from engine.model.ids import InstrumentId
from engine.ports import BarColumns

_STRIDE = 1 << 32
"""Between the keys of two instruments: more days than datetime64[D] calendars hold."""


class _Rows:
    """All days of all instruments as one sorted key: one search cuts every instrument at a session."""

    def __init__(self, columns: Mapping[InstrumentId, BarColumns]) -> None:
        self.place = {instrument: number for number, instrument in enumerate(columns)}
        lengths = np.array([len(bars) for bars in columns.values()], dtype=np.int64)
        self._starts = np.cumsum(lengths) - lengths
        self._owners = np.arange(len(lengths), dtype=np.int64) * _STRIDE
        days = [bars.day.astype("datetime64[D]").astype(np.int64) for bars in columns.values()]
        self._keys = np.repeat(self._owners, lengths) + (np.concatenate(days) if days else self._starts)

    def before(self, session: date) -> npt.NDArray[np.int64]:
        """Rows of each instrument, in the order of the mapping, whose day lies strictly before `session`."""
        day = np.datetime64(session, "D").astype(np.int64)
        return np.searchsorted(self._keys, self._owners + day) - self._starts


class StoredHistory:
    """The bars of `columns` from before `session`: nothing of that session or later. Slices, never copies."""

    def __init__(
        self, columns: Mapping[InstrumentId, BarColumns], session: date, rows: _Rows | None = None
    ) -> None:
        self._columns = columns
        self._rows = _Rows(columns) if rows is None else rows
        self._known = self._rows.before(session)

    def at(self, session: date) -> "StoredHistory":
        """The same bars as they were known before another session; cheap."""
        return StoredHistory(self._columns, session, self._rows)

    def instruments(self) -> tuple[InstrumentId, ...]:
        """All instruments with at least one bar before the session."""
        return tuple(
            instrument
            for instrument, known in zip(self._columns, self._known.tolist(), strict=True)
            if known > 0
        )

    def daily(self, instrument: InstrumentId, bars: int) -> BarColumns | None:
        """The last `bars` raw daily bars before the session, fewer when there are fewer; None without any.

        Raises ValueError when `bars` is not positive.
        """
        if bars <= 0:
            raise ValueError(f"at least one bar must be asked for, not {bars}")
        place = self._rows.place.get(instrument)
        last = 0 if place is None else int(self._known[place])
        if last == 0:
            return None
        return cut(self._columns[instrument], max(0, last - bars), last)


def cut(bars: BarColumns, first: int, last: int) -> BarColumns:
    """Rows first..last-1 as views."""
    rows = slice(first, last)
    return BarColumns(
        bars.instrument,
        bars.day[rows],
        bars.open[rows],
        bars.high[rows],
        bars.low[rows],
        bars.close[rows],
        bars.volume[rows],
        bars.event_ratio[rows],
    )


def known_before(bars: BarColumns, session: date) -> BarColumns:
    """The rows strictly before `session`, as views."""
    return cut(bars, 0, int(bars.day.searchsorted(np.datetime64(session, "D"))))
