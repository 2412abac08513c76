"""Keeps rows where they are while a person reads or types (design 7)."""

from collections.abc import Sequence

RESORT_S = 2.0
KEY_REST_S = 1.0


class SteadyOrder:
    """Re-sorts at most every two seconds and never while a key went down in the last one.

    Between re-sorts rows keep their places, new ones join at the end and gone ones leave.
    """

    def __init__(self) -> None:
        self._shown: list[str] = []
        self._sorted_at = float("-inf")

    def reset(self) -> None:
        """The person asked for another order: take it at once."""
        self._shown = []

    def arrange(self, wanted: Sequence[str], now: float, key_at: float) -> list[str]:
        """The keys of `wanted`, in the order to show them at time `now` in seconds."""
        if not self._shown or (now - self._sorted_at >= RESORT_S and now - key_at >= KEY_REST_S):
            self._shown = list(wanted)
            self._sorted_at = now
            return list(self._shown)
        there = set(wanted)
        kept = [key for key in self._shown if key in there]
        known = set(kept)
        self._shown = kept + [key for key in wanted if key not in known]
        return list(self._shown)
