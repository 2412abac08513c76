"""The account's own limits over time: what they measure, keep over a restart, and do when reached."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.clock import US_PER_S
from engine.errors import StorageError
from engine.execution.gating import GateSubject, VenueHealth, _quote_age
from engine.execution.pace import TAKEN
from engine.model.candidates import GateStatus, Regime
from engine.model.commands import Actor, ReleaseBreaker
from engine.model.events import Alarm, BreakerMoved
from engine.model.ids import InstrumentId, instrument_id
from engine.model.market import CorporateAction, CorporateActionKind, MarketBatch, SessionPhase
from engine.model.orders import OrderState
from engine.ports import BarColumns
from engine.risk.anomalies import AnomalyKind
from engine.risk.drawdown import Level
from engine.risk.gates import GateStage
from engine.risk.limits import DATASET, RiskConfig
from engine.risk.view import UNLIMITED

NINA = Actor("nina", "pts/7")
MINUTE = 60 * US_PER_S
HOUR = 60 * MINUTE
ABC, XYZ = instrument_id("ABC"), instrument_id("XYZ")
MONDAY, TUESDAY = date(2016, 1, 4), date(2016, 1, 5)


@pytest.fixture
def booth(world: Any, rig: Any) -> Any:
    """The risk book of an account of 100,000 that begins on a Monday's opening."""
    return world.Booth(rig)


@pytest.fixture
def daily() -> Callable[..., BarColumns]:
    """Bars of closes that end on the day before MONDAY."""

    def make(instrument: InstrumentId, closes: np.ndarray) -> BarColumns:
        day = np.datetime64(MONDAY) - np.arange(len(closes), 0, -1)
        return BarColumns(instrument, day, *(closes,) * 4, np.full(len(closes), 1e6), np.ones(len(closes)))

    return make


def without_tickets(booth: Any) -> Any:
    """Brackets of tickets that no ticket book knows."""
    booth.rig.brackets.on_changed = lambda bracket: ()
    booth.rig.brackets.on_committed = lambda bracket: None
    return booth


@pytest.fixture
def account(booth: Any) -> Any:
    """The risk book beside brackets that are started by hand."""
    return without_tickets(booth)


def at(booth: Any, us: int, phase: SessionPhase | None = None, day: date | None = None) -> None:
    """An instant is handled, so long after the last."""
    rig = booth.rig
    rig.clock.advance_to(rig.clock.now_us() + us)
    booth.risk.finish(MarketBatch(rig.clock.now_us(), session=day, phase=phase))


def cash(booth: Any, equity: str) -> None:
    """The account is worth so much: all of it cash, as after trades that won or lost."""
    books = booth.rig.books
    books._cash += Decimal(equity) - books.cash


def moves(booth: Any) -> list[tuple[int, int]]:
    return [(event.was, event.level) for event in booth.rig.events if isinstance(event, BreakerMoved)]


async def test_a_new_account_has_lost_nothing(booth: Any) -> None:
    view = booth.risk.view()
    assert (view.equity, view.high_water, view.level) == (Decimal(100_000), Decimal(100_000), Level.NONE)
    assert (view.drawdown, view.day_loss, view.day_start) == (0, 0, Decimal(100_000))
    assert (view.is_day_over, view.entries_minute, view.orders_minute) == (False, 0, 0)
    assert booth.risk.why_no_entries() == ""


async def test_levels_move_with_the_marks_and_are_told_and_audited_once(booth: Any) -> None:
    for equity in (104_000, 98_800, 98_000, 101_200, 93_000):
        cash(booth, str(equity))
        at(booth, MINUTE)
    assert moves(booth) == [(0, 1), (1, 0), (0, 2)]
    event = next(event for event in reversed(booth.rig.events) if isinstance(event, BreakerMoved))
    assert event.drawdown == pytest.approx(1 - 93 / 104)
    assert (event.high_water, event.effect) == (Decimal(104_000), "conservative only, sizes halved")
    lines = [entry.body["level"] for entry in booth.rig.journal.entries if entry.kind == "breaker_moved"]
    assert lines == [1, 0, 2]
    assert booth.stops == []


async def test_the_view_is_of_now_and_not_of_the_last_mark(booth: Any) -> None:
    at(booth, 0, SessionPhase.OPEN, MONDAY)
    cash(booth, "84000")
    view = booth.risk.view()
    assert (view.level, view.drawdown) == (Level.STOPPED, Decimal("0.16"))
    assert view.is_day_over
    assert (booth.risk.high_water, moves(booth)) == (Decimal(100_000), [])


@pytest.mark.parametrize("flatten", [False, True])
async def test_the_third_level_stops_and_stays_until_the_name_is_typed(booth: Any, flatten: bool) -> None:
    booth.config = replace(RiskConfig(), dd_flatten_at_l3=flatten)
    booth.boot()
    cash(booth, "85000")
    at(booth, MINUTE)
    why = "drawdown breaker L3: equity 85,000.00 is 15.00 % under the high of 100,000.00"
    assert booth.stops == [(why, flatten)]
    assert booth.risk.why_no_entries() == (
        "the drawdown breaker is at L3, to end it: tradedeck accounts release SIM-1"
    )
    cash(booth, "101000")
    at(booth, MINUTE)
    assert (booth.risk.view().level, len(booth.stops)) == (Level.STOPPED, 1)
    wrong = booth.risk.release(ReleaseBreaker(NINA, "sim-1"))
    assert (wrong.ok, wrong.code) == (False, "wrong_name")
    right = booth.risk.release(ReleaseBreaker(NINA, "SIM-1"))
    assert (right.ok, right.code) == (True, "ok")
    assert (
        right.text == "Released: the drawdown is counted from 101,000.00. A halt stays until it is resumed."
    )
    assert (booth.risk.view().level, booth.risk.high_water) == (Level.NONE, Decimal(101_000))
    assert moves(booth)[-1] == (3, 0)
    line = booth.rig.journal.entries[-1]
    assert (line.kind, line.actor) == ("breaker_released", "nina on pts/7")
    assert line.body == {"equity": "101000", "high_water_before": "101000"}


async def test_a_third_level_that_cannot_be_written_down_stops_all_the_same(booth: Any) -> None:
    cash(booth, "84000")
    booth.rig.journal.failures = 1
    with pytest.raises(StorageError):
        at(booth, MINUTE, SessionPhase.OPEN, MONDAY)
    assert len(booth.stops) == 1


async def test_a_crash_before_the_third_level_is_written_down_has_stopped_before(booth: Any) -> None:
    written = booth.rig.journal.commit

    def commit(rows: Any, audit: Any, protective: bool = False) -> None:
        if any(row.values.get("k") == "risk_level" for row in rows):
            assert booth.stops, "the level is written down, and nothing is halted"
        written(rows, audit, protective)

    booth.rig.journal.commit = commit
    cash(booth, "84000")
    at(booth, MINUTE)
    assert booth.risk.view().level is Level.STOPPED


async def test_release_needs_a_stop_a_known_equity_and_a_journal(account: Any) -> None:
    release = ReleaseBreaker(NINA, "SIM-1")
    assert account.risk.release(release).code == "not_stopped"
    cash(account, "80000")
    at(account, MINUTE)
    account.rig.journal.failures = 1
    assert account.risk.release(release).code == "not_journalled"
    assert account.risk.view().level is Level.STOPPED
    await account.rig.hold()
    assert account.risk.release(release).code == "no_equity"
    await account.rig.price(100.0)
    assert account.risk.release(release).ok


async def test_a_fall_since_the_last_mark_is_released_as_it_is_shown(booth: Any) -> None:
    at(booth, MINUTE)
    cash(booth, "80000")
    assert booth.risk.view().level is Level.STOPPED
    answer = booth.risk.release(ReleaseBreaker(NINA, "SIM-1"))
    assert answer.ok, answer.text
    assert booth.risk.view().level is Level.NONE


async def test_everything_survives_a_restart(booth: Any) -> None:
    cash(booth, "104000")
    at(booth, MINUTE)
    cash(booth, "92000")
    at(booth, MINUTE)
    before = booth.risk.view()
    assert (before.level, before.is_day_over) == (Level.CONSERVATIVE, True)
    booth.rig.kill()
    booth.boot()
    cash(booth, "100000")  # the loss won back meanwhile: released by a mark below 7 %, not by the restart
    after = booth.risk.view()
    assert after.high_water == Decimal(104_000)
    assert (after.level, after.is_day_over) == (Level.HALF_SIZE, True)
    assert after.day_start == Decimal(100_000)


async def test_a_stop_survives_a_restart(booth: Any) -> None:
    cash(booth, "84000")
    at(booth, MINUTE)
    booth.rig.kill()
    booth.boot()
    assert booth.risk.view().level is Level.STOPPED
    at(booth, MINUTE)
    assert len(booth.stops) == 0  # the halt is kept by the journal, it is not called twice


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("risk_high_water", "much"),
        ("risk_high_water", "NaN"),
        ("risk_level", "7"),
        ("risk_day", "Monday"),
        ("risk_var_held", "["),
    ],
)
async def test_a_stored_limit_that_makes_no_sense_is_refused(booth: Any, key: str, value: str) -> None:
    at(booth, MINUTE)
    booth.rig.journal.tables["meta"][(key,)]["v"] = value
    with pytest.raises(StorageError, match="the stored limits of account SIM-1 make no sense"):
        booth.boot()


async def test_the_day_is_over_after_three_percent_and_begins_anew_at_midnight(booth: Any) -> None:
    at(booth, 0, SessionPhase.OPEN, MONDAY)
    cash(booth, "97000")
    at(booth, MINUTE)
    assert booth.risk.view().is_day_over
    (alarm,) = [event for event in booth.rig.events if isinstance(event, Alarm)]
    assert (alarm.page, alarm.kind) == (True, "daily_loss")
    assert alarm.text == ("3.00 % of the day's start 100,000.00 is lost, limit 3.00 %: no entries today")
    cash(booth, "99500")
    at(booth, MINUTE)
    assert booth.risk.view().is_day_over
    assert booth.risk.why_no_entries() == "the day's loss reached its limit"
    at(booth, 24 * HOUR)
    view = booth.risk.view()
    assert (view.is_day_over, view.day_start) == (False, Decimal(99_500))
    assert booth.risk.day_start == Decimal(99_500)


async def test_the_day_rolls_before_its_first_mark(booth: Any) -> None:
    cash(booth, "96000")
    at(booth, MINUTE)
    booth.rig.clock.advance_to(booth.rig.clock.now_us() + 24 * HOUR)
    assert (booth.risk.view().is_day_over, booth.risk.view().day_loss) == (False, 0)


async def test_with_limits_off_the_fall_is_measured_and_nothing_follows(world: Any, rig: Any) -> None:
    booth = world.Booth(rig, DATASET)
    cash(booth, "80000")
    at(booth, MINUTE)
    assert booth.risk.view().level is Level.STOPPED
    assert (moves(booth), booth.stops, booth.anomalies, rig.events) == ([], [], [], [])
    assert booth.risk.size_limits(MONDAY) is UNLIMITED
    assert booth.risk.why_no_entries() == ""


async def test_between_openings_one_commit_a_minute(booth: Any) -> None:
    journal = booth.rig.journal
    at(booth, 0, SessionPhase.OPEN, MONDAY)
    first = journal.commits
    for _ in range(59):
        at(booth, US_PER_S)
    assert journal.commits == first
    at(booth, US_PER_S)
    assert journal.commits == first + 1
    at(booth, US_PER_S, SessionPhase.CLOSE, MONDAY)
    assert journal.commits == first + 2
    assert journal.meta("market_us") == str(booth.rig.clock.now_us())
    assert (journal.meta("market_session"), journal.meta("market_phase")) == ("2016-01-04", "close")


async def test_an_unknown_equity_moves_nothing_and_lets_nothing_be_sized(account: Any) -> None:
    await account.rig.hold()
    at(account, MINUTE)
    view = account.risk.view()
    assert (view.equity, view.drawdown, view.day_loss) == (None, None, None)
    assert account.risk.high_water == Decimal(100_000)
    room = account.risk.size_limits(MONDAY).correlation_room
    assert room is not None
    assert room(XYZ, {}) == 0
    assert account.risk.exposure(MONDAY, ABC) is None
    assert account.risk.value_at_risk(MONDAY) is None
    assert account.rig.journal.meta("risk_equity") is None


async def test_a_deposit_is_no_gain_and_a_withdrawal_no_loss(booth: Any) -> None:
    at(booth, MINUTE)
    booth.rig.books.settle(Decimal(-20_000))
    at(booth, MINUTE)
    view = booth.risk.view()
    assert (view.level, view.high_water, view.day_loss) == (Level.NONE, Decimal(80_000), 0)
    booth.rig.books.settle(Decimal(40_000))
    cash(booth, "117600")
    at(booth, MINUTE)
    view = booth.risk.view()
    assert (view.high_water, view.drawdown, view.day_loss) == (
        Decimal(120_000),
        Decimal("0.02"),
        Decimal("0.02"),
    )
    assert moves(booth) == []


async def test_a_jump_of_equity_is_seen_once_the_usual_is_known(booth: Any) -> None:
    for minute in range(25):
        cash(booth, str(100_000 + minute % 2))
        at(booth, MINUTE)
    assert booth.anomalies == []
    cash(booth, "99000")
    at(booth, MINUTE)
    (jump,) = booth.anomalies
    assert (jump.kind, jump.limit) == (AnomalyKind.EQUITY_JUMP, 6.0)
    assert jump.value == pytest.approx(20.0, rel=0.01)
    cash(booth, "97500")
    at(booth, 3 * MINUTE)
    assert len(booth.anomalies) == 1  # no minute lies between the two marks


async def test_entries_are_counted_by_minute_and_day_also_after_a_restart(account: Any) -> None:
    rig = account.rig
    for number in (1, 2):
        bracket = await rig.begin(number=number)
        account.risk.pace.heed(bracket.ticket)
    view = account.risk.view()
    assert (view.entries_minute, view.entries_today) == (2, 2)
    rig.kill()
    account.boot()
    without_tickets(account)
    view = account.risk.view()
    assert (view.entries_minute, view.entries_today) == (2, 2)
    await rig.advance(60)
    view = account.risk.view()
    assert (view.entries_minute, view.entries_today) == (0, 2)
    await rig.advance(24 * 3600)
    assert account.risk.view().entries_today == 0


async def test_a_lost_day_cancels_the_entries_that_work_and_no_stop(account: Any) -> None:
    rig = account.rig
    rig.brackets._desk = replace(rig.brackets._desk, is_halted=lambda name: account.risk.is_day_over)
    held = await rig.hold()
    await rig.price(100.0)
    waiting = await rig.begin(number=2, instrument=XYZ)
    cash(account, "90000")
    at(account, MINUTE)
    await rig.settle()
    assert account.risk.is_day_over
    assert rig.now(waiting.ticket).entry.state is OrderState.CANCELED
    assert rig.now(held.ticket).cover == held.position
    rig.clock.advance_to(rig.clock.now_us() + 24 * HOUR)
    assert not account.risk.is_day_over


async def test_old_entries_are_forgotten(account: Any) -> None:
    bracket = await account.rig.hold()
    account.risk.pace.heed(bracket.ticket)
    account.rig.venue.fill(bracket.legs[2].id)
    await account.rig.settle()
    account.risk.pace.heed(bracket.ticket)
    await account.rig.advance(120)
    account.risk.pace.heed(bracket.ticket)
    at(account, 3 * 24 * HOUR)
    assert (account.risk.pace._opened, account.risk.pace._counts) == ({}, {})


async def test_an_order_that_is_over_is_not_sent_again_by_a_late_report(account: Any) -> None:
    bracket = await account.rig.hold()
    account.risk.pace.heed(bracket.ticket)
    account.rig.venue.fill(bracket.legs[2].id)
    await account.rig.settle()
    account.risk.pace.heed(bracket.ticket)
    before = account.risk.view().orders_minute
    account.risk.pace.heed(bracket.ticket)
    assert account.risk.view().orders_minute == before == 1


async def test_the_pace_of_orders_survives_a_restart(account: Any, world: Any) -> None:
    rig = account.rig
    for number, fault in ((1, None), (2, world.REFUSE), (3, world.REFUSE)):
        rig.venue.faults["send"].append(fault)
        bracket = await rig.begin(number=number, instrument=instrument_id(f"S{number}"))
        account.risk.pace.heed(bracket.ticket)
        await rig.advance(1)
    view = account.risk.view()
    assert (view.orders_minute, view.rejects_in_a_row) == (3, 2)
    rig.kill()
    account.boot()
    view = account.risk.view()
    assert (view.orders_minute, view.rejects_in_a_row) == (3, 2)
    await rig.advance(120)
    rig.kill()
    account.boot()
    assert account.risk.view().orders_minute == 0


async def test_orders_sent_are_counted_a_group_as_one(account: Any) -> None:
    bracket = await account.rig.begin()
    account.risk.pace.heed(bracket.ticket)
    account.risk.pace.heed(bracket.ticket)
    assert account.risk.view().orders_minute == 1
    await account.rig.advance(60)
    assert account.risk.view().orders_minute == 0


async def test_more_than_thirty_orders_in_a_minute_are_an_anomaly(account: Any) -> None:
    for number in range(1, 32):
        bracket = await account.rig.begin(number=number, instrument=instrument_id(f"S{number}"))
        account.risk.pace.heed(bracket.ticket)
    assert [(found.kind, found.value) for found in account.anomalies] == [(AnomalyKind.ORDER_RATE, 31)]


async def test_four_rejects_in_a_row_are_an_anomaly_and_one_order_taken_ends_the_row(
    account: Any, world: Any
) -> None:
    rig = account.rig

    async def send(number: int, fault: str | None) -> None:
        rig.venue.faults["send"].append(fault)
        bracket = await rig.begin(number=number, instrument=instrument_id(f"S{number}"))
        account.risk.pace.heed(bracket.ticket)

    await send(1, world.REFUSE)
    assert account.risk.view().rejects_in_a_row == 1
    await send(2, None)
    assert account.risk.view().rejects_in_a_row == 0
    for number in (3, 4, 5):
        await send(number, world.REFUSE)
    assert account.anomalies == []
    await send(6, world.REFUSE)
    assert [found.kind for found in account.anomalies] == [AnomalyKind.REJECTS]


async def test_a_bracket_that_does_not_exist_is_not_counted(booth: Any, world: Any) -> None:
    booth.risk.pace.heed(world.ticket_id(99))
    assert booth.risk.view().entries_today == 0


async def test_what_moves_together_leaves_less_room(account: Any, daily: Any) -> None:
    walk = 100 * np.exp(np.cumsum(0.02 * np.random.default_rng(7).standard_normal(100)))
    other = 100 * np.exp(np.cumsum(0.02 * np.random.default_rng(8).standard_normal(100)))
    account.bars = {ABC: daily(ABC, walk), XYZ: daily(XYZ, 2 * walk), "O.US": daily(XYZ, other)}
    await account.rig.hold()
    await account.rig.price(110.0)
    room = account.risk.size_limits(MONDAY).correlation_room
    assert room is not None
    equity = account.risk.equity()
    assert room(XYZ, {}) == equity / 10 - 1100
    assert room(InstrumentId("O.US"), {}) == equity / 10
    assert room(InstrumentId("NEW.US"), {}) == equity / 10 - 1100
    assert room(XYZ, {XYZ: Decimal(300), ABC: Decimal(50)}) == equity / 10 - 1450
    exposure = account.risk.exposure(MONDAY, XYZ)
    assert (exposure.value, exposure.names, exposure.unknown) == (Decimal(1100), (ABC,), ())
    risk = account.risk.value_at_risk(MONDAY)
    assert risk.returns == 99
    assert 20 < risk.larger < 60


async def test_a_working_entry_counts_at_its_limit(account: Any) -> None:
    await account.rig.begin()
    assert account.risk.values() == {ABC: Decimal(1000)}


async def test_what_was_computed_for_a_session_is_not_computed_again(account: Any, daily: Any) -> None:
    walk = 100 * np.exp(np.cumsum(0.02 * np.random.default_rng(7).standard_normal(100)))
    account.bars = {ABC: daily(ABC, walk), XYZ: daily(XYZ, walk)}
    await account.rig.begin()
    assert account.risk.exposure(MONDAY, XYZ).unknown == ()
    account.bars = {}
    assert account.risk.exposure(MONDAY, XYZ).unknown == ()
    assert account.risk.exposure(TUESDAY, XYZ).unknown == (ABC,)


async def test_size_limits_follow_the_level(booth: Any) -> None:
    limits = booth.risk.size_limits(MONDAY)
    assert (limits.multiplier, limits.is_conservative, limits.liquidity) == (1, False, True)
    cash(booth, "95000")
    limits = booth.risk.size_limits(MONDAY)
    assert (limits.multiplier, limits.is_conservative) == (Decimal("0.5"), False)
    cash(booth, "90000")
    limits = booth.risk.size_limits(MONDAY)
    assert (limits.multiplier, limits.is_conservative) == (Decimal("0.5"), True)
    cash(booth, "80000")
    assert booth.risk.size_limits(MONDAY).multiplier == 0


async def test_nothing_is_approved_once_the_account_fell_too_far(booth: Any) -> None:
    entry = booth.propose()
    cash(booth, "84000")
    answer = booth.approve(entry)
    assert (answer.ok, answer.code) == (False, "gated_out")
    assert "G1" in answer.text
    cash(booth, "96900")
    answer = booth.approve(entry, "n2")
    assert "daily loss limit of 3.00 % was reached" in answer.text
    cash(booth, "98000")
    assert booth.approve(entry, "n3").ok


async def test_the_same_again_within_ten_minutes_is_refused(booth: Any) -> None:
    first, second = booth.propose(1), booth.propose(2)
    assert booth.approve(first).ok
    await booth.rig.settle()
    answer = booth.approve(second, "n2")
    assert "1 the same within 10 min, limit 1" in answer.text


def test_gates_see_the_sector_and_the_venue(booth: Any, world: Any) -> None:

    sectors = {ABC: "energy"}
    health = VenueHealth(lambda name: "split", lambda: 500 * US_PER_S, lambda: 0, sectors.get)
    gatekeeper = replace(booth.gatekeeper, health=health)
    booth.quote(100.0)
    subject = GateSubject(world.GAPS, ABC, MONDAY, (), Regime.NORMAL, Decimal(1), Decimal(100))
    results = gatekeeper.run(GateStage.SEND, subject)
    assert results[0].status is GateStatus.FAIL
    assert "split" in results[0].reason
    assert "500 s ago" in results[0].reason
    assert results[7].reason == "room left; sector counted"


async def test_unknown_sectors_count_as_one(account: Any, world: Any) -> None:

    await account.rig.begin()
    sectors: dict[InstrumentId, str] = {instrument_id("OIL"): "energy"}
    gatekeeper = replace(account.gatekeeper, health=VenueHealth(sector_of=sectors.get))
    taken = list(account.rig.brackets.open())
    assert gatekeeper._in_sector(XYZ, taken) == 1
    assert gatekeeper._in_sector(instrument_id("OIL"), taken) == 0


def test_a_crypto_quote_may_be_five_seconds_old_when_it_is_sent() -> None:

    assert _quote_age(GateStage.PROPOSAL, True) == 15 * US_PER_S
    assert _quote_age(GateStage.SEND, True) == 5 * US_PER_S
    assert _quote_age(GateStage.SEND, False) == 3 * US_PER_S


def test_states_that_the_venue_took() -> None:

    assert OrderState.UNKNOWN not in TAKEN
    assert OrderState.REJECTED not in TAKEN


async def test_a_value_at_risk_that_does_not_fit_is_told_once_a_month(account: Any, daily: Any) -> None:
    walk = 100 * np.exp(np.cumsum(0.0003 * np.random.default_rng(7).standard_normal(100)))
    account.bars = {ABC: daily(ABC, walk)}
    await account.rig.hold(quantity=100)
    await account.rig.price(100.0)
    price = 100.0
    for number in range(62):
        price -= 0.1
        await account.rig.price(price)
        at(account, MINUTE, SessionPhase.CLOSE, date(2016, 1, 4) if number < 61 else date(2016, 2, 1))
        if number == 30:
            account.rig.kill()
            account.boot()
            without_tickets(account)
    alarms = [e for e in account.rig.events if isinstance(e, Alarm) and e.kind == "var_test"]
    first, second = (alarm.text for alarm in alarms)
    assert first == ("60 of 60 sessions lost more than the value at risk, 3.0 were to be expected (p 0.000)")
    assert second.startswith("61 of 61 sessions lost more")
    assert not any(alarm.page for alarm in alarms)
    lines = [entry.body for entry in account.rig.journal.entries if entry.kind == "var_tested"]
    assert [(body["days"], body["exceptions"]) for body in lines] == [(60, 60), (61, 61)]


async def test_no_forecast_is_tested_where_the_limits_are_off(world: Any, rig: Any) -> None:
    booth = world.Booth(rig, DATASET)
    for _ in range(3):
        at(booth, MINUTE, SessionPhase.CLOSE, MONDAY)
    assert rig.journal.meta("risk_var_held") == "{}"


async def test_a_forecast_is_judged_by_what_was_held_in_its_dollars(account: Any, daily: Any) -> None:
    walk = 100 * np.exp(np.cumsum(0.02 * np.random.default_rng(7).standard_normal(100)))
    account.bars = {ABC: daily(ABC, walk)}
    rig = account.rig
    await rig.hold()
    await rig.price(100.0)
    at(account, MINUTE, SessionPhase.CLOSE, MONDAY)
    action = CorporateAction(ABC, CorporateActionKind.SPLIT, 0.5, 100.0, TUESDAY, rig.clock.now_us())
    rig.picture.restate((action,))
    rig.picture.take(MarketBatch(rig.clock.now_us(), (action,), session=TUESDAY, phase=SessionPhase.OPEN))
    await rig.price(49.0)
    at(account, MINUTE, SessionPhase.CLOSE, TUESDAY)
    assert rig.journal.meta("risk_var_outcomes") == "0"  # 2 % lost, not half


async def test_without_a_price_there_is_no_forecast(account: Any) -> None:
    await account.rig.begin()
    at(account, MINUTE, SessionPhase.CLOSE, MONDAY)
    at(account, MINUTE, SessionPhase.CLOSE, TUESDAY)
    assert account.rig.journal.meta("risk_var_forecast") == ""
    assert account.rig.journal.meta("risk_var_outcomes") == ""


async def test_what_is_held_would_have_made_so_much_on_each_day(account: Any, daily: Any) -> None:
    walk = 100 * np.exp(np.cumsum(0.02 * np.random.default_rng(7).standard_normal(100)))
    account.bars = {ABC: daily(ABC, walk), XYZ: daily(XYZ, 2 * walk)}
    await account.rig.hold()
    await account.rig.price(110.0)
    made = account.risk.daily_results(MONDAY)
    assert made.tolist() == pytest.approx((1100 * (walk[1:] / walk[:-1] - 1)).tolist())
    assert account.risk.correlation(MONDAY, ABC, XYZ) == pytest.approx(1.0)
    assert account.risk.correlation(MONDAY, ABC, instrument_id("NEW")) is None
    account.rig.picture.forget(ABC)
    assert account.risk.daily_results(MONDAY) is None
