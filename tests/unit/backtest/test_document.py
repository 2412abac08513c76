"""The JSON document that back-test and replay share."""

import json
from datetime import date
from typing import Any

import numpy as np
import pytest

from engine.backtest.document import TradeRow, TruncatedTrade, bars_left, build_document, narration
from engine.model.ids import instrument_id
from engine.model.positions import ExitReason
from engine.ports import BarColumns


def vix(closes: dict[str, float]) -> BarColumns:
    level = np.array(list(closes.values()))
    day = np.array(list(closes), dtype="datetime64[D]")
    return BarColumns(instrument_id("VIX"), day, level, level, level, level, level * 0, level * 0 + 1)


def row(symbol: str, day: int, ret: float) -> TradeRow:
    return TradeRow(symbol, date(2016, 1, day), 10.0, 10 * (1 + ret), ExitReason.TIME, ret, 5)


LEVELS = {"2016-01-04": 24.999, "2016-01-05": 25.0, "2016-01-06": 24.0}


def test_win_is_above_zero_and_rates_are_percent() -> None:
    document: Any = build_document([row("A", 5, 0.06), row("B", 5, 0.0), row("C", 5, -0.03)], (), None, False)
    assert (document["trades"], document["win_pct"], document["avg_ret_pct"]) == (3, 33.3333333333, 1.0)
    assert "rows" not in document


def test_regime_is_the_vix_close_of_the_session_before() -> None:
    rows = [row("A", 4, 0.01), row("B", 5, 0.02), row("C", 6, -0.03), row("D", 7, 0.04)]
    document: Any = build_document(rows, (), vix(LEVELS), False)
    assert document["by_regime"]["VIX<25"] == {"trades": 2, "win_pct": 100.0, "avg_ret_pct": 3.0}
    assert document["by_regime"]["VIX>=25"] == {"trades": 1, "win_pct": 0.0, "avg_ret_pct": -3.0}
    assert document["trades"] == 4  # the first has no VIX close before it


def test_no_trades_have_no_rates() -> None:
    document: Any = build_document((), (), vix(LEVELS), True)
    empty = {"trades": 0, "win_pct": None, "avg_ret_pct": None}
    by_regime = {"VIX<25": empty, "VIX>=25": empty}
    assert document == {**empty, "by_regime": by_regime, "truncated": [], "rows": []}
    assert "NaN" not in json.dumps(document)


def test_rows_and_truncated_are_in_order_and_complete() -> None:
    late = TruncatedTrade("Z", date(2016, 1, 7), 2.5, 3)
    early = TruncatedTrade("Y", date(2016, 1, 6), 3.680000066757202, 4)
    document: Any = build_document([row("B", 6, 0.06), row("A", 6, -0.08)], [late, early], None, True)
    assert [one["symbol"] for one in document["rows"]] == ["A", "B"]
    assert document["rows"][1] == {
        "symbol": "B",
        "date": "2016-01-06",
        "entry": 10.0,
        "exit": 10.6,
        "exit_reason": "time",
        "ret": 0.06,
        "sessions": 5,
    }
    assert document["truncated"] == [
        {"symbol": "Y", "date": "2016-01-06", "entry": 3.6800000668, "sessions_left": 4},
        {"symbol": "Z", "date": "2016-01-07", "entry": 2.5, "sessions_left": 3},
    ]


@pytest.mark.parametrize(("day", "left"), [(4, 3), (5, 2), (6, 1), (7, 0)])
def test_bars_left_count_the_session_itself(day: int, left: int) -> None:
    assert bars_left(vix(LEVELS), date(2016, 1, day)) == left


def test_narration_names_what_the_file_cannot_tell_first() -> None:
    lines = narration(8839, has_vix=True)
    assert lines[0].startswith("not_applicable(dataset): listing, would have decided 8,839 candidates")
    assert sum(line.startswith("not_applicable(dataset): ") for line in lines) == 6
    assert any("survivorship-biased universe" in line for line in lines)
    assert not any("VIX" in line for line in lines)
    limited = narration(10, True, {"concurrent": 7, "cash": 0})
    assert [line for line in limited if "not taken" in line] == ["not taken, concurrent: 7 candidates"]
    assert "no VIX closes" in narration(0, has_vix=False)[-1]
