"""The naive gap-down rule over daily bars: what `gaps.rule = "naive"` puts in place of SPEC 3.2-3.7.

To the letter, for one instrument; bars are its own, counted without the sessions it has no bar for:

Candidate on bar t, from what is known at its open
    gap = open[t] / (close[t-1] * event_ratio[t]) - 1 <= gap_max
    price_min <= open[t] <= price_max
    mean(close * volume) of bars t-20..t-1 >= adv_min_usd; 20 bars required
Trade
    Long at open[t]; no cost, no tick. stop = entry * (1 - stop_pct), target = entry * (1 + target_pct).
    Bars t, t+1, ... t+max_sessions-1 are walked in order; in each the stop is looked at before the target:
    the stop is touched when low <= stop, the target when high >= target. Both fill at their level; under
    GapFill.GAP a later bar whose open already lies beyond the level fills at that open instead. A bar is
    matched as a whole: one that opens above the target and falls to the stop is a stop.
    No touch: sold at the close of bar t+max_sessions-1.
    Bars from an ex-date on are divided by the event ratios since entry: all prices are entry-day dollars.

Comparisons have the tolerance of SPEC 0.5. Prices are float64 as stored, never rounded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from engine.backtest.table import Table, tabulate
from engine.execution.matching import GapFill
from engine.model.ids import InstrumentId
from engine.model.positions import ExitReason
from engine.money import EPSILON
from engine.ports import BarColumns


@dataclass(frozen=True, slots=True)
class NaiveRule:
    """The numbers of the rule. Fractions of a price unless the name says otherwise."""

    gap_max: float = -0.03
    price_min: float = 0.50  # USD
    price_max: float = 20.0  # USD
    adv_min_usd: float = 5e6
    adv_bars: int = 20
    stop_pct: float = 0.08
    target_pct: float = 0.06
    max_sessions: int = 5  # the instrument's own bars, the entry bar as 1
    fill: GapFill = GapFill.GAP


@dataclass(frozen=True, slots=True)
class NaiveTrade:
    """A candidate and how its trade ends. Prices in entry-day dollars, `row` its place in its columns.

    `exit_price`, `exit_reason` are None when the bars end before the trade does. `is_complete`: there are
    `max_sessions` bars from entry on, whether the trade needs them or not.
    """

    instrument: InstrumentId
    session: date
    row: int
    gap: float
    entry: float
    exit_price: float | None
    exit_reason: ExitReason | None
    sessions: int
    is_complete: bool


def _candidates(table: Table, rule: NaiveRule) -> tuple[np.ndarray, np.ndarray]:
    """Places of the candidates in the table and their gaps, both of shape (C,)."""
    gap = np.full(len(table.open), np.nan)
    gap[1:] = table.open[1:] / (table.close[:-1] * table.ratio[1:]) - 1
    at = np.flatnonzero(
        (table.row >= max(rule.adv_bars, 1))
        & (gap <= rule.gap_max + EPSILON)
        & (table.open >= rule.price_min - EPSILON)
        & (table.open <= rule.price_max + EPSILON)
    )
    window = at[:, None] + np.arange(-rule.adv_bars, 0)
    at = at[table.dollars[window].mean(axis=1) >= rule.adv_min_usd - EPSILON]
    return at, gap[at]


@dataclass(frozen=True, slots=True)
class _Exits:
    """How the trades of C candidates end; arrays of shape (C,). Price NaN: the bars end first."""

    price: np.ndarray
    reason: np.ndarray
    bar: np.ndarray


_REASONS = (ExitReason.STOP, ExitReason.TARGET, ExitReason.TIME)


def _walk(table: Table, at: np.ndarray, rule: NaiveRule) -> _Exits:
    steps = np.arange(rule.max_sessions)
    exists = steps < table.left[at][:, None]
    place = np.where(exists, at[:, None] + steps, at[:, None])
    ratio = np.where(exists, table.ratio[place], 1.0)
    ratio[:, 0] = 1.0
    dollars = np.where(exists, np.divide.accumulate(ratio, axis=1), np.nan)  # to entry-day dollars
    opens, highs, lows, closes = (
        column[place] * dollars for column in (table.open, table.high, table.low, table.close)
    )
    entry = table.open[at]
    stop, target = entry * (1 - rule.stop_pct), entry * (1 + rule.target_pct)
    is_stopped = lows <= stop[:, None] + EPSILON
    is_touched = is_stopped | (highs >= target[:, None] - EPSILON)

    trade = np.arange(len(at))
    touched = is_touched.any(axis=1)
    bar = np.where(touched, is_touched.argmax(axis=1), rule.max_sessions - 1)
    stopped = is_stopped[trade, bar]
    level, opened = np.where(stopped, stop, target), opens[trade, bar]
    if rule.fill is GapFill.GAP:
        # Never in the entry bar: its open is the entry, between the levels.
        is_beyond = np.where(stopped, opened < stop, opened > target)
        level = np.where(is_beyond, opened, level)
    return _Exits(
        price=np.where(touched, level, closes[:, -1]),
        reason=np.where(touched, np.where(stopped, 0, 1), 2),
        bar=bar,
    )


def naive_trades(
    bars: Mapping[InstrumentId, BarColumns],
    rule: NaiveRule,
    first: date | None = None,
    last: date | None = None,
) -> tuple[NaiveTrade, ...]:
    """Every candidate with an entry session in first..last, by session, gap, symbol: the order of entry.

    Bars outside first..last serve as history and for exits. No trade knows of another one.
    """
    if not any(len(columns) for columns in bars.values()):
        return ()
    table = tabulate(bars)
    at, gap = _candidates(table, rule)
    inside = np.ones(len(at), dtype=bool)
    if first is not None:
        inside &= table.day[at] >= np.datetime64(first, "D")
    if last is not None:
        inside &= table.day[at] <= np.datetime64(last, "D")
    at, gap = at[inside], gap[inside]
    order = np.lexsort((table.owner[at], gap, table.day[at]))
    at, gap = at[order], gap[order]
    exits = _walk(table, at, rule)
    columns = zip(
        table.owner[at].tolist(),
        table.day[at].tolist(),
        table.row[at].tolist(),
        gap.tolist(),
        table.open[at].tolist(),
        exits.price.tolist(),
        exits.reason.tolist(),
        (exits.bar + 1).tolist(),
        table.left[at].tolist(),
        strict=True,
    )
    return tuple(
        NaiveTrade(
            instrument=table.instruments[owner],
            session=day,
            row=row,
            gap=gap_ratio,
            entry=entry,
            exit_price=None if price != price else price,  # NaN: the bars end first
            exit_reason=None if price != price else _REASONS[reason],
            sessions=sessions if price == price else left,
            is_complete=left >= rule.max_sessions,
        )
        for owner, day, row, gap_ratio, entry, price, reason, sessions, left in columns
    )
