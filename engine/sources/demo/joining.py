"""Several streams of market data told as one."""

from collections.abc import Iterator, Sequence

from engine.model.market import MarketBatch

_NEVER = 1 << 63


def joined(main: Iterator[MarketBatch], others: Sequence[Iterator[MarketBatch]]) -> Iterator[MarketBatch]:
    """All batches strictly in order of time, those of one instant as one; ends when `main` does.

    Each stream is strictly in order itself. What belongs to an instant comes in the order of the streams.
    """
    streams = [main, *others]
    heads = [next(stream, None) for stream in streams]
    times = [_NEVER if head is None else head.ts for head in heads]
    while heads[0] is not None:
        ts, found = min(times), None
        for _ in range(times.count(ts)):
            place = times.index(ts)
            found = _one(found, heads[place])
            heads[place] = head = next(streams[place], None)
            times[place] = _NEVER if head is None else head.ts
        if found is not None:
            yield found


def _one(first: MarketBatch | None, second: MarketBatch | None) -> MarketBatch | None:
    if first is None or second is None:
        return first or second
    return MarketBatch(
        ts=first.ts,
        actions=first.actions + second.actions,
        bars=first.bars + second.bars,
        trades=first.trades + second.trades,
        quotes=first.quotes + second.quotes,
        session=first.session or second.session,
        phase=first.phase or second.phase,
        books=first.books + second.books,
        headlines=first.headlines + second.headlines,
        tokens=first.tokens + second.tokens,
        posts=first.posts + second.posts,
    )
