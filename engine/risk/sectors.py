"""How much of the book is in one sector (SPEC 3.7.4)."""

from collections.abc import Callable, Iterable

from engine.model.ids import InstrumentId

UNKNOWN_SECTOR = "unknown"
"""Instruments whose sector is not known count as one sector."""


def sector_name(sector_of: Callable[[InstrumentId], str | None], instrument: InstrumentId) -> str:
    """The sector of an instrument, or the one that stands for all that are not known."""
    return sector_of(instrument) or UNKNOWN_SECTOR


def count_in_sector(
    sector_of: Callable[[InstrumentId], str | None], instrument: InstrumentId, taken: Iterable[InstrumentId]
) -> int:
    """How many of `taken` are in the sector of `instrument`."""
    sector = sector_name(sector_of, instrument)
    return sum(sector_name(sector_of, other) == sector for other in taken)
