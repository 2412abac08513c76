"""How far prices went while a position was held (SPEC 3.10)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from engine.errors import StorageError
from engine.execution.excursions import Excursions
from engine.execution.matching import Resting
from engine.model.events import MarketMoved, RoundTripClosed
from engine.model.market import (
    Bar,
    CorporateAction,
    CorporateActionKind,
    MarketBatch,
    Provenance,
    Quote,
    SessionPhase,
    Trade,
)

TUESDAY = date(2016, 1, 5)
DAY_US = 86_400_000_000


@pytest.fixture
def bar(world: ModuleType) -> Any:
    """A whole bar of the session of the opening, or `days` later."""

    def make(high: float, low: float, close: float, days: int = 0) -> Bar:
        start = world.OPEN_US + days * DAY_US
        return Bar(world.ABC, 100.0, high, low, close, 1e6, start, start + 23_400_000_000, Provenance.REPLAY)

    return make


class Watch:
    """Excursions beside a rig; batches go to them alone."""

    def __init__(self, rig: Any, resting: Resting = Resting.QUOTES) -> None:
        self.rig = rig
        self.resting = resting
        self.boot()

    def boot(self) -> None:
        self.found = Excursions(self.rig.journal, self.rig.brackets, self.resting)

    def price(self, price: float, bid: float | None = None) -> None:
        now, name = self.rig.clock.now_us(), self.rig.now().instrument
        trade = Trade(name, price, now, now, Provenance.REPLAY)
        quote = Quote(name, bid, price, now, now, Provenance.REPLAY)
        self.found.hear(MarketMoved(MarketBatch(now, trades=(trade,), quotes=(quote,))))

    def close(self, *bars: Bar) -> None:
        batch = MarketBatch(self.rig.clock.now_us(), bars=bars, phase=SessionPhase.CLOSE)
        self.found.hear(MarketMoved(batch))

    def kept(self) -> tuple[Decimal, Decimal] | None:
        for row in self.rig.journal.rows("excursion"):
            return Decimal(str(row["low_px"])), Decimal(str(row["high_px"]))
        return None


async def end(rig: Any, watch: Watch, price: str) -> None:
    """The stop sells everything, and its trade is told."""
    (stop,) = [leg for leg in rig.now().legs if leg.role.value == "S"]
    rig.venue.fill(stop.id, price=price)
    await rig.settle()
    (trip,) = [event.round_trip for event in rig.events if isinstance(event, RoundTripClosed)]
    watch.found.hear(RoundTripClosed(trip))


async def test_prices_widen_what_was_reached(rig: Any) -> None:
    watch = Watch(rig)
    await rig.hold()
    watch.price(101.5, bid=99.0)
    watch.price(100.0)
    assert watch.kept() is None
    watch.close()
    assert watch.kept() == (Decimal("99.0"), Decimal("101.5"))
    await end(rig, watch, "91.5")
    assert watch.kept() == (Decimal("91.5"), Decimal("101.5"))


async def test_unchanged_excursion_is_not_written_again(rig: Any) -> None:
    watch = Watch(rig)
    await rig.hold()
    watch.price(101.5)
    watch.close()
    commits = rig.journal.commits
    watch.close()
    assert rig.journal.commits == commits


@pytest.mark.parametrize("price", [float("nan"), float("inf"), 0.0])
async def test_what_is_no_price_counts_for_nothing(rig: Any, price: float) -> None:
    watch = Watch(rig)
    await rig.hold()
    watch.price(price)
    watch.close()
    assert watch.kept() is None


async def test_bar_of_a_session_counts_whole_where_it_was_held_from_the_open(rig: Any, bar: Any) -> None:
    watch = Watch(rig, Resting.BARS)
    await rig.hold()
    watch.price(150.0)
    watch.close(bar(104.0, 97.0, 101.0))
    assert watch.kept() == (Decimal("97.0"), Decimal("104.0"))
    watch.close(bar(109.0, float("nan"), 101.0, days=1))
    assert watch.kept() == (Decimal("97.0"), Decimal("109.0"))


async def test_bar_of_the_session_of_a_late_entry_counts_up_to_its_close(rig: Any, bar: Any) -> None:
    watch = Watch(rig, Resting.BARS)
    await rig.advance(60)
    await rig.hold(now_us=rig.clock.now_us())
    watch.close(bar(104.0, 97.0, 101.0))
    assert watch.kept() == (Decimal("97.0"), Decimal("101.0"))


async def test_prices_since_a_late_entry_tell_more_than_its_bar(rig: Any, bar: Any) -> None:
    watch = Watch(rig)
    await rig.advance(60)
    await rig.hold(now_us=rig.clock.now_us())
    watch.price(100.5)
    watch.close(bar(104.0, 97.0, 101.0))
    assert watch.kept() == (Decimal("100.5"), Decimal("100.5"))


async def test_restart_goes_on_with_what_was_kept(rig: Any, bar: Any) -> None:
    watch = Watch(rig)
    await rig.hold()
    watch.price(103.0)
    watch.close()
    rig.kill()
    watch.boot()
    watch.price(98.0)
    watch.close()
    assert watch.kept() == (Decimal("98.0"), Decimal("103.0"))


async def test_excursion_is_in_dollars_of_the_entry(rig: Any, world: ModuleType) -> None:
    watch = Watch(rig)
    await rig.hold()
    action = CorporateAction(world.ABC, CorporateActionKind.SPLIT, 0.5, 100.0, TUESDAY, 1)
    rig.brackets.restate((action,))
    watch.price(52.0)
    watch.close()
    assert watch.kept() == (Decimal(104), Decimal(104))


async def test_trade_that_nobody_watched_has_its_own_prices(rig: Any) -> None:
    await rig.hold()
    watch = Watch(rig)
    await end(rig, watch, "91")
    assert watch.kept() == (Decimal(91), Decimal(100))


async def test_entry_that_holds_nothing_is_not_watched(rig: Any) -> None:
    watch = Watch(rig)
    await rig.begin()
    watch.price(90.0)
    watch.found.hear(MarketMoved(MarketBatch(1)))
    watch.close()
    assert watch.kept() is None


async def test_trade_that_ends_right_after_a_restart_keeps_what_was_reached(rig: Any) -> None:
    watch = Watch(rig)
    await rig.hold()
    watch.price(104.0)
    watch.close()
    rig.kill()
    watch.boot()
    await end(rig, watch, "91")
    assert watch.kept() == (Decimal(91), Decimal("104.0"))


async def test_refused_write_is_made_at_the_next_close(rig: Any) -> None:
    watch = Watch(rig)
    await rig.hold()
    watch.price(103.0)
    rig.journal.failures = 1
    with pytest.raises(StorageError):
        watch.close()
    watch.close()
    assert watch.kept() == (Decimal("103.0"), Decimal("103.0"))


async def test_end_that_could_not_be_written_raises(rig: Any) -> None:
    watch = Watch(rig)
    await rig.hold()
    (stop,) = [leg for leg in rig.now().legs if leg.role.value == "S"]
    rig.venue.fill(stop.id, price="91")
    await rig.settle()
    (trip,) = [event.round_trip for event in rig.events if isinstance(event, RoundTripClosed)]
    rig.journal.failures = 1
    with pytest.raises(StorageError):
        watch.found.hear(RoundTripClosed(replace(trip)))
