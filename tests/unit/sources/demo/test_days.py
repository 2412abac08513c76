from itertools import pairwise

import pytest

from engine.sources.demo.days import FOLLOWED, GAP_DOWN, HISTORY, Days
from engine.sources.demo.intraday import CENT, UNIT
from engine.sources.demo.overnight import News
from engine.sources.demo.universe import COMPANIES, SPY, VIX


@pytest.fixture(scope="module")
def days() -> list[dict]:
    made = Days(11)
    return [dict(made.next()) for _ in range(HISTORY + 30)]


def test_the_same_seed_gives_the_same_days_and_another_one_others(days: list[dict]) -> None:
    again, other = Days(11), Days(12)
    assert [dict(again.next()) for _ in range(5)] == days[:5]
    assert dict(other.next()) != days[0]


def test_a_day_has_all_instruments_in_whole_ticks(days: list[dict]) -> None:
    for day in days:
        assert len(day) == len(COMPANIES) + 2
        for one in day.values():
            assert len(one.nodes) == 27
            assert all(price > 0 and (price < UNIT or price % CENT == 0) for price in one.nodes)
        assert all(one.volume > 0 for name, one in day.items() if name != VIX)


def test_a_short_day_has_fewer_blocks() -> None:
    made = Days(1)
    assert {len(one.nodes) for one in made.next(14).values()} == {15}


def test_a_gap_is_measured_from_the_close_before(days: list[dict]) -> None:
    for before, day in pairwise(days):
        for name, one in day.items():
            if name != VIX:
                assert one.gap == one.nodes[0] / before[name].nodes[-1] - 1


def test_what_fell_is_followed_for_five_more_sessions(days: list[dict]) -> None:
    for name in (company.instrument for company in COMPANIES):
        fell = [number for number, day in enumerate(days) if day[name].gap <= GAP_DOWN]
        for number, day in enumerate(days):
            expected = any(0 <= number - at <= FOLLOWED for at in fell)
            assert day[name].is_followed == expected


def test_indexes_have_no_news_and_are_not_followed(days: list[dict]) -> None:
    for day in days:
        assert not any(day[name].is_followed or day[name].news is not News.NONE for name in (SPY, VIX))


@pytest.mark.parametrize("seed", [0, 13])
def test_the_first_shown_morning_follows_a_calm_spring_and_a_wild_year(seed: int) -> None:
    """Otherwise the first session could open in a regime that allows no entry (SPEC 3.6)."""
    made = Days(seed)
    vix, spy = [], []
    for _ in range(HISTORY + 1):
        day = made.next()
        vix.append(day[VIX].nodes[-1])
        spy.append(day[SPY].nodes[-1])
    for last in (HISTORY - 1, HISTORY):
        window = vix[last - 251 : last + 1]
        assert sum(value < vix[last] for value in window) / 252 < 0.8
        assert spy[last] / (sum(spy[last - 199 : last + 1]) / 200) - 1 > -0.10
