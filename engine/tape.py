"""Bars of five minutes made from the stream, for charts only: no decision, no stop and no mark reads them.

Written by `take` alone. They are kept for the current session and the one before it and begin empty after a
restart. A bar is of the trades told in its five minutes; where there was none, of the middles of the quotes.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from engine.model.ids import InstrumentId
from engine.model.market import CorporateAction, MarketBatch, SessionPhase

PERIOD_US = 300_000_000
MAX_BARS = 576
"""Of one instrument: two days around the clock. A stock's two sessions have 156."""
MAX_INSTRUMENTS = 5_000
"""Those that come after so many others have no bars."""
_COLUMNS = 5


@dataclass(frozen=True, slots=True)
class TapeBars:
    """Oldest first, all of one length. `ts`: when each bar began; prices in today's dollars."""

    ts: tuple[int, ...]
    open: tuple[float, ...]
    high: tuple[float, ...]
    low: tuple[float, ...]
    close: tuple[float, ...]


class _Strip:
    """One instrument: whole bars in one flat array, and the one that is being made."""

    __slots__ = ("close", "done", "has_trade", "high", "low", "open", "start")

    def __init__(self, start: int, price: float) -> None:
        self.done = array("d")
        """ts, open, high, low, close of each whole bar; a float64 holds every microsecond until 2255."""
        self.begin(start, price)

    def begin(self, start: int, price: float) -> None:
        self.start = start
        self.open = self.high = self.low = self.close = price
        self.has_trade = False

    def end(self) -> None:
        self.done.extend((self.start, self.open, self.high, self.low, self.close))
        if len(self.done) > MAX_BARS * _COLUMNS:
            del self.done[: len(self.done) - MAX_BARS * _COLUMNS]


class Tape:
    """The bars of every instrument that the stream spoke of in two sessions."""

    def __init__(self) -> None:
        self._strips: dict[InstrumentId, _Strip] = {}
        self._opened_us: int | None = None
        """When the current session opened."""

    def take(self, batch: MarketBatch) -> None:
        """Trades and quotes of one instant. Batches come in order of time."""
        if batch.actions:
            self._restate(batch.actions)
        if batch.phase is SessionPhase.OPEN:
            self._forget(batch.ts)
        start = batch.ts - batch.ts % PERIOD_US
        if batch.phase is SessionPhase.CLOSE and start == batch.ts:
            start -= PERIOD_US  # the closing print ends the last bar, it does not begin another
        for trade in batch.trades:
            self._print(trade.instrument, trade.price, start)
        for quote in batch.quotes:
            if quote.bid is not None and quote.ask is not None:
                self._see(quote.instrument, (quote.bid + quote.ask) / 2, start)

    def bars(self, instrument: InstrumentId) -> TapeBars | None:
        """With the bar that is being made as the last one; None without any."""
        strip = self._strips.get(instrument)
        if strip is None:
            return None
        last = (float(strip.start), strip.open, strip.high, strip.low, strip.close)
        flat = (*strip.done, *last)
        columns = [flat[column::_COLUMNS] for column in range(_COLUMNS)]
        return TapeBars(tuple(map(int, columns[0])), *columns[1:])

    def _print(self, instrument: InstrumentId, price: float, start: int) -> None:
        strip = self._strip(instrument, price, start)
        if strip is None:
            return
        if not strip.has_trade:
            strip.open = strip.high = strip.low = price  # what quotes drew before it no longer counts
            strip.has_trade = True
        elif price > strip.high:
            strip.high = price
        elif price < strip.low:
            strip.low = price
        strip.close = price

    def _see(self, instrument: InstrumentId, middle: float, start: int) -> None:
        strip = self._strip(instrument, middle, start)
        if strip is None or strip.has_trade:
            return
        if middle > strip.high:
            strip.high = middle
        elif middle < strip.low:
            strip.low = middle
        strip.close = middle

    def _strip(self, instrument: InstrumentId, price: float, start: int) -> _Strip | None:
        """Where a price of the bar that begins at `start` belongs; None for no price, or no room."""
        if not isfinite(price):
            return None
        strip = self._strips.get(instrument)
        if strip is None:
            if len(self._strips) >= MAX_INSTRUMENTS:
                return None
            strip = self._strips[instrument] = _Strip(start, price)
        elif strip.start < start:
            strip.end()
            strip.begin(start, price)
        return strip

    def _restate(self, actions: Iterable[CorporateAction]) -> None:
        """What was told before the actions, in dollars of after them."""
        for action in actions:
            strip = self._strips.get(action.instrument)
            if strip is None:
                continue
            ratio, done = action.ratio, strip.done
            for at in range(len(done)):
                if at % _COLUMNS:
                    done[at] *= ratio
            strip.open, strip.high = strip.open * ratio, strip.high * ratio
            strip.low, strip.close = strip.low * ratio, strip.close * ratio

    def _forget(self, opened_us: int) -> None:
        """At an opening: bars from before the opening before it, and instruments that told nothing since."""
        before, self._opened_us = self._opened_us, opened_us
        if before is None or before >= opened_us:
            return
        first = before - before % PERIOD_US
        for instrument, strip in list(self._strips.items()):
            if strip.start < first:
                del self._strips[instrument]
                continue
            done = strip.done
            old = sum(1 for at in range(0, len(done), _COLUMNS) if done[at] < first)
            del done[: old * _COLUMNS]
