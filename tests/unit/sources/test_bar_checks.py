"""Which symbols are taken or refused, with reasons that name symbol, session, row, number and limit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.sources.bar_checks import SymbolReport, accepted, check_file
from engine.sources.bar_files import read_bars
from engine.sources.sessions import ExchangeSessions

DAYS = ["2016-01-04", "2016-01-05", "2016-01-06", "2016-01-07", "2016-01-08"]
GOOD = [f"{day},10,11,9,10.5,1000" for day in DAYS]


@pytest.fixture
def judge(write: Callable[..., Path], sessions: ExchangeSessions) -> Callable[..., SymbolReport]:
    """The report on one symbol ABC with these rows."""

    def check(rows: list[str], extra: str = "") -> SymbolReport:
        head = f"symbol,date,open,high,low,close,volume{extra}\n"
        text = head + "".join(f"ABC,{row}\n" for row in rows)
        (report,) = check_file(read_bars(write(text)), sessions)
        return report

    return check


def changed(at: int, row: str) -> list[str]:
    return [*GOOD[:at], row, *GOOD[at + 1 :]]


def test_good_bars_are_taken_as_they_are(judge: Any) -> None:
    report = judge(GOOD)
    assert (report.refusals, report.warnings, report.rows) == ((), (), 5)
    assert report.bars.instrument == "ABC.US"
    assert report.bars.close.tolist() == [10.5] * 5
    assert list(accepted([report])) == ["ABC.US"]


REFUSED = [
    (changed(2, "2016-01-06,10,8,9,10,1000"), "ABC 2016-01-06 row 3: high 8 below low 9, limit 0.1 %"),
    (changed(2, "2016-01-06,11.2,11,9,10,1"), "ABC 2016-01-06 row 3: open 11.2 above high 11, limit 0.1 %"),
    (changed(2, "2016-01-06,8.5,11,9,10,1"), "ABC 2016-01-06 row 3: open 8.5 below low 9, limit 0.1 %"),
    (changed(2, "2016-01-06,10,11,9,12,1"), "ABC 2016-01-06 row 3: close 12 above high 11, limit 0.1 %"),
    (changed(2, "2016-01-06,10,11,9,8,1"), "ABC 2016-01-06 row 3: close 8 below low 9, limit 0.1 %"),
    (changed(1, "2016-01-05,,11,9,10,1"), "ABC 2016-01-05 row 2: open is missing"),
    (changed(1, "2016-01-05,10,11,9,NaN,1"), "ABC 2016-01-05 row 2: close is missing"),
    (changed(1, "2016-01-05,10,inf,9,10,1"), "ABC 2016-01-05 row 2: high inf must be above 0"),
    (changed(1, "2016-01-05,10,11,-9,10,1"), "ABC 2016-01-05 row 2: low -9 must be above 0"),
    (changed(1, "2016-01-05,0,11,9,10,1"), "ABC 2016-01-05 row 2: open 0 must be above 0"),
    (changed(1, "2016-01-05,10,11,9,10,-1"), "ABC 2016-01-05 row 2: volume -1 must be 0 or more"),
    (changed(1, "2016-01-05,10,11,9,10,"), "ABC 2016-01-05 row 2: volume is missing"),
    (changed(3, GOOD[2]), "ABC 2016-01-06 row 4: the session is there twice"),
    (changed(0, "2016-01-01,10,11,9,10,1"), "ABC 2016-01-01 row 1: no session of the exchange"),
    ([*GOOD, "2016-01-09,10,11,9,10,1"], "ABC 2016-01-09 row 6: no session of the exchange"),
    ([GOOD[1], GOOD[0], *GOOD[2:]], "ABC 2016-01-04 row 2: comes after 2016-01-05 of row 1"),
    (changed(1, "01/05/2016,10,11,9,10,1"), "ABC row 2: no date, wanted like 2016-01-04"),
]


@pytest.mark.parametrize(("rows", "reason"), REFUSED)
def test_bad_bars_refuse_the_whole_symbol_with_the_reason(judge: Any, rows: list[str], reason: str) -> None:
    report = judge(rows)
    assert report.bars is None
    assert report.refusals[0] == reason


def test_prices_may_disagree_by_a_tenth_of_a_percent(judge: Any) -> None:
    assert judge(changed(2, "2016-01-06,11.01,11,9,10,1")).bars is not None
    assert judge(changed(2, "2016-01-06,11.012,11,9,10,1")).bars is None


def test_zero_volume_is_allowed(judge: Any) -> None:
    assert judge(changed(2, "2016-01-06,10,11,9,10,0")).bars is not None


def test_newest_first_is_turned_round(judge: Any) -> None:
    report = judge(GOOD[::-1])
    assert report.bars.day.astype(str).tolist() == DAYS


def test_repeated_faults_are_counted(judge: Any) -> None:
    rows = [row.replace(",11,9,", ",8,9,") for row in GOOD]
    assert judge(rows).refusals == ("ABC 2016-01-04 row 1: high 8 below low 9, limit 0.1 % (and 4 more)",)


def jump(times: float) -> list[str]:
    price = 10.5 * times
    return [GOOD[0], *(f"{day},{price},{price * 1.1},{price * 0.9},{price},10" for day in DAYS[1:])]


@pytest.mark.parametrize(
    ("times", "is_taken", "warns"),
    [
        (2.9, True, 0),
        (3.2, True, 2),
        (7.9, True, 2),
        (8.1, False, 0),
        (1 / 7.9, True, 2),
        (1 / 8.1, False, 0),
    ],
)
def test_jumps_in_adjusted_bars(judge: Any, times: float, is_taken: bool, warns: int) -> None:
    report = judge(jump(times))
    assert (report.bars is not None, len(report.warnings)) == (is_taken, warns)


def test_jump_says_prices_times_and_limit(judge: Any) -> None:
    assert judge(jump(10)).refusals == (
        "ABC 2016-01-05 row 2: opens at 105 after a close of 10.5, 10.0 times, limit 8",
        "ABC 2016-01-05 row 2: closes at 105 after a close of 10.5, 10.0 times, limit 8",
    )


@pytest.mark.parametrize(("times", "ratio", "is_taken"), [(4.9, 1, True), (5.1, 1, False), (10, 10, True)])
def test_jumps_in_raw_bars_are_judged_after_the_event_ratio(
    judge: Any, times: float, ratio: float, is_taken: bool
) -> None:
    rows = jump(times)
    ratios = [1, ratio, 1, 1, 1]
    report = judge([f"{row},{one}" for row, one in zip(rows, ratios, strict=True)], ",event_ratio")
    assert (report.bars is not None) == is_taken


def test_bad_event_ratio_is_refused(judge: Any) -> None:
    report = judge([f"{row},-2" for row in GOOD], ",event_ratio")
    assert "event_ratio -2 must be above 0" in report.refusals[0]


def test_one_bad_symbol_does_not_stop_the_others(write: Any, sessions: ExchangeSessions) -> None:
    text = "symbol,date,open,high,low,close,volume\n"
    text += "".join(f"BAD,{row}\n" for row in REFUSED[0][0]) + "".join(f"OK,{row}\n" for row in GOOD)
    reports = list(check_file(read_bars(write(text)), sessions))
    assert [report.bars is None for report in reports] == [True, False]


@pytest.mark.parametrize("symbol", ["", "A B", "A;DROP", "\x1b[31mX", "A" * 40])
def test_a_name_that_is_no_symbol_is_refused(write: Any, sessions: ExchangeSessions, symbol: str) -> None:
    text = "symbol,date,open,high,low,close,volume\n" + f"{symbol},{GOOD[0]}\n"
    (report,) = check_file(read_bars(write(text)), sessions)
    assert "not a symbol" in report.refusals[0]
    assert "\x1b" not in report.refusals[0] + report.symbol


def test_an_index_is_taken_with_holidays_and_odd_opens(write: Any, sessions: ExchangeSessions) -> None:
    text = "date,open,high,low,close\n2016-01-01,30,21,19,20\n2016-01-04,20,21,19,20\n"
    (report,) = check_file(read_bars(write(text), "VIX"), sessions)
    assert report.bars is not None
    assert report.warnings == (
        "VIX 2016-01-01 row 1: no session of the exchange",
        "VIX 2016-01-01 row 1: open 30 above high 21, limit 0.1 %",
    )
    (refused,) = check_file(read_bars(write(text.replace(",20\n", ",0\n")), "VIX"), sessions)
    assert refused.bars is None
