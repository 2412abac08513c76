"""Many instants of a market told as one: what comes between two looks at it is handed over together.

A market of our own says something many times a second. Inside a session, and in the minute before, whoever
trades looks every two seconds; at night every minute. A token is looked at every two minutes, at night every
five: as often as a service that is asked for 150 of them would tell. Where an instant ends depends on the
clock of the market alone, so a run is the same at each speed.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeVar

from engine.backtest.pace import EVE_US
from engine.clock import US_PER_S
from engine.model.market import MarketBatch, Session
from engine.model.tokens import TokenId
from engine.ports import Sessions, Source

T = TypeVar("T")
DAY_US = 2 * US_PER_S
NIGHT_US = 60 * US_PER_S
TOKEN_DAY_US = 120 * US_PER_S
TOKEN_NIGHT_US = 300 * US_PER_S
_TURNS = 16


class Gathered:
    """`engine.ports.Source`: the batches of another one, those of one window together at its last instant.

    Openings and closings stay instants of their own.
    """

    def __init__(self, source: Source, sessions: Sessions) -> None:
        self.name = source.name
        self._source = source
        self._sessions = sessions
        self._next: Session | None = None
        self._is_night = False
        self._due_us: dict[TokenId, int] = {}

    async def batches(self, after_us: int) -> AsyncIterator[MarketBatch]:
        """All batches later than `after_us`."""
        found: list[MarketBatch] = []
        end_us = 0
        async for batch in self._source.batches(after_us):
            if found and (batch.ts > end_us or batch.phase is not None):
                yield gathered(found)
                found = []
            if not found:
                end_us = self._end_of(batch.ts)
            found.append(self._thinned(batch))
            if batch.phase is not None:
                yield found.pop()
        if found:
            yield gathered(found)

    def _end_of(self, ts: int) -> int:
        """The last instant of the window that `ts` lies in."""
        if self._next is None or ts >= self._next.close_us:
            self._next = self._sessions.next_after(ts)
        eve_us = None if self._next is None else self._next.open_us - EVE_US
        self._is_night = eve_us is None or ts <= eve_us
        step_us = NIGHT_US if self._is_night else DAY_US
        end_us = -(-ts // step_us) * step_us
        return end_us if eve_us is None or not self._is_night else min(end_us, eve_us)

    def _thinned(self, batch: MarketBatch) -> MarketBatch:
        """Without tokens that were looked at a moment ago."""
        if not batch.tokens:
            return batch
        due = tuple(token for token in batch.tokens if self._due_us.get(token.id, 0) <= batch.ts)
        for token in due:
            self._due_us[token.id] = batch.ts + self._pause_us(token.id)
        return replace(batch, tokens=due)

    def _pause_us(self, token: TokenId) -> int:
        """Those that are first heard of at one instant are not all looked at again at another."""
        pause_us = TOKEN_NIGHT_US if self._is_night else TOKEN_DAY_US
        is_new = token not in self._due_us
        return pause_us * (1 + len(self._due_us) % _TURNS) // _TURNS if is_new else pause_us


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
