"""How far prices went against and for each position while it was held (SPEC 3.10, 9.2: MAE and MFE).

Kept in the journal at each close and when a position ends; of a session that a restart cut in two the day's
bar tells the rest.
"""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from engine.execution.bracket import ONE, Bracket
from engine.execution.matching import Coverage, Resting, coverage_of
from engine.execution.orders import Brackets
from engine.model.events import MarketMoved, RoundTripClosed
from engine.model.ids import CorrelationId, InstrumentId, TicketId
from engine.model.market import Bar, MarketBatch, SessionPhase
from engine.money import ZERO, to_decimal
from engine.ports import Journal, JournalRow

TABLE = "excursion"
PLACES = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Excursion:
    """The lowest and the highest price while it was held, in entry-day dollars."""

    correlation: CorrelationId
    low: Decimal
    high: Decimal

    def reaching(self, *prices: Decimal) -> "Excursion":
        """With further prices that were reached."""
        return Excursion(self.correlation, min(self.low, *prices), max(self.high, *prices))


class Excursions:
    """A listener of the bus."""

    name = "excursions"

    def __init__(self, journal: Journal, brackets: Brackets, resting: Resting) -> None:
        """`resting`: whether only whole bars count, or each price."""
        self._journal = journal
        self._brackets = brackets
        self._resting = resting
        self._of: dict[TicketId, Excursion] = {}
        """Of positions that prices were told of in this process."""
        self._written: dict[TicketId, Excursion] = {}
        self._told: set[TicketId] = set()
        """Of which prices were told in the session that is under way."""

    def hear(self, event: MarketMoved | RoundTripClosed) -> None:
        """Widen what an open position reached; write it down at closes and at its end. StorageError."""
        if isinstance(event, RoundTripClosed):
            trip = event.round_trip
            known = self._known(trip.ticket, trip.correlation, trip.entry_price)
            self._of.pop(trip.ticket, None)
            self._written.pop(trip.ticket, None)
            self._told.discard(trip.ticket)
            self._write({trip.ticket: known.reaching(trip.entry_price, trip.exit_price)})
            return
        self._observe(event.batch)

    def _observe(self, batch: MarketBatch) -> None:
        is_close = batch.phase is SessionPhase.CLOSE
        if not is_close and self._resting is Resting.BARS:
            return
        held = [bracket for bracket in self._brackets.open() if bracket.position > ZERO]
        names = {bracket.instrument for bracket in held}
        prices = {} if is_close else _told_prices(batch, names)
        bars = {bar.instrument: bar for bar in batch.bars} if is_close else {}
        for bracket in held:
            self._reach(bracket, prices.get(bracket.instrument, []), bars.get(bracket.instrument))
        if is_close:
            self._told.clear()
            changed = {k: v for k, v in self._of.items() if self._written.get(k) != v}
            self._write(changed)
            self._written |= changed

    def _reach(self, bracket: Bracket, prices: list[Decimal], bar: Bar | None) -> None:
        reached = [*prices, *self._of_bar(bracket, bar)]
        if prices:
            self._told.add(bracket.ticket)
        if reached:
            own = [_own(price, bracket) for price in reached]
            known = self._known(bracket.ticket, bracket.correlation, own[0])
            self._of[bracket.ticket] = known.reaching(*own)

    def _known(self, ticket: TicketId, correlation: CorrelationId, price: Decimal) -> Excursion:
        """What is known of a position, from before a restart too; else the one price."""
        known = self._of.get(ticket)
        if known is None:
            for row in self._journal.rows(TABLE, ticket=ticket):
                return Excursion(correlation, Decimal(str(row["low_px"])), Decimal(str(row["high_px"])))
            return Excursion(correlation, price, price)
        return known

    def _of_bar(self, bracket: Bracket, bar: Bar | None) -> list[Decimal]:
        """What of a whole bar the position is proved to have seen."""
        if bar is None:
            return []
        filled_us = bracket.first_fill_us or bracket.opened_us
        within = coverage_of(filled_us, True, bar.ts_open) is Coverage.WITHIN
        if within and bracket.ticket in self._told:
            return []
        top = bar.close if within else bar.high
        return [to_decimal(price) for price in (bar.low, top) if isfinite(price) and price > 0]

    def _write(self, changed: dict[TicketId, Excursion]) -> None:
        if changed:
            self._journal.commit([_row(ticket, found) for ticket, found in changed.items()], (), True)


def _told_prices(batch: MarketBatch, names: Collection[InstrumentId]) -> dict[InstrumentId, list[Decimal]]:
    """What these could be sold at: prints, and bids."""
    found: dict[InstrumentId, list[Decimal]] = {}
    told = [(trade.instrument, trade.price) for trade in batch.trades]
    told += [(quote.instrument, quote.bid) for quote in batch.quotes if quote.bid is not None]
    for instrument, price in told:
        if instrument in names and isfinite(price) and price > 0:
            found.setdefault(instrument, []).append(to_decimal(price))
    return found


def _own(price: Decimal, bracket: Bracket) -> Decimal:
    """A price of today in entry-day dollars."""
    return price if bracket.ratio == ONE else (price / bracket.ratio).quantize(PLACES)


def _row(ticket: TicketId, found: Excursion) -> JournalRow:
    return JournalRow(
        TABLE,
        {
            "ticket": ticket,
            "correlation": found.correlation,
            "low_px": format(found.low, "f"),
            "high_px": format(found.high, "f"),
        },
    )
