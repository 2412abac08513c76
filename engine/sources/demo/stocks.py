"""Stocks, SPY, VIX and headlines of the demo market as one stream in order of time.

A session is told every two seconds. Stocks that opened 3 % lower today or in one of the last five sessions
are quoted every time, so that they can be bought and sold at any moment, all others every ten seconds. A
print is told at the end of each quarter of an hour and where the price moved, more of them when more is
traded. The daily bar of the closing batch has exactly the first, highest, lowest and last of those prints.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from random import Random

from engine.model.ids import InstrumentId
from engine.model.market import (
    Bar,
    FeedState,
    Headline,
    MarketBatch,
    Provenance,
    Quote,
    Session,
    SessionPhase,
    Trade,
)
from engine.sources.demo.chance import stream
from engine.sources.demo.days import HISTORY, StockDay
from engine.sources.demo.diary import US_PER_S, Calendar, Diary, blocks_of
from engine.sources.demo.headlines import headlines_of
from engine.sources.demo.intraday import (
    BLOCK_S,
    CENT,
    STEP_S,
    STEPS,
    UNIT,
    VARIANCE,
    VOLUME,
    path,
    shares,
)
from engine.sources.demo.universe import VIX

START_BEFORE_OPEN_US = 60 * US_PER_S
"""The clock of the demo starts this long before the first open."""
_SLOW = 5
"""Steps between two quotes of what is not followed closely."""
_BLOCK_US, _STEP_US = BLOCK_S * US_PER_S, STEP_S * US_PER_S
_QUOTE_AGE_US = 15 * US_PER_S
_NEWS_AGE_US = 3 * 86_400 * US_PER_S
_FACTORS = (1.6, 1.25, 1.1)
"""By how much a spread is wider in the first blocks of a session."""
_SYNTHETIC = Provenance.SYNTHETIC


@dataclass(slots=True)
class _Heard:
    """What a feed told so far."""

    messages: int = 0
    last_us: int | None = None

    def count(self, messages: int, ts: int) -> None:
        if messages:
            self.messages, self.last_us = self.messages + messages, ts


class StockStream:
    """`batches` may be read as often as wanted: the same instants always tell the same."""

    def __init__(self, seed: int, sessions: Calendar, first: date) -> None:
        """`first`: the first session shown. Raises UsageError when the calendar ends before it."""
        self._seed = seed
        self.diary = Diary(seed, sessions, first)
        opening = self.diary.session(HISTORY)
        assert opening is not None  # noqa: S101 - the diary refuses a calendar without it
        self.first = opening
        self.start_us = opening.open_us - START_BEFORE_OPEN_US
        self._quotes, self._news = _Heard(), _Heard()

    def batches(self, after_us: int) -> Iterator[MarketBatch]:
        """All batches later than `after_us`, strictly in order; ends where the exchange calendar ends."""
        for batch in self._read(max(after_us, self.start_us - 1)):
            yield batch
            # Counted when the next one is asked for: whoever joins streams asks for one before its time.
            self._quotes.count(len(batch.quotes) + len(batch.trades) + len(batch.bars), batch.ts)
            self._news.count(len(batch.headlines), batch.ts)

    def feeds(self) -> tuple[FeedState, ...]:
        """Quotes and headlines as told by the last `batches`."""
        return (
            FeedState("stocks", self._quotes.last_us, self._patience_us(), self._quotes.messages),
            FeedState("headlines", self._news.last_us, _NEWS_AGE_US, self._news.messages),
        )

    def _patience_us(self) -> int:
        """Silence is expected from a close to the next open."""
        last = self._quotes.last_us
        if last is None:
            return START_BEFORE_OPEN_US + _QUOTE_AGE_US
        following = self.diary.session(self.diary.first_after(last))
        if following is None or following.open_us <= last:
            return _QUOTE_AGE_US
        return following.open_us - last + _QUOTE_AGE_US

    def _read(self, after_us: int) -> Iterator[MarketBatch]:
        number = self.diary.first_after(after_us)
        while (session := self.diary.session(number)) is not None:
            day = _Day(self._seed, number, session, self.diary.day(number))
            yield from day.before_open(after_us, self.start_us)
            yield from day.inside(after_us)
            yield day.closing()
            number += 1


@dataclass(frozen=True, slots=True)
class _Run:
    """One stock in one block: prices in units at every `stride`th step from `first` on.

    They are told as quotes and prints step by step: all of a block at once would hold up whoever listens.
    """

    name: InstrumentId
    first: int
    stride: int
    prices: Sequence[int]
    spread: int | None
    """Whole ticks between bid and ask; None: nobody quotes it."""
    printed: frozenset[int]
    """Which of the prices are traded at."""


class _Day:
    """One session, told piece by piece."""

    def __init__(
        self, seed: int, number: int, session: Session, stocks: Mapping[InstrumentId, StockDay]
    ) -> None:
        self._seed, self._number, self._session, self._stocks = seed, number, session, stocks
        self._blocks = blocks_of(session)
        self._headlines = headlines_of(seed, number, session, stocks)
        self._roots = tuple(sqrt(share) for share in shares(VARIANCE, self._blocks))
        traded = shares(VOLUME, self._blocks)
        self._strides = tuple(max(1, min(4, round(max(traded) / share / 1.5))) for share in traded)

    def before_open(self, after_us: int, start_us: int) -> Iterator[MarketBatch]:
        """Headlines one by one; what was known before the start is told at the start."""
        told: dict[int, list[Headline]] = {}
        for headline in self._headlines:
            if headline.ts_known < self._session.open_us:
                told.setdefault(max(headline.ts_known, start_us), []).append(headline)
        for ts, headlines in told.items():
            if ts > after_us:
                yield MarketBatch(ts, headlines=tuple(headlines))

    def inside(self, after_us: int) -> Iterator[MarketBatch]:
        """The opening batch and one every two seconds until the close."""
        opened, day = self._session.open_us, self._session.day
        if opened > after_us:
            yield self._opening()
        said = self._said()
        for block in range(max(0, (after_us - opened) // _BLOCK_US), self._blocks):
            turns = _by_turn(self._block(block))
            start = opened + block * _BLOCK_US
            for step in range(STEPS):
                ts = start + step * _STEP_US
                if ts > after_us and ts > opened:
                    quotes, trades = _told(turns[step % _SLOW], step, ts)
                    yield MarketBatch(
                        ts, trades=trades, quotes=quotes, session=day, headlines=said.get(ts, ())
                    )

    def closing(self) -> MarketBatch:
        """The whole bars."""
        session = self._session
        bars = tuple(_bar(name, one, session) for name, one in self._stocks.items())
        return MarketBatch(session.close_us, bars=bars, session=session.day, phase=SessionPhase.CLOSE)

    def _said(self) -> dict[int, tuple[Headline, ...]]:
        """Headlines of the session by the batch that tells them, the first one after they are known."""
        opened = self._session.open_us
        told: dict[int, tuple[Headline, ...]] = {}
        for headline in self._headlines:
            if headline.ts_known >= opened:
                ts = opened + -(-(headline.ts_known - opened) // _STEP_US) * _STEP_US
                told[ts] = (*told.get(ts, ()), headline)
        return told

    def _opening(self) -> MarketBatch:
        ts, quotes, trades = self._session.open_us, [], []
        for name, one in self._stocks.items():
            price = one.nodes[0]
            trades.append(Trade(name, price / UNIT, ts, ts, _SYNTHETIC, is_open=True))
            if name != VIX:
                down, up = _around(price, self._spread(one, price, 0))
                quotes.append(Quote(name, down / UNIT, up / UNIT, ts, ts, _SYNTHETIC))
        return MarketBatch(
            ts, trades=tuple(trades), quotes=tuple(quotes), session=self._session.day, phase=SessionPhase.OPEN
        )

    def _spread(self, one: StockDay, price: int, block: int) -> int:
        """Whole ticks between bid and ask."""
        tick = CENT if price >= UNIT else 1
        factor = _FACTORS[block] if block < len(_FACTORS) else 1.0
        return max(1, int(price * one.spread_ratio * factor / tick + 0.5))

    def _block(self, block: int) -> list[_Run]:
        """What every stock does in a quarter of an hour."""
        random = stream(self._seed, "block", self._number, block)
        runs = []
        for place, (name, one) in enumerate(self._stocks.items()):
            first, stride = (0, 1) if one.is_followed else (place % _SLOW, _SLOW)
            prices = self._path(one, block, len(range(first, STEPS, stride)), random)
            spread = None if name == VIX else self._spread(one, prices[0], block)
            runs.append(_Run(name, first, stride, prices, spread, _printed(prices, self._strides[block])))
        return runs

    def _path(self, one: StockDay, block: int, count: int, random: Random) -> list[int]:
        first, last = one.nodes[block], one.nodes[block + 1]
        sigma = first * one.sigma * self._roots[block]
        is_last = block == self._blocks - 1
        return path(first, last, count, sigma, min(one.nodes), max(one.nodes), random, is_last)


def _by_turn(runs: Sequence[_Run]) -> tuple[list[_Run], ...]:
    """Those that have a price at each step of `_SLOW`, one step after the other."""
    return tuple([run for run in runs if (turn - run.first) % run.stride == 0] for turn in range(_SLOW))


def _told(runs: Iterable[_Run], step: int, ts: int) -> tuple[tuple[Quote, ...], tuple[Trade, ...]]:
    """Quotes and prints of one step."""
    quotes, trades = [], []
    for run in runs:
        at = (step - run.first) // run.stride
        price = run.prices[at]
        if run.spread is not None:
            down, up = _around(price, run.spread)
            quotes.append(Quote(run.name, down / UNIT, up / UNIT, ts, ts, _SYNTHETIC))
        if at in run.printed:
            trades.append(Trade(run.name, price / UNIT, ts, ts, _SYNTHETIC))
    return tuple(quotes), tuple(trades)


def _printed(prices: Sequence[int], stride: int) -> frozenset[int]:
    """Which of the prices are printed: the first, the last, and every `stride`th that moved."""
    moved = [at for at in range(1, len(prices)) if prices[at] != prices[at - 1]]
    return frozenset((0, *moved[::stride], len(prices) - 1))


def _around(price: int, spread: int) -> tuple[int, int]:
    """Bid and ask that many ticks apart, the price at or between them; never crossed, always positive."""
    if price >= UNIT:
        bid = price - spread // 2 * CENT
        return bid, bid + spread * CENT
    bid = max(1, price - spread // 2)
    ask = bid + spread
    return (bid, ask) if ask < UNIT else (bid, -(-ask // CENT) * CENT)


def _bar(name: InstrumentId, one: StockDay, session: Session) -> Bar:
    path = one.nodes
    return Bar(
        name,
        path[0] / UNIT,
        max(path) / UNIT,
        min(path) / UNIT,
        path[-1] / UNIT,
        float(one.volume),
        session.open_us,
        session.close_us,
        _SYNTHETIC,
    )
