"""Batches of one window come as one, openings and closings alone, tokens only so often."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from engine.backtest.gathering import Gathered, gathered
from engine.backtest.pace import EVE_US
from engine.model.hearing import Ear
from engine.model.ids import InstrumentId, instrument_id
from engine.model.market import Book, MarketBatch, Provenance, Quote, Session, SessionPhase
from engine.model.tokens import TokenId

S = 1_000_000
OPEN_US = 1_000_000 * S
"""On a whole minute would be 1_000_020 s; the windows are of the clock, not of the session."""
CLOSE_US = OPEN_US + 600 * S
DAY = date(2026, 3, 2)
ABC: InstrumentId = instrument_id("ABC")


class OneSession:
    """A calendar that ends after one session."""

    def between(self, first: date, last: date) -> Sequence[Session]:
        raise NotImplementedError

    def on(self, day: date) -> Session | None:
        raise NotImplementedError

    def next_after(self, ts: int) -> Session | None:
        return Session(DAY, OPEN_US, CLOSE_US) if ts < CLOSE_US else None


class Listed:
    """A source of given batches."""

    name = "listed"

    def __init__(self, batches: Sequence[MarketBatch]) -> None:
        self._batches = batches

    async def batches(self, after_us: int, ear: Ear) -> AsyncIterator[MarketBatch]:
        times = [batch.ts for batch in self._batches]
        for batch, next_us in zip(self._batches, [*times[1:], 2 * times[-1]], strict=True):
            if batch.ts > after_us:
                tokens = tuple(token for token in batch.tokens if ear.takes_token(token.id, batch.ts))
                books = batch.books if ear.takes_books(batch.ts, next_us) else ()
                yield replace(batch, tokens=tokens, books=books)


def quote(ts: int) -> MarketBatch:
    return MarketBatch(ts, quotes=(Quote(ABC, 9.0, 9.01, ts, ts, Provenance.SYNTHETIC),))


def told(batches: Sequence[MarketBatch], after_us: int = -1) -> list[MarketBatch]:
    async def go() -> list[MarketBatch]:
        return [batch async for batch in Gathered(Listed(batches), OneSession()).batches(after_us)]

    return asyncio.run(go())


def test_a_session_is_looked_at_every_two_seconds() -> None:
    batches = [quote(OPEN_US + at * S // 2) for at in range(1, 9)]
    found = told(batches)
    assert [batch.ts - OPEN_US for batch in found] == [2 * S, 4 * S]
    assert [len(batch.quotes) for batch in found] == [4, 4]
    assert [q.ts_event for q in found[0].quotes] == [batch.ts for batch in batches[:4]]


def test_a_night_is_looked_at_every_minute_and_its_last_minute_every_two_seconds() -> None:
    night = [quote(ts) for ts in range(OPEN_US - EVE_US - 120 * S, OPEN_US - EVE_US, 10 * S)]
    eve = [quote(ts) for ts in range(OPEN_US - EVE_US + S, OPEN_US - EVE_US + 9 * S, S)]
    ages = [(batch.ts - OPEN_US) // S for batch in told([*night, *eve])]
    assert ages == [-160, -100, -70, -58, -56, -54, -52]


def test_openings_and_closings_are_instants_of_their_own() -> None:
    opening = MarketBatch(OPEN_US, session=DAY, phase=SessionPhase.OPEN)
    closing = MarketBatch(CLOSE_US, session=DAY, phase=SessionPhase.CLOSE)
    before, after, last = quote(OPEN_US - S // 2), quote(OPEN_US + S // 2), quote(CLOSE_US - S // 2)
    assert told([before, opening, after, last, closing]) == [before, opening, after, last, closing]


def test_the_windows_are_the_same_wherever_one_begins_to_read() -> None:
    batches = [quote(OPEN_US + at * S // 2) for at in range(1, 40)]
    whole = told(batches)
    assert told(batches, whole[4].ts) == whole[5:]
    assert told(batches, whole[4].ts - 1)[0].ts == whole[4].ts


class Token:
    """What the gathering reads of a snapshot."""

    def __init__(self, name: str) -> None:
        self.id = TokenId(name)


@pytest.mark.parametrize(("from_us", "step_s"), [(OPEN_US, 120), (CLOSE_US, 300)])
def test_a_token_is_looked_at_only_so_often(from_us: int, step_s: int) -> None:
    def batch(ts: int, *names: str) -> MarketBatch:
        return MarketBatch(ts, tokens=tuple(map(Token, names)))  # type: ignore[arg-type]  # only ids are read

    begin, names = from_us + 20 * S, [f"t{number}" for number in range(32)]
    seen: dict[str, list[int]] = {}
    for one in told([batch(begin + at * 60 * S, *names) for at in range(4 * step_s // 60)]):
        for token in one.tokens:
            seen.setdefault(token.id, []).append((one.ts - begin) // S)
    assert set(seen) == set(names)
    for times in seen.values():
        assert times[0] == 0
        assert 60 <= times[1] <= step_s, "the second look comes early, or all would come at once"
        assert {later - sooner for sooner, later in pairwise(times[1:])} == {step_s}
    assert len({times[1] for times in seen.values()}) == step_s // 60


@pytest.mark.parametrize(("from_us", "seconds"), [(OPEN_US, [2, 4, 6]), (CLOSE_US, [60, 120])])
def test_books_are_those_of_the_end_of_a_window(from_us: int, seconds: list[int]) -> None:
    begin = from_us - from_us % (60 * S) + 60 * S
    batches = [
        MarketBatch(begin + at * S, books=(Book(ABC, (), (), at, at, Provenance.SYNTHETIC),))
        for at in range(1, seconds[-1] + 1)
    ]
    books = [book for batch in told(batches) for book in batch.books]
    assert [book.ts_event for book in books] == seconds


def test_everything_of_a_window_is_kept_in_its_order(instant: Callable[[int], Any]) -> None:
    one, two = instant(1), instant(2)
    both = gathered([one, two])
    assert (both.ts, both.session) == (2, DAY)
    for name in ("actions", "bars", "trades", "quotes", "books", "headlines", "tokens", "posts"):
        assert getattr(both, name) == getattr(one, name) + getattr(two, name)


@pytest.fixture
def instant() -> Callable[[int], MarketBatch]:
    """A batch with one mark in each of its lists."""

    def make(ts: int) -> MarketBatch:
        def mark(name: str) -> Any:
            return (f"{name} {ts}",)

        names = ("actions", "bars", "trades", "quotes", "books", "headlines", "tokens", "posts")
        return MarketBatch(ts, session=DAY if ts == 1 else None, **{name: mark(name) for name in names})

    return make
