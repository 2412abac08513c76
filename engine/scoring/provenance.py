"""Which accounts data may be used on (SPEC 5.6): zero tolerance for what is not live."""

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from typing import Protocol, TypeVar

from engine.model.market import MarketBatch, Provenance, Quote
from engine.model.positions import AccountKind


class _Told(Protocol):
    @property
    def provenance(self) -> Provenance: ...


T = TypeVar("T", bound=_Told)
_JUDGED = tuple(
    field.name
    for field in fields(MarketBatch)
    if field.name in {"quotes", "bars", "trades", "books", "tokens", "posts"}
)
"""Fields of a batch; its headlines are refused by the NewsSentry, which gives them as its reason."""


def why_not_usable(provenance: Provenance, kind: AccountKind) -> str:
    """Why a decision on data of this provenance is refused on such an account; "" when it is allowed."""
    if provenance is Provenance.LIVE or kind is AccountKind.SIMULATION:
        return ""
    return f"{provenance.value} data, allowed on simulation accounts only, this is {kind.value}"


def usable(batch: MarketBatch, kind: AccountKind) -> tuple[MarketBatch, tuple[str, ...]]:
    """The batch as such an account may use it, and what was left out, in words.

    A quote that may not be used loses its prices and keeps its provenance, by which gate G2 would refuse it.
    """
    if kind is AccountKind.SIMULATION:
        return batch, ()
    words = tuple(_words(batch, kind))
    if not words:
        return batch, ()
    kept = replace(
        batch,
        quotes=tuple(map(_bare, batch.quotes)),
        bars=_live(batch.bars),
        trades=_live(batch.trades),
        books=_live(batch.books),
        tokens=_live(batch.tokens),
        posts=_live(batch.posts),
    )
    return kept, words


def _words(batch: MarketBatch, kind: AccountKind) -> Iterator[str]:
    for name in _JUDGED:
        for provenance in sorted({item.provenance for item in getattr(batch, name)}):
            if why := why_not_usable(provenance, kind):
                yield f"{name} left out: {why}"


def _live(told: Iterable[T]) -> tuple[T, ...]:
    return tuple(item for item in told if item.provenance is Provenance.LIVE)


def _bare(quote: Quote) -> Quote:
    return quote if quote.provenance is Provenance.LIVE else replace(quote, bid=None, ask=None)
