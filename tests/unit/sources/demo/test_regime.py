from statistics import fmean

from engine.sources.demo.chance import stream
from engine.sources.demo.regime import Mood, Regime, vix_at


def years(mood: Mood) -> list[tuple[float, float]]:
    """Standard deviation and VIX of each of 200 days that begin in a mood kept all the time."""
    regime, bits, found = Regime(), stream(5, "regime").getrandbits, []
    for _ in range(200):
        regime.become(mood)
        day = regime.next(bits)
        regime.end(0.0, day.vix)
        found.append((day.sigma, day.vix))
    return found[50:]


def test_the_vix_follows_the_mood() -> None:
    calm, nervous, stressed = (
        fmean(vix for _, vix in years(mood)) for mood in (Mood.CALM, Mood.NERVOUS, Mood.STRESSED)
    )
    assert 9 < calm < 14 < nervous < 22 < 30 < stressed < 55


def test_stress_is_wilder_than_calm() -> None:
    assert fmean(s for s, _ in years(Mood.STRESSED)) > 3 * fmean(s for s, _ in years(Mood.CALM))


def test_a_fall_makes_the_next_days_wilder_and_a_rise_does_not() -> None:
    def after(move: float) -> float:
        regime, bits = Regime(), stream(6, "regime").getrandbits
        day = regime.next(bits)
        regime.end(move, day.vix)
        return regime.next(bits).sigma

    assert after(-0.03) > 1.2 * after(0.03)


def test_the_vix_goes_against_the_market_and_stays_an_index() -> None:
    assert vix_at(20, -0.02) > 20 > vix_at(20, 0.01)
    assert vix_at(80, -0.2) == 95
    assert vix_at(9, 0.1) == 8


def test_every_mood_comes_and_goes() -> None:
    regime, bits, seen = Regime(), stream(9, "moods").getrandbits, []
    for _ in range(3_000):
        day = regime.next(bits)
        regime.end(0.0, day.vix)
        seen.append(day.mood)
    assert set(seen) == set(Mood)
    assert seen.count(Mood.CALM) > seen.count(Mood.STRESSED)


def test_a_night_can_be_fixed() -> None:
    assert Regime().next(stream(1, "night").getrandbits, -0.02).night == -0.02
