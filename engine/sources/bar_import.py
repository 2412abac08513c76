"""Bar files into the local store, symbol by symbol.

A symbol is stored whole in one transaction and logged after it, so an interruption at any moment leaves only
complete symbols, and running the import again continues: what is there unchanged is found so and skipped.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from engine.errors import DataError, DeckError, UsageError
from engine.model.ids import InstrumentId
from engine.ports import BarColumns, BarStore, Sessions
from engine.sources.bar_checks import SymbolReport, check_file
from engine.sources.bar_files import read_bars

_DIFFERS = 0.005
"""Closes that differ by more than this fraction are not the same data (float32 and rounding are far less)."""


class Outcome(StrEnum):
    """What became of one symbol of a file."""

    TAKEN = "taken"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ImportedSymbol:
    """One symbol of one file; `reasons` say why it was refused, or what to look at when it was taken."""

    file_sha256: str
    path: str
    symbol: str
    instrument: InstrumentId | None
    rows: int
    outcome: Outcome
    reasons: tuple[str, ...]
    imported_us: int
    done: int
    """How many symbols of the file are dealt with, this one included, of `total`."""
    total: int


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file, symbol by symbol in its order. `problem`: why the file gave nothing at all."""

    path: Path
    symbols: tuple[ImportedSymbol, ...]
    problem: DeckError | None = None

    def count(self, outcome: Outcome) -> int:
        """How many symbols ended like this."""
        return sum(one.outcome is outcome for one in self.symbols)

    @property
    def rows_kept(self) -> int:
        """Rows of the symbols that are in the store now."""
        return sum(one.rows for one in self.symbols if one.outcome is not Outcome.REFUSED)

    @property
    def refusals(self) -> tuple[str, ...]:
        """One line for each refused symbol, and that nothing of it was kept."""
        return tuple(_line(one) for one in self.symbols if one.outcome is Outcome.REFUSED)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line for each symbol that was kept and needs a look."""
        kept = (one for one in self.symbols if one.outcome is not Outcome.REFUSED)
        return tuple(_line(one) for one in kept if one.reasons)

    def summary(self) -> str:
        """One line: what the file gave."""
        if self.problem is not None:
            return f"{self.path.name}: nothing was kept: {self.problem}"
        parts = [f"{self.count(outcome):,} {outcome}" for outcome in Outcome if self.count(outcome)]
        return f"{self.path.name}: {', '.join(parts)}; {self.rows_kept:,} rows kept"


def _line(one: ImportedSymbol) -> str:
    more = len(one.reasons) - 1
    tail = f"; {more} more {'reason' if more == 1 else 'reasons'}" if more else ""
    end = ". Nothing of it was kept." if one.outcome is Outcome.REFUSED else ""
    return f"{one.reasons[0]}{tail}{end}"


class BarImporter:
    """Imports files into `store`. `log` must remember each symbol, `progress` may show it.

    Errors of the store and interruptions pass through: what was logged before is complete and stays.
    """

    def __init__(
        self,
        store: BarStore,
        sessions: Sessions,
        now_us: Callable[[], int],
        log: Callable[[ImportedSymbol], None],
        progress: Callable[[ImportedSymbol], None] | None = None,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._now_us = now_us
        self._log = log
        self._progress = progress
        self._known: frozenset[InstrumentId] = frozenset()

    def import_files(self, paths: Iterable[Path], symbol: str | None = None) -> Iterator[FileReport]:
        """One report for each file. A file that cannot be read does not stop the others."""
        for path in paths:
            try:
                yield self.import_file(path, symbol)
            except (DataError, UsageError) as error:
                yield FileReport(path, (), error)

    def import_file(self, path: Path, symbol: str | None = None) -> FileReport:
        """Import one file; `symbol` as in `read_bars`. Raises what `read_bars` raises."""
        file = read_bars(path, symbol)
        self._known = frozenset(self._store.instruments())
        symbols: list[ImportedSymbol] = []
        for report in check_file(file, self._sessions):
            outcome, reasons = self._keep(report, path)
            one = ImportedSymbol(
                file_sha256=file.sha256,
                path=str(path),
                symbol=report.symbol,
                instrument=None if report.bars is None else report.bars.instrument,
                rows=report.rows,
                outcome=outcome,
                reasons=reasons,
                imported_us=self._now_us(),
                done=len(symbols) + 1,
                total=len(file.bars),
            )
            self._log(one)
            symbols.append(one)
            if self._progress is not None:
                self._progress(one)
        return FileReport(path, tuple(symbols))

    def _keep(self, report: SymbolReport, path: Path) -> tuple[Outcome, tuple[str, ...]]:
        if report.bars is None:
            return Outcome.REFUSED, report.refusals
        conflict = self._conflict(report.symbol, report.bars)
        is_new = self._store.put_daily(report.bars, path.name)
        if not is_new:
            return Outcome.UNCHANGED, report.warnings
        return Outcome.TAKEN, (*conflict, *report.warnings)

    def _conflict(self, symbol: str, bars: BarColumns) -> tuple[str, ...]:
        """Whether the file says something else of sessions that are stored already."""
        if bars.instrument not in self._known:
            return ()
        stored = self._store.daily(bars.instrument, bars.day[0].item(), bars.day[-1].item())
        if stored is None:
            return ()
        _, ours, theirs = np.intersect1d(bars.day, stored.day, assume_unique=True, return_indices=True)
        new, old = bars.close[ours], stored.close[theirs]
        differs = np.flatnonzero(np.abs(new / old - 1) > _DIFFERS)
        if not len(differs):
            return ()
        at = differs[0]
        return (
            f"{symbol} {bars.day[ours[at]]}: close {new[at]:.6g} replaced {old[at]:.6g} of an earlier import,"
            f" {len(differs):,} sessions in all; raw and adjusted bars do not mix",
        )
