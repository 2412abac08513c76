"""Every number rule of design 5."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tui import format as fmt

S = fmt.US_PER_S
MIN, HOUR, DAY = fmt.US_PER_MIN, fmt.US_PER_HOUR, fmt.US_PER_DAY


def us(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * S)


@pytest.mark.parametrize(
    ("value", "tick", "expected"),
    [
        (8.37, None, "8.37"),
        (1, None, "1.00"),
        (0.882, None, "0.8820"),
        (0.99999, None, "1.0000"),
        (Decimal("12345.6"), None, "12,345.60"),
        (Decimal("8.375"), Decimal("0.001"), "8.375"),
        (Decimal("8.37"), Decimal("0.05"), "8.37"),
        (Decimal("0.5"), Decimal("0.01"), "0.5000"),
        (None, None, "–"),
    ],
)
def test_price(value: Decimal | float | None, tick: Decimal | None, expected: str) -> None:
    assert fmt.price(value, tick) == expected


@pytest.mark.parametrize(
    ("value", "full", "table"),
    [
        (0.00008127, "0.00008127", "0.0₄8127"),
        (0.000812745, "0.00081275", "0.0₃81275"),
        (0.0123456, "0.012346", "0.012346"),
        (1.23456789, "1.2346", "1.2346"),
        (123456.7, "123,456.70", "123,456.70"),
        (0, "0.0", "0.0"),
        (None, "–", "–"),
        (1e-12, "0.000000000001", "0.0₁₁1"),
    ],
)
def test_token_price_keeps_five_digits_and_shrinks_zeros_only_in_tables(
    value: float | None, full: str, table: str
) -> None:
    assert fmt.token_price(value) == full
    assert fmt.token_price(value, table=True) == table


def test_average_has_four_decimals() -> None:
    assert fmt.average(Decimal("4.0187")) == "4.0187"
    assert fmt.average(None) == "–"


@pytest.mark.parametrize(
    ("value", "level", "change"),
    [
        (Decimal("27512.4"), "27,512.40", "+27,512.40"),
        (Decimal("-26.13"), "-26.13", "-26.13"),
        (Decimal(0), "0.00", "0.00"),
        (Decimal("-0.004"), "0.00", "0.00"),
        (None, "–", "–"),
    ],
)
def test_a_change_is_signed_and_a_level_is_not(value: Decimal | None, level: str, change: str) -> None:
    assert fmt.money(value) == level
    assert fmt.signed_money(value) == change


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2_410_000, "2.41M"),
        (884_000, "884k"),
        (1_050_000, "1.05M"),
        (999_600, "1.00M"),
        (999_400, "999k"),
        (99_960, "100k"),
        (12_345, "12.3k"),
        (642, "642"),
        (7_200_000_000, "7.20B"),
        (None, "–"),
    ],
)
def test_amount_has_three_significant_digits(value: float | None, expected: str) -> None:
    assert fmt.amount(value) == expected


@pytest.mark.parametrize(
    ("ratio", "level", "change", "risk"),
    [
        (0.012, "1.2%", "+1.2%", "1.2%"),
        (-0.072, "-7.2%", "-7.2%", "7.2%"),
        (0.00095, "0.1%", "+0.1%", "0.095%"),
        (0.0, "0.0%", "0.0%", "0.000%"),
        (-0.0001, "0.0%", "0.0%", "0.010%"),
        (None, "–", "–", "–"),
    ],
)
def test_percent_has_one_decimal_and_small_risk_three(
    ratio: float | None, level: str, change: str, risk: str
) -> None:
    assert fmt.percent(ratio) == level
    assert fmt.signed_percent(ratio) == change
    assert fmt.risk_percent(ratio) == risk


def test_a_column_whose_head_has_the_unit_shows_none() -> None:
    assert fmt.signed_percent(-0.114, "") == "-11.4"


@pytest.mark.parametrize(("value", "expected"), [(0.68, ".68"), (1.0, "1.0"), (0.0, ".00"), (None, "–")])
def test_probability(value: float | None, expected: str) -> None:
    assert fmt.probability(value) == expected


def test_interval_and_rate_come_with_their_count() -> None:
    assert fmt.interval(0.61, 0.74) == ".61–.74"
    assert fmt.rate(14, 24, 0.39, 0.76) == "58.3%  14 of 24  39–76%"
    assert fmt.rate(3, 4, 0.2, 0.9) == "too few"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("100", "100"), ("0.50", "0.5"), ("1200.000", "1,200"), ("1E+3", "1,000"), ("39", "39")],
)
def test_quantity_has_no_trailing_zeros(value: str, expected: str) -> None:
    assert fmt.quantity(Decimal(value)) == expected
    assert fmt.filled(Decimal(41), Decimal(82)) == "41/82"


@pytest.mark.parametrize(
    ("us_", "expected"),
    [
        (800_000, "0.8s"),
        (9_940_000, "9.9s"),
        (9_990_000, "9s"),
        (41 * S, "41s"),
        (12 * MIN, "12m"),
        (3 * HOUR, "3h"),
        (2 * DAY, "2d"),
        (-5, "0.0s"),
        (None, "–"),
    ],
)
def test_age_has_one_unit(us_: int | None, expected: str) -> None:
    assert fmt.age(us_) == expected


@pytest.mark.parametrize(
    ("us_", "expected"),
    [
        (274 * S, "4:34"),
        (273 * S + 1, "4:34"),
        (0, "0:00"),
        (-S, "0:00"),
        (5 * HOUR + 41 * MIN, "5:41h"),
        (2 * DAY + 23 * HOUR, "2d 23h"),
        (None, "–"),
    ],
)
def test_countdown_never_says_zero_before_the_end(us_: int | None, expected: str) -> None:
    assert fmt.countdown(us_) == expected


def test_clocks_are_utc_and_new_york() -> None:
    at = us("2026-11-06T14:51:38")
    assert fmt.clock_utc(at) == "14:51:38Z"
    assert fmt.clock_short(at) == "14:51:38"
    assert fmt.clock_new_york(at) == "09:51 ET"
    assert fmt.clock_new_york(us("2026-07-06T13:51:38")) == "09:51 ET"
    assert fmt.date_utc(us("2026-11-07T01:00:00")) == "2026-11-07"


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-06T14:16:00", "pre 14:00"),
        ("2026-11-06T12:00:00", "pre 2:30h"),
        ("2026-11-06T14:30:00", "open"),
        ("2026-11-06T20:59:59", "open"),
        ("2026-11-06T21:00:00", "closed"),
        ("2026-11-05T22:00:00", "closed, Fri 09:30"),
    ],
)
def test_session_word(now: str, expected: str) -> None:
    opens, closes = us("2026-11-06T14:30:00"), us("2026-11-06T21:00:00")
    assert fmt.session_word(us(now), opens, closes) == expected
    assert fmt.session_word(us(now), None, None) == "closed"


def test_digest_shows_the_groups_a_person_compares() -> None:
    sha = "9f2c41d70b6e88a3" + "0" * 40 + "5d10e07b"
    assert fmt.digest(sha) == "9f2c 41d7 0b6e 88a3 … 5d10 e07b"


def test_points_of_a_mixed_column_stand_in_one_line() -> None:
    padded = [text.rjust(9) for text in fmt.align_points(["8.37", "0.8820", "–", "12.06"])]
    assert {text.index(".") for text in padded if "." in text} == {4}


def test_every_glyph_has_one_ascii_cell() -> None:
    for glyph, ascii_form in fmt.PLAIN.items():
        assert len(glyph) == len(ascii_form) == 1
        assert ascii_form.isascii()
    assert fmt.plain("◆ T-18 ├──●──┤ … é 市") == "@ T-18 |--*--| . _ _"
    assert fmt.plain("hidden ow… ~2.41") == "hidden o.. ~2.41"
    assert fmt.plain("…BMJ8ZW") == "..MJ8ZW"
