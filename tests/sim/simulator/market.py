"""One market for all accounts: random walks in cents, sessions of minutes, halts and gaps."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from engine.clock import US_PER_S
from engine.model.ids import InstrumentId
from engine.model.market import (
    Bar,
    Instrument,
    MarketBatch,
    Provenance,
    Quote,
    Session,
    SessionPhase,
    Trade,
)

CENT = Decimal("0.01")
OPENING_US = 1_451_917_800_000_000
FIRST_DAY = date(2016, 1, 4)
STILL_S = 5.0
"""How often a market that stands still is told."""
ORIGIN_US = OPENING_US - 10 * US_PER_S
"""The world's time when the loop's is zero."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Exchange days of a few minutes each: implements `ports.Sessions`."""

    sessions: tuple[Session, ...]

    def on(self, day: date) -> Session | None:
        return next((session for session in self.sessions if session.day == day), None)

    def between(self, first: date, last: date) -> Sequence[Session]:
        return [session for session in self.sessions if first <= session.day <= last]

    def next_after(self, ts: int) -> Session | None:
        return next((session for session in self.sessions if session.close_us > ts), None)


def calendar(lengths_s: Sequence[int], pause_s: int) -> Calendar:
    """Sessions of these lengths with a pause between them, and one long before."""
    sessions = [Session(FIRST_DAY - timedelta(days=3), OPENING_US - 10**10, OPENING_US - 10**9)]
    begin = OPENING_US
    for number, length in enumerate(lengths_s):
        end = begin + length * US_PER_S
        sessions.append(Session(FIRST_DAY + timedelta(days=number), begin, end))
        begin = end + pause_s * US_PER_S
    return Calendar(tuple(sessions))


@dataclass(slots=True)
class Walk:
    """One instrument."""

    name: InstrumentId
    price: Decimal
    volatility: float
    lowest: Decimal = field(default=Decimal("1.00"))

    def step(self, random: Random) -> None:
        self.move(random.gauss(0.0, self.volatility))

    def move(self, ratio: float) -> None:
        cents = max(int(float(self.price) * (1 + ratio) * 100), int(self.lowest * 100))
        self.price = Decimal(cents) * CENT


class Market:
    """`venue_sees` is called before `feed`, so that a venue has matched what an engine is told of."""

    def __init__(
        self, walks: Sequence[Walk], days: Calendar, random: Random, tick_s: float, now_us: Callable[[], int]
    ) -> None:
        self.walks = {walk.name: walk for walk in walks}
        self.first_prices = {walk.name: float(walk.price) for walk in walks}
        self.calendar = days
        self.random = random
        self.tick_s = tick_s
        self._now_us = now_us
        self._loop = asyncio.get_running_loop()
        self.session: Session | None = None
        self.is_moving = True
        self.is_over = False
        self.price_seen: Callable[[InstrumentId, Decimal], None] = lambda name, price: None
        self.opened: Callable[[Session], None] = lambda session: None
        self.closed: Callable[[Session], None] = lambda session: None
        self.ticked: Callable[[tuple[InstrumentId, ...]], None] = lambda names: None

    @property
    def is_open(self) -> bool:
        return self.session is not None

    def start(self) -> None:
        now = self._now_us()
        for session in self.calendar.sessions:
            if session.open_us >= now:
                self._loop.call_later((session.open_us - now) / US_PER_S, self._open, session)
                self._loop.call_later((session.close_us - now) / US_PER_S, self._close, session)

    def gap(self, name: InstrumentId, ratio: float) -> None:
        """The price jumps, and the venue sees it at once."""
        walk = self.walks[name]
        walk.move(ratio)
        self.price_seen(name, walk.price)

    def batch(self, ts: int, known: int, phase: SessionPhase | None, names: Sequence[InstrumentId]) -> Any:
        """What a feed tells at an instant; both times by the clocks that stamp them."""
        quotes, trades, bars = [], [], []
        for name in names:
            price = float(self.walks[name].price)
            quotes.append(Quote(name, price, price, ts, known, Provenance.LIVE))
            is_open = phase is SessionPhase.OPEN
            trades.append(Trade(name, price, ts, known, Provenance.LIVE, is_open))
            if phase is SessionPhase.CLOSE:
                bars.append(Bar(name, price, price, price, price, 1e6, ts - 1, ts, Provenance.LIVE))
        day = self.session.day if self.session is not None else None
        return MarketBatch(known, (), tuple(bars), tuple(trades), tuple(quotes), day, phase)

    def _open(self, session: Session) -> None:
        self.session = session
        for walk in self.walks.values():
            self.price_seen(walk.name, walk.price)
        self.opened(session)
        self._loop.call_later(self._pause_s(), self._tick, session)

    def _close(self, session: Session) -> None:
        self.closed(session)
        self.session = None
        self.is_over = session is self.calendar.sessions[-1]

    def _tick(self, session: Session) -> None:
        if self.session is not session:
            return
        for walk in self.walks.values():
            if self.is_moving:
                walk.step(self.random)
            self.price_seen(walk.name, walk.price)
        self.ticked(tuple(self.walks))
        self._loop.call_later(self._pause_s(), self._tick, session)

    def _pause_s(self) -> float:
        return (self.tick_s if self.is_moving else STILL_S) * (0.3 + 1.4 * self.random.random())


def instruments(names: Sequence[InstrumentId]) -> dict[InstrumentId, Instrument]:
    """Their ticks and lots."""
    return {name: Instrument(name, tick_size=CENT) for name in names}
