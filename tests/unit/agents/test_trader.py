from typing import Any

import pytest

from engine.agents.trader import Trader
from engine.model.candidates import Vote

TRADER = Trader()


def test_a_fresh_narrow_quote_is_approved_with_its_numbers(candidate: Any, make_context: Any) -> None:
    report = TRADER.judge(candidate, make_context())
    assert (report.vote, report.note) == (Vote.APPROVE, "")
    assert report.reasons == ("quote 1.0 s old, limit 15s", "spread 0.11%, limit 1.00%")


@pytest.mark.parametrize(
    ("bid", "ask", "age_s", "hard", "reason", "note"),
    [
        (None, 9.40, 1, True, "the quote has no bid", "no bid"),
        (9.40, None, 1, True, "the quote has no ask", "no ask"),
        (9.50, 9.40, 1, True, "crossed quote: bid 9.5 above ask 9.4", "crossed quote"),
        (9.40, 9.40, 42, False, "the quote is 42s old, limit 15s", "quote 42s > 15s"),
        (9.40, 9.40, 86_400, False, "the quote is 24h old, limit 15s", "quote 24h > 15s"),
        (9.93, 10.07, 1, False, "spread 1.40% of the mid, limit 1.00%", "spread 1.4%"),
    ],
)
def test_each_fault_of_a_quote_is_a_veto_with_number_and_limit(
    candidate: Any,
    make_context: Any,
    quote_of: Any,
    bid: float | None,
    ask: float | None,
    age_s: float,
    hard: bool,
    reason: str,
    note: str,
) -> None:
    report = TRADER.judge(candidate, make_context(quote=quote_of(bid, ask, age_s)))
    assert (report.vote, report.hard) == (Vote.VETO, hard)
    assert (report.reasons, report.note) == ((reason,), note)


@pytest.mark.parametrize(("bid", "ask", "age_s"), [(9.40, 9.40, 15.0), (9.95, 10.05, 1.0)])
def test_the_limits_themselves_pass(
    candidate: Any, make_context: Any, quote_of: Any, bid: float, ask: float, age_s: float
) -> None:
    assert TRADER.judge(candidate, make_context(quote=quote_of(bid, ask, age_s))).vote is Vote.APPROVE


def test_a_dataset_has_no_spread_to_judge(candidate: Any, make_context: Any, quote_of: Any) -> None:
    report = TRADER.judge(candidate, make_context(quote=quote_of(9.0, 10.0), dataset=True))
    assert report.vote is Vote.APPROVE
    assert report.reasons[1] == "spread not applicable: the dataset has no quotes"
