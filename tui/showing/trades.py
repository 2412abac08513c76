"""The closed trades of an account: read from the journal once, then told of each new one."""

from engine.core import Engine
from engine.execution.records import restore_round_trip
from engine.model.events import Event, RoundTripClosed
from engine.model.ids import TicketId
from engine.model.positions import RoundTrip


class Trades:
    """Of one engine. A trade that closed once more after a late fill takes its own place."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._trips: dict[TicketId, RoundTrip] | None = None
        self._newest: tuple[RoundTrip, ...] = ()
        self.version = 0
        """Rises when something changed."""

    def hear(self, event: Event) -> None:
        """An event of the engine."""
        if isinstance(event, RoundTripClosed):
            self.version += 1
            self._newest = ()
            if self._trips is not None:
                self._trips[event.round_trip.ticket] = event.round_trip

    def newest_first(self) -> tuple[RoundTrip, ...]:
        """All of them, by when they ended."""
        if self._trips is None:
            rows = self._engine.parts.journal.rows("round_trip")
            self._trips = {trip.ticket: trip for trip in map(restore_round_trip, rows)}
        if not self._newest:
            found = self._trips.values()
            self._newest = tuple(sorted(found, key=lambda trip: (trip.exit_us, trip.number), reverse=True))
        return self._newest
