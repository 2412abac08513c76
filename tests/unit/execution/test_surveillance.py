"""What is unusual in the market and at the venue is told while something is held, once a minute each."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from engine.clock import US_PER_S
from engine.execution.findings import Difference
from engine.execution.surveillance import Surveillance, SurveillanceDesk
from engine.model.candidates import FeatureValue, MissingReason
from engine.model.events import AnomalySeen
from engine.model.ids import InstrumentId, TicketId, instrument_id
from engine.model.market import Bar, MarketBatch, Provenance, Quote
from engine.model.orders import Fill, OrderSide
from engine.model.tickets import Ticket
from engine.risk.anomalies import Anomaly, AnomalyKind

ABC, XYZ = instrument_id("ABC"), instrument_id("XYZ")
MINUTE = 60 * US_PER_S


class Post:
    """The surveillance of a rig: what it told, the tickets that it asks for, the skew that it is told of."""

    def __init__(self, rig: Any, ticket: Ticket, *, is_on: bool = True, is_live: bool = True) -> None:
        self.rig = rig
        self.seen: list[AnomalySeen] = []
        self.tickets: dict[TicketId, Ticket] = {ticket.id: ticket}
        self.skew_us: int | None = None
        self.differences: list[Difference] = []
        self.surveillance = Surveillance(
            SurveillanceDesk(
                rig.clock,
                rig.scheduler,
                rig.brackets,
                rig.picture,
                self.tickets.get,
                lambda: self.skew_us,
                lambda: self.differences,
                lambda instrument: Decimal(1),
                self.seen.append,
                is_on,
                is_live,
            )
        )

    @property
    def kinds(self) -> list[str]:
        return [seen.kind for seen in self.seen]

    def bar(self, high: float, low: float, instrument: InstrumentId = ABC) -> None:
        now = self.rig.clock.now_us()
        bar = Bar(instrument, low, high, low, high, 1e6, now - MINUTE, now, Provenance.REPLAY)
        self.surveillance.observe(MarketBatch(now, bars=(bar,)))

    def quote(
        self, bid: float | None, ask: float, after_us: int = MINUTE, instrument: InstrumentId = ABC
    ) -> None:
        clock = self.rig.clock
        clock.advance_to(clock.now_us() + after_us)
        now = clock.now_us()
        batch = MarketBatch(now, quotes=(Quote(instrument, bid, ask, now, now, Provenance.LIVE),))
        self.surveillance.observe(batch)
        self.rig.picture.take(batch)

    def fill(self, price: str, side: OrderSide = OrderSide.BUY) -> None:
        (ticket,) = self.tickets
        fill = Fill("x", self.rig.now().entry.id, ABC, side, Decimal(10), Decimal(price), Decimal(0), 1)
        self.surveillance.hear_fill(ticket, fill)


def feature(name: str, value: float | None) -> FeatureValue:
    missing = MissingReason.MISSING if value is None else None
    return FeatureValue(name, value, missing, 0, 0, "daily_bars", "1.0.0")


@pytest.fixture
def post(world: Any, rig: Any) -> Callable[..., Any]:
    """A post beside a bracket that is held; ATR 4.00, 20 million a day, 32 % volatility."""

    async def make(atr: float | None = 4.0, volatility: float | None = 0.32, **changes: Any) -> Post:
        ticket = world.make_ticket(atr=atr)
        features = (feature("adv_usd_20", 2e7), feature("realized_vol_20", volatility))
        made = Post(rig, replace(ticket, features=features), **changes)
        await rig.hold(atr=atr)
        await rig.price(100.0)
        return made

    return make


async def test_a_bar_of_more_than_ten_atr_is_told_of_what_is_held(post: Any) -> None:
    made = await post()
    made.bar(101.0, 99.0)
    made.bar(200.0, 99.0, XYZ)
    assert made.seen == []
    made.bar(100.0, 50.0)
    (seen,) = made.seen
    assert seen == AnomalySeen("price_move", 12.5, 10.0, made.rig.clock.now_us(), "ABC")


async def test_an_unknown_atr_or_ticket_measures_nothing(post: Any) -> None:
    made = await post(atr=None)
    made.bar(200.0, 50.0)
    made.tickets.clear()
    made.bar(200.0, 50.0)
    assert made.seen == []


async def test_the_same_anomaly_is_told_again_after_a_minute(post: Any) -> None:
    made = await post()
    made.bar(100.0, 50.0)
    made.bar(100.0, 40.0)
    assert made.kinds == ["price_move"]
    made.surveillance.report(Anomaly(AnomalyKind.PRICE_MOVE, 11.0, 10.0, "XYZ"))
    made.rig.clock.advance_to(made.rig.clock.now_us() + MINUTE)
    made.bar(100.0, 50.0)
    assert made.kinds == ["price_move"] * 3


async def test_nothing_is_looked_at_without_a_position_or_where_it_is_off(
    world: Any, rig: Any, post: Any
) -> None:
    empty = Post(rig, world.make_ticket())
    empty.bar(200.0, 50.0)
    assert empty.seen == []
    off = await post(is_on=False)
    off.bar(200.0, 50.0)
    off.fill("150")
    off.surveillance.report(Anomaly(AnomalyKind.REJECTS, 4, 3))
    assert off.seen == []


async def test_a_spread_of_more_than_five_times_its_hour_is_told(post: Any) -> None:
    made = await post()
    for _ in range(10):
        made.quote(99.95, 100.05)
    made.quote(99.75, 100.25, 1)
    assert made.seen == []
    made.quote(99.70, 100.30, 1)
    (seen,) = made.seen
    assert (seen.kind, seen.subject, seen.limit) == ("spread", "ABC", 5.0)
    assert seen.value == pytest.approx(6.0)


async def test_the_usual_spread_is_sampled_once_a_minute(post: Any) -> None:
    made = await post()
    for _ in range(9):
        made.quote(99.95, 100.05)
    for _ in range(20):
        made.quote(90.0, 110.0, 1)
    assert made.seen == []  # nine samples are no hour


async def test_one_side_or_another_instrument_is_no_spread(post: Any) -> None:
    made = await post()
    for _ in range(12):
        made.quote(None, 100.05)
        made.quote(99.0, 100.05, 1, XYZ)
    assert made.surveillance._spreads == {}


async def test_a_replay_looks_at_bars_alone(post: Any) -> None:
    made = await post(is_live=False)
    for _ in range(12):
        made.quote(99.95, 100.05)
    made.quote(90.0, 110.0)
    made.fill("150")
    assert made.seen == []
    made.bar(100.0, 50.0)
    assert made.kinds == ["price_move"]


async def test_a_fill_worse_than_three_times_the_estimate_is_told(post: Any) -> None:
    made = await post()
    made.quote(99.95, 100.05)
    estimate = 0.0005 + 0.7 * 0.32 / 252**0.5 * (1000 / 2e7) ** 0.5
    made.fill("100.17")
    made.fill("99.5")
    assert made.seen == []
    made.fill("100.20")
    (seen,) = made.seen
    assert (seen.kind, seen.subject) == ("slippage", "ABC")
    assert seen.value == pytest.approx(0.002)
    assert seen.limit == pytest.approx(3 * estimate, rel=1e-3)
    made.rig.clock.advance_to(made.rig.clock.now_us() + MINUTE)
    made.fill("99.70", OrderSide.SELL)
    assert made.kinds == ["slippage", "slippage"]


async def test_a_fill_without_an_estimate_or_a_quote_is_not_judged(post: Any) -> None:
    made = await post(volatility=None)
    made.fill("150")
    made.quote(None, 100.05)
    made.fill("150")
    made.quote(99.95, 100.05)
    made.fill("150")
    assert made.seen == []


async def test_a_fill_of_an_unknown_ticket_is_not_judged(post: Any, world: Any) -> None:
    made = await post()
    made.quote(99.95, 100.05)
    fill = Fill("x", made.rig.now().entry.id, ABC, OrderSide.BUY, Decimal(1), Decimal(150), Decimal(0), 1)
    made.surveillance.hear_fill(world.ticket_id(9), fill)
    assert made.seen == []


async def test_silence_while_something_is_held_is_told(post: Any) -> None:
    made = await post()
    made.surveillance.start()
    await made.rig.advance(30)
    assert made.seen == []
    await made.rig.advance(10)
    (seen,) = made.seen
    assert (seen.kind, seen.value, seen.limit) == ("heartbeat", 40.0, 30.0)
    made.quote(99.95, 100.05)
    await made.rig.advance(30)
    assert made.kinds == ["heartbeat"]


async def test_a_closed_market_may_be_silent(post: Any) -> None:
    made = await post()
    await made.rig.close_session()
    made.surveillance.start()
    await made.rig.advance(600)
    assert made.seen == []


async def test_a_skewed_clock_is_told(post: Any) -> None:
    made = await post()
    await made.rig.close_session()
    made.skew_us = -1_500_000
    made.surveillance.start()
    assert [(seen.kind, seen.value, seen.limit) for seen in made.seen] == [("clock_skew", 1.5, 1.0)]


async def test_a_position_that_differs_by_more_than_a_lot_is_told_when_it_stays(post: Any) -> None:
    made = await post()
    await made.rig.close_session()
    made.surveillance.start()
    made.differences = [Difference(ABC, Decimal(10), Decimal(1), Decimal(8), True)]
    await made.rig.advance(10)
    made.differences = []
    await made.rig.advance(10)
    assert made.seen == []
    made.differences = [
        Difference(ABC, Decimal(10), Decimal(1), Decimal(8), True),
        Difference(XYZ, Decimal(10), Decimal(0), Decimal(9), True),
        Difference(instrument_id("NEW"), Decimal(10), Decimal(0), Decimal(1), False),
    ]
    await made.rig.advance(20)
    assert [(seen.kind, seen.subject, seen.value, seen.limit) for seen in made.seen] == [
        ("position", "ABC", 3.0, 1.0)
    ]
