"""Prints version, digest of the demo's first day and foreign modules: for any bare Python.

usage: demo_digest_run.py REPOSITORY SEED
"""

import sys
from datetime import UTC, date, datetime, timedelta

sys.path.insert(0, sys.argv[1])

from engine.model.market import Session
from engine.sources.demo.market import DemoMarket
from engine.sources.demo.walk import DemoWalk

FIRST = date(2026, 3, 2)


def _at(day: date, hour: int, minute: int) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC).timestamp()) * 1_000_000


class Weekdays:
    """All weekdays of some years, 14:30 to 21:00 UTC: the exchange's own calendar needs libraries."""

    def __init__(self) -> None:
        days = [date(2024, 6, 3) + timedelta(days=n) for n in range(900)]
        self._sessions = [
            Session(day, _at(day, 14, 30), _at(day, 21, 0)) for day in days if day.weekday() < 5
        ]

    def between(self, first: date, last: date) -> list[Session]:
        return [session for session in self._sessions if first <= session.day <= last]

    def next_after(self, ts: int) -> Session | None:
        return next((session for session in self._sessions if session.close_us > ts), None)


if __name__ == "__main__":
    foreign = sorted({"numpy", "pydantic", "msgspec"} & sys.modules.keys())
    market = DemoMarket(int(sys.argv[2]), Weekdays(), FIRST, DemoWalk())
    sys.stdout.write(f"{sys.version.split()[0]} {market.digest(FIRST)} {foreign}\n")
