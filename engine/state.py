"""The one live picture of the market: current quotes, last prices, and where the session stands."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from math import isfinite

from engine.model.ids import InstrumentId
from engine.model.market import Book, CorporateAction, Headline, MarketBatch, Quote, SessionPhase
from engine.model.text import clean, legible
from engine.money import to_decimal

HEADLINES_US = 72 * 3_600_000_000
"""How long a headline is kept, by its `ts_event`: what the NewsSentry looks back (SPEC 3.4)."""
MAX_HEADLINES = 200
"""Of one instrument; of more, the oldest go, and nobody knows whether bad news was among them."""
MAX_TITLE = 1_000
"""Characters of a headline that are kept; what stood beyond them nobody read."""
MAX_SOURCE = 40
"""Characters of a headline's source that are kept."""


class LivePicture:
    """Written by `take` alone; everything else reads."""

    def __init__(self) -> None:
        self.ts = 0
        self.session: date | None = None
        self.phase: SessionPhase | None = None
        self._quotes: dict[InstrumentId, Quote] = {}
        self._last: dict[InstrumentId, float] = {}
        self._heard_us: dict[InstrumentId, int] = {}
        """When the market last spoke of an instrument, by `MarketBatch.ts`."""
        self._seeded: set[InstrumentId] = set()
        """Those whose last price is not of this market."""
        self._ratios: dict[InstrumentId, float] = {}
        self._headlines: dict[InstrumentId, deque[Headline]] = {}
        self._books: dict[InstrumentId, Book] = {}

    def restate(self, actions: Iterable[CorporateAction]) -> None:
        """Last prices in the dollars of after the actions, before one is compared with a restated stop."""
        for action in actions:
            if action.instrument in self._last:
                self._last[action.instrument] *= action.ratio

    def take(self, batch: MarketBatch) -> None:
        """Everything of one instant. An opening starts a new session: quotes of the last one are gone."""
        if batch.phase is SessionPhase.OPEN:
            self._drop_headlines(batch.ts - HEADLINES_US)
            self._quotes.clear()
            self._ratios = {action.instrument: action.ratio for action in batch.actions}
        for quote in batch.quotes:
            self._quotes[quote.instrument] = sound = _sound(quote)
            if sound.bid is not None or sound.ask is not None:
                self._heard_us[quote.instrument] = batch.ts
        for trade in batch.trades:
            self._mark(trade.instrument, trade.price, batch.ts)
        for bar in batch.bars:
            self._mark(bar.instrument, bar.close, batch.ts)
        for book in batch.books:
            self._books[book.instrument] = book
        for headline in batch.headlines:
            self._file(headline)
        self.ts = batch.ts
        self.session = batch.session if batch.session is not None else self.session
        self.phase = batch.phase if batch.phase is not None else self.phase

    def _mark(self, instrument: InstrumentId, price: float, ts: int) -> None:
        """What is no price tells nothing: the last one stands, and grows old."""
        if isfinite(price) and price > 0:
            self._last[instrument] = price
            self._heard_us[instrument] = ts
            self._seeded.discard(instrument)

    def _file(self, headline: Headline) -> None:
        """Its words come from outside: from here on they are harmless to show and to store."""
        title = legible(headline.title, MAX_TITLE)
        safe = replace(headline, title=title, source=clean(headline.source, MAX_SOURCE))
        for instrument in headline.instruments:
            self._headlines.setdefault(instrument, deque(maxlen=MAX_HEADLINES)).append(safe)

    def _drop_headlines(self, before_us: int) -> None:
        for instrument, kept in list(self._headlines.items()):
            young = [headline for headline in kept if headline.ts_event > before_us]
            if young:
                self._headlines[instrument] = deque(young, maxlen=MAX_HEADLINES)
            else:
                del self._headlines[instrument]

    def restore(self, session: date, phase: SessionPhase) -> None:
        """Where the session stood when the process ended; prices come with the market."""
        self.session, self.phase = session, phase

    def seed(self, instrument: InstrumentId, price: float) -> None:
        """A last price from before the start, where the market has not spoken yet: good for marks only."""
        if instrument not in self._last:
            self._last[instrument] = price
            self._seeded.add(instrument)

    def forget(self, instrument: InstrumentId) -> None:
        """Its last price is in dollars of another day: unknown until the market speaks."""
        self._last.pop(instrument, None)
        self._seeded.discard(instrument)

    @property
    def is_session_open(self) -> bool:
        """Between the opening and the closing batch of a session."""
        return self.phase is SessionPhase.OPEN

    @property
    def quotes(self) -> Mapping[InstrumentId, Quote]:
        """Current quotes of this session."""
        return self._quotes

    @property
    def ratios(self) -> Mapping[InstrumentId, float]:
        """Corporate-action ratios of this session's ex-date."""
        return self._ratios

    def quote(self, instrument: InstrumentId) -> Quote | None:
        """The current quote; None without one in this session."""
        return self._quotes.get(instrument)

    def last(self, instrument: InstrumentId) -> float | None:
        """The last price in today's dollars; None when never seen."""
        return self._last.get(instrument)

    def headlines(self, instrument: InstrumentId) -> Sequence[Headline]:
        """Of the last three days at least, in the order they came; some may be known later than now."""
        return tuple(self._headlines.get(instrument, ()))

    def book(self, instrument: InstrumentId) -> Book | None:
        """The newest resting orders; None when never told."""
        return self._books.get(instrument)

    def is_heard(self, instrument: InstrumentId, since_us: int) -> bool:
        """Whether the market spoke of it since then: a quote says that the last price still is the last."""
        return self._heard_us.get(instrument, since_us - 1) >= since_us

    def is_seeded(self, instrument: InstrumentId) -> bool:
        """Whether its last price is from before the start, not of this market."""
        return instrument in self._seeded

    def last_decimal(self, instrument: InstrumentId) -> Decimal | None:
        """`last` as an exact decimal."""
        last = self._last.get(instrument)
        return None if last is None else to_decimal(last)


def _sound(quote: Quote) -> Quote:
    """A side that is no price is missing."""
    bid, ask = _side(quote.bid), _side(quote.ask)
    return quote if bid is quote.bid and ask is quote.ask else replace(quote, bid=bid, ask=ask)


def _side(price: float | None) -> float | None:
    return price if price is not None and isfinite(price) and price > 0 else None
