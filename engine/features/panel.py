"""Every gap of stored bars with the features that a decision at its open would have seen, as columns.

Each row is one decision by itself: the last HISTORY_BARS bars before the session brought to its dollars, the
open as decision price, and the kernels of the catalogue from a fresh start. So training sees the very bits
that `assemble.full_features` gives a strategy, and nothing that was not known at the open.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from engine.features.assemble import ADV_BARS, count_gaps
from engine.features.catalogue import CATALOGUE
from engine.features.decisions import Table, read_decisions, served, tabulate
from engine.features.registry import Array
from engine.model.ids import InstrumentId
from engine.money import EPSILON
from engine.ports import BarColumns

BASE = ("z5", "rsi2", "bb_dev", "dist_200", "trend_63", "gap_dn", "vix_regime")
"""The seven inputs of SPEC 3.3.1, in the order of training."""
EXTENDED = (
    *BASE,
    "rv60",
    "gap_atr",
    "spy_gap",
    "gap_breadth",
    "prev_return",
    "prev_volume_ratio",
    "vix_close",
    "ret20",
)
"""The inputs of the registered challenger (SPEC 3.3.3)."""
VIX_FEATURES = ("vix_close", "vix_pct_252", "vix_regime")


@dataclass(frozen=True, slots=True)
class DecisionPanel:
    """One row for each instrument and session that opened low enough, by session, then instrument.

    Arrays of shape (N,). `instrument` counts in `instruments`, `row` in that instrument's own bars. Prices
    are dollars of the session: `entry` its open, `prev_close` the prior close after corporate actions.
    `completed_bars`: bars of the instrument before the session. `values`: feature id -> (N,) float64, NaN
    where a decision would have found it missing or out of its range.
    """

    instruments: tuple[InstrumentId, ...]
    instrument: np.ndarray  # int32
    day: np.ndarray  # datetime64[D]
    row: np.ndarray  # int64
    entry: np.ndarray
    prev_close: np.ndarray
    completed_bars: np.ndarray  # int64
    values: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.row)


def decision_panel(
    bars: Mapping[InstrumentId, BarColumns],
    vix: BarColumns | None,
    spy: BarColumns | None,
    *,
    gap_max: float = -0.03,
    first: date | None = None,
    last: date | None = None,
) -> DecisionPanel:
    """Every session in first..last of every instrument that opened `gap_max` or more under its prior close.

    `bars`: raw daily bars, also those before `first`; `vix` and `spy`: theirs, without them their features
    are missing. The share of names that gap is counted among `bars`, and a session is a day that any of them
    has, or SPY.
    """
    instruments = tuple(bars)
    table = tabulate([bars[instrument] for instrument in instruments])
    gaps, prior = _gaps(table)
    inside = gaps <= gap_max + EPSILON
    if first is not None:
        inside &= table.day >= np.datetime64(first, "D")
    if last is not None:
        inside &= table.day <= np.datetime64(last, "D")
    at = np.flatnonzero(inside)
    at = at[np.argsort(table.day[at], kind="stable")]
    owner = table.owner[at]
    row = at - table.starts[owner]
    days = table.day[at]
    values = read_decisions(table, at)
    calendar = np.unique(table.day if spy is None else np.concatenate((table.day, _days(spy))))
    sessions, place = np.unique(days, return_inverse=True)
    for name, column in _market(table, gaps, calendar, sessions, vix, spy).items():
        values[name] = column[place]
    return DecisionPanel(
        instruments,
        owner.astype(np.int32),
        days,
        row,
        table.columns["open"][at],
        prior[at],
        row.copy(),
        values,
    )


def _gaps(table: Table) -> tuple[Array, Array]:
    """Open over prior close minus 1, and that close in dollars of the row; (T,), NaN where there is none."""
    prior = np.full(len(table.day), np.nan)
    prior[1:] = table.columns["close"][:-1] * table.columns["event_ratio"][1:]
    prior[table.starts[:-1][np.diff(table.starts) > 0]] = np.nan
    prior[~(prior > 0) | ~np.isfinite(prior)] = np.nan
    opened = table.columns["open"]
    return np.where(opened > 0, opened, np.nan) / prior - 1, prior


def _market(
    table: Table,
    gaps: Array,
    calendar: np.ndarray,
    sessions: np.ndarray,
    vix: BarColumns | None,
    spy: BarColumns | None,
) -> dict[str, Array]:
    """What all decisions of a session share, for each of `sessions` (S,)."""
    missing = np.full(len(sessions), np.nan)
    found = dict.fromkeys((*VIX_FEATURES, "spy_dist_200", "spy_gap"), missing)
    if vix is not None and len(vix):
        for name in VIX_FEATURES:
            found[name] = _before(name, vix, calendar, sessions)
    if spy is not None and len(spy):
        found["spy_dist_200"] = _before("spy_dist_200", spy, calendar, sessions)
        found["spy_gap"] = _spy_gaps(spy, sessions)
    return found | {"gap_breadth": _breadth(table, gaps, sessions)}


def _before(name: str, bars: BarColumns, calendar: np.ndarray, sessions: np.ndarray) -> Array:
    """A feature of the close before each session; NaN where that does not reach the session before it."""
    spec, days = CATALOGUE[name], _days(bars)
    known = np.searchsorted(days, sessions)
    previous = np.searchsorted(calendar, sessions) - 1
    values = np.full(len(sessions), np.nan)
    for place, (rows, session) in enumerate(zip(known.tolist(), previous.tolist(), strict=True)):
        if rows and session >= 0 and days[rows - 1] >= calendar[session]:
            values[place] = spec.last(bars.close[max(0, rows - (spec.window or rows)) : rows])
    return served(name, values)


def _spy_gaps(spy: BarColumns, sessions: np.ndarray) -> Array:
    days = _days(spy)
    at = np.searchsorted(days, sessions)
    has_bar = (at > 0) & (at < len(days))
    has_bar[has_bar] = days[at[has_bar]] == sessions[has_bar]
    values = np.full(len(sessions), np.nan)
    rows = at[has_bar]
    prior = spy.close[rows - 1] * spy.event_ratio[rows]
    values[has_bar] = np.where(prior > 0, spy.open[rows] / prior - 1, np.nan)
    return served("spy_gap", values)


def _breadth(table: Table, gaps: Array, sessions: np.ndarray) -> Array:
    """Share of liquid names that gap, for each session: all names with a bar of that day."""
    traded = np.full(len(gaps), np.nan)
    dollars = table.columns["close"] * table.columns["volume"]
    for first, end in zip(table.starts[:-1].tolist(), table.starts[1:].tolist(), strict=True):
        if end - first > ADV_BARS:
            totals = np.convolve(dollars[first:end], np.ones(ADV_BARS), "valid")
            traded[first + ADV_BARS : end] = totals[:-1] / ADV_BARS
    order = np.argsort(table.day, kind="stable")
    day = table.day[order]
    begin, after = np.searchsorted(day, sessions), np.searchsorted(day, sessions, "right")
    spec, values = CATALOGUE["gap_breadth"], np.full(len(sessions), np.nan)
    for place, (one, end) in enumerate(zip(begin.tolist(), after.tolist(), strict=True)):
        rows = order[one:end]
        gapping, liquid = count_gaps(gaps[rows], traded[rows])
        values[place] = spec.last(np.array([gapping]), np.array([liquid]))
    return served("gap_breadth", values)


def _days(bars: BarColumns) -> np.ndarray:
    return bars.day.astype("datetime64[D]")
