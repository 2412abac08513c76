"""Many instants of a market told as one: what comes between two looks at it is handed over together.

A market of our own says something many times a second. Inside a session, and in the minute before, whoever
trades looks every two seconds; at night every minute. A token is looked at every two minutes, at night every
five: as often as a service that is asked for 150 of them would tell. Order books are those of the last moment
of an instant; the market is asked for no others, nor for tokens that nobody looks at. Where an instant ends
depends on the clock of the market alone, so a run is the same at each speed.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import chain
from typing import Protocol, TypeVar

from engine.backtest.pace import EVE_US
from engine.clock import US_PER_S
from engine.model.hearing import Ear
from engine.model.market import MarketBatch, Session
from engine.model.tokens import TokenId
from engine.ports import Sessions

T = TypeVar("T")
DAY_US = 2 * US_PER_S
NIGHT_US = 60 * US_PER_S
TOKEN_DAY_US = 120 * US_PER_S
TOKEN_NIGHT_US = 300 * US_PER_S
_TURNS = 16


class Heard(Protocol):
    """A market that tells only what an ear takes."""

    name: str

    def batches(self, after_us: int, ear: Ear) -> AsyncIterator[MarketBatch]:
        """All batches later than `after_us`."""
        ...


class Gathered:
    """`engine.ports.Source`: the batches of a market, those of one window together at its last instant.

    Openings and closings stay instants of their own.
    """

    def __init__(self, source: Heard, sessions: Sessions) -> None:
        self.name = source.name
        self._source = source
        self._windows = _Windows(sessions)
        # A market asks ahead of its time, of each of its streams as far as it has come with that one.
        self._of_tokens, self._of_books = _Windows(sessions), _Windows(sessions)
        self._due_us: dict[TokenId, int] = {}

    async def batches(self, after_us: int) -> AsyncIterator[MarketBatch]:
        """All batches later than `after_us`."""
        found: list[MarketBatch] = []
        end_us = 0
        async for batch in self._source.batches(after_us, self):
            if found and (batch.ts > end_us or batch.phase is not None):
                yield gathered(found)
                found = []
            if not found:
                end_us = self._windows.end_of(batch.ts)
            found.append(batch)
            if batch.phase is not None:
                yield found.pop()
        if found:
            yield gathered(found)

    def takes_token(self, token: TokenId, ts: int) -> bool:
        """Whether it was not looked at a moment ago."""
        due_us = self._due_us.get(token, 0)
        if due_us > ts:
            return False
        pause_us = TOKEN_NIGHT_US if self._of_tokens.is_night(ts) else TOKEN_DAY_US
        if not due_us:
            # Those that are first heard of at one instant are not all looked at again at another.
            pause_us = pause_us * (1 + len(self._due_us) % _TURNS) // _TURNS
        self._due_us[token] = ts + pause_us
        return True

    def takes_books(self, ts: int, next_us: int) -> bool:
        """Whether no later ones come in the same window."""
        return next_us > self._of_books.end_of(ts)


class _Windows:
    """Which window an instant lies in; asked in order of time."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._next: Session | None = None

    def _eve_us(self, ts: int) -> int | None:
        """When the minute before the next open begins; None where no session follows."""
        if self._next is None or ts >= self._next.close_us:
            self._next = self._sessions.next_after(ts)
        return None if self._next is None else self._next.open_us - EVE_US

    def is_night(self, ts: int) -> bool:
        """Whether nobody trades: from a close to the minute before an open."""
        eve_us = self._eve_us(ts)
        return eve_us is None or ts <= eve_us

    def end_of(self, ts: int) -> int:
        """The last instant of the window that `ts` lies in."""
        eve_us = self._eve_us(ts)
        is_night = eve_us is None or ts <= eve_us
        step_us = NIGHT_US if is_night else DAY_US
        end_us = -(-ts // step_us) * step_us
        return end_us if eve_us is None or not is_night else min(end_us, eve_us)


def gathered(batches: Sequence[MarketBatch]) -> MarketBatch:
    """All of them as one at the last instant, everything in its order of time."""
    if len(batches) == 1:
        return batches[0]
    last = batches[-1]
    return MarketBatch(
        ts=last.ts,
        actions=_all(batch.actions for batch in batches),
        bars=_all(batch.bars for batch in batches),
        trades=_all(batch.trades for batch in batches),
        quotes=_all(batch.quotes for batch in batches),
        session=next((batch.session for batch in reversed(batches) if batch.session is not None), None),
        books=_all(batch.books for batch in batches),
        headlines=_all(batch.headlines for batch in batches),
        tokens=_all(batch.tokens for batch in batches),
        posts=_all(batch.posts for batch in batches),
    )


def _all(parts: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple(chain.from_iterable(parts))
