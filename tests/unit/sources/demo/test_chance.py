import pytest

from engine.sources.demo.chance import (
    EXPONENTIAL,
    FAT,
    NORMAL,
    TABLE_BITS,
    between,
    chance,
    exponential,
    fat,
    ladder,
    normal,
    stream,
)


def moments(values: list[float]) -> tuple[float, float, float]:
    mean = sum(values) / len(values)
    second = sum((value - mean) ** 2 for value in values) / len(values)
    return mean, second, sum((value - mean) ** 4 for value in values) / len(values) / second**2


def test_tables_have_the_moments_that_they_state() -> None:
    assert len(NORMAL) == len(EXPONENTIAL) == 1 << TABLE_BITS
    assert moments(list(NORMAL)) == pytest.approx((0, 1, 3), abs=0.02)
    assert sum(EXPONENTIAL) / len(EXPONENTIAL) == pytest.approx(1, abs=1e-3)
    assert sum(scale * scale for scale in FAT) / len(FAT) == pytest.approx(1)


def test_a_fat_draw_has_far_fatter_tails_than_a_normal_one() -> None:
    bits = stream(1, "fat").getrandbits
    mean, variance, kurtosis = moments([fat(bits) for _ in range(60_000)])
    assert abs(mean) < 0.02
    assert variance == pytest.approx(1, abs=0.06)
    assert 11 < kurtosis < 21
    assert 2.8 < moments([normal(bits) for _ in range(20_000)])[2] < 3.2


def test_the_stream_of_a_purpose_is_its_own() -> None:
    first = [stream(7, "day", 3).getrandbits(32) for _ in range(2)]
    assert first[0] == first[1]
    others = {stream(8, "day", 3), stream(7, "day", 4), stream(7, "block", 3)}
    assert first[0] not in {one.getrandbits(32) for one in others}


def test_draws_stay_within_their_bounds() -> None:
    bits = stream(3, "bounds").getrandbits
    assert all(2.0 <= between(bits, 2.0, 3.0) < 3.0 for _ in range(500))
    assert all(exponential(bits) > 0 for _ in range(500))
    assert not any(chance(bits, 0.0) for _ in range(500))
    assert all(chance(bits, 1.0) for _ in range(500))
    assert sum(chance(bits, 0.25) for _ in range(4_000)) == pytest.approx(1_000, abs=120)


def test_a_ladder_goes_from_low_to_high_in_equal_multiples() -> None:
    steps = ladder(0.5, 8.0, 5)
    assert steps == pytest.approx((0.5, 1.0, 2.0, 4.0, 8.0))
