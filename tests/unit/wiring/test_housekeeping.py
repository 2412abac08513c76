"""Once a day: old rows go, the calendar reaches on, old keys are named, and everything else stays."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from engine.clock import TestClock
from engine.features.catalogue import CATALOGUE
from engine.model.features import FeatureLayout, FeatureVector
from engine.model.jobs import Due
from engine.model.secrets import ALPACA_KEY_ID, ALPACA_SECRET, Secret
from engine.sources.sessions import ExchangeSessions
from storage.features import open_features
from storage.paths import StatePaths, find_home, home_state
from storage.secrets import KeyBook, PlainFile
from tui.wiring.housekeeping import DAY_US, Housekeeping

NOW = 1_795_000_000_000_000
"""2026-11-18."""


@pytest.fixture
def state(tmp_path: Path) -> StatePaths:
    home = find_home({"TRADEDECK_HOME": str(tmp_path)})
    home.make()
    made = home_state(home)
    made.make()
    return made


class House:
    """A daemon's house at one time."""

    def __init__(self, state: StatePaths, now: int, begun: date) -> None:
        self.told: list[str] = []
        self.keys = PlainFile(state.home.config / "keys.json")
        self.sessions = ExchangeSessions(state.home.data / "cache", begun)
        book = KeyBook((self.keys,), warn=self.told.append, learned=lambda secret: None)
        self.keeping = Housekeeping(state, self.sessions, book, TestClock(now), self.told.append)

    async def run(self) -> str:
        return await self.keeping.run(Due(NOW, None))


async def test_a_house_in_order_says_so(state: StatePaths) -> None:
    house = House(state, NOW, date(2026, 11, 18))
    house.keys.put(ALPACA_SECRET, Secret("some-secret-value"), NOW - 90 * DAY_US)
    assert await house.run() == (
        "0 old feature vectors and 0 old simulations removed; calendar reaches far enough"
    )
    assert house.told == []


async def test_old_keys_are_named_without_their_value(state: StatePaths) -> None:
    house = House(state, NOW, date(2026, 11, 18))
    house.keys.put(ALPACA_SECRET, Secret("some-secret-value"), NOW - 91 * DAY_US)
    house.keys.put(ALPACA_KEY_ID, Secret("PKTEST0123456789ABCD"), NOW)
    await house.run()
    (told,) = house.told
    assert told.startswith("the key alpaca.secret is 91 days old")
    assert "some-secret-value" not in told


async def test_a_process_of_years_extends_its_calendar(state: StatePaths) -> None:
    house = House(state, NOW + 400 * DAY_US, date(2026, 11, 18))
    assert "calendar to 2028-12-31" in await house.run()
    assert house.told == []
    assert house.sessions.on(date(2028, 1, 3)) is not None
    assert "calendar reaches far enough" in await house.run()


async def test_old_simulations_go_and_the_newest_stay(state: StatePaths) -> None:
    for number in range(8):
        (state.home.simulations / f"20261118T10000{number}Z").mkdir(parents=True)
    house = House(state, NOW, date(2026, 11, 18))
    before = len(list(state.home.simulations.iterdir()))
    words = await house.run()
    after = len(list(state.home.simulations.iterdir()))
    assert f"{before - after} old simulations removed" in words
    assert after >= 5


async def test_a_store_of_two_years_keeps_a_month_whole_and_a_row_a_day_before_it(state: StatePaths) -> None:
    layout, a_day, days = FeatureLayout("stocks", ("rsi2", "z5"), ("1.0.0", "1.0.0")), 6, 730
    today = NOW // DAY_US * DAY_US
    times = [
        today - day * DAY_US + hour * 3_600_000_000 for day in range(days, -1, -1) for hour in range(a_day)
    ]
    with open_features(state.features, CATALOGUE) as store:
        store.put([FeatureVector("ORVX.US", layout, np.array([12.5, 0.5]), ts, ts, "bars") for ts in times])
        assert store.count() == (days + 1) * a_day
    gone = (days - 30) * (a_day - 1)
    words = await House(state, NOW, date(2026, 11, 18)).run()
    assert words.startswith(f"{gone:,} old feature vectors")
    with open_features(state.features, CATALOGUE) as store:
        assert store.count() == (days + 1) * a_day - gone
