"""The simulation itself: one day after the other, from the first day of the history on.

A day is small (its nodes, 27 prices a stock) and made in a few milliseconds; the prints between the nodes are
made only when somebody reads them. The same seed gives the same days whoever asks, in whatever order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from engine.model.ids import InstrumentId
from engine.sources.demo.chance import Bits, between, normal, stream
from engine.sources.demo.firstnight import BAD_NIGHT, bad_night
from engine.sources.demo.intraday import CENT, UNIT, VARIANCE, in_ticks, nodes, shares
from engine.sources.demo.overnight import Fall, News, StockState, end_day, mood_factor, pass_night
from engine.sources.demo.regime import MarketDay, Mood, Regime, vix_at
from engine.sources.demo.universe import SPY, VIX, draw_traits

HISTORY = 320
"""Days before the first one that is shown: SPEC needs 260."""
GAP_DOWN = -0.03
FOLLOWED = 5
"""Sessions after a fall in which a stock is quoted as densely as on its day."""
_BLOCKS = 26
_MOODS = {0: Mood.CALM, 70: Mood.NERVOUS, 100: Mood.STRESSED, 135: Mood.NERVOUS, 200: Mood.CALM}
"""Moods of the history: wild a year ago and calm of late, so that the first days shown are normal ones."""
_CALM_FROM, _STILL_FROM = 200, 260
_SPY_START = 430 * UNIT
_SPY_GROWTH, _SPY_PULL_BEFORE, _SPY_PULL = 0.0003, 0.015, 0.003
"""Of a trend a day; of the distance from it a day, in the history and later."""


@dataclass(frozen=True, slots=True)
class StockDay:
    """One instrument on one day, prices in units of 0.0001 USD (of 0.0001 points for the VIX)."""

    nodes: tuple[int, ...]
    """Open, then the ends of the blocks; the last is the close."""
    volume: int
    """Shares."""
    sigma: float
    """Standard deviation of the session, a fraction."""
    spread_ratio: float
    gap: float
    news: News
    is_followed: bool
    """Quoted densely: it fell today or in one of the last sessions."""


class Days:
    """Makes day after day. `next` has the state of the last one behind it and cannot go back."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.traits = draw_traits(stream(seed, "traits"))
        self.number = 0
        """Of the day that `next` makes; `HISTORY` is the first that is shown."""
        self._regime = Regime()
        self._states = [StockState(in_ticks(one.base_price * UNIT)) for one in self.traits]
        self._fell = [-FOLLOWED - 1] * len(self.traits)
        self._spy = _SPY_START

    def next(self, blocks: int = _BLOCKS) -> Mapping[InstrumentId, StockDay]:
        """All instruments of the next day, which has that many blocks."""
        number = self.number
        random = stream(self._seed, "day", number)
        bits = random.getrandbits
        if number < HISTORY:
            self._set_mood(number)
        is_first = number == HISTORY
        market = self._regime.next(bits, BAD_NIGHT if is_first else None)
        roots = tuple(sqrt(share) for share in shares(VARIANCE, blocks))
        drift = (market.drift + self._pull()) / blocks
        moves = tuple(market.sigma_session * root * normal(bits) + drift for root in roots)
        found = {SPY: self._spy_day(market, moves, bits)}
        move = found[SPY].nodes[-1] / self._spy - 1
        self._spy = found[SPY].nodes[-1]
        found[VIX] = _vix_day(market, found[SPY].nodes)
        falls = bad_night(self.traits, self._states, stream(self._seed, "first night")) if is_first else {}
        for place, traits in enumerate(self.traits):
            found[traits.company.instrument] = self._stock_day(
                place, market, moves, roots, move, bits, falls.get(place)
            )
        self._regime.end(move, found[VIX].nodes[-1] / UNIT)
        self.number += 1
        return found

    def _pull(self) -> float:
        """What draws SPY back to its long trend in one session; no history of it is to end in a crash."""
        trend = _SPY_START * (1 + _SPY_GROWTH * self.number)
        strength = _SPY_PULL_BEFORE if self.number < HISTORY else _SPY_PULL
        return strength * max(-0.5, min(0.5, trend / self._spy - 1))

    def _set_mood(self, number: int) -> None:
        if number in _MOODS:
            self._regime.become(_MOODS[number])
        elif number > _STILL_FROM:
            self._regime.become(Mood.CALM)
        elif number > _CALM_FROM and self._regime.mood is Mood.STRESSED:
            self._regime.become(Mood.NERVOUS)

    def _spy_day(self, market: MarketDay, moves: tuple[float, ...], bits: Bits) -> StockDay:
        opened = in_ticks(self._spy * (1 + market.night))
        path = nodes(opened, moves, 1.0, (0.0,) * len(moves), 0.0, 0.0, bits)
        volume = int(7e7 * (0.5 + 0.5 * market.sigma / 0.0075) * between(bits, 0.7, 1.3))
        gap = opened / self._spy - 1
        return StockDay(path, volume, market.sigma_session, 0.00002, gap, News.NONE, False)

    def _stock_day(
        self,
        place: int,
        market: MarketDay,
        moves: tuple[float, ...],
        roots: tuple[float, ...],
        move: float,
        bits: Bits,
        fall: Fall | None,
    ) -> StockDay:
        state, traits = self._states[place], self.traits[place]
        night = pass_night(state, traits, market, bits, fall)
        if night.gap <= GAP_DOWN:
            self._fell[place] = self.number
        prices = nodes(night.open, moves, traits.beta, roots, night.sigma_session, night.drift, bits)
        wildness = sqrt(state.variance) * mood_factor(market)
        size = abs(end_day(state, traits, market, prices[-1], move))
        noise = max(0.35, 1 + 0.35 * normal(bits))
        return StockDay(
            nodes=prices,
            volume=int(traits.shares_a_day * (0.55 + 0.3 * min(size, 8.0)) * noise),
            sigma=sqrt(night.sigma_session**2 + (traits.beta * market.sigma_session) ** 2),
            spread_ratio=traits.spread_ratio * (0.6 + 0.4 * wildness),
            gap=night.gap,
            news=night.news,
            is_followed=self.number - self._fell[place] <= FOLLOWED,
        )


def _vix_day(market: MarketDay, spy: tuple[int, ...]) -> StockDay:
    found = []
    for price in spy:
        points = vix_at(market.vix, price / spy[0] - 1)
        found.append(int(points * 100 + 0.5) * CENT)
    return StockDay(tuple(found), 0, 6 * market.sigma_session, 0.0, 0.0, News.NONE, False)
