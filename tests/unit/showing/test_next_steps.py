"""What happens next with a bracket, in every phase of the real plan, with its times."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.clock import US_PER_S
from engine.execution.bracket import Bracket, BracketPhase
from engine.execution.fates import ALARM_US
from engine.execution.steps import Circumstances
from engine.model.exits import ExitPlan, Tier
from engine.model.orders import BracketKind, OrderRole, OrderState
from engine.model.positions import ExitReason
from tui.showing.bracket import next_steps


def around(rig: Any, **changes: Any) -> Circumstances:
    """The circumstances of now."""
    now = rig.clock.now_us()
    return replace(Circumstances(now, False, True, None, rig.venue.capabilities), **changes)


def told(rig: Any, bracket: Bracket, **changes: Any) -> list[tuple[int | None, str]]:
    """Steps with the seconds until they are due."""
    now = around(rig, **changes)
    steps = next_steps(bracket, now)
    assert all(step.is_next for step in steps)
    return [(None if s.ts is None else (s.ts - now.now_us) // US_PER_S, s.words) for s in steps]


def words(rig: Any, bracket: Bracket, **changes: Any) -> list[str]:
    return [said for _, said in told(rig, bracket, **changes)]


async def test_a_send_without_an_answer_waits_for_it(rig: Any, world: Any) -> None:
    rig.venue.faults["send"].append(world.HANG)
    rig.brackets.start(world.make_ticket(), (), ())
    bracket = rig.now()
    assert bracket.entry.state is OrderState.SENDING
    assert told(rig, bracket)[0] == (
        10,
        "no answer for the entry until then: its fate is unknown, and the venue is asked",
    )
    assert told(rig, bracket)[1] == (600, "cancel the entry, if nothing of it is filled")
    await rig.brackets.abandon()


async def test_an_entry_of_unknown_fate_is_asked_about_and_never_sent_twice(rig: Any, world: Any) -> None:
    rig.venue.faults["send"].append(world.LOST)
    bracket = await rig.begin()
    steps = told(rig, bracket)
    assert steps[0][1].startswith("ask for the entry by its id")
    assert "marked not placed. Never sent twice" in steps[1][1]
    assert steps[2][0] == 60
    later = around(rig, now_us=rig.clock.now_us() + ALARM_US + US_PER_S)
    (settle,) = [step for step in next_steps(bracket, later) if "stay off" in step.words]
    assert (settle.ts, settle.words) == (None, "entries for ABC stay off until you or the venue settle it")


async def test_a_stop_of_unknown_fate_goes_again_under_its_id(rig_of: Any, world: Any) -> None:
    rig = rig_of(bracket_kind=BracketKind.SYNTHETIC)
    bracket = await rig.begin()
    rig.venue.faults["send"].append(world.LOST)
    rig.venue.fill(bracket.entry.id)
    await rig.settle()
    stop = rig.now().of_role(OrderRole.STOP)[0]
    assert stop.state is OrderState.UNKNOWN
    assert any("sent again under the same id" in said for said in words(rig, rig.now()))


async def test_an_entry_that_is_over_before_its_stop_rests(rig: Any) -> None:
    bracket = await rig.hold()
    entering = replace(bracket, phase=BracketPhase.ENTERING)
    assert words(rig, entering) == ["stop 92.00 and target 106.00 are placed for the 10 held"]


async def test_a_partly_filled_entry_is_cut_short_after_its_patience(rig: Any, rig_of: Any) -> None:
    bracket = await rig.begin()
    rig.venue.fill(bracket.entry.id, 4)
    await rig.settle()
    assert told(rig, rig.now()) == [
        (4, "cancel the rest, 6 of 10. The 4 held keep stop 92.00 and target 106.00"),
    ]
    slow = rig_of(bracket_kind=BracketKind.SYNTHETIC)
    bracket = await slow.begin()
    slow.venue.fill(bracket.entry.id, 4)
    await slow.settle()
    assert (20, "cancel the rest, 6 of 10. The 4 held keep stop 92.00 and target 106.00") in told(
        slow, slow.now()
    )


async def test_an_entry_that_was_dropped_by_hand_is_cancelled(rig: Any) -> None:
    bracket = await rig.begin()
    dropped = replace(bracket, entry_unwanted=True)
    assert words(rig, dropped) == [
        "the entry is cancelled by hand; what it bought keeps stop 92.00 and target 106.00"
    ]


async def test_the_last_session_has_a_time_where_the_clock_runs(rig: Any) -> None:
    bracket = replace(await rig.hold(), sessions_held=4)
    assert words(rig, bracket)[-1] == "sold before the close, this is its last session"
    close_us = rig.clock.now_us() + 3600 * US_PER_S
    (timed,) = [step for step in next_steps(bracket, around(rig, close_us=close_us)) if step.ts is not None]
    assert timed.ts == close_us - bracket.exit_plan.close_lead_us
    one_left = replace(bracket, sessions_held=3)
    assert words(rig, one_left)[-1] == "sold before the close of its day 5, 1 session after this one"


async def test_tiers_and_a_trailing_stop_are_told_one_by_one(rig: Any, world: Any) -> None:
    plan = ExitPlan(
        Decimal(85),
        (Tier(Decimal(130), Decimal("0.33")), Tier(Decimal(175), Decimal("0.33"))),
        None,
        breakeven_after=0,
        trail_ratio=Decimal("0.2"),
    )
    bracket = await rig.hold(stop="85", target="130", exit_plan=plan)
    assert words(rig, bracket) == [
        "at 85.00 or below: the stop sells the 10 held",
        "at 130.00: tier 1 sells 33%",
        "at 175.00: tier 2 sells 33%",
        "the stop follows 20% under the high, from tier 1 on",
    ]
    ahead = replace(bracket, progress=replace(bracket.progress, tiers_done=1))
    assert "at 130.00: tier 1 sells 33%" not in words(rig, ahead)
    rest = replace(plan, targets=(plan.targets[0], Tier(Decimal(175), Decimal("0.67"))), breakeven_after=None)
    assert words(rig, replace(bracket, exit_plan=rest))[2:] == [
        "at 175.00: tier 2 sells the rest",
        "the stop follows 20% under the high",
    ]


async def test_an_exit_ends_everything_and_then_sells(rig: Any) -> None:
    bracket = await rig.hold()
    waits = replace(bracket, phase=BracketPhase.EXITING, exit_wanted=ExitReason.NEWS)
    assert told(rig, waits) == [(None, "everything that works ends, then what is held is sold, news")]
    again = replace(waits, exit_wanted=None, retry_exit_us=rig.clock.now_us() + 2 * US_PER_S)
    assert told(rig, again) == [(2, "everything that works ends, then what is held is sold")]
    await rig.price(101.0)
    rig.brackets.want_exit(bracket.ticket, ExitReason.MANUAL)
    await rig.settle()
    assert rig.now().phase is BracketPhase.EXITING
    assert told(rig, rig.now()) == [
        (5, "what is not sold at 98.98 until then, of 10, goes at market"),
    ]
    sale = rig.now().of_role(OrderRole.EXIT)[0]
    market = rig.now().with_leg(replace(sale, state=OrderState.SENDING))
    assert (None, "10 are being sold") in told(rig, market)


async def test_a_bracket_that_is_over_has_no_next_step_but_late_reports(rig: Any) -> None:
    bracket = await rig.hold()
    draining = replace(bracket, phase=BracketPhase.DRAINING)
    assert told(rig, draining) == [(None, "closed, once no late report can come any more")]
    absent = replace(bracket.entry, state=OrderState.NOTPLACED, changed_us=rig.clock.now_us())
    assert told(rig, draining.with_leg(absent)) == [(90, "closed, once no late report can come any more")]
    assert told(rig, replace(bracket, phase=BracketPhase.CLOSED)) == []


@pytest.fixture
def rig_of(world: Any) -> Any:
    """A rig at a venue whose card is changed."""
    return lambda **changes: world.Rig(world.card(**changes))
