"""How well a service keeps what is expected of it, over its last calls (SPEC 10.3)."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

WINDOW = 100
"""Calls that are looked at."""


@dataclass(frozen=True, slots=True)
class SlaConfig:
    """Times in milliseconds, `success_ratio` 0..1, and how many `failures` in a row mean it has failed."""

    p95_ms: float
    p99_ms: float
    success_ratio: float
    failures: int


class SlaStatus(StrEnum):
    """OK keeps everything; FAILED failed too often in a row; DEGRADED breaks anything else."""

    OK = "OK"
    DEGRADED = "DEGRADED"
    FAILED = "FAILED"


def quantile(ordered: Sequence[float], share: float) -> float:
    """Linear interpolation between the two nearest of ascending values (SPEC 0.6)."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


class Sla:
    """Of one service. `changed` hears of the status before and after, only when it changed."""

    def __init__(self, config: SlaConfig, changed: Callable[[SlaStatus, SlaStatus], None]) -> None:
        self.config = config
        self.status = SlaStatus.OK
        self.failures = 0
        """In a row, up to now."""
        self.p95_ms: float | None = None
        self.p99_ms: float | None = None
        self.success_ratio: float | None = None
        """All three of the last 100 calls; None before the first."""
        self._changed = changed
        self._calls: deque[tuple[float, bool]] = deque(maxlen=WINDOW)

    def add(self, seconds: float, ok: bool) -> None:
        """One call, answered well or not."""
        self._calls.append((seconds * 1000, ok))
        self.failures = 0 if ok else self.failures + 1
        times = sorted(ms for ms, _ in self._calls)
        self.p95_ms, self.p99_ms = quantile(times, 0.95), quantile(times, 0.99)
        self.success_ratio = sum(good for _, good in self._calls) / len(times)
        before, self.status = self.status, self._judged()
        if self.status is not before:
            self._changed(before, self.status)

    def broken(self) -> tuple[str, ...]:
        """What is not kept now, each with figure and limit."""
        config = self.config
        if self.p95_ms is None or self.p99_ms is None or self.success_ratio is None:
            return ()
        found = []
        if self.failures >= config.failures:
            found.append(f"{self.failures} failures in a row, limit {config.failures}")
        if self.success_ratio < config.success_ratio:
            found.append(f"{self.success_ratio:.0%} answered, limit {config.success_ratio:.0%}")
        if self.p95_ms > config.p95_ms:
            found.append(f"p95 {self.p95_ms:,.0f} ms, limit {config.p95_ms:,.0f}")
        if self.p99_ms > config.p99_ms:
            found.append(f"p99 {self.p99_ms:,.0f} ms, limit {config.p99_ms:,.0f}")
        return tuple(found)

    def _judged(self) -> SlaStatus:
        if self.failures >= self.config.failures:
            return SlaStatus.FAILED
        return SlaStatus.DEGRADED if self.broken() else SlaStatus.OK
