"""What became of a gap that was bought at its open: the three ways out of SPEC 3.3.2, by first touch.

The entry bar is session 1 and counts whole. In each of the first `sessions` bars of the instrument the stop
(low <= entry * (1 - stop)) is looked at before the target (high >= entry * (1 + target)); neither is `time`,
at the close of the last of them. This is the triple-barrier method (Lopez de Prado 2018, chapter 3).

The return is what the trade would have got before costs: its level, or the open of a later bar that opens
beyond it. Bars from an ex-date on are divided by the event ratios since the entry, as in
`engine.backtest.naive`: all prices are entry-day dollars.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from engine.features.panel import DecisionPanel
from engine.model.ids import InstrumentId
from engine.money import EPSILON
from engine.ports import BarColumns


class WayOut(StrEnum):
    """How a trade ends."""

    TARGET = "target"
    STOP = "stop"
    TIME = "time"


WAYS = (WayOut.TARGET, WayOut.STOP, WayOut.TIME)
"""A label's code is its place in here."""
TARGET, STOP, TIME = range(3)
TRUNCATED = -1
"""Code of a trade whose bars end before its last session does."""


@dataclass(frozen=True, slots=True)
class Barriers:
    """Where a trade is left: fractions of the entry price, and sessions with the entry session as 1."""

    target: float = 0.06
    stop: float = 0.08
    sessions: int = 5


@dataclass(frozen=True, slots=True)
class Touch:
    """The way out of one trade, the session it came in (1 is the entry) and the return as a fraction."""

    way: WayOut
    session: int
    ret: float


@dataclass(frozen=True, slots=True)
class Labels:
    """One label for each row of a panel; arrays (N,).

    `way`: place in WAYS as int8, TRUNCATED without the whole window of bars, whatever they touched: else the
    newest rows would hold the quick ways out only. `sessions` int8, 0 when truncated. `ret`: fraction, NaN
    when truncated. `left`: session the trade ended in; `known`: last session of its whole window, after whose
    close the label can be used; both datetime64[D], NaT when truncated.
    """

    way: np.ndarray
    sessions: np.ndarray
    ret: np.ndarray
    left: np.ndarray
    known: np.ndarray


def first_touch(entry: float, bars: Sequence[tuple[float, float, float]], barriers: Barriers) -> Touch | None:
    """The way out of one entry over bars of (high, low, close) with the entry bar first.

    None when the bars end before it is decided. Levels fill exactly: bars without an open cannot gap.
    """
    stop, target = entry * (1 - barriers.stop), entry * (1 + barriers.target)
    for session, (high, low, close) in enumerate(bars[: barriers.sessions], start=1):
        if low <= stop + EPSILON:
            return Touch(WayOut.STOP, session, stop / entry - 1)
        if high >= target - EPSILON:
            return Touch(WayOut.TARGET, session, target / entry - 1)
        if session == barriers.sessions:
            return Touch(WayOut.TIME, session, close / entry - 1)
    return None


def label_rows(bars: Mapping[InstrumentId, BarColumns], panel: DecisionPanel, barriers: Barriers) -> Labels:
    """The label of each row of the panel. Row order is the panel's; bars past the window change nothing."""
    count = len(panel.day)
    labels = Labels(
        way=np.full(count, TRUNCATED, dtype=np.int8),
        sessions=np.zeros(count, dtype=np.int8),
        ret=np.full(count, np.nan),
        left=np.full(count, np.datetime64("NaT"), dtype="datetime64[D]"),
        known=np.full(count, np.datetime64("NaT"), dtype="datetime64[D]"),
    )
    order = np.argsort(panel.instrument, kind="stable")
    ends = np.searchsorted(panel.instrument[order], np.arange(len(panel.instruments)), side="right")
    for name, start, end in zip(panel.instruments, [0, *ends[:-1]], ends, strict=True):
        if start < end:
            _label_instrument(bars[name], order[start:end], panel, barriers, labels)
    return labels


def _label_instrument(
    bars: BarColumns, rows: np.ndarray, panel: DecisionPanel, barriers: Barriers, labels: Labels
) -> None:
    rows = rows[panel.row[rows] + barriers.sessions <= len(bars)]
    if not len(rows):
        return
    place = panel.row[rows][:, None] + np.arange(barriers.sessions)
    ratio = bars.event_ratio[place]
    ratio[:, 0] = 1.0
    dollars = np.divide.accumulate(ratio, axis=1)
    entry = panel.entry[rows]
    stop, target = entry * (1 - barriers.stop), entry * (1 + barriers.target)
    is_stopped = bars.low[place] * dollars <= stop[:, None] + EPSILON
    is_touched = is_stopped | (bars.high[place] * dollars >= target[:, None] - EPSILON)

    trade = np.arange(len(rows))
    touched = is_touched.any(axis=1)
    bar = np.where(touched, is_touched.argmax(axis=1), barriers.sessions - 1)
    stopped = is_stopped[trade, bar]
    level = np.where(stopped, stop, target)
    opened = bars.open[place[trade, bar]] * dollars[trade, bar]
    # The entry bar opens at the entry, between the levels.
    is_beyond = (bar > 0) & np.where(stopped, opened < stop, opened > target)
    price = np.where(is_beyond, opened, level)
    price = np.where(touched, price, bars.close[place[:, -1]] * dollars[:, -1])

    labels.way[rows] = np.where(touched, np.where(stopped, STOP, TARGET), TIME)
    labels.sessions[rows] = bar + 1
    labels.ret[rows] = price / entry - 1
    labels.left[rows] = bars.day[place[trade, bar]]
    labels.known[rows] = bars.day[place[:, -1]]
