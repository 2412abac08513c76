"""Days of results that the person wrote down, which take the place of the guess (SPEC 3.2.6)."""

import csv
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

from engine.errors import DataError
from engine.model.ids import InstrumentId, instrument_id

FILE = "earnings.csv"
"""In the config folder: one `SYMBOL,YYYY-MM-DD` a line; a line that starts with # is left out."""
_HINT = "Write one SYMBOL,YYYY-MM-DD a line"


def read_earnings(path: Path) -> Mapping[InstrumentId, tuple[date, ...]]:
    """All of a file, empty where there is none. Raises DataError naming the line that makes no sense."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}", _HINT) from error
    found: dict[InstrumentId, tuple[date, ...]] = {}
    for number, row in enumerate(csv.reader(text.splitlines()), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[0].startswith("#"):
            continue
        try:
            symbol, day = cells
            name = instrument_id(symbol.upper())
            found[name] = (*found.get(name, ()), date.fromisoformat(day))
        except ValueError as error:
            raise DataError(
                f"{path} line {number}: {','.join(cells)!r} is no symbol and day", _HINT
            ) from error
    return found


def earnings_of(path: Path) -> Callable[[InstrumentId], Sequence[date]]:
    """The days of an instrument, as the file has them now: it is read once. Raises DataError."""
    days = read_earnings(path)
    return lambda instrument: days.get(instrument, ())
