"""The crypto tokens of the demo market as a stream of batches."""

from collections.abc import Iterator

from engine.model.hearing import EVERYTHING, Ear
from engine.model.market import FeedState, MarketBatch
from engine.model.tokens import TokenId
from engine.sources.demo.pools import PRICE_UNITS
from engine.sources.demo.snapshots import snapshot
from engine.sources.demo.tokenworld import TokenWorld
from engine.sources.demo.walk import DemoWalk

_SECOND_US = 1_000_000


class TokenStream:
    """About 150 tokens, told of once a market minute each, from one second after `start_us` on, for ever.

    The first batch holds them all, and the posts of the day before. The same seed, start and walk give the
    same batches, wherever one begins to read.
    """

    def __init__(self, seed: int, start_us: int, walk: DemoWalk) -> None:
        self._seed = seed
        self._start_us = start_us
        self._walk = walk
        self._world = TokenWorld(seed, start_us, walk)
        self._told: dict[str, tuple[int | None, int]] = dict.fromkeys(
            ("pools", "contracts", "posts"), (None, 0)
        )

    def batches(self, after_us: int, ear: Ear = EVERYTHING) -> Iterator[MarketBatch]:
        """All batches later than `after_us`, in strict order of `ts`, without end, as far as heard."""
        if self._world.now_us:
            self._world = TokenWorld(self._seed, self._start_us, self._walk)
        world = self._world
        while True:
            ts, tokens, posts = world.step()
            if ts > after_us:
                cents = world.cents
                told = [snapshot(token, cents, ts) for token in tokens if ear.takes_token(token.id, ts)]
                yield MarketBatch(ts, tokens=tuple(told), posts=tuple(posts))
            self._tell(ts, len(tokens), len(posts))

    def states(self, after_us: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Time and whole numbers of each batch later than `after_us`, for a digest: reserves and counters."""
        world = TokenWorld(self._seed, self._start_us, self._walk)
        while True:
            ts, tokens, posts = world.step()
            if ts > after_us:
                numbers = [len(posts)]
                for token in tokens:
                    numbers += token.counts
                    for pool in token.pools:
                        numbers += (pool.base, pool.quote, pool.traded)
                yield ts, tuple(numbers)

    def prices(self, token: TokenId, now_us: int, count: int) -> tuple[tuple[int, float], ...]:
        """The last `count` closes of five minutes known at `now_us`, (time, USD), oldest first.

        Empty for a token that is not, or no longer, listed.
        """
        for one in self._world.tokens:
            if one.id == token:
                closes = self._world.closes(one, now_us)[-count:]
                return tuple((ts, price / PRICE_UNITS) for ts, price in closes)
        return ()

    def feeds(self) -> tuple[FeedState, ...]:
        """What was told of pools, contracts and posts so far."""
        chains = len({token.chain for token in self._world.tokens})
        notes = {"pools": f"{len(self._world.tokens)} tokens on {chains} chains", "posts": "1 of 8 mentions"}
        ages = {"pools": 60, "contracts": 900, "posts": 900}
        return tuple(
            FeedState(
                "posts" if name == "posts" else f"token {name}",
                last,
                ages[name] * _SECOND_US,
                messages,
                notes.get(name, ""),
            )
            for name, (last, messages) in self._told.items()
        )

    def _tell(self, ts: int, tokens: int, posts: int) -> None:
        told = self._told
        told["pools"] = (ts, told["pools"][1] + tokens)
        contracts = self._world.contracts_read
        if contracts != told["contracts"][1]:
            told["contracts"] = (ts, contracts)
        if posts:
            told["posts"] = (ts, told["posts"][1] + posts)
