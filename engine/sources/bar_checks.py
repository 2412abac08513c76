"""Whether the bars of a symbol can be trusted. Pure; a symbol is taken whole or refused whole, with reasons.

Refused: a date that is no session, comes twice or out of order; a price or volume that is missing, infinite
or out of its range; high, low, open and close that contradict each other by more than 0.1 %; and a jump,
overnight or from close to close, of more than 8 times in a split-adjusted file or 5 times in a raw one after
its event_ratio: unadjusted splits and re-used symbols look like that. Jumps of more than 3 times are warned
about. A volume of zero is allowed. A file without volume is an index: of it a date that is no session and
prices that contradict each other are warned about, not refused (the VIX is computed on some holidays and its
early opens lie outside high and low).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from engine.model.ids import InstrumentId, instrument_id
from engine.model.text import clean
from engine.ports import BarColumns, Sessions
from engine.sources.bar_files import PRICES, BarFile, FileBars

_SYMBOL = re.compile(r"[A-Za-z0-9^.$][A-Za-z0-9^.$=/+_-]{0,31}")


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """`jump_*`: how many times a price may rise or fall at once. `disorder_ratio`: fraction of a price."""

    jump_adjusted: float = 8.0
    jump_raw: float = 5.0
    jump_warned: float = 3.0
    disorder_ratio: float = 0.001


@dataclass(frozen=True, slots=True)
class SymbolReport:
    """The verdict on one symbol: `bars` None when it is refused. Reasons name symbol, session and row."""

    symbol: str
    rows: int
    bars: BarColumns | None
    refusals: tuple[str, ...]
    warnings: tuple[str, ...]


def check_file(
    file: BarFile, sessions: Sessions, limits: CheckLimits | None = None
) -> Iterable[SymbolReport]:
    """Judge every symbol of a file, in its order, one when it is asked for."""
    limits = limits or CheckLimits()
    trading_days = _trading_days(file, sessions)
    for bars in file.bars:
        yield _check_symbol(_Symbol(bars), file, trading_days, limits)


def _trading_days(file: BarFile, sessions: Sessions) -> np.ndarray:
    """All sessions from the first to the last date of the file, datetime64[D], ascending."""
    days = np.concatenate([one.day for one in file.bars])
    days = days[~np.isnat(days)]
    found = sessions.between(days.min().item(), days.max().item()) if len(days) else ()
    return np.array([session.day for session in found], dtype="datetime64[D]")


def accepted(reports: Iterable[SymbolReport]) -> dict[InstrumentId, BarColumns]:
    """The bars that were not refused."""
    return {report.bars.instrument: report.bars for report in reports if report.bars is not None}


class _Symbol:
    """One symbol's bars and what was found about them."""

    def __init__(self, bars: FileBars) -> None:
        days = bars.day
        # Some vendors write the newest first; anything else out of order is a sign of damage.
        is_newest_first = len(days) > 1 and bool(np.all(days[1:] < days[:-1]))
        self.bars = bars.take(slice(None, None, -1)) if is_newest_first else bars
        self.refusals: list[str] = []
        self.warnings: list[str] = []

    def find(self, into: list[str], bad: np.ndarray, say: Callable[[int], str]) -> None:
        """Note the first place of `bad` (T,) with what `say` tells of it, and how many more there are."""
        places = np.flatnonzero(bad)
        if not len(places):
            return
        at, more = int(places[0]), len(places) - 1
        day = self.bars.day[at]
        when = "" if np.isnat(day) else f" {day}"
        tail = f" (and {more:,} more)" if more else ""
        name = clean(self.bars.symbol) or "no symbol"
        into.append(f"{name}{when} row {self.bars.row[at]}: {say(at)}{tail}")


def _check_symbol(
    symbol: _Symbol, file: BarFile, trading_days: np.ndarray, limits: CheckLimits
) -> SymbolReport:
    bars, is_index = symbol.bars, not file.has_volume
    if not _SYMBOL.fullmatch(bars.symbol):
        symbol.find(symbol.refusals, np.ones(1, dtype=bool), lambda _: "not a symbol")
    _check_days(symbol, trading_days, symbol.warnings if is_index else symbol.refusals)
    _check_numbers(symbol)
    if not symbol.refusals:
        _check_order_of_prices(symbol, limits, symbol.warnings if is_index else symbol.refusals)
        _check_jumps(symbol, limits, limits.jump_raw if file.has_event_ratio else limits.jump_adjusted)
    columns = None
    if not symbol.refusals:
        series = (bars.open, bars.high, bars.low, bars.close, bars.volume, bars.event_ratio)
        columns = BarColumns(instrument_id(bars.symbol), bars.day, *series)
    warnings = tuple(symbol.warnings) if columns else ()
    return SymbolReport(clean(bars.symbol), len(bars), columns, tuple(symbol.refusals), warnings)


def _check_days(symbol: _Symbol, trading_days: np.ndarray, no_session: list[str]) -> None:
    bars, days = symbol.bars, symbol.bars.day
    no_date = np.isnat(days)
    symbol.find(symbol.refusals, no_date, lambda _: "no date, wanted like 2016-01-04")
    if no_date.any():
        return
    place = np.searchsorted(trading_days, days)
    is_session = np.append(trading_days, np.datetime64("NaT", "D"))[place] == days
    symbol.find(no_session, ~is_session, lambda _: "no session of the exchange")
    steps = np.diff(days).astype(np.int64)
    if (steps > 0).all():
        return
    order = np.argsort(days, kind="stable")
    is_twice = np.zeros(len(days), dtype=bool)
    is_twice[order[1:]] = days[order[1:]] == days[order[:-1]]
    symbol.find(symbol.refusals, is_twice, lambda _: "the session is there twice")
    symbol.find(
        symbol.refusals,
        np.append(False, steps < 0),
        lambda at: f"comes after {days[at - 1]} of row {bars.row[at - 1]}",
    )


def _check_numbers(symbol: _Symbol) -> None:
    for name in (*PRICES, "event_ratio"):
        _check_number(symbol, name, lambda values: values > 0, "must be above 0")
    _check_number(symbol, "volume", lambda values: values >= 0, "must be 0 or more")


def _check_number(
    symbol: _Symbol, name: str, is_in_range: Callable[[np.ndarray], np.ndarray], limit: str
) -> None:
    values = getattr(symbol.bars, name)

    def say(at: int) -> str:
        return f"{name} is missing" if np.isnan(values[at]) else f"{name} {values[at]:g} {limit}"

    symbol.find(symbol.refusals, ~(np.isfinite(values) & is_in_range(values)), say)


def _check_order_of_prices(symbol: _Symbol, limits: CheckLimits, into: list[str]) -> None:
    bars, up, down = symbol.bars, 1 + limits.disorder_ratio, 1 - limits.disorder_ratio
    is_inverted = bars.high < bars.low * down
    pairs = [
        ("high", bars.high, "below low", bars.low, is_inverted),
        ("open", bars.open, "above high", bars.high, bars.open > bars.high * up),
        ("open", bars.open, "below low", bars.low, bars.open < bars.low * down),
        ("close", bars.close, "above high", bars.high, bars.close > bars.high * up),
        ("close", bars.close, "below low", bars.low, bars.close < bars.low * down),
    ]
    for name, price, relation, bound, is_wrong in pairs:
        # One inverted bar is one fault, not three.
        bad = is_wrong if name == "high" else is_wrong & ~is_inverted
        limit = f"limit {limits.disorder_ratio * 100:g} %"
        symbol.find(into, bad, _price_order(name, price, relation, bound, limit))


def _price_order(
    name: str, price: np.ndarray, relation: str, bound: np.ndarray, limit: str
) -> Callable[[int], str]:
    return lambda at: f"{name} {price[at]:.6g} {relation} {bound[at]:.6g}, {limit}"


def _check_jumps(symbol: _Symbol, limits: CheckLimits, limit: float) -> None:
    bars = symbol.bars
    before = np.append(np.nan, bars.close[:-1] * bars.event_ratio[1:])
    for verb, price in (("opens", bars.open), ("closes", bars.close)):
        times = np.maximum(price / before, before / price)
        refused, warned = times > limit, (times > limits.jump_warned) & (times <= limit)
        symbol.find(symbol.refusals, refused, _jump(verb, price, before, times, limit))
        symbol.find(symbol.warnings, warned, _jump(verb, price, before, times, limits.jump_warned))


def _jump(
    verb: str, price: np.ndarray, before: np.ndarray, times: np.ndarray, limit: float
) -> Callable[[int], str]:
    return lambda at: (
        f"{verb} at {price[at]:.6g} after a close of {before[at]:.6g}, {times[at]:.1f} times, limit {limit:g}"
    )
