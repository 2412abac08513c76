"""Timings for a person to look at: bounded, and without a clock of their own.

What decides never reads them, and never waits for them: they are filled at the rim.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.errors import DeckError

KEPT = 512
"""The newest values that a quantile is taken of."""


class Timings:
    """How long something took, again and again, in seconds of the `monotonic` that is passed in."""

    def __init__(self, monotonic: Callable[[], float], kept: int = KEPT) -> None:
        self._monotonic = monotonic
        self._values: deque[float] = deque(maxlen=kept)
        self.count = 0
        """All of them, also those that are not kept any more."""
        self.failures = 0
        """Of those that ended in an error of ours."""

    def add(self, seconds: float) -> None:
        """One more; less than nothing counts as nothing."""
        self._values.append(max(0.0, seconds))
        self.count += 1

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Time what is done inside; an error passes through and is counted."""
        began = self._monotonic()
        try:
            yield
        except DeckError:
            self.failures += 1
            raise
        finally:
            self.add(self._monotonic() - began)

    def quantile(self, share: float) -> float | None:
        """Seconds that `share` (0..1) of the kept ones did not exceed, the nearest rank; None without one."""
        if not self._values:
            return None
        ordered = sorted(self._values)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
