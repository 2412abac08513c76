"""The New York exchange's calendar: exchange_calendars behind a small file cache.

The library takes half a second to import and to compute, and what a version of it says of a range of years
never changes: that is kept as JSON under a name that holds version and years. The calendar reaches to the end
of next year; holidays after that are not announced yet.
"""

import json
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile

from engine.clock import US_PER_S
from engine.errors import DataError, UsageError
from engine.model.market import Session

_LIBRARY, _EXCHANGE = "exchange_calendars", "XNYS"
_FIRST_YEAR = 1990
_EARLIEST_YEAR = 1885
"""The library's rules begin here; no earlier day is a session."""
_AHEAD = timedelta(days=365)
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class _Table:
    """All sessions: days since 1970-01-01, opens and closes in seconds UTC; each ascending."""

    days: list[int]
    opens: list[int]
    closes: list[int]


class ExchangeSessions:
    """`engine.ports.Sessions` of US equities: from 1990, or any year asked for, to the end of next year."""

    def __init__(self, cache: Path, today: date) -> None:
        """`cache`: a folder for derived files, made when missing. Raises DataError when not writable."""
        self._cache = cache
        self._first_year = _FIRST_YEAR
        self._last_year = today.year + 1
        self._table = self._load()

    @property
    def horizon(self) -> date:
        """The last day the calendar knows."""
        return date(self._last_year, 12, 31)

    def horizon_warning(self, today: date) -> str | None:
        """What to tell a person when the calendar no longer reaches a year ahead; None while it does."""
        if today + _AHEAD <= self.horizon:
            return None
        return f"the exchange calendar ends {self.horizon}, less than a year ahead: it is extended each day"

    def extend(self, today: date) -> bool:
        """Reach to the end of the year after `today`, for a process that runs for years; False where it does.

        Takes half a second when it must be computed. Raises DataError.
        """
        if today.year + 1 <= self._last_year:
            return False
        self._last_year = today.year + 1
        self._table = self._load()
        return True

    def between(self, first: date, last: date) -> Sequence[Session]:
        """All sessions of first..last, both included."""
        return [self._session(at) for at in self._range(first, last)]

    def on(self, day: date) -> Session | None:
        """The session of `day`; None on a weekend or holiday and past the horizon."""
        places = self._range(day, day)
        return self._session(places.start) if places else None

    def next_after(self, ts: int) -> Session | None:
        """The first session whose close lies after `ts`; None past the horizon."""
        at = bisect_right(self._table.closes, ts // US_PER_S)
        return self._session(at) if at < len(self._table.days) else None

    def require(self, day: date) -> Session:
        """The session of `day`. Raises UsageError naming the sessions around it when there is none."""
        if day > self.horizon:
            raise UsageError(
                f"{day} lies past {self.horizon}, where the exchange calendar ends", "Name an earlier day"
            )
        places = self._range(day, day)
        if places:
            return self._session(places.start)
        around = (at for at in (places.start - 1, places.start) if 0 <= at < len(self._table.days))
        near = " and ".join(str(self._session(at).day) for at in around)
        raise UsageError(
            f"{day} is a {day:%A} on which the New York exchange does not open",
            f"The nearest sessions are {near}",
        )

    def _range(self, first: date, last: date) -> range:
        self._reach(first.year)
        days = self._table.days
        start = bisect_left(days, first.toordinal() - _EPOCH)
        return range(start, max(start, bisect_right(days, last.toordinal() - _EPOCH)))

    def _session(self, at: int) -> Session:
        table = self._table
        day = date.fromordinal(table.days[at] + _EPOCH)
        return Session(day, table.opens[at] * US_PER_S, table.closes[at] * US_PER_S)

    def _reach(self, year: int) -> None:
        # From a whole decade on, and with a year to spare, so that the day has a session before it.
        wanted = max((year - 1) // 10 * 10, _EARLIEST_YEAR)
        if wanted < self._first_year:
            self._first_year = wanted
            self._table = self._load()

    def _load(self) -> _Table:
        name = f"{_EXCHANGE.lower()}-{version(_LIBRARY)}-{self._first_year}-{self._last_year}.json"
        path = self._cache / name
        table = _read(path)
        if table is None:
            table = _compute(self._first_year, self._last_year)
            _write(path, table)
        return table


def _read(path: Path) -> _Table | None:
    """None when it is not there or damaged: it can be computed again."""
    try:
        kept = json.loads(path.read_bytes())
        table = _Table(kept["days"], kept["opens"], kept["closes"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    is_whole = len(table.days) == len(table.opens) == len(table.closes) > 0
    return table if is_whole else None


def _write(path: Path, table: _Table) -> None:
    kept = {"days": table.days, "opens": table.opens, "closes": table.closes}
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Whole or not at all: a reader never sees half a file.
        with NamedTemporaryFile("w", dir=path.parent, suffix=".part", delete=False) as file:
            json.dump(kept, file, separators=(",", ":"))
        Path(file.name).replace(path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be written: {error.strerror}",
            "Check the folder's permissions, or set TRADEDECK_HOME",
        ) from error


def _compute(first_year: int, last_year: int) -> _Table:
    # 0.5 s with pandas behind it; only when nothing is kept.
    import exchange_calendars

    with warnings.catch_warnings():
        # The library still makes calls that the newest pandas warns about; nothing a person could do.
        warnings.simplefilter("ignore", DeprecationWarning)
        calendar = exchange_calendars.get_calendar(
            _EXCHANGE, start=f"{first_year}-01-01", end=f"{last_year}-12-31"
        )
        schedule = calendar.schedule
    opens, closes = (schedule[name].dt.tz_localize(None).to_numpy() for name in ("open", "close"))
    return _Table(
        schedule.index.to_numpy().astype("datetime64[D]").astype(int).tolist(),
        opens.astype("datetime64[s]").astype(int).tolist(),
        closes.astype("datetime64[s]").astype(int).tolist(),
    )
