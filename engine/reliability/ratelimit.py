"""Token bucket (SPEC 10.6): one for each key at a provider, shared by all tasks that use it."""

import math
from dataclasses import dataclass

from engine.clock import US_PER_S, Clock
from engine.errors import RateLimited

PATIENCE_S = 60.0
"""A caller that would wait longer is told so at once."""


@dataclass(frozen=True, slots=True)
class BudgetConfig:
    """`per_s` calls of weight 1 a second, and `burst` of them at once after a pause."""

    per_s: float
    burst: float

    def __post_init__(self) -> None:
        if not (0 < self.per_s < math.inf and 1 <= self.burst < math.inf):
            raise ValueError(f"not a rate: {self.per_s} a second, {self.burst} at once")


class Budget:
    """Whoever takes first is served first. A caller that is canceled while it waits gives back its part."""

    def __init__(self, name: str, config: BudgetConfig, clock: Clock) -> None:
        self._name = name
        self._config = config
        self._clock = clock
        self._level = config.burst
        """What is left; below 0: promised to callers that wait."""
        self._at_us = clock.now_us()
        """Until when `_level` was filled up; later than now while the service asked for a pause."""
        self._held_us = 0
        self._shift_us = 0
        """All pauses so far: who waits when one begins waits as much longer."""

    @property
    def left_ratio(self) -> float:
        """What may be called at once, of the whole burst: 0..1."""
        if self._clock.now_us() < self._held_us:
            return 0.0
        self._fill()
        return max(0.0, self._level) / self._config.burst

    async def take(self, weight: float = 1.0, patience_s: float = PATIENCE_S) -> None:
        """Wait for one's turn. Raises RateLimited when that would take longer than `patience_s`."""
        self._fill()
        now_us = self._clock.now_us()
        lacking_s = max(0.0, weight - self._level) / self._config.per_s
        due_us = max(self._at_us, now_us) + math.ceil(lacking_s * US_PER_S)
        wait_s = (due_us - now_us) / US_PER_S
        if wait_s > patience_s:
            raise RateLimited(
                f"{self._name}: the next call is allowed in {wait_s:.0f} s", wait_s, "It goes on by itself"
            )
        self._level -= weight
        before_us = self._shift_us
        try:
            while self._clock.now_us() < (turn_us := due_us + self._shift_us - before_us):
                await self._clock.sleep_until(turn_us)
        except BaseException:
            self._level = min(self._config.burst, self._level + weight)
            raise

    def hold(self, pause_s: float) -> None:
        """The service asked for a pause: nobody calls before it is over."""
        self._fill()
        now_us = self._clock.now_us()
        until_us = now_us + math.ceil(pause_s * US_PER_S)
        longer_us = until_us - max(now_us, self._held_us)
        if longer_us > 0:
            self._shift_us += longer_us
            self._at_us = max(now_us, self._at_us) + longer_us
            self._held_us = until_us

    def _fill(self) -> None:
        now_us = self._clock.now_us()
        if now_us > self._at_us:
            gained = (now_us - self._at_us) / US_PER_S * self._config.per_s
            self._level = min(self._config.burst, self._level + gained)
            self._at_us = now_us
