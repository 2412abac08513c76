"""Circuit breaker (SPEC 10.1): pure, told the time, and without knowledge of any service."""

from dataclasses import dataclass
from enum import StrEnum

from engine.clock import US_PER_S


@dataclass(frozen=True, slots=True)
class BreakerConfig:
    """Opens after `failures` in a row, for `open_s` seconds; closes after `successes` probes in a row."""

    failures: int
    open_s: float
    successes: int


class BreakerState(StrEnum):
    """CLOSED lets calls through, OPEN refuses them, HALF_OPEN lets one probe through at a time."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave for one call, given back with how it went.

    `epoch`: which state of the breaker it was given in. How an older call ended says nothing of a newer
    state: a call that hung since before the breaker opened must not open or close it again.
    """

    epoch: int


_UNCOUNTED = Permit(-1)


class Breaker:
    """Counts failures in a row; each permit is given back once, by one of the three last methods."""

    def __init__(self, config: BreakerConfig) -> None:
        self.config = config
        self.state = BreakerState.CLOSED
        self.failures = 0
        """In a row, up to now."""
        self._successes = 0
        self._epoch = 0
        self._probing = False
        self._opened_us = 0

    def admit(self, now_us: int) -> Permit | None:
        """Leave for a call; None: not now."""
        if self.state is BreakerState.OPEN and now_us >= self.next_probe_us():
            self._become(BreakerState.HALF_OPEN)
        if self.state is BreakerState.OPEN or self._probing:
            return None
        self._probing = self.state is BreakerState.HALF_OPEN
        return Permit(self._epoch)

    def admit_exit(self) -> Permit:
        """Leave for a protective order or a cancel, which is never refused; while not closed, not counted."""
        return Permit(self._epoch) if self.state is BreakerState.CLOSED else _UNCOUNTED

    def next_probe_us(self) -> int:
        """When an open breaker lets the next call through."""
        return self._opened_us + round(self.config.open_s * US_PER_S)

    def succeeded(self, permit: Permit) -> None:
        """The call was answered well."""
        if permit.epoch != self._epoch:
            return
        self.failures = 0
        if self.state is BreakerState.HALF_OPEN:
            self._probing = False
            self._successes += 1
            if self._successes >= self.config.successes:
                self._become(BreakerState.CLOSED)

    def failed(self, permit: Permit, now_us: int) -> None:
        """A time-out, a 5xx, a broken connection or an answer that cannot be read."""
        if permit.epoch != self._epoch:
            return
        self.failures += 1
        if self.state is BreakerState.HALF_OPEN or self.failures >= self.config.failures:
            self._opened_us = now_us
            self._become(BreakerState.OPEN)

    def let_go(self, permit: Permit) -> None:
        """The call says nothing of the service: it was canceled, or it was refused for a reason of ours."""
        if permit.epoch == self._epoch:
            self._probing = False

    def _become(self, state: BreakerState) -> None:
        self.state = state
        self._epoch += 1
        self._probing = False
        self._successes = 0
        if state is not BreakerState.OPEN:
            self.failures = 0
