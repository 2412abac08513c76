"""Bar files into a real store: whole symbols or nothing, again and again, and after an interruption."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.sources.bar_import import BarImporter, ImportedSymbol, Outcome
from engine.sources.sessions import ExchangeSessions
from storage.bars import SqliteBarStore, open_bars

HEADER = "symbol,date,open,high,low,close,volume\n"
DAYS = ["2016-01-04", "2016-01-05", "2016-01-06"]


def rows(symbol: str, price: float = 10) -> str:
    return "".join(f"{symbol},{day},{price},{price * 1.1},{price * 0.9},{price},100\n" for day in DAYS)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteBarStore]:
    with open_bars(tmp_path / "bars.db") as opened:
        yield opened


@pytest.fixture
def importer(store: SqliteBarStore, sessions: ExchangeSessions) -> Callable[..., BarImporter]:
    def make(log: Callable[[ImportedSymbol], None] = lambda _: None, **options: Any) -> BarImporter:
        return BarImporter(store, sessions, lambda: 1_451_900_000_000_000, log, **options)

    return make


def test_report_says_what_was_taken_and_refused(importer: Any, store: SqliteBarStore, write: Any) -> None:
    bad = rows("BAD").replace("2016-01-05", "2016-01-04")
    logged: list[ImportedSymbol] = []
    report = importer(logged.append).import_file(write(HEADER + rows("A") + bad + rows("C", 20)))
    assert [(one.symbol, one.outcome) for one in report.symbols] == [
        ("A", Outcome.TAKEN),
        ("BAD", Outcome.REFUSED),
        ("C", Outcome.TAKEN),
    ]
    assert report.refusals == ("BAD 2016-01-04 row 5: the session is there twice. Nothing of it was kept.",)
    assert report.summary() == "bars.csv: 2 taken, 1 refused; 6 rows kept"
    assert store.instruments() == ("A.US", "C.US")
    assert logged == list(report.symbols)
    assert [(one.done, one.total) for one in logged] == [(1, 3), (2, 3), (3, 3)]


def test_importing_again_changes_nothing(importer: Any, store: SqliteBarStore, write: Any) -> None:
    path = write(HEADER + rows("A") + rows("B"))
    first = importer().import_file(path)
    before = {name: bars.close.tolist() for name, bars in store.all_daily().items()}
    again = importer().import_file(path)
    assert first.summary() == "bars.csv: 2 taken; 6 rows kept"
    assert again.summary() == "bars.csv: 2 unchanged; 6 rows kept"
    assert {name: bars.close.tolist() for name, bars in store.all_daily().items()} == before


@pytest.mark.parametrize("stop_after", [1, 2, 3])
def test_interrupted_import_leaves_whole_symbols_and_continues(
    importer: Any, store: SqliteBarStore, write: Any, stop_after: int
) -> None:
    path = write(HEADER + rows("A") + rows("B") + rows("C"))
    seen: list[str] = []

    def log(one: ImportedSymbol) -> None:
        seen.append(one.symbol)
        if len(seen) == stop_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importer(log).import_file(path)
    assert list(store.all_daily()) == ["A.US", "B.US", "C.US"][:stop_after]
    assert all(len(bars) == 3 for bars in store.all_daily().values())
    report = importer().import_file(path)
    assert report.count(Outcome.UNCHANGED) == stop_after
    assert report.count(Outcome.TAKEN) == 3 - stop_after
    assert len(store.all_daily()) == 3


def test_interrupt_inside_a_symbol_keeps_nothing_of_it(
    importer: Any, store: SqliteBarStore, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import storage.bars

    def interrupted(_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(storage.bars, "encode", interrupted)
        with pytest.raises(KeyboardInterrupt):
            importer().import_file(write(HEADER + rows("A")))
    assert store.instruments() == ()
    assert importer().import_file(write(HEADER + rows("A"))).count(Outcome.TAKEN) == 1


def test_other_prices_for_known_sessions_are_told(importer: Any, write: Any) -> None:
    importer().import_file(write(HEADER + rows("A")))
    report = importer().import_file(write(HEADER + rows("A", 20), "raw.csv"))
    assert report.warnings == (
        "A 2016-01-04: close 20 replaced 10 of an earlier import, 3 sessions in all; "
        "raw and adjusted bars do not mix",
    )


def test_later_sessions_of_a_known_symbol_are_added(importer: Any, store: SqliteBarStore, write: Any) -> None:
    importer().import_file(write(HEADER + rows("A")))
    report = importer().import_file(write(HEADER + rows("A").replace("2016-01", "2016-04"), "april.csv"))
    assert (report.count(Outcome.TAKEN), report.warnings) == (1, ())
    assert len(store.all_daily()[report.symbols[0].instrument]) == 6


def test_one_bad_file_does_not_stop_the_others(importer: Any, write: Any, tmp_path: Path) -> None:
    paths = [write(HEADER, "empty.csv"), tmp_path / "none.csv", write(HEADER + rows("A"))]
    reports = list(importer().import_files(paths))
    assert [report.problem is None for report in reports] == [False, False, True]
    assert "empty.csv: nothing was kept: " in reports[0].summary()
    assert "does not exist" in reports[1].summary()


def test_progress_sees_every_symbol(importer: Any, write: Any) -> None:
    seen: list[int] = []
    importer(progress=lambda one: seen.append(one.done)).import_file(write(HEADER + rows("A") + rows("B")))
    assert seen == [1, 2]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "symbol", "taken", "refused"),
    [
        ("a_us_daily_adj", None, 392, 0),
        ("a_us_daily_raw_2015_2017", None, 772, 0),
        ("a_spy_daily", "SPY", 1, 0),
        ("a_vix_daily", "VIX", 1, 0),
        # BFX and TPST jump only after the file's last session: nothing in it can tell.
        ("a_us_daily_adj_suspect", None, 2, 16),
        ("a_us_daily_raw_suspect", None, 0, 22),
    ],
)
def test_real_files(
    importer: Any, market_data: Path, name: str, symbol: str | None, taken: int, refused: int
) -> None:
    report = importer().import_file(market_data / f"{name}.parquet", symbol)
    assert (report.count(Outcome.TAKEN), report.count(Outcome.REFUSED)) == (taken, refused)
    if "suspect" in name:
        assert {one.symbol for one in report.symbols if one.outcome is Outcome.TAKEN} <= {"BFX", "TPST"}
    assert all(" times, limit " in line for line in report.refusals)
