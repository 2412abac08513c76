"""Daily bars of the demo market as the strategies read them; the only file of it that needs numpy."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

import numpy as np

from engine.model.ids import InstrumentId
from engine.ports import BarColumns
from engine.sources.demo.diary import Row
from engine.sources.demo.intraday import UNIT


class DemoHistory:
    """The bars of all companies from before one session (`engine.strategies.base.History`)."""

    def __init__(self, bars: Mapping[InstrumentId, BarColumns]) -> None:
        self._bars = bars

    def instruments(self) -> tuple[InstrumentId, ...]:
        """All instruments with at least one bar before the session."""
        return tuple(self._bars)

    def daily(self, instrument: InstrumentId, bars: int) -> BarColumns | None:
        """The last `bars` raw daily bars before the session, fewer when there are fewer; None without any.

        Raises ValueError when `bars` is not positive.
        """
        if bars <= 0:
            raise ValueError(f"at least one bar must be asked for, not {bars}")
        found = self._bars.get(instrument)
        if found is None or bars >= len(found):
            return found
        rest = slice(len(found) - bars, None)
        return BarColumns(
            instrument,
            found.day[rest],
            found.open[rest],
            found.high[rest],
            found.low[rest],
            found.close[rest],
            found.volume[rest],
            found.event_ratio[rest],
        )


class LazyColumns(Mapping[InstrumentId, BarColumns]):
    """Columns of many instruments, each made when it is first asked for: all at once take 120 ms."""

    def __init__(
        self,
        days: Sequence[date],
        rows: Mapping[InstrumentId, Sequence[Row]],
        names: Iterable[InstrumentId],
    ) -> None:
        self._days, self._rows = days, rows
        self._made: dict[InstrumentId, BarColumns | None] = dict.fromkeys(names)

    def __getitem__(self, name: InstrumentId) -> BarColumns:
        found = self._made[name]
        if found is None:
            found = self._made[name] = columns_of(name, self._days, self._rows[name])
        return found

    def __iter__(self) -> Iterator[InstrumentId]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def columns_of(instrument: InstrumentId, days: Sequence[date], rows: Sequence[Row]) -> BarColumns:
    """Columns (T,) of T daily bars; there are no corporate actions in the demo market."""
    table = np.array(rows, dtype=np.float64).reshape(len(days), 5)
    prices = table[:, :4] / UNIT
    day = np.array(days, dtype="datetime64[D]")
    ones = np.ones(len(days))
    return BarColumns(
        instrument, day, prices[:, 0], prices[:, 1], prices[:, 2], prices[:, 3], table[:, 4], ones
    )
