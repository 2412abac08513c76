"""One number for everything that the demo market told: the same for the same seed on every machine."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from engine.model.market import MarketBatch
from engine.sources.demo.intraday import UNIT

States = Iterable[tuple[int, tuple[int, ...]]]
"""Time and whole numbers of one instant after the other."""


def digest_of(stocks: Iterable[MarketBatch], others: Sequence[States], until_us: int) -> str:
    """SHA-256, hexadecimal, up to an instant and with it.

    Of stocks: times, phases, prices in units of 0.0001 USD, volumes in shares, flags and words. Of the other
    streams what they say of themselves: reserves, counters, ticks and lots.
    """
    found = sha256()
    for batch in stocks:
        if batch.ts > until_us:
            break
        found.update(repr(tuple(_facts(batch))).encode())
    for states in others:
        for ts, numbers in states:
            if ts > until_us:
                break
            found.update(repr((ts, numbers)).encode())
    return found.hexdigest()


def _facts(batch: MarketBatch) -> Iterator[object]:
    yield batch.ts, str(batch.session), "" if batch.phase is None else batch.phase.value
    for quote in batch.quotes:
        yield quote.instrument, _units(quote.bid), _units(quote.ask), quote.ts_event, quote.ts_known
    for trade in batch.trades:
        yield trade.instrument, _units(trade.price), trade.ts_event, trade.ts_known, trade.is_open
    for bar in batch.bars:
        prices = (bar.open, bar.high, bar.low, bar.close)
        yield bar.instrument, *map(_units, prices), int(bar.volume), bar.ts_open, bar.ts_close
    for said in batch.headlines:
        yield said.instruments, said.title, said.source, said.ts_event, said.ts_known


def _units(price: float | None) -> int | None:
    return None if price is None else round(price * UNIT)
