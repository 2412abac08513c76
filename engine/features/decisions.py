"""Features of many decisions at once, each from a start of its own, in one loop that can be compiled.

For one decision it does what `assemble.full_features` does, with the same kernels on the same rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.features.assemble import (
    COMPLETED_FEATURES,
    HISTORY_BARS,
    PRICE_FEATURES,
    VOLUME_FEATURES,
)
from engine.features.catalogue import CATALOGUE
from engine.features.kernels import NAN, Column
from engine.features.registry import Array
from engine.jit import fast, is_compiling, kernel
from engine.money import EPSILON
from engine.ports import BarColumns

AT_PRICE = (*PRICE_FEATURES, "gap_atr")
"""Read at the provisional bar."""
FEATURES = (*AT_PRICE, *VOLUME_FEATURES, *COMPLETED_FEATURES)
"""In the order of the rows that `decide` writes."""
_COLUMNS = ("open", "high", "low", "close", "volume", "event_ratio")
FEW = 8_000
"""Decisions up to here are faster read than a loop for them is compiled."""
_SCRATCH = max(CATALOGUE[name].scratch for name in FEATURES)

_z5, _rsi2, _bb_dev, _dist_200, _trend_63, _gap_dn, _atr_14_pct, _realized_vol_20, _gap_atr = (
    CATALOGUE[name].kernel for name in AT_PRICE
)
_adv_usd_20, _liquidity_delta_pct, _amihud_illiq_20, _volume_fade = (
    CATALOGUE[name].kernel for name in (*VOLUME_FEATURES, *COMPLETED_FEATURES[:3])
)
_rv60, _prev_return, _prev_volume_ratio, _ret20, _knife_share_63 = (
    CATALOGUE[name].kernel for name in COMPLETED_FEATURES[3:]
)


@kernel
def bring(
    bars: Column,
    start: int,
    session: int,
    open_: Column,
    high: Column,
    low: Column,
    close: Column,
    volume: Column,
) -> int:
    """Rows start..session-1 in the dollars of `session`, then its provisional bar; how many rows that is."""
    count, factor, price = session - start, bars[5][session], bars[0][session]
    for row in range(count - 1, -1, -1):
        source = start + row
        open_[row] = bars[0][source] * factor
        high[row] = bars[1][source] * factor
        low[row] = bars[2][source] * factor
        close[row] = bars[3][source] * factor
        volume[row] = bars[4][source] / factor
        factor *= bars[5][source]
    open_[count] = high[count] = low[count] = close[count] = price
    volume[count] = NAN
    return count + 1


@kernel
def two(scratch: Column, rows: int) -> tuple[Column, Column]:
    """Room for `rows` rows."""
    return scratch[0][:rows], scratch[1][:rows]


@kernel
def three(scratch: Column, rows: int) -> tuple[Column, Column, Column]:
    """Room for `rows` rows."""
    return scratch[0][:rows], scratch[1][:rows], scratch[2][:rows]


@kernel
def at_price(
    bars: Column, end: int, memories: Column, scratch: Column, one: Column, out: Column, row: int
) -> None:
    """The features of AT_PRICE at the provisional bar, the last of `end` rows."""
    open_, high, low, close = bars[0][:end], bars[1][:end], bars[2][:end], bars[3][:end]
    _z5(close[-66:], memories[0], three(scratch, min(end, 66)), one)
    out[0][row] = one[0]
    _rsi2(close, memories[1], (), one)
    out[1][row] = one[0]
    _bb_dev(close[-20:], memories[2], two(scratch, min(end, 20)), one)
    out[2][row] = one[0]
    _dist_200(close[-200:], memories[3], (scratch[0][: min(end, 200)],), one)
    out[3][row] = one[0]
    _trend_63(close[-63:], memories[4], two(scratch, min(end, 63)), one)
    out[4][row] = one[0]
    _gap_dn(open_[-2:], close[-2:], memories[5], (scratch[0][: min(end, 2)],), one)
    out[5][row] = one[0]
    _atr_14_pct(high, low, close, memories[6], (scratch[0][:end],), one)
    out[6][row] = one[0]
    _realized_vol_20(close[-21:], memories[7], two(scratch, min(end, 21)), one)
    out[7][row] = one[0]
    _gap_atr(open_, high, low, close, memories[8], three(scratch, end), one)
    out[8][row] = one[0]


@kernel
def at_close(
    bars: Column, count: int, memories: Column, scratch: Column, one: Column, out: Column, row: int
) -> None:
    """The features of COMPLETED_FEATURES at the last of `count` completed bars."""
    close, volume = bars[3][:count], bars[4][:count]
    _liquidity_delta_pct(volume[-20:], memories[10], two(scratch, min(count, 20)), one)
    out[10][row] = one[0]
    _amihud_illiq_20(close[-21:], volume[-21:], memories[11], (scratch[0][: min(count, 21)],), one)
    out[11][row] = one[0]
    rows = min(count, 10)
    room = (scratch[0][:rows], scratch[1][:rows], scratch[2][:rows], scratch[3][:rows])
    _volume_fade(volume[-10:], memories[12], room, one)
    out[12][row] = one[0]
    _rv60(close[-61:], memories[13], two(scratch, min(count, 61)), one)
    out[13][row] = one[0]
    _prev_return(close[-2:], memories[14], (scratch[0][: min(count, 2)],), one)
    out[14][row] = one[0]
    _prev_volume_ratio(volume[-21:], memories[15], two(scratch, min(count, 21)), one)
    out[15][row] = one[0]
    _ret20(close[-21:], memories[16], (scratch[0][: min(count, 21)],), one)
    out[16][row] = one[0]
    _knife_share_63(close[-262:], memories[17], two(scratch, min(count, 262)), one)
    out[17][row] = one[0]


@kernel
def decide(
    bars: Column,
    firsts: Column,
    sessions: Column,
    memory: Column,
    states: Column,
    memories: Column,
    buffers: Column,
    scratch: Column,
    one: Column,
    out: Column,
) -> None:
    """Every feature at the open of each row of `sessions`; `firsts`: where its instrument's rows begin.

    `memories`: of each feature, the same lists as `memory` has in a row; `states`: what those start from.
    """
    open_, high, low, close, volume = buffers
    for row in range(len(sessions)):
        session = sessions[row]
        start = max(firsts[row], session - HISTORY_BARS)
        end = bring(bars, start, session, open_, high, low, close, volume)
        for place in range(len(memory)):
            memory[place][:] = states[place]
        at_price(buffers, end, memories, scratch, one, out, row)
        begin = max(start, session - 20)
        room = (scratch[0][: session - begin],)
        _adv_usd_20(bars[3][begin:session], bars[4][begin:session], memories[9], room, one)
        out[9][row] = one[0]
        at_close(buffers, end - 1, memories, scratch, one, out, row)


@dataclass(frozen=True, slots=True)
class Table:
    """Bars of some instruments one after the other, (T,); instrument k has rows starts[k]..starts[k+1]-1."""

    starts: npt.NDArray[np.int64]
    day: np.ndarray
    columns: Mapping[str, Array]

    @property
    def owner(self) -> npt.NDArray[np.int64]:
        """The instrument of each row."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


def tabulate(bars: Sequence[BarColumns]) -> Table:
    """One table of all of them, in their order."""
    starts = np.zeros(len(bars) + 1, dtype=np.int64)
    np.cumsum([len(columns) for columns in bars], out=starts[1:])
    days = [columns.day.astype("datetime64[D]") for columns in bars]
    named = {
        name: np.concatenate([getattr(columns, name) for columns in bars] or [np.empty(0)]).astype(np.float64)
        for name in _COLUMNS
    }
    return Table(starts, np.concatenate(days or [np.empty(0, "datetime64[D]")]), named)


def read_decisions(table: Table, at: npt.NDArray[np.int64], compiled: bool | None = None) -> dict[str, Array]:
    """Every feature of FEATURES at the open of the rows `at` (N,) of a table -> (N,) each, NaN: missing.

    `compiled` None: when there are enough of them, and numba.
    """
    values = np.empty((len(FEATURES), len(at)))
    first = table.starts[:-1][table.owner[at]]
    bars = tuple(table.columns[name] for name in _COLUMNS)
    if is_compiling() and len(at) > FEW if compiled is None else compiled:
        memory, states, memories, buffers, scratch, one = _workplace(np.array)
        fast(decide)(bars, first, at, memory, states, memories, buffers, scratch, one, values)
    else:
        rows = [[0.0] * len(at) for _ in FEATURES]
        plain = tuple(column.tolist() for column in bars)
        memory, states, memories, buffers, scratch, one = _workplace(list)
        starts, sessions = first.tolist(), at.tolist()
        decide(plain, starts, sessions, memory, states, memories, buffers, scratch, one, rows)
        values[:] = rows
    return {name: served(name, row) for name, row in zip(FEATURES, values, strict=True)}


def _workplace(
    make: Callable[[Sequence[float]], Column],
) -> tuple[Column, Column, Column, Column, Column, Column]:
    """What `decide` works in, from `memory` to `one`, each column made by `make`."""
    memories = tuple(tuple(make(state) for state in CATALOGUE[name].states) for name in FEATURES)
    memory = tuple(part for parts in memories for part in parts)
    states = tuple(make(state) for name in FEATURES for state in CATALOGUE[name].states)
    buffers, scratch = (
        tuple(make([0.0] * (HISTORY_BARS + 1)) for _ in range(count)) for count in (5, _SCRATCH)
    )
    return memory, states, memories, buffers, scratch, make([0.0])


def served(name: str, values: Array) -> Array:
    """Values out of their range are missing to a decision."""
    spec = CATALOGUE[name]
    low = -np.inf if spec.minimum is None else spec.minimum
    high = np.inf if spec.maximum is None else spec.maximum
    inside = (values > low) if spec.minimum_excluded else (values >= low - EPSILON)
    return np.where(inside & (values <= high + EPSILON), values, np.nan)
