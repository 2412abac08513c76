import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.agents.notes import NOTE_WIDTH, against, age, clip, compact


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.41, ".41"),
        (-0.5, "-.5"),
        (9.4, "9.4"),
        (34.27, "34.3"),
        (100.0, "100"),
        (9153.4, "9153"),
        (12_345.0, "12.3k"),
        (1_234_567.0, "1.23M"),
        (2.5e9, "2.5B"),
    ],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert compact(value) == text


@pytest.mark.parametrize(
    ("label", "value", "sign", "limit", "text"),
    [
        ("ADV", 1.234e6, "<", 5e6, "ADV 1.2M < 5M"),
        ("ADV", 4.96e6, "<", 5e6, "ADV 4.96M < 5M"),
        ("ADV", 4_999_999.5, "<", 5e6, "ADV < 5M"),
        ("ADV", 0.0, "<", 5e6, "ADV 0 < 5M"),
        ("price", 34.27, ">", 20, "price 34 > 20"),
        ("price", 20.004, ">", 20, "price 20.004>20"),
        ("price", 0.4999, "<", 0.5, "price .4999 < .5"),
    ],
)
def test_two_numbers_never_look_equal(label: str, value: float, sign: str, limit: float, text: str) -> None:
    assert against(label, value, sign, limit) == text


@given(value=st.floats(0, 1e12), limit=st.floats(0, 1e12))
def test_a_comparison_always_fits_the_column(value: float, limit: float) -> None:
    assert len(against("price", value, "<", limit)) <= NOTE_WIDTH


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (42, "42s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (200_000, "2d")],
)
def test_ages_have_one_unit(seconds: int, text: str) -> None:
    assert age(seconds * 1_000_000) == text


def test_a_long_text_is_cut_visibly() -> None:
    assert clip("twenty characters ok") == "twenty characte…"
    assert clip("fits") == "fits"
