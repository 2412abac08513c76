"""A cache that learns how long an answer stays true (SPEC 10.2); one load a key, whoever asks meanwhile.

What expired is never served to a decision. For display only, and marked so, it is served up to twice its time
to live while the source fails.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.clock import US_PER_S, Clock
from engine.errors import SourceError
from engine.money import EPSILON

T = TypeVar("T")

LONGER, SHORTER = 1.2, 0.8
"""What the time to live is multiplied by when a refresh brought the same, or something else."""
STALE_FOR = 2
"""Times to live after which an old answer is not even shown."""
ENTRIES = 1000
EVICTED_RATIO = 0.2
SAME_PRICE_RATIO = 0.0001
"""Prices that differ by less are the same."""


@dataclass(frozen=True, slots=True)
class TtlConfig:
    """Seconds: at first, and the bounds that it never leaves."""

    usual_s: float
    least_s: float
    most_s: float


@dataclass(frozen=True, slots=True)
class Cached(Generic[T]):
    """An answer, when it was asked for, and whether it is too old to decide on."""

    value: T
    loaded_us: int
    is_stale: bool


@dataclass(slots=True)
class _Entry(Generic[T]):
    value: T
    loaded_us: int
    ttl_s: float


def same_price(before: float, after: float) -> bool:
    """Whether two prices lie within one basis point."""
    return abs(after - before) <= (SAME_PRICE_RATIO + EPSILON) * abs(before)


class Cache(Generic[T]):
    """Answers by key. `same` compares an answer with the one before it."""

    def __init__(
        self,
        ttl: TtlConfig,
        clock: Clock,
        same: Callable[[T, T], bool] = lambda before, after: before == after,
        entries: int = ENTRIES,
    ) -> None:
        self._ttl = ttl
        self._clock = clock
        self._same = same
        self._most = entries
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()
        """The least recently used first."""
        self._loads: dict[Hashable, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def ttl_s(self, key: Hashable) -> float:
        """How long an answer to `key` is taken to stay true now."""
        entry = self._entries.get(key)
        return self._ttl.usual_s if entry is None else entry.ttl_s

    async def get(self, key: Hashable, load: Callable[[], Awaitable[T]], display: bool = False) -> Cached[T]:
        """What is known, if it is fresh, else what `load` brings. Raises what `load` raises.

        `display`: the answer is only looked at, so an old one will do while the source fails.
        """
        entry = self._entries.get(key)
        if entry is not None and self._age_s(entry) < entry.ttl_s:
            self._entries.move_to_end(key)
            return Cached(entry.value, entry.loaded_us, False)
        try:
            value = await self._load(key, load)
        except SourceError:
            kept = self._entries.get(key)
            if not display or kept is None or self._age_s(kept) > STALE_FOR * kept.ttl_s:
                raise
            return Cached(kept.value, kept.loaded_us, True)
        return Cached(value, self._entries[key].loaded_us if key in self._entries else self._now(), False)

    async def close(self) -> None:
        """Give up the loads that are under way."""
        loads = tuple(self._loads.values())
        for load in loads:
            load.cancel()
        await asyncio.gather(*loads, return_exceptions=True)

    async def _load(self, key: Hashable, load: Callable[[], Awaitable[T]]) -> T:
        """One task a key: a caller that is canceled leaves it to the others."""
        task = self._loads.get(key)
        if task is None:
            task = asyncio.ensure_future(self._refresh(key, load))
            self._loads[key] = task
            task.add_done_callback(lambda done: self._loaded(key, done))
        return await asyncio.shield(task)

    def _loaded(self, key: Hashable, task: "asyncio.Task[T]") -> None:
        del self._loads[key]
        if not task.cancelled():
            task.exception()  # looked at, also when everybody who asked has gone

    async def _refresh(self, key: Hashable, load: Callable[[], Awaitable[T]]) -> T:
        asked_us = self._now()
        value = await load()
        before = self._entries.pop(key, None)
        self._entries[key] = _Entry(value, asked_us, self._learned(before, value))
        if len(self._entries) > self._most:
            for _ in range(max(1, int(EVICTED_RATIO * self._most))):
                self._entries.popitem(last=False)
        return value

    def _learned(self, before: "_Entry[T] | None", value: T) -> float:
        if before is None:
            return self._ttl.usual_s
        factor = LONGER if self._same(before.value, value) else SHORTER
        return min(max(before.ttl_s * factor, self._ttl.least_s), self._ttl.most_s)

    def _age_s(self, entry: "_Entry[T]") -> float:
        return (self._now() - entry.loaded_us) / US_PER_S

    def _now(self) -> int:
        return self._clock.now_us()
