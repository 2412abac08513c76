import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sources.demo.chance import stream
from engine.sources.demo.intraday import CENT, UNIT, VARIANCE, VOLUME, in_ticks, nodes, path, shares


@given(st.floats(min_value=1, max_value=300_000))
def test_prices_are_whole_ticks_next_to_what_they_were(units: float) -> None:
    price = in_ticks(units)
    assert price < UNIT or price % CENT == 0
    assert abs(price - units) <= (CENT / 2 + 1 if units >= UNIT - 1 else 1)


@pytest.mark.parametrize("profile", [VARIANCE, VOLUME])
@pytest.mark.parametrize("blocks", [26, 14])
def test_a_session_begins_and_ends_busier_than_its_middle(profile: tuple[float, ...], blocks: int) -> None:
    found = shares(profile, blocks)
    assert len(found) == blocks
    assert sum(found) == pytest.approx(1)
    middle = found[blocks // 2]
    assert found[0] > 1.5 * middle < 1.5 * found[-1]


def test_volume_has_the_shares_of_large_stocks_by_half_hour() -> None:
    """14.0 % first, 4.6 % least, 18.0 % last: means of AAPL, AIG, BAC, IBM and SPY, minute bars of 2013-2014
    and 2023 (section b of the data's manifest)."""
    measured = (
        (0.140, 0.097, 0.076, 0.064, 0.067, 0.055, 0.048, 0.052, 0.046, 0.057, 0.048, 0.070, 0.180)
    )  # fmt: skip
    found = shares(VOLUME, 26)
    halves = [found[at] + found[at + 1] for at in range(0, 26, 2)]
    assert halves == pytest.approx(measured, abs=0.02)


def test_nodes_begin_at_the_open_and_follow_the_market_by_beta() -> None:
    bits = stream(1, "nodes").getrandbits
    quiet = nodes(50_000, (0.01, -0.02), 2.0, (0.0, 0.0), 0.0, 0.0, bits)
    assert quiet == (50_000, 51_000, 49_000)


@given(
    first=st.integers(50, 3_000).map(lambda cents: cents * CENT),
    move=st.integers(-40, 40),
    count=st.sampled_from([90, 449, 450]),
    sigma=st.floats(0, 5_000),
    seed=st.integers(0, 1_000),
    ends=st.booleans(),
)
def test_a_path_keeps_to_its_ends_its_range_and_its_ticks(
    first: int, move: int, count: int, sigma: float, seed: int, ends: bool
) -> None:
    last = in_ticks(max(CENT, first + move * CENT))
    first = in_ticks(first)
    low, high = min(first, last) - 0, max(first, last) + 5 * CENT
    found = path(first, last, count, sigma, low, high, stream(seed, "path"), ends)
    assert len(found) == count
    assert found[0] == first
    assert not ends or found[-1] == last
    assert all(low <= price <= high for price in found)
    assert all(price < UNIT or price % CENT == 0 for price in found)


def test_a_path_without_noise_is_straight() -> None:
    found = path(10_000, 20_000, 10, 0.0, 0, 30_000, stream(1, "straight"), ends=False)
    assert found == [10_000 + 1_000 * at for at in range(10)]
