"""The bad night before the first session that is shown, so that a newcomer finds something to look at.

Whatever the seed, eight stocks open 3.2 to 11 % lower and no other one falls by 3 %. Most of the eight cost 5
dollars or more and trade enough for the naive rule; their first session is wilder than usual, so that the
brackets of the first minutes do not all wait for days. The night is no part of the statistics.
"""

from collections.abc import Mapping, Sequence
from random import Random

from engine.sources.demo.chance import between
from engine.sources.demo.intraday import UNIT
from engine.sources.demo.overnight import Fall, StockState
from engine.sources.demo.universe import Traits

BAD_NIGHT = -0.011
"""What the market does in that night."""
_EASY, _ANY = 6, 2
"""How many of each kind fall."""
_EASY_FROM, _EASY_TO, _EASY_USD, _ANY_USD = 6 * UNIT, 18 * UNIT, 1.5e7, 6e6
_NARROW = 0.0008
_LEAST = -0.02
_SIGMA = 0.085
"""Standard deviation of their first session: most of their brackets end in it."""


def bad_night(traits: Sequence[Traits], states: Sequence[StockState], random: Random) -> Mapping[int, Fall]:
    """What happens to each stock, by its place."""
    traded = [one.shares_a_day * state.close / UNIT for one, state in zip(traits, states, strict=True)]
    # Those with a narrow spread first: a limit of 0.1 % over the middle reaches their ask.
    drawn = [random.getrandbits(32) for _ in traits]
    order = sorted(
        range(len(traits)),
        key=lambda place: (traits[place].spread_ratio >= _NARROW, drawn[place], place),
    )
    easy = [
        place
        for place in order
        if _EASY_FROM <= states[place].close <= _EASY_TO and traded[place] >= _EASY_USD
    ][:_EASY]
    other = [place for place in order if place not in easy and traded[place] >= _ANY_USD]
    other.sort(key=lambda place: (drawn[place], place))
    hit = [*easy, *other[: _EASY + _ANY - len(easy)]]
    falls = dict.fromkeys(range(len(traits)), Fall(None, _LEAST))
    for number, place in enumerate(hit):
        deep = 0.032 + 0.010 * (len(hit) - 1 - number) + between(random.getrandbits, 0.0, 0.008)
        falls[place] = Fall(-deep, sigma=_SIGMA)
    return falls
