"""Daily bars of a run, from files or from what was imported."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from engine.errors import DataError
from engine.features.history import known_before
from engine.model.ids import InstrumentId, instrument_id
from engine.model.market import Instrument, MarketBatch
from engine.money import equity_tick, to_decimal
from engine.ports import BarColumns
from engine.sources.bar_checks import accepted, check_file
from engine.sources.bar_files import read_bars
from engine.sources.sessions import ExchangeSessions
from storage.bars import read_bars as open_stored_bars
from storage.paths import Home, StatePaths, make_private

INDEX_SYMBOLS = ("VIX", "SPY")


@dataclass(frozen=True, slots=True)
class BarInputs:
    """Where daily bars come from: files, or what was imported where none are named."""

    data: tuple[Path, ...] = ()
    vix: Path | None = None
    spy: Path | None = None


@dataclass(frozen=True, slots=True)
class MarketData:
    """Daily bars of a run; `notes` say what was refused and why."""

    bars: Mapping[InstrumentId, BarColumns]
    vix: BarColumns | None
    spy: BarColumns | None
    notes: tuple[str, ...]

    def first_day(self) -> date:
        """The first day that has a bar of any instrument."""
        days: list[date] = [columns.day[0].item() for columns in self.bars.values()]
        return min(days)

    def last_day(self) -> date:
        """The newest session that any instrument has a bar of."""
        newest: date = max(columns.day[-1] for columns in self.bars.values()).item()
        return newest

    def index(self, name: str, session: date) -> BarColumns | None:
        """VIX or SPY as known before a session."""
        columns = {"VIX": self.vix, "SPY": self.spy}[name]
        return None if columns is None else known_before(columns, session)


def load_market(inputs: BarInputs, state: StatePaths, sessions: ExchangeSessions) -> MarketData:
    """Daily bars from files, or from the imported ones. Raises DataError when there are none."""
    notes: list[str] = []

    def file(path: Path, symbol: str | None = None) -> dict[InstrumentId, BarColumns]:
        reports = tuple(check_file(read_bars(path, symbol), sessions))
        notes.extend(f"{path.name}: {reason}" for report in reports for reason in report.refusals)
        return accepted(reports)

    bars: dict[InstrumentId, BarColumns] = {}
    for path in inputs.data:
        bars |= file(path)
    stored: Mapping[InstrumentId, BarColumns] = {}
    if not inputs.data or inputs.vix is None or inputs.spy is None:
        stored = _stored(state)
    if not inputs.data:
        bars = {name: columns for name, columns in stored.items() if name not in _INDEX_IDS}
    vix, spy = (
        stored.get(instrument_id(symbol)) if path is None else file(path, symbol).get(instrument_id(symbol))
        for symbol, path in zip(INDEX_SYMBOLS, (inputs.vix, inputs.spy), strict=True)
    )
    if not bars:
        raise DataError(
            "there are no daily bars to replay", "tradedeck import bars FILE, or name files with --data"
        )
    return MarketData(bars, vix, spy, tuple(notes))


_INDEX_IDS = frozenset(instrument_id(symbol) for symbol in INDEX_SYMBOLS)


def _stored(state: StatePaths) -> Mapping[InstrumentId, BarColumns]:
    if not state.bars.exists():
        return {}
    with open_stored_bars(state.bars) as store:
        return store.all_daily()


def open_sessions(home: Home) -> ExchangeSessions:
    """The exchange calendar, kept in the data folder. Raises ConfigError where that cannot be made."""
    return ExchangeSessions(make_private(home.data) / "cache", datetime.now(UTC).date())


def in_ticks(bars: Mapping[InstrumentId, BarColumns]) -> dict[InstrumentId, BarColumns]:
    """The same bars with prices as equities are quoted: 0.0001 steps below one dollar, else 0.01 (SPEC 0.5).

    Stored float32 prices carry noise behind their decimals, adjusted ones never were prices.
    """
    return {
        name: replace(
            columns,
            open=_quoted(columns.open),
            high=_quoted(columns.high),
            low=_quoted(columns.low),
            close=_quoted(columns.close),
        )
        for name, columns in bars.items()
    }


def _quoted(prices: np.ndarray) -> np.ndarray:
    return np.where(prices < 1, prices.round(4), prices.round(2))


class EquityTicks(Mapping[InstrumentId, Instrument]):
    """The tick of each quoted equity, by its price; written by `take` alone."""

    def __init__(self) -> None:
        self._instruments: dict[InstrumentId, Instrument] = {}

    def take(self, batch: MarketBatch) -> None:
        """Ticks follow the quotes: 0.0001 below one dollar, else 0.01 (SPEC 0.5)."""
        for quote in batch.quotes:
            if quote.ask is not None:
                tick = equity_tick(to_decimal(quote.ask))
                self._instruments[quote.instrument] = Instrument(quote.instrument, tick_size=tick)

    def __getitem__(self, instrument: InstrumentId) -> Instrument:
        return self._instruments[instrument]

    def __iter__(self) -> Iterator[InstrumentId]:
        return iter(self._instruments)

    def __len__(self) -> int:
        return len(self._instruments)
