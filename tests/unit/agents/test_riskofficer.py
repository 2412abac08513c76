from decimal import Decimal
from typing import Any

import pytest

from engine.agents.riskofficer import RiskOfficer
from engine.model.candidates import Vote
from engine.model.ids import instrument_id
from engine.risk.limits import DATASET, NONE
from engine.risk.sizing import Sizing
from engine.strategies.gaps_config import GapsConfig
from engine.strategies.gaps_orders import EntryPrices

OFFICER = RiskOfficer(GapsConfig())
HELD = frozenset({instrument_id("ABC")})


def test_room_and_a_size_are_approved_with_their_numbers(candidate: Any, make_context: Any) -> None:
    report = OFFICER.judge(candidate, make_context(open_in_strategy=7, entries_this_session=2))
    assert (report.vote, report.note) == (Vote.APPROVE, "")
    assert report.reasons == ("12 at 9.40: strategy allows 120.00", "7 open, limit 8")


@pytest.mark.parametrize(
    ("changes", "reason", "note"),
    [
        ({"open_instruments": HELD}, "ABC is held or being entered, limit 1 per instrument", "held"),
        ({"open_in_strategy": 8}, "8 positions open or entering, limit 8", "open 8/8"),
        ({"entries_this_session": 3}, "3 entries this session, limit 3", "entries 3/3"),
        (
            {"sizing": Sizing(Decimal(0), Decimal("7.5"), "cash"), "equity": Decimal(625)},
            "too small: cash allows 7.50 of 625.00 equity, one lot costs 9.40",
            "too small",
        ),
        (
            {"prices": None, "sizing": None},
            "a side of the quote is missing, so there is no price to size at",
            "no price",
        ),
        (
            {"prices": EntryPrices(Decimal("1.0"), Decimal("0.5"), Decimal("1.0")), "sizing": None},
            "stop 0.5, limit 1.0 and target 1.0 are not in order: the tick is too coarse for this price",
            "tick too coarse",
        ),
    ],
)
def test_each_limit_is_a_hard_veto_with_number_and_limit(
    candidate: Any, make_context: Any, changes: dict[str, Any], reason: str, note: str
) -> None:
    report = OFFICER.judge(candidate, make_context(**changes))
    assert (report.vote, report.hard) == (Vote.VETO, True)
    assert (report.reasons, report.note) == ((reason,), note)


def test_a_full_sector_is_a_hard_veto(candidate: Any, make_context: Any) -> None:
    report = OFFICER.judge(candidate, make_context(sector="Tech", in_sector=3))
    assert (report.vote, report.hard, report.note) == (Vote.VETO, True, "sector 3/3")
    assert report.reasons == ("3 positions open or entering in Tech, limit 3",)
    assert (report.value, report.limit) == ("3 in Tech", "< 3 in Tech")


def test_room_in_a_sector_is_told(candidate: Any, make_context: Any) -> None:
    report = OFFICER.judge(candidate, make_context(sector="Tech", in_sector=2))
    assert (report.vote, report.reasons[1]) == (Vote.APPROVE, "Tech 2 of 3")


def test_without_a_source_or_limits_no_sector_is_full(candidate: Any, make_context: Any) -> None:
    assert OFFICER.judge(candidate, make_context(in_sector=3)).vote is Vote.APPROVE
    unlimited = make_context(sector="Tech", in_sector=3, switches=NONE)
    assert OFFICER.judge(candidate, unlimited).vote is Vote.APPROVE


def test_a_dataset_has_no_cap_on_entries_of_a_session(candidate: Any, make_context: Any) -> None:
    context = make_context(switches=DATASET, entries_this_session=7, open_in_strategy=7)
    assert OFFICER.judge(candidate, context).vote is Vote.APPROVE
    full = make_context(switches=DATASET, open_in_strategy=8, open_instruments=HELD)
    assert len(OFFICER.judge(candidate, full).reasons) == 2


def test_limits_that_are_off_are_said_to_be_off(candidate: Any, make_context: Any) -> None:
    context = make_context(switches=NONE, open_in_strategy=99, entries_this_session=99, open_instruments=HELD)
    report = OFFICER.judge(candidate, context)
    assert report.vote is Vote.APPROVE
    assert report.reasons[1] == "99 open, limit 8 (not a limit in this run)"


def test_a_size_of_nothing_is_refused_in_every_run(candidate: Any, make_context: Any) -> None:
    nothing = Sizing(Decimal(0), Decimal(0), "strategy")
    assert OFFICER.judge(candidate, make_context(switches=NONE, sizing=nothing)).note == "too small"


def test_a_size_that_the_drawdown_stop_took_is_not_called_too_small(
    candidate: Any, make_context: Any
) -> None:
    nothing = Sizing(Decimal(0), Decimal(0), "drawdown")
    assert OFFICER.judge(candidate, make_context(switches=NONE, sizing=nothing)).note == "drawdown stop"
