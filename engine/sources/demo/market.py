"""The built-in simulated market: stocks, tokens and crypto venues as one deterministic stream.

Everything it tells carries the provenance `synthetic`. What it tells depends on the seed, the exchange
calendar, the first session and the profile of the walk alone: whoever reads it from any instant on hears
exactly what everybody else hears.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.model.hearing import EVERYTHING, Ear
from engine.model.ids import InstrumentId, instrument_id
from engine.model.market import FeedState, Instrument, MarketBatch
from engine.model.tokens import TokenId
from engine.sources.demo.days import HISTORY
from engine.sources.demo.diary import Calendar
from engine.sources.demo.digest import digest_of
from engine.sources.demo.intraday import UNIT
from engine.sources.demo.joining import joined
from engine.sources.demo.stocks import StockStream
from engine.sources.demo.tokens import TokenStream
from engine.sources.demo.universe import NAMES, SECTORS, SPY, VIX
from engine.sources.demo.venues import PAIRS, VENUES, VenueStream
from engine.sources.demo.walk import DemoWalk

if TYPE_CHECKING:  # both need numpy; the simulation runs on any bare Python
    from engine.ports import BarColumns
    from engine.sources.demo.columns import DemoHistory

_TICK, _SMALL_TICK = Decimal("0.01"), Decimal("0.0001")
_INDEXES = {"SPY": SPY, "VIX": VIX}
_KEPT_HISTORIES = 4
"""Today's, yesterday's, and those of positions held longer that a person looks at."""


class DemoMarket:
    """`engine.ports.Source`, and all that a run needs to know beside the stream."""

    name = "demo"

    def __init__(self, seed: int, sessions: Calendar, first: date, walk: DemoWalk) -> None:
        """`first`: the first session shown, or the next one. Raises UsageError where there is none."""
        self._made_of = (seed, sessions, first, walk)
        self._stocks = StockStream(seed, sessions, first)
        self.start_us = self._stocks.start_us
        """Where the clock starts: 60 s before the first open."""
        self.first = self._stocks.first
        self._tokens = TokenStream(seed, self.start_us, walk)
        self._venues = VenueStream(seed, self.start_us)
        self._ticks = _Ticks(self._stocks)
        self._histories: dict[date, DemoHistory] = {}
        self.instruments: Mapping[InstrumentId, Instrument] = self._ticks
        """Tick and lot of what can be traded; a stock's tick is that of the session that is read."""

    async def batches(self, after_us: int, ear: Ear = EVERYTHING) -> AsyncIterator[MarketBatch]:
        """All batches later than `after_us`, as far as heard."""
        for batch in self.read(after_us, ear):
            yield batch

    def read(self, after_us: int = -1, ear: Ear = EVERYTHING) -> Iterator[MarketBatch]:
        """The same without a loop to run on. It ends where the exchange calendar ends."""
        others = (self._tokens.batches(after_us, ear), self._venues.batches(after_us, ear))
        for batch in joined(self._stocks.batches(after_us), others):
            self._ticks.reach(batch)
            yield batch

    def history(self, session: date) -> "DemoHistory":
        """Daily bars of all companies from before a session; those of the last few asked for are kept."""
        # numpy is loaded by whoever runs strategies, not by the simulation.
        from engine.sources.demo.columns import DemoHistory, LazyColumns

        if session not in self._histories:
            days, rows = self._stocks.diary.before(session)
            self._histories[session] = DemoHistory(LazyColumns(days, rows, SECTORS) if days else {})
            if len(self._histories) > _KEPT_HISTORIES:
                del self._histories[next(iter(self._histories))]
        return self._histories[session]

    def index(self, name: str, session: date) -> "BarColumns | None":
        """VIX or SPY from before a session. Raises KeyError for another name."""
        from engine.sources.demo.columns import columns_of  # numpy, as above

        instrument = _INDEXES[name]
        days, rows = self._stocks.diary.before(session)
        return columns_of(instrument, days, rows[instrument]) if days else None

    def sector_of(self, instrument: InstrumentId) -> str | None:
        """A word of at most seven letters; None for what is no company."""
        return SECTORS.get(instrument)

    def name_of(self, instrument: InstrumentId) -> str:
        """The company's name; of what is not listed its id."""
        return NAMES.get(instrument, str(instrument))

    def token_prices(self, token: TokenId, now_us: int, count: int) -> tuple[tuple[int, float], ...]:
        """(ts, price in USD) of the last `count` closes of five minutes known at `now_us`, oldest first."""
        return self._tokens.prices(token, now_us, count)

    def feeds(self) -> tuple[FeedState, ...]:
        """Each stream and when it last told something."""
        return (*self._stocks.feeds(), *self._tokens.feeds(), *self._venues.feeds())

    def digest(self, session: date) -> str:
        """Of everything from the close before a shown session (the start for the first) to its close."""
        # A market of its own: what `feeds` counts and `instruments` says stays as the reader left it.
        twin = DemoMarket(*self._made_of)
        after_us, until_us = twin._hours(session)
        stocks = twin._stocks.batches(after_us)
        return digest_of(stocks, (twin._tokens.states(after_us), twin._venues.states(after_us)), until_us)

    def _hours(self, session: date) -> tuple[int, int]:
        """The instants between which a shown session's day lies: after the first, up to the second."""
        number, after_us = HISTORY, self.start_us - 1
        while (hours := self._stocks.diary.session(number)) is not None and hours.day < session:
            number, after_us = number + 1, hours.close_us
        if hours is None or hours.day != session:
            raise ValueError(f"{session} is no session of the demo market, which starts {self.first.day}")
        return after_us, hours.close_us


class _Ticks(Mapping[InstrumentId, Instrument]):
    """Cents, or 0.0001 for what opened below one dollar; written by `reach` alone."""

    def __init__(self, stocks: StockStream) -> None:
        self._instruments = {pair.id: pair for pair in _pairs()}
        for name, one in stocks.diary.day(HISTORY).items():
            self._set(name, one.nodes[0])

    def reach(self, batch: MarketBatch) -> None:
        """An opening sets the ticks of its session."""
        for trade in batch.trades:
            if trade.is_open:
                self._set(trade.instrument, round(trade.price * UNIT))

    def _set(self, name: InstrumentId, units: int) -> None:
        if name != VIX:
            self._instruments[name] = Instrument(name, tick_size=_TICK if units >= UNIT else _SMALL_TICK)

    def __getitem__(self, instrument: InstrumentId) -> Instrument:
        return self._instruments[instrument]

    def __iter__(self) -> Iterator[InstrumentId]:
        return iter(self._instruments)

    def __len__(self) -> int:
        return len(self._instruments)


def _pairs() -> Iterator[Instrument]:
    """What is quoted at the crypto venues."""
    for pair in PAIRS:
        for venue in VENUES:
            yield Instrument(
                instrument_id(pair.symbol, venue),
                tick_size=1 / Decimal(pair.ticks_per_usd),
                lot_size=1 / Decimal(pair.lots_per_coin),
            )
