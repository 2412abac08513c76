"""What is read from a bar file, and what is said of one that cannot be read."""

import gzip
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import DataError, DeckError, UsageError
from engine.sources.bar_files import read_bars

Write = Callable[..., Path]
HEADER = "symbol,date,open,high,low,close,volume\n"


def test_csv_with_symbols_in_any_order_keeps_row_numbers(write: Write) -> None:
    text = HEADER + "B,2016-01-04,1,2,0.5,1.5,100\nA,2016-01-04,3,4,2,3.5,0\nB,2016-01-05,1.5,2,1,1.1,7\n"
    file = read_bars(write(text))
    b, a = file.bars
    assert (b.symbol, b.row.tolist(), b.close.tolist(), b.volume.tolist()) == (
        "B",
        [1, 3],
        [1.5, 1.1],
        [100, 7],
    )
    assert b.day.astype(str).tolist() == ["2016-01-04", "2016-01-05"]
    assert (a.symbol, a.row.tolist(), a.event_ratio.tolist()) == ("A", [2], [1.0])
    assert (file.has_volume, file.has_event_ratio, len(file)) == (True, False, 3)


def test_files_ordered_by_date_keep_the_order_inside_each_symbol(write: Write) -> None:
    rows = [f"{symbol},2016-01-04,{n},{n},{n},{n},5\n" for n in range(1, 200) for symbol in ("B", "A", "C")]
    for bars in read_bars(write(HEADER + "".join(rows))).bars:
        assert bars.open.tolist() == list(range(1, 200))


def test_columns_of_other_vendors_are_found(write: Write) -> None:
    text = 'Date, Open,HIGH,Low,Close,"Adj Close",Volume\n2016-01-04 00:00:00-05:00,1,2,0.5,1.5,9,100\n'
    (bars,) = read_bars(write(text), "SPY").bars
    assert (bars.symbol, bars.open[0], bars.close[0], str(bars.day[0])) == ("SPY", 1, 1.5, "2016-01-04")


def test_unknown_event_ratio_is_one(write: Write) -> None:
    text = (
        HEADER.replace("volume", "volume,event_ratio") + "A,20160104,1,2,1,1,5,\nA,20160105,1,2,1,1,5,0.5\n"
    )
    file = read_bars(write(text))
    assert file.has_event_ratio
    assert file.bars[0].event_ratio.tolist() == [1.0, 0.5]


def test_empty_cells_and_bad_dates_are_kept_for_the_checks(write: Write) -> None:
    (bars,) = read_bars(write(HEADER + "A,2016-13-04,1,,NaN,1,5\nA,soon,1,2,1,1,5\n")).bars
    assert np.isnat(bars.day).tolist() == [True, True]
    assert np.isnan(bars.high).tolist() == [True, False]
    assert np.isnan(bars.low).tolist() == [True, False]


def test_symbols_that_look_like_other_things_stay_text(write: Write) -> None:
    rows = [f"{symbol},2016-01-04,1,2,1,1,5\n" for symbol in ("NA", "NAN", "TRUE", "0700", "null")]
    assert [one.symbol for one in read_bars(write(HEADER + "".join(rows))).bars] == [
        "NA", "NAN", "TRUE", "0700", "null"
    ]  # fmt: skip


def test_floats_are_read_to_the_last_bit(write: Write) -> None:
    price = 3.680000066757202
    (bars,) = read_bars(write(HEADER + f"A,2016-01-04,{price!r},4,3,0.1,5\n")).bars
    assert (bars.open[0], bars.close[0]) == (price, 0.1)


def test_compressed_csv(write: Write) -> None:
    path = write(gzip.compress((HEADER + "A,2016-01-04,1,2,1,1,5\n").encode()), "bars.csv.gz")
    assert len(read_bars(path)) == 1


def test_file_without_volume_is_an_index(write: Write) -> None:
    file = read_bars(write("date,open,high,low,close\n2016-01-04,20,21,19,20\n"), "VIX")
    assert not file.has_volume
    assert file.bars[0].volume.tolist() == [0.0]


@pytest.mark.parametrize("kind", ["date32", "timestamp", "zoned", "string", "categories"])
def test_parquet_dates_and_symbols_of_every_type(tmp_path: Path, kind: str) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    days = np.array(["2016-01-04", "2016-01-05"], dtype="datetime64[D]")
    dates: Any = pa.array(days)
    if kind == "timestamp":
        dates = dates.cast(pa.timestamp("us"))
    elif kind == "zoned":
        midnight = pa.array(np.array(["2016-01-04T05", "2016-01-05T05"], dtype="datetime64[us]"))
        dates = midnight.cast(pa.timestamp("us", tz="UTC")).cast(pa.timestamp("us", tz="America/New_York"))
    elif kind == "string":
        dates = pa.array(["2016-01-04", "2016-01-05"])
    symbols: Any = pa.array(["A", "B"])
    prices = pa.array([3.68, 4.0], pa.float32())
    columns = {"symbol": symbols.dictionary_encode() if kind == "categories" else symbols, "date": dates}
    columns |= dict.fromkeys(("open", "high", "low", "close"), prices)
    path = tmp_path / "bars.parquet"
    pq.write_table(pa.table(columns | {"volume": pa.array([1, 2])}), path)
    a, b = read_bars(path).bars
    assert (a.symbol, b.symbol, b.row.tolist()) == ("A", "B", [2])
    assert str(a.day[0]) == "2016-01-04"
    assert str(b.day[0]) == "2016-01-05"
    assert a.open[0] == float(np.float32(3.68))


CASES: list[tuple[str | bytes, str, str | None, type[DeckError], str]] = [
    (b"", "bars.csv", None, DataError, "is empty"),
    (HEADER, "bars.csv", None, DataError, "has no rows"),
    ("symbol,date,open,high\nA,2016-01-04,1,2\n", "bars.csv", None, DataError, "no column low, close"),
    ("date,open,high,low,close,volume\n2016-01-04,1,2,1,1,5\n", "a.csv", None, DataError, "no symbol column"),
    ("symbol,date,open,high,low,close\nA,2016-01-04,1,2,1,1\n", "a.csv", None, DataError, "no column volume"),
    (HEADER + "A,2016-01-04,1,2,1,1,5\n", "bars.csv", "SPY", UsageError, "has a symbol column"),
    (
        HEADER + "A,20160104,1,2,1,1,5\nA,20160105,1,x2,1,1,5\n",
        "b.csv",
        None,
        DataError,
        "row 2: high 'x2' is not a number",
    ),
    (HEADER + 'A,2016-01-04,1,"2\n', "bars.csv", None, DataError, "cannot be read as CSV"),
    (b"\xff\xfe\x00bars", "bars.csv", None, DataError, "cannot be read as CSV"),
    (b"\x1f\x8b\x08broken", "bars.csv.gz", None, DataError, "cannot be read as CSV"),
    (b"PAR1 then nothing", "bars.parquet", None, DataError, "cannot be read"),
    (b"PAR", "bars.parquet", None, DataError, "is not a Parquet file"),
    ("Open,open,date,high,low,close\n1,1,2016-01-04,1,1,1\n", "a.csv", "X", DataError, "two columns open"),
]


@pytest.mark.parametrize(("content", "name", "symbol", "error", "words"), CASES)
def test_unreadable_file_is_one_clear_line(
    write: Write, content: str | bytes, name: str, symbol: str | None, error: type[DeckError], words: str
) -> None:
    path = write(content, name)
    with pytest.raises(error) as raised:
        read_bars(path, symbol)
    assert words in raised.value.message
    assert str(path) in raised.value.message
    assert raised.value.hint
    assert "\n" not in str(raised.value)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_bars(tmp_path / "none.parquet")
    with pytest.raises(DataError, match="cannot be read"):
        read_bars(tmp_path)


def test_parquet_without_pyarrow_says_what_to_install(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError) as raised:
        read_bars(write(b"PAR1 whatever", "bars.parquet"))
    assert "tradedeck[research]" in raised.value.hint


def test_outside_text_cannot_reach_the_terminal(write: Write) -> None:
    with pytest.raises(DataError) as raised:
        read_bars(write(HEADER + "A,2016-01-04,1,\x1b[31m2,1,1,5\n"))
    assert "\x1b" not in str(raised.value)
