"""Looks for what is unusual in the market and at the venue while positions are open (SPEC 4.9).

Only instruments with an open bracket are looked at. What needs a running clock is not asked in a replay, in
which a night lies between two batches and an order fills at a print that nobody saw before.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from engine.clock import US_PER_S, Clock
from engine.execution.bracket import Bracket
from engine.execution.findings import Difference
from engine.execution.gating import is_taken, traded_value_of
from engine.execution.orders import Brackets
from engine.model.candidates import FeatureValue
from engine.model.events import AnomalySeen
from engine.model.ids import InstrumentId, TicketId, symbol_of
from engine.model.market import Bar, MarketBatch, Quote
from engine.model.orders import Fill
from engine.model.tickets import Ticket
from engine.money import ZERO
from engine.risk.anomalies import (
    Anomaly,
    AnomalyKind,
    bad_fill,
    clock_skew,
    estimated_slippage,
    heartbeat,
    position_difference,
    price_move,
    wide_spread,
)
from engine.scheduler import Scheduler
from engine.state import LivePicture

SAMPLE_US = 60 * US_PER_S
SAMPLES = 60
"""One spread a minute for the last hour."""
AGAIN_US = 60 * US_PER_S
"""How soon the same anomaly of the same thing is told again."""
BEAT_US = 10 * US_PER_S
"""How often silence, skew and positions are looked at."""
TRADING_DAYS = 252


@dataclass(frozen=True, slots=True)
class SurveillanceDesk:
    """What the surveillance works with."""

    clock: Clock
    scheduler: Scheduler
    brackets: Brackets
    picture: LivePicture
    ticket: Callable[[TicketId], Ticket | None]
    clock_skew_us: Callable[[], int | None]
    differences: Callable[[], Iterable[Difference]]
    """Between our positions and the venue's, as the last look found them."""
    lot_of: Callable[[InstrumentId], Decimal]
    see: Callable[[AnomalySeen], None]
    is_on: bool
    """Whether anomalies matter in this run at all."""
    is_live: bool
    """Time runs by itself."""


@dataclass(slots=True)
class _Spreads:
    sampled_us: int
    ratios: deque[float]


class Surveillance:
    """Told of market data before the live picture takes them, and of fills when they are journalled."""

    def __init__(self, desk: SurveillanceDesk) -> None:
        self._desk = desk
        self._spreads: dict[InstrumentId, _Spreads] = {}
        self._told: dict[tuple[AnomalyKind, str], int] = {}
        self._heard_us = 0
        self._differing: frozenset[InstrumentId] = frozenset()
        """Instruments whose positions differed at the last beat: a fill between two answers is over then."""

    def report(self, found: Anomaly | None) -> None:
        """Tell an anomaly; the same one again only a minute later."""
        if found is None or not self._desk.is_on:
            return
        now, what = self._desk.clock.now_us(), (found.kind, found.subject)
        if now - self._told.get(what, -AGAIN_US) < AGAIN_US:
            return
        self._told[what] = now
        self._desk.see(AnomalySeen(found.kind.value, found.value, found.limit, now, found.subject))

    def observe(self, batch: MarketBatch) -> None:
        """Bars and quotes of what is held or being entered."""
        self._heard_us = self._desk.clock.now_us()
        if not self._desk.is_on:
            return
        watched = {bracket.instrument: bracket for bracket in self._desk.brackets.open() if is_taken(bracket)}
        if not watched:
            return
        for bar in batch.bars:
            if bar.instrument in watched:
                self._look_at_bar(bar, watched[bar.instrument])
        if self._desk.is_live:
            for quote in batch.quotes:
                if quote.instrument in watched:
                    self._look_at_spread(quote)

    def hear_fill(self, ticket: TicketId, fill: Fill) -> None:
        """Hold a fill against the middle of the quote that stands, and what was to be expected of it."""
        if not (self._desk.is_on and self._desk.is_live):
            return
        source, quote = self._desk.ticket(ticket), self._desk.picture.quote(fill.instrument)
        mid = None if quote is None else quote.mid
        if source is None or quote is None or mid is None or not mid > 0:
            return
        price = float(fill.price)
        slippage = fill.side.sign * (price / mid - 1)
        estimated = estimated_slippage(
            quote.spread_ratio or 0.0,
            _number(source.features, "realized_vol_20") / TRADING_DAYS**0.5,
            price * float(fill.quantity),
            traded_value_of(source.features) or 0.0,
        )
        self.report(bad_fill(symbol_of(fill.instrument), slippage, estimated))

    def start(self) -> None:
        """Look at silence and skew from now on; for a running clock."""
        self._heard_us = self._desk.clock.now_us()
        self._beat()

    def _beat(self) -> None:
        desk, now = self._desk, self._desk.clock.now_us()
        held = sum(bracket.position != ZERO for bracket in desk.brackets.open())
        if desk.picture.is_session_open:
            self.report(heartbeat(now - self._heard_us, held))
        self.report(clock_skew(desk.clock_skew_us()))
        self._look_at_positions()
        desk.scheduler.call_at(now + BEAT_US, self._beat)

    def _look_at_positions(self) -> None:
        found = [difference for difference in self._desk.differences() if difference.settled]
        for difference in found:
            if difference.instrument in self._differing:
                name, lot = difference.instrument, self._desk.lot_of(difference.instrument)
                ours = difference.ours + difference.external
                self.report(position_difference(symbol_of(name), ours, difference.theirs, lot))
        self._differing = frozenset(difference.instrument for difference in found)

    def _look_at_bar(self, bar: Bar, bracket: Bracket) -> None:
        ticket = self._desk.ticket(bracket.ticket)
        atr = None if ticket is None or ticket.atr is None else ticket.atr * float(bracket.ratio)
        before = self._desk.picture.last(bar.instrument)
        self.report(price_move(symbol_of(bar.instrument), before, bar.high, bar.low, atr))

    def _look_at_spread(self, quote: Quote) -> None:
        ratio, now = quote.spread_ratio, self._desk.clock.now_us()
        if ratio is None:
            return
        spreads = self._spreads.get(quote.instrument)
        if spreads is None:
            spreads = self._spreads[quote.instrument] = _Spreads(-SAMPLE_US, deque(maxlen=SAMPLES))
        self.report(wide_spread(symbol_of(quote.instrument), spreads.ratios, ratio))
        if now - spreads.sampled_us >= SAMPLE_US:
            spreads.sampled_us = now
            spreads.ratios.append(ratio)


def _number(features: tuple[FeatureValue, ...], name: str) -> float:
    """A feature as the ticket was judged with it; NaN where it is missing."""
    value = next((feature.value for feature in features if feature.id == name), None)
    return float("nan") if value is None else value
