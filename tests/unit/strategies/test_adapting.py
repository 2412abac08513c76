"""What memory may change, and what it may not (SPEC 3.10, 3.11)."""

import json
from collections.abc import Callable
from dataclasses import fields
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.model.candidates import Vote
from engine.model.ids import CorrelationId, InstrumentId, StrategyName
from engine.model.market import Session
from engine.model.policy import (
    NO_TRADES,
    ClosedTrade,
    GapsPolicy,
    Param,
    ParamMove,
    TickerStanding,
    TickerState,
)
from engine.model.positions import ExitReason
from engine.strategies.adapting import (
    BOUNDS,
    Direction,
    VoteScores,
    cooldown_until,
    default_policy,
    findings_of,
    first_after,
    moved,
    moves_of,
    posterior,
    quarter_of,
    remembered,
    reward,
    shrunk_rate,
    standing_of,
)
from engine.strategies.gaps_config import GapsConfig

DAY = date(2016, 1, 4)
ABC, XYZ = InstrumentId("ABC.US"), InstrumentId("XYZ.US")
TARGET, STOP, TIME, MANUAL = ExitReason.TARGET, ExitReason.STOP, ExitReason.TIME, ExitReason.MANUAL
POLICY = default_policy(GapsConfig(), "p0")


class Weekdays:
    """A calendar of weekdays that ends with 2016."""

    def between(self, first: date, last: date) -> list[Session]:
        last = min(last, date(2016, 12, 31))
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [Session(day, 0, 1) for day in days if day.weekday() < 5]


CALENDAR: Any = Weekdays()


@pytest.fixture
def oracle(market_data: Path) -> Callable[[str], tuple[Any, Any]]:
    """Input and expected answer of an acceptance example."""
    path = market_data.parent / "oracles" / "oracles.json"
    if not path.is_file():
        pytest.skip("needs the market data folder: set TRADEDECK_TEST_DATA")
    rows = {f"{row['section']}/{row['id']}": row for row in json.loads(path.read_text())}

    def find(name: str) -> tuple[Any, Any]:
        return rows[name]["input"], rows[name]["expected"]

    return find


@pytest.fixture
def trade() -> Callable[..., ClosedTrade]:
    """A trade of ABC that ended on the n-th weekday after DAY."""

    def make(n: int, reason: ExitReason = TARGET, exit_price: str | None = None, **more: Any) -> ClosedTrade:
        price = exit_price or {TARGET: "10.6", STOP: "9.2"}.get(reason, "10.1")
        entered = first_after(CALENDAR, DAY, n)
        values: dict[str, Any] = dict(
            id=f"T{n}",
            correlation=CorrelationId(f"C{n:03d}"),
            strategy=StrategyName("gaps"),
            instrument=ABC,
            session=entered,
            shadow=False,
            proposed=True,
            entry_us=n * 10,
            entry_price=Decimal(10),
            exit_us=n * 10 + 5,
            exit_session=entered,
            exit_price=Decimal(price),
            exit_reason=reason,
            sessions=1,
            quantity=Decimal(10),
            cost=Decimal("0.02"),
        )
        return ClosedTrade(**{**values, **more})

    return make


def test_acceptance_example_of_the_posterior(oracle: Callable[[str], tuple[Any, Any]]) -> None:
    given, expected = oracle("3/policy_posterior")
    below, above = posterior(given["wins"], given["n"] - given["wins"])
    assert below == pytest.approx(expected["p_below_break_even"], rel=1e-7)
    assert above == pytest.approx(expected["p_above_good"], rel=1e-7)
    assert expected["step"] == Direction.RAISE


def test_acceptance_example_of_the_step(
    oracle: Callable[[str], tuple[Any, Any]], trade: Callable[..., ClosedTrade]
) -> None:
    given, expected = oracle("3/policy_posterior")
    wins, n = given["wins"], given["n"]
    found = findings_of([trade(k, TARGET if k < wins else STOP) for k in range(n)])
    assert found.direction.value == expected["step"]
    moves = moves_of(found.direction, POLICY)
    assert moves == (
        ParamMove(Param.BCS_MIN, 5.5, 5.75),
        ParamMove(Param.BCS_MIN_HIGHVIX, 6.0, 6.25),
        ParamMove(Param.Q_MIN, 0.62, 0.63),
        ParamMove(Param.Q_MIN_HIGHVIX, 0.68, 0.69),
    )


def test_acceptance_example_of_the_shrunk_rate(oracle: Callable[[str], tuple[Any, Any]]) -> None:
    given, expected = oracle("3/ticker_base_rate")
    assert shrunk_rate(given["wins"], given["n"]) == pytest.approx(expected, abs=1e-12)


def test_acceptance_example_of_the_reward(oracle: Callable[[str], tuple[Any, Any]]) -> None:
    given, expected = oracle("3/outcome_reward")
    assert reward(ExitReason(given["reason"].lower()), given["days"]) == pytest.approx(expected, abs=1e-12)


def test_reward_of_every_way_out() -> None:
    assert reward(STOP, 1) == -1.01
    assert reward(TIME, 5) == pytest.approx(-0.25)
    assert reward(ExitReason.NEWS, 0) == -1.0
    assert reward(MANUAL, 3) is None


def test_nothing_moves_below_twenty_decided_trades(trade: Callable[..., ClosedTrade]) -> None:
    found = findings_of([trade(n, STOP) for n in range(19)])
    assert found.direction is Direction.KEEP
    assert found.words() == "19 trades closed at target or stop, 20 are needed"
    assert findings_of([trade(n, STOP) for n in range(20)]).direction is Direction.RAISE


def test_time_exits_and_followed_signals_are_not_counted(trade: Callable[..., ClosedTrade]) -> None:
    trades = [trade(n, TIME) for n in range(30)]
    trades += [trade(n + 40, STOP, shadow=True) for n in range(30)]
    found = findings_of(trades)
    assert (found.n, found.direction) == (0, Direction.KEEP)


def test_thresholds_fall_only_with_good_trades_that_also_earn(trade: Callable[..., ClosedTrade]) -> None:
    good = [trade(n, TARGET) for n in range(30)] + [trade(n + 40, STOP) for n in range(6)]
    assert findings_of(good).direction is Direction.LOWER
    assert findings_of([trade(n) for n in range(30)]).words().count("none lost") == 1
    # So many lost by time that the gains are eaten: the share of targets is the same.
    eaten = good + [trade(n + 60, TIME, "9.3") for n in range(20)]
    assert findings_of(eaten).p_above > 0.9
    assert findings_of(eaten).direction is Direction.KEEP


def test_a_step_stops_at_its_bound_and_its_partner_moves_as_far() -> None:
    high = GapsPolicy("p", 7.9, 8.4, 0.745, 0.80)
    assert [(move.param, move.new) for move in moves_of(Direction.RAISE, high)] == [
        (Param.BCS_MIN, 8.0),
        (Param.BCS_MIN_HIGHVIX, 8.5),
        (Param.Q_MIN, 0.75),
        (Param.Q_MIN_HIGHVIX, 0.805),
    ]
    low = GapsPolicy("p", 5.5, 6.0, 0.60, 0.66)
    assert moves_of(Direction.LOWER, low) == ()
    assert moves_of(Direction.KEEP, POLICY) == ()


def test_what_a_person_set_beyond_the_bounds_stays_theirs() -> None:
    own = GapsPolicy("p", 5.0, 5.2, 0.80, 0.85)
    assert moves_of(Direction.RAISE, own) == moves_of(Direction.LOWER, own) == ()


def test_moves_change_the_thresholds_and_nothing_else() -> None:
    after = moved(POLICY, moves_of(Direction.RAISE, POLICY), "p1")
    changed = {
        field.name for field in fields(POLICY) if getattr(POLICY, field.name) != getattr(after, field.name)
    }
    assert changed == {"policy_id", *(param.value for param in Param)}
    back = [ParamMove(move.param, move.new, move.old) for move in moves_of(Direction.RAISE, POLICY)]
    assert moved(after, back, "p0") == POLICY


@pytest.mark.parametrize(
    ("wins", "n", "state"),
    [
        (0, 1, TickerState.ACTIVE),
        (0, 2, TickerState.ACTIVE),  # 0.467
        (0, 3, TickerState.MONITORED),  # 0.431
        (0, 6, TickerState.MONITORED),  # 0.35 is not below it
        (0, 7, TickerState.EJECTED),
        (3, 15, TickerState.EJECTED),
        (7, 20, TickerState.MONITORED),
        (12, 20, TickerState.ACTIVE),
    ],
)
def test_state_of_a_ticker_follows_its_shrunk_rate(
    wins: int, n: int, state: TickerState, trade: Callable[..., ClosedTrade]
) -> None:
    trades = [trade(k, TARGET if k < wins else STOP) for k in range(n)]
    found = standing_of(trades, CALENDAR)
    assert (found.state, found.wins, found.n) == (state, wins, n)
    assert found.rate == shrunk_rate(wins, n)
    assert (found.until is None) == (state is not TickerState.EJECTED)


def test_ejection_lasts_sixty_sessions_and_is_watched_after(trade: Callable[..., ClosedTrade]) -> None:
    trades = [trade(k, STOP) for k in range(7)]
    policy = remembered(POLICY, trades, {}, CALENDAR)
    until = policy.standings[ABC].until
    assert until is not None
    between = CALENDAR.between(trades[-1].exit_session + timedelta(days=1), until - timedelta(days=1))
    assert len(between) == 60
    assert policy.standing(ABC, until - timedelta(days=1)).state is TickerState.EJECTED
    assert policy.standing(ABC, until) == TickerStanding(
        TickerState.MONITORED, policy.standings[ABC].rate, 0, 7
    )
    assert policy.standing(XYZ, DAY) == NO_TRADES
    assert NO_TRADES.rate == pytest.approx(shrunk_rate(0, 0), abs=1e-12)


@pytest.mark.parametrize(
    ("reason", "price", "skipped"),
    [
        (TARGET, "10.6", 1),
        (TIME, "10.1", 1),
        (TIME, "9.9", 3),
        (STOP, "9.2", 3),
        (STOP, "10.4", 3),
        (ExitReason.NEWS, "9.5", 3),
        (MANUAL, "10.6", 5),
        (ExitReason.EMERGENCY, "9.5", 5),
    ],
)
def test_cooldown_skips_sessions_by_the_way_out(
    reason: ExitReason, price: str, skipped: int, trade: Callable[..., ClosedTrade]
) -> None:
    one = trade(3, reason, price)
    until = cooldown_until(one, CALENDAR)
    between = CALENDAR.between(one.exit_session + timedelta(days=1), until - timedelta(days=1))
    assert len(between) == skipped
    policy = remembered(POLICY, [one], {}, CALENDAR)
    assert policy.cools_until(ABC, until - timedelta(days=1)) == until
    assert policy.cools_until(ABC, until) is None
    assert policy.cools_until(XYZ, until) is None


def test_sessions_are_counted_on_where_the_calendar_ends() -> None:
    assert first_after(CALENDAR, date(2016, 12, 29), 0) == date(2016, 12, 30)
    assert first_after(CALENDAR, date(2016, 12, 29), 1) == date(2017, 1, 2)
    assert first_after(CALENDAR, date(2017, 2, 3), 5) == date(2017, 2, 13)


def test_accuracy_scores_approvals_that_won_and_vetoes_that_lost(trade: Callable[..., ClosedTrade]) -> None:
    approve, veto, abstain = Vote.APPROVE, Vote.VETO, Vote.ABSTAIN
    trades = [
        trade(1, TARGET, votes={"a": approve, "b": approve, "c": abstain}),
        trade(2, STOP, votes={"a": approve, "b": veto}, shadow=True, proposed=False),
        trade(3, TARGET, votes={"a": approve, "b": veto}, shadow=True, proposed=False),
    ]
    assert VoteScores(trades).accuracy() == {"a": (2 / 3, 3), "b": (2 / 3, 3)}


def test_candidate_that_was_traded_and_followed_counts_once_by_the_trade(
    trade: Callable[..., ClosedTrade],
) -> None:
    votes = {"a": Vote.APPROVE}
    real, followed = trade(1, STOP, votes=votes), trade(1, TARGET, votes=votes, shadow=True)
    assert (
        VoteScores([real, followed]).accuracy() == VoteScores([followed, real]).accuracy() == {"a": (0.0, 1)}
    )


def test_costs_decide_whether_a_trade_won(trade: Callable[..., ClosedTrade]) -> None:
    assert trade(1, TIME, "10.001").is_won is False
    assert trade(1, TIME, "10.003").is_won is True


def test_policy_remembers_only_trades_of_real_orders(trade: Callable[..., ClosedTrade]) -> None:
    trades = [trade(n, STOP, shadow=True) for n in range(9)]
    policy = remembered(POLICY, trades, {}, CALENDAR)
    assert (policy.closed_trades, policy.standings, policy.cooldown_until) == (0, {}, {})


def test_default_policy_is_the_configuration() -> None:
    config = GapsConfig(q_min=0.63, bcs_min_highvix=6.5)
    policy = default_policy(config, "x")
    assert all(getattr(policy, param) == getattr(config, param) for param in Param)
    assert set(BOUNDS) == {Param.BCS_MIN, Param.Q_MIN}


def test_quarters() -> None:
    assert quarter_of(date(2016, 3, 31)) == (2016, 0)
    assert quarter_of(date(2016, 4, 1)) == (2016, 1)
