"""Bar files into the person's own store; the part of the wiring that the import command needs."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from engine.model.ids import InstrumentId
from engine.sources.bar_import import BarImporter, ImportedSymbol, Outcome
from engine.sources.bar_import import FileReport as FileReport
from engine.sources.sessions import ExchangeSessions
from storage.bars import ImportLine, ImportOutcome, open_bars
from storage.paths import Home, home_state


def import_bars(
    paths: Sequence[Path], symbol: str | None, home: Home, progress: Callable[[ImportedSymbol], None]
) -> Iterator[FileReport]:
    """One report a file, as it is done; what was stored before an interruption stays and is complete."""
    home.make()
    sessions = ExchangeSessions(home.data / "cache", datetime.now(UTC).date())
    with open_bars(home_state(home).bars) as store:
        importer = BarImporter(
            store,
            sessions,
            lambda: time.time_ns() // 1000,
            lambda one: store.log_import(_line(one)),
            progress,
        )
        yield from importer.import_files(paths, symbol)


def describe(report: FileReport) -> dict[str, object]:
    """A report as a JSON document."""
    return {
        "file": str(report.path),
        **{outcome.value: report.count(outcome) for outcome in Outcome},
        "rows_kept": report.rows_kept,
        "refusals": list(report.refusals),
        "warnings": list(report.warnings),
        "problem": None if report.problem is None else str(report.problem),
    }


def _line(one: ImportedSymbol) -> ImportLine:
    return ImportLine(
        one.file_sha256,
        one.path,
        one.instrument or InstrumentId(one.symbol),
        one.rows,
        ImportOutcome(one.outcome.value),
        "; ".join(one.reasons),
        one.imported_us,
    )
