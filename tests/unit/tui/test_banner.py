"""What stands above the panes: the state, what a halt did, and every limit with the command that ends it."""

from dataclasses import replace
from decimal import Decimal

import pytest

from engine.model.positions import AccountKind
from tui.shown.deck import DeckView, HeaderView, LinkState, MarketView, Restriction
from tui.widgets.banner import MOST_ROWS, banner_lines
from tui.widgets.look import Look

RUNNING = HeaderView(
    AccountKind.PAPER,
    "paper-1",
    "USD",
    Decimal(10_000),
    Decimal(0),
    0.0,
    0.0,
    "normal",
    "RUNNING",
    "",
    0,
    0,
    None,
    None,
    0,
    3,
    3,
    LinkState.IN_PROCESS,
    MarketView("live", False, None, 1, 1, False),
)
HALTED = replace(RUNNING, engine_state="HALTED", engine_reason="by nina on pts/7 (! !)")
BREAKER = Restriction("Drawdown 15.1%: stopped, no new orders.", "tradedeck accounts release paper-1", True)
HALVED = Restriction("Drawdown 5.3%: new sizes halved until below 3.0%.", "", False)
SYMBOL = Restriction("TLMN HALTED by engine (we hold 5 and the venue says 4)", "tradedeck resume TLMN", True)


def rows(header: HeaderView, width: int) -> list[str]:
    view = DeckView(header, (), "", (), (), (), "")
    return ["".join(span.text for span in line) for line in banner_lines(Look(view, 0), width)]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"entries_cancelled": 1}, "No new orders. 1 entry cancelled. 3 of 3 positions keep their stop."),
        ({"entries_cancelled": 2}, "No new orders. 2 entries cancelled. 3 of 3 positions keep their stop."),
        (
            {"entries_cancelled": 1, "entries_working": 1},
            "No new orders. 1 entry cancelled, 1 still working. 3 of 3 positions keep their stop.",
        ),
        ({"entries_working": 1}, "0 entries cancelled, 1 still working."),
        ({}, "No new orders. 3 of 3 positions keep their stop."),
    ],
)
def test_a_halt_says_what_became_of_working_entries(changes: dict[str, int], words: str) -> None:
    assert words in rows(replace(HALTED, **changes), 118)[0]


def test_at_80_columns_who_halted_and_the_cancelled_entries_both_fit() -> None:
    first = rows(replace(HALTED, entries_cancelled=1), 78)[0]
    assert len(first) <= 78
    assert "by nina on pts/7. 1 entry cancelled. 3 of 3 keep a stop." in first


def test_at_80_columns_a_halt_by_the_engine_says_why_not_who() -> None:
    reason = "by engine (drawdown breaker L3: equity 9,998.40 is 15.10 % under the high of 11,776.68)"
    first = rows(replace(HALTED, engine_reason=reason), 78)[0]
    assert "drawdown breaker L3" in first
    assert first.endswith("No new orders. 3 of 3 keep a stop.")


@pytest.mark.parametrize("width", [58, 78, 118])
@pytest.mark.parametrize("limit", [BREAKER, SYMBOL])
def test_the_command_that_ends_a_limit_is_never_cut(limit: Restriction, width: int) -> None:
    (only,) = rows(replace(RUNNING, restrictions=(limit,)), width)
    assert only.endswith(limit.command)
    assert len(only) <= width
    assert only.startswith("▎ ■ ")


def test_a_limit_that_ends_by_itself_names_no_command() -> None:
    (only,) = rows(replace(RUNNING, restrictions=(HALVED,)), 78)
    assert only == "▎ ◐ Drawdown 5.3%: new sizes halved until below 3.0%."


def test_limits_stand_under_a_halt() -> None:
    found = rows(replace(HALTED, restrictions=(BREAKER,)), 78)
    assert len(found) == 3
    assert "HALTED" in found[0]
    assert "resume" in found[1]
    assert found[2].endswith("tradedeck accounts release paper-1")


def test_limits_that_do_not_fit_are_counted() -> None:
    found = rows(replace(HALTED, restrictions=(BREAKER, SYMBOL, HALVED, HALVED)), 118)
    assert len(found) == MOST_ROWS
    assert found[-1] == "▎ ■ 3 more limits are in force: tradedeck status"


def test_a_console_without_its_engine_claims_nothing_about_limits() -> None:
    found = rows(replace(RUNNING, link=LinkState.LOST, restrictions=(BREAKER,)), 118)
    assert not any("Drawdown" in row for row in found)


def test_no_banner_while_all_is_as_usual() -> None:
    assert rows(RUNNING, 118) == []
