"""Days of results that a person wrote down: read whole, or refused by line."""

from datetime import date
from pathlib import Path

import pytest

from engine.errors import DataError
from engine.model.ids import instrument_id
from tui.wiring.earnings import earnings_of, read_earnings


def test_each_line_is_a_symbol_and_a_day(tmp_path: Path) -> None:
    path = tmp_path / "earnings.csv"
    path.write_text("# results\n\nabc, 2026-05-05\nABC,2026-08-04\nBRK.B,2026-05-02\n", encoding="utf-8")
    days = earnings_of(path)
    assert days(instrument_id("ABC")) == (date(2026, 5, 5), date(2026, 8, 4))
    assert days(instrument_id("BRK.B")) == (date(2026, 5, 2),)
    assert days(instrument_id("XYZ")) == ()


def test_without_a_file_nothing_is_written_down(tmp_path: Path) -> None:
    assert read_earnings(tmp_path / "earnings.csv") == {}


@pytest.mark.parametrize("line", ["ABC", "ABC,soon", "ABC,2026-05-05,bmo", ",2026-05-05", "A B,2026-05-05"])
def test_a_line_that_makes_no_sense_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "earnings.csv"
    path.write_text(f"ABC,2026-05-05\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"earnings\.csv line 2: ") as caught:
        read_earnings(path)
    assert caught.value.hint == "Write one SYMBOL,YYYY-MM-DD a line"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "earnings.csv"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="cannot be read"):
        read_earnings(path)
