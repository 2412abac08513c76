"""The market as a whole, day by day: its mood, its nights and sessions, and what the VIX says.

Sizes stand for SPY and VIX of 2010-2024: a day of 1.08 % (standard deviation), kurtosis 13.6, autocorrelation
of its size .31, .30 and .18 after 1, 5 and 20 days; VIX 11 to 41 between its 5th and 99th percentile.
"""

from dataclasses import dataclass
from enum import StrEnum

from engine.sources.demo.chance import FAT, FAT_BITS, Bits, chance, fat, normal


class Mood(StrEnum):
    """How the market feels."""

    CALM = "calm"
    NERVOUS = "nervous"
    STRESSED = "stressed"


_DAILY = {Mood.CALM: 0.0056, Mood.NERVOUS: 0.0100, Mood.STRESSED: 0.0240}
"""Standard deviation of a day to which volatility tends."""
_MOVES: dict[Mood, tuple[tuple[Mood, float], ...]] = {
    Mood.CALM: ((Mood.NERVOUS, 0.013),),
    Mood.NERVOUS: ((Mood.CALM, 0.022), (Mood.STRESSED, 0.008)),
    Mood.STRESSED: ((Mood.NERVOUS, 0.040),),
}
"""Chance of each change from one day to the next."""
_DRIFT = 0.0004
_WORST_NIGHT, _WILDEST = 0.055, 0.035
"""Bounds of a night's move and of a session's standard deviation."""
_NIGHT, _SESSION = 0.60, 0.80
"""Shares of a day's standard deviation; their squares add up to one."""
_TO_VIX = 1587.0
"""Percent a year from a day's standard deviation: 100 * sqrt(252)."""
_LEVERAGE = 6.0
"""Percent that the VIX rises when the market falls by one percent."""


@dataclass(frozen=True, slots=True)
class MarketDay:
    """What one day does to every stock. Returns are fractions."""

    mood: Mood
    sigma: float
    """Standard deviation that this day was drawn with."""
    night: float
    sigma_session: float
    drift: float
    vix: float
    """At the open; in the session it goes against the market."""


class Regime:
    """Goes forward one day at a time."""

    def __init__(self) -> None:
        self.mood = Mood.CALM
        self._sigma = _DAILY[Mood.CALM]
        self._vix = 14.0

    def next(self, bits: Bits, night: float | None = None) -> MarketDay:
        """The next day; `night` fixes what happens overnight."""
        self._change(bits)
        target = _DAILY[self.mood] * (1 + 0.25 * normal(bits))
        self._sigma += 0.16 * (max(0.6 * _DAILY[Mood.CALM], target) - self._sigma)
        sigma = self._sigma
        overnight = sigma * _NIGHT * fat(bits) if night is None else night
        overnight = max(-_WORST_NIGHT, min(_WORST_NIGHT, overnight))
        implied = 2.5 + _TO_VIX * sigma * (1 + 0.04 * normal(bits))
        self._vix += 0.30 * (implied - self._vix)
        return MarketDay(
            mood=self.mood,
            sigma=sigma,
            night=overnight,
            sigma_session=min(_WILDEST, sigma * _SESSION * FAT[bits(FAT_BITS)]),
            drift=_DRIFT,
            vix=vix_at(self._vix, overnight),
        )

    def end(self, move: float, vix_close: float) -> None:
        """The day is over: a fall makes the next ones wilder, a rise calms a little."""
        excess = max(0.0, -move - 0.5 * self._sigma)
        self._sigma = min(0.045, self._sigma + 0.16 * excess)
        self._vix = vix_close

    def become(self, mood: Mood) -> None:
        """Set what a history is to contain."""
        self.mood = mood

    def _change(self, bits: Bits) -> None:
        for mood, probability in _MOVES[self.mood]:
            if chance(bits, probability):
                self.mood = mood
                return


def vix_at(base: float, move: float) -> float:
    """What becomes of a VIX of `base` when the market moves."""
    return max(8.0, min(95.0, base * (1 - _LEVERAGE * move)))
