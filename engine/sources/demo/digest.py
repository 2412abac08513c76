"""One number for everything that the demo market told: the same for the same seed on every machine."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import date
from enum import StrEnum
from hashlib import sha256

from engine.model.market import MarketBatch

_PRICE_UNITS = 10_000


def digest_of(batches: Iterable[MarketBatch]) -> str:
    """SHA-256, hexadecimal, over times, phases, prices in ticks, sizes in lots, flags and words, in order."""
    found = sha256()
    for batch in batches:
        found.update(repr(tuple(_facts(batch))).encode())
    return found.hexdigest()


def _facts(batch: MarketBatch) -> Iterator[object]:
    yield batch.ts
    yield str(batch.session), "" if batch.phase is None else batch.phase.value
    for quote in batch.quotes:
        yield quote.instrument, _exact(quote.bid), _exact(quote.ask), quote.ts_event, quote.ts_known
    for trade in batch.trades:
        yield trade.instrument, _exact(trade.price), trade.ts_event, trade.ts_known, trade.is_open
    for rest in (batch.actions, batch.bars, batch.headlines, batch.books, batch.tokens, batch.posts):
        for fact in rest:
            yield _whole(fact)


def _exact(price: float | None) -> str | int:
    """A price that is a whole number of 0.0001 is told as that number, any other one by ten digits."""
    if price is None:
        return ""
    units = price * _PRICE_UNITS
    whole = round(units)
    return whole if abs(units - whole) < 1e-6 else f"{price:.9e}"


def _whole(fact: object) -> object:
    """A fact as tuples of whole numbers and words; other numbers by their first ten digits."""
    if isinstance(fact, float):
        return int(fact) if fact.is_integer() and abs(fact) < 1e15 else f"{fact:.9e}"
    if isinstance(fact, StrEnum):
        return fact.value
    if isinstance(fact, date):
        return fact.isoformat()
    if isinstance(fact, tuple):
        return tuple(_whole(part) for part in fact)
    if is_dataclass(fact) and not isinstance(fact, type):
        return tuple(_whole(getattr(fact, field.name)) for field in fields(fact))
    return fact
