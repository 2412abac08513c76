"""What a daemon does once a day: old rows go, the calendar reaches on, old keys are named."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from engine.clock import US_PER_S, Clock
from engine.features.catalogue import CATALOGUE
from engine.model.jobs import Due
from engine.model.secrets import REMIND_AFTER_DAYS
from engine.sources.sessions import ExchangeSessions
from storage.features import open_features
from storage.paths import StatePaths
from storage.secrets import KeyBook
from storage.simulations import prune_simulations

DAY_US = 86_400 * US_PER_S


class Housekeeping:
    """Retention of SPEC 11.11 for what is on disk; daily bars, books and the audit log stay for ever."""

    def __init__(
        self,
        state: StatePaths,
        sessions: ExchangeSessions,
        keys: KeyBook,
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        self._state = state
        self._sessions = sessions
        self._keys = keys
        self._clock = clock
        self._tell = tell

    async def run(self, due: Due) -> str:
        """What was done. Raises StorageError, DataError and ConfigError."""
        now = self._clock.now_us()
        forgotten = await asyncio.to_thread(self._forget, now)
        gone = await asyncio.to_thread(prune_simulations, self._state.home)
        today = datetime.fromtimestamp(now // US_PER_S, UTC).date()
        extended = await asyncio.to_thread(self._sessions.extend, today)
        if warning := self._sessions.horizon_warning(today):
            self._tell(warning)
        self._name_old_keys(now)
        calendar = f"calendar to {self._sessions.horizon}" if extended else "calendar reaches far enough"
        return f"{forgotten:,} old feature vectors and {len(gone)} old simulations removed; {calendar}"

    def _forget(self, now: int) -> int:
        if not self._state.features.is_file():
            return 0
        with open_features(self._state.features, CATALOGUE, any_thread=True) as store:
            return store.forget(now)

    def _name_old_keys(self, now: int) -> None:
        for place in self._keys.places:
            for name, set_us in place.names().items():
                days = 0 if set_us is None else (now - set_us) // DAY_US
                if days > REMIND_AFTER_DAYS:
                    self._tell(
                        f"the key {name} is {days} days old: make a new one and tradedeck keys set {name}"
                    )
