import numpy as np
import pytest

from engine.features.intraday import VolumeCurve, curve_of, session_vwap

DAYS = np.arange(np.datetime64("2016-01-04"), np.datetime64("2016-01-29"))


def _curve(days: int = 25, minutes: int = 390, volume: float = 100.0) -> VolumeCurve:
    session = np.repeat(DAYS[:days], minutes)
    minute = np.tile(np.arange(minutes), days)
    return curve_of(session, minute, np.full(len(session), volume))


def test_volume_so_far_is_measured_by_the_same_minute_of_other_days() -> None:
    # 4 times the usual shares by 09:45, which is still only 15 % of an ordinary day.
    assert _curve().ratio(6_000.0, 15) == pytest.approx(4.0)
    assert _curve().ratio(6_000.0, 390) == pytest.approx(6_000 / 39_000)


def test_the_last_twenty_sessions_count() -> None:
    session = np.repeat(DAYS[:25], 2)
    volume = np.repeat(np.where(np.arange(25) < 5, 1e9, 50.0), 2)
    curve = curve_of(session, np.tile([0, 1], 25), volume)
    assert curve.ratio(200.0, 2) == pytest.approx(2.0)


def test_bars_in_any_order_and_missing_minutes_are_the_same_curve() -> None:
    session, minute = np.repeat(DAYS[:20], 3), np.tile([0, 4, 9], 20)
    volume = np.arange(60.0)
    order = np.random.default_rng(1).permutation(60)
    one, other = curve_of(session, minute, volume), curve_of(session[order], minute[order], volume[order])
    np.testing.assert_array_equal(one.by_minute, other.by_minute)
    assert one.mean_by(4) == one.mean_by(1)
    assert one.mean_by(5) != one.mean_by(4)


def test_a_shorter_session_counts_with_all_of_its_volume() -> None:
    assert _curve(minutes=210).mean_by(390) == 21_000.0


def test_bars_before_the_open_are_left_out() -> None:
    session, minute = np.repeat(DAYS[:20], 2), np.tile([-30, 0], 20)
    assert curve_of(session, minute, np.full(40, 7.0)).mean_by(1) == 7.0


@pytest.mark.parametrize("days", [0, 19])
def test_too_few_sessions_have_no_ratio(days: int) -> None:
    assert _curve(days=days).ratio(100.0, 15) is None


def test_no_volume_and_no_time_have_no_ratio() -> None:
    assert _curve(volume=0.0).ratio(100.0, 15) is None
    assert _curve().ratio(100.0, 0) is None
    assert _curve().ratio(-1.0, 15) is None


def test_the_mean_price_of_a_session_is_weighted_by_volume() -> None:
    assert session_vwap(np.array([10.0, 20.0]), np.array([3.0, 1.0])) == 12.5
    assert session_vwap(np.array([10.0]), np.array([0.0])) is None
