"""What the bar store promises (engine.ports.BarStore)."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from engine.errors import DataError, StorageError
from engine.model.ids import InstrumentId
from engine.ports import BarColumns
from storage.bars import ImportLine, ImportOutcome, SqliteBarStore, open_bars, read_bars

NewBars = Callable[..., BarColumns]


def same(left: BarColumns | None, right: BarColumns | None) -> bool:
    if left is None or right is None:
        return left is right
    return left.instrument == right.instrument and all(
        np.array_equal(getattr(left, f.name), getattr(right, f.name), equal_nan=f.name != "day")
        for f in fields(BarColumns)
        if f.name != "instrument"
    )


def test_bars_over_a_turn_of_year_come_back_bit_by_bit(bar_store: SqliteBarStore, new_bars: NewBars) -> None:
    bars = new_bars("ABC.US", "2014-12-20", 400)
    assert bar_store.put_daily(bars, "a.csv")
    found = bar_store.daily(InstrumentId("ABC.US"))
    assert same(found, bars)
    assert found is not None
    assert (found.open.dtype, found.day.dtype) == (np.float64, np.dtype("datetime64[D]"))


@pytest.mark.parametrize(
    "column",
    [
        np.array([0.1, 1 / 3, np.pi]),
        np.array([0.1, 1 / 3, np.pi], dtype=np.float32).astype(np.float64),
        np.array([1e300, 5e-324, np.nan]),
        np.array([16_777_217.0, 2.0**53, 0.0]),
    ],
    ids=["float64", "float32", "beyond float32", "large whole numbers"],
)
def test_no_number_is_changed_by_the_smaller_type(
    bar_store: SqliteBarStore, new_bars: NewBars, column: np.ndarray
) -> None:
    bars = replace(new_bars("ABC.US", "2016-01-04", 3), volume=column, event_ratio=column)
    bar_store.put_daily(bars, "a.csv")
    assert same(bar_store.daily(InstrumentId("ABC.US")), bars)


def test_years_of_different_types_come_back_as_one_column(
    bar_store: SqliteBarStore, new_bars: NewBars
) -> None:
    bars = new_bars("ABC.US", "2014-12-31", 367)
    ratio, volume = np.ones(367), np.arange(367.0)
    ratio[200] = 0.5
    volume[0] = 0.1
    bars = replace(bars, event_ratio=ratio, volume=volume)
    bar_store.put_daily(bars, "a.csv")
    assert same(bar_store.daily(InstrumentId("ABC.US")), bars)


def test_same_bars_again_change_nothing(bar_store: SqliteBarStore, new_bars: NewBars) -> None:
    bars = new_bars("ABC.US", "2015-12-01", 60)
    assert bar_store.put_daily(bars, "a.csv")
    assert not bar_store.put_daily(bars, "b.csv")
    assert not bar_store.put_daily(new_bars("ABC.US", "2015-12-01", 10), "c.csv")


def test_new_sessions_replace_their_days_and_keep_the_others(
    bar_store: SqliteBarStore, new_bars: NewBars
) -> None:
    bar_store.put_daily(new_bars("ABC.US", "2015-12-28", 10, price=10.0), "a.csv")
    assert bar_store.put_daily(new_bars("ABC.US", "2016-01-01", 3, price=50.0), "b.csv")
    assert bar_store.put_daily(new_bars("ABC.US", "2015-12-20", 2, price=5.0), "c.csv")
    found = bar_store.daily(InstrumentId("ABC.US"))
    assert found is not None
    assert [str(day) for day in found.day] == ["2015-12-20", "2015-12-21"] + [
        str(np.datetime64("2015-12-28") + np.timedelta64(n, "D")) for n in range(10)
    ]
    assert [int(price) for price in found.close] == [5, 5, 10, 10, 10, 10, 50, 50, 50, 10, 10, 10]


def test_first_and_last_are_inclusive(bar_store: SqliteBarStore, new_bars: NewBars) -> None:
    abc = InstrumentId("ABC.US")
    bar_store.put_daily(new_bars(abc, "2015-12-30", 10), "a.csv")

    def days(first: date | None, last: date | None) -> list[str]:
        found = bar_store.daily(abc, first, last)
        return [] if found is None else [str(day) for day in found.day]

    assert days(date(2015, 12, 31), date(2016, 1, 2)) == ["2015-12-31", "2016-01-01", "2016-01-02"]
    assert days(None, date(2015, 12, 30)) == ["2015-12-30"]
    assert days(date(2016, 1, 8), None) == ["2016-01-08"]
    assert days(date(2016, 1, 9), date(2016, 1, 31)) == []
    assert days(date(2017, 1, 1), None) == []


def test_unknown_instrument_has_no_bars(bar_store: SqliteBarStore) -> None:
    assert bar_store.daily(InstrumentId("ABC.US")) is None
    assert bar_store.instruments() == ()
    assert bar_store.all_daily() == {}


def test_all_daily_holds_every_instrument_whole(bar_store: SqliteBarStore, new_bars: NewBars) -> None:
    wanted = {
        name: new_bars(name, first, 500, price)
        for name, first, price in (("B.US", "2015-06-01", 5.0), ("A.US", "2016-06-01", 7.0))
    }
    for bars in wanted.values():
        bar_store.put_daily(bars, "a.csv")
    found = bar_store.all_daily()
    assert list(found) == ["A.US", "B.US"] == list(bar_store.instruments())
    assert all(same(found[InstrumentId(name)], bars) for name, bars in wanted.items())


def test_no_bars_are_not_stored(bar_store: SqliteBarStore, new_bars: NewBars) -> None:
    assert not bar_store.put_daily(new_bars("ABC.US", "2016-01-04", 0), "a.csv")
    assert bar_store.instruments() == ()


def test_days_that_do_not_rise_are_refused(bar_store: SqliteBarStore, new_bars: NewBars) -> None:
    bars = new_bars("ABC.US", "2016-01-04", 3)
    with pytest.raises(DataError, match="do not rise"):
        bar_store.put_daily(replace(bars, day=bars.day[[0, 2, 2]]), "a.csv")
    with pytest.raises(DataError, match="different length"):
        bar_store.put_daily(replace(bars, close=bars.close[:2]), "a.csv")
    assert bar_store.instruments() == ()


def test_changed_byte_of_a_chunk_is_found_when_it_is_read(tmp_path: Path, new_bars: NewBars) -> None:
    path = tmp_path / "bars.db"
    bars = new_bars("ABC.US", "2016-01-04", 300)
    with open_bars(path) as store:
        store.put_daily(bars, "a.csv")
    content = path.read_bytes()
    column = bars.high.tobytes()
    at = content.index(column[800:816])
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    with read_bars(path) as store, pytest.raises(StorageError, match=r"ABC\.US in 2016 are damaged"):
        store.all_daily()


def test_import_log_remembers_what_became_of_a_file(bar_store: SqliteBarStore) -> None:
    taken = ImportLine("f" * 64, "/a.csv", InstrumentId("B.US"), 250, ImportOutcome.TAKEN, "", 17)
    refused = ImportLine("f" * 64, "/a.csv", InstrumentId("A.US"), 9, ImportOutcome.REFUSED, "low > high", 17)
    bar_store.log_import(taken)
    bar_store.log_import(refused)
    assert bar_store.imported("f" * 64) == (refused, taken)
    assert bar_store.imported("0" * 64) == ()
    again = replace(taken, outcome=ImportOutcome.UNCHANGED, imported_us=18)
    bar_store.log_import(again)
    assert bar_store.imported("f" * 64) == (refused, again)
