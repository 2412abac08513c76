"""Three crypto pairs with order books on two venues of the demo market, in whole ticks and lots."""

from collections.abc import Iterator
from dataclasses import dataclass

from engine.model.hearing import EVERYTHING, Ear
from engine.model.ids import instrument_id
from engine.model.market import Book, FeedState, MarketBatch, Provenance, Quote
from engine.sources.demo.chance import stream
from engine.sources.demo.coins import COIN_BY_SYMBOL, MICRO_USD, STEP_US, Coin, CoinWalk
from engine.sources.demo.draws import BURSTS, NORMAL, between

VENUES = ("ALPHA", "BETA")
LEVELS = 20
FIRST_US = 500_000
"""The first books are told so long after the start, then every 5 seconds."""
MAX_AGE_US = 15_000_000
_SHAPES = 64
_LEADER_CATCHES = 90
_FOLLOWER_CATCHES = 45
"""Percent of its distance to the fair price that a venue makes good in 5 seconds."""
_LEAD_BITS = 8
"""The lead changes hands on average every 2**8 steps, about 21 minutes."""


@dataclass(frozen=True, slots=True)
class Pair:
    """How a pair is quoted: ticks and lots per unit, the half spread in ticks, the usual size in lots."""

    coin: Coin
    ticks_per_usd: int
    lots_per_coin: int
    half_spread: int
    level_ticks: int
    size_lots: int

    @property
    def symbol(self) -> str:
        """Such as BTC/USD."""
        return f"{self.coin.symbol}/USD"


PAIRS = (
    Pair(COIN_BY_SYMBOL["BTC"], 10, 10_000, 12, 9, 3_000),
    Pair(COIN_BY_SYMBOL["ETH"], 100, 1_000, 6, 5, 6_000),
    Pair(COIN_BY_SYMBOL["SOL"], 1_000, 100, 8, 6, 9_000),
)

Shape = tuple[tuple[int, int], ...]
"""Distance from the best price in ticks, rising from 0, and size in lots, of each level."""


class _Market:
    """One pair at both venues."""

    def __init__(self, seed: int, pair: Pair) -> None:
        self.pair = pair
        self.instruments = tuple(instrument_id(pair.symbol, venue) for venue in VENUES)
        self._walk = CoinWalk(seed, pair.coin)
        self._rng = stream(seed, "venues", pair.symbol)
        self._mids = [self._walk.price, self._walk.price]
        self._leader = 0
        self.shapes = tuple(self._shape() for _ in range(_SHAPES))
        self.aways = tuple(tuple(away for away, _ in shape) for shape in self.shapes)
        self.sizes = tuple(tuple(lots / pair.lots_per_coin for _, lots in shape) for shape in self.shapes)
        """The sizes of the shapes in coins."""

    def _shape(self) -> Shape:
        rng, pair = self._rng, self.pair
        away, levels = 0, []
        for at in range(LEVELS):
            size = pair.size_lots * BURSTS[rng.getrandbits(10)] * (LEVELS + 2 * at) // (1000 * LEVELS)
            levels.append((away, max(1, size)))
            away += between(rng, 1, 2 * pair.level_ticks)
        return tuple(levels)

    def step(self) -> tuple[tuple[int, int, int, int], ...]:
        """5 seconds on: at each venue best bid and ask in ticks, and the numbers of the two shapes."""
        fair = self._walk.step()
        pair = self.pair
        told = []
        for venue in range(2):
            bits = self._rng.getrandbits(40)
            if not venue and not bits & (1 << _LEAD_BITS) - 1:
                self._leader = 1 - self._leader
            catches = _LEADER_CATCHES if venue == self._leader else _FOLLOWER_CATCHES
            mid = self._mids[venue]
            noise = mid * NORMAL[bits >> 8 & 1023] // 60_000_000
            self._mids[venue] = mid = mid + (fair - mid) * catches // 100 + noise
            middle = mid * pair.ticks_per_usd // MICRO_USD
            half = max(1, pair.half_spread * BURSTS[bits >> 18 & 1023] // 1000)
            bid = middle - half
            told.append((bid, bid + half + max(1, half), bits >> 28 & 63, bits >> 34 & 63))
        return tuple(told)


class VenueStream:
    """Books and best quotes of each pair at both venues every 5 seconds from `start_us` on, for ever.

    The same seed and start give the same batches, wherever one begins to read.
    """

    def __init__(self, seed: int, start_us: int) -> None:
        self._seed = seed
        self._first_us = start_us + FIRST_US
        self._last_us: int | None = None
        self._batches = 0

    def batches(self, after_us: int, ear: Ear = EVERYTHING) -> Iterator[MarketBatch]:
        """All batches later than `after_us`, in strict order of `ts`, without end, as far as heard."""
        markets = [_Market(self._seed, pair) for pair in PAIRS]
        ts, self._batches = self._first_us, 0
        while True:
            steps = [market.step() for market in markets]
            if ts > after_us:
                books = _books(markets, steps, ts) if ear.takes_books(ts, ts + STEP_US) else ()
                yield MarketBatch(ts, books=books, quotes=_quotes(markets, steps, ts))
            self._last_us = ts
            self._batches += 1
            ts += STEP_US

    def states(self, after_us: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Time and whole numbers of each batch later than `after_us`, for a digest: prices and sizes."""
        markets = [_Market(self._seed, pair) for pair in PAIRS]
        ts = self._first_us
        while True:
            numbers: list[int] = []
            for market in markets:
                for bid, ask, bids, asks in market.step():
                    numbers += (bid, ask, market.shapes[bids][0][1], market.shapes[asks][0][1], bids, asks)
            if ts > after_us:
                yield ts, tuple(numbers)
            ts += STEP_US

    def feeds(self) -> tuple[FeedState, ...]:
        """The books of each venue."""
        note = f"{len(PAIRS)} pairs, {LEVELS} levels"
        messages = self._batches * len(PAIRS)
        return tuple(
            FeedState(f"{venue} books", self._last_us, MAX_AGE_US, messages, note) for venue in VENUES
        )


Told = list[tuple[tuple[int, int, int, int], ...]]


def _quotes(markets: list[_Market], steps: Told, ts: int) -> tuple[Quote, ...]:
    found = []
    for market, told in zip(markets, steps, strict=True):
        per = market.pair.ticks_per_usd
        for instrument, (bid, ask, _, _) in zip(market.instruments, told, strict=True):
            found.append(Quote(instrument, bid / per, ask / per, ts, ts, Provenance.SYNTHETIC))
    return tuple(found)


def _books(markets: list[_Market], steps: Told, ts: int) -> tuple[Book, ...]:
    found = []
    for market, told in zip(markets, steps, strict=True):
        per = market.pair.ticks_per_usd
        for instrument, (bid, ask, bid_shape, ask_shape) in zip(market.instruments, told, strict=True):
            below = [(bid - away) / per for away in market.aways[bid_shape]]
            above = [(ask + away) / per for away in market.aways[ask_shape]]
            bids = tuple(zip(below, market.sizes[bid_shape], strict=True))
            asks = tuple(zip(above, market.sizes[ask_shape], strict=True))
            found.append(Book(instrument, bids, asks, ts, ts, Provenance.SYNTHETIC))
    return tuple(found)
