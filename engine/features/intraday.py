"""Volume of a running session against the same minutes of earlier ones (SPEC 3.5).

At a quarter of an hour after the open hardly any share of a day's volume has traded, so volume so far is
measured by what had traded by the same minute of the last 20 sessions, never by whole days.
"""

from dataclasses import dataclass

import numpy as np

from engine.features.registry import Array

SESSIONS = 20
"""Earlier sessions that are needed; the last so many count."""


@dataclass(frozen=True, slots=True)
class VolumeCurve:
    """What had traded by the end of each minute of earlier sessions: (sessions, minutes) shares, rising."""

    by_minute: Array

    def mean_by(self, minutes: int) -> float | None:
        """Mean of the last 20 sessions, `minutes` after the open; None with fewer sessions.

        A session that was shorter counts with all of its volume.
        """
        if len(self.by_minute) < SESSIONS or minutes < 1 or not self.by_minute.shape[1]:
            return None
        place = min(minutes, self.by_minute.shape[1]) - 1
        return float(self.by_minute[-SESSIONS:, place].mean())

    def ratio(self, volume: float, minutes: int) -> float | None:
        """`volume` shares so far, `minutes` after the open, over that mean; None where nothing traded."""
        mean = self.mean_by(minutes)
        return volume / mean if mean is not None and mean > 0.0 and volume >= 0.0 else None


def curve_of(session: np.ndarray, minute: np.ndarray, volume: Array) -> VolumeCurve:
    """From minute bars (B,) in any order: their session's day, whole minutes since its open, shares.

    A minute without a bar had no trade. Bars before the open are left out.
    """
    inside = minute >= 0
    days, row = np.unique(session[inside], return_inverse=True)
    longest = int(minute[inside].max(initial=-1)) + 1
    traded = np.zeros((len(days), longest))
    np.add.at(traded, (row, minute[inside]), volume[inside])
    return VolumeCurve(np.cumsum(traded, axis=1))


def session_vwap(price: Array, volume: Array) -> float | None:
    """Volume-weighted mean of a session's minute bars (B,), each at its typical price; None untraded."""
    shares = float(volume.sum())
    return float((price * volume).sum()) / shares if shares > 0.0 else None
