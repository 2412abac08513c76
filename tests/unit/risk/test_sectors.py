"""Counting a sector, with one sector for all that nobody knows."""

from engine.model.ids import instrument_id
from engine.risk.sectors import UNKNOWN_SECTOR, count_in_sector, sector_name

SECTORS = {instrument_id("OIL"): "Energy", instrument_id("GAS"): "Energy", instrument_id("BYTE"): "Tech"}
OIL, BYTE, NONE, OTHER = (instrument_id(symbol) for symbol in ("OIL", "BYTE", "NONE", "OTHER"))


def test_only_the_same_sector_counts() -> None:
    assert count_in_sector(SECTORS.get, OIL, SECTORS) == 2
    assert count_in_sector(SECTORS.get, BYTE, SECTORS) == 1
    assert count_in_sector(SECTORS.get, BYTE, ()) == 0


def test_unknown_sectors_are_one() -> None:
    assert sector_name(SECTORS.get, NONE) == UNKNOWN_SECTOR
    assert count_in_sector(SECTORS.get, NONE, (OIL, OTHER)) == 1
