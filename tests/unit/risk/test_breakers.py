"""Drawdown levels, the daily limit, rates and prices: each at, under and over its number."""

from datetime import UTC, date, timedelta
from decimal import Decimal
from math import inf, nan
from zoneinfo import ZoneInfo

import pytest

from engine.risk import daily
from engine.risk.collar import PriceReferences, collar_problems
from engine.risk.daily import Day, day_of, start_us
from engine.risk.drawdown import Drawdown, Level, release, step
from engine.risk.fatfinger import fat_finger_problems, liquidity_room
from engine.risk.limits import RiskConfig
from engine.risk.rates import MINUTE_US, Window, rate_problems

CONFIG = RiskConfig()
MONDAY, TUESDAY = date(2016, 1, 4), date(2016, 1, 5)


@pytest.mark.parametrize(
    ("held", "equity", "level"),
    [
        (0, "95.01", 0),
        (0, "95", 1),
        (0, "90", 2),
        (0, "85", 3),
        (0, "-1", 3),
        (1, "97", 1),
        (1, "97.01", 0),
        (2, "93", 2),
        (2, "93.01", 1),
        (2, "97.5", 0),
        (1, "89", 2),
        (3, "100", 3),
    ],
)
def test_levels_are_reached_at_their_limit_and_released_below_their_own(
    held: int, equity: str, level: int
) -> None:
    state = step(Drawdown(Decimal(100), Level(held)), Decimal(equity), CONFIG)
    assert (state.level, state.high_water) == (level, Decimal(100))


def test_each_level_keeps_the_effects_of_those_before_it() -> None:
    assert [level.multiplier for level in Level] == [Decimal(1), Decimal("0.5"), Decimal("0.5"), Decimal(0)]
    assert [level.effect for level in Level][-1] == "no new orders"


def test_a_stopped_account_still_marks_its_new_high() -> None:
    state = step(Drawdown(Decimal(100), Level.STOPPED), Decimal(105), CONFIG)
    assert state == Drawdown(Decimal(105), Level.STOPPED, Decimal(0))


def test_release_begins_anew_from_here() -> None:
    state = release(Drawdown(Decimal(100), Level.STOPPED, Decimal("0.2")), Decimal(80))
    assert state == Drawdown(Decimal(80))
    assert step(state, Decimal(77), CONFIG).level is Level.NONE


def test_an_account_that_never_held_money_has_not_fallen() -> None:
    assert step(Drawdown(Decimal(0)), Decimal(0), CONFIG) == Drawdown(Decimal(0))


@pytest.mark.parametrize("equity", ["NaN", "Infinity"])
def test_an_equity_that_is_no_number_is_not_marked(equity: str) -> None:
    with pytest.raises(ValueError, match="cannot be marked"):
        step(Drawdown(Decimal(100)), Decimal(equity), CONFIG)
    with pytest.raises(ValueError, match="cannot be marked"):
        daily.step(Day(MONDAY, Decimal(100)), MONDAY, Decimal(100), Decimal(equity), 0.03)


def test_the_day_is_over_at_the_limit_and_stays_so() -> None:
    state = daily.step(Day(MONDAY, Decimal(100)), MONDAY, Decimal(100), Decimal("97.01"), 0.03)
    assert (state.is_over, state.loss) == (False, Decimal("0.0299"))
    state = daily.step(state, MONDAY, Decimal("97.01"), Decimal(97), 0.03)
    assert state.is_over
    state = daily.step(state, MONDAY, Decimal(97), Decimal(104), 0.03)
    assert (state.is_over, state.loss) == (True, Decimal("-0.04"))


def test_a_new_day_starts_with_the_last_mark_of_the_day_before() -> None:
    state = daily.step(Day(MONDAY, Decimal(100), is_over=True), TUESDAY, Decimal(90), Decimal(88), 0.03)
    assert state == Day(TUESDAY, Decimal(90), Decimal(2) / 90, False)
    state = daily.step(state, date(2016, 1, 6), Decimal(88), Decimal(85), 0.03)
    assert state.is_over


def test_a_day_that_began_with_nothing_cannot_lose() -> None:
    assert daily.step(Day(MONDAY, Decimal(0)), MONDAY, Decimal(0), Decimal(0), 0.03).loss == 0


def test_the_day_rolls_at_midnight_of_its_zone() -> None:
    late = 1_451_959_140_000_000  # 01:59 UTC on the 5th
    assert day_of(late, UTC) == TUESDAY
    assert day_of(late, ZoneInfo("America/New_York")) == MONDAY


@pytest.mark.parametrize("day", [MONDAY, date(2016, 3, 13), date(2016, 11, 6)])
def test_a_day_begins_at_its_midnight_also_when_clocks_change(day: date) -> None:
    for zone in (UTC, ZoneInfo("America/New_York")):
        begin = start_us(day, zone)
        assert day_of(begin, zone) == day
        assert day_of(begin - 1_000_000, zone) == day - timedelta(days=1)


def test_a_minute_forgets_what_is_older() -> None:
    window = Window()
    window.add(1000, 3)
    window.add(2000)
    assert window.count(2000) == 4
    assert window.count(1000 + MINUTE_US - 1) == 4
    assert window.count(1000 + MINUTE_US) == 1
    assert window.count(2000 + MINUTE_US) == 0


@pytest.mark.parametrize(
    ("minute", "day", "problems"),
    [
        (4, 29, []),
        (5, 29, ["5 entries in the last minute, limit 5"]),
        (4, 30, ["30 entries today, limit 30"]),
        (6, 31, ["6 entries in the last minute, limit 5", "31 entries today, limit 30"]),
    ],
)
def test_rates_of_entries(minute: int, day: int, problems: list[str]) -> None:
    assert rate_problems(minute, day) == problems


@pytest.mark.parametrize(
    ("limit", "references", "words"),
    [
        ("10.20", PriceReferences(10.0), ""),
        ("9.80", PriceReferences(10.0), ""),
        ("10.21", PriceReferences(10.0), "limit 10.21 is +2.10 % from the last trade 10, limit 2 %"),
        ("9.79", PriceReferences(10.0), "limit 9.79 is -2.10 % from the last trade 10, limit 2 %"),
        ("10", PriceReferences(None), "the last trade is not known"),
        ("10", PriceReferences(nan), "the last trade is not known"),
        ("10", PriceReferences(inf), "the last trade is not known"),
        ("10", PriceReferences(0.0), "the last trade is not known"),
        ("NaN", PriceReferences(10.0), "limit NaN is no price"),
        ("10", PriceReferences(10.0, is_crypto=True), "the last 5-minute close is not known"),
        ("10", PriceReferences(10.0, five_minute_close=10.5, is_crypto=True), ""),
        (
            "10",
            PriceReferences(10.0, five_minute_close=9.5, is_crypto=True),
            "limit 10 is +5.26 % from the last 5-minute close 9.5, limit 5 %",
        ),
        ("10.1", PriceReferences(10.0, 10.0, 10.1, is_gap=True), ""),
        (
            "10.11",
            PriceReferences(10.0, 10.0, 11.0, is_gap=True),
            "limit 10.11 is +1.10 % from the decision price 10, limit 1 %",
        ),
        (
            "10",
            PriceReferences(10.0, 10.0, 9.9, is_gap=True),
            "limit 10 is +1.01 % from the prior close 9.9, limit -25 to +0 %",
        ),
        ("7.5", PriceReferences(7.5, 7.5, 10.0, is_gap=True), ""),
        (
            "7.4",
            PriceReferences(7.4, 7.4, 10.0, is_gap=True),
            "limit 7.4 is -26.00 % from the prior close 10, limit -25 to +0 %",
        ),
    ],
)
def test_collar(limit: str, references: PriceReferences, words: str) -> None:
    assert collar_problems(Decimal(limit), references) == ([words] if words else [])


@pytest.mark.parametrize(
    ("notional", "equity", "adv", "share", "words"),
    [
        ("1000", Decimal(10_000), 1e6, 0.2, ""),
        ("1000.01", Decimal(10_000), 1e6, 0.2, "value 1,000.01 is above 1,000.00, the most for one order"),
        ("500.01", Decimal(10_000), 1e6, 0.05, "value 500.01 is above 500.00, the most for one order"),
        ("1000", Decimal(10_000), 1e5, 0.2, ""),
        ("1000", Decimal(10_000), 99_999.0, 0.2, "value 1,000.00 is above 999.99, 1 % of a mean day"),
        ("1000", None, 1e6, 0.2, "equity is not known"),
        ("1000", Decimal("NaN"), 1e6, 0.2, "equity is not known"),
        ("1000", Decimal(10_000), None, 0.2, "the mean traded value is not known"),
        ("1000", Decimal(10_000), nan, 0.2, "the mean traded value is not known"),
        ("NaN", Decimal(10_000), 1e6, 0.2, "value NaN is no amount"),
        ("-1", Decimal(10_000), 1e6, 0.2, "value -1 is no amount"),
    ],
)
def test_fat_finger(
    notional: str, equity: Decimal | None, adv: float | None, share: float, words: str
) -> None:
    assert fat_finger_problems(Decimal(notional), equity, adv, share) == ([words] if words else [])


def test_room_by_liquidity_is_a_hundredth_of_a_mean_day() -> None:
    assert liquidity_room(5e6) == Decimal(50_000)
    assert liquidity_room(-1.0) is None
