from dataclasses import replace

import pytest

from engine.sources.demo.chance import stream
from engine.sources.demo.overnight import (
    NEWS_GAP,
    Fall,
    News,
    StockState,
    aftermath,
    end_day,
    mood_factor,
    pass_night,
)
from engine.sources.demo.regime import MarketDay, Mood
from engine.sources.demo.universe import COMPANIES, Traits

TRAITS = Traits(COMPANIES[0], 5.0, 1.2, 0.03, 4e6, 0.002)
QUIET = MarketDay(Mood.CALM, 0.0075, 0.0, 0.006, 0.0, 14.0)


def test_a_fixed_gap_opens_where_it_says_in_whole_cents() -> None:
    night = pass_night(StockState(50_000), TRAITS, QUIET, stream(1, "n").getrandbits, Fall(-0.07))
    assert night.open == 46_500
    assert night.gap == pytest.approx(-0.07)


def test_a_bounded_night_falls_no_further() -> None:
    bits = stream(2, "n").getrandbits
    crash = replace(QUIET, night=-0.055)
    nights = [pass_night(StockState(50_000), TRAITS, crash, bits, Fall(None, -0.02)) for _ in range(200)]
    assert min(night.gap for night in nights) >= -0.02 - 1e-9


def test_the_market_moves_a_stock_by_its_beta() -> None:
    calm = [pass_night(StockState(50_000), TRAITS, QUIET, stream(n, "b").getrandbits) for n in range(400)]
    down = [
        pass_night(StockState(50_000), TRAITS, replace(QUIET, night=-0.02), stream(n, "b").getrandbits)
        for n in range(400)
    ]
    moved = [after.gap - before.gap for before, after in zip(calm, down, strict=True)]
    assert sum(moved) / len(moved) == pytest.approx(-0.024, abs=0.001)


def test_a_third_of_the_larger_gaps_come_with_news_of_their_direction() -> None:
    bits = stream(3, "n").getrandbits
    for gap, kind in ((-0.08, News.BAD), (0.08, News.GOOD)):
        found = [pass_night(StockState(50_000), TRAITS, QUIET, bits, Fall(gap)).news for _ in range(900)]
        assert set(found) == {News.NONE, kind}
        assert found.count(kind) == pytest.approx(300, abs=45)
    small = [pass_night(StockState(50_000), TRAITS, QUIET, bits, Fall(-0.03)).news for _ in range(200)]
    assert set(small) == {News.NONE}


def test_bad_news_go_on_pulling_and_a_fall_without_any_is_pushed_back() -> None:
    assert aftermath(-0.08, News.BAD) < 0 < aftermath(-0.08, News.NONE)
    assert aftermath(-NEWS_GAP / 2, News.NONE) == 0
    assert aftermath(0.08, News.GOOD) > 0


def test_what_news_do_fades() -> None:
    state = StockState(50_000, pull=-0.01)
    pass_night(state, TRAITS, QUIET, stream(4, "n").getrandbits, Fall(0.0))
    assert -0.005 < state.pull < 0


def test_a_wild_day_makes_the_next_ones_wilder_and_is_forgotten() -> None:
    state = StockState(50_000)
    assert end_day(state, TRAITS, QUIET, 40_000, 0.0) < -6
    peak = state.variance
    assert peak > 2
    for _ in range(60):
        end_day(state, TRAITS, QUIET, state.close, 0.0)
    assert state.variance < 1 < peak


def test_a_price_is_drawn_back_to_its_base() -> None:
    def drift(close: int) -> float:
        return pass_night(StockState(close), TRAITS, QUIET, stream(5, "n").getrandbits, Fall(0.0)).drift

    assert drift(90_000) < drift(50_000) < drift(20_000)


def test_a_fall_can_say_how_wild_its_session_is() -> None:
    plain, wild = (
        pass_night(StockState(50_000), TRAITS, QUIET, stream(6, "n").getrandbits, Fall(-0.05, sigma=sigma))
        for sigma in (None, 0.09)
    )
    assert 0.005 < plain.sigma_session < 0.08
    assert wild.sigma_session == 0.09


def test_stocks_are_wilder_on_their_own_in_a_wild_market() -> None:
    assert mood_factor(QUIET) == pytest.approx(1)
    assert mood_factor(replace(QUIET, sigma=0.03)) > 1.5
