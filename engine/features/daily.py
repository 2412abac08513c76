"""The daily features of many instruments over all their bars, in one loop that can be compiled.

It gives what each feature's `compute` gives of each instrument by itself, and what a `DailyState` gives that
was told the same bars one after the other.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from engine.features.assemble import PRICE_FEATURES
from engine.features.catalogue import CATALOGUE
from engine.features.decisions import Table
from engine.features.kernels import Column, log_rows, volatility_rows
from engine.features.registry import Array
from engine.features.technical import trend_rows
from engine.jit import fast, is_compiling, kernel

FEATURES = PRICE_FEATURES
PIECE = 512
"""Rows that are gone through by all features before the next ones, so that they stay near the processor."""
_SCRATCH = max(CATALOGUE[name].scratch for name in FEATURES)

_z5, _rsi2, _bb_dev, _dist_200, _, _gap_dn, _atr_14_pct, _ = (CATALOGUE[name].kernel for name in FEATURES)


class DailyState:
    """The daily features of one instrument as its bars come.

    After a corporate action the bars before it stand in other dollars: start anew and tell it all of them.
    """

    def __init__(self, names: Sequence[str] = FEATURES) -> None:
        self._following = [CATALOGUE[name].start() for name in names]

    def update(self, bar: Mapping[str, float]) -> dict[str, float]:
        """Take one bar, column -> value, and give each feature at it; NaN where there is no number yet."""
        return {one.spec.id: one.update(*(bar[name] for name in one.spec.inputs)) for one in self._following}


def daily_features(table: Table, out: Array | None = None) -> dict[str, Array]:
    """Each feature of FEATURES at every row of a table of bars in one kind of dollars, (T,) -> (T,).

    `out` (8, T) is written to, where one is given.
    """
    names = ("open", "high", "low", "close")
    values = np.empty((len(FEATURES), len(table.day))) if out is None else out
    if is_compiling():
        memories = tuple(tuple(np.array(state) for state in CATALOGUE[name].states) for name in FEATURES)
        scratch = tuple(np.empty(PIECE) for _ in range(_SCRATCH))
        memory = tuple(part for parts in memories for part in parts)
        states = tuple(part.copy() for part in memory)
        bars = tuple(table.columns[name] for name in names)
        fast(all_rows)(table.starts, bars, memory, states, memories, scratch, values)
    else:
        for first, end in zip(table.starts[:-1].tolist(), table.starts[1:].tolist(), strict=True):
            for place, name in enumerate(FEATURES):
                spec = CATALOGUE[name]
                values[place, first:end] = spec.compute(
                    *(table.columns[column][first:end] for column in spec.inputs)
                )
    return dict(zip(FEATURES, values, strict=True))


@kernel
def all_rows(
    starts: Column,
    bars: Column,
    memory: Column,
    states: Column,
    memories: Column,
    scratch: Column,
    out: Column,
) -> None:
    """Every feature of every instrument; compiled only, since a slice of a list would be a copy."""
    for number in range(len(starts) - 1):
        for place in range(len(memory)):
            memory[place][:] = states[place]
        for first in range(starts[number], starts[number + 1], PIECE):
            piece(bars, first, min(first + PIECE, starts[number + 1]), memories, scratch, out)


@kernel
def piece(bars: Column, first: int, end: int, memories: Column, scratch: Column, out: Column) -> None:
    """Every feature at rows first..end-1 of one instrument, after the rows before them."""
    open_, high, low = bars[0][first:end], bars[1][first:end], bars[2][first:end]
    close, rows = bars[3][first:end], end - first
    one, other, third = scratch[0][:rows], scratch[1][:rows], scratch[2][:rows]
    _z5(close, memories[0], (one, other, third), out[0][first:end])
    _rsi2(close, memories[1], (), out[1][first:end])
    _bb_dev(close, memories[2], (one, other), out[2][first:end])
    _dist_200(close, memories[3], (one,), out[3][first:end])
    # One logarithm a row for the two features that need it.
    log_rows(close, one)
    trend_rows(one, memories[4], other, out[4][first:end])
    volatility_rows(one, 20, memories[7], one, other, out[7][first:end])
    _gap_dn(open_, close, memories[5], (one,), out[5][first:end])
    _atr_14_pct(high, low, close, memories[6], (one,), out[6][first:end])
