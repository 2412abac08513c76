"""A stream that tells nothing, where a part of the demo market is left out."""

from collections.abc import Iterator

from engine.model.market import FeedState, MarketBatch
from engine.model.tokens import TokenId


class Quiet:
    """The interface of a stream."""

    def batches(self, after_us: int) -> Iterator[MarketBatch]:
        """None at all."""
        return iter(())

    def feeds(self) -> tuple[FeedState, ...]:
        """There is no feed."""
        return ()

    def prices(self, token: TokenId, now_us: int, count: int) -> tuple[tuple[int, float], ...]:
        """No token has a price."""
        return ()
