"""Bar files: what is written is what is read, and any single fault refuses its symbol."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.sources.bar_checks import accepted, check_file
from engine.sources.bar_files import read_bars
from engine.sources.sessions import ExchangeSessions

SIZE = 12
price = st.floats(0.01, 1e5, allow_nan=False)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> ExchangeSessions:
    return ExchangeSessions(tmp_path_factory.mktemp("calendar"), date(2026, 11, 20))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bars") / "bars.csv"


@pytest.fixture(scope="module")
def days(sessions: ExchangeSessions) -> list[str]:
    return [str(one.day) for one in sessions.between(date(2016, 1, 4), date(2016, 1, 31))[:SIZE]]


@st.composite
def series(draw: Any) -> list[list[float]]:
    """Rows of open, high, low, close, volume that hold together, without jumps."""
    level = draw(price)
    moves = draw(st.lists(st.floats(0.6, 1.6), min_size=SIZE, max_size=SIZE))
    rows = []
    for move in moves:
        opened, closed = level * move, level
        spread = draw(st.floats(0, 0.5))
        high, low = max(opened, closed) * (1 + spread), min(opened, closed) * (1 - spread)
        rows.append([opened, high, low, closed, float(draw(st.integers(0, 10**12)))])
    return rows


def written(path: Path, days: list[str], rows: list[list[float]]) -> Path:
    lines = [",".join([day, *map(repr, row)]) for day, row in zip(days, rows, strict=True)]
    path.write_text("date,open,high,low,close,volume\n" + "\n".join(lines) + "\n")
    return path


@settings(max_examples=30, deadline=None)
@given(rows=series())
def test_good_bars_are_taken_bit_by_bit(sessions: Any, path: Path, days: Any, rows: Any) -> None:
    file = read_bars(written(path, days, rows), "ABC")
    (columns,) = accepted(check_file(file, sessions)).values()
    names = ("open", "high", "low", "close", "volume")
    assert np.column_stack([getattr(columns, name) for name in names]).tolist() == rows
    assert columns.day.astype(str).tolist() == days


FAULTS = ("nan", "negative", "zero", "inverted", "twice", "swapped", "weekend", "huge")


@settings(max_examples=60, deadline=None)
@given(rows=series(), at=st.integers(1, SIZE - 1), fault=st.sampled_from(FAULTS), column=st.integers(0, 3))
def test_any_single_fault_refuses_the_symbol(
    sessions: Any, path: Path, days: Any, rows: Any, at: int, fault: str, column: int
) -> None:
    days = list(days)
    if fault in ("nan", "negative", "zero"):
        rows[at][column] = {"nan": float("nan"), "negative": -rows[at][column], "zero": 0.0}[fault]
    elif fault == "inverted":
        rows[at][1], rows[at][2] = rows[at][2] * 0.9, rows[at][1]
    elif fault == "twice":
        days[at] = days[at - 1]
    elif fault == "swapped":
        days[at], days[at - 1] = days[at - 1], days[at]
    elif fault == "weekend":
        days[-1] = "2016-01-31"
    else:
        rows[at][:4] = [value * 50 for value in rows[at][:4]]
    (report,) = check_file(read_bars(written(path, days, rows), "ABC"), sessions)
    assert report.bars is None
    assert report.refusals[0].startswith("ABC ")
    assert " row " in report.refusals[0]
