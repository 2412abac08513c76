"""The speed of an instant, and how much market time a piece of wall time is worth."""

import asyncio
from collections.abc import Sequence
from datetime import date

import pytest

from engine.backtest.pace import EVE_US, LATE_S, TICK_S, Meter, Pace, Stretch, stretch_at
from engine.loop import VirtualLoop, run_virtual
from engine.model.market import Session

OPEN_US, CLOSE_US = 1_000_000_000_000, 1_023_400_000_000
SHOWN = Pace(120.0, slow=4.0, eve_s=3.0)


class OneSession:
    """A calendar that ends after one session."""

    def between(self, first: date, last: date) -> Sequence[Session]:
        raise NotImplementedError

    def on(self, day: date) -> Session | None:
        raise NotImplementedError

    def next_after(self, ts: int) -> Session | None:
        return Session(date(2026, 3, 2), OPEN_US, CLOSE_US) if ts < CLOSE_US else None


@pytest.mark.parametrize(
    ("pace", "now_us", "in_session", "is_slow", "expected"),
    [
        (SHOWN, OPEN_US - 2 * EVE_US, False, False, Stretch(None, OPEN_US - EVE_US)),
        (SHOWN, OPEN_US - EVE_US, False, False, Stretch(20.0, OPEN_US)),
        (SHOWN, OPEN_US - 1, False, True, Stretch(20.0, OPEN_US)),
        (SHOWN, OPEN_US, False, False, Stretch(None)),
        (SHOWN, OPEN_US, True, False, Stretch(120.0)),
        (SHOWN, OPEN_US, True, True, Stretch(4.0)),
        (SHOWN, CLOSE_US, False, False, Stretch(None)),
        (Pace(2.0, slow=4.0), OPEN_US, True, True, Stretch(2.0)),
        (Pace(120.0), OPEN_US, True, True, Stretch(120.0)),
        (Pace(120.0), OPEN_US - EVE_US, False, False, Stretch(None)),
        (Pace(None, slow=4.0, eve_s=3.0), OPEN_US, True, True, Stretch(None)),
        (Pace(None, slow=4.0, eve_s=3.0), OPEN_US - EVE_US, False, False, Stretch(None)),
    ],
)
def test_the_speed_of_an_instant(
    pace: Pace, now_us: int, in_session: bool, is_slow: bool, expected: Stretch
) -> None:
    assert stretch_at(pace, OneSession(), now_us, in_session, is_slow) == expected


def test_market_time_follows_wall_time_and_what_was_not_taken_is_kept() -> None:
    async def go() -> None:
        meter, loop = Meter(), asyncio.get_running_loop()
        assert await meter.take_us(120.0, 5_000_000) == pytest.approx(5_000_000, abs=1)
        assert loop.time() == pytest.approx(5 / 120)
        await asyncio.sleep(0.02)
        assert await meter.take_us(120.0, 60_000_000) == pytest.approx(12_000_000, abs=1)
        assert loop.time() == pytest.approx(5 / 120 + TICK_S)
        assert await meter.take_us(4.0, 60_000_000) == pytest.approx(400_000, abs=1)
        assert loop.time() == pytest.approx(5 / 120 + 2 * TICK_S)

    run_virtual(go())


def test_a_market_whose_moves_take_time_lets_the_loop_rest() -> None:
    async def go() -> None:
        meter, loop = Meter(), asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        moved_us = moves = 0
        while moved_us < 3_600_000_000:
            moved_us += await meter.take_us(120.0, 3_600_000_000 - moved_us)
            moves += 1
            loop.stall(0.001)
        assert loop.time() == pytest.approx(30.0, abs=0.01)
        assert moves <= 30 / TICK_S + 1

    run_virtual(go())


def test_a_market_that_came_late_does_not_race() -> None:
    async def go() -> None:
        meter = Meter()
        await meter.take_us(120.0, 1)
        await asyncio.sleep(60.0)
        assert await meter.take_us(120.0, 10**9) == pytest.approx(LATE_S * 120 * 1e6, abs=2)

    run_virtual(go())


def test_what_went_by_before_a_reset_counts_for_nothing() -> None:
    async def go() -> None:
        meter, loop = Meter(), asyncio.get_running_loop()
        await meter.take_us(120.0, 1)
        meter.reset()
        await asyncio.sleep(5.0)
        before = loop.time()
        assert await meter.take_us(120.0, 10**9) == pytest.approx(TICK_S * 120 * 1e6, abs=1)
        assert loop.time() - before == pytest.approx(TICK_S)

    run_virtual(go())


def test_the_slowest_speed_still_moves() -> None:
    async def go() -> None:
        assert await Meter().take_us(1e-9, 10**9) == 1

    run_virtual(go())
