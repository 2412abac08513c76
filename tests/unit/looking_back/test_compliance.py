"""Each demand of the policy of its moment is held against what was done (SPEC 3.4, Auditor)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from engine.agents.compliance import Facts, check_trade
from engine.model.assessment import Assessment, BcsParts
from engine.model.candidates import AgentReport, GateResult, GateStatus, Vote
from engine.model.checks import Check, Step
from engine.model.forecasts import Forecast
from engine.model.policy import GapsPolicy, TickerStanding, TickerState
from engine.model.positions import AccountKind, ExitReason
from engine.risk.limits import NONE

Change = Callable[[Facts], Facts]


def deviations(facts: Facts) -> dict[str, bool]:
    """Name of each check that fails -> whether it concerned risk."""
    return {check.name: check.is_risk for check in check_trade(facts, 1).deviations}


def ticket(facts: Facts, **changes: Any) -> Facts:
    made = replace(facts.ticket, **changes)
    return replace(facts, ticket=made, stored_sha256=made.sha256)


def order(facts: Facts, role: str, column: str, value: str | None) -> Facts:
    orders = tuple({**row, column: value} if row["role"] == role else row for row in facts.orders)
    return replace(facts, orders=orders)


def other(**changes: Any) -> dict[str, Any]:
    """Another bracket that was started before and holds on."""
    row = dict(
        id="X",
        number=0,
        strategy="gaps",
        instrument="XYZ.US",
        session="2016-01-04",
        t_open_us=1,
        closed_us=None,
    )
    return {**row, **changes}


def others(facts: Facts, count: int, **changes: Any) -> Facts:
    found = tuple(other(id=f"X{n}", number=-n, **changes) for n in range(count))
    return replace(facts, others=found)


def test_trade_as_demanded_has_no_deviation(facts: Facts) -> None:
    finding = check_trade(facts, 7)
    assert finding.deviations == ()
    assert (finding.ts, finding.ticket, len(finding.checks)) == (7, facts.ticket.id, 12)
    assert finding.words() == "B-1: as demanded"


@pytest.mark.parametrize(
    "change",
    [
        lambda f: replace(f, stored_sha256="0" * 64),
        lambda f: replace(f, approved_by=""),
        lambda f: replace(f, approved_us=None),
        lambda f: replace(f, approved_us=f.ticket.expires_us),
        lambda f: replace(f, approved_us=f.ticket.created_us - 1),
        lambda f: replace(f, approvals=()),
        lambda f: replace(f, approvals=f.approvals * 2),
        lambda f: replace(
            f, approved_by="policy (paper-auto)", rules=replace(f.rules, kind=AccountKind.LIVE)
        ),
    ],
)
def test_approval_is_one_in_time_of_what_was_shown(facts: Facts, change: Change) -> None:
    assert deviations(change(facts)) == {"approval": True}


def test_size_is_within_the_share_of_the_regime(facts: Facts) -> None:
    assert deviations(replace(facts, bracket={**facts.bracket, "qty": "13"})) == {"size": True}
    assert deviations(replace(facts, trip=replace(facts.trip, quantity=Decimal(13)))) == {"size": True}
    from engine.model.candidates import Regime

    assert deviations(ticket(facts, regime=Regime.HIGH_VIX)) == {"size": True}
    small = replace(facts, rules=replace(facts.rules, max_position_pct=0.005))
    assert deviations(small) == {"size": True}


def test_limits_are_counted_from_the_book_around_it(facts: Facts) -> None:
    assert deviations(others(facts, 7, session="2016-01-01")) == {}
    assert deviations(others(facts, 8, session="2016-01-01")) == {"positions": True}
    assert deviations(others(facts, 8, session="2016-01-01", strategy="gems")) == {}
    assert deviations(others(facts, 8, session="2016-01-01", closed_us=2)) == {}
    later = facts.ticket.created_us + 1
    assert deviations(others(facts, 8, session="2016-01-01", t_open_us=later)) == {}
    gone = replace(others(facts, 8, session="2016-01-01"), ended={f"X{n}": 5 for n in range(8)})
    assert deviations(gone) == {}, "their positions ended, whatever waits for an answer"
    assert deviations(others(facts, 1, instrument=facts.ticket.instrument)) == {
        "positions in instrument": True
    }
    assert deviations(others(facts, 3, closed_us=2)) == {"entries of the session": True}


def test_limit_that_is_off_is_none(facts: Facts) -> None:
    free = replace(facts, rules=replace(facts.rules, switches=NONE))
    assert deviations(others(free, 9, instrument=facts.ticket.instrument)) == {}


def test_gates_must_all_have_been_asked_and_passed(facts: Facts) -> None:
    gates = facts.ticket.gates
    assert deviations(ticket(facts, gates=gates[:-1])) == {"filters": True}
    failed = GateResult("G7", "liquidity", GateStatus.FAIL, "", "", "too thin")
    assert deviations(ticket(facts, gates=(*gates[:-1], failed))) == {"filters": True}


def test_votes_are_counted_again(facts: Facts) -> None:
    soft = AgentReport("trader", Vote.VETO, False, ("old quote",))
    assert deviations(ticket(facts, reports=(*facts.ticket.reports, soft))) == {"votes": False}
    hard = AgentReport("riskofficer", Vote.VETO, True, ("8 open",))
    assert deviations(ticket(facts, reports=(*facts.ticket.reports, hard))) == {"votes": True}


@pytest.mark.parametrize(
    "change",
    [
        lambda f: order(f, "S", "stop_px", "91.5"),
        lambda f: replace(f, orders=f.orders[:1]),
        lambda f: ticket(f, exit_plan=replace(f.ticket.exit_plan, stop_price=Decimal("90.00"))),
    ],
)
def test_stop_is_where_the_rules_put_it_and_was_sent(facts: Facts, change: Change) -> None:
    assert deviations(change(facts)) == {"stop": True}


def test_stop_one_tick_below_is_rounding(facts: Facts) -> None:
    plan = replace(facts.ticket.exit_plan, stop_price=Decimal("91.995"))
    assert deviations(order(ticket(facts, exit_plan=plan), "S", "stop_px", "91.995")) == {}


def test_target_elsewhere_is_no_risk(facts: Facts) -> None:
    assert deviations(order(facts, "T", "px", "107")) == {"target": False}
    without = replace(facts, orders=facts.orders[:2])
    assert deviations(without) == {}, "a plan that goes on without a resting target"


@pytest.mark.parametrize(
    ("reason", "sessions", "ok"),
    [
        (ExitReason.TIME, 5, True),
        (ExitReason.TIME, 4, False),
        (ExitReason.STOP, 6, False),
        (ExitReason.MANUAL, 3, True),
    ],
)
def test_time_exit_is_of_the_fifth_session(facts: Facts, reason: ExitReason, sessions: int, ok: bool) -> None:
    trip = replace(facts.trip, exit_reason=reason, sessions=sessions)
    assert deviations(replace(facts, trip=trip)) == ({} if ok else {"time exit": True})


@pytest.fixture
def full(facts: Facts) -> Facts:
    """The same under the full rule: q 0.64, BCS 7.25, all checks passed."""
    forecast = Forecast("m7", 0.8, 0.64, 0.6, 0.7, 0.066, -0.084, -0.003, (), (), True)
    bcs = BcsParts(2.0, 1.5, 1.0, 0.5, 0.5, 1.0, 0.75)
    passed = Check("ev", Step.SCORES, GateStatus.PASS, "", "", "", "")
    found = Assessment(forecast, "", 0.004, 0.01, bcs, 0.62, 5.5, 0.2, None, (passed,))
    return ticket(facts, assessment=found)


def test_scores_are_held_against_the_thresholds_of_that_moment(full: Facts) -> None:
    assert deviations(full) == {}
    strict = replace(full, policy=GapsPolicy("p3", 5.75, 6.25, 0.65, 0.71))
    assert deviations(strict) == {"scores": False}
    assert deviations(replace(full, policy=GapsPolicy("p3", 7.25, 7.75, 0.62, 0.68))) == {"scores": False}
    bare = replace(full.ticket.assessment, forecast=None, bcs=None)  # type: ignore[type-var]
    assert deviations(ticket(full, assessment=bare)) == {"scores": False}


def test_failed_check_of_the_assessment_is_a_filter_that_did_not_hold(full: Facts) -> None:
    failed = Check("volume_fade", Step.FILTERS, GateStatus.FAIL, "", "", "volume fades", "")
    found = replace(full.ticket.assessment, checks=(failed,))  # type: ignore[type-var]
    assert deviations(ticket(full, assessment=found)) == {"filters": True}


@pytest.mark.parametrize(
    ("policy", "wrong"),
    [
        ({"state": TickerState.EJECTED}, {"past of the instrument"}),
        ({"state": TickerState.MONITORED}, {"size"}),
        ({"cools": True}, {"past of the instrument"}),
        ({}, set()),
    ],
)
def test_past_of_the_instrument_is_heeded(full: Facts, policy: dict[str, Any], wrong: set[str]) -> None:
    name, session = full.ticket.instrument, full.ticket.session
    state, until = policy.get("state", TickerState.ACTIVE), session + timedelta(days=9)
    standing = TickerStanding(state, 0.3, 0, 9, until if state is TickerState.EJECTED else None)
    cooldown: dict[Any, date] = {name: until} if "cools" in policy else {}
    learned = replace(full.policy, standings={name: standing}, cooldown_until=cooldown)
    found = deviations(replace(full, policy=learned))
    assert found == dict.fromkeys(wrong, True)


def test_weighted_vote_counts_from_twenty_trades_on(full: Facts) -> None:
    reports = tuple(AgentReport(name, Vote.APPROVE, False, ()) for name in "abcde")
    soft = AgentReport("trader", Vote.VETO, False, ("old quote",))
    voted = ticket(full, reports=(*reports, soft))
    assert deviations(voted) == {"votes": False}
    seasoned = replace(voted, policy=replace(voted.policy, closed_trades=20))
    assert deviations(seasoned) == {}
