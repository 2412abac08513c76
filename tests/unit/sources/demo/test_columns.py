from datetime import date

import numpy as np
import pytest

from engine.model.ids import InstrumentId
from engine.sources.demo.columns import DemoHistory, LazyColumns, columns_of
from engine.sources.demo.diary import Row
from engine.sources.demo.universe import COMPANIES

NAME = COMPANIES[0].instrument
DAYS = [date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)]
ROWS = [(50_000, 52_000, 49_000, 51_000, 900), (9_990, 10_100, 9_001, 9_500, 800), (1, 3, 1, 2, 7)]


def test_columns_are_dollars_and_shares_by_day() -> None:
    found = columns_of(NAME, DAYS, ROWS)
    assert found.day.tolist() == DAYS
    assert found.open.tolist() == [5.0, 0.999, 0.0001]
    assert found.high.tolist() == [5.2, 1.01, 0.0003]
    assert found.low.tolist() == [4.9, 0.9001, 0.0001]
    assert found.close.tolist() == [5.1, 0.95, 0.0002]
    assert found.volume.tolist() == [900, 800, 7]
    assert np.all(found.event_ratio == 1)


def test_a_history_gives_the_last_bars_and_fewer_where_there_are_fewer() -> None:
    history = DemoHistory({NAME: columns_of(NAME, DAYS, ROWS)})
    assert history.instruments() == (NAME,)
    last = history.daily(NAME, 2)
    assert last is not None
    assert last.day.tolist() == DAYS[1:]
    assert last.close.tolist() == [0.95, 0.0002]
    whole = history.daily(NAME, 9)
    assert whole is not None
    assert len(whole) == 3
    assert history.daily(COMPANIES[1].instrument, 1) is None
    with pytest.raises(ValueError, match="at least one bar"):
        history.daily(NAME, 0)


def test_columns_are_made_once_and_only_for_whom_is_asked() -> None:
    asked: list[str] = []

    class Noted(dict[InstrumentId, list[Row]]):
        def __getitem__(self, name: InstrumentId) -> list[Row]:
            asked.append(name)
            return super().__getitem__(name)

    other = COMPANIES[1].instrument
    history = DemoHistory(LazyColumns(DAYS, Noted({NAME: ROWS, other: ROWS}), (NAME, other)))
    assert history.instruments() == (NAME, other)
    assert asked == []
    first = history.daily(other, 9)
    assert first is not None
    assert first.instrument == other
    assert history.daily(other, 9) is first
    assert asked == [other]
