from dataclasses import replace
from typing import Any

import pytest

from engine.agents.screener import Screener
from engine.model.candidates import Vote
from engine.strategies.gaps_config import GapsConfig

SCREENER = Screener(GapsConfig(), -0.03)


def test_a_candidate_inside_the_rule_is_approved_with_its_numbers(candidate: Any, make_context: Any) -> None:
    report = SCREENER.judge(candidate, make_context())
    assert (report.vote, report.note) == (Vote.APPROVE, "")
    assert report.reasons == (
        "gap -6.00%, limit -3.00%",
        "price 9.4, limits 0.5 to 20",
        "mean traded value 20,000,000 USD, limit 5,000,000",
    )


@pytest.mark.parametrize(
    ("changes", "bars", "reason", "note"),
    [
        ({"gap": -0.021}, 263, "gap -2.10% is above the limit -3.00%", "gap -2.1%"),
        ({"decision_price": 0.41}, 263, "price 0.41 is below the limit 0.5", "price .41 < .5"),
        ({"decision_price": 34.2}, 263, "price 34.2 is above the limit 20", "price 34 > 20"),
        (
            {"adv_usd_20": 1.23e6},
            263,
            "mean traded value 1,230,000 USD is below the limit 5,000,000",
            "ADV 1.2M < 5M",
        ),
        (
            {"adv_usd_20": None},
            12,
            "12 daily bars before the session, 20 are needed for the traded value",
            "bars 12 < 20",
        ),
        ({"adv_usd_20": None}, 263, "the traded value of the last 20 bars is not known", "ADV unknown"),
    ],
)
def test_each_rule_is_a_hard_veto_with_number_and_limit(
    candidate: Any, make_context: Any, changes: dict[str, Any], bars: int, reason: str, note: str
) -> None:
    report = SCREENER.judge(replace(candidate, **changes), make_context(completed_bars=bars))
    assert (report.vote, report.hard) == (Vote.VETO, True)
    assert (report.reasons, report.note) == ((reason,), note)


@pytest.mark.parametrize(
    "changes",
    [
        {"gap": -0.03 + 5e-10},
        {"decision_price": 0.5 - 5e-10},
        {"decision_price": 20 + 5e-10},
        {"adv_usd_20": 5e6},
    ],
)
def test_limits_are_inclusive_within_the_tolerance(
    candidate: Any, make_context: Any, changes: dict[str, Any]
) -> None:
    assert SCREENER.judge(replace(candidate, **changes), make_context()).vote is Vote.APPROVE


def test_all_broken_rules_are_told_the_price_first(candidate: Any, make_context: Any) -> None:
    report = SCREENER.judge(replace(candidate, decision_price=25.0, adv_usd_20=1e3), make_context())
    assert len(report.reasons) == 2
    assert report.note == "price 25 > 20"
