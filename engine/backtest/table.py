"""Daily bars of many instruments one after the other, as the vectorised rules and the kernels walk them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.model.ids import InstrumentId, symbol_of
from engine.ports import BarColumns


@dataclass(frozen=True, slots=True)
class Table:
    """All instruments one after the other, by symbol; arrays of shape (N,). A bar's place is its row here."""

    instruments: Sequence[InstrumentId]
    owner: np.ndarray
    row: np.ndarray
    left: np.ndarray  # bars from this one to the instrument's last, both counted
    day: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray
    ratio: np.ndarray
    dollars: np.ndarray

    def places(self, instrument: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Places (K,) of rows (K,) of instruments (K,), both numbers as in this table."""
        starts = np.flatnonzero(self.row == 0)
        return np.asarray(starts[instrument] + row)


def tabulate(bars: Mapping[InstrumentId, BarColumns]) -> Table:
    """Instruments without a bar are left out. At least one must have one."""
    instruments = sorted((i for i, columns in bars.items() if len(columns)), key=symbol_of)
    lengths = np.array([len(bars[i]) for i in instruments], dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    row = np.arange(lengths.sum()) - np.repeat(starts, lengths)

    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(bars[i], name) for i in instruments])

    close, volume = column("close"), column("volume")
    return Table(
        instruments=instruments,
        owner=np.repeat(np.arange(len(instruments)), lengths),
        row=row,
        left=np.repeat(lengths, lengths) - row,
        day=column("day"),
        open=column("open"),
        high=column("high"),
        low=column("low"),
        close=close,
        volume=volume,
        ratio=column("event_ratio"),
        dollars=close * volume,
    )
