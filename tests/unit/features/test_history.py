from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from engine.features.history import StoredHistory, known_before
from engine.model.ids import InstrumentId, instrument_id
from engine.ports import BarColumns

ABC, XYZ, GONE = instrument_id("ABC"), instrument_id("XYZ"), instrument_id("GONE")
SESSION = date(2016, 1, 4)
MakeBars = Callable[..., BarColumns]


@pytest.fixture
def columns(make_bars: MakeBars) -> dict[InstrumentId, BarColumns]:
    # XYZ has bars up to and including the session and after it.
    return {
        ABC: make_bars([1.0, 2.0, 3.0]),
        XYZ: make_bars([5.0, 6.0, 7.0, 8.0], session=date(2016, 1, 6), symbol="XYZ"),
        GONE: make_bars([9.0], session=date(2010, 1, 5), symbol="GONE"),
    }


def test_only_bars_before_the_session_are_visible(columns: dict[InstrumentId, BarColumns]) -> None:
    history = StoredHistory(columns, SESSION)
    for instrument in columns:
        bars = history.daily(instrument, 100)
        assert bars is not None
        assert (bars.day < np.datetime64(SESSION)).all()
    seen = history.daily(XYZ, 100)
    assert seen is not None
    assert seen.day.tolist() == [date(2015, 12, 31), date(2016, 1, 1)]
    assert seen.close.tolist() == [5.0, 6.0]


def test_the_bar_of_the_session_itself_becomes_visible_the_day_after(
    columns: dict[InstrumentId, BarColumns],
) -> None:
    history = StoredHistory(columns, SESSION)
    next_day = history.at(date(2016, 1, 5)).daily(XYZ, 1)
    assert next_day is not None
    assert (next_day.day.tolist(), next_day.close.tolist()) == ([SESSION], [7.0])
    still = history.daily(XYZ, 1)
    assert still is not None
    assert still.close.tolist() == [6.0]


def test_the_last_bars_are_returned_and_fewer_when_there_are_fewer(
    columns: dict[InstrumentId, BarColumns],
) -> None:
    history = StoredHistory(columns, SESSION)
    two, many = history.daily(ABC, 2), history.daily(ABC, 50)
    assert two is not None
    assert many is not None
    assert two.close.tolist() == [2.0, 3.0]
    assert many.close.tolist() == [1.0, 2.0, 3.0]


def test_instruments_without_a_bar_yet_are_left_out(columns: dict[InstrumentId, BarColumns]) -> None:
    history = StoredHistory(columns, date(2012, 6, 1))
    assert history.instruments() == (GONE,)
    assert history.daily(ABC, 5) is None
    assert history.at(SESSION).instruments() == (ABC, XYZ, GONE)
    assert history.daily(instrument_id("NOPE"), 5) is None


def test_a_request_for_no_bars_is_a_mistake(columns: dict[InstrumentId, BarColumns]) -> None:
    with pytest.raises(ValueError, match="at least one bar"):
        StoredHistory(columns, SESSION).daily(ABC, 0)


def test_no_instruments_at_all() -> None:
    history = StoredHistory({}, SESSION)
    assert history.instruments() == ()
    assert history.at(date(2020, 1, 2)).daily(ABC, 1) is None


def test_slices_share_memory_with_the_stored_bars(columns: dict[InstrumentId, BarColumns]) -> None:
    bars = StoredHistory(columns, SESSION).daily(ABC, 2)
    assert bars is not None
    assert np.shares_memory(bars.close, columns[ABC].close)


def test_days_before_1970_keep_their_order(make_bars: MakeBars) -> None:
    bars = make_bars([1.0, 2.0, 3.0], session=date(1969, 1, 6))
    later = make_bars([4.0], session=date(1999, 1, 5), symbol="XYZ")
    history = StoredHistory({ABC: bars, XYZ: later}, date(1969, 1, 3))
    seen = history.daily(ABC, 9)
    assert seen is not None
    assert seen.close.tolist() == [1.0, 2.0]
    assert history.daily(XYZ, 9) is None


def test_known_before_cuts_at_the_session(make_bars: MakeBars) -> None:
    bars = make_bars([5.0, 6.0, 7.0], session=date(2016, 1, 6))
    assert known_before(bars, SESSION).close.tolist() == [5.0]
    assert known_before(bars, date(2030, 1, 2)).close.tolist() == [5.0, 6.0, 7.0]
