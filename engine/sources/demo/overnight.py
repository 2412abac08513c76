"""From one close to the next open of a stock: small moves, jumps, news, and what a gap leaves behind.

Nothing here knows what follows but `aftermath`: bad news goes on pulling, a gap without any is pushed back a
little; together they leave a gap's fate as even as it was measured (see the property test).
"""

from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

from engine.sources.demo.chance import FAT, FAT_BITS, Bits, chance, exponential, fat
from engine.sources.demo.intraday import UNIT, in_ticks
from engine.sources.demo.regime import MarketDay
from engine.sources.demo.universe import Traits

NEWS_GAP = 0.04
"""A gap of this size may come with news; a third do."""
_NEWS_CHANCE = 1 / 3
_NIGHT, _SESSION = 0.36, 0.90
"""Standard deviations of a stock's own night and session, as parts of its day's."""
_JUMP_CHANCE, _JUMP_FROM, _JUMP_MEAN, _JUMP_MOST = 0.018, 0.020, 0.046, 0.32
_DOWN_CHANCE = 0.52
_MEMORY, _NEWNESS, _WORST = 0.87, 0.10, 25.0
"""GARCH(1, 1) of a stock's own variance around 1; one day counts as at most `_WORST`."""
_PULL = 0.006
"""How strongly a price is drawn back to its base a day, per 100 % of distance."""
_BAD, _GOOD, _QUIET = -0.009, 0.006, 0.005
"""What news, or a fall without any, does to the first session after it, for a stock of 3 % a day."""
_FADE = 0.35
"""What is left of it a day later."""
_DEEPEST, _HIGHEST = -0.45, 0.60


@dataclass(frozen=True, slots=True)
class Fall:
    """What a night is made to do to a stock."""

    gap: float | None
    """None: as chance has it, but not below `least`."""
    least: float = -1.0
    sigma: float | None = None
    """Standard deviation of the stock's own move in the session then; None: as ever."""


class News(StrEnum):
    """What was in the papers before the open."""

    NONE = ""
    BAD = "bad"
    GOOD = "good"


@dataclass(slots=True)
class StockState:
    """Where a stock stands after a close. Only the simulation writes it."""

    close: int
    """Units of 0.0001 USD."""
    variance: float = 1.0
    """Of its own moves, relative to normal times."""
    pull: float = 0.0
    """What news still do to it, a fraction a session."""


@dataclass(frozen=True, slots=True)
class Night:
    """One stock at one open."""

    open: int
    gap: float
    news: News
    drift: float
    """Of the session, a fraction."""
    sigma_session: float
    """Standard deviation of its own move in the session."""


def mood_factor(market: MarketDay) -> float:
    """How much wilder stocks are on their own while the market is wild; 1 in normal times."""
    return max(0.85, min(2.0, 0.75 + 0.25 * market.sigma / 0.0075))


def pass_night(
    state: StockState, traits: Traits, market: MarketDay, bits: Bits, fall: Fall | None = None
) -> Night:
    """The open after a night; `fall` overrules chance."""
    sigma = traits.wildness * sqrt(state.variance) * mood_factor(market)
    own = sigma * _NIGHT * fat(bits) + _jump(traits, bits)
    has_news = chance(bits, _NEWS_CHANCE)
    change = traits.beta * market.night + own
    if fall is not None:
        change = max(change, fall.least) if fall.gap is None else fall.gap
    opened = max(in_ticks(state.close * (1 + max(_DEEPEST, min(_HIGHEST, change)))), 100)
    found = opened / state.close - 1
    news = News.NONE
    if has_news and abs(found) >= NEWS_GAP:
        news = News.BAD if found < 0 else News.GOOD
    drift = state.pull + aftermath(found, news) * traits.wildness / 0.03
    state.pull = drift * _FADE
    base = traits.base_price * UNIT
    session = sigma * _SESSION * (0.45 + 0.55 * FAT[bits(FAT_BITS)])
    if fall is not None and fall.sigma is not None:
        session = fall.sigma
    return Night(
        opened,
        found,
        news,
        drift - _PULL * max(-1.0, min(2.0, opened / base - 1)),
        session,
    )


def aftermath(gap: float, news: News) -> float:
    """Mean move of the session after a gap, for a stock that moves 3 % a day."""
    if news is News.BAD:
        return _BAD
    if news is News.GOOD:
        return _GOOD
    return _QUIET if gap <= -NEWS_GAP else 0.0


def end_day(state: StockState, traits: Traits, market: MarketDay, close: int, move: float) -> float:
    """The day is over; `move` is the market's. Returns the stock's own move in standard deviations."""
    own = (close / state.close - 1) - traits.beta * move
    size = own / (traits.wildness * mood_factor(market))
    rest = 1 - _MEMORY - _NEWNESS
    state.variance = min(12.0, rest + _MEMORY * state.variance + _NEWNESS * min(_WORST, size * size))
    state.close = close
    return size


def _jump(traits: Traits, bits: Bits) -> float:
    if not chance(bits, _JUMP_CHANCE):
        return 0.0
    size = (_JUMP_FROM + _JUMP_MEAN * exponential(bits) * exponential(bits)) * traits.wildness / 0.03
    size = min(_JUMP_MOST, size)
    return -size if chance(bits, _DOWN_CHANCE) else size
